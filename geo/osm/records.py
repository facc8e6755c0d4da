"""What an extract is read into: records that the address index, prospects, base map and phone map are built from."""

from collections.abc import Mapping
from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from geo.types import LonLat


@dataclass(frozen=True, slots=True)
class AddressPoint:
    """One house number as it was mapped, or one row of an address file."""

    source_id: str
    """`n123`, `w123`, `r123` for OSM nodes, ways and relations; the row's ID for files."""
    number: str
    """House number as written, unit not cut off: `12a`, `90/H`, `5 bis`."""
    street: str
    """`addr:street`, or `addr:place` where a village numbers its houses without streets."""
    postcode: str
    """As written; empty when not tagged."""
    city: str
    """`addr:city` as written; empty when not tagged."""
    country: str
    """Two-letter code when tagged, else empty."""
    point: LonLat
    """The node, or a point inside the building."""
    is_place: bool = False
    """Whether `street` is really the name of a place (`addr:place`)."""


@dataclass(frozen=True, slots=True)
class StreetLine:
    """One named way of the road network: knows other names, and streets without house numbers."""

    source_id: str
    """`w123`."""
    name: str
    """Main name."""
    names: Mapping[str, str]
    """Other names by tag: `name:sv`, `alt_name`, `old_name`, `short_name`, `official_name`, `ref` is left out."""
    line: tuple[LonLat, ...]
    """Its vertices in order."""


@dataclass(frozen=True, slots=True)
class Place:
    """A settlement, municipality, postcode or country that people write in the place part of an address."""

    source_id: str
    """`n123` or `r123`."""
    kind: str
    """`country`, `state`, `county`, `municipality`, `city`, `town`, `village`, `suburb`, `hamlet`, `locality`,
    `postcode`."""
    name: str
    """Main name; the code itself for a postcode."""
    names: Mapping[str, str]
    """Other names by tag (`name:de`, `alt_name`, ...)."""
    point: LonLat
    """Label point or centre."""
    country: str
    """Two-letter code where known, else empty."""
    admin_level: int | None = None
    """For boundaries: OSM's `admin_level`, 2 to 11."""
    postcode: str = ""
    """`postal_code` where tagged."""
    area: BaseGeometry | None = None
    """Polygon or multipolygon in EPSG:4326 where the extract holds the whole boundary."""


@dataclass(frozen=True, slots=True)
class Poi:
    """A named shop, office, craft or amenity: a prospect, and a thing found by name."""

    source_id: str
    """`n123`, `w123`, `r123`."""
    name: str
    """Main name."""
    names: Mapping[str, str]
    """Other names by tag (`name:xx`, `alt_name`, `brand`, `operator`)."""
    kind: str
    """Key and value, `shop=bakery`."""
    point: LonLat
    """The node, or a point inside the area."""
    tags: Mapping[str, str]
    """All tags: address, phone, website, opening_hours, ..."""
    is_prospect: bool = True
    """Whether somebody may buy there; a fountain or a bus stop is only found by name."""


@dataclass(frozen=True, slots=True)
class MapFeature:
    """One thing the base map draws."""

    layer: str
    """`landuse`, `water`, `building`, `road`, `rail`, `boundary`, `place`."""
    kind: str
    """Within the layer: `forest`, `river`, `motorway`, `residential`, `city`, ..."""
    name: str
    """Label, may be empty."""
    min_zoom: int
    """The lowest zoom at which it is drawn, 0 to 14."""
    geometry: BaseGeometry
    """Point, (multi)line or (multi)polygon in EPSG:4326."""
