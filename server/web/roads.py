"""The page of roads: graphs and how they stand, regions joined, a road server elsewhere, learned drive times."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from routing.roads.factors import Factor
from server.activities.driving import learn_drive_times
from server.auth.access import Scope, requires
from server.jobs import defer
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.regions.queries import region_by_id
from server.roads import jobs, joining, reporting, servers, traffic
from server.web.forms import Sent, given, number
from server.web.forms import text as text_of
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/regions/roads", include_in_schema=False)

WriteRegions = Annotated[Scope, requires("regions:write")]
HOURS = range(5, 21)
"""The hours that are shown; few drive at night."""


@router.get("")
def show_roads(request: Request, scope: WriteRegions, session: Db) -> Response:
    """How the roads stand."""
    return roads_page(request, scope, session)


def roads_page(
    request: Request,
    scope: Scope,
    session: Session,
    error: WaymarkError | None = None,
    tried: str = "",
    values: Mapping[str, str | None] | None = None,
) -> Response:
    """The page, with what was refused beside what was tried."""
    learned = traffic.learned(session)
    return render(
        request,
        "roads/page.html",
        scope,
        status=int(error.status) if error else 200,
        regions=reporting.statuses(session),
        joins=joining.all_joins(session),
        neighbours=joining.neighbours(session),
        kinds=[(kind, servers.setup_of(session, kind.key)) for kind in servers.KINDS.values()],
        learned=[(region, when, week, shown_hours(week)) for region, (when, week) in learned.items()],
        error=error,
        tried=tried,
        values=values or {},
    )


def shown_hours(week: dict[tuple[int, int], Factor]) -> range:
    """The usual hours, and those beside them in which somebody drove."""
    hours = {hour for _day, hour in week} | {HOURS.start, HOURS.stop - 1}
    return range(min(hours), max(hours) + 1)


@router.post("/build/{region_id}")
def build(region_id: UUID, scope: WriteRegions, session: Db) -> Response:
    """Have a region's graph built anew."""
    jobs.ask_for_build(session, region_by_id(session, region_id))
    return go("/regions/roads")


@router.post("/join")
def join(request: Request, scope: WriteRegions, session: Db, sent: Sent) -> Response:
    """Have the roads of some regions joined."""
    try:
        with attempt(session):
            jobs.ask_for_join(session, [str(name) for name in sent.getlist("names")])
    except WaymarkError as error:
        return roads_page(request, scope, session, error, "join")
    return go("/regions/roads#joined")


@router.post("/apart")
def take_apart(request: Request, scope: WriteRegions, session: Db, sent: Sent) -> Response:
    """Forget a joined graph."""
    try:
        with attempt(session):
            joining.take_apart(session, text_of(sent, "key") or "")
    except WaymarkError as error:
        return roads_page(request, scope, session, error, "join")
    return go("/regions/roads#joined")


@router.post("/learn")
def learn(scope: WriteRegions, session: Db) -> Response:
    """Have drive times learned now instead of tonight."""
    defer(session, learn_drive_times, key="activities.learn_drive_times")
    return go("/regions/roads#traffic")


@router.post("/server/{kind}")
def switch_on(request: Request, kind: str, scope: WriteRegions, session: Db, sent: Sent) -> Response:
    """Switch a road server elsewhere on, when it answers a trial."""
    try:
        with attempt(session):
            wish = servers.Wish(
                url=text_of(sent, "url") or "",
                profile=text_of(sent, "profile") or "",
                goes_first=text_of(sent, "goes_first") is not None,
                timeout_s=number(sent, "timeout_s") or 0.0,
                table_points=int(number(sent, "table_points") or 0),
            )
            servers.switch_on(session, kind, wish)
    except WaymarkError as error:
        written = given(sent, ("url", "profile", "timeout_s", "table_points"))
        return roads_page(request, scope, session, error, kind, written)
    return go("/regions/roads#elsewhere")


@router.post("/server/{kind}/off")
def switch_off(kind: str, scope: WriteRegions, session: Db) -> Response:
    """Ask nobody elsewhere any more."""
    servers.kind_of(kind)
    servers.switch_off(session)
    return go("/regions/roads#elsewhere")
