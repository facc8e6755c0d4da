"""Reads of segments and views. Their members are always cut by the reader's own rights."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CollectionAggregate,
    ColumnElement,
    Select,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from server.accounts.around import no_such
from server.auth.access import Scope
from server.auth.models import TeamMember, User
from server.auth.roles import Level
from server.kit.errors import Invalid, NotFound
from server.kit.filtering import FilterError, Subject, Vocabulary, catalogue, compile_filter, parse
from server.kit.filtering.nodes import Within
from server.records.binned import binned
from server.segments.models import SavedView, Segment, SegmentChange, SegmentCount, SegmentMember, Sharing


def subject_of(name: str) -> Subject:
    """A kind of object; refuses one that has no segments."""
    found = catalogue().subjects.get(name)
    if found is None:
        known = ", ".join(catalogue().subjects)
        raise Invalid(f"There are no segments of “{name}”.", help=f"One of: {known}.", field="subject")
    return found


def shared_with(scope: Scope, table: type[Segment] | type[SavedView]) -> ColumnElement[bool]:
    """One's own, those shared with everybody, and those that a colleague of one's teams shares."""
    return shared(table, literal(scope.user_id), any_(literal(list(scope.team_ids), ARRAY(Uuid))))


def shared(
    table: type[Segment] | type[SavedView], me: ColumnElement[UUID], teams: CollectionAggregate[bool]
) -> ColumnElement[bool]:
    """The same of somebody and their teams."""
    mates = select(TeamMember.user_id).where(TeamMember.team_id == teams)
    return or_(
        table.owner_id == me,
        table.sharing == Sharing.ALL,
        (table.sharing == Sharing.TEAM) & table.owner_id.in_(mates),
    )


def visible_to(scope: Scope, *, is_deleted: bool = False) -> Select[Segment]:
    """The segments that somebody may use: of kinds that they may read, their own and shared ones; or deleted ones."""
    kinds = [one.name for one in catalogue().subjects.values() if scope.may(one.permission)]
    there = Segment.deleted_at.is_not(None) if is_deleted else Segment.deleted_at.is_(None)
    statement = select(Segment).where(there, Segment.subject.in_(kinds))
    return statement.where(shared_with(scope, Segment))


def in_bin(scope: Scope) -> Select[Any]:
    """Deleted segments that somebody may bring back, for the bin."""
    rows = editable_by(scope, is_deleted=True).subquery()
    return select(*binned(entity="segment", id=rows.c.id, title=rows.c.name, deleted_at=rows.c.deleted_at))


def editable_by(scope: Scope, *, is_deleted: bool = False) -> Select[Segment]:
    """The segments that somebody may change: their own; with the right over all, every shared one."""
    if not scope.may("segments:write"):
        return select(Segment).where(Segment.id.is_(None))
    statement = visible_to(scope, is_deleted=is_deleted)
    return (
        statement if scope.level("segments:write") >= Level.ALL else statement.where(Segment.owner_id == scope.user_id)
    )


def find(session: Session, scope: Scope, segment_id: UUID, *, to_change: bool = False) -> Segment:
    """The segment of that id; for a stranger's there is none."""
    statement = editable_by(scope).with_for_update() if to_change else visible_to(scope)
    segment = session.scalars(statement.where(Segment.id == segment_id)).one_or_none()
    if segment is None:
        raise NotFound("There is no such segment.", help="Or you may not change it." if to_change else "")
    return segment


def members_condition(session: Session, scope: Scope, subject: str, within: Within) -> ColumnElement[bool]:
    """`in segment "X"` of a filter: whether an object is a member of a segment that the reader may use."""
    usable = visible_to(scope).where(Segment.subject == subject)
    segment = session.scalars(usable.where(func.lower(Segment.name) == within.name.strip().lower())).one_or_none()
    if segment is None:
        names = list(session.scalars(usable.with_only_columns(Segment.name)))
        raise no_such(f"there is no segment “{within.name}”", within.name, names, within.position)
    return condition(session, scope, segment)


