"""Wire shapes of plans."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from geo.types import LonLat
from routing.relaxation import Kind
from routing.solve import DEFAULT_ENGINE
from server.plans import navigating
from server.plans.models import Plan, PlanOccasion, PlanState
from server.plans.queries import Leg, PlanView, RouteView, StopView, UnplannedView
from server.segments.schemas import LONGEST_FILTER


class PlanRequest(BaseModel):
    """What is to be planned."""

    model_config = ConfigDict(extra="forbid")

    rep_ids: Annotated[list[UUID], Field(min_length=1, max_length=100, description="Whose days.")]
    first_day: date
    days: int = Field(default=5, ge=1, le=7, description="Calendar days, the first one included.")
    seconds: float | None = Field(default=None, gt=0, le=600, description="CPU seconds of the search. Left out: 10.")
    steps: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="Steps of the search instead of seconds: the same request gives the same plan on every run.",
    )
    engine: str = DEFAULT_ENGINE
    seed: int = Field(default=1, ge=0, le=2_000_000_000)
    segment_id: UUID | None = Field(
        default=None, description="Of accounts: only these are visited. Promises are kept all the same."
    )
    filter: str | None = Field(
        default=None,
        max_length=LONGEST_FILTER,
        description="Of accounts, as of their list and map: only these are visited. Promises are kept all the same.",
        examples=['class = A and in territory "North"'],
    )


class PlanSummary(BaseModel):
    """A plan in figures."""

    visits: int
    routes: int
    unplanned: int
    missing_promises: int
    """Promised visits that could not be planned: look at these first."""
    drive_s: int
    distance_m: int
    service_s: int
    prize_s: int
    value_s: int
    """Prizes less driving and lateness."""


class PlanRead(BaseModel):
    """A plan without its routes."""

    id: UUID
    state: PlanState
    rep_ids: list[UUID]
    first_day: date
    days: int
    engine: str
    seed: int
    seconds: float | None
    steps: int | None
    segment_id: UUID | None
    filter: str | None
    requested_by: UUID
    progress: str | None
    error: str | None
    error_help: str | None
    created_at: datetime
    started_at: datetime | None
    ready_at: datetime | None
    published_at: datetime | None
    estimated: bool
    summary: PlanSummary | None
    occasion: PlanOccasion
    based_on: UUID | None = Field(description="The plan that it takes further.")
    rev: int

    model_config = ConfigDict(from_attributes=True)


class AnchorRead(BaseModel):
    """Where a day starts or ends."""

    name: str
    lon: float
    lat: float


class LegRead(BaseModel):
    """A drive."""

    seconds: int
    metres: int
    estimated: bool
    polyline6: str

    @classmethod
    def of(cls, leg: Leg) -> "LegRead":
        """A leg as it goes over the wire."""
        return cls(**leg._asdict())


class NavigationRead(BaseModel):
    """A link that opens a navigation app."""

    model_config = ConfigDict(from_attributes=True)

    app: str
    url: str
    part: str = Field(description="Of a route: which stops it leads along; the last number is the end of the day.")


class StopRead(BaseModel):
    """A stop of a route."""

    id: UUID
    visit_id: UUID | None
    account_id: UUID
    site_id: UUID
    position: int
    account_name: str
    account_class: str | None
    address: str
    phone: str | None
    lon: float | None
    lat: float | None
    arrives_at: datetime
    starts_at: datetime
    ends_at: datetime
    why: str
    because: dict[str, Any] | None = Field(description="The same as data.")
    entry: LonLat | None = Field(description="Where the car stops: lon, lat; null when the drive is estimated.")
    walk_m: float | None = Field(description="From there to the pin.")
    cautions: list[str] = Field(description="What to know of the place: locality, street, unsure, far_from_road.")
    caution: str = Field(description="The same in words.")
    overdue_days: int
    visit_state: str | None
    appointment: str | None
    objective: str | None
    leg: LegRead
    navigation: list[NavigationRead]

    @classmethod
    def of(cls, stop: StopView) -> "StopRead":
        """A stop as it goes over the wire."""
        own = ("lon", "lat", "leg", "navigation")
        values = {name: getattr(stop, name) for name in cls.model_fields if name not in own}
        point = stop.point
        return cls(
            **values,
            lon=point and point.lon,
            lat=point and point.lat,
            leg=LegRead.of(stop.leg),
            navigation=[NavigationRead.model_validate(link) for link in navigating.to_stop(stop)],
        )


class RouteRead(BaseModel):
    """One rep's day."""

    id: UUID
    plan_id: UUID
    rep_id: UUID
    rep_name: str
    day: date
    zone: str
    start: AnchorRead
    end: AnchorRead
    leaves_at: datetime
    returns_at: datetime
    break_starts_at: datetime | None
    break_s: int | None
    drive_s: int
    distance_m: int
    estimated: bool
    published_at: datetime | None
    stops: list[StopRead]
    last_leg: LegRead
    navigation: list[NavigationRead]

    @classmethod
    def of(cls, route: RouteView) -> "RouteRead":
        """A route as it goes over the wire."""
        own = ("start", "end", "stops", "last_leg", "navigation")
        values = {name: getattr(route, name) for name in cls.model_fields if name not in own}
        return cls(
            **values,
            start=AnchorRead(**route.start._asdict()),
            end=AnchorRead(**route.end._asdict()),
            stops=[StopRead.of(stop) for stop in route.stops],
            last_leg=LegRead.of(route.last_leg),
            navigation=[NavigationRead.model_validate(link) for link in navigating.along_route(route)],
        )


