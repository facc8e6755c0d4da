"""Leads: the list with its bulk actions, one lead in full, a new one, and what people do with it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts.pins import point_of
from server.accounts.queries import today_of
from server.accounts.routes import Filter, Search
from server.accounts.service import LooksLikeDuplicate
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.contacts.consent import barred
from server.density.queries import cell_of
from server.kit.database import Db
from server.kit.errors import Invalid, PreconditionFailed, WaymarkError
from server.kit.filtering.listing import Listing
from server.kit.paging import Cursor, Exact
from server.kit.settings import settings
from server.leads import converting, editing, queries, rules, service
from server.leads.converting import Conversion, NewSale
from server.leads.fields import fields
from server.leads.models import OPEN, Lead, LeadSource, LeadState, LostReason, SignalKind
from server.leads.resembling import LikeLead, like_leads
from server.leads.routes import alike, seen
from server.leads.routes import read as wire_of
from server.leads.taking import NewLead, take_in
from server.leads.wording import Say, because, reason
from server.opportunities import queries as opportunities
from server.web.filters import chips
from server.web.forms import Sent, given, read, several, text
from server.web.joining import merges_into, other_leads, words_for_another
from server.web.pages import attempt, go, language_of, render
from server.web.pairs import LEADS
from server.web.users import people_of

router = APIRouter(prefix="/leads", include_in_schema=False)

ReadLeads = Annotated[Scope, requires("leads:read")]
WriteLeads = Annotated[Scope, requires("leads:write")]
AssignLeads = Annotated[Scope, requires("leads:assign")]

ROWS = 50
NAMES = (
    "company person phones emails website street postcode city country campaign message expected_value note"
).split()
TERMS = (
    ("Still open", "state in (new, working, qualified)"),
    ("New", "state = new"),
    ("Hot: 60 and more", "score >= 60"),
    ("Without an owner", "has_owner = no"),
    ("Web form", "source = form"),
    ("This week", "created > today - 7 days"),
    ("Converted", "state = converted"),
    ("Disqualified", "state = disqualified"),
)
"""What a chip says, and the term it stands for."""


@dataclass(frozen=True)
class Column:
    """A column of the list."""

    key: str
    title: str
    sort: str | None = None
    is_number: bool = False


COLUMNS = (
    Column("name", "Name", "name"),
    Column("score", "Score", "score"),
    Column("state", "State", "state"),
    Column("city", "Place", "city"),
    Column("source", "Source", "source"),
    Column("owner", "Owner"),
    Column("territory", "Territory"),
    Column("value", "Expected a year", "value", is_number=True),
    Column("created", "Came in", "created"),
)


@router.get("")
def show_leads(
    request: Request,
    scope: ReadLeads,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: str = "-created",
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    exact: Exact = False,
) -> Response:
    """The list: filtered, searched, sorted, page by page."""
    return list_page(
        request, scope, session, filter=filter, search=search, sort=sort, cursor=cursor, first=first, exact=exact
    )


def list_page(
    request: Request,
    scope: Scope,
    session: Session,
    *,
    filter: str | None = None,
    search: str | None = None,
    sort: str = "-created",
    cursor: str | None = None,
    first: int = 0,
    exact: bool = False,
    error: WaymarkError | None = None,
) -> Response:
    """The list, with what was refused."""
    found = Listing[queries.Row]([])
    try:
        with attempt(session):
            found = queries.page(
                session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=ROWS, exact=exact
            )
    except WaymarkError as refused:
        error = refused

    def link(**changes: object) -> str:
        kept = {"filter": filter, "q": search, "sort": sort if sort != "-created" else None} | changes
        return ("/leads?" + urlencode({name: value for name, value in kept.items() if value})).rstrip("?")

    say = language_of(request, scope).t
    return render(
        request,
        "leads/list.html",
        scope,
        status=int(error.status) if error else 200,
        found=found,
        why={row.lead.id: [reason(one, say) for one in row.lead.score_reasons[:3]] for row in found.rows},
        filter=filter or "",
        search=search or "",
        sort=sort,
        first=first,
        columns=COLUMNS,
        chips=chips(filter or "", TERMS),
        known=scope.askable("lead", fields()).values(),
        link=link,
        query=urlencode({name: value for name, value in (("filter", filter), ("q", search)) if value}),
        error=error,
        people=people_of(session, scope, Role.REP, Role.MANAGER) if scope.may("leads:assign") else [],
        lost=tuple(LostReason),
        changed=request.query_params.get("changed"),
        restorable=request.query_params.get("deleted"),
        may_decide=may_decide(scope),
    )


def may_decide(scope: Scope) -> bool:
    """Whether somebody decides about forms and rules."""
    try:
        rules.need_manager(scope)
    except WaymarkError:
        return False
    return True


@router.post("/bulk")
def bulk(request: Request, scope: WriteLeads, session: Db, sent: Sent) -> Response:
    """Assign or give up the ticked leads."""
    try:
        with attempt(session):
            ids = several(sent, "lead", UUID)
            if not ids:
                raise Invalid("No lead is ticked.", help="Tick some first.")
            if sent.get("do") == "assign":
                scope.need("leads:assign")
                changed = service.hand_over_many(session, scope, ids, read(sent, "owner_id", UUID))
            else:
                lost = read(sent, "reason", LostReason) or LostReason.OTHER
                changed = service.disqualify_many(session, scope, ids, lost, text(sent, "note"))
    except WaymarkError as error:
        return list_page(request, scope, session, error=error)
    return go(f"/leads?changed={changed}")


@router.get("/new")
def show_new(
    request: Request, scope: WriteLeads, session: Db, lon: float | None = None, lat: float | None = None
) -> Response:
    """The form of a new lead, perhaps at a point of the map: what is near is shown beside it."""
    return new_page(request, scope, session, {"lon": lon, "lat": lat, "source": "map" if lon else "phone"})


def new_page(
    request: Request,
    scope: Scope,
    session: Session,
    values: dict[str, Any],
    error: WaymarkError | None = None,
    like: list[LikeLead] | None = None,
) -> Response:
    """The form with what was refused, and with what it resembles."""
    point = point_of(values["lon"], values["lat"]) if values.get("lon") and values.get("lat") else None
    return render(
        request,
        "leads/new.html",
        scope,
        status=int(error.status) if error else 200,
        values=values,
        error=error,
        like=seen(session, scope, like or []),
        near=queries.near(session, scope, point, 150.0) if point else [],
        sources=[LeadSource.PHONE, LeadSource.MAP, LeadSource.REFERRAL, LeadSource.FAIR, LeadSource.MAIL],
        currency=settings().currency,
        people=people_of(session, scope, Role.REP, Role.MANAGER) if scope.may("leads:assign") else [],
    )


@router.post("/new")
def create(request: Request, scope: WriteLeads, session: Db, sent: Sent) -> Response:
    """Take a new lead in; one that is there is opened instead, and says so."""
    values: dict[str, Any] = dict(given(sent, [*NAMES, "owner_id", "lon", "lat", "source"]))
    wanted = {name: values[name] for name in [*NAMES, "owner_id"] if values.get(name)}
    try:
        with attempt(session):
            at = point_of(values["lon"], values["lat"]) if values.get("lon") and values.get("lat") else None
            source = read(sent, "source", LeadSource) or LeadSource.HAND
            taken = take_in(session, NewLead(wanted, source, at=at, always="force" in sent), scope)
    except WaymarkError as error:
        return new_page(request, scope, session, values, error)
    if taken.is_repeat:
        return go(f"/leads/{taken.lead.id}?repeat=1")
    return go(f"/leads/{taken.lead.id}")


@router.get("/{lead_id}")
def show_lead(request: Request, lead_id: UUID, scope: ReadLeads, session: Db) -> Response:
    """One lead in full: facts and map, score and its reasons, what happened, what is next."""
    return lead_page(request, scope, session, lead_id)


def lead_page(
    request: Request, scope: Scope, session: Session, lead_id: UUID, error: WaymarkError | None = None
) -> Response:
    """The page, with what was refused, and with others that somebody looks for to compare."""
    row = queries.detail(session, scope, lead_id)
    lead, say, words = row.lead, language_of(request, scope).t, words_for_another(request)
    if lead.id != lead_id:
        return go(f"/leads/{lead.id}")
    return render(
        request,
        "leads/detail.html",
        scope,
        status=int(error.status) if error else 200,
        lead=lead,
        row=row,
        shown=wire_of(session, scope, lead_id).model_dump(mode="json"),
        why=[(reason(one, say), one) for one in lead.score_reasons],
        heaviest=max((abs(one["weight"]) for one in lead.score_reasons), default=1) or 1,
        entries=entries(session, lead, say),
        barred=barred(session, (*lead.phones, *lead.emails)),
        like=seen(session, scope, like_leads(session, lead)),
        words=words,
        others=other_leads(session, scope, lead, words),
        merges=merges_into(session, LEADS, lead),
        accounts=alike(session, scope, lead) if lead.state in OPEN else [],
        account=queries.account_of(session, scope, lead),
        is_open=lead.state in OPEN,
        may_write=may_write(session, scope, lead),
        people=people_of(session, scope, Role.REP, Role.MANAGER) if scope.may("leads:assign") else [],
        lost=tuple(LostReason),
        error=error,
        candidates=error.details.get("candidates", []) if isinstance(error, LooksLikeDuplicate) else [],
        repeat=request.query_params.get("repeat"),
        hexagon=cell_of(session, lead.id) if lead.source == LeadSource.WHITE_SPACE else None,
        may_sell=scope.may("opportunities:write") and has_pipeline(session),
        soon=today_of(scope) + timedelta(days=7),
        later=today_of(scope) + timedelta(days=60),
        kinds=(SignalKind.CALL, SignalKind.MAIL, SignalKind.VISIT, SignalKind.NOTE),
    )


def entries(session: Session, lead: Lead, say: Say) -> list[tuple[queries.Signal | queries.Handing, str]]:
    """What happened and who got it, the latest first; a handing over comes with its reason in words."""
    found: list[tuple[datetime, queries.Signal | queries.Handing, str]] = [
        (one.signal.at, one, "") for one in queries.signals_of(session, lead.id)
    ]
    found += [(one.at, one, because(one.because, say)) for one in queries.assignments_of(session, lead.id)]
    return [(one, words) for _at, one, words in sorted(found, key=lambda entry: entry[0], reverse=True)]


def has_pipeline(session: Session) -> bool:
    """Whether deals can begin somewhere."""
    return any(not (stage.is_won or stage.is_lost) for stage in opportunities.stages(session, None))


def may_write(session: Session, scope: Scope, lead: Lead) -> bool:
    """Whether somebody changes this lead."""
    if not scope.may("leads:write"):
        return False
    try:
        queries.find(session, scope, lead.id, "leads:write")
    except WaymarkError:
        return False
    return True


@router.get("/{lead_id}/edit")
def show_edit(request: Request, lead_id: UUID, scope: WriteLeads, session: Db) -> Response:
    """The form in place of the facts."""
    lead = queries.find(session, scope, lead_id, "leads:write")
    values = {name: getattr(lead, name) for name in NAMES}
    values |= {"phones": ", ".join(lead.phones), "emails": ", ".join(lead.emails)}
    return render(request, "leads/edit.html", scope, lead=lead, values=values, rev=lead.rev, error=None, clashes={})


@router.post("/{lead_id}/edit")
def edit(
    request: Request, lead_id: UUID, scope: WriteLeads, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change a lead that was seen at a revision; what others changed meanwhile is merged."""
    values = given(sent, NAMES)
    changes = {name: value for name, value in values.items() if sent.get(f"choose-{name}") != "theirs"}
    try:
        with attempt(session):
            editing.edit(session, scope, lead_id, rev, changes)
    except WaymarkError as error:
        lead = queries.find(session, scope, lead_id, "leads:write")
        clashes = {}
        if isinstance(error, PreconditionFailed):
            clashes = {clash["field"]: clash for clash in error.details.get("conflicts", [])}
            rev = error.details.get("rev", rev)
        more = {"lead": lead, "values": values, "rev": rev, "error": error, "clashes": clashes}
        return render(request, "leads/edit.html", scope, status=int(error.status), **more)
    return Response(status_code=204, headers={"HX-Redirect": f"/leads/{lead_id}"})


