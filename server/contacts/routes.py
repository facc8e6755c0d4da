"""JSON API of contacts, consent and addresses that nobody may use."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.routes import Filter, Search, chunks
from server.accounts.schemas import Change
from server.auth.access import Scope, requires
from server.contacts import consent, duplicates, exporting, joining, queries, service, vcards
from server.contacts.models import Channel, Contact, ContactAccount, Purpose, Suppression
from server.contacts.schemas import (
    AlikeRead,
    Answer,
    CardsRead,
    ConsentRead,
    ConsentWrite,
    ContactCreate,
    ContactFields,
    ContactRead,
    PlaceCreate,
    PlaceFields,
    Refused,
    SuppressionRead,
    SuppressionWrite,
)
from server.kit.database import Db
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Exact, Limit, Page
from server.records.joining import of_winner
from server.records.queries import history
from server.records.schemas import JoinRead, JoinWrite

router = APIRouter(prefix="/api/v1", tags=["contacts"])

ReadContacts = Annotated[Scope, requires("contacts:read")]
WriteContacts = Annotated[Scope, requires("contacts:write")]
ExportContacts = Annotated[Scope, requires("contacts:export")]
ImportContacts = Annotated[Scope, requires("contacts:import")]


async def raw_body(request: Request) -> bytes:
    """The body as it was sent."""
    return await request.body()


Content = Annotated[bytes, Depends(raw_body)]


def read(session: Session, scope: Scope, contact_id: UUID) -> ContactRead:
    """One contact with its accounts, when somebody may see it."""
    contact = queries.find(session, scope, contact_id)
    [row] = queries.with_places(session, scope, [contact])
    return ContactRead.of(row)


@router.get("/contacts")
def list_contacts(
    scope: ReadContacts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    account_id: UUID | None = None,
    sort: Annotated[
        str, Query(description="name, first_name, title, created or updated; - in front: backwards.")
    ] = "name",
    cursor: Cursor = None,
    limit: Limit = 50,
    exact: Exact = False,
) -> Page[ContactRead]:
    """The contacts you may see, page by page, or those of an account."""
    if account_id is not None:
        people = [one for one, _ in queries.of_account(session, scope, account_id, limit=limit)]
        return Page(items=[ContactRead.of(row) for row in queries.with_places(session, scope, people)])
    found = queries.page(
        session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=limit, exact=exact
    )
    items = [ContactRead.of(row) for row in found.rows]
    return Page(items=items, next_cursor=found.next_cursor, total=found.total, total_is_estimated=found.is_estimated)


@router.get("/contacts/export.{kind}")
def export(
    kind: exporting.Format, scope: ExportContacts, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The contacts you may export as CSV, XLSX or vCard; no limit."""
    file = exporting.export(session, scope, kind, filter=filter, search=search)
    name = f"contacts-{accounts.today_of(scope).isoformat()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(chunks(file), media_type=exporting.MEDIA_TYPES[kind], headers=headers)


@router.get("/contacts/may")
def may(scope: ReadContacts, session: Db, address: str, channel: Channel, purpose: Purpose) -> Answer:
    """Whether an address may be used, whoever has it; strangers are asked for on the list of suppressed addresses."""
    allowed, reason = consent.may_contact(session, address, channel, purpose)
    return Answer(may=allowed, reason=reason)


@router.post("/contacts", status_code=201)
def create(body: ContactCreate, scope: WriteContacts, session: Db, response: Response) -> ContactRead:
    """Take a person in, at some accounts."""
    places = [service.NewPlace(place.account_id, place.given()) for place in body.accounts]
    made = service.create(session, scope, body.given(), places)
    session.expire_all()
    response.headers["Location"] = f"/api/v1/contacts/{made.id}"
    tag(response, made.rev)
    return read(session, scope, made.id)


