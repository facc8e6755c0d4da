"""Density and white space as files of somebody's choice."""

from enum import StrEnum
from pathlib import Path

from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.density.choosing import EVERYTHING, Chosen
from server.density.whitespace import Wish, ranked

MEDIA = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "gpkg": "application/geopackage+sqlite3",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Format(StrEnum):
    """A kind of file."""

    HTML = "html"
    """A map in one web page that works without a network."""
    GPKG = "gpkg"
    """A GeoPackage."""
    XLSX = "xlsx"
    """A workbook: hexagons, kinds, territories, sources."""
    CSV = "csv"
    """The hexagons as a table."""

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return MEDIA[self.value]


class WhiteFormat(StrEnum):
    """A kind of file of white space."""

    XLSX = "xlsx"
    GPKG = "gpkg"
    HTML = "html"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return MEDIA[self.value]


def write(session: Session, scope: Scope, path: Path, format: Format, chosen: Chosen = EVERYTHING) -> None:
    """Write the market, with the customers that somebody may see; big libraries are loaded only when needed."""
    if format == Format.HTML:
        from server.density import snapshot

        path.write_bytes(snapshot.render(session, scope, chosen))
    elif format == Format.GPKG:
        from server.density import geopackage

        geopackage.write(session, scope, path, chosen)
    else:
        from server.density import sheets

        write_hexagons = sheets.write_csv if format == Format.CSV else sheets.write_market
        write_hexagons(session, scope, path, chosen)


def write_white_space(session: Session, scope: Scope, wish: Wish, path: Path, format: WhiteFormat) -> None:
    """Write white space in its order, with its sources."""
    found = ranked(session, scope, wish)
    if format == WhiteFormat.XLSX:
        from server.density import sheets

        sheets.write_white_space(session, scope, wish, found, path)
    elif format == WhiteFormat.GPKG:
        from server.density import geopackage

        geopackage.write_white_space(session, scope, found, path)
    else:
        from server.density import snapshot_white

        path.write_bytes(snapshot_white.render(session, scope, wish, found))
