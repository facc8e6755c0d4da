"""How often accounts are visited: the account's own interval, else its owner's, the company's or Waymark's."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.accounts.cadence_models import Cadence
from server.accounts.models import INTERVALS, Account
from server.auth.models import User
from server.kit.errors import Invalid, NotFound
from server.kit.locks import one_at_a_time

TOLERANCE = 0.2
"""Share of the interval by which a visit may come early or late when nobody says otherwise."""
LONGEST_DAYS, MOST_TOLERANCE = 730, 0.5


@dataclass(frozen=True)
class Interval:
    """How often, and how exactly."""

    days: int
    tolerance: float


@dataclass(frozen=True)
class Rules:
    """All intervals in force."""

    by_owner: Mapping[tuple[UUID | None, str], Interval]
    """Those that were set: by person (None: the company) and class."""

    def of_class(self, account_class: str | None, owner_id: UUID | None = None) -> Interval | None:
        """The interval of a class; None for accounts without one."""
        if account_class is None:
            return None
        own = self.by_owner.get((owner_id, account_class)) or self.by_owner.get((None, account_class))
        return own or Interval(INTERVALS[account_class], TOLERANCE)

    def of(self, account: Account) -> Interval | None:
        """The interval of an account; None: it is visited only on demand."""
        usual = self.of_class(account.account_class, account.owner_id)
        if account.interval_days is None:
            return usual
        return Interval(account.interval_days, usual.tolerance if usual else TOLERANCE)


def rules(session: Session) -> Rules:
    """The intervals as they stand."""
    rows = session.scalars(select(Cadence))
    return Rules({(row.user_id, row.account_class): Interval(row.interval_days, row.tolerance) for row in rows})


def set_interval(session: Session, user_id: UUID | None, account_class: str, interval: Interval | None) -> None:
    """Set the interval of a class for the company or for one person's accounts; None gives it up again.

    The same twice at once is done once. Refuses an unknown class or person, intervals outside 1 to 730 days and a
    tolerance above half the interval.
    """
    if account_class not in INTERVALS:
        raise Invalid(f"There is no class “{account_class}”.", help="It is A, B or C.", field="account_class")
    if user_id is not None and session.get(User, user_id) is None:
        raise NotFound("There is no such person.", field="user_id")
    if interval is not None:
        _check(account_class, interval)
    one_at_a_time(session, f"cadence:{user_id}:{account_class}")
    same_person = Cadence.user_id.is_(None) if user_id is None else Cadence.user_id == user_id
    session.execute(delete(Cadence).where(same_person, Cadence.account_class == account_class))
    if interval is not None:
        session.add(
            Cadence(
                user_id=user_id,
                account_class=account_class,
                interval_days=interval.days,
                tolerance=interval.tolerance,
            )
        )
    session.flush()


def _check(account_class: str, interval: Interval) -> None:
    if not 1 <= interval.days <= LONGEST_DAYS:
        raise Invalid(
            f"Class {account_class}: {interval.days} days is no interval.",
            help=f"Give 1 to {LONGEST_DAYS} days.",
            field=f"interval_{account_class}",
        )
    if not 0 <= interval.tolerance <= MOST_TOLERANCE:
        raise Invalid(
            f"Class {account_class}: a tolerance of {interval.tolerance:.0%} is not possible.",
            help=f"Give 0 to {MOST_TOLERANCE:.0%}.",
            field=f"tolerance_{account_class}",
        )
