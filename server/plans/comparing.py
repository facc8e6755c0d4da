"""Two plans side by side: their figures, and which visits moved, came or left."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.plans import queries
from server.plans.queries import PlanView
from server.plans.schemas import PlanSummary


class Standing(BaseModel):
    """Where a visit stands in one of the plans."""

    rep_id: UUID
    rep_name: str
    day: date
    zone: str
    starts_at: datetime


class Difference(BaseModel):
    """A visit that is not in the same place in both plans."""

    kind: Literal["moved", "only_first", "only_second"]
    account_id: UUID
    name: str
    lon: float | None
    lat: float | None
    first: Standing | None
    second: Standing | None
    is_other_rep: bool
    is_other_day: bool


class Figures(BaseModel):
    """A plan in figures."""

    plan_id: UUID
    visits: int
    unplanned: int
    value_s: int
    drive_s: int
    distance_m: int
    work_s: int
    """From leaving to coming back, all routes."""


class Comparison(BaseModel):
    """Two plans side by side."""

    first: Figures
    second: Figures
    same: int
    """Visits of the same rep on the same day at the same time."""
    retimed: int
    """Visits of the same rep on the same day at another time."""
    differences: list[Difference]


class _Placed(NamedTuple):
    at: Standing
    name: str
    lon: float | None
    lat: float | None


def compare(session: Session, scope: Scope, first_id: UUID, second_id: UUID) -> Comparison:
    """What differs between two plans that somebody may see. Visits are told apart by account and order."""
    first, second = (queries.plan_view(session, scope, plan_id) for plan_id in (first_id, second_id))
    before, after = _stops(first), _stops(second)
    differences, same, retimed = [], 0, 0
    for key in dict.fromkeys([*before, *after]):
        was, will = before.get(key), after.get(key)
        if was is not None and will is not None and (was.at.rep_id, was.at.day) == (will.at.rep_id, will.at.day):
            same += was.at.starts_at == will.at.starts_at
            retimed += was.at.starts_at != will.at.starts_at
        else:
            differences.append(_difference(key[0], was, will))
    differences.sort(key=lambda d: (d.kind, d.name, d.account_id))
    return Comparison(
        first=_figures(first), second=_figures(second), same=same, retimed=retimed, differences=differences
    )


def _stops(view: PlanView) -> dict[tuple[UUID, int], _Placed]:
    """The stops of a plan by account; the second visit to one account has number 1."""
    found: dict[tuple[UUID, int], _Placed] = {}
    seen: dict[UUID, int] = defaultdict(int)
    for route in sorted(view.routes, key=lambda r: r.leaves_at):
        for stop in route.stops:
            at = Standing(
                rep_id=route.rep_id, rep_name=route.rep_name, day=route.day, zone=route.zone, starts_at=stop.starts_at
            )
            lon, lat = stop.point or (None, None)
            found[stop.account_id, seen[stop.account_id]] = _Placed(at, stop.account_name, lon, lat)
            seen[stop.account_id] += 1
    return found


def _difference(account_id: UUID, was: _Placed | None, will: _Placed | None) -> Difference:
    known = was or will
    assert known is not None
    return Difference(
        kind="moved" if was and will else "only_first" if was else "only_second",
        account_id=account_id,
        name=known.name,
        lon=known.lon,
        lat=known.lat,
        first=was.at if was else None,
        second=will.at if will else None,
        is_other_rep=bool(was and will and was.at.rep_id != will.at.rep_id),
        is_other_day=bool(was and will and was.at.day != will.at.day),
    )


def _figures(view: PlanView) -> Figures:
    routes = view.routes
    summary = PlanSummary.model_validate(view.plan.summary) if view.plan.summary else None
    return Figures(
        plan_id=view.plan.id,
        visits=sum(len(route.stops) for route in routes),
        unplanned=len(view.unplanned),
        value_s=summary.value_s if summary else 0,
        drive_s=sum(route.drive_s for route in routes),
        distance_m=sum(route.distance_m for route in routes),
        work_s=sum(_seconds(view)),
    )


def _seconds(view: PlanView) -> Iterator[int]:
    for route in view.routes:
        yield int((route.returns_at - route.leaves_at).total_seconds())
