"""`waymark density`: counts and files."""

from pathlib import Path
from typing import Annotated

import typer

from server.auth.access import system_scope
from server.density import service
from server.density.choosing import Chosen
from server.density.counting import COARSEST, FINEST
from server.density.files import Format, WhiteFormat, write, write_white_space
from server.density.whitespace import LONGEST_DAYS, Which, Wish
from server.kit.database import transaction

density = typer.Typer(no_args_is_help=True, help="Where prospects and customers are, and how many.")


@density.command()
def refresh() -> None:
    """Count prospects and customers anew where something has changed."""
    with transaction() as session:
        changed = service.refresh(session, by_hand=True)
    typer.echo("Counted." if changed else "Nothing has changed since the last count.")


@density.command()
def export(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    format: Annotated[
        Format,
        typer.Option(
            help="html: a map that works without a network; gpkg: a GeoPackage; xlsx: a workbook; csv: a table."
        ),
    ],
    resolution: Annotated[int | None, typer.Option(min=COARSEST, max=FINEST, help="H3 resolution.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind of firm, e.g. shop=bakery.")] = None,
    filter: Annotated[str | None, typer.Option(help="Only customers that this filter finds are listed.")] = None,
) -> None:
    """Write the market to a file."""
    unfinished = out.with_name(f".{out.name}.part{out.suffix}")
    with transaction() as session:
        service.refresh(session)
        write(session, system_scope(), unfinished, format, Chosen(kind, filter, resolution))
    unfinished.replace(out)
    typer.echo(f"Written: {out}")


@density.command("white-space")
def white_space(
    out: Annotated[Path, typer.Argument(help="The file to write: .xlsx, .gpkg or .html.")],
    which: Annotated[
        Which, typer.Option(help="unassigned: nobody's ground; unworked: not visited.")
    ] = Which.UNASSIGNED,
    kind: Annotated[str | None, typer.Option(help="Only this kind of firm, e.g. shop=bakery.")] = None,
    days: Annotated[int, typer.Option(min=1, max=LONGEST_DAYS, help="Unworked: no visit for so long.")] = 90,
) -> None:
    """Write white space in its order: what an hour of driving and visiting is expected to bring a year."""
    try:
        format = WhiteFormat(out.suffix.removeprefix(".").lower())
    except ValueError:
        raise typer.BadParameter(f"{out.name} ends in no known way; write .xlsx, .gpkg or .html.") from None
    unfinished = out.with_name(f".{out.name}.part{out.suffix}")
    with transaction() as session:
        service.refresh(session)
        write_white_space(session, system_scope(), Wish(which=which, kind=kind, days=days), unfinished, format)
    unfinished.replace(out)
    typer.echo(f"Written: {out}")
