"""Density as a GeoPackage, for people with a GIS."""

from collections.abc import Sequence
from pathlib import Path

import geopandas
import h3
import pandas
import pyogrio
from shapely.geometry import Point
from sqlalchemy.orm import Session

from geo.density import cell_outlines
from server.auth.access import Scope
from server.density import queries
from server.density.counting import COARSEST, FINEST
from server.density.firms import Firm, customers, prospects, sources


def write(session: Session, scope: Scope, path: Path, resolution: int | None = None) -> None:
    """Write hexagons, prospects and visible customers as layers of one GeoPackage, with their sources."""
    path.unlink(missing_ok=True)
    resolutions = [resolution] if resolution else range(COARSEST, FINEST + 1)
    for level in resolutions:
        _hexagons(session, level).to_file(path, layer=f"cells_{level}", driver="GPKG", engine="pyogrio")
    for layer, firms in (("prospects", prospects(session)), ("customers", customers(session, scope))):
        _points(firms).to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
    about = pandas.DataFrame({"source": sources(session) or ["no region"]})
    pyogrio.write_dataframe(about, path, layer="about", driver="GPKG")


def _hexagons(session: Session, resolution: int) -> geopandas.GeoDataFrame:
    cells = queries.cells(session, resolution)
    names = [h3.int_to_str(cell.cell) for cell in cells]
    columns = {
        "cell": names,
        "prospects": [cell.prospects for cell in cells],
        "customers": [float(cell.customers) for cell in cells],
        "penetration": [cell.penetration for cell in cells],
        "low_90": [cell.low for cell in cells],
        "high_90": [cell.high for cell in cells],
    }
    return geopandas.GeoDataFrame(columns, geometry=cell_outlines(names), crs="EPSG:4326")


def _points(firms: Sequence[Firm]) -> geopandas.GeoDataFrame:
    columns = {name: [getattr(firm, name) for firm in firms] for name in ("id", "name", "kind")}
    return geopandas.GeoDataFrame(columns, geometry=[Point(firm.point) for firm in firms], crs="EPSG:4326")
