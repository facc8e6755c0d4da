"""Two leads, contacts or products side by side: which values stay, what follows, and taking a merge back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.auth.access import Scope, requires
from server.contacts import joining as contacts
from server.contacts import queries as contact_queries
from server.contacts.models import Contact
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.leads import joining as leads
from server.leads import queries as lead_queries
from server.leads.models import Lead
from server.products import joining as products
from server.records import joining
from server.records.joining import Choice
from server.records.models import RecordMerge
from server.web.forms import Sent
from server.web.pages import attempt, go, language_of, render
from server.web.pairs import CONTACTS, LEADS, PRODUCTS, Kind

router = APIRouter(include_in_schema=False)

WriteLeads = Annotated[Scope, requires("leads:write")]
WriteContacts = Annotated[Scope, requires("contacts:write")]
WriteProducts = Annotated[Scope, requires("products:write")]
MOST_OTHERS = 8
Winner = Annotated[UUID | None, Query(description="Which of the two stays.")]


@dataclass(frozen=True)
class Other:
    """A record that can be compared with the one of the page."""

    id: UUID
    name: str
    where: str
    state: str = ""


@dataclass(frozen=True)
class Line:
    """One field of both."""

    name: str
    label: str
    values: tuple[str | None, str | None]
    is_same: bool
    choice: Choice
    may_both: bool
    left_out: list[str]
    """What of both lists finds no place when they are put together."""
    is_too_long: bool
    """Two texts that are too long together."""
    by_rule: bool
    """Nobody chooses it: what is proposed holds."""


def pair_page(
    request: Request,
    scope: Scope,
    session: Session,
    kind: Kind,
    ids: tuple[UUID, UUID],
    *,
    chosen: Mapping[str, str] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """Two records side by side, the first stays; perhaps with why they cannot be merged."""
    stays, goes = (kind.find(session, scope, key) for key in ids)
    if stays.id == goes.id:
        return go(f"{kind.path}/{stays.id}")
    language = language_of(request, scope)
    lines = []
    for name, is_same, choice in kind.proposed(session, scope, stays, goes):
        if all(scope.asks(kind.fields.entity, column) for column in kind.fields.columns[name]):
            values = (kind.shown(session, language, stays, name), kind.shown(session, language, goes, name))
            wanted: Any = (chosen or {}).get(name, choice)
            if values != (None, None):
                may_both = kind.fields.may_both(name, stays, goes)
                left_out = kind.fields.left_out(name, stays, goes)
                too_long = name in kind.fields.both and not may_both
                ruled, label = name in kind.fields.by_rule, kind.fields.labels[name]
                lines.append(Line(name, label, values, is_same, wanted, may_both, left_out, too_long, ruled))
    return render(
        request,
        "records/pair.html",
        scope,
        status=int(error.status) if error else 200,
        room=kind.path.strip("/"),
        base=kind.path,
        sides=[(one, kind.called(one), kind.follows(session, language, one)) for one in (stays, goes)],
        lines=lines,
        kept=[
            name
            for name in request.query_params.getlist("kept")
            if name in {*kind.fields.labels.values(), "Prices", "Stock", "Picture"}
        ],
        error=error,
    )


def merged(
    request: Request,
    scope: Scope,
    session: Session,
    kind: Kind,
    ids: tuple[UUID, UUID],
    sent: FormData,
    revs: tuple[int, int],
) -> Response:
    """Let the second record go into the first as chosen."""
    choices: Any = {name: str(sent[f"choose-{name}"]) for name in kind.fields.columns if f"choose-{name}" in sent}
    try:
        with attempt(session):
            kind.merge(session, scope, ids[0], ids[1], choices, revs)
    except WaymarkError as error:
        return pair_page(request, scope, session, kind, ids, chosen=choices, error=error)
    return go(f"{kind.path}/{ids[0]}")


def parted(path: str, made: RecordMerge, kept: Sequence[str]) -> Response:
    """On to the one that stands for itself again; to both side by side where some of the other was edited since."""
    pair = f"{path}/{made.winner_id}/merge/{made.loser_id}?{urlencode([('kept', name) for name in kept])}"
    return go(pair if kept else f"{path}/{made.loser_id}")


def words_for_another(request: Request) -> str:
    """By what somebody looks for another record on the page of one."""
    return request.query_params.get("another", "").strip()[:200]


def other_leads(session: Session, scope: Scope, lead: Lead, words: str) -> list[Other]:
    """The leads that words name, to be compared with one."""
    if not words:
        return []
    found = lead_queries.chosen(session, scope, search=words, permission="leads:write").where(Lead.id != lead.id)
    rows = session.scalars(found.order_by(Lead.created_at.desc()).limit(MOST_OTHERS))
    return [
        Other(one.id, one.company or one.person or "", " · ".join(filter(None, (one.number, one.city))), one.state)
        for one in rows
    ]


def other_contacts(session: Session, scope: Scope, contact_id: UUID, words: str) -> list[Other]:
    """The people whom words name, to be merged into one."""
    if not words:
        return []
    found = contact_queries.chosen(session, scope, search=words, permission="contacts:write")
    found = found.where(Contact.id != contact_id).order_by(Contact.last_name, Contact.id)
    rows = session.scalars(found.limit(MOST_OTHERS))
    return [Other(one.id, one.name, " · ".join(filter(None, (one.title, *one.mail_addresses[:1])))) for one in rows]


HANGING = ("Prices", "Stock", "Picture")
"""What else an undo may leave where it is."""


@dataclass(frozen=True)
class Past:
    """A merge that can be taken back, as the winner's page shows it."""

    id: UUID
    name: str
    at: datetime


