"""Wire shapes of accounts and sites."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from geo.types import Fix, LonLat
from server.accounts.models import Site
from server.accounts.queries import Row
from server.accounts.reasons import in_words
from server.auth.veil import Veiled

Lon = Annotated[float, Field(ge=-180, le=180, description="Degrees east.")]
Lat = Annotated[float, Field(ge=-90, le=90, description="Degrees north.")]


class Read(BaseModel):
    """Base of what is read from tables."""

    model_config = ConfigDict(from_attributes=True)


class Write(BaseModel):
    """Base of what people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


Custom = Annotated[
    dict[str, Any],
    Field(description="The company's own fields by key; see /api/v1/fields.", examples=[{"loyalty_points": 120}]),
]


def flattened(given: dict[str, Any]) -> dict[str, Any]:
    """Values as the editor of a record wants them: own fields as `custom.<key>`."""
    own = given.pop("custom", None) or {}
    return given | {f"custom.{key}": value for key, value in own.items()}


class SiteRead(Read):
    """A place of an account."""

    id: UUID
    account_id: UUID
    name: str | None
    is_main: bool
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    lon: float | None
    lat: float | None
    pin_state: str
    grade: str | None
    uncertainty_m: float | None
    confidence: float | None
    geocode_reason: str | None = Field(description="Why the pin is where it is, or why there is none: a code.")
    reason: str | None = Field(description="The same in words.")
    provider: str | None = Field(description="Who placed the pin: a geocoder, import, hand or checkins.")
    opening_hours: str | None
    service_s: int
    territory_id: UUID | None
    custom: Custom
    rev: int

    @classmethod
    def of(cls, site: Site) -> "SiteRead":
        """A stored site."""
        point: Any = None if site.pin is None else to_shape(site.pin)
        made = {"lon": point.x if point else None, "lat": point.y if point else None}
        made |= {"reason": in_words(site.geocode_reason)}
        names = [name for name in cls.model_fields if name not in made]
        return cls(**made, **{name: getattr(site, name) for name in names})


class AccountListed(Veiled, Read):
    """An account in a list, with its main site's place."""

    veil_of = "account"

    id: UUID
    number: str | None
    name: str
    account_class: str | None
    status: str
    kind: str | None = Field(description="Kind of firm (shop=bakery): said, else by map or name.")
    owner_id: UUID | None
    owner_name: str | None
    territory_id: UUID | None
    territory_name: str | None
    yearly_value: Decimal | None
    yearly_potential: Decimal | None
    currency: str
    phone: str | None
    tags: list[str]
    parent_id: UUID | None = Field(description="The account that it belongs to.")
    custom: Custom
    interval_days: int | None = Field(description="The account's own or its class's.")
    last_visit_on: date | None
    overdue_days: int | None = Field(description="Days since a visit is due; negative while there is time.")
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    lon: float | None
    lat: float | None
    grade: str | None
    uncertainty_m: float | None
    geocode_reason: str | None
    provider: str | None
    pin_state: str | None
    drive_s: int | None = Field(default=None, description="Seconds of the drive that the filter's `within` asks for.")
    drive_estimated: bool = Field(default=False, description="A straight-line estimate, not a road.")
    rev: int

    @classmethod
    def of(cls, row: Row) -> "AccountListed":
        """A row of a list."""
        return cls(**listed(row))


LISTED = (
    "id",
    "number",
    "name",
    "account_class",
    "status",
    "owner_id",
    "territory_id",
    "yearly_value",
    "yearly_potential",
    "currency",
    "phone",
    "tags",
    "parent_id",
    "custom",
    "last_visit_on",
    "rev",
)
LISTED_OF_SITE = (
    "street",
    "postcode",
    "city",
    "country",
    "grade",
    "uncertainty_m",
    "geocode_reason",
    "provider",
    "pin_state",
)
LISTED_BESIDE = ("kind", "owner_name", "territory_name", "overdue_days", "interval_days", "lon", "lat")
DETAILS = (
    "email",
    "website",
    "phone_e164",
    "note",
    "territory_is_fixed",
    "merged_into",
    "preferred_days",
    "preferred_time",
    "preferred_channel",
    "language",
    "preferred_rep_id",
    "by_appointment",
    "created_at",
    "updated_at",
)


def listed(row: Row) -> dict[str, Any]:
    """The values of a list's row."""
    return (
        {name: getattr(row.account, name) for name in LISTED}
        | {name: getattr(row.site, name, None) for name in LISTED_OF_SITE}
        | {name: getattr(row, name) for name in LISTED_BESIDE}
        | ({"drive_s": row.trip.drive_s, "drive_estimated": row.trip.is_estimated} if row.trip else {})
    )


