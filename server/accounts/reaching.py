"""Which sites are reached from a place within some minutes: exactly, by the roads, not by the ring on the map."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, Text, Uuid, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from geo.types import BBox, LonLat
from routing.roads.types import RoadEngine
from server.accounts.fields import of_sites
from server.accounts.models import Account, Site
from server.roads import service as roads
from server.roads.queries import generation

FASTEST_M_PER_S = 39.0
"""Nobody gets farther than this in a straight line: 140 km/h, the fastest of the roads' profile."""
FAR_M = 250.0
"""A pin farther from every road than this is warned of."""
OFF_ROAD_M = 2_000.0
"""Place and site may each lie a kilometre from the road."""
_M_PER_DEGREE = 111_195.0
_KEPT = 500_000


@dataclass(frozen=True, slots=True)
class Trip:
    """The drive to a site."""

    drive_s: int
    is_estimated: bool


@dataclass(frozen=True)
class Spots:
    """Where the objects of a room are: in the rows themselves, or in rows that hang on them."""

    key: Any
    """Id of a row with a pin."""
    pin: Any
    living: ColumnElement[bool]
    of: Callable[[ColumnElement[bool]], ColumnElement[bool]]
    """The objects of which some row with a pin fulfils a condition."""
    in_areas: Callable[[Select[Any]], ColumnElement[bool]]
    """The objects of some territories."""


SITES = Spots(
    Site.id,
    Site.pin,
    Site.deleted_at.is_(None),
    of_sites,
    lambda areas: Account.territory_id.in_(areas) | of_sites(Site.territory_id.in_(areas)),
)


@dataclass
class Reaching:
    """Answers the `within ... minutes of` of one filter and remembers how far each site is."""

    session: Session
    spots: Spots = SITES
    trips: dict[UUID, Trip] = field(default_factory=dict)
    """The drives to all sites that were found, by site; the shortest where a filter names several places."""

    def condition(self, centre: LonLat, minutes: float) -> ColumnElement[bool]:
        """Some site of the object is reached from a place within some minutes."""
        limit_s = minutes * 60
        sites = self._places(box_around(centre, limit_s))
        trips = trips_from(self.session, centre, [point for _id, point in sites])
        found = {site: trip for (site, _point), trip in zip(sites, trips, strict=True) if trip.drive_s <= limit_s}
        for site, trip in found.items():
            known = self.trips.get(site)
            self.trips[site] = trip if known is None or trip.drive_s < known.drive_s else known
        return self.spots.of(self.spots.key == any_(literal(list(found), ARRAY(Uuid))))

    @property
    def drive_s(self) -> ColumnElement[int]:
        """Seconds to the nearest site of an account that was found; one nobody drives to comes last."""
        seconds = literal({str(site): trip.drive_s for site, trip in self.trips.items()}, JSONB)
        nearest = select(func.min(cast(seconds.op("->>")(cast(Site.id, Text)), Integer)))
        nearest = nearest.where(Site.account_id == Account.id, Site.deleted_at.is_(None)).correlate(Account)
        return func.coalesce(nearest.scalar_subquery(), 1_000_000)

    def of_accounts(self, account_ids: Iterable[UUID]) -> dict[UUID, Trip]:
        """The shortest drive to each of some accounts."""
        if not self.trips:
            return {}
        rows = self.session.execute(
            select(Site.account_id, Site.id).where(Site.account_id.in_(list(account_ids)), Site.deleted_at.is_(None))
        )
        found: dict[UUID, Trip] = {}
        for account, site in rows:
            trip = self.trips.get(site)
            if trip is not None and (account not in found or trip.drive_s < found[account].drive_s):
                found[account] = trip
        return found

    def _places(self, box: BBox) -> list[tuple[UUID, LonLat]]:
        envelope = func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, 4326)
        pin = self.spots.pin
        rows = self.session.execute(
            select(self.spots.key, func.ST_X(pin), func.ST_Y(pin)).where(self.spots.living, pin.op("&&")(envelope))
        )
        return [(key, LonLat(lon, lat)) for key, lon, lat in rows]


def box_around(point: LonLat, seconds: float) -> BBox:
    """A box that nobody leaves within so many seconds."""
    reach_m = seconds * FASTEST_M_PER_S + OFF_ROAD_M
    high = reach_m / _M_PER_DEGREE
    wide = high / max(math.cos(math.radians(min(89.0, abs(point.lat) + high))), 0.01)
    return BBox(point.lon - wide, point.lat - high, point.lon + wide, point.lat + high)


def road_m(session: Session, point: LonLat) -> float:
    """Metres from a place to the nearest road for cars; 0 where no roads are known."""
    return float(roads.engine(session, [point]).matrix([point]).snap_m[0])


def trips_from(session: Session, centre: LonLat, points: list[LonLat]) -> list[Trip]:
    """The drives from a place to some points, by a table with one row; what was asked before is not asked again."""
    key = (generation(session), centre)
    known = _MEMORY.of(key)
    missing = [point for point in dict.fromkeys(points) if point not in known]
    asked = _ask(roads.engine(session, [centre, *missing]), centre, missing) if missing else {}
    _MEMORY.add(key, {point: trip for point, trip in asked.items() if not trip.is_estimated})
    return [known.get(point) or asked[point] for point in points]


def _ask(engine: RoadEngine, centre: LonLat, points: list[LonLat]) -> dict[LonLat, Trip]:
    found = engine.matrix([centre], points)
    rows = zip(points, found.seconds[0].tolist(), found.estimated[0].tolist(), strict=True)
    return {point: Trip(seconds, guess) for point, seconds, guess in rows}


class _Memory:
    """The latest places somebody looked from; the key names the roads' state, so nothing here grows old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[tuple[str, LonLat], dict[LonLat, Trip]] = OrderedDict()

    def of(self, key: tuple[str, LonLat]) -> dict[LonLat, Trip]:
        with self._lock:
            if key in self._places:
                self._places.move_to_end(key)
            return self._places.get(key, {})

    def add(self, key: tuple[str, LonLat], trips: dict[LonLat, Trip]) -> None:
        if not trips:
            return
        with self._lock:
            self._places[key] = {**self._places.get(key, {}), **trips}
            while len(self._places) > 1 and sum(map(len, self._places.values())) > _KEPT:
                self._places.popitem(last=False)


_MEMORY = _Memory()
