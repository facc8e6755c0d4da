"""`waymark density`: counts and files."""

from pathlib import Path
from typing import Annotated

import typer

from server.auth.access import system_scope
from server.density import service
from server.density.counting import COARSEST, FINEST
from server.density.files import Format, write
from server.kit.database import transaction

density = typer.Typer(no_args_is_help=True, help="Where prospects and customers are, and how many.")


@density.command()
def refresh() -> None:
    """Count prospects and customers anew where something has changed."""
    with transaction() as session:
        changed = service.refresh(session)
    typer.echo("Counted." if changed else "Nothing has changed since the last count.")


@density.command()
def export(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    format: Annotated[Format, typer.Option(help="html: a map that works without a network; gpkg: a GeoPackage.")],
    resolution: Annotated[int | None, typer.Option(min=COARSEST, max=FINEST, help="H3 resolution.")] = None,
) -> None:
    """Write the market to a file."""
    unfinished = out.with_name(f".{out.name}.part{out.suffix}")
    with transaction() as session:
        service.refresh(session)
        write(session, system_scope(), unfinished, format, resolution)
    unfinished.replace(out)
    typer.echo(f"Written: {out}")
