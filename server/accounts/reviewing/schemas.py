"""Wire shapes of the review desk and of bulk repairs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from geo.geocode.explaining import Option
from geo.types import LonLat
from server.accounts.proposed_pins import ProposedPin
from server.accounts.reviewing.desk import Card, Decision
from server.accounts.reviewing.detectors import Detector
from server.accounts.reviewing.queue import Queue
from server.accounts.schemas import Lat, Lon, Read, SiteRead, Write
from server.kit.errors import Invalid


class WaitingRead(Read):
    """A site of the queue."""

    site_id: UUID
    account_id: UUID
    name: str
    account_class: str | None
    place: str
    reason: str
    grade: str | None
    confidence: float | None
    value: float | None = Field(description="Yearly value or potential, whichever is more.")
    currency: str
    unsure: float = Field(description="0 to 1; 1 without a pin.")
    at_risk: float | None = Field(description="value x unsure: what the queue is sorted by.")


class CountRead(Read):
    """How many sites of the queue have a value."""

    value: str
    count: int


class QueueRead(Read):
    """The queue."""

    items: list[WaitingRead]
    total: int
    counts: dict[str, list[CountRead]] = Field(description="By reason, grade and territory.")

    @classmethod
    def of(cls, queue: Queue) -> "QueueRead":
        """The shape of a queue."""
        counts = {
            name: [CountRead(value=value, count=count) for value, count in rows] for name, rows in queue.counts.items()
        }
        items = [WaitingRead.model_validate(one) for one in queue.items]
        return cls(items=items, total=queue.total, counts=counts)


class TokenRead(Read):
    """A written word and what it was taken for."""

    field: str
    text: str
    role: str
    contradicts: bool


class DifferenceRead(Read):
    """One thing to say about a candidate beside what was written."""

    code: str
    value: str
    is_doubt: bool


class OptionRead(Read):
    """A candidate."""

    lon: float
    lat: float
    street: str
    number: str
    postcode: str
    city: str
    country: str
    grade: str
    uncertainty_m: float
    confidence: float
    differences: list[DifferenceRead]

    @classmethod
    def of(cls, option: Option) -> "OptionRead":
        """The shape of an option."""
        one = option.candidate
        names = ("street", "number", "postcode", "city", "country", "grade", "uncertainty_m", "confidence")
        said = [DifferenceRead.model_validate(difference) for difference in option.differences]
        values = {name: getattr(one, name) for name in names}
        return cls(lon=one.point.lon, lat=one.point.lat, differences=said, **values)


class WaitingProposalRead(Read):
    """A better pin that somebody proposes."""

    id: UUID
    origin: str
    proposer: str | None
    lon: float
    lat: float
    grade: str
    uncertainty_m: float
    away_m: float | None
    fixes: int | None
    note: str | None
    proposed_at: datetime

    @classmethod
    def of(cls, one: ProposedPin) -> "WaitingProposalRead":
        """The shape of a proposal."""
        names = ("id", "origin", "grade", "uncertainty_m", "fixes", "note", "proposed_at")
        values = {name: getattr(one.proposal, name) for name in names}
        return cls(proposer=one.proposer, lon=one.lon, lat=one.lat, away_m=one.away_m, **values)


class CardRead(Read):
    """One site of the desk."""

    site: SiteRead
    account_name: str
    reason: str | None = Field(description="Of the geocoder's answer to the address as asked; null without an index.")
    tokens: list[TokenRead]
    options: list[OptionRead]
    proposals: list[WaitingProposalRead]

    @classmethod
    def of(cls, card: Card) -> "CardRead":
        """The shape of a card."""
        found = card.explanation
        return cls(
            site=SiteRead.of(card.site),
            account_name=card.account.name,
            reason=found.answer.reason if found else None,
            tokens=[TokenRead.model_validate(token) for token in found.tokens] if found else [],
            options=[OptionRead.of(option) for option in found.options] if found else [],
            proposals=[WaitingProposalRead.of(one) for one in card.proposals],
        )


class AddressWrite(Write):
    """Fields of an address that change."""

    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None

    def given(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class DecisionWrite(Write):
    """What a person decides: a candidate, a point, another address, a proposal, or address and pin together."""

    rev: int = Field(description="The site's revision when it was looked at.")
    candidate: Annotated[int, Field(ge=1, le=3)] | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    address: AddressWrite = AddressWrite()
    takes_address: bool = Field(False, description="Write the candidate's address too.")
    accept: UUID | None = Field(None, description="A proposal to accept.")
    refuse: UUID | None = Field(None, description="A proposal to refuse.")
    answer: Annotated[str, Field(max_length=500)] = Field("", description="Why it is refused; the rep reads it.")
    aside: bool = Field(False, description="The address cannot be placed; the site comes back when it changes.")

    def decision(self) -> Decision:
        """As the desk takes it."""
        if (self.lon is None) != (self.lat is None):
            raise Invalid("A point needs lon and lat.", help="Send both or neither.", field="lon")
        point = LonLat(self.lon, self.lat) if self.lon is not None and self.lat is not None else None
        return Decision(
            self.rev, self.candidate, point, self.address.given(), self.takes_address, self.accept, self.refuse,
            self.answer, self.aside,
        )  # fmt: skip


class DecidedRead(Read):
    """A decision that was made."""

    id: UUID
    site_id: UUID
    verb: str
    state: str


class ClaimRead(Read):
    """Who else looks at a site."""

    by: str | None = Field(description="Null: nobody else.")


class DetectorRead(Read):
    """A kind of mistake that can be repaired in bulk."""

    name: str
    title: str
    finds: str
    mends: str
    suspects: int | None = None

    @classmethod
    def of(cls, detector: Detector, suspects: int | None) -> "DetectorRead":
        """The shape of a detector."""
        names = ("name", "title", "finds", "mends")
        return cls(suspects=suspects, **{name: getattr(detector, name) for name in names})


class RepairCreate(Write):
    """Which mistake to look for."""

    detector: str


class RepairRead(Read):
    """Where a repair stands."""

    id: UUID
    detector: str
    state: str
    found: int
    message: str | None
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    counts: dict[str, int] = Field(description="Rows by `chosen` and state.")


class RepairRowRead(Read):
    """One site of a repair."""

    site_id: UUID
    account_id: UUID
    name: str
    verb: str
    why: dict[str, Any] | None = Field(description="`text` with gaps, and what stands in them.")
    is_chosen: bool
    state: str
    before: dict[str, Any]
    after: dict[str, Any]
    lon: float | None
    lat: float | None
    to_lon: float | None
    to_lat: float | None


class ChoiceWrite(Write):
    """Which rows of a preview are repaired."""

    site_ids: Annotated[list[UUID], Field(max_length=5000)] | None = Field(None, description="Null: all rows.")
    is_chosen: bool
