"""What the records beside accounts and visits look like on a phone: people, tickets, deals, the agenda, orders, leads,
and the catalogue. The rules are those of `documents.py`; what is hidden from a role is null.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class Document(BaseModel):
    """A row document."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CustomField(Document):
    """A field of the company's own."""

    id: str
    object: str
    key: str
    label: str
    kind: str
    section: str | None
    position: int
    help: str | None
    unit: str | None
    choices: list[JsonValue]
    archived: bool
    required: bool = False
    """Absent from servers before schema 5, as the next three."""
    minimum: str | None = None
    """Of numbers and amounts, as decimal text."""
    maximum: str | None = None
    pattern: str | None = None
    """Regular expression that a text must match as a whole."""


class VisitType(Document):
    """A kind of visit, and what is asked there as it stands now."""

    id: str
    name: str
    service_s: int | None
    position: int
    archived: bool
    form_version_id: str | None
    questions: list[JsonValue]


class ListedPrice(Document):
    """What one unit costs in a list from a quantity on."""

    price_list_id: str
    min_quantity: str
    unit_price: str


class Product(Document):
    """Something the company sells, with its prices in all lists."""

    id: str
    number: str
    name: str
    description: str | None
    category: str | None
    unit: str
    pack_size: str | None
    min_quantity: str
    quantity_step: str
    is_active: bool
    successor_id: str | None
    ean: str | None
    prices: list[ListedPrice]


class PriceList(Document):
    """Prices in a currency for some days."""

    id: str
    name: str
    currency: str
    is_gross: bool
    valid_from: str | None
    valid_to: str | None
    base_id: str | None
    percent: str


class PriceListUse(Document):
    """Whom a price list is for; all three empty: everybody."""

    id: str
    price_list_id: str
    account_id: str | None
    account_class: str | None
    territory_id: str | None


class Reached(Document):
    """A phone number or a mail address."""

    label: str | None = None
    value: str


class Contact(Document):
    """A person."""

    id: str
    prefix: str | None
    first_name: str | None
    last_name: str | None
    title: str | None
    languages: list[str]
    phones: list[Reached] | None
    mails: list[Reached] | None
    birthday: str | None
    note: str | None
    do_not_contact: bool
    custom: dict[str, JsonValue]


class ContactAccount(Document):
    """What a person is at an account."""

    id: str
    contact_id: str
    account_id: str
    site_id: str | None
    roles: list[str]
    is_primary: bool
    until: str | None


class Ticket(Document):
    """Something that a customer asks for or complains about, as long as it is not solved."""

    id: str
    number: int
    account_id: str | None
    site_id: str | None
    contact_id: str | None
    subject: str
    state: Literal["new", "open", "waiting_customer", "waiting_us"]
    priority: Literal["low", "normal", "high", "urgent"]
    queue: str
    assignee_id: str | None
    requester_name: str | None
    opened_at: str
    solve_due_at: str | None


class Opportunity(Document):
    """An open deal and its next step."""

    id: str
    account_id: str
    site_id: str | None
    contact_id: str | None
    owner_id: str | None
    name: str
    stage: str
    amount: str | None
    currency: str
    close_on: str
    next_step: str | None
    next_step_on: str | None
    note: str | None


class Activity(Document):
    """A task, a call or a meeting. Of what is private others see that somebody is busy: no subject."""

    id: str
    kind: Literal["task", "call", "meeting"]
    account_id: str | None
    site_id: str | None
    contact_id: str | None
    owner_id: str
    participant_ids: list[str]
    subject: str | None
    note: str | None
    starts_at: str | None
    ends_at: str | None
    is_all_day: bool
    zone: str
    due_on: str | None
    effort_s: int | None
    place: str | None
    state: Literal["open", "done", "cancelled"]
    priority: Literal["low", "normal", "high"]
    outcome: str | None
    rrule: str | None
    done_at: str | None


class OrderLine(Document):
    """One line of a quote or an order."""

    id: str
    product_id: str | None
    text: str
    quantity: str
    unit: str
    unit_price: str
    is_gross: bool
    discount_percent: str
    amount: str


class Order(Document):
    """A quote, an order or a credit note with its lines."""

    id: str
    account_id: str
    site_id: str | None
    kind: Literal["quote", "order", "credit"]
    state: str
    number: str | None
    owner_id: str | None
    day: str
    currency: str
    net: str
    tax: str
    gross: str
    wanted_on: str | None
    reference: str | None
    note: str | None
    lines: list[OrderLine]


class Lead(Document):
    """Somebody who may become a customer, as long as nothing is decided."""

    id: str
    company: str | None
    person: str | None
    phones: list[str] | None
    emails: list[str] | None
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    lon: float | None
    lat: float | None
    uncertainty_m: float | None
    source: str
    state: str
    score: int | None
    owner_id: str | None
    territory_id: str | None
    note: str | None


class Attachment(Document):
    """A photo or a file of something at an account. Its content is fetched by its hash once it is here."""

    id: str
    account_id: str
    owner: Literal["account", "visit", "note", "ticket", "order"]
    owner_id: str
    kind: Literal["photo", "signature", "document"]
    name: str
    mime: str
    size: int
    sha256: str
    thumbnail_sha256: str | None
    width: int | None
    height: int | None
    taken_at: str
    made_by: str | None
    is_here: bool


class Note(Document):
    """What somebody wrote down about an account; of a long one the first 2,000 characters."""

    id: str
    account_id: str
    author_id: str | None
    text: str
    is_pinned: bool
    written_at: str


class Mail(Document):
    """A mail that came from or went to somebody at an account, and how it begins: 500 characters of it. Of a private
    one others get no subject, sender and text. It is sent to apps from schema 4 on, as the next."""

    id: str
    account_id: str
    owner_id: str
    direction: Literal["in", "out"] | None
    subject: str | None
    sender: str | None
    text: str | None
    at: str


class StageChange(Document):
    """A step of a deal from stage to stage, and what the new stage means."""

    id: str
    account_id: str
    opportunity_id: str
    deal: str
    from_stage: str | None
    """Null: the deal was new."""
    to_stage: str
    state: Literal["open", "won", "lost"]
    by: str | None
    """Null: Waymark itself."""
    at: str


RECORDS: dict[str, type[Document]] = {
    "custom_field": CustomField,
    "visit_type": VisitType,
    "product": Product,
    "price_list": PriceList,
    "price_list_use": PriceListUse,
    "contact": Contact,
    "contact_account": ContactAccount,
    "ticket": Ticket,
    "opportunity": Opportunity,
    "activity": Activity,
    "order": Order,
    "lead": Lead,
    "attachment": Attachment,
    "note": Note,
    "mail": Mail,
    "stage_change": StageChange,
}
"""The document of each entity."""
