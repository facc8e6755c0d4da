"""Reads of visits. What of a visit somebody sees follows from the account it belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, any_, func, literal, select, text
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.activities.models import Visit, VisitEvent, VisitState
from server.auth.access import Scope
from server.auth.models import User


def visible_to(scope: Scope, *, few: bool = False) -> Select[Visit]:
    """The visits that somebody may see: their own, and those at accounts they may see."""
    mine = Visit.rep_id == scope.user_id
    seen = accounts.own_or_reached(Visit.id, Visit.account_id, scope, "accounts:read", mine, few=few)
    return select(Visit).where(Visit.deleted_at.is_(None), seen)


@dataclass(frozen=True)
class VisitRow:
    """A visit with the names a list shows."""

    visit: Visit
    account_name: str
    rep_name: str
    street: str | None
    city: str | None


def rows(session: Session, statement: Select[Visit], *, limit: int = 500) -> list[VisitRow]:
    """Visits with the names of account, rep and place."""
    chosen = statement.with_only_columns(Visit.id).order_by(None).subquery()
    named = (
        select(Visit, Account.name, User.name, Site.street, Site.city)
        .join(chosen, chosen.c.id == Visit.id)
        .join(Account, Account.id == Visit.account_id)
        .join(User, User.id == Visit.rep_id)
        .outerjoin(Site, Site.id == Visit.site_id)
        .order_by(Visit.day.desc(), Visit.planned_start_at.nulls_last(), Visit.id)
        .limit(limit)
    )
    return [VisitRow(*row) for row in session.execute(named)]


def between(scope: Scope, first: date, last: date, *, rep_id: UUID | None = None) -> Select[Visit]:
    """The visits of some days, by rep if asked for."""
    statement = visible_to(scope).where(Visit.day.between(first, last))
    return statement.where(Visit.rep_id == rep_id) if rep_id else statement


def of_accounts(scope: Scope, account_ids: Iterable[UUID]) -> Select[Visit]:
    """The visits at some accounts."""
    return visible_to(scope, few=True).where(Visit.account_id.in_(list(account_ids)))


def events_of(session: Session, visit_ids: Sequence[UUID]) -> list[VisitEvent]:
    """The facts about some visits in the order in which they happened."""
    statement = select(VisitEvent).where(VisitEvent.visit_id.in_(visit_ids))
    return list(session.scalars(statement.order_by(VisitEvent.occurred_at, VisitEvent.recorded_at)))


OLD_BOX = (1000, 400)
"""The sheet of signatures that do not name theirs: those of older phones, whose y grows upwards."""


@dataclass(frozen=True)
class Signature:
    """A signature as it is drawn: the strokes (x, y, x, y, ...) from the top left of a sheet."""

    name: str
    width: int
    height: int
    strokes: Sequence[Sequence[int]]


def signature_of(session: Session, visit_id: UUID) -> Signature | None:
    """Who signed last at a visit that the caller has checked, and how."""
    signed = select(VisitEvent.signature).where(VisitEvent.visit_id == visit_id, VisitEvent.signature.is_not(None))
    kept = session.scalar(signed.order_by(VisitEvent.recorded_at.desc()).limit(1))
    if kept is None:
        return None
    width, height = kept.get("box") or OLD_BOX
    strokes = kept["strokes"]
    if "box" not in kept:
        strokes = [[height - v if i % 2 else v for i, v in enumerate(stroke)] for stroke in strokes]
    return Signature(kept["name"], width, height, strokes)


def appointments(session: Session, rep_ids: Iterable[UUID], first: date, last: date) -> list[Visit]:
    """Promised visits of some reps and days that have not begun: the planner must keep them."""
    statement = select(Visit).where(
        Visit.rep_id.in_(list(rep_ids)),
        Visit.day.between(first, last),
        Visit.state == VisitState.PLANNED,
        Visit.appointment.is_not(None),
        Visit.deleted_at.is_(None),
    )
    return list(session.scalars(statement.order_by(Visit.day, Visit.planned_start_at, Visit.id)))


@dataclass(frozen=True)
class Incoming:
    """A visit report that has just arrived."""

    visit_id: UUID
    account_id: UUID
    account_name: str
    rep_name: str
    state: str
    outcome: str | None
    verification: str | None
    distance_m: float | None
    lon: float | None
    lat: float | None
    occurred_at: datetime
    recorded_at: datetime
    flags: list[str]
    checked_in: bool
    """Whether somebody checked in at the visit."""


INCOMING = text(
    """
    select e.visit_id, v.account_id, a.name, u.name, e.state, e.outcome, e.verification, e.distance_m,
           st_x(coalesce(s.pin, e.checkin)), st_y(coalesce(s.pin, e.checkin)), e.occurred_at, e.recorded_at, e.flags,
           v.checked_in_at is not null
    from visit_event e
    join visit v on v.id = e.visit_id
    join account a on a.id = v.account_id
    join app_user u on u.id = v.rep_id
    left join site s on s.id = v.site_id
    where v.id = any(:visits)
    order by e.recorded_at desc
    limit :limit
    """
)


@dataclass(frozen=True)
class CheckIn:
    """Where a rep checked in on a day."""

    rep_id: UUID
    rep_name: str
    account_id: UUID
    account_name: str
    at: datetime
    zone: str
    lon: float
    lat: float


def tracks(session: Session, scope: Scope, day: date, *, limit: int = 5000) -> list[CheckIn]:
    """Where reps checked in on a day, by rep and time: the way as it really went. A check-in without a position counts
    at its site; a visit without a check-in says nothing about the way.
    """
    at, where = Visit.checked_in_at, func.coalesce(Visit.checkin, Site.pin)
    statement = (
        between(scope, day, day)
        .join(User, User.id == Visit.rep_id)
        .join(Account, Account.id == Visit.account_id)
        .outerjoin(Site, Site.id == Visit.site_id)
        .where(at.is_not(None), where.is_not(None))
        .with_only_columns(
            Visit.rep_id, User.name, Account.id, Account.name, at, Visit.zone, func.ST_X(where), func.ST_Y(where),
        )
        .order_by(None)
        .order_by(User.name, Visit.rep_id, at, Visit.id)
        .limit(limit)
    )  # fmt: skip
    return [CheckIn(*row) for row in session.execute(statement)]


def incoming(session: Session, scope: Scope, day: date, *, limit: int = 100) -> list[Incoming]:
    """The reports about a day's visits, the latest arrival first."""
    visits = list(session.scalars(visible_to(scope).where(Visit.day == day).with_only_columns(Visit.id)))
    return [Incoming(*row) for row in session.execute(INCOMING, {"visits": visits, "limit": limit})]