def merges_into(session: Session, kind: Kind, row: Any) -> list[Past]:
    """What was merged into a record and can be taken back."""
    made = joining.of_winner(session, kind.fields.entity, row.id)
    return [Past(one.id, kind.called(session.get_one(type(row), one.loser_id)), one.merged_at) for one in made]


def ordered(one: UUID, other: UUID, winner: UUID | None) -> tuple[UUID, UUID]:
    """Who stays and who goes."""
    if winner not in (None, one, other):
        raise Invalid("The one that stays is none of the two.", field="winner")
    return (other, one) if winner == other else (one, other)


@router.get("/leads/{lead_id}/merge/{other_id}")
def show_leads(
    request: Request, lead_id: UUID, other_id: UUID, scope: WriteLeads, session: Db, winner: Winner = None
) -> Response:
    """Two leads side by side."""
    return pair_page(request, scope, session, LEADS, ordered(lead_id, other_id, winner))


@router.post("/leads/{lead_id}/merge/{other_id}")
def merge_leads(
    request: Request,
    lead_id: UUID,
    other_id: UUID,
    scope: WriteLeads,
    session: Db,
    sent: Sent,
    winner_rev: Annotated[int, Form()],
    loser_rev: Annotated[int, Form()],
) -> Response:
    """Let the second lead go into the first."""
    return merged(request, scope, session, LEADS, (lead_id, other_id), sent, (winner_rev, loser_rev))


@router.post("/leads/{lead_id}/merges/{merge_id}/undo")
def undo_leads(lead_id: UUID, merge_id: UUID, scope: WriteLeads, session: Db) -> Response:
    """Take a merge of leads back, and look at the one that stands for itself again."""
    return parted("/leads", *leads.undo(session, scope, merge_id))


@router.get("/contacts/{contact_id}/merge/{other_id}")
def show_contacts(
    request: Request, contact_id: UUID, other_id: UUID, scope: WriteContacts, session: Db, winner: Winner = None
) -> Response:
    """Two people side by side."""
    return pair_page(request, scope, session, CONTACTS, ordered(contact_id, other_id, winner))


@router.post("/contacts/{contact_id}/merge/{other_id}")
def merge_contacts(
    request: Request,
    contact_id: UUID,
    other_id: UUID,
    scope: WriteContacts,
    session: Db,
    sent: Sent,
    winner_rev: Annotated[int, Form()],
    loser_rev: Annotated[int, Form()],
) -> Response:
    """Let the second contact go into the first."""
    return merged(request, scope, session, CONTACTS, (contact_id, other_id), sent, (winner_rev, loser_rev))


@router.post("/contacts/{contact_id}/merges/{merge_id}/undo")
def undo_contacts(contact_id: UUID, merge_id: UUID, scope: WriteContacts, session: Db) -> Response:
    """Take a merge of contacts back, and look at the one that stands for itself again."""
    return parted("/contacts", *contacts.undo(session, scope, merge_id))


@router.get("/products/{product_id}/merge")
def compare_products(product_id: UUID, _scope: WriteProducts, other: Annotated[UUID, Query(alias="with")]) -> Response:
    """Go and see a product beside another one that was chosen from the list."""
    return go(f"/products/{product_id}/merge/{other}")


@router.get("/products/{product_id}/merge/{other_id}")
def show_products(
    request: Request, product_id: UUID, other_id: UUID, scope: WriteProducts, session: Db, winner: Winner = None
) -> Response:
    """Two products side by side."""
    return pair_page(request, scope, session, PRODUCTS, ordered(product_id, other_id, winner))


@router.post("/products/{product_id}/merge/{other_id}")
def merge_products(
    request: Request,
    product_id: UUID,
    other_id: UUID,
    scope: WriteProducts,
    session: Db,
    sent: Sent,
    winner_rev: Annotated[int, Form()],
    loser_rev: Annotated[int, Form()],
) -> Response:
    """Let the second product go into the first."""
    return merged(request, scope, session, PRODUCTS, (product_id, other_id), sent, (winner_rev, loser_rev))


@router.post("/products/{product_id}/merges/{merge_id}/undo")
def undo_products(product_id: UUID, merge_id: UUID, scope: WriteProducts, session: Db) -> Response:
    """Take a merge of products back, and look at the one that stands for itself again."""
    return parted("/products", *products.undo(session, scope, merge_id))
