"""Wire shapes of leads."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from server.accounts.reasons import in_words
from server.accounts.schemas import Lat, Lon, Read, Write
from server.auth.veil import Veiled
from server.leads.models import LeadSource, LeadState, LostReason, SignalKind
from server.leads.queries import Handing, Row, Signal
from server.leads.resembling import LikeLead
from server.leads.wording import because, reasons


class LeadFields(Write):
    """The fields of a lead that people edit; what is left out stays."""

    number: str | None = Field(default=None, description="The key of another program.")
    company: str | None = None
    person: str | None = None
    phones: list[str] | None = Field(default=None, max_length=50)
    emails: list[str] | None = Field(default=None, max_length=50)
    website: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    campaign: str | None = None
    utm: dict[str, str] | None = Field(default=None, description="utm_source, utm_medium, utm_campaign, ...")
    referrer: str | None = None
    message: str | None = None
    expected_value: Decimal | None = Field(default=None, description="A year.")
    currency: str | None = Field(default=None, description="ISO 4217.")
    note: str | None = None
    owner_id: UUID | None = None

    def given(self) -> dict[str, Any]:
        """Only what was sent."""
        return {name: getattr(self, name) for name in self.model_fields_set if name in LeadFields.model_fields}


class LeadCreate(LeadFields):
    """A new lead."""

    id: UUID | None = Field(default=None, description="Made by a phone; the same id twice is one lead.")
    source: LeadSource = LeadSource.API
    lon: Lon | None = Field(default=None, description="With lat: where somebody dropped a pin.")
    lat: Lat | None = None
    consent_text: str | None = Field(default=None, max_length=5000, description="What they agreed to.")
    consented_at: datetime | None = None


class LeadListed(Veiled, Read):
    """A lead in a list."""

    veil_of = "lead"

    id: UUID
    number: str | None
    company: str | None
    person: str | None
    phones: list[str]
    emails: list[str]
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    lon: float | None
    lat: float | None
    pin_state: str
    grade: str | None
    uncertainty_m: float | None
    source: str
    campaign: str | None
    state: LeadState
    reason: LostReason | None
    score: int | None = Field(description="0 to 100: the chance in percent, or the points while there is no model.")
    points: int | None
    chance: float | None
    score_reasons: list[str] = Field(description="In words, the strongest first, with + or - in front.")
    expected_value: Decimal | None
    currency: str
    owner_id: UUID | None
    owner_name: str | None
    territory_id: UUID | None
    territory_name: str | None
    created_at: datetime
    assigned_at: datetime | None
    decided_at: datetime | None
    account_id: UUID | None
    rev: int

    @classmethod
    def of(cls, row: Row) -> "LeadListed":
        """A row of a list."""
        return cls(**listed(row, set(cls.model_fields)))


class LeadRead(LeadListed):
    """One lead in full."""

    website: str | None
    utm: dict[str, str]
    referrer: str | None
    message: str | None
    note: str | None
    consent_text: str | None
    consented_at: datetime | None
    form_id: UUID | None
    reason_note: str | None
    pin_reason: str | None = Field(description="Why the pin is where it is, or why there is none.")
    account_is_new: bool
    contact_id: UUID | None
    opportunity_id: UUID | None

    @classmethod
    def of(cls, row: Row) -> "LeadRead":
        """One lead with its names."""
        return cls(**listed(row, set(cls.model_fields)))


def listed(row: Row, names: set[str]) -> dict[str, Any]:
    """The values of a lead by the names of a shape."""
    made: dict[str, Any] = {
        "owner_name": row.owner_name,
        "territory_name": row.territory_name,
        "lon": row.lon,
        "lat": row.lat,
        "score_reasons": reasons(row.lead.score_reasons),
        "pin_reason": in_words(row.lead.geocode_reason),
    }
    return {name: made[name] if name in made else getattr(row.lead, name) for name in names}


class LeadTaken(LeadRead):
    """What became of a new lead."""

    is_repeat: bool = Field(description="It was there and open already; this is one more signal of it.")
    alike: list["LikeLeadRead"] = Field(description="Leads that may be the same, and that you may see.")


class LikeLeadRead(Read):
    """A lead that may be the same."""

    lead_id: UUID
    name: str
    city: str | None
    state: str
    score: float
    why: list[str]

    @classmethod
    def found(cls, one: LikeLead) -> "LikeLeadRead":
        """From the search."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields if name != "why"}, why=list(one.why))


class LikeAccountRead(BaseModel):
    """An account that may be the same."""

    account_id: UUID
    name: str
    street: str | None
    city: str | None
    score: float
    why: list[str]


class DuplicatesRead(BaseModel):
    """What a lead may be the same as."""

    leads: list[LikeLeadRead]
    accounts: list[LikeAccountRead]


