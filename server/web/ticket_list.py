"""The list of tickets by queue, and what is done to many at once."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.auth.roles import Level
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.filtering.listing import Listing
from server.kit.paging import Cursor, Exact
from server.tickets import queries, service, tiles
from server.tickets.fields import fields
from server.tickets.models import Priority
from server.tickets.routes import Filter, Search
from server.web.forms import Sent, fitting, given
from server.web.pages import attempt, go, render
from server.web.users import login_of

router = APIRouter(prefix="/tickets", include_in_schema=False)

ReadTickets = Annotated[Scope, requires("tickets:read")]
WriteTickets = Annotated[Scope, requires("tickets:write")]

ROWS = 50
CARD = 100


@dataclass(frozen=True)
class Chip:
    """A filter that is one click away."""

    label: str
    term: str


CHIPS = (
    Chip("Mine", "mine"),
    Chip("Nobody's", "assignee is empty"),
    Chip("Overdue", "overdue = true"),
    Chip("Our turn", 'state in ("new", "open", "waiting_us")'),
    Chip("Urgent", "priority = urgent"),
    Chip("Solved", 'state in ("solved", "closed")'),
)


@router.get("")
def show_tickets(
    request: Request,
    scope: ReadTickets,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    queue: UUID | None = None,
    sort: str = "due",
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    exact: Exact = False,
) -> Response:
    """The list: what is due next first; without a filter what is not solved."""
    error, found = None, Listing[queries.TicketRow]([])
    wanted = "open = true" if filter is None else filter
    try:
        with attempt(session):
            found = queries.page(
                session,
                scope,
                filter=wanted,
                search=search,
                queue_id=queue,
                sort=sort,
                cursor=cursor,
                limit=ROWS,
                exact=exact,
            )
    except WaymarkError as refused:
        error = refused

    def link(**changes: object) -> str:
        kept = {"filter": filter, "q": search, "queue": queue, "sort": sort if sort != "due" else None} | changes
        query = urlencode({name: value for name, value in kept.items() if value or (name == "filter" and value == "")})
        return f"/tickets?{query}" if query else "/tickets"

    login = login_of(session, scope)
    chips = [(chip.label, f'assignee = "{login}"' if chip.term == "mine" else chip.term) for chip in CHIPS]
    return render(
        request,
        "tickets/list.html",
        scope,
        status=int(error.status) if error else 200,
        found=found,
        filter=wanted,
        search=search or "",
        queue_id=queue,
        sort=sort,
        first=first,
        link=link,
        chips=[(label, term, _toggled(wanted, term)) for label, term in chips],
        queues=queries.queues(session),
        counts=queries.queue_counts(session, scope),
        known=fields(clock.now(), accounts.today_of(scope)).values(),
        people=queries.workers(session, scope),
        may_set_up=scope.level("tickets:assign") >= Level.ALL,
        priorities=list(Priority),
        query=urlencode({name: value for name, value in (("filter", wanted), ("q", search)) if value}),
        error=error,
        restorable=request.query_params.get("deleted"),
    )


@router.get("/card")
def show_card(
    request: Request, scope: ReadTickets, session: Db, ids: Annotated[list[UUID], Query(max_length=CARD)]
) -> Response:
    """A fragment: the tickets at one place of the map, those that press most first."""
    rows = tiles.at_a_place(session, scope, ids)
    return render(request, "tickets/card.html", scope, rows=rows)


def _toggled(filter: str, term: str) -> tuple[bool, str]:
    """Whether a filter holds a term, and the filter with it switched."""
    parts = [part for part in filter.split(" and ") if part.strip()]
    if term in parts:
        return True, " and ".join(part for part in parts if part != term)
    if term.startswith('state in ("solved"'):
        parts = [part for part in parts if part != "open = true"]
    return False, " and ".join([*parts, term])


@router.post("/many")
def change_many(request: Request, scope: WriteTickets, session: Db, sent: Sent) -> Response:
    """Change all chosen tickets the same way, or none of them."""
    values = given(sent, ("state", "priority", "assignee_id", "queue_id"))
    changes = {name: value for name, value in values.items() if value}
    chosen = [str(one).partition(":") for one in sent.getlist("ids")]
    if not chosen or not changes:
        raise Invalid("Nothing is chosen.", help="Choose tickets, and what they shall become.")
    for key, _, rev in chosen:
        service.edit(session, scope, fitting("ids", key, UUID), fitting("ids", rev, int), changes)
    return go(request.headers.get("referer", "/tickets") if _is_ours(request) else "/tickets")


def _is_ours(request: Request) -> bool:
    return request.headers.get("referer", "").startswith(f"{request.base_url}tickets")
