"""Wire shapes of accounts and sites."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from pydantic import BaseModel, ConfigDict, Field

from server.accounts.models import Site
from server.accounts.queries import Row

Lon = Annotated[float, Field(ge=-180, le=180, description="Degrees east.")]
Lat = Annotated[float, Field(ge=-90, le=90, description="Degrees north.")]


class Read(BaseModel):
    """Base of what is read from tables."""

    model_config = ConfigDict(from_attributes=True)


class Write(BaseModel):
    """Base of what people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


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
    geocode_reason: str | None
    provider: str | None
    opening_hours: str | None
    service_s: int
    territory_id: UUID | None
    rev: int

    @classmethod
    def of(cls, site: Site) -> "SiteRead":
        """A stored site."""
        point: Any = None if site.pin is None else to_shape(site.pin)
        place = {"lon": point.x if point else None, "lat": point.y if point else None}
        names = [name for name in cls.model_fields if name not in place]
        return cls(**place, **{name: getattr(site, name) for name in names})


class AccountListed(Read):
    """An account in a list, with its main site's place."""

    id: UUID
    number: str | None
    name: str
    account_class: str | None
    status: str
    owner_id: UUID | None
    owner_name: str | None
    territory_id: UUID | None
    territory_name: str | None
    yearly_value: Decimal | None
    yearly_potential: Decimal | None
    currency: str
    phone: str | None
    tags: list[str]
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
    pin_state: str | None
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
    "last_visit_on",
    "rev",
)
LISTED_OF_SITE = ("street", "postcode", "city", "country", "grade", "uncertainty_m", "pin_state")
LISTED_BESIDE = ("owner_name", "territory_name", "overdue_days", "interval_days", "lon", "lat")
DETAILS = (
    "email",
    "website",
    "phone_e164",
    "note",
    "territory_is_fixed",
    "merged_into",
    "created_at",
    "updated_at",
)


def listed(row: Row) -> dict[str, Any]:
    """The values of a list's row."""
    return (
        {name: getattr(row.account, name) for name in LISTED}
        | {name: getattr(row.site, name, None) for name in LISTED_OF_SITE}
        | {name: getattr(row, name) for name in LISTED_BESIDE}
    )


class AccountRead(AccountListed):
    """An account with all its fields and sites."""

    own_interval_days: int | None = Field(description="Null: what the class says.")
    email: str | None
    website: str | None
    phone_e164: str | None
    note: str | None
    territory_is_fixed: bool
    merged_into: UUID | None
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
            rep_ids=rep_ids,
            sites=[SiteRead.of(site) for site in sites],
        )


class AccountFields(Write):
    """The fields of an account that people edit; fields left out stay."""

    number: str | None = None
    name: str | None = None
    account_class: str | None = Field(default=None, description="A, B or C.")
    status: str | None = Field(default=None, description="prospect, customer or former.")
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

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        names = self.model_fields_set & set(AccountFields.model_fields)
        return {name: getattr(self, name) for name in names}


class SiteFields(Write):
    """The fields of a site that people edit; fields left out stay."""

    name: str | None = None
    street: str | None = Field(default=None, description="With the house number, as people write it.")
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    opening_hours: str | None = Field(default=None, description="OpenStreetMap syntax.")
    service_s: int | None = Field(default=None, description="Planned length of a visit in seconds.")

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        return {name: getattr(self, name) for name in self.model_fields_set}


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
