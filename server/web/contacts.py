"""Contacts: the list, one person in full, consent, places at accounts, vCards, merging."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts import queries as accounts
from server.accounts.routes import Filter, Search
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.contacts import consent, duplicates, queries, service, vcards
from server.contacts.consent import Said
from server.contacts.fields import known
from server.contacts.models import Channel, ConsentState, Contact, How, Purpose
from server.contacts.service import NewPlace
from server.fields import queries as own
from server.kit.database import Db
from server.kit.errors import Invalid, PreconditionFailed, WaymarkError
from server.kit.filtering.listing import Listing
from server.kit.paging import Cursor, Exact
from server.records.queries import history
from server.sync.leaving import refused
from server.sync.pushing import conflicts
from server.timeline import people
from server.web.forms import Sent, given, id_of, read, text
from server.web.joining import merges_into, other_contacts, words_for_another
from server.web.own_fields import Told, nested, sent_own
from server.web.pages import attempt, go, language_of, render
from server.web.pairs import CONTACTS
from server.web.picking import account_named, written
from server.web.stories import CHIPS, day_of, with_mentions
from server.web.users import people_of

router = APIRouter(prefix="/contacts", include_in_schema=False)

ReadContacts = Annotated[Scope, requires("contacts:read")]
WriteContacts = Annotated[Scope, requires("contacts:write")]

ROWS = 50
FIELDS = ("prefix", "first_name", "last_name", "title", "languages", "birthday", "note", "do_not_contact_reason")
TERMS = (
    ("Decision makers", "role = decision_maker"),
    ("Marketing mails allowed", "may_mail = yes"),
    ("Do not contact", "do_not_contact = yes"),
)
LINES = 4
"""Lines for phones and for mail addresses in the form."""


@router.get("")
def show_contacts(
    request: Request,
    scope: ReadContacts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: str = "name",
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    exact: Exact = False,
) -> Response:
    """The list: filtered, searched, sorted, page by page."""
    error, found = None, Listing[queries.Row]([])
    try:
        with attempt(session):
            found = queries.page(
                session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=ROWS, exact=exact
            )
    except WaymarkError as refused:
        error = refused

    def link(**changes: object) -> str:
        kept = {"filter": filter, "q": search, "sort": sort if sort != "name" else None} | changes
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/contacts?{query}" if query else "/contacts"

    return render(
        request,
        "contacts/list.html",
        scope,
        status=int(error.status) if error else 200,
        found=found,
        filter=filter or "",
        search=search or "",
        sort=sort,
        first=first,
        terms=[(label, term, filter == term) for label, term in TERMS],
        known=scope.askable("contact", known(session)).values(),
        role_words=dict(own.picklist(session, "contact_role")),
        link=link,
        query=urlencode({name: value for name, value in (("filter", filter), ("q", search)) if value}),
        error=error,
        restorable=request.query_params.get("deleted"),
    )


def form_values(contact: Contact) -> dict[str, Any]:
    """A contact as the form shows it."""
    names = (*FIELDS, "phones", "mails", "do_not_contact", "custom", "owner_id")
    values = {name: getattr(contact, name) for name in names}
    return values | {"languages": ", ".join(contact.languages)}


def sent_contact(session: Session, sent: FormData) -> dict[str, Any]:
    """What the form says of a contact, without fields for which the other person's value was chosen."""
    values: dict[str, Any] = given(sent, (*FIELDS, "owner_id"))
    for name in ("phones", "mails"):
        labels, entries = sent.getlist(f"{name}.label"), sent.getlist(name)
        if entries:
            pairs = zip(labels, entries, strict=False)
            values[name] = [{"label": str(label), "value": str(value)} for label, value in pairs if str(value).strip()]
    if "has_refusal" in sent:
        values["do_not_contact"] = "do_not_contact" in sent
    values |= sent_own(sent, own.fields_of(session, "contact"))
    return {name: value for name, value in values.items() if sent.get(f"choose-{name}") != "theirs"}


def form_page(
    request: Request,
    scope: Scope,
    session: Session,
    template: str,
    values: dict[str, Any],
    *,
    error: WaymarkError | None = None,
    **more: Any,
) -> Response:
    """The form of a contact, new or there; a clash shows both values of each field."""
    clashes = {}
    if isinstance(error, PreconditionFailed):
        clashes = {clash["field"]: clash for clash in error.details.get("conflicts", [])}
        more["rev"] = error.details.get("rev", more.get("rev"))
    people = people_of(session, scope, Role.REP, Role.MANAGER)
    return render(
        request,
        template,
        scope,
        status=int(error.status) if error else 200,
        values=values,
        own_fields=own.fields_of(session, "contact"),
        roles=own.picklist(session, "contact_role"),
        people_choices=people,
        lines=LINES,
        error=error,
        clashes=clashes,
        **more,
    )


def empty_values() -> dict[str, Any]:
    """The form of a new contact."""
    return dict.fromkeys(FIELDS) | {"phones": [], "mails": [], "do_not_contact": False, "custom": {}, "owner_id": None}


