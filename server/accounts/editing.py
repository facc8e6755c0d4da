"""How accounts and sites are edited: their own fields, and those that the company has added."""

from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.accounts.values import ACCOUNT, ACCOUNT_RULES, AMOUNTS, SITE, SITE_RULES, wire
from server.fields.service import rules_of
from server.records.editing import ChangedMeanwhile, Editor, Outcome, changed_meanwhile, kept, require_revision

__all__ = ["ChangedMeanwhile", "Outcome", "changed_meanwhile", "editor", "kept", "require_revision"]


def editor(session: Session, row: Account | Site) -> Editor:
    """The editable fields of a row, how they travel and how they merge."""
    if isinstance(row, Account):
        return Editor(ACCOUNT | rules_of(session, "account"), ACCOUNT_RULES, wire, AMOUNTS)
    return Editor(SITE | rules_of(session, "site"), SITE_RULES, wire)
