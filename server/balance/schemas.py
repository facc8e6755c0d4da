"""Wire shapes of changes of territories."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

OTHERS = Field(default=False, description="Neighbours give up what the outline takes from them.")
REV = Field(default=None, description="Revision that you saw; an older one is refused, and your version kept.")


class Operation(BaseModel):
    """One thing that is done with territories."""

    model_config = ConfigDict(extra="forbid")


class Staffed(Operation):
    """One thing that makes a new territory, perhaps with the people who work it."""

    members: list[UUID] = Field(default=[], max_length=200, description="Who works the new territory; may stay open.")
    valid_from: date | None = Field(default=None, description="From this day on; left out: today.")


class Create(Staffed):
    """A new territory: drawn, or the union of admin areas and postcodes."""

    kind: Literal["create"]
    name: str = Field(max_length=200)
    colour: str | None = None
    parent_id: UUID | None = None
    area: dict[str, Any] | None = Field(default=None, description="GeoJSON Polygon or MultiPolygon.")
    admin_area_ids: list[int] = []
    postcodes: list[str] = []
    others_give_way: bool = OTHERS


class Reshape(Operation):
    """Another outline, name, colour or parent; what is left out stays."""

    kind: Literal["reshape"]
    territory_id: UUID
    rev: int | None = REV
    area: dict[str, Any] | None = None
    name: str | None = Field(default=None, max_length=200)
    colour: str | None = None
    parent_id: UUID | None = None
    others_give_way: bool = OTHERS


class Give(Operation):
    """Some ground goes to one territory, and away from all others: mends gaps and overlaps too."""

    kind: Literal["give"]
    ground: dict[str, Any] = Field(description="GeoJSON Polygon or MultiPolygon.")
    to_id: UUID | None = Field(default=None, description="Left out: whichever has the longest border with it.")
    revs: dict[UUID, int] = Field(default={}, description="Revisions that you saw, by territory.")


class Split(Staffed):
    """A territory cut in two by a line; its own name stays with the left side of the line."""

    kind: Literal["split"]
    territory_id: UUID
    rev: int | None = REV
    line: dict[str, Any] = Field(description="GeoJSON LineString.")
    name: str = Field(max_length=200, description="Of the new territory.")


class Merge(Operation):
    """Several territories become the first of them, and the people of all go on working there."""

    kind: Literal["merge"]
    territory_ids: list[UUID] = Field(min_length=2)
    revs: dict[UUID, int] = {}
    name: str | None = Field(default=None, max_length=200)
    valid_from: date | None = Field(
        default=None, description="From when on the people of all of them work it; left out: from when it is one."
    )


class Members(Operation):
    """Exactly these people work a territory from a day on, or between two days."""

    kind: Literal["members"]
    territory_id: UUID
    rev: int | None = REV
    members: list[UUID] = Field(max_length=200)
    valid_from: date | None = Field(default=None, description="Left out: today.")
    valid_to: date | None = Field(
        default=None, description="The first day that is not covered; left out: the next for which people were set."
    )


class Delete(Operation):
    """A territory is taken away; its accounts follow the areas that are left."""

    kind: Literal["delete"]
    territory_id: UUID
    rev: int | None = REV


class Kept(Operation):
    """A version that came too late, or that waits for its day, is applied on the present state; what waits can be set
    anew for a day, and stays the same change."""

    kind: Literal["kept"]
    change_id: UUID


AnyOperation = Annotated[Create | Reshape | Give | Split | Merge | Members | Delete | Kept, Field(discriminator="kind")]
OPERATIONS: TypeAdapter[Operation] = TypeAdapter(AnyOperation)
"""Reads one as it was stored."""


class ChangeWrite(BaseModel):
    """A change of territories."""

    model_config = ConfigDict(extra="forbid")

    operation: AnyOperation
    why: str = Field(default="", max_length=500)
    apply_on: date | None = Field(
        default=None, description="On the morning of this day; left out: now. People have days of their own."
    )
    preview: bool = Field(default=False, description="Only say what it would move; nothing is changed.")


class MoveRead(BaseModel):
    """Accounts that go from one territory to another; hours, value and potential are a year's."""

    from_id: UUID | None
    to_id: UUID | None
    accounts: int
    hours: float
    value: float
    potential: float


class TotalRead(BaseModel):
    """A territory before and after."""

    territory_id: UUID
    accounts_before: int
    accounts_after: int
    hours_before: float
    hours_after: float
    value_before: float
    value_after: float
    potential_before: float
    potential_after: float


class SpanRead(BaseModel):
    """Some days."""

    valid_from: date
    valid_to: date | None = Field(description="The first day that is not covered any more; null: open.")

    @property
    def last_day(self) -> date | None:
        """The last day that is covered."""
        return self.valid_to - timedelta(days=1) if self.valid_to else None


class PersonRead(BaseModel):
    """Somebody whose time in a territory changes, with what they have there."""

    territory_id: UUID
    user_id: UUID
    name: str
    before: list[SpanRead]
    after: list[SpanRead]
    accounts: int = Field(description="Of the territory.")
    owned: int = Field(description="Accounts there whose owner this person is; a change of people leaves them so.")


class EffectsRead(BaseModel):
    """All that a change moves."""

    accounts: int = 0
    hours: float = 0
    value: float = 0
    by_hand: int = Field(default=0, description="Assigned by hand: they stay, although other ground covers them.")
    moves: list[MoveRead] = []
    totals: list[TotalRead] = []
    people: list[PersonRead] = []


class PartRead(BaseModel):
    """A territory before and after a change."""

    territory_id: UUID
    name: str
    colour: str
    is_new: bool
    is_gone: bool
    members: list[UUID] = Field(default=[], description="Who will work a new one.")
    area: dict[str, Any] | None = Field(description="GeoJSON MultiPolygon afterwards; null when it is taken away.")


class ChangeRead(BaseModel):
    """A change, saved or only looked at."""

    id: UUID | None = Field(description="Null: a preview.")
    kind: str
    apply_on: date | None = Field(default=None, description="It waits for this day; null: it is applied at once.")
    notes: list[str] = Field(default=[], description="What was mended on the way.")
    effects: EffectsRead
    parts: list[PartRead] = []


class FactRead(BaseModel):
    """What a territory was called, coloured or below before a change, and since."""

    territory_id: UUID
    name: str = Field(description="Of the territory, since the change.")
    field: Literal["name", "colour", "parent"]
    before: str | None = Field(description="Of a parent its name; null: none.")
    after: str | None


class HistoryRead(BaseModel):
    """A line of the history."""

    id: UUID
    kind: str
    why: str
    state: str = Field(description="applied, undone, waiting for its day, or kept: refused as somebody else was first.")
    apply_on: date | None = None
    trouble: str = Field(default="", description="Why it was not applied, or will not be on its day as it is now.")
    by: str | None
    at: datetime
    undone_by: str | None
    undone_at: datetime | None
    territories: list[str]
    accounts: int = Field(description="That moved; of one that waits, that would move as it is now.")
    hours: float
    people: list[PersonRead] = []
    facts: list[FactRead] = Field(default=[], description="Names, colours and regions that it changed.")


class TroubleRead(BaseModel):
    """Ground that two territories claim, or none."""

    kind: Literal["overlap", "gap"]
    square_km: float
    between: list[UUID] = Field(description="The two that claim it; of a gap those that touch it, nearest first.")
    area: dict[str, Any]


class MembershipRead(BaseModel):
    """Somebody's time in a territory."""

    user_id: UUID
    name: str
    valid_from: date
    valid_to: date | None
    has_left: bool