@router.get("/new")
def show_new(request: Request, scope: WriteContacts, session: Db, account_id: UUID | None = None) -> Response:
    """The form of a new contact, perhaps at an account."""
    at = accounts.detail(session, scope, account_id) if account_id else None
    values = empty_values() | {"account": written(at.account) if at else "", "chosen_roles": []}
    return form_page(request, scope, session, "contacts/new.html", values)


@router.post("/new")
def create(request: Request, scope: WriteContacts, session: Db, sent: Sent) -> Response:
    """Take a person in."""
    values = sent_contact(session, sent)
    try:
        with attempt(session):
            account_id = account_named(session, scope, text(sent, "account"), field="account")
            link = {"roles": sent.getlist("roles"), "is_primary": "is_primary" in sent}
            places = [NewPlace(account_id, link)] if account_id else []
            contact = service.create(session, scope, values, places)
    except WaymarkError as error:
        session.expire_all()
        shown = empty_values() | values | {"custom": nested(values), "account": text(sent, "account") or ""}
        return form_page(
            request, scope, session, "contacts/new.html", shown | {"chosen_roles": sent.getlist("roles")}, error=error
        )
    return go(f"/contacts/{contact.id}")


@router.post("/vcards")
def take_cards(
    request: Request,
    scope: WriteContacts,
    session: Db,
    file: UploadFile,
    account_id: Annotated[str, Form()] = "",
    account: Annotated[str, Form()] = "",
) -> Response:
    """Take a file of vCards in; says what came of each card. `account` is typed, for cards whose company is none."""
    error, taken = None, None
    try:
        with attempt(session):
            at = id_of(account_id, "account_id")
            otherwise = account_named(session, scope, account.strip(), field="account")
            content = file.file.read(vcards.MOST_BYTES + 1)
            taken = vcards.take_in(session, scope, content, account_id=at, otherwise_id=otherwise)
    except WaymarkError as refused:
        error = refused
    return render(
        request, "contacts/cards.html", scope, status=int(error.status) if error else 200, taken=taken, error=error
    )


@router.get("/{contact_id}")
def show_contact(request: Request, contact_id: UUID, scope: ReadContacts, session: Db) -> Response:
    """One person in full."""
    return contact_page(request, scope, session, contact_id)


def contact_page(
    request: Request, scope: Scope, session: Session, contact_id: UUID, error: WaymarkError | None = None
) -> Response:
    """The page, with what was refused, and with others that somebody looks for to merge."""
    if (held := session.get(Contact, contact_id)) is not None and held.merged_into is not None:
        return go(f"/contacts/{held.merged_into}")
    contact = queries.find(session, scope, contact_id)
    [row] = queries.with_places(session, scope, [contact])
    log = consent.log_of(session, contact_id)
    family = session.scalars(queries.family(contact_id)).all()
    changes = history(session, "contact", family, limit=60)
    changes = [one for one in changes if scope.asks("contact", one.field)]
    names = queries.names_of(session, [one.recorded_by for one in log] + [one.actor for one in changes])
    may_write, words = may_change(session, scope, contact_id), words_for_another(request)
    return render(
        request,
        "contacts/detail.html",
        scope,
        status=int(error.status) if error else 200,
        contact=contact,
        places=row.places,
        log=log,
        answers=[(*asked, consent.may_contact(session, contact, *asked)) for asked in ASKED],
        names=names,
        changes=[one for one in changes if one.field not in DERIVED],
        own_fields=own.fields_of(session, "contact"),
        told=Told(session, language_of(request, scope), ("contact",)),
        roles=own.picklist(session, "contact_role"),
        role_words=dict(own.picklist(session, "contact_role")),
        channels=list(Channel),
        purposes=list(Purpose),
        hows=[How.CALL, How.MAIL, How.PAPER, How.FORM],
        alike=duplicates.alike(session, scope, contact),
        words=words,
        others=other_contacts(session, scope, contact_id, words) if may_write else [],
        merges=merges_into(session, CONTACTS, contact),
        may_write=may_write,
        refused=refused.waiting(session, scope, family),
        conflicts=conflicts.waiting_at(session, scope, contact_id),
        error=error,
    )


@router.get("/{contact_id}/story")
def show_story(request: Request, contact_id: UUID, scope: ReadContacts, session: Db, cursor: Cursor = None) -> Response:
    """A fragment: what happened with a person, across accounts."""
    found = people.page(session, scope, contact_id, cursor=cursor, limit=20)
    return render(
        request,
        "contacts/story.html",
        scope,
        contact_id=contact_id,
        story=found,
        is_first=cursor is None,
        at_accounts=people.names_of(session, found.entries),
        chips_of=CHIPS,
        day_of=lambda entry: day_of(entry, scope),
        with_mentions=with_mentions,
    )


ASKED = tuple((channel, Purpose.MARKETING) for channel in Channel)
"""What the page answers at a glance."""
DERIVED = ("phone_numbers", "mail_addresses")


