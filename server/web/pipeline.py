"""Deals of a pipeline: the board, the list, the map; the same filter leaves the same deals in all three."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.paging import Cursor
from server.kit.settings import settings
from server.opportunities import boards, bulk, queries, tiles
from server.opportunities.fields import fields
from server.opportunities.models import Pipeline, Stage
from server.opportunities.queries import Listing
from server.opportunities.rates import Total
from server.opportunities.routes import Filter, Search
from server.opportunities.sums import totals
from server.web.deals import choices_of_many
from server.web.drawn import stage_category
from server.web.filters import Chip, chips
from server.web.forms import Sent, fitting, given, read
from server.web.pages import attempt, language_of, render
from server.web.users import login_of

router = APIRouter(prefix="/pipeline", include_in_schema=False)

ReadDeals = Annotated[Scope, requires("opportunities:read")]
WriteDeals = Annotated[Scope, requires("opportunities:write")]

ROWS = 50
OPEN = "state = open"
"""What list and map show when nothing is asked for."""
TERMS = (
    ("Still open", "state = open"),
    ("Commit", "category = commit"),
    ("Best case", "category = best_case"),
    ("Too long in its stage", "rotten = yes"),
    ("Close day passed", "close < today"),
    ("Next step overdue", "next_step < today"),
)
"""What a chip says, and the term it stands for."""
COLUMNS = (
    ("Deal", "name", False),
    ("Account", "account", False),
    ("Stage", "stage", False),
    ("Amount", "amount", True),
    ("Probability", None, True),
    ("Expected close", "close", False),
    ("Next step", "next_step", False),
    ("Owner", None, False),
    ("Territory", None, False),
)
"""Title, sort key, and whether it is a number."""


def common(session: Session, scope: Scope, filter: str | None, search: str | None, here: str) -> dict[str, Any]:
    """What board, list and map share: the same filter, said the same way."""
    shown = {"filter": filter, "q": search or None}
    query = urlencode({name: value for name, value in shown.items() if value is not None})

    def link(path: str = "", **changes: object) -> str:
        asked = urlencode({name: value for name, value in (shown | changes).items() if value is not None})
        return f"/pipeline{path or here}" + (f"?{asked}" if asked else "")

    return {
        "filter": filter or "",
        "search": search or "",
        "query": query,
        "link": link,
        "here": here,
        "chips": deal_chips(session, scope, filter or ""),
        "known": fields(accounts.today_of(scope), clock.now()).values(),
        "base": settings().currency,
    }


def deal_chips(session: Session, scope: Scope, filter: str) -> list[Chip]:
    """The filters that are offered as chips."""
    mine = ("Mine", f'owner = "{login_of(session, scope)}"')
    return chips(filter, (mine, *TERMS))


def chosen_pipeline(session: Session, wanted: UUID | None) -> tuple[Pipeline | None, list[Pipeline]]:
    """The pipeline that is shown, and all there are."""
    known = queries.pipelines(session)
    found = next((one for one in known if one.id == wanted), known[0] if known else None)
    return found, known


@router.get("")
def show_board(
    request: Request,
    scope: ReadDeals,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    pipeline: UUID | None = None,
) -> Response:
    """The board: columns of deals with what they add up to."""
    chosen, known = chosen_pipeline(session, pipeline)
    error, columns = None, []
    try:
        with attempt(session):
            if chosen is not None:
                columns = boards.board(session, scope, chosen.id, filter=filter, search=search)
    except WaymarkError as refused:
        error = refused
    return render(
        request,
        "pipeline/board.html",
        scope,
        status=int(error.status) if error else 200,
        columns=columns,
        pipeline=chosen,
        pipelines=known,
        error=error,
        **common(session, scope, filter, search, ""),
    )


@router.get("/column/{stage_id}")
def show_more(
    request: Request,
    stage_id: UUID,
    scope: ReadDeals,
    session: Db,
    cursor: Cursor = None,
    filter: Filter = None,
    search: Search = None,
) -> Response:
    """A fragment: the next cards of a column."""
    stage = session.get(Stage, stage_id)
    if stage is None:
        raise NotFound("There is no such stage.")
    column = boards.more(session, scope, stage, cursor or "", filter=filter, search=search)
    query = urlencode({name: value for name, value in (("filter", filter), ("q", search)) if value})
    return render(request, "pipeline/cards.html", scope, column=column, query=query, base=settings().currency)


@router.get("/heads/{pipeline_id}")
def show_heads(
    request: Request, pipeline_id: UUID, scope: ReadDeals, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """A fragment: what the columns add up to now."""
    columns = boards.heads(session, scope, pipeline_id, filter=filter, search=search)
    return render(request, "pipeline/heads.html", scope, columns=columns, base=settings().currency)


@router.get("/list")
def show_list(
    request: Request,
    scope: ReadDeals,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: str = "close",
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """The list: filtered, sorted, page by page."""
    filter = OPEN if filter is None else filter
    error, found = None, Listing([], None, Total())
    try:
        with attempt(session):
            found = queries.page(session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=ROWS)
    except WaymarkError as refused:
        error = refused
    return render(
        request,
        "pipeline/list.html",
        scope,
        status=int(error.status) if error else 200,
        found=found,
        sort=sort,
        first=first,
        columns=COLUMNS,
        stages=queries.stages(session),
        error=error,
        restorable=request.query_params.get("deleted"),
        **choices_of_many(request, session, scope) | common(session, scope, filter, search, "/list"),
    )


@router.post("/list")
def change_many(request: Request, scope: WriteDeals, session: Db, sent: Sent) -> Response:
    """Change or move the deals that are ticked; says what was refused."""
    picked = [str(one).partition(":") for one in sent.getlist("deal")]
    deals = {fitting("deal", deal_id, UUID): fitting("deal", rev, int) for deal_id, _, rev in picked}
    wanted = {name: value for name, value in given(sent, ("owner_id", "close_on", "category")).items() if value}
    done = bulk.change(session, scope, deals, wanted, read(sent, "stage_id", UUID))
    names = {row.deal.id: row.deal.name for row in (queries.detail(session, scope, one) for one, _ in done.refused)}
    return render(request, "pipeline/changed.html", scope, done=done, names=names)


@router.get("/map")
def show_map(request: Request, scope: ReadDeals, session: Db, filter: Filter = None, search: Search = None) -> Response:
    """The same deals on the map."""
    filter = OPEN if filter is None else filter
    error, total, lost, language = None, Total(), 0, language_of(request, scope)
    try:
        with attempt(session):
            statement = queries.chosen_for_sums(session, scope, filter=filter, search=search)
            total = totals(session, statement, accounts.today_of(scope))
            lost = tiles.without_pin(session, scope, filter=filter, search=search)
    except WaymarkError as refused:
        error = refused
    return render(
        request,
        "pipeline/map.html",
        scope,
        status=int(error.status) if error else 200,
        deals=total,
        lost=lost,
        stages=[
            {
                "id": str(one.id),
                "name": language.t(one.name),
                "state": "won" if one.is_won else "lost" if one.is_lost else "open",
                "category": stage_category(at),
            }
            for at, one in enumerate(queries.stages(session))
        ],
        error=error,
        **common(session, scope, filter, search, "/map"),
    )