def condition(session: Session, scope: Scope, segment: Segment, above: tuple[UUID, ...] = ()) -> ColumnElement[bool]:
    """Whether an object is a member; a segment inside a segment counts, whoever owns it."""
    subject = subject_of(segment.subject)
    if segment.is_static:
        listed = select(SegmentMember.row_id).where(SegmentMember.segment_id == segment.id)
        return subject.key.in_(listed)  # type: ignore[no-any-return]
    chain = (*above, segment.id)

    def inner(within: Within) -> ColumnElement[bool]:
        below = named(session, segment.subject, within.name)
        if below is None:
            raise FilterError(f"segment “{segment.name}” uses “{within.name}”, which is gone", within.position)
        if below.id in chain:
            raise FilterError(f"segment “{below.name}” would contain itself", within.position)
        return condition(session, scope, below, chain)

    words: Vocabulary = replace(subject.language(session, scope), segment=inner)
    return compile_filter(parse(segment.filter or ""), words)


def named(session: Session, subject: str, name: str) -> Segment | None:
    """The segment of a name, whoever owns it."""
    wanted = func.lower(Segment.name) == name.strip().lower()
    return session.scalars(
        select(Segment).where(Segment.deleted_at.is_(None), Segment.subject == subject, wanted)
    ).one_or_none()


def members(session: Session, scope: Scope, segment: Segment) -> Select[Any]:
    """The ids of the members that a reader may see."""
    subject = subject_of(segment.subject)
    statement = subject.visible(scope).where(condition(session, scope, segment))
    return statement.with_only_columns(subject.key)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class SegmentRow:
    """A segment with what a list shows beside it."""

    segment: Segment
    owner_name: str
    counted: SegmentCount | None
    """The latest count, as its owner sees it."""


def listed(session: Session, scope: Scope, subject: str | None = None) -> list[SegmentRow]:
    """All segments that somebody may use, by name."""
    latest = (
        select(SegmentCount.segment_id, func.max(SegmentCount.day).label("day"))
        .group_by(SegmentCount.segment_id)
        .subquery()
    )
    statement = visible_to(scope).join(User, User.id == Segment.owner_id)
    statement = statement.outerjoin(latest, latest.c.segment_id == Segment.id)
    same = (SegmentCount.segment_id == latest.c.segment_id) & (SegmentCount.day == latest.c.day)
    statement = statement.outerjoin(SegmentCount, same)
    if subject:
        statement = statement.where(Segment.subject == subject)
    rows = session.execute(
        statement.with_only_columns(Segment, User.name, SegmentCount).order_by(func.lower(Segment.name)).limit(500)
    )
    return [SegmentRow(*row) for row in rows]


def history(session: Session, segment: Segment, *, limit: int = 400) -> list[SegmentCount]:
    """The counts of a segment, the oldest first."""
    rows = session.scalars(
        select(SegmentCount).where(SegmentCount.segment_id == segment.id).order_by(SegmentCount.day.desc()).limit(limit)
    )
    return list(rows)[::-1]


@dataclass(frozen=True)
class Moved:
    """An object that came in or left, as far as the reader may see it."""

    row_id: UUID
    name: str
    day: date
    entered: bool


def changes(session: Session, scope: Scope, segment: Segment, *, limit: int = 100) -> list[Moved]:
    """Who came in and who left, the latest first."""
    subject = subject_of(segment.subject)
    rows = session.execute(
        subject.visible(scope)
        .join(SegmentChange, SegmentChange.row_id == subject.key)
        .where(SegmentChange.segment_id == segment.id)
        .with_only_columns(subject.key, subject.title, SegmentChange.day, SegmentChange.entered)
        .order_by(SegmentChange.day.desc(), SegmentChange.entered.desc(), subject.title, subject.key)
        .limit(limit)
    )
    return [Moved(*row) for row in rows]


def views(session: Session, scope: Scope, subject: str, *, of_map: bool = False) -> list[SavedView]:
    """The saved views of a list or of its map, one's own first."""
    values = {"subject": subject, "of_map": of_map, "me": scope.user_id, "teams": list(scope.team_ids)}
    return list(session.scalars(VIEWS, values))


ME = bindparam("me", type_=Uuid())
VIEWS = (
    select(SavedView)
    .where(
        SavedView.deleted_at.is_(None),
        SavedView.subject == bindparam("subject"),
        SavedView.map.is_not(None) == bindparam("of_map", type_=Boolean()),
        shared(SavedView, ME, any_(bindparam("teams", type_=ARRAY(Uuid)))),
    )
    .order_by((SavedView.owner_id == ME).desc(), SavedView.name)
)
