"""JSON API of segments, saved views and the filter language."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import func, select

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.etags import BaseRevision, KnownRevision, tag
from server.kit.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from server.segments import counting, queries, service, views, words
from server.segments.schemas import (
    ChangeRead,
    CountRead,
    FilterRead,
    FilterText,
    FreezeWrite,
    MembersWrite,
    SegmentCreate,
    SegmentEdit,
    SegmentRead,
    ViewRead,
    ViewWrite,
    WordsRead,
)

router = APIRouter(prefix="/api/v1", tags=["segments"])

ReadSegments = Annotated[Scope, requires("segments:read")]
WriteSegments = Annotated[Scope, requires("segments:write")]


@router.get("/segments")
def list_segments(scope: ReadSegments, session: Db, subject: str | None = None) -> Page[SegmentRead]:
    """The segments that you may use."""
    return Page(items=[SegmentRead.of_row(row) for row in queries.listed(session, scope, subject)])


@router.post("/segments", status_code=201)
def create(body: SegmentCreate, scope: WriteSegments, session: Db, response: Response) -> SegmentRead:
    """Save a filter as a segment."""
    segment = service.create(session, scope, **body.model_dump())
    tag(response, segment.rev)
    return SegmentRead.of(segment)


@router.get("/segments/{segment_id}")
def read_segment(segment_id: UUID, scope: ReadSegments, session: Db, response: Response) -> SegmentRead:
    """One segment with its latest count."""
    segment = queries.find(session, scope, segment_id)
    tag(response, segment.rev)
    counts = queries.history(session, segment, limit=1)
    return SegmentRead.of(segment, counted=counts[-1] if counts else None)


@router.patch("/segments/{segment_id}")
def edit(
    segment_id: UUID, body: SegmentEdit, base: BaseRevision, scope: WriteSegments, session: Db, response: Response
) -> SegmentRead:
    """Change a segment; what others changed meanwhile is merged."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True, mode="json")
    segment = service.edit(session, scope, segment_id, base, changes)
    tag(response, segment.rev)
    return SegmentRead.of(segment)


@router.delete("/segments/{segment_id}", status_code=204)
def delete(segment_id: UUID, base: BaseRevision, scope: WriteSegments, session: Db) -> Response:
    """Take a segment away; refused while something uses it."""
    service.delete(session, scope, segment_id, base)
    return Response(status_code=204)


@router.get("/segments/{segment_id}/members")
def list_members(
    segment_id: UUID, scope: ReadSegments, session: Db, cursor: Cursor = None, limit: Limit = 100
) -> Page[UUID]:
    """The members that you may see, by id."""
    found = queries.members(session, scope, queries.find(session, scope, segment_id)).order_by(None).subquery()
    statement = select(found.c[0]).order_by(found.c[0])
    after = decode_cursor(cursor, 1)
    if after is not None:
        statement = statement.where(found.c[0] > UUID(str(after[0])))
    ids = list(session.scalars(statement.limit(limit + 1)))
    total = session.scalar(select(func.count()).select_from(found))
    return Page(items=ids[:limit], next_cursor=encode_cursor(ids[limit - 1 : limit]) if len(ids) > limit else None,
                total=total)  # fmt: skip


@router.post("/segments/{segment_id}/members")
def change_members(segment_id: UUID, body: MembersWrite, scope: WriteSegments, session: Db) -> CountRead:
    """Put objects into a static segment, take others out."""
    segment = queries.find(session, scope, segment_id, to_change=True)
    service.change_members(session, scope, segment, add=body.add, remove=body.remove)
    return CountRead.of(counting.count(session, scope, segment))


@router.post("/segments/{segment_id}/freeze", status_code=201)
def freeze(segment_id: UUID, body: FreezeWrite, scope: WriteSegments, session: Db) -> SegmentRead:
    """A static copy with the members of this moment."""
    return SegmentRead.of(service.freeze(session, scope, segment_id, body.name))


@router.get("/segments/{segment_id}/history")
def read_history(segment_id: UUID, scope: ReadSegments, session: Db) -> Page[CountRead]:
    """The counts of the segment, the oldest first."""
    segment = queries.find(session, scope, segment_id)
    return Page(items=[CountRead.of(one) for one in queries.history(session, segment)])


@router.get("/segments/{segment_id}/changes")
def read_changes(segment_id: UUID, scope: ReadSegments, session: Db, limit: Limit = 100) -> Page[ChangeRead]:
    """Who came in and who left, the latest first."""
    segment = queries.find(session, scope, segment_id)
    return Page(items=[ChangeRead.of(one) for one in queries.changes(session, scope, segment, limit=limit)])


@router.get("/views")
def list_views(scope: ReadSegments, session: Db, subject: str = "account", of_map: bool = False) -> Page[ViewRead]:
    """The saved views of a list, or of its map."""
    return Page(items=[ViewRead.of(view) for view in queries.views(session, scope, subject, of_map=of_map)])


@router.put("/views")
def save_view(
    body: ViewWrite, scope: WriteSegments, session: Db, response: Response, base: KnownRevision = None
) -> ViewRead:
    """Save a view; one of the same name of yours is replaced, with If-Match only as you read it."""
    view = views.save(session, scope, body, base)
    tag(response, view.rev)
    return ViewRead.of(view)


@router.delete("/views/{view_id}", status_code=204)
def delete_view(view_id: UUID, scope: WriteSegments, session: Db) -> Response:
    """Take a view of yours away."""
    views.delete(session, scope, view_id)
    return Response(status_code=204)


@router.post("/views/{view_id}/restore")
def restore_view(view_id: UUID, scope: WriteSegments, session: Db) -> ViewRead:
    """Bring a view of yours back that was taken away."""
    return ViewRead.of(views.restore(session, scope, view_id))


@router.get("/filters/{subject}")
def read_words(subject: str, scope: ReadSegments, session: Db) -> WordsRead:
    """What a kind of object can be asked: fields, operators, sums of related rows."""
    return words.words(session, scope, subject)


@router.post("/filters")
def read_filter(body: FilterText, scope: ReadSegments, session: Db) -> FilterRead:
    """A filter in its canonical form and as chips, or where it is wrong. Stores nothing."""
    return words.read(session, scope, body)


@router.get("/filters/{subject}/values")
def read_values(
    subject: str,
    scope: ReadSegments,
    session: Db,
    field: Annotated[str, Query(max_length=80)],
    q: Annotated[str, Query(max_length=80)] = "",
) -> list[str]:
    """Values of a field that begin with a text."""
    return words.values(session, scope, subject, field, q)
