"""Routes and reports as a map draws them: plain values for JSON; the browser decodes the polylines."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.activities.queries import CheckIn, Incoming
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.queries import Person, named, visible_users
from server.plans.queries import RouteView
from server.tracks.queries import RepDay

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B5BD6", "#8C6D1F")
"""Colours of reps: Okabe and Ito's without the yellow and the black, which a map swallows."""

STAGE_CATEGORIES = (1, 2, 4, 5, 3, 6, 7)
"""Which of the categories of tokens.css stand for the stages of a pipeline, from the first on."""


def stage_category(position: int) -> int:
    """The category whose colour a stage has, by its place among all stages."""
    return STAGE_CATEGORIES[position % len(STAGE_CATEGORIES)]


def coloured(session: Session, scope: Scope) -> list[tuple[Person, str]]:
    """The first reps by name whose accounts somebody may see, each with a colour of its own."""
    return list(zip(named(session, reps(scope).limit(len(PALETTE))), PALETTE, strict=False))


def colours(session: Session, scope: Scope, rep_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """A colour for each rep, the same on every map of a reader, and the one that `coloured` gives."""
    known = [one.id for one in named(session, reps(scope))]
    order = [*known, *sorted({*rep_ids}.difference(known))]
    return {rep_id: PALETTE[index % len(PALETTE)] for index, rep_id in enumerate(order)}


def reps(scope: Scope) -> Select[User]:
    """The reps at work whose accounts somebody may see, by name."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("accounts:read"))
    return people.where(User.role == Role.REP, User.active)


def drawn_route(route: RouteView, colour: str) -> dict[str, Any]:
    """One rep's day as lines and numbered pins."""
    stops = [
        {
            "id": str(stop.account_id),
            "label": str(stop.position),
            "name": stop.account_name,
            "lon": stop.point.lon,
            "lat": stop.point.lat,
            "state": stop.visit_state or "planned",
            "at": f"{stop.starts_at.astimezone(ZoneInfo(route.zone)):%H:%M}",
        }
        for stop in route.stops
        if stop.point is not None
    ]
    ends = {(anchor.lon, anchor.lat): anchor.name for anchor in (route.start, route.end)}
    homes = [{"lon": lon, "lat": lat, "name": name} for (lon, lat), name in ends.items()]
    legs = [{"polyline": leg.polyline6, "estimated": leg.estimated} for leg in route.legs if leg.polyline6]
    return {
        "rep": str(route.rep_id),
        "name": route.rep_name,
        "day": route.day.isoformat(),
        "colour": colour,
        "legs": legs,
        "stops": stops,
        "homes": homes,
    }


def drawn_tracks(
    checkins: Iterable[CheckIn], ways: Iterable[RepDay], known: Mapping[UUID, str]
) -> list[dict[str, Any]]:
    """How each rep really went, with the rep's colour: the check-ins in their order, and what the phone recorded."""
    stops = {rep_id: list(found) for rep_id, found in groupby(checkins, lambda one: one.rep_id)}
    lines = {one.rep_id: one for one in ways if one.lines}
    return [
        {
            "rep": str(rep_id),
            "name": stops[rep_id][0].rep_name if rep_id in stops else lines[rep_id].rep_name,
            "colour": known[rep_id],
            "lines": lines[rep_id].lines if rep_id in lines else [],
            "stops": [
                {
                    "id": str(one.account_id),
                    "name": one.account_name,
                    "at": f"{one.at.astimezone(ZoneInfo(one.zone)):%H:%M}",
                    "lon": one.lon,
                    "lat": one.lat,
                }
                for one in stops.get(rep_id, [])
            ],
        }
        for rep_id in [*stops, *(one for one in lines if one not in stops)]
    ]


def drawn_reports(reports: Iterable[Incoming]) -> list[dict[str, Any]]:
    """The latest report of each visit, as points."""
    latest: dict[UUID, Incoming] = {}
    for report in reports:
        latest.setdefault(report.visit_id, report)
    return [
        {
            "id": str(one.account_id),
            "name": one.account_name,
            "state": one.state,
            "lon": one.lon,
            "lat": one.lat,
        }
        for one in latest.values()
        if one.lon is not None
    ]