@router.post("/contacts/vcards", status_code=201)
def take_cards(
    content: Content,
    scope: WriteContacts,
    session: Db,
    account_id: UUID | None = None,
    otherwise_id: Annotated[UUID | None, Query(description="Account of cards whose company is none.")] = None,
) -> CardsRead:
    """Take a file of vCards in (the body, 2.1 to 4.0): at an account when one is named, else each at the one that is
    called as its company; each card by itself.
    """
    taken = vcards.take_in(session, scope, content, account_id=account_id, otherwise_id=otherwise_id)
    return CardsRead(
        created=[ContactRead.alone(one) for one in taken.created],
        known=[one.id for _, one in taken.known],
        refused=[Refused(card=place, name=name, why=why) for place, name, why in taken.refused],
        left_out={key: words for key, words in taken.left_out.items() if words},
        noted=taken.noted,
        linked={key: account.id for key, account in taken.linked.items()},
        alike=taken.alike,
    )


@router.get("/contacts/{contact_id}")
def get(contact_id: UUID, scope: ReadContacts, session: Db, response: Response) -> ContactRead:
    """One contact with the accounts you may see."""
    found = read(session, scope, contact_id)
    tag(response, found.rev)
    return found


@router.get("/contacts/{contact_id}/vcard")
def get_card(contact_id: UUID, scope: ReadContacts, session: Db) -> Response:
    """One contact as vCard 4.0."""
    [row] = queries.with_places(session, scope, [queries.find(session, scope, contact_id)])
    headers = {"Content-Disposition": 'attachment; filename="contact.vcf"'}
    return Response(vcards.card(row), media_type=exporting.MEDIA_TYPES[exporting.Format.VCF], headers=headers)


@router.patch("/contacts/{contact_id}")
def change(
    contact_id: UUID, body: ContactFields, scope: WriteContacts, session: Db, base: BaseRevision, response: Response
) -> ContactRead:
    """Change fields. An older ETag is merged field by field; 412 with both values where a field really clashes."""
    service.edit(session, scope, contact_id, base, body.given())
    return get(contact_id, scope, session, response)


@router.delete("/contacts/{contact_id}", status_code=204)
def delete(contact_id: UUID, scope: WriteContacts, session: Db, base: BaseRevision) -> None:
    """Take a contact away; it can be restored."""
    service.delete(session, scope, contact_id, base)


@router.post("/contacts/{contact_id}/restore")
def restore(contact_id: UUID, scope: WriteContacts, session: Db, response: Response) -> ContactRead:
    """Bring a deleted contact back with its places."""
    service.restore(session, scope, contact_id)
    return get(contact_id, scope, session, response)


@router.get("/contacts/{contact_id}/history")
def get_history(contact_id: UUID, scope: ReadContacts, session: Db, limit: Limit = 200) -> Page[Change]:
    """Who changed what of a contact and its places, newest first."""
    queries.find(session, scope, contact_id)
    people = session.scalars(queries.family(contact_id)).all()
    links = session.scalars(select(ContactAccount.id).where(ContactAccount.contact_id.in_(people))).all()
    changes = history(session, "contact", people, limit=limit) + history(session, "contact_account", links, limit=limit)
    changes = [one for one in changes if scope.asks("contact", one.field)]
    changes.sort(key=lambda one: (one.at, one.id), reverse=True)
    return Page(items=[Change.model_validate(one) for one in changes[:limit]])


# Places at accounts


@router.post("/contacts/{contact_id}/accounts", status_code=201)
def add_place(
    contact_id: UUID, body: PlaceCreate, scope: WriteContacts, session: Db, response: Response
) -> ContactRead:
    """Say that a person is at an account."""
    service.link(session, scope, contact_id, body.account_id, body.given())
    return get(contact_id, scope, session, response)


@router.patch("/contacts/{contact_id}/accounts/{link_id}")
def change_place(
    contact_id: UUID,
    link_id: UUID,
    body: PlaceFields,
    scope: WriteContacts,
    session: Db,
    base: BaseRevision,
    response: Response,
) -> ContactRead:
    """Change what a person is at an account; If-Match is the place's revision."""
    service.edit_link(session, scope, link_id, base, body.given())
    return get(contact_id, scope, session, response)