def may_change(session: Session, scope: Scope, contact_id: UUID) -> bool:
    """Whether somebody may edit a contact."""
    if not scope.may("contacts:write"):
        return False
    statement = queries.visible_to(scope, "contacts:write").where(Contact.id == contact_id)
    return session.scalars(statement).one_or_none() is not None


@router.get("/{contact_id}/edit")
def show_edit(request: Request, contact_id: UUID, scope: WriteContacts, session: Db) -> Response:
    """The form in place of the facts; opened by its address, within the contact's page."""
    contact = queries.find(session, scope, contact_id)
    if "hx-request" not in request.headers:
        return go(f"/contacts/{contact_id}?edit=1")
    values = form_values(contact)
    return form_page(request, scope, session, "contacts/edit.html", values, contact=contact, rev=contact.rev)


@router.post("/{contact_id}/edit")
def edit(
    request: Request, contact_id: UUID, scope: WriteContacts, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change a contact that was seen at a revision; what others changed meanwhile is merged."""
    changes = sent_contact(session, sent)
    try:
        with attempt(session):
            service.edit(session, scope, contact_id, rev, changes)
    except WaymarkError as error:
        session.expire_all()
        contact = queries.find(session, scope, contact_id)
        values = form_values(contact) | changes | {"custom": contact.custom | nested(changes)}
        return form_page(request, scope, session, "contacts/edit.html", values, error=error, contact=contact, rev=rev)
    return Response(status_code=204, headers={"HX-Redirect": f"/contacts/{contact_id}"})


def tried(request: Request, scope: Scope, session: Session, contact_id: UUID, back: str | None = None) -> "Trial":
    """Something that is done on a contact's page and, when refused, is said there."""
    return Trial(request, scope, session, contact_id, back)


class Trial:
    """Runs a change; goes back to where it came from, or shows why not."""

    def __init__(self, request: Request, scope: Scope, session: Session, contact_id: UUID, back: str | None) -> None:
        self.request, self.scope, self.session, self.contact_id, self.back = request, scope, session, contact_id, back

    def run(self, change: Any) -> Response:
        """Run it."""
        try:
            with attempt(self.session):
                change()
        except WaymarkError as error:
            self.session.expire_all()
            return contact_page(self.request, self.scope, self.session, self.contact_id, error)
        local = self.back and self.back.startswith(("/accounts/", "/contacts/"))
        return go(self.back if local and self.back else f"/contacts/{self.contact_id}")


@router.post("/{contact_id}/places")
def save_place(request: Request, contact_id: UUID, scope: WriteContacts, session: Db, sent: Sent) -> Response:
    """Say where a person is, or change what they are there."""

    def change() -> None:
        values: dict[str, Any] = {"roles": sent.getlist("roles"), "is_primary": "is_primary" in sent}
        values |= {name: text(sent, name) for name in ("since", "until") if name in sent}
        if link_id := read(sent, "link_id", UUID):
            service.edit_link(session, scope, link_id, read(sent, "rev", int) or 0, values)
            return
        account_id = account_named(session, scope, text(sent, "account"), field="account")
        if account_id is None:
            raise Invalid("No account is chosen.", help="Write its name or number.", field="account")
        service.link(session, scope, contact_id, account_id, values)

    return tried(request, scope, session, contact_id, text(sent, "back")).run(change)


@router.post("/{contact_id}/places/{link_id}/remove")
def take_off(
    request: Request, contact_id: UUID, link_id: UUID, scope: WriteContacts, session: Db, sent: Sent
) -> Response:
    """Take a person off an account."""
    trial = tried(request, scope, session, contact_id, text(sent, "back"))
    return trial.run(lambda: service.unlink(session, scope, link_id))


@router.post("/{contact_id}/consents")
def note_consent(request: Request, contact_id: UUID, scope: WriteContacts, session: Db, sent: Sent) -> Response:
    """Write down what a person said."""

    def change() -> None:
        contact = queries.find(session, scope, contact_id, "contacts:write")
        try:
            said = Said(
                channel=Channel(text(sent, "channel") or ""),
                purpose=Purpose(text(sent, "purpose") or ""),
                state=ConsentState(text(sent, "state") or ""),
                how=How(text(sent, "how") or ""),
                wording=text(sent, "wording"),
                note=text(sent, "note"),
            )
        except ValueError as error:
            raise Invalid("The form is not one of ours.", help="Reload the page.") from error
        consent.note_consent(session, contact, said, by=scope.user_id)

    return tried(request, scope, session, contact_id).run(change)


@router.post("/{contact_id}/delete")
def delete(contact_id: UUID, scope: WriteContacts, session: Db, rev: Annotated[int, Form()]) -> Response:
    """Take a contact away; the list offers to bring it back."""
    service.delete(session, scope, contact_id, rev)
    return go(f"/contacts?deleted={contact_id}")


@router.post("/{contact_id}/restore")
def restore(contact_id: UUID, scope: WriteContacts, session: Db) -> Response:
    """Bring a deleted contact back."""
    service.restore(session, scope, contact_id)
    return go(f"/contacts/{contact_id}")
