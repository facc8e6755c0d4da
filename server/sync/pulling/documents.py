"""What a row looks like on a phone: all keys are always present, null when unknown.

Times are RFC 3339 in UTC, days ISO dates, amounts of money decimal strings, coordinates WGS 84.
"""

from typing import Literal

from pydantic import Field, JsonValue

from server.sync.pulling.record_documents import RECORDS, Document


class Account(Document):
    """An organisation that the company sells to, or wants to."""

    id: str
    number: str | None
    name: str
    account_class: Literal["A", "B", "C"] | None
    status: Literal["prospect", "customer", "former"]
    owner_id: str | None
    interval_days: int | None
    yearly_value: str | None
    yearly_potential: str | None
    currency: str
    phone: str | None
    email: str | None
    website: str | None
    tags: list[str]
    note: str | None
    merged_into: str | None
    custom: dict[str, JsonValue] | None = None
    """Values of the company's own fields by key. Absent from servers before version 0.3."""
    last_visit_on: str | None = None
    """The day of the latest visit that took place. Absent from servers before schema 3, as the next two."""
    created_on: str | None = None
    """The day on which the account became known: one that was never visited is due from then on."""
    preferred_time: Literal["morning", "midday", "afternoon", "evening"] | None = None
    """When on a day somebody likes to be visited."""


class Cadence(Document):
    """How often accounts of a class are visited, where somebody has set it: in the company, or by one person."""

    id: str
    user_id: str | None
    """Of the accounts that this person owns; null: the company's."""
    account_class: Literal["A", "B", "C"]
    interval_days: int


class Site(Document):
    """A physical place of an account."""

    id: str
    account_id: str
    name: str | None
    is_main: bool
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    lon: float | None
    lat: float | None
    grade: str | None
    uncertainty_m: float | None
    geocode_reason: str | None = None
    """Absent from servers before version 0.2, as the next."""
    provider: str | None = None
    opening_hours: str | None
    service_s: int
    territory_id: str | None
    custom: dict[str, JsonValue] | None = None
    """Absent from servers before version 0.3."""


class CheckIn(Document):
    """Where a visit was checked in, and how that was judged."""

    lon: float | None
    lat: float | None
    accuracy_m: float | None
    distance_m: float | None
    verification: str


class Visit(Document):
    """One visit of one rep."""

    id: str
    account_id: str
    site_id: str | None
    rep_id: str
    day: str
    zone: str
    state: Literal["planned", "en_route", "checked_in", "done", "missed", "cancelled"]
    appointment: Literal["fixed", "flexible_day", "flexible_week"] | None
    objective: str | None
    outcome: str | None
    note: str | None
    planned_start_at: str | None
    planned_end_at: str | None
    checked_in_at: str | None
    done_at: str | None
    checkin: CheckIn | None
    flags: list[str]
    visit_type_id: str | None = None
    """Absent from servers before version 0.3, as the next three."""
    form_version_id: str | None = None
    answers: dict[str, JsonValue] | None = None
    signed_by: str | None = None


class PinProposal(Document):
    """A better place for a site that this user has proposed, and what became of it."""

    id: str
    account_id: str
    site_id: str
    lon: float
    lat: float
    moved_m: float | None
    accuracy_m: float | None
    note: str | None
    state: Literal["open", "accepted", "refused", "withdrawn"]
    answer: str | None
    proposed_at: str
    decided_at: str | None


class Place(Document):
    """Where a route starts or ends."""

    name: str
    lon: float
    lat: float


class Route(Document):
    """A rep's day."""

    id: str
    plan_id: str
    rep_id: str
    day: str
    zone: str
    start: Place
    end: Place
    leaves_at: str
    returns_at: str
    drive_s: int
    distance_m: int
    estimated: bool
    polylines: list[str]
    break_starts_at: str | None = None
    """When the plan takes the break. Absent from servers before version 0.4, as the next two."""
    break_s: int | None = None
    closes_at: str | None = None
    """When the rep is to be back at the latest, overtime included."""


class Stop(Document):
    """A visit on a route."""

    id: str
    route_id: str
    visit_id: str | None
    account_id: str
    site_id: str
    position: int
    arrives_at: str
    starts_at: str
    ends_at: str
    drive_s: int
    distance_m: int
    estimated: bool
    why: str
    entry_lon: float | None = None
    """Where the car stops. Absent from servers before version 0.2, as the next three."""
    entry_lat: float | None = None
    walk_m: float | None = None
    cautions: list[str] = Field(default=[])


class UserPublic(Document):
    """What everybody may know of a colleague."""

    id: str
    name: str
    role: str


class Choice(Document):
    """One value of a picklist."""

    value: str
    label: str


class Picklist(Document):
    """The values that a field of a form offers."""

    id: str
    name: str
    values: list[Choice]


class Territory(Document):
    """An area that somebody works."""

    id: str
    name: str
    colour: str
    outline: JsonValue


class TrackFix(Document):
    """Where the rep was."""

    at: str
    lon: float
    lat: float
    accuracy_m: float


class Track(Document):
    """A piece of the reader's own way, or that it was not recorded from there on."""

    id: str
    rep_id: str
    day: str
    kind: Literal["way", "pause", "resume"]
    at: str
    fixes: list[TrackFix]


class Prospect(Document):
    """A firm of open data in the rep's ground that is neither a customer nor a lead."""

    id: str
    name: str
    kind: str
    """`shop=bakery`"""
    kind_words: dict[str, str]
    """What people call the kind, by language (`en`, `de`)."""
    street: str | None
    postcode: str | None
    city: str | None
    phone: str | None
    opening_hours: str | None
    lon: float
    lat: float
    credit: str
    """Whose data it is; to be shown with it."""


DOCUMENTS: dict[str, type[Document]] = {
    "user_public": UserPublic,
    "picklist": Picklist,
    "territory": Territory,
    **RECORDS,
    "cadence": Cadence,
    "account": Account,
    "site": Site,
    "visit": Visit,
    "pin_proposal": PinProposal,
    "route": Route,
    "stop": Stop,
    "track": Track,
    "prospect": Prospect,
}
"""The document of each entity."""
