"""The day sheet: everything the files of one rep's day are written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geo.types import LonLat
from routing.roads.types import Leg

MANIFEST = "manifest.json"
"""Name of the file that says what the others are."""
MEDIA_TYPES: Mapping[str, str] = {
    "ics": "text/calendar; charset=utf-8",
    "gpx": "application/gpx+xml",
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}
"""Media type by a file name's ending."""


@dataclass(frozen=True)
class Anchor:
    """Where a day starts or ends."""

    name: str
    """As people call it: home, office, a hotel."""
    point: LonLat
    """Where it is."""


@dataclass(frozen=True)
class DayStop:
    """One planned visit of the day, with the drive that leads to it."""

    visit_id: str
    """Stays the same when the day is planned again: calendars recognise the visit by it."""
    account: str
    """Name of the account."""
    point: LonLat
    """The site's pin."""
    arrives_at: datetime
    """Arrival by the plan, timezone-aware."""
    starts_at: datetime
    """Service starts: not before arrival."""
    ends_at: datetime
    """Service ends."""
    leg: Leg
    """The drive from the stop (or anchor) before."""
    account_number: str = ""
    """The company's own number of the account."""
    account_class: str = ""
    """A, B, C or nothing."""
    site: str = ""
    """Name of the site, where the account has several."""
    address: str = ""
    """On one line."""
    phone: str = ""
    """As it is stored."""
    objective: str = ""
    """What the visit is for."""
    why: str = ""
    """What brought the stop into the plan."""
    appointment: str = ""
    """`fixed`, `flexible_day`, `flexible_week` or nothing."""
    sequence: int = 0
    """How often the visit was changed: a calendar takes the higher one."""

    def __post_init__(self) -> None:
        if any(time.utcoffset() is None for time in (self.arrives_at, self.starts_at, self.ends_at)):
            raise ValueError(f"the times of {self.account} have no time zone")
        if not self.arrives_at <= self.starts_at <= self.ends_at:
            raise ValueError(f"the times of {self.account} run backwards")


@dataclass(frozen=True)
class Rest:
    """The break of the day."""

    starts_at: datetime
    """Timezone-aware."""
    seconds: int
    """How long."""


@dataclass(frozen=True)
class LeftOut:
    """A visit that was wanted and did not fit."""

    account: str
    """Name of the account."""
    reason: str
    """Why, in words."""
    remedy: str = ""
    """The smallest change that would fit it, in words."""
    address: str = ""
    """On one line."""
    point: LonLat | None = None
    """The site's pin, when it has one."""


@dataclass(frozen=True)
class MapFeature:
    """A piece of the quiet base map under the route."""

    layer: str
    """`landuse`, `water`, `building`, `road`, `rail`, `boundary` or `place`."""
    kind: str
    """The layer's own word: motorway, residential, forest, town."""
    geometry: Mapping[str, Any]
    """GeoJSON geometry."""
    name: str = ""
    """Written on the map for places and great roads."""


@dataclass(frozen=True)
class DaySheet:
    """One rep's planned day."""

    company: str
    """Name of the company."""
    rep: str
    """Name of the rep."""
    login: str
    """The rep's sign-in name, used in file names."""
    day: date
    """The day, in the rep's zone."""
    zone: str
    """IANA zone in which all times are written."""
    start: Anchor
    """Where the day starts."""
    end: Anchor
    """Where the day ends."""
    leaves_at: datetime
    """Departure from the start."""
    returns_at: datetime
    """Arrival at the end."""
    stops: tuple[DayStop, ...]
    """In the order of driving."""
    last_leg: Leg
    """The drive from the last stop to the end."""
    rest: Rest | None = None
    """The break, when the plan has one."""
    left_out: tuple[LeftOut, ...] = ()
    """What was wanted for this rep and day and did not fit."""
    source: str = ""
    """Which route it was written from, and how that stood; only the manifest says it."""

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)
        if any(time.utcoffset() is None for time in (self.leaves_at, self.returns_at)):
            raise ValueError("the times of a day sheet must have a time zone")

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All drives of the day, one more than stops."""
        return (*(stop.leg for stop in self.stops), self.last_leg)

    @property
    def drive_s(self) -> int:
        """Seconds of driving."""
        return sum(leg.seconds for leg in self.legs)

    @property
    def metres(self) -> int:
        """Metres of driving."""
        return sum(leg.metres for leg in self.legs)

    @property
    def service_s(self) -> int:
        """Seconds spent at customers."""
        return round(sum((stop.ends_at - stop.starts_at for stop in self.stops), timedelta()).total_seconds())

    @property
    def estimated(self) -> bool:
        """Whether any drive is a straight-line estimate."""
        return any(leg.estimated for leg in self.legs)

    @property
    def rest_before(self) -> int | None:
        """How many stops come before the break, or nothing when there is no break."""
        return None if self.rest is None else sum(stop.starts_at < self.rest.starts_at for stop in self.stops)

    @property
    def points(self) -> tuple[LonLat, ...]:
        """Start, stops and end."""
        return (self.start.point, *(stop.point for stop in self.stops), self.end.point)

    def local(self, time: datetime) -> datetime:
        """A moment on the rep's clock."""
        return time.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True)
class ExportFile:
    """One finished file."""

    name: str
    """File name without a folder."""
    media_type: str
    """As a web server announces it."""
    content: bytes
    """The whole file."""
