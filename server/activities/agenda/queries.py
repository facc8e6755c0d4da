"""Reads of calls, meetings, tasks and mails. Who sees one follows from its people and its account."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Select, Uuid, and_, cast, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.around import Around
from server.accounts.models import Account, Site
from server.accounts.reaching import Reaching
from server.accounts.spots import through
from server.activities.agenda import recurrence
from server.activities.agenda.fields import fields
from server.activities.agenda.models import Activity, Kind, State
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.auth.roles import Level
from server.kit.errors import NotFound
from server.kit.filtering import Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import answers_in_time
from server.kit.paging import decode_cursor, encode_cursor
from server.records.happenings import happening

OTHERS_SEE_BUSY = or_(Activity.is_private, and_(Activity.uid.is_not(None), Activity.account_id.is_(None)))
"""Private, or from somebody's own calendar and of no account."""


def visible_to(scope: Scope, permission: str = "activities:read") -> Select[Activity]:
    """What a permission of somebody reaches: their own, what stands at accounts they reach, and what people of theirs
    do without an account. Private ones are their people's alone.
    """
    mine = Activity.owner_id == scope.user_id, Activity.participant_ids.contains([scope.user_id])
    if not scope.may(permission):
        return select(Activity).where(Activity.id.is_(None))
    statement = select(Activity).where(Activity.deleted_at.is_(None), or_(*mine, not_(OTHERS_SEE_BUSY)))
    if scope.level(permission) >= Level.ALL:
        return statement
    people = visible_users(scope.user_id, scope.team_ids, scope.level(permission)).with_only_columns(User.id)
    theirs = and_(Activity.account_id.is_(None), Activity.owner_id.in_(people.order_by(None)))
    return statement.where(accounts.own_or_reached(Activity.id, Activity.account_id, scope, permission, *mine, theirs))


def visible_tasks(scope: Scope) -> Select[Activity]:
    """The tasks that somebody may see."""
    return visible_to(scope).where(Activity.kind == Kind.TASK)


