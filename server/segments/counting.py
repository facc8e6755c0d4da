"""Counts segments: how many members today, who came in and who left since the last count."""

from uuid import UUID

from sqlalchemy import Uuid, column, delete, func, insert, literal, select, table, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.kit import clock
from server.kit.errors import WaymarkError
from server.kit.filtering.guard import in_time
from server.kit.settings import settings
from server.segments import queries
from server.segments.models import Segment, SegmentChange, SegmentCount, SegmentMember

MOST_KNOWN = 200_000
"""Of larger segments only the number is kept, not who came and went."""


def count(session: Session, scope: Scope, segment: Segment) -> SegmentCount:
    """Count a segment as its owner sees it, and remember who came in and who left; twice a day changes nothing."""
    day = clock.today(scope.zone or settings().zone)
    session.execute(text("create temporary table if not exists segment_now (row_id uuid primary key) on commit drop"))
    session.execute(text("truncate segment_now"))
    now = SNAPSHOT
    try:
        with session.begin_nested(), in_time(session, segment.filter or "", settings().export_timeout_s):
            found = queries.members(session, scope, segment).order_by(None)
            session.execute(insert(now).from_select(["row_id"], found))
    except WaymarkError as error:
        return store(session, segment, day, trouble=f"{error.message.rstrip('.')}. {error.help}".strip())
    total = session.scalar(select(func.count()).select_from(now)) or 0
    entered = gone = 0
    if not segment.is_static and total <= MOST_KNOWN:
        entered, gone = compare(session, segment, day)
    return store(session, segment, day, total=total, entered=entered, gone=gone)


SNAPSHOT = table("segment_now", column("row_id", Uuid))
"""The members of this moment."""


def compare(session: Session, segment: Segment, day: object) -> tuple[int, int]:
    """Write down who came in and who left since the last count; of the first count nobody did."""
    first = session.scalar(select(func.count()).where(SegmentCount.segment_id == segment.id)) == 0
    mine = SegmentMember.segment_id == segment.id
    known = select(SegmentMember.row_id).where(mine)
    came = select(SNAPSHOT.c.row_id).where(SNAPSHOT.c.row_id.not_in(known))
    left = known.where(SegmentMember.row_id.not_in(select(SNAPSHOT.c.row_id)))
    moved = 0, 0
    if not first:
        moved = moves(session, segment, day, came, True), moves(session, segment, day, left, False)
    columns = came.add_columns(literal(segment.id).label("segment_id"))
    session.execute(delete(SegmentMember).where(mine, SegmentMember.row_id.not_in(select(SNAPSHOT.c.row_id))))
    session.execute(insert(SegmentMember).from_select(["row_id", "segment_id"], columns))
    return moved


def moves(session: Session, segment: Segment, day: object, found: object, entered: bool) -> int:
    """Write down some moves of a day; returns how many."""
    rows = list(session.scalars(found))  # type: ignore[call-overload]
    if rows:
        values = [{"segment_id": segment.id, "day": day, "row_id": one, "entered": entered} for one in rows]
        statement = upsert(SegmentChange).values(values)
        keys = ["segment_id", "day", "row_id"]
        session.execute(statement.on_conflict_do_update(index_elements=keys, set_={"entered": entered}))
    return len(rows)


def store(
    session: Session,
    segment: Segment,
    day: object,
    *,
    total: int = 0,
    entered: int = 0,
    gone: int = 0,
    trouble: str | None = None,
) -> SegmentCount:
    """Write the number of a day; the moves of one day add up."""
    statement = upsert(SegmentCount).values(
        segment_id=segment.id, day=day, count=total, entered=entered, gone=gone, trouble=trouble
    )
    statement = statement.on_conflict_do_update(
        index_elements=["segment_id", "day"],
        set_={
            "count": total,
            "trouble": trouble,
            "entered": SegmentCount.entered + entered,
            "gone": SegmentCount.gone + gone,
        },
    )
    session.execute(statement)
    return session.scalars(
        select(SegmentCount)
        .where(SegmentCount.segment_id == segment.id, SegmentCount.day == day)
        .execution_options(populate_existing=True)
    ).one()


def living(session: Session) -> list[UUID]:
    """All segments, for the night."""
    return list(session.scalars(select(Segment.id).where(Segment.deleted_at.is_(None)).order_by(Segment.id)))


def count_one(session: Session, segment_id: UUID) -> None:
    """Count one segment for its owner; one that was deleted meanwhile is passed over."""
    segment = session.get(Segment, segment_id)
    if segment is None or segment.deleted_at is not None:
        return
    owner = session.get_one(User, segment.owner_id)
    count(session, scope_of(session, owner, source="job"), segment)
