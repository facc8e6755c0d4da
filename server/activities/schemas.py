"""Wire shapes of visits."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from shapely.geometry import Point

from server.accounts.schemas import FixWrite
from server.activities.models import Appointment, Visit, VisitEvent, VisitState


class CheckinRead(BaseModel):
    """Where a rep was, and what that is worth."""

    lon: float | None
    lat: float | None
    accuracy_m: float | None
    distance_m: float | None
    verification: str


def checkin_of(row: Visit | VisitEvent) -> CheckinRead | None:
    """The check-in of a visit or of one of its events."""
    if row.verification is None:
        return None
    point = to_shape(row.checkin) if row.checkin is not None else None
    spot = point if isinstance(point, Point) else None
    return CheckinRead(
        lon=spot.x if spot else None,
        lat=spot.y if spot else None,
        accuracy_m=row.accuracy_m,
        distance_m=row.distance_m,
        verification=row.verification,
    )


class VisitRead(BaseModel):
    """A visit."""

    id: UUID
    account_id: UUID
    site_id: UUID | None
    rep_id: UUID
    day: date
    zone: str
    state: VisitState
    appointment: Appointment | None
    objective: str | None
    outcome: str | None
    note: str | None
    planned_start_at: datetime | None
    planned_end_at: datetime | None
    checked_in_at: datetime | None
    done_at: datetime | None
    checkin: CheckinRead | None
    flags: list[str]
    visit_type_id: UUID | None = None
    form_version_id: UUID | None = Field(default=None, description="What was asked; see /api/v1/forms.")
    answers: dict[str, Any] = {}
    rev: int
    account_name: str | None = None
    rep_name: str | None = None

    @classmethod
    def of(cls, visit: Visit, *, account_name: str | None = None, rep_name: str | None = None) -> "VisitRead":
        """A stored visit as it goes over the wire."""
        own = ("checkin", "account_name", "rep_name")
        values = {name: getattr(visit, name) for name in cls.model_fields if name not in own}
        return cls(**values, checkin=checkin_of(visit), account_name=account_name, rep_name=rep_name)


class VisitEventRead(BaseModel):
    """A fact about a visit."""

    id: UUID
    visit_id: UUID
    state: VisitState
    outcome: str | None
    note: str | None
    occurred_at: datetime
    recorded_at: datetime
    source: str
    checkin: CheckinRead | None
    flags: list[str]

    @classmethod
    def of(cls, event: VisitEvent) -> "VisitEventRead":
        """A stored fact as it goes over the wire."""
        values = {name: getattr(event, name) for name in cls.model_fields if name != "checkin"}
        return cls(**values, checkin=checkin_of(event))


class VisitDetail(VisitRead):
    """A visit with its facts."""

    events: list[VisitEventRead]


class VisitPlan(BaseModel):
    """A visit that is to take place."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID
    site_id: UUID | None = Field(default=None, description="Left out: the main site.")
    rep_id: UUID | None = Field(default=None, description="Left out: you.")
    day: date
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    appointment: Appointment | None = None
    objective: str | None = Field(default=None, max_length=2000)


class VisitReportWrite(BaseModel):
    """What happened: a fact about a visit. Send the same `id` again and nothing happens twice."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = Field(default=None, description="The fact's own id.")
    visit_id: UUID | None = Field(default=None, description="Left out: a visit that nobody planned.")
    account_id: UUID
    site_id: UUID | None = None
    state: VisitState = VisitState.DONE
    outcome: str | None = Field(default=None, description="On the pick list `visit_outcome`.")
    note: str | None = Field(default=None, max_length=10_000)
    occurred_at: AwareDatetime | None = Field(
        default=None, description="Left out: now. A visit that nobody planned gets its day from it."
    )
    checkin: FixWrite | None = Field(
        default=None,
        description="Where the rep was. Of `checked_in` it is compared with the pin; of `done` it can only confirm: "
        "many a report is written elsewhere. To have a check-in judged, send it as `checked_in` first.",
    )
    visit_type_id: UUID | None = None
    answers: dict[str, Any] = Field(
        default={},
        description="By the keys of the form's questions.",
        examples=[{"in_stock": False, "missing": "Bread"}],
    )
