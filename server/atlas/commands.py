"""`waymark region`: extracts in, everything built from them; listing and removing are the room of regions' own."""

from typing import Annotated

import typer

from server.atlas import service
from server.kit.database import transaction
from server.regions.commands import StepBars, find_extract, regions
from server.regions.queries import region_by_id

__all__ = ["regions"]


@regions.command("add")
def add(
    extract: Annotated[str, typer.Argument(help="An .osm.pbf file, or the name of a region to download.")],
    name: Annotated[str | None, typer.Option(help="What to call the region; left out: the file's name.")] = None,
) -> None:
    """Build address index, prospects, road graph, base map and phone map from an OpenStreetMap extract."""
    bars = StepBars()
    try:
        path, source = find_extract(extract, bars)
        region_id = service.add_region(path, name, source=source, steps=bars)
    finally:
        bars.close()
    with transaction() as session:
        region = region_by_id(session, region_id)
        typer.echo(f"Region {region.name} is ready. {'; '.join(region.attribution)}")
