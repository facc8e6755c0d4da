"""Wire shapes of the plan board. Times are seconds of the rep's own day (0 = midnight)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.plans.models import PlanState
from server.plans.schemas import PlanSummary, ReasonRead


class Strict(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid")


class Place(Strict):
    """Put a visit on a rep-day: one that waits, or a stop of any route."""

    kind: Literal["place"]
    visit: str
    rep_day: str
    at_s: Annotated[int | None, Field(ge=0, lt=172_800)] = Field(
        default=None, description="When it is to begin, or as soon after as it can. Left out: where it fits best."
    )


class TakeOut(Strict):
    """Take a stop out of its route; it waits, and no planner brings it back."""

    kind: Literal["take_out"]
    visit: str


class Pin(Strict):
    """Fix a stop to its time, day and rep, whoever plans; or let it go."""

    kind: Literal["pin"]
    visit: str
    is_on: bool = True


class Lock(Strict):
    """Close routes for changes and re-planning, or open them."""

    kind: Literal["lock"]
    rep_days: Annotated[list[str], Field(min_length=1, max_length=700)]
    is_on: bool = True


class Add(Strict):
    """Let any account want a visit; it waits until it is placed or planned anew."""

    kind: Literal["add"]
    account_id: UUID


class Drop(Strict):
    """Forget an added visit that waits."""

    kind: Literal["drop"]
    visit: str


type Change = Annotated[Place | TakeOut | Pin | Lock | Add | Drop, Field(discriminator="kind")]


class Preview(Strict):
    """A change whose effect is wanted, and nothing else."""

    change: Change


class ChangeWish(Strict):
    """A change to be made."""

    base: int = Field(ge=1, description="The version that the person sees.")
    change: Change
    request: UUID | None = Field(default=None, description="A key of the client's own: sent twice, it counts once.")


class BackWish(Strict):
    """A step back in the history."""

    base: int = Field(ge=1, description="The version that the person sees.")
    to: int = Field(ge=1, description="The version to go back to.")


class AgainWish(Strict):
    """Plan the rest anew: pins and locks stay."""

    seconds: float | None = Field(default=None, gt=0, le=600, description="CPU seconds of the search. Left out: 10.")
    steps: int | None = Field(default=None, ge=1, le=1_000_000_000)


class RefusalRead(BaseModel):
    """Why a change cannot be."""

    code: str
    visit: str
    name: str
    rep_day: str
    day: str
    at: int | None
    limit: int | None
    text: str


class CautionRead(BaseModel):
    """Something lawful that people should know."""

    code: str
    visit: str
    name: str
    rep_day: str
    amount: int


class ShiftedRead(BaseModel):
    """A stop that begins at another time than before."""

    visit: str
    name: str
    rep_day: str
    before_s: int
    after_s: int
    slack_s: int = Field(description="How much later it could begin inside its opening hours.")


class StopTimes(BaseModel):
    """A stop as it would be."""

    key: str
    arrives_s: int
    starts_s: int
    ends_s: int
    drive_s: int


class RouteTimes(BaseModel):
    """A changed route as it would be; without stops nobody drives."""

    rep_day: str
    leaves_s: int | None
    returns_s: int | None
    break_s: int | None
    drive_s: int
    stops: list[StopTimes]


class EffectRead(BaseModel):
    """What a change does, or why it cannot be."""

    version: int
    is_possible: bool
    refusal: RefusalRead | None = None
    drive_s: int = 0
    distance_m: int = 0
    value_s: int = 0
    visits: int = 0
    routes: list[RouteTimes] = []
    shifted: list[ShiftedRead] = []
    cautions: list[CautionRead] = []


class OfferRead(BaseModel):
    """The best place of a visit on one rep-day."""

    rep_day: str
    start_s: int
    drive_s: int


class StopOnBoard(BaseModel):
    """A stop."""

    key: str
    account_id: UUID
    name: str
    account_class: str | None
    address: str
    lon: float | None
    lat: float | None
    arrives_s: int
    starts_s: int
    ends_s: int
    drive_s: int
    drive_m: int
    is_estimated: bool
    is_pinned: bool = False
    held_from_s: int | None = Field(default=None, description="Somebody wants it no earlier.")
    is_other_reps: bool = Field(default=False, description="Somebody gave it to a rep who does not visit this account.")
    windows: list[tuple[int, int]] = []
    slack_s: int | None = Field(
        default=None, description="How much later it could begin; it and every later stop would still be in time."
    )
    why: str
    cautions: list[str]
    appointment: str | None
    visit_state: str | None
    overdue_days: int


class RouteOnBoard(BaseModel):
    """One rep's day as it stands."""

    rep_day: str
    leaves_s: int
    returns_s: int
    break_s: int | None
    break_length_s: int | None
    drive_s: int
    distance_m: int
    is_estimated: bool
    home: dict[str, Any]
    last_drive_s: int
    last_drive_m: int
    stops: list[StopOnBoard]


class RepDayOnBoard(BaseModel):
    """A shift that can be used."""

    id: str
    rep_id: UUID
    day: date
    open_s: int
    close_s: int
    latest_s: int
    break_s: tuple[int, int, int] | None = Field(description="Length, earliest and latest start.")
    is_locked: bool
    is_over: bool


class Waiting(BaseModel):
    """A visit that is wanted and not planned."""

    key: str | None
    account_id: UUID
    name: str
    place: str
    lon: float | None
    lat: float | None
    rep_ids: list[UUID]
    is_promised: bool
    is_added: bool
    value_s: int
    overdue_days: int
    reasons: list[ReasonRead]


class RepOnBoard(BaseModel):
    """A row of the board."""

    id: UUID
    name: str


class BoardRead(BaseModel):
    """A plan as a board."""

    plan_id: UUID
    state: PlanState
    version: int | None
    is_editable: bool
    undo_to: int | None
    redo_to: int | None
    reps: list[RepOnBoard]
    days: list[date]
    rep_days: list[RepDayOnBoard]
    routes: list[RouteOnBoard]
    waiting: list[Waiting]
    summary: PlanSummary | None


class Changed(BaseModel):
    """The board after a change: the routes that are not as before, and everything else anew."""

    effect: EffectRead
    board: BoardRead


class VersionRead(BaseModel):
    """One state of a plan."""

    number: int
    kind: str
    detail: dict[str, Any]
    made_by: UUID | None
    who: str
    made_at: datetime
    goes_back_to: int | None
    summary: dict[str, Any]


class Line(BaseModel):
    """A drive to be drawn."""

    polyline6: str
    is_estimated: bool


class RouteLines(BaseModel):
    """The drives of a route, one more than stops."""

    rep_day: str
    lines: list[Line]
