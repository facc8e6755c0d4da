"""Density as files: a GeoPackage for people with a GIS, and the lists that the snapshot draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas
import h3
import pandas
import pyogrio
from shapely.geometry import Point
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.density import cell_outline
from geo.types import LonLat
from server.accounts.models import Account, Site, Status
from server.accounts.queries import visible_to
from server.auth.access import Scope
from server.density import queries
from server.density.counting import COARSEST, FINEST
from server.density.models import DensityCustomer
from server.regions import queries as regions
from server.regions.models import Prospect, Region, State


@dataclass(frozen=True)
class Firm:
    """A prospect or a customer on the map."""

    id: str
    name: str
    kind: str
    """`shop=bakery` for a prospect, the class for a customer."""
    point: LonLat


def prospects(session: Session) -> list[Firm]:
    """All firms of the served regions that are not customers yet."""
    taken = select(DensityCustomer.prospect_id).where(DensityCustomer.prospect_id == Prospect.id).exists()
    statement = (
        select(Prospect.id, Prospect.name, Prospect.kind, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin))
        .join(Region, Region.id == Prospect.region_id)
        .where(Region.state == State.READY, ~taken)
        .order_by(Prospect.id)
    )
    return [Firm(str(id), name, kind, LonLat(lon, lat)) for id, name, kind, lon, lat in session.execute(statement)]


def customers(session: Session, scope: Scope) -> list[Firm]:
    """The customers with a pin that somebody may see."""
    statement = (
        visible_to(scope)
        .join(Site, Site.account_id == Account.id)
        .where(Account.status == Status.CUSTOMER, Site.deleted_at.is_(None), Site.pin.is_not(None))
        .with_only_columns(Account.id, Account.name, Account.account_class, func.ST_X(Site.pin), func.ST_Y(Site.pin))
        .order_by(Account.id, Site.id)
    )
    rows = session.execute(statement)
    return [Firm(str(id), name, f"class {kind or '–'}", LonLat(lon, lat)) for id, name, kind, lon, lat in rows]


def sources(session: Session) -> list[str]:
    """Every source with its date, to be printed on what leaves the house."""
    lines = []
    for region in regions.served(session):
        when = f", {region.data_date:%Y-%m-%d}" if region.data_date else ""
        lines += [f"{region.name}: {credit} ({region.licence}{when})" for credit in region.attribution]
    return lines


def write_geopackage(session: Session, scope: Scope, path: Path, resolution: int | None = None) -> None:
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
        "customers": [cell.customers for cell in cells],
        "penetration": [cell.penetration for cell in cells],
        "low_90": [cell.low for cell in cells],
        "high_90": [cell.high for cell in cells],
    }
    return geopandas.GeoDataFrame(columns, geometry=[cell_outline(name) for name in names], crs="EPSG:4326")


def _points(firms: Sequence[Firm]) -> geopandas.GeoDataFrame:
    columns = {name: [getattr(firm, name) for firm in firms] for name in ("id", "name", "kind")}
    return geopandas.GeoDataFrame(columns, geometry=[Point(firm.point) for firm in firms], crs="EPSG:4326")
