"""Which value of two accounts stays when they become one: what is proposed, and what a choice means."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, Status
from server.accounts.values import ACCOUNT, cleaned
from server.auth.access import Scope
from server.kit.errors import Invalid
from server.records.models import FieldHistory

type Side = Literal["winner", "loser"]
type Choice = Literal["winner", "loser", "both"]

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
    "note": ("note",),
}
"""The fields that are chosen, each with the columns that go together."""

BOTH = frozenset({"tags", "note"})
"""Fields whose values can be put together."""

PEOPLE = ("web", "api", "sync")
"""Doors through which people edit."""

RANK = {Status.CUSTOMER: 2, Status.FORMER: 1, Status.PROSPECT: 0}


def proposed(session: Session, scope: Scope, winner: Account, loser: Account) -> list[tuple[str, bool, Choice]]:
    """Each field: whether both sides agree, and the side that is proposed.

    What is not empty stays; of two values the one that a person edited last, else the winner's. Tags and notes are
    put together. What the person may not change stays the winner's.
    """
    edited = edited_at(session, winner, loser)
    found: list[tuple[str, bool, Choice]] = []
    for name, columns in COLUMNS.items():
        mine, theirs = values(winner, columns), values(loser, columns)
        choice: Choice = "winner"
        if mine == theirs or is_empty(name, theirs) or not scope.may_change("account", columns):
            choice = "winner"
        elif is_empty(name, mine):
            choice = "loser"
        elif name in BOTH:
            choice = "both"
        elif name == "status":
            choice = "loser" if RANK[Status(loser.status)] > RANK[Status(winner.status)] else "winner"
        elif name != "number":
            choice = later(edited, winner, loser, columns)
        found.append((name, mine == theirs, choice))
    return found


def proposed_winner(one: Account, other: Account) -> tuple[Account, Account]:
    """Winner and loser: the customer, else the one with a number, the greater value, the older."""

    def rank(account: Account) -> tuple[Any, ...]:
        worth = max(account.yearly_value or 0, account.yearly_potential or 0)
        known = RANK[Status(account.status)], account.number is not None, worth
        return (*known, -account.created_at.timestamp(), -account.id.int)

    return (one, other) if rank(one) >= rank(other) else (other, one)


def values(account: Account, columns: Sequence[str]) -> tuple[Any, ...]:
    """The values of some columns; phone numbers that dial the same are the same."""
    if columns[0] == "phone" and account.phone_e164:
        return (account.phone_e164,)
    return tuple(getattr(account, column) for column in columns)


def is_empty(name: str, held: tuple[Any, ...]) -> bool:
    """Whether there is nothing to keep; a currency alone says nothing."""
    return all(value in (None, "", []) for value in (held[:2] if name == "value" else held))


def edited_at(session: Session, *accounts: Account) -> dict[tuple[Any, str], Any]:
    """When a person last edited each field of some accounts."""
    statement = (
        select(FieldHistory.row_id, FieldHistory.field, func.max(FieldHistory.id))
        .where(
            FieldHistory.entity == "account",
            FieldHistory.row_id.in_([account.id for account in accounts]),
            FieldHistory.actor.is_not(None),
            FieldHistory.source.in_(PEOPLE),
            FieldHistory.field != "*",
        )
        .group_by(FieldHistory.row_id, FieldHistory.field)
    )
    return {(row_id, field): latest for row_id, field, latest in session.execute(statement)}


def later(edited: Mapping[tuple[Any, str], Any], winner: Account, loser: Account, columns: Sequence[str]) -> Side:
    """The side that a person edited last."""
    mine, theirs = (max(edited.get((row.id, column), 0) for column in columns) for row in (winner, loser))
    return "loser" if theirs > mine else "winner"


def chosen_values(winner: Account, loser: Account, choices: Mapping[str, str]) -> dict[str, Any]:
    """The winner's new values. Refuses fields that cannot be chosen and sides that do not exist."""
    taken: dict[str, Any] = {}
    for name, choice in choices.items():
        if name not in COLUMNS:
            raise Invalid(f"“{name}” cannot be chosen.", help="Known: " + ", ".join(COLUMNS) + ".", field=name)
        if choice not in get_args(Choice.__value__) or (choice == "both" and name not in BOTH):
            raise Invalid(f"“{choice}” is no choice for {name}.", help="Choose winner or loser.", field=name)
        if choice == "both":
            taken[name] = together(name, winner, loser)
        elif choice == "loser":
            taken |= {column: getattr(loser, column) for column in COLUMNS[name]}
    return taken


def together(name: str, winner: Account, loser: Account) -> Any:
    """The tags or notes of both."""
    if name == "tags":
        known = {tag.casefold() for tag in winner.tags}
        return [*winner.tags, *(tag for tag in loser.tags if tag.casefold() not in known)][:50]
    notes = [note for note in (winner.note, loser.note) if note]
    whole = "\n\n".join(dict.fromkeys(notes))
    return cleaned(ACCOUNT, "note", whole) if whole else None
