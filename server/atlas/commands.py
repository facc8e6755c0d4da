"""`waymark region`: extracts in, everything built from them; listing is the room of regions' own."""

from typing import Annotated

import typer

from server.atlas import service
from server.geocoding import queries
from server.geocoding.reporting import in_words
from server.kit.database import transaction
from server.regions.commands import StepBars, find_extract, regions
from server.regions.queries import region_by_id

__all__ = ["regions"]


@regions.command("add")
def add(
    extract: Annotated[str, typer.Argument(help="An .osm.pbf file, or the name of a region to download.")],
    name: Annotated[str | None, typer.Option(help="What to call the region; left out: the file's name.")] = None,
) -> None:
    """Build address index, prospects, road graph, base map and phone map from an OpenStreetMap extract.

    A newer extract of a region takes over when it is ready; what differs is told, and only the pins that it may
    concern are looked at again. Pins set by hand or confirmed by GPS stay.
    """
    bars = StepBars()
    try:
        path, source = find_extract(extract, bars)
        region_id = service.add_region(path, name, source=source, steps=bars)
    finally:
        bars.close()
    with transaction() as session:
        region = region_by_id(session, region_id)
        typer.echo(f"Region {region.name} is ready. {'; '.join(region.attribution)}")
        index = queries.of_region(session, region.name)
        if index is not None and index.replaces is not None:
            typer.echo(f"Since the version before: {in_words(index.changes)}.")
            typer.echo(f"{service.to_look_at_again(session):,} sites of accounts are to be looked at again.")


@regions.command("remove")
def remove(name: Annotated[str, typer.Argument(help="As “waymark region list” names it.")]) -> None:
    """Remove a region and everything that was built from its extract."""
    service.remove_region(name)
    typer.echo(f"Region {name} is removed.")
