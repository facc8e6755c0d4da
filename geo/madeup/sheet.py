"""A sheet to draw on in metres, written out as an OpenStreetMap extract through pyosmium."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import osmium
from osmium.osm import Location, mutable
from shapely.geometry import Polygon

from geo.types import LonLat

ORIGIN = LonLat(-6.0, 46.0)
"""Where (0, 0) lies: open sea, so that nothing real is ever mistaken for it."""
GENERATOR = "Waymark made-up region"
"""Written into the file, so that nobody credits OpenStreetMap with it."""
_DRAWN_AT = datetime(2026, 1, 1, tzinfo=UTC)
_M_PER_DEG_LAT = 111_132.0
_M_PER_DEG_LON = 111_320.0 * math.cos(math.radians(ORIGIN.lat))


class XY(NamedTuple):
    """Metres east and north of the origin."""

    x: float
    y: float


class Sheet:
    """Nodes, ways and relations under construction; ids count up from 1 per kind."""

    def __init__(self) -> None:
        self._nodes: list[mutable.Node] = []
        self._ways: list[mutable.Way] = []
        self._relations: list[mutable.Relation] = []
        self._points: dict[XY, int] = {}

    def node(self, at: XY, tags: Mapping[str, str] | None = None) -> int:
        """Put down a node; untagged nodes at the same place (to the centimetre) are one."""
        key = XY(round(at.x, 2), round(at.y, 2))
        if not tags and key in self._points:
            return self._points[key]
        number = len(self._nodes) + 1
        place = Location(round(ORIGIN.lon + at.x / _M_PER_DEG_LON, 7), round(ORIGIN.lat + at.y / _M_PER_DEG_LAT, 7))
        self._nodes.append(
            mutable.Node(id=number, version=1, timestamp=_DRAWN_AT, location=place, tags=dict(tags or {}))
        )
        if not tags:
            self._points[key] = number
        return number

    def way(self, nodes: Sequence[int], tags: Mapping[str, str]) -> int:
        """Draw a line through nodes."""
        number = len(self._ways) + 1
        self._ways.append(mutable.Way(id=number, version=1, timestamp=_DRAWN_AT, nodes=list(nodes), tags=dict(tags)))
        return number

    def ring(self, corners: Sequence[XY], tags: Mapping[str, str]) -> int:
        """Draw a closed way through corners."""
        nodes = [self.node(corner) for corner in corners]
        return self.way([*nodes, nodes[0]], tags)

    def polygon(self, polygon: Polygon, tags: Mapping[str, str]) -> int:
        """Draw the outline of a polygon as a closed way."""
        return self.ring([XY(x, y) for x, y in list(polygon.exterior.coords)[:-1]], tags)

    def boundary(self, polygon: Polygon, tags: Mapping[str, str]) -> None:
        """Draw an administrative boundary: a relation with one closed outer way."""
        outer = self.polygon(polygon, {"boundary": "administrative", "admin_level": tags["admin_level"]})
        number = len(self._relations) + 1
        all_tags = {"type": "boundary", "boundary": "administrative"} | dict(tags)
        self._relations.append(
            mutable.Relation(id=number, version=1, timestamp=_DRAWN_AT, members=[("w", outer, "outer")], tags=all_tags)
        )

    def write(self, path: Path) -> None:
        """Write everything as `.osm.pbf`, replacing an existing file."""
        header = osmium.io.Header()
        header.set("generator", GENERATOR)
        header.set("osmosis_replication_timestamp", f"{_DRAWN_AT:%Y-%m-%dT%H:%M:%SZ}")
        with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
            for node in self._nodes:
                writer.add_node(node)
            for way in self._ways:
                writer.add_way(way)
            for relation in self._relations:
                writer.add_relation(relation)
