"""What an account's page shows around it: its own fields, its people, those above and below it, a suggested class."""

from typing import Any

from sqlalchemy.orm import Session

from server.accounts import queries, tree
from server.accounts.classes import queries as classes
from server.accounts.models import Account
from server.accounts.opening import Opened
from server.activities import answering
from server.auth.access import Scope
from server.contacts import queries as contacts
from server.fields import queries as own


def around(session: Session, scope: Scope, row: Account, at: Opened) -> dict[str, Any]:
    """What stands around an account: its own fields, those above and below it, another class that is suggested."""
    account_id, fields = row.id, own.fields_of_several(session, ("account", "site"))
    below = tree.below(session, scope, account_id) if at.has_children else []
    above = tree.chain(session, account_id) if row.parent_id else []
    lists = own.picklists_named(session, "visit_outcome", "contact_role")
    seen = queries.seen_of(session, scope, [one.id for one in above])
    return {
        "own_fields": fields["account"],
        "site_fields": fields["site"],
        "visit_types": own.visit_types(session),
        "above": [(one, one.id in seen) for one in reversed(above)],
        "below": below,
        "worth": tree.worth(row, below) if below else {},
        "suggested": classes.open_of(session, account_id) if scope.sees("account", "account_class") else None,
        "may_decide": scope.may("accounts:assign"),
        "contacts": contacts.of_account(session, scope, at),
        "own_outcomes": answering.added(lists["visit_outcome"]),
        "role_words": dict(lists["contact_role"]),
    }
