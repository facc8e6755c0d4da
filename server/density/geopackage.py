"""Density as a GeoPackage, for people with a GIS."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import geopandas
import h3
import pandas
import pyogrio
import shapely
from shapely.geometry import Point
from sqlalchemy.orm import Session

from geo.density import cell_outlines
from server.auth.access import Scope
from server.density import queries, reach
from server.density.choosing import EVERYTHING, Chosen
from server.density.counting import COARSEST, FINEST
from server.density.figures import by_territory
from server.density.firms import Firm, customers, prospects, sources
from server.density.reach import Reach
from server.density.sheets import FORMULAS
from server.density.whitespace import Ranked, sees_values


def write(session: Session, scope: Scope, path: Path, chosen: Chosen = EVERYTHING) -> None:
    """Write hexagons, prospects and visible customers as layers of one GeoPackage, with their sources."""
    path.unlink(missing_ok=True)
    for layer, frame in _layers(session, scope, chosen):
        frame.to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
    _about(session, path, chosen.lines())


def _layers(session: Session, scope: Scope, chosen: Chosen) -> Iterator[tuple[str, geopandas.GeoDataFrame]]:
    """The layers by name, each made when the one before is written: a big market fits one at a time."""
    seen, trades, shows = reach.of(session, scope), chosen.trades(session), sees_values(scope)
    for level in [chosen.resolution] if chosen.resolution else range(COARSEST, FINEST + 1):
        yield f"cells_{level}", _hexagons(session, level, seen, trades, values=shows)
    yield "territories", _areas(session, seen, trades, values=shows)
    yield "prospects", _points(prospects(session, seen, trades))
    yield "customers", _points(customers(session, scope, chosen.filter, trades))


def write_white_space(session: Session, scope: Scope, found: Ranked, path: Path) -> None:
    """Write white space in its order as hexagons, with its sources."""
    path.unlink(missing_ok=True)
    names = [gap.cell for gap in found.gaps]
    columns: dict[str, list[object]] = {"rank": list(range(1, len(names) + 1)), "cell": list(names)}
    for name in (
        "territory",
        "prospects",
        "leads",
        "accounts",
        "rep",
        "out_s",
        "by_road",
        "drive_h",
        "visit_h",
        "per_hour",
    ):
        columns[name] = [getattr(gap, name) for gap in found.gaps]
    columns["kinds"] = [", ".join(kind for kind, _ in gap.kinds) for gap in found.gaps]
    if sees_values(scope):
        columns["value"] = [gap.value for gap in found.gaps]
    frame = geopandas.GeoDataFrame(columns, geometry=cell_outlines(names), crs="EPSG:4326")
    frame.to_file(path, layer="white_space", driver="GPKG", engine="pyogrio")
    _about(session, path)


def _about(session: Session, path: Path, asked: Sequence[tuple[str, str]] = ()) -> None:
    """The sources, and what the columns mean."""
    rows = [*asked, *(("source", line) for line in sources(session) or ["no region"])]
    about = pandas.DataFrame([*rows, *FORMULAS], columns=["what", "meaning"])
    pyogrio.write_dataframe(about, path, layer="about", driver="GPKG")


def _areas(session: Session, seen: Reach, trades: Sequence[int] | None, *, values: bool) -> geopandas.GeoDataFrame:
    found = by_territory(session, seen, trades)
    columns = {
        "name": [area.name for area in found],
        "prospects": [area.figures.prospects for area in found],
        "customers": [area.figures.customers for area in found],
        "penetration": [area.figures.penetration.share for area in found],
        "low_90": [area.figures.penetration.low for area in found],
        "high_90": [area.figures.penetration.high for area in found],
        "expected": [area.figures.chance.expected for area in found],
    }
    if values:
        columns["value"] = [area.figures.value for area in found]
    outlines = [shapely.from_geojson(area.outline) for area in found]
    return geopandas.GeoDataFrame(columns, geometry=outlines, crs="EPSG:4326")


def _hexagons(
    session: Session, resolution: int, seen: Reach, trades: Sequence[int] | None, *, values: bool
) -> geopandas.GeoDataFrame:
    cells = queries.cells(session, resolution, seen, trades)
    names = [h3.int_to_str(cell.cell) for cell in cells]
    columns = {
        "cell": names,
        "prospects": [cell.prospects for cell in cells],
        "customers": [float(cell.customers) for cell in cells],
        **{
            column: [None if getattr(cell, "not_known", False) else getattr(cell, name) for cell in cells]
            for column, name in (("penetration", "penetration"), ("low_90", "low"), ("high_90", "high"))
        },
        "expected": [cell.expected for cell in cells],
    }
    if values:
        columns["value"] = [cell.value for cell in cells]
    if trades is not None:
        columns["unknown_kind"] = [float(cell.unknown) for cell in cells]
    return geopandas.GeoDataFrame(columns, geometry=cell_outlines(names), crs="EPSG:4326")


def _points(firms: Sequence[Firm]) -> geopandas.GeoDataFrame:
    columns = {name: [getattr(firm, name) for firm in firms] for name in ("id", "name", "kind", "account_class")}
    return geopandas.GeoDataFrame(columns, geometry=[Point(firm.point) for firm in firms], crs="EPSG:4326")