def find(session: Session, scope: Scope, activity_id: UUID, permission: str = "activities:read") -> Activity:
    """The activity of that id; for a stranger's there is none."""
    row = session.scalars(visible_to(scope, permission).where(Activity.id == activity_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such activity.")
    return row


@dataclass(frozen=True)
class Row:
    """An activity with the names that lists show."""

    activity: Activity
    account_name: str | None
    owner_name: str
    site_name: str | None
    starts_at: datetime | None
    """Of this repeat."""
    ends_at: datetime | None

    @property
    def is_repeat(self) -> bool:
        """Whether it stands for one of several."""
        return self.activity.rrule is not None


def named(session: Session, found: Sequence[Activity]) -> list[Row]:
    """Activities with names, in the order given."""
    address = func.concat_ws(", ", Site.street, Site.city)
    statement = (
        select(Activity.id, Account.name, User.name, func.coalesce(func.nullif(address, ""), Site.name))
        .join(User, User.id == Activity.owner_id)
        .outerjoin(Account, Account.id == Activity.account_id)
        .outerjoin(Site, Site.id == Activity.site_id)
        .where(Activity.id.in_([row.id for row in found]))
    )
    names = {row[0]: (row[1], row[2], row[3]) for row in session.execute(statement)}
    return [
        Row(row, account, owner, site, row.starts_at, row.ends_at)
        for row in found
        for account, owner, site in [names[row.id]]
    ]


@dataclass(frozen=True)
class Listing:
    """One page of a list."""

    rows: list[Row]
    next_cursor: str | None


def language(session: Session, scope: Scope) -> Vocabulary:
    """What activities can be asked by somebody."""
    spots = through(Activity.account_id, Activity.site_id)
    around = Around(session, accounts.visible_to(scope), Reaching(session, spots))
    return vocabulary(session, scope, "task", fields(), today=accounts.today_of(scope), places=around)


def chosen(
    session: Session,
    scope: Scope,
    *,
    kinds: Sequence[Kind] = (),
    state: State | None = None,
    owner_id: UUID | None = None,
    account_id: UUID | None = None,
    filter: str | None = None,
    permission: str = "activities:read",
) -> Select[Activity]:
    """What a filter leaves of what somebody may see: the same for list, calendar and export."""
    statement = visible_to(scope, permission)
    if kinds:
        statement = statement.where(Activity.kind.in_(kinds))
    if state:
        statement = statement.where(Activity.state == state)
    if owner_id:
        statement = statement.where(Activity.owner_id == owner_id)
    if account_id:
        statement = statement.where(Activity.account_id.in_(accounts.family(account_id)))
    if filter and filter.strip():
        statement = statement.where(compile_filter(parse(filter), language(session, scope)))
    return statement


@answers_in_time
def page(
    session: Session, statement: Select[Activity], *, cursor: str | None = None, limit: int = 50, oldest: bool = False
) -> Listing:
    """One page, the latest first or the other way round."""
    order = (Activity.at, Activity.id)
    after = decode_cursor(cursor, 2)
    if after is not None:
        there = tuple_(cast(str(after[0]), DateTime(timezone=True)), cast(str(after[1]), Uuid))
        statement = statement.where(tuple_(*order) > there if oldest else tuple_(*order) < there)
    ordered = statement.order_by(*order) if oldest else statement.order_by(*(one.desc() for one in order))
    found = list(session.scalars(ordered.limit(limit + 1)))
    last = found[limit - 1] if len(found) > limit else None
    return Listing(named(session, found[:limit]), encode_cursor((last.at, last.id)) if last else None)


def of_people(statement: Select[Activity], people: Iterable[UUID]) -> Select[Activity]:
    """Those that these people own or take part in."""
    ids = list(people)
    return statement.where(or_(Activity.owner_id.in_(ids), Activity.participant_ids.overlap(ids)))


def between(session: Session, statement: Select[Activity], first: datetime, last: datetime) -> list[Row]:
    """What stands in a window of the calendar, repeats laid out, the earliest first; what a repeat became by itself
    stands in its place.
    """
    lists = Activity.kind != Kind.MAIL
    once = statement.where(
        lists, Activity.rrule.is_(None), Activity.at < last, func.coalesce(Activity.ends_at, Activity.at) >= first,
        Activity.at >= first - timedelta(days=62),
    )  # fmt: skip
    series = statement.where(
        lists,
        Activity.rrule.is_not(None),
        Activity.at < last,
        or_(Activity.repeats_until.is_(None), Activity.repeats_until >= first),
    )
    rows = named(session, list(session.scalars(once)))
    masters = named(session, list(session.scalars(series)))
    replaced = replacements(session, [row.activity.id for row in masters])
    for row in masters:
        one = row.activity
        assert one.starts_at is not None
        assert one.rrule is not None
        lasts = (one.ends_at or one.starts_at) - one.starts_at
        gone = {*one.exdates, *replaced.get(one.id, ())}
        for at in recurrence.within(one.rrule, one.starts_at, one.zone, (first, last), lasts=lasts, without=gone):
            rows.append(Row(one, row.account_name, row.owner_name, row.site_name, at, at + lasts))
    return sorted(rows, key=lambda row: (row.starts_at or row.activity.at, row.activity.id))


def replacements(session: Session, series: Sequence[UUID]) -> dict[UUID, set[datetime]]:
    """Which repeats of some series were changed by themselves, cancelled or deleted."""
    statement = select(Activity.series_id, Activity.replaces_at).where(Activity.series_id.in_(series))
    found: dict[UUID, set[datetime]] = {}
    for series_id, at in session.execute(statement):
        if series_id is not None and at is not None:
            found.setdefault(series_id, set()).add(at)
    return found


@dataclass(frozen=True)
class Busy:
    """A time at which somebody is not free, and nothing else."""

    user_id: UUID
    starts_at: datetime
    ends_at: datetime


def busy(session: Session, people: Sequence[UUID], first: datetime, last: datetime, me: UUID) -> list[Busy]:
    """When people have something private of which another one sees nothing but the time."""
    hidden = select(Activity).where(
        Activity.deleted_at.is_(None), OTHERS_SEE_BUSY, Activity.state != State.CANCELLED,
        Activity.owner_id.in_(people), Activity.owner_id != me, not_(Activity.participant_ids.contains([me])),
        Activity.starts_at.is_not(None),
    )  # fmt: skip
    rows = between(session, hidden, first, last)
    return [Busy(row.activity.owner_id, row.starts_at, row.ends_at) for row in rows if row.starts_at and row.ends_at]


def happenings(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """Calls, meetings, tasks and mails at some accounts, for the timeline."""
    column = Activity.__table__.c
    statement = select(
        *happening(
            at=column.at,
            kind=column.kind,
            entity="activity",
            id=column.id,
            account_id=column.account_id,
            actor_id=column.owner_id,
            title=column.subject,
            body=column.note,
            facts=func.jsonb_build_object(
                "state",
                Activity.state,
                "outcome",
                Activity.outcome,
                "direction",
                Activity.direction,
                "sender",
                Activity.sender,
                "due_on",
                Activity.due_on,
                "whole_day",
                and_(Activity.starts_at.is_(None), Activity.due_on.is_not(None)),
            ),
        )
    )
    seen = or_(
        not_(Activity.is_private),
        Activity.owner_id == scope.user_id,
        Activity.participant_ids.contains([scope.user_id]),
    )
    return statement.where(Activity.deleted_at.is_(None), Activity.account_id.in_(account_ids), seen)
