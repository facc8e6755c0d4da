"""Hotels in which a rep may sleep instead of driving home: near the far-away work of the week."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.distance import haversine_m
from geo.types import LonLat
from server.plans.build import Lodging, Shift
from server.plans.candidates import Candidate

FAR_M = 40_000.0
"""From home: work nearer than this is worth no hotel."""
NEAR_M = 15_000.0
"""From the middle of the far work to the hotel."""

NEAREST = text(
    """
    with middle as (select st_setsrid(st_makepoint(:lon, :lat), 4326) as point)
    select p.name, st_x(p.pin), st_y(p.pin) from middle, prospect p join region r on r.id = p.region_id
    where r.state = 'ready' and p.kind in ('tourism=hotel', 'tourism=motel', 'tourism=guest_house')
      and st_distancesphere(p.pin, middle.point) <= :near
    order by p.pin <-> middle.point, p.id limit 1
    """
)


def offered(
    session: Session,
    shifts: Sequence[Shift],
    placeable: Sequence[Candidate],
    nights: Mapping[UUID, int],
    cost_s: int,
) -> tuple[Lodging, ...]:
    """The nights that the planner may take: as many evenings as each rep may be away, those with most far work first.

    An evening is one between two days of work in a row; the hotel is the nearest one to the middle of the far work.
    """
    found: list[Lodging] = []
    for rep_id, most in sorted(nights.items()):
        days = sorted((shift for shift in shifts if shift.rep_id == rep_id), key=lambda shift: shift.day)
        evenings = [(a, b) for a, b in pairwise(days) if (b.day - a.day).days == 1]
        far = [c for c in placeable if days and rep_id in c.rep_ids and haversine_m(days[0].home, c.point) >= FAR_M]
        if most < 1 or not evenings or not far:
            continue
        hotel = _nearest(session, _middle(far))
        if hotel is None:
            continue
        evenings.sort(key=lambda pair: (-_worth(far, *pair), pair[0].day))
        found += [
            Lodging(f"hotel/{evening.key}", evening.key, morning.key, *hotel, cost_s)
            for evening, morning in evenings[:most]
        ]
    return tuple(found)


def _worth(far: Sequence[Candidate], evening: Shift, morning: Shift) -> int:
    """What the far work of two days is worth."""
    return sum(c.prize_s for c in far if c.first_day <= morning.day and (c.last_day or evening.day) >= evening.day)


def _middle(far: Sequence[Candidate]) -> LonLat:
    """The far visit that is nearest to all others."""
    points = [c.point for c in far]
    return min(points, key=lambda one: (sum(haversine_m(one, other) for other in points), one))


def _nearest(session: Session, point: LonLat) -> tuple[str, LonLat] | None:
    row = session.execute(NEAREST, {"lon": point.lon, "lat": point.lat, "near": NEAR_M}).one_or_none()
    return None if row is None else (row[0] or "Hotel", LonLat(row[1], row[2]))