class AccountRead(AccountListed):
    """An account with all its fields and sites."""

    own_interval_days: int | None = Field(description="Null: what the class says.")
    kind_source: str | None = Field(description="Who says the kind: said (people), map (open data) or name.")
    email: str | None
    website: str | None
    phone_e164: str | None
    note: str | None
    territory_is_fixed: bool
    merged_into: UUID | None
    preferred_days: list[str] = Field(description="Days on which visits are welcome: mo to su; empty: any.")
    preferred_time: str | None = Field(description="morning, midday, afternoon or evening.")
    preferred_channel: str | None = Field(description="visit, phone, mail, sms or post.")
    language: str | None
    preferred_rep_id: UUID | None = Field(description="Whom the customer asked for: comes if that rep may go.")
    by_appointment: bool = Field(description="Visits only at a time that was agreed.")
    rep_ids: list[UUID] = Field(description="Reps to whom the account is assigned by hand.")
    created_at: datetime
    updated_at: datetime
    sites: list[SiteRead]

    @classmethod
    def with_sites(cls, row: Row, sites: Iterable[Site], rep_ids: list[UUID]) -> "AccountRead":
        """One account in full."""
        return cls(
            **listed(row),
            **{name: getattr(row.account, name) for name in DETAILS},
            own_interval_days=row.account.interval_days,
            kind_source=row.kind_source,
            rep_ids=rep_ids,
            sites=[SiteRead.of(site) for site in sites],
        )


class AccountFields(Write):
    """The fields of an account that people edit; fields left out stay."""

    number: str | None = None
    name: str | None = None
    account_class: str | None = Field(default=None, description="A, B or C.")
    status: str | None = Field(default=None, description="prospect, customer or former.")
    kind: str | None = Field(
        default=None, description="Kind of firm: shop=bakery, or a word such as Bakery; null: as it is guessed."
    )
    owner_id: UUID | None = None
    interval_days: int | None = Field(default=None, description="Days between visits; null: what the class says.")
    yearly_value: Decimal | None = None
    yearly_potential: Decimal | None = None
    currency: str | None = Field(default=None, description="ISO 4217.")
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    tags: list[str] | None = None
    note: str | None = None
    territory_id: UUID | None = None
    territory_is_fixed: bool | None = None
    parent_id: UUID | None = Field(default=None, description="The account that it belongs to.")
    preferred_days: list[str] | None = Field(default=None, examples=[["tu", "th"]])
    preferred_time: str | None = Field(default=None, description="morning, midday, afternoon or evening.")
    preferred_channel: str | None = Field(default=None, description="visit, phone, mail, sms or post.")
    language: str | None = Field(default=None, description="ISO 639-1.")
    preferred_rep_id: UUID | None = Field(default=None, description="Whom the customer asked for; null: nobody.")
    by_appointment: bool | None = Field(default=None, description="Visits only at a time that was agreed.")
    custom: Custom | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        names = self.model_fields_set & set(AccountFields.model_fields)
        return flattened({name: getattr(self, name) for name in names})


class SiteFields(Write):
    """The fields of a site that people edit; fields left out stay."""

    name: str | None = None
    street: str | None = Field(default=None, description="With the house number, as people write it.")
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    opening_hours: str | None = Field(default=None, description="OpenStreetMap syntax.")
    service_s: int | None = Field(default=None, description="Planned length of a visit in seconds.")
    custom: Custom | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        return flattened({name: getattr(self, name) for name in self.model_fields_set})


class SiteCreate(SiteFields):
    """A new site; with a point, its pin is set by hand."""

    lon: float | None = None
    lat: float | None = None


class AccountCreate(AccountFields):
    """A new account; its first site is the main one."""

    name: str
    sites: list[SiteCreate] = Field(default=[], max_length=100)
    rep_ids: list[UUID] = Field(default=[], max_length=100)


class PinWrite(Write):
    """A pin set by hand."""

    lon: float
    lat: float


class RevisionWrite(Write):
    """A revision to go back to."""

    rev: int


class FollowWrite(Write):
    """Whether somebody is told of what happens at an account."""

    follows: bool


class TagsWrite(Write):
    """Tags to add and to remove."""

    add: list[str] = Field(default=[], max_length=50)
    remove: list[str] = Field(default=[], max_length=50)


class RepsWrite(Write):
    """Reps to whom an account is assigned by hand."""

    rep_ids: list[UUID] = Field(max_length=100)


class CandidateRead(Read):
    """An account that may be the same."""

    account_id: UUID
    number: str | None
    name: str
    street: str | None
    city: str | None
    score: float = Field(description="0 to 1.")
    name_similarity: float
    same_phone: bool
    same_address: bool
    distance_m: float | None
    reasons: list[str]


class Change(Read):
    """One changed field in an account's history; `*` stands for its creation."""

    entity: str
    row_id: UUID
    rev: int
    field: str
    old: Any
    new: Any
    actor: UUID | None
    source: str
    at: datetime


class FieldRead(BaseModel):
    """A field of the filter language."""

    name: str
    kind: str
    label: str
    choices: list[str]


class FixWrite(Write):
    """One reading of a phone's position."""

    lon: Lon
    lat: Lat
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)]
    fix_at: AwareDatetime | None = None
    mock: bool = False

    def as_fix(self) -> Fix:
        """The reading as the rules want it."""
        return Fix(LonLat(self.lon, self.lat), self.accuracy_m, self.fix_at, self.mock)
