"""Segments: their list, one with its numbers and moves, saved views, and the words of the filter editor."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.auth.models import User
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.filtering import catalogue
from server.segments import counting, queries, service, words
from server.segments.models import SavedView, Segment, SegmentCount, Sharing
from server.segments.schemas import FilterRead, FilterText
from server.web.forms import Sent, read, text
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/segments", include_in_schema=False)

ReadSegments = Annotated[Scope, requires("segments:read")]
WriteSegments = Annotated[Scope, requires("segments:write")]
WIDE, HIGH = 640, 160
SHOWN = 100


@router.get("")
def show_segments(
    request: Request,
    scope: ReadSegments,
    session: Db,
    filter: Annotated[str | None, Query(max_length=4000)] = None,
    subject: Annotated[str, Query(max_length=40)] = "account",
) -> Response:
    """The segments that somebody may use; with a filter the form of a new one stands open."""
    values = {"filter": filter or "", "name": "", "subject": subject}
    return list_page(request, scope, session, values, is_open=filter is not None)


def list_page(
    request: Request,
    scope: Scope,
    session: Session,
    values: dict[str, Any],
    *,
    is_open: bool = False,
    error: WaymarkError | None = None,
) -> Response:
    """The list, with the form of a new segment as it was refused."""
    return render(
        request,
        "segments/list.html",
        scope,
        status=int(error.status) if error else 200,
        rows=queries.listed(session, scope),
        subjects=[one for one in catalogue().subjects.values() if scope.may(one.permission)],
        sharing=[(one.value, one.value) for one in Sharing],
        values=dict.fromkeys(("name", "filter", "note", "sharing")) | values,
        is_open=is_open,
        error=error,
    )


@router.post("")
def create(request: Request, scope: WriteSegments, session: Db, sent: Sent) -> Response:
    """Save a filter as a segment."""
    values = {name: text(sent, name) for name in ("name", "filter", "sharing", "note", "subject")}
    try:
        with attempt(session):
            segment = service.create(
                session,
                scope,
                subject=values["subject"] or "account",
                name=values["name"] or "",
                filter=values["filter"],
                is_static="is_static" in sent,
                sharing=values["sharing"] or Sharing.PRIVATE,
                note=values["note"],
            )
    except WaymarkError as error:
        return list_page(request, scope, session, values, is_open=True, error=error)
    return go(f"/segments/{segment.id}")


@router.get("/words/{subject}")
def read_words(request: Request, subject: str, scope: ReadSegments, session: Db) -> Response:
    """What a kind of object can be asked, with labels in the person's language: for the filter editor."""
    found, t = words.words(session, scope, subject), language_of(request, scope).t
    for one in (*found.fields, *found.aggregates):
        one.label, one.group = t(one.label), t(one.group) if one.group else ""
    choices = {choice: t(choice) for one in found.fields for choice in one.choices}
    return JSONResponse(found.model_dump() | {"choices": choices}, headers={"Cache-Control": "no-store"})


@router.post("/words")
def read_filter(request: Request, body: FilterText, scope: ReadSegments, session: Db) -> FilterRead:
    """A filter as chips, or where it is wrong in the person's language: for the filter editor."""
    found, said = words.read(session, scope, body), language_of(request, scope).said
    return found.model_copy(update={"error": said(found.error) or None, "help": said(found.help) or None})


@router.get("/views")
def show_views(request: Request, scope: ReadSegments, session: Db, of_map: bool = False) -> Response:
    """A fragment: the saved views of the accounts' list, or of the map."""
    return render(request, "segments/views.html", scope, views=linked_views(session, scope, of_map=of_map))


@dataclass(frozen=True)
class LinkedView:
    """A saved view with the page that shows it."""

    view: SavedView
    path: str
    by: str
    """Who owns it."""


def linked_views(session: Session, scope: Scope, *, of_map: bool = False) -> list[LinkedView]:
    """The saved views of the accounts' list, or of the map, one's own first."""
    found = queries.views(session, scope, "account", of_map=of_map)
    others = {one.owner_id for one in found if one.owner_id != scope.user_id}
    names = (
        dict(session.execute(select(User.id, User.name).where(User.id.in_(others))).tuples().all()) if others else {}
    )
    return [
        LinkedView(one, map_path(one) if of_map else view_path("/accounts", one), names.get(one.owner_id, ""))
        for one in found
    ]


def map_path(view: SavedView) -> str:
    """The map as a view shows it."""
    rest, _, at = (view.map or "").partition("#")
    kept = dict(parse_qsl(rest)) | {"filter": view.filter or ""}
    return f"/?{urlencode({name: value for name, value in kept.items() if value})}{'#' + at if at else ''}"


def view_path(path: str, view: Any) -> str:
    """The list as a view shows it."""
    kept = {"filter": view.filter, "sort": view.sort, "columns": " ".join(view.columns), "view": str(view.id)}
    return f"{path}?{urlencode({name: value for name, value in kept.items() if value})}"


