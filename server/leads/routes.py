"""JSON API, tiles and files of leads."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.pins import point_of
from server.accounts.routes import Filter, Force, Search, Sort, chunks
from server.accounts.schemas import Change, FieldRead, PinWrite
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Exact, Limit, Page
from server.kit.tiles import TileAddress, tile_response
from server.leads import converting, editing, exporting, joining, queries, service, tiles
from server.leads.converting import Conversion, NewSale
from server.leads.fields import fields
from server.leads.models import Lead, LeadState
from server.leads.resembling import LikeLead, like_accounts, like_leads
from server.leads.schemas import (
    AssignmentRead,
    Changed,
    ConvertWrite,
    DuplicatesRead,
    GiveUpWrite,
    LeadCreate,
    LeadFields,
    LeadListed,
    LeadRead,
    LeadTaken,
    LikeAccountRead,
    LikeLeadRead,
    OwnerWrite,
    SignalRead,
    SignalWrite,
    StateWrite,
)
from server.leads.taking import NewLead, take_in
from server.records.joining import of_winner
from server.records.queries import history
from server.records.schemas import JoinRead, JoinWrite

router = APIRouter(tags=["leads"])

ReadLeads = Annotated[Scope, requires("leads:read")]
WriteLeads = Annotated[Scope, requires("leads:write")]
AssignLeads = Annotated[Scope, requires("leads:assign")]
ExportLeads = Annotated[Scope, requires("leads:export")]


def read(session: Session, scope: Scope, lead_id: UUID) -> LeadRead:
    """One lead in full, when somebody may see it."""
    return LeadRead.of(queries.detail(session, scope, lead_id))


def seen(session: Session, scope: Scope, alike: list[LikeLead]) -> list[LikeLeadRead]:
    """Those of the leads alike that somebody may see."""
    statement = queries.visible_to(scope).where(Lead.id.in_([one.lead_id for one in alike]))
    known = set(session.scalars(statement.with_only_columns(Lead.id)))
    return [LikeLeadRead.found(one) for one in alike if one.lead_id in known]


@router.get("/api/v1/leads")
def list_leads(
    scope: ReadLeads,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: Sort = "-created",
    cursor: Cursor = None,
    limit: Limit = 50,
    exact: Exact = False,
) -> Page[LeadListed]:
    """The leads you may see, page by page."""
    found = queries.page(
        session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=limit, exact=exact
    )
    items = [LeadListed.of(row) for row in found.rows]
    return Page(items=items, next_cursor=found.next_cursor, total=found.total, total_is_estimated=found.is_estimated)


@router.get("/api/v1/leads/fields")
def list_fields(scope: ReadLeads) -> Page[FieldRead]:
    """What leads can be filtered by."""
    return Page(
        items=[
            FieldRead(name=one.name, kind=one.kind, label=one.label, choices=list(one.choices))
            for one in scope.askable("lead", fields()).values()
        ]
    )


@router.get("/api/v1/leads/export.{kind}")
def export(
    kind: exporting.Format, scope: ExportLeads, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The leads you may export as CSV, XLSX or GeoJSON; no limit."""
    file = exporting.export(session, scope, kind, filter=filter, search=search)
    name = f"leads-{accounts.today_of(scope).isoformat()}.{kind}"
    return StreamingResponse(
        chunks(file),
        media_type=exporting.MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/api/v1/leads", status_code=201)
def create(body: LeadCreate, scope: WriteLeads, session: Db, response: Response, force: Force = False) -> LeadTaken:
    """Take a lead in. One that is there and open already gets a signal instead, and the answer says so."""
    if (body.lon is None) != (body.lat is None):
        raise Invalid("lon and lat: one is missing.", help="Give both, or none.", field="lat")
    at = point_of(body.lon, body.lat) if body.lon is not None else None
    new = NewLead(
        body.given(),
        body.source,
        at=at,
        id=body.id,
        always=force,
        consent_text=body.consent_text,
        consented_at=body.consented_at,
    )
    taken = take_in(session, new, scope)
    session.flush()
    row = queries.detail(session, scope, taken.lead.id)
    response.headers["Location"] = f"/api/v1/leads/{taken.lead.id}"
    response.status_code = 200 if taken.is_repeat else 201
    tag(response, row.lead.rev)
    shown = LeadRead.of(row).model_dump() | {"is_repeat": taken.is_repeat}
    return LeadTaken(**shown, alike=seen(session, scope, taken.alike))


@router.post("/api/v1/leads/assign")
def assign(body: OwnerWrite, scope: AssignLeads, session: Db) -> Changed:
    """Give leads to somebody."""
    return Changed(changed=service.hand_over_many(session, scope, body.lead_ids, body.owner_id))


@router.post("/api/v1/leads/disqualify")
def disqualify(body: GiveUpWrite, scope: WriteLeads, session: Db) -> Changed:
    """Give leads up, with a reason."""
    return Changed(changed=service.disqualify_many(session, scope, body.lead_ids, body.reason, body.note))


@router.get("/api/v1/leads/{lead_id}")
def get(lead_id: UUID, scope: ReadLeads, session: Db, response: Response) -> LeadRead:
    """One lead."""
    found = read(session, scope, lead_id)
    tag(response, found.rev)
    return found


@router.patch("/api/v1/leads/{lead_id}")
def change(
    lead_id: UUID, body: LeadFields, scope: WriteLeads, session: Db, base: BaseRevision, response: Response
) -> LeadRead:
    """Change fields. An older ETag is merged field by field; 412 with both values where a field really clashes."""
    editing.edit(session, scope, lead_id, base, body.given())
    return get(lead_id, scope, session, response)


@router.delete("/api/v1/leads/{lead_id}", status_code=204)
def delete(lead_id: UUID, scope: WriteLeads, session: Db) -> None:
    """Take a lead away; it can be restored."""
    service.delete(session, scope, lead_id)


@router.post("/api/v1/leads/{lead_id}/restore")
def restore(lead_id: UUID, scope: WriteLeads, session: Db, response: Response) -> LeadRead:
    """Bring a deleted lead back."""
    service.restore(session, scope, lead_id)
    return get(lead_id, scope, session, response)


@router.post("/api/v1/leads/{lead_id}/state")
def set_state(lead_id: UUID, body: StateWrite, scope: WriteLeads, session: Db, response: Response) -> LeadRead:
    """Work a lead, qualify it, give it up with a reason, or take it up again (working, after it was disqualified)."""
    if body.state == LeadState.DISQUALIFIED:
        if body.reason is None:
            raise Invalid("Reason: is missing.", help="Say why it is no lead.", field="reason")
        service.disqualify(session, scope, lead_id, body.reason, body.note)
    elif queries.find(session, scope, lead_id).state == LeadState.DISQUALIFIED:
        service.reopen(session, scope, lead_id)
    else:
        service.work(session, scope, lead_id, body.state)
    return get(lead_id, scope, session, response)


@router.put("/api/v1/leads/{lead_id}/pin")
def set_pin(lead_id: UUID, body: PinWrite, scope: WriteLeads, session: Db, response: Response) -> LeadRead:
    """Set the pin by hand; no geocoder moves it afterwards."""
    service.place_by_hand(session, scope, lead_id, point_of(body.lon, body.lat))
    return get(lead_id, scope, session, response)


@router.get("/api/v1/leads/{lead_id}/signals")
def list_signals(lead_id: UUID, scope: ReadLeads, session: Db, limit: Limit = 200) -> Page[SignalRead]:
    """What happened to a lead, the latest first."""
    lead = queries.find(session, scope, lead_id)
    return Page(items=[SignalRead.of(one) for one in queries.signals_of(session, lead.id, limit)])


@router.post("/api/v1/leads/{lead_id}/signals", status_code=201)
def add_signal(lead_id: UUID, body: SignalWrite, scope: WriteLeads, session: Db) -> Page[SignalRead]:
    """Note a sign of interest."""
    lead = service.find(session, scope, lead_id)
    service.add_signal(
        session, lead.id, body.kind, body.body, key=body.key, facts=body.facts, actor_id=scope.user_id, at=body.at
    )
    return list_signals(lead_id, scope, session)


@router.get("/api/v1/leads/{lead_id}/assignments")
def list_assignments(lead_id: UUID, scope: ReadLeads, session: Db) -> Page[AssignmentRead]:
    """Who got a lead and why, the latest first."""
    lead = queries.find(session, scope, lead_id)
    return Page(items=[AssignmentRead.of(one) for one in queries.assignments_of(session, lead.id)])


@router.get("/api/v1/leads/{lead_id}/duplicates")
def list_duplicates(lead_id: UUID, scope: ReadLeads, session: Db) -> DuplicatesRead:
    """Leads and accounts that may be the same, most alike first, with the reasons."""
    lead = queries.find(session, scope, lead_id)
    return DuplicatesRead(leads=seen(session, scope, like_leads(session, lead)), accounts=alike(session, scope, lead))


def alike(session: Session, scope: Scope, lead: Lead) -> list[LikeAccountRead]:
    """The accounts that may be the same as a lead, and that somebody may see."""
    found = like_accounts(session, lead) if scope.may("accounts:read") else []
    known = accounts.seen_of(session, scope, [one.account_id for one in found])
    return [
        LikeAccountRead(
            account_id=one.account_id, name=one.name, street=one.street, city=one.city, score=one.score,
            why=one.reasons(),
        )
        for one in found
        if one.account_id in known
    ]  # fmt: skip


@router.post("/api/v1/leads/{lead_id}/merge", status_code=201)
def merge(lead_id: UUID, body: JoinWrite, scope: WriteLeads, session: Db) -> JoinRead:
    """Let another lead go into this one. The same request twice is one merge; it can be undone for 30 days."""
    return JoinRead.of(joining.merge(session, scope, lead_id, body.loser_id, body.choices, body.revs))


@router.get("/api/v1/leads/{lead_id}/merges")
def list_merges(lead_id: UUID, scope: ReadLeads, session: Db) -> Page[JoinRead]:
    """What was merged into a lead and can be taken back, the latest first."""
    lead = queries.find(session, scope, lead_id)
    return Page(items=[JoinRead.of(one) for one in of_winner(session, "lead", lead.id)])


@router.post("/api/v1/lead-merges/{merge_id}/undo")
def undo_merge(merge_id: UUID, scope: WriteLeads, session: Db) -> JoinRead:
    """Take a merge back: both leads are as before, but for what was edited since; refused after 30 days."""
    return JoinRead.of(*joining.undo(session, scope, merge_id))


@router.get("/api/v1/leads/{lead_id}/history")
def get_history(lead_id: UUID, scope: ReadLeads, session: Db, limit: Limit = 200) -> Page[Change]:
    """Who changed what of a lead, and of those merged into it, newest first."""
    lead = queries.find(session, scope, lead_id)
    changes = history(session, "lead", session.scalars(queries.family(lead.id)), limit=limit)
    return Page(items=[Change.model_validate(one) for one in changes if scope.asks("lead", one.field)])


@router.post("/api/v1/leads/{lead_id}/convert")
def convert(lead_id: UUID, body: ConvertWrite, scope: WriteLeads, session: Db, response: Response) -> LeadRead:
    """Make a lead an account, or part of one; 409 with the candidates when it looks like one that is there."""
    sale = NewSale(**body.deal.model_dump()) if body.deal else None
    converting.convert(session, scope, lead_id, Conversion(body.account_id, force=body.force, deal=sale))
    return get(lead_id, scope, session, response)


@router.delete("/api/v1/leads/{lead_id}/convert")
def take_conversion_back(lead_id: UUID, scope: WriteLeads, session: Db, response: Response) -> LeadRead:
    """Take a conversion back within 30 days."""
    converting.undo(session, scope, lead_id)
    return get(lead_id, scope, session, response)


@router.get("/tiles/leads/{z}/{x}/{y}")
def lead_tile(
    tile: TileAddress, request: Request, scope: ReadLeads, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The leads you may see as a vector tile; counts below zoom 9."""
    return tile_response(request, tiles.tile(session, scope, tile, filter=filter, search=search))