@dataclass(frozen=True)
class AtBinned:
    """A visit that was reported at an account when that lay in the bin already: nothing else shows it there."""

    account_id: UUID
    day: date
    rep_name: str
    state: str
    outcome: str | None
    note: str | None


def at_binned(scope: Scope) -> Select[Visit]:
    """What came in about accounts in the bin since they were deleted, for those who may bring them back."""
    came = select(VisitEvent.id).where(VisitEvent.visit_id == Visit.id, VisitEvent.recorded_at > Account.deleted_at)
    return (
        select(Visit)
        .join(Account, Account.id == Visit.account_id)
        .where(Account.deleted_at.is_not(None), accounts.within_reach(scope, "accounts:delete"))
        .where(Visit.deleted_at.is_(None), literal("account_deleted") == any_(Visit.flags), came.exists())
    )


def reported_since(session: Session, scope: Scope, account_ids: Iterable[UUID]) -> list[AtBinned]:
    """These of some accounts, the latest day first."""
    told = (Visit.account_id, Visit.day, User.name, Visit.state, Visit.outcome, Visit.note)
    statement = (
        at_binned(scope)
        .join(User, User.id == Visit.rep_id)
        .where(Visit.account_id.in_(list(account_ids)))
        .with_only_columns(*told)
        .order_by(Visit.day.desc(), Visit.id)
        .limit(500)
    )
    return [AtBinned(*row) for row in session.execute(statement)]