@dataclass(frozen=True)
class Graph:
    """Counts as a line; coordinates of an SVG."""

    line: str
    points: list[tuple[float, float, SegmentCount]]
    top: int


def graph_of(counts: list[SegmentCount]) -> Graph:
    """The line of some counts, days to scale, from zero."""
    known = [one for one in counts if one.trouble is None]
    if not known:
        return Graph("", [], 0)
    top = max(1, *(one.count for one in known))
    first, days = known[0].day, max(1, (known[-1].day - known[0].day).days)
    points = [
        (
            round(8 + (WIDE - 16) * (one.day - first).days / days, 1),
            round(HIGH - 8 - (HIGH - 24) * one.count / top, 1),
            one,
        )
        for one in known
    ]
    return Graph(" ".join(f"{x},{y}" for x, y, _ in points), points, top)


@router.get("/{segment_id}")
def show_segment(request: Request, segment_id: UUID, scope: ReadSegments, session: Db) -> Response:
    """One segment: its filter, how many, since when, who came in and who left."""
    return detail_page(request, scope, session, queries.find(session, scope, segment_id))


def detail_page(
    request: Request, scope: Scope, session: Session, segment: Segment, error: WaymarkError | None = None
) -> Response:
    """A segment, with what was refused."""
    subject = queries.subject_of(segment.subject)
    seen, trouble, rows = 0, None, []
    try:
        with attempt(session):
            found = queries.members(session, scope, segment).order_by(None)
            seen = session.scalar(select(func.count()).select_from(found.subquery())) or 0
            rows = list(session.execute(found.add_columns(subject.title).order_by(subject.title).limit(SHOWN)))
    except WaymarkError as refused:
        trouble = refused
    counts = queries.history(session, segment)
    owner = session.get_one(User, segment.owner_id)
    may_edit = session.scalar(queries.editable_by(scope).where(Segment.id == segment.id)) is not None
    return render(
        request,
        "segments/detail.html",
        scope,
        status=int(error.status) if error else 200,
        segment=segment,
        subject=subject,
        owner=owner,
        seen=seen,
        rows=rows,
        more=max(0, seen - SHOWN),
        trouble=trouble,
        counts=counts,
        graph=graph_of(counts),
        wide=WIDE,
        high=HIGH,
        moved=queries.changes(session, scope, segment),
        may_edit=may_edit,
        sharing=[(one.value, one.value) for one in Sharing],
        query=urlencode({"filter": f'in segment "{segment.name}"'}),
        error=error,
    )


@router.post("/{segment_id}")
def edit(
    request: Request, segment_id: UUID, scope: WriteSegments, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change a segment that was seen at a revision."""
    changes = {name: text(sent, name) for name in service.EDITABLE if name in sent}
    try:
        with attempt(session):
            service.edit(session, scope, segment_id, rev, changes)
    except NotFound:
        raise
    except WaymarkError as error:
        return detail_page(request, scope, session, queries.find(session, scope, segment_id), error)
    return go(f"/segments/{segment_id}")


@router.post("/{segment_id}/count")
def count_now(segment_id: UUID, scope: ReadSegments, session: Db) -> Response:
    """Count now instead of at night."""
    counting.count_one(session, queries.find(session, scope, segment_id).id)
    return go(f"/segments/{segment_id}")


@router.post("/{segment_id}/freeze")
def freeze(
    request: Request, segment_id: UUID, scope: WriteSegments, session: Db, name: Annotated[str, Form()]
) -> Response:
    """A static copy."""
    try:
        with attempt(session):
            copy = service.freeze(session, scope, segment_id, name)
    except NotFound:
        raise
    except WaymarkError as error:
        return detail_page(request, scope, session, queries.find(session, scope, segment_id), error)
    return go(f"/segments/{copy.id}")


@router.post("/{segment_id}/members")
def change_members(request: Request, segment_id: UUID, scope: WriteSegments, session: Db, sent: Sent) -> Response:
    """Take one member out of a static segment, or put in what a filter finds."""
    segment = queries.find(session, scope, segment_id, to_change=True)
    try:
        with attempt(session):
            add = []
            if filter := text(sent, "filter"):
                add = list(session.scalars(service.filtered(session, scope, segment.subject, filter)))
            remove = [gone] if (gone := read(sent, "remove", UUID)) else []
            service.change_members(session, scope, segment, add=add, remove=remove)
            counting.count_one(session, segment.id)
    except WaymarkError as error:
        return detail_page(request, scope, session, segment, error)
    return go(f"/segments/{segment_id}")


@router.post("/{segment_id}/delete")
def delete(
    request: Request, segment_id: UUID, scope: WriteSegments, session: Db, rev: Annotated[int, Form()]
) -> Response:
    """Take a segment away, unless something uses it."""
    try:
        with attempt(session):
            service.delete(session, scope, segment_id, rev)
    except NotFound:
        raise
    except WaymarkError as error:
        return detail_page(request, scope, session, queries.find(session, scope, segment_id), error)
    return go("/segments")
