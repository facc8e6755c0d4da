"""The rules for phones that an admin sets; phones hear them at every hello."""

from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.roles import Level
from server.kit import clock
from server.kit.errors import Forbidden, Invalid
from server.phones.models import PhoneRules

LOCK_DAYS, TRACKS_DAYS, MAX_ROWS = 14, 30, 150_000
"""As Waymark begins."""
LEAST_DAYS, MOST_DAYS = 1, 90
MOST_TRACKS_DAYS = 365
LEAST_ROWS, MOST_ROWS = 1_000, 5_000_000
MANY_ROWS = 50_000
"""From here on the page of phones warns: a first sync takes long, and old phones become slow."""


def rules(session: Session) -> PhoneRules:
    """What holds for phones; as Waymark begins when nobody has said."""
    return session.get(PhoneRules, True) or PhoneRules(
        one=True, lock_days=LOCK_DAYS, tracks_days=TRACKS_DAYS, max_rows=MAX_ROWS
    )


def may_set(scope: Scope) -> bool:
    """Whether somebody manages the phones of the whole company, whom alone the rules are for."""
    return scope.level("devices:manage") >= Level.ALL


def set_rules(
    session: Session,
    scope: Scope,
    lock_days: int,
    *,
    records_tracks: bool | None = None,
    tracks_days: int | None = None,
    max_rows: int | None = None,
) -> PhoneRules:
    """Say after how many days (1 to 90) without the server phones close, whether they record the way of their reps,
    after how many days (1 to 365) that is deleted, and how many rows (1,000 to 5 million) a phone is given; None leaves
    it as it is. Refuses others, and who manages a team's.
    """
    if not may_set(scope):
        raise Forbidden("These rules hold for every phone of the company.", help="Ask somebody who manages all phones.")
    if not LEAST_DAYS <= lock_days <= MOST_DAYS:
        raise Invalid(
            f"Phones cannot close after {lock_days:,} days.",
            help=f"Give {LEAST_DAYS} to {MOST_DAYS} days.",
            field="lock_days",
        )
    if tracks_days is not None and not 1 <= tracks_days <= MOST_TRACKS_DAYS:
        raise Invalid(
            f"The way cannot be kept for {tracks_days:,} days.",
            help=f"Give 1 to {MOST_TRACKS_DAYS} days.",
            field="tracks_days",
        )
    if max_rows is not None and not LEAST_ROWS <= max_rows <= MOST_ROWS:
        raise Invalid(
            f"A phone cannot be given {max_rows:,} rows at most.",
            help=f"Give {LEAST_ROWS:,} to {MOST_ROWS:,} rows.",
            field="max_rows",
        )
    said: dict[str, Any] = {"lock_days": lock_days}
    if max_rows is not None:
        said["max_rows"] = max_rows
    if tracks_days is not None:
        said["tracks_days"] = tracks_days
    if records_tracks is not None and records_tracks != rules(session).records_tracks:
        said["tracks_since"] = clock.now() if records_tracks else None
    statement = insert(PhoneRules).values(one=True, **said)
    session.execute(statement.on_conflict_do_update(index_elements=["one"], set_=said))
    session.expire_all()
    return rules(session)