@router.delete("/contacts/{contact_id}/accounts/{link_id}", status_code=204)
def take_off(contact_id: UUID, link_id: UUID, scope: WriteContacts, session: Db) -> None:
    """Take a person off an account."""
    queries.find(session, scope, contact_id)
    service.unlink(session, scope, link_id)


# Consent


@router.get("/contacts/{contact_id}/consents")
def list_consents(contact_id: UUID, scope: ReadContacts, session: Db) -> Page[ConsentRead]:
    """Everything a person has said about being reached, the latest first; the latest of a channel and purpose holds."""
    queries.find(session, scope, contact_id)
    return Page(items=[ConsentRead.of(one) for one in consent.log_of(session, contact_id)])


@router.post("/contacts/{contact_id}/consents", status_code=201)
def note_consent(contact_id: UUID, body: ConsentWrite, scope: WriteContacts, session: Db) -> ConsentRead:
    """Write down what a person said; nothing that was said before is changed."""
    contact = queries.find(session, scope, contact_id, "contacts:write")
    return ConsentRead.of(consent.note_consent(session, contact, body.said(), by=scope.user_id))


@router.get("/contacts/{contact_id}/may")
def may_reach(contact_id: UUID, scope: ReadContacts, session: Db, channel: Channel, purpose: Purpose) -> Answer:
    """Whether a contact may be reached this way for this purpose, and why (not)."""
    allowed, reason = consent.may_contact(session, queries.find(session, scope, contact_id), channel, purpose)
    return Answer(may=allowed, reason=reason)


@router.get("/suppressions")
def list_suppressions(scope: ImportContacts, session: Db, limit: Limit = 500) -> Page[SuppressionRead]:
    """The addresses that nobody may use, the latest first."""
    found = session.scalars(select(Suppression).order_by(Suppression.at.desc(), Suppression.address).limit(limit))
    return Page(items=[SuppressionRead.model_validate(one) for one in found])


@router.put("/suppressions")
def suppress(body: SuppressionWrite, scope: WriteContacts, session: Db) -> SuppressionRead:
    """Use an address no more, whoever has it."""
    return SuppressionRead.model_validate(consent.suppress(session, body.address, body.reason, by=scope.user_id))


@router.delete("/suppressions/{address}", status_code=204)
def release(address: str, scope: ImportContacts, session: Db) -> None:
    """Let an address be used again."""
    consent.release(session, address)


# The same person twice


@router.get("/contacts/{contact_id}/duplicates")
def list_alike(contact_id: UUID, scope: ReadContacts, session: Db) -> Page[AlikeRead]:
    """Contacts that may be the same person, with the reasons."""
    contact: Contact = queries.find(session, scope, contact_id)
    found = duplicates.alike(session, scope, contact)
    return Page(items=[AlikeRead(contact=ContactRead.alone(one.contact), reasons=list(one.reasons)) for one in found])


@router.post("/contacts/{contact_id}/merge")
def merge(contact_id: UUID, body: JoinWrite, scope: WriteContacts, session: Db) -> JoinRead:
    """Let another contact go into this one. The same request twice is one merge; it can be undone for 30 days."""
    return JoinRead.of(joining.merge(session, scope, contact_id, body.loser_id, body.choices, body.revs))


@router.get("/contacts/{contact_id}/merges")
def list_merges(contact_id: UUID, scope: ReadContacts, session: Db) -> Page[JoinRead]:
    """What was merged into a contact and can be taken back, the latest first."""
    contact: Contact = queries.find(session, scope, contact_id)
    return Page(items=[JoinRead.of(one) for one in of_winner(session, "contact", contact.id)])


@router.post("/contact-merges/{merge_id}/undo")
def undo_merge(merge_id: UUID, scope: WriteContacts, session: Db) -> JoinRead:
    """Take a merge back; names what was edited since and stayed. Refused after 30 days."""
    return JoinRead.of(*joining.undo(session, scope, merge_id))
