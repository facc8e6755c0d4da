"""JSON and CSV of the over-capacity report."""

import csv
import io
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.settings import settings
from server.kit.spreadsheets import harmless
from server.plans import overload
from server.plans.overload import Part, Report, Slip

router = APIRouter(prefix="/api/v1/capacity", tags=["plans"])

ReadPlanning = Annotated[Scope, requires("planning:read")]
FirstDay = Annotated[date | None, Query(description="From this day on. Left out: today.")]
COLUMNS = ("number", "name", "account_class", "part", "interval_days", "stretched_days", "due_on", "stretched_on")


class SlipRead(BaseModel):
    """An account that is visited later than its interval says."""

    account_id: UUID
    number: str | None
    name: str
    account_class: str | None
    interval_days: int
    stretched_days: int
    due_on: date
    stretched_on: date
    days: int

    @classmethod
    def of(cls, slip: Slip) -> "SlipRead":
        """A slip as it goes over the wire."""
        return cls(**{name: getattr(slip, name) for name in cls.model_fields})


class NeighbourRead(BaseModel):
    """A part of the company that has time left."""

    name: str
    spare_h: float
    away_m: float | None


class PartRead(BaseModel):
    """A territory's work against its reps' time, in hours over the span."""

    name: str
    reps: list[str]
    days: int
    wanted_h: float
    fixed_h: float
    capacity_h: float
    stretch: float
    drive_s_a_visit: float
    slips: list[SlipRead]
    missing_h: float | None
    c_interval_days: int | None
    neighbours: list[NeighbourRead]

    @classmethod
    def of(cls, part: Part) -> "PartRead":
        """A part as it goes over the wire."""
        load, out = part.load, part.ways_out
        return cls(
            name=part.name,
            reps=list(part.reps),
            days=load.days,
            wanted_h=hours(load.wanted_s),
            fixed_h=hours(load.fixed_s),
            capacity_h=hours(load.capacity_s),
            stretch=load.stretch,
            drive_s_a_visit=load.drive_s,
            slips=[SlipRead.of(slip) for slip in part.slips],
            missing_h=hours(out.missing_s) if out else None,
            c_interval_days=out.c_interval_days if out else None,
            neighbours=[
                NeighbourRead(name=one.name, spare_h=hours(one.spare_s), away_m=one.away_m) for one in out.neighbours
            ]
            if out
            else [],
        )


class ReportRead(BaseModel):
    """Work against time by territory."""

    first_day: date
    wanted_h: float
    capacity_h: float
    parts: list[PartRead]


def hours(seconds: float) -> float:
    """Hours to the minute."""
    return round(seconds / 3600, 2)


def made(session: Db, scope: Scope, first_day: date | None) -> Report:
    """The report of what somebody may see."""
    return overload.report(session, scope, first_day or clock.today(settings().zone))


@router.get("")
def read(scope: ReadPlanning, session: Db, first_day: FirstDay = None) -> ReportRead:
    """Work against time by territory, who slips, and the ways out."""
    found = made(session, scope, first_day)
    return ReportRead(
        first_day=found.first_day,
        wanted_h=hours(found.wanted_s),
        capacity_h=hours(found.capacity_s),
        parts=[PartRead.of(part) for part in found.parts],
    )


@router.get("/slips.csv")
def download(scope: ReadPlanning, session: Db, first_day: FirstDay = None) -> Response:
    """Everybody who slips, as a table."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow((*COLUMNS, "days"))
    for slip in made(session, scope, first_day).slips:
        writer.writerow([*(harmless(getattr(slip, name)) for name in COLUMNS), slip.days])
    headers = {"Content-Disposition": 'attachment; filename="slips.csv"'}
    return Response(written.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)