@router.post("/{lead_id}/do")
def act(request: Request, lead_id: UUID, scope: WriteLeads, session: Db, sent: Sent) -> Response:
    """Work it, qualify it, give it up, take it up again, convert it, note something, hand it over, delete it."""
    try:
        with attempt(session):
            where = done(session, scope, lead_id, text(sent, "do") or "", sent)
    except WaymarkError as error:
        return lead_page(request, scope, session, lead_id, error)
    return go(where or f"/leads/{lead_id}")


def done(session: Session, scope: Scope, lead_id: UUID, what: str, sent: Sent) -> str | None:
    """Do what a button says; returns where to go when not back."""
    match what:
        case "working" | "qualified":
            service.work(session, scope, lead_id, LeadState(what))
        case "disqualify":
            lost = read(sent, "reason", LostReason) or LostReason.OTHER
            service.disqualify(session, scope, lead_id, lost, text(sent, "note"))
        case "reopen":
            service.reopen(session, scope, lead_id)
        case "convert":
            wish = Conversion(read(sent, "account_id", UUID), force="force" in sent, deal=sale_of(sent))
            lead = converting.convert(session, scope, lead_id, wish)
            return f"/accounts/{lead.account_id}"
        case "undo":
            converting.undo(session, scope, lead_id)
        case "signal":
            lead = service.find(session, scope, lead_id)
            kind = read(sent, "kind", SignalKind) or SignalKind.NOTE
            service.add_signal(session, lead.id, kind, text(sent, "body"), actor_id=scope.user_id)
        case "assign":
            scope.need("leads:assign")
            service.hand_over_many(session, scope, [lead_id], read(sent, "owner_id", UUID))
        case "delete":
            service.delete(session, scope, lead_id)
            return f"/leads?deleted={lead_id}"
        case "restore":
            service.restore(session, scope, lead_id)
        case _:
            raise Invalid("There is no such button.")
    return None


def sale_of(sent: FormData) -> NewSale | None:
    """The deal that is to begin with a conversion, if its box is ticked."""
    if "deal" not in sent:
        return None
    try:
        close_on, step_on = (date.fromisoformat(text(sent, name) or "") for name in ("close_on", "next_step_on"))
    except ValueError as error:
        raise Invalid("The deal needs two days.", help="Say when it closes, and when the next step is.") from error
    return NewSale(close_on, text(sent, "next_step") or "", step_on)


@router.get("/{lead_id}/card")
def show_card(request: Request, lead_id: UUID, scope: ReadLeads, session: Db) -> Response:
    """A fragment: the lead as a card on the map."""
    row, say = queries.detail(session, scope, lead_id), language_of(request, scope).t
    why = [reason(one, say) for one in row.lead.score_reasons[:3]]
    return render(request, "leads/card.html", scope, row=row, why=why)