class ReasonRead(BaseModel):
    """Why a visit is not in the plan."""

    code: str
    text: str
    day: date | None = Field(default=None, description="On which it is closed by way of exception.")
    why: str | None = Field(default=None, description="What closes it on that day.")


class ChangeRead(BaseModel):
    """A rule that would have to be bent."""

    kind: Kind
    amount: int = Field(description="Seconds, days, stops or load, by kind; seconds of value for insist and instead.")
    other: str | None = Field(description="Key of the visit that would be left out instead.")
    other_name: str | None = Field(description="Its account.")
    window: dict[str, int] | None = Field(description="New opening span of the day: open_s, close_s.")


class RelaxationRead(BaseModel):
    """What would let the visit in."""

    visit: str
    rep_day: str = Field(description="Whose day: rep id / date.")
    rep_name: str
    day: date
    detour_s: int
    changes: list[ChangeRead]
    text: str


class RelaxRequest(BaseModel):
    """Bend a rule for a visit that was left out, and plan again."""

    model_config = ConfigDict(extra="forbid")

    unplanned_id: UUID
    choice: int = Field(default=0, ge=0, description="Which of its relaxations; 0 is the smallest.")


class UnplannedRead(BaseModel):
    """A visit that is not in the plan."""

    id: UUID
    account_id: UUID
    site_id: UUID | None
    visit_id: UUID | None
    account_name: str
    mandatory: bool
    prize_s: int
    overdue_days: int
    rep_ids: list[UUID]
    reasons: list[ReasonRead]
    relaxations: list[RelaxationRead] = Field(description="What would let it in, the smallest first.")

    @classmethod
    def of(cls, left_out: UnplannedView) -> "UnplannedRead":
        """A visit left out as it goes over the wire."""
        own = ("reasons", "relaxations")
        values = {name: getattr(left_out, name) for name in cls.model_fields if name not in own}
        return cls(
            **values,
            reasons=[ReasonRead(**reason) for reason in left_out.reasons],
            relaxations=[RelaxationRead.model_validate(one) for one in left_out.relaxations],
        )


class PlanDetail(PlanRead):
    """A plan with its routes and what was left out."""

    routes: list[RouteRead]
    unplanned: list[UnplannedRead]

    @classmethod
    def of(cls, view: PlanView) -> "PlanDetail":
        """A plan as it goes over the wire."""
        return cls(
            **plan_read(view.plan).model_dump(),
            routes=[RouteRead.of(route) for route in view.routes],
            unplanned=[UnplannedRead.of(left_out) for left_out in view.unplanned],
        )


def plan_read(plan: Plan) -> PlanRead:
    """A stored plan as it goes over the wire."""
    return PlanRead.model_validate(plan)