class SignalWrite(Write):
    """A sign of interest."""

    kind: SignalKind
    body: str | None = Field(default=None, max_length=20_000)
    key: str | None = Field(default=None, max_length=200, description="The same one of a kind twice is one signal.")
    facts: dict[str, str] = Field(default={}, max_length=30)
    at: datetime | None = None


class SignalRead(BaseModel):
    """A sign of interest."""

    at: datetime
    kind: str
    body: str | None
    facts: dict[str, Any]
    actor: str | None

    @classmethod
    def of(cls, one: Signal) -> "SignalRead":
        """From the table."""
        made = one.signal
        return cls(at=made.at, kind=made.kind, body=made.body, facts=made.facts, actor=one.actor)


class AssignmentRead(BaseModel):
    """Who got the lead, and why."""

    at: datetime
    user_id: UUID | None
    user_name: str | None
    by: str | None = Field(description="Null: the rules.")
    because: str

    @classmethod
    def of(cls, one: Handing) -> "AssignmentRead":
        """From the table."""
        return cls(at=one.at, user_id=one.user_id, user_name=one.user_name, by=one.by, because=because(one.because))


class StateWrite(Write):
    """Where a lead stands now."""

    state: LeadState
    reason: LostReason | None = Field(default=None, description="For disqualified.")
    note: str | None = Field(default=None, max_length=2000)


class OwnerWrite(Write):
    """Who gets some leads; null: the rules decide again."""

    lead_ids: list[UUID] = Field(max_length=1000)
    owner_id: UUID | None


class GiveUpWrite(Write):
    """Leads that are none."""

    lead_ids: list[UUID] = Field(max_length=1000)
    reason: LostReason
    note: str | None = Field(default=None, max_length=2000)


class Changed(BaseModel):
    """How many rows changed."""

    changed: int


class SaleWrite(Write):
    """The deal that begins with a conversion."""

    close_on: date
    next_step: str = Field(max_length=500)
    next_step_on: date


class ConvertWrite(Write):
    """What a lead becomes."""

    account_id: UUID | None = Field(default=None, description="The account that it belongs to; null: a new one.")
    force: bool = Field(default=False, description="Make a new account although it looks like one that is there.")
    deal: SaleWrite | None = Field(default=None, description="A deal that begins with it; null: none.")


class FieldAsked(Write):
    """A field of a form."""

    name: str
    is_required: bool = False


class FormWrite(Write):
    """A form for other people's pages."""

    name: str = Field(max_length=200)
    title: str = Field(max_length=300)
    fields: list[FieldAsked] = Field(max_length=20)
    consent_text: str | None = Field(default=None, max_length=5000)
    thanks: str = Field(max_length=2000)
    campaign: str | None = Field(default=None, max_length=200)
    language: str = Field(default="en", pattern="^(en|de)$")
    origins: list[str] = Field(default=[], max_length=50)
    is_on: bool = True


class FormRead(Read):
    """A form with its key."""

    id: UUID
    key: str
    name: str
    title: str
    fields: list[FieldAsked]
    consent_text: str | None
    thanks: str
    campaign: str | None
    language: str
    origins: list[str]
    is_on: bool
    rev: int


class FormAsked(BaseModel):
    """What a page needs to show a form."""

    title: str
    fields: list[FieldAsked]
    consent_text: str | None
    token: str = Field(description="Send it back; counts once, after some seconds.")


class FormSent(Write):
    """What a page sends."""

    values: dict[str, str] = Field(max_length=30)
    token: str = Field(max_length=1000)
    agreed: bool = False
    page: str | None = Field(default=None, max_length=2000, description="The page on which the form stands.")
    utm: dict[str, str] = Field(default={}, max_length=10)


class FormThanks(BaseModel):
    """It has arrived."""

    thanks: str


class RuleWrite(Write):
    """Who gets which leads."""

    name: str = Field(max_length=200)
    condition: str = Field(default="", max_length=4000, description="In the filter language; empty: every lead.")
    target: str = Field(description="covering, territory, team or person.")
    target_id: UUID | None = None
    is_on: bool = True


class RuleRead(Read):
    """Who gets which leads."""

    id: UUID
    position: int
    name: str
    condition: str
    target: str
    target_id: UUID | None
    is_on: bool
    rev: int


class PointsWrite(Write):
    """What earns points."""

    sentence: str = Field(max_length=200)
    condition: str = Field(max_length=4000)
    points: int
    is_on: bool = True


class PointsRead(Read):
    """What earns points."""

    id: UUID
    sentence: str
    condition: str
    points: int
    is_on: bool
    rev: int


class PolicyWrite(Write):
    """How many leads a rep works at once."""

    most_open: int


class ModelRead(BaseModel):
    """The model in use, or what is missing for one."""

    is_used: bool
    says: str
    trained_at: datetime | None = None
    samples: int = 0
    wins: int = 0
    coefficients: dict[str, Any] | None = None
    quality: dict[str, Any] | None = None
