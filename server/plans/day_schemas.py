"""Wire shapes of the running day: its state, its warnings, and what a proposal changes."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from routing.lateness import Alarm
from routing.replanning import Effect
from server.plans.models import Plan
from server.plans.schemas import PlanRead, plan_read


class Position(BaseModel):
    """Where somebody is."""

    model_config = ConfigDict(extra="forbid")

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]


class ReplanRequest(BaseModel):
    """How the rest of a day is planned anew."""

    model_config = ConfigDict(extra="forbid")

    position: Position | None = Field(default=None, description="Left out: the last check-in, else the start.")
    pinned: list[UUID] = Field(default=[], max_length=100, description="Stops that keep their time.")
    fill: bool = Field(default=True, description="Whether customers who are due may fill gaps.")


class AbsenceRequest(BaseModel):
    """Who may take over what a rep cannot do."""

    model_config = ConfigDict(extra="forbid")

    neighbour_ids: list[UUID] | None = Field(default=None, max_length=100, description="Left out: all your reps.")


class PlaceRead(BaseModel):
    """Where a visit stands in a plan."""

    rep_id: UUID
    rep_name: str
    at: datetime


class OptionRead(BaseModel):
    """A neighbour who could go."""

    rep_name: str
    detour_s: int
    overtime_s: int = Field(default=0, description="How much later than allowed the day would end for it.")


class DayChange(BaseModel):
    """One visit that a proposal changes."""

    account_id: UUID
    account_name: str
    effect: Effect
    before: PlaceRead | None
    after: PlaceRead | None
    minutes: int = Field(description="By how much the start moves within the day.")
    promised: bool
    options: list[OptionRead] = Field(description="Who could take it over, the least detour first.")


class Proposal(BaseModel):
    """A change of a running day; publish it to accept it, delete it to refuse it or to take it back."""

    plan: PlanRead
    changes: list[DayChange]

    @classmethod
    def of(cls, plan: Plan) -> "Proposal":
        """A stored proposal as it goes over the wire."""
        changes = [DayChange.model_validate(one) for one in plan.changes or []]
        return cls(plan=plan_read(plan), changes=changes)


class WarningRead(BaseModel):
    """Something that the clock says of the rest of a day."""

    rep_id: UUID
    alarm: Alarm
    at: datetime = Field(description="When to leave, when the customer is reached, when the rep returns.")
    late_s: int = Field(description="By how much it is too late.")
    stop_id: UUID | None = Field(description="Null for the day as a whole.")
    account_id: UUID | None
    account_name: str | None
    text: str


class DayWarnings(BaseModel):
    """The warnings of some reps' running day."""

    day: date
    warnings: list[WarningRead]
