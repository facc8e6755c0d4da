"""JSON API of how the company plans: its rules, and how often each class is visited."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server.accounts import cadence
from server.accounts.models import INTERVALS
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.plans import rules

router = APIRouter(prefix="/api/v1", tags=["plans"])

ReadPlanning = Annotated[Scope, requires("planning:read")]
WritePlanning = Annotated[Scope, requires("planning:write")]


def distinct(days: list[int]) -> list[int]:
    """The days; refuses one that is named twice."""
    if len(set(days)) < len(days):
        raise ValueError("A day is named twice.")
    return days


class PlanningRulesWrite(BaseModel):
    """How the company plans; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"night_is_on": True, "night_hour": 20, "night_weekdays": [4]}]}
    )

    stretches: bool = Field(default=True, description="Lengthen all call intervals alike when work is too much.")
    night_is_on: bool = Field(default=False, description="Plan every night by itself.")
    night_hour: int = Field(default=20, description="In the company's zone.")
    night_weekdays: Annotated[
        list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7), AfterValidator(distinct)
    ] = Field(default=[4], description="0 = Monday; each at most once.")
    night_days: int = Field(default=5, description="Calendar days planned.")
    night_steps: int = Field(default=20_000, description="Steps of the search for each part.")
    hotel_cost_s: int = Field(default=5_400, description="What a hotel night costs, in seconds of driving.")


class PlanningRulesRead(PlanningRulesWrite):
    """The same as it stands."""

    model_config = ConfigDict(from_attributes=True)

    night_weekdays: list[int] = Field(default=[4], description="0 = Monday.")


class IntervalWrite(BaseModel):
    """How often accounts of a class are visited."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"interval_days": 28}]})

    user_id: UUID | None = Field(default=None, description="Whose accounts; null: the company's.")
    interval_days: int | None = Field(description="Null: as it was before anybody said.")
    tolerance: float = Field(default=cadence.TOLERANCE, description="Share by which a visit may be early or late.")


class IntervalRead(BaseModel):
    """An interval in force; one without a person holds for everybody who has no other."""

    user_id: UUID | None
    account_class: str
    interval_days: int
    tolerance: float


@router.get("/planning-rules")
def get_rules(scope: ReadPlanning, session: Db) -> PlanningRulesRead:
    """How the company plans."""
    del scope
    return PlanningRulesRead.model_validate(rules.rules(session))


@router.patch("/planning-rules")
def set_rules(body: PlanningRulesWrite, scope: WritePlanning, session: Db) -> PlanningRulesRead:
    """Change how the company plans."""
    del scope
    return PlanningRulesRead.model_validate(rules.set_rules(session, body.model_dump(exclude_unset=True)))


@router.get("/call-intervals")
def list_intervals(scope: ReadPlanning, session: Db) -> Page[IntervalRead]:
    """How often accounts of each class are visited: in the company, and by whom otherwise."""
    del scope
    known = cadence.rules(session)
    said = dict(known.by_owner)
    usual = {(None, one): found for one in INTERVALS if (found := known.of_class(one)) is not None}
    return Page(
        items=[
            IntervalRead(user_id=who, account_class=one, interval_days=interval.days, tolerance=interval.tolerance)
            for (who, one), interval in (usual | said).items()
        ]
    )


@router.put("/call-intervals/{account_class}")
def set_interval(account_class: str, body: IntervalWrite, scope: WritePlanning, session: Db) -> Page[IntervalRead]:
    """Say how often accounts of a class are visited, by the company or by one person."""
    days = body.interval_days
    wanted = cadence.Interval(days, body.tolerance) if days is not None else None
    cadence.set_interval(session, body.user_id, account_class, wanted)
    return list_intervals(scope, session)
