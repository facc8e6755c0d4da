"""Density as a file of somebody's choice."""

from enum import StrEnum
from pathlib import Path

from sqlalchemy.orm import Session

from server.auth.access import Scope


class Format(StrEnum):
    """A kind of file."""

    HTML = "html"
    """A map in one web page that works without a network."""
    GPKG = "gpkg"
    """A GeoPackage."""


def write(session: Session, scope: Scope, path: Path, format: Format, resolution: int | None = None) -> None:
    """Write the market, with the customers that somebody may see; folium and geopandas are loaded only when needed."""
    if format == Format.HTML:
        from server.density import snapshot

        path.write_bytes(snapshot.render(session, scope, resolution))
    else:
        from server.density import geopackage

        geopackage.write(session, scope, path, resolution)
