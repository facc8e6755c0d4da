"""What activities can be filtered by."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, select

from server.accounts.models import Account
from server.activities.agenda.models import Activity, Direction, Kind, Priority, Result, State
from server.auth.models import User
from server.kit import filtering
from server.kit.filtering import Field


def of_account(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The account fulfils it."""
    return select(Account.id).where(Account.id == Activity.account_id, condition).correlate(Activity).exists()


def of_owner(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The owner fulfils it."""
    return select(User.id).where(User.id == Activity.owner_id, condition).correlate(Activity).exists()


def fields() -> Mapping[str, Field]:
    """The fields by name."""
    typed = filtering.Kind

    def field(
        name: str,
        kind: filtering.Kind,
        column: Any,
        label: str,
        choices: tuple[str, ...] = (),
        exists: Callable[[ColumnElement[bool]], ColumnElement[bool]] | None = None,
    ) -> Field:
        return Field(name, kind, column, label, choices, exists)

    declared = (
        field("kind", typed.CHOICE, Activity.kind, "Kind", tuple(Kind)),
        field("state", typed.CHOICE, Activity.state, "State", tuple(State)),
        field("priority", typed.CHOICE, Activity.priority, "Priority", tuple(Priority)),
        field("outcome", typed.CHOICE, Activity.outcome, "Outcome", tuple(Result)),
        field("direction", typed.CHOICE, Activity.direction, "Direction", tuple(Direction)),
        field("subject", typed.TEXT, Activity.subject, "Subject"),
        field("note", typed.TEXT, Activity.note, "Note"),
        field("place", typed.TEXT, Activity.place, "Place"),
        field("owner", typed.TEXT, User.login, "Owner's login", exists=of_owner),
        field("account", typed.TEXT, Account.name, "Account", exists=of_account),
        field("number", typed.TEXT, Account.number, "Account's number", exists=of_account),
        field("due", typed.DATE, Activity.due_on, "Due"),
        field("day", typed.DATE, cast(Activity.at, Date), "Day"),
        field("done", typed.DATE, cast(Activity.done_at, Date), "Done"),
        field("sender", typed.TEXT, Activity.sender, "Sender"),
    )
    return {one.name: one for one in declared}
