"""Which value of two accounts stays when they become one: what is proposed, and what a choice means."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from server.accounts.models import Account, Status
from server.accounts.values import ACCOUNT, cleaned
from server.auth.access import Scope
from server.records import joining
from server.records.joining import Fields, Proposal, Side
from server.records.together import both_lists, both_own, both_texts, named

RANK = {Status.CUSTOMER: 2, Status.FORMER: 1, Status.PROSPECT: 0}


def further(winner: Account, loser: Account) -> Side:
    """Whoever is more of a customer."""
    return "loser" if RANK[Status(loser.status)] > RANK[Status(winner.status)] else "winner"


def both_tags(winner: Account, loser: Account) -> list[str]:
    """The tags of both, as many as fit."""
    kept: list[str] = both_lists("tags", 50)(winner, loser)
    return kept


def both_notes(winner: Account, loser: Account) -> str | None:
    """The notes of both."""
    whole = both_texts("note")(winner, loser)
    return cleaned(ACCOUNT, "note", whole) if whole else None


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "number": ("number",),
    "account_class": ("account_class",),
    "status": ("status",),
    "owner_id": ("owner_id",),
    "preferred_rep_id": ("preferred_rep_id",),
    "interval_days": ("interval_days",),
    "value": ("yearly_value", "yearly_potential", "currency"),
    "phone": ("phone", "phone_e164"),
    "email": ("email",),
    "website": ("website",),
    "kind": ("kind",),
    "tags": ("tags",),
    "custom": ("custom",),
    "note": ("note",),
}
"""The fields that are chosen, each with the columns that go together."""

FIELDS = Fields(
    "account",
    COLUMNS,
    labels={name: ACCOUNT[name].label for name in COLUMNS if name in ACCOUNT}
    | {"value": "Value and potential", "custom": "Own fields"},
    both={"tags": both_tags, "custom": both_own, "note": both_notes},
    prefers={"status": further, "number": lambda winner, loser: "winner"},
    alike={"phone": "phone_e164"},
)
BOTH = frozenset(FIELDS.both)
"""Fields whose values can be put together."""


def proposed(session: Session, scope: Scope, winner: Account, loser: Account) -> list[Proposal]:
    """Each field, whether both sides agree in it, and the side that is proposed."""
    return joining.proposed(
        session, FIELDS, winner, loser, lambda names: scope.may_change("account", named(names, winner, loser))
    )


def proposed_winner(one: Account, other: Account) -> tuple[Account, Account]:
    """Winner and loser: the customer, else the one with a number, the greater value, the older."""

    def rank(account: Account) -> tuple[Any, ...]:
        worth = max(account.yearly_value or 0, account.yearly_potential or 0)
        known = RANK[Status(account.status)], account.number is not None, worth
        return (*known, -account.created_at.timestamp(), -account.id.int)

    return (one, other) if rank(one) >= rank(other) else (other, one)


def chosen_values(winner: Account, loser: Account, choices: Mapping[str, str]) -> dict[str, Any]:
    """The winner's new values. Refuses fields that cannot be chosen and sides that do not exist."""
    return joining.chosen_values(FIELDS, winner, loser, choices)
