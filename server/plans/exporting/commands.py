"""`waymark export`: the days of every rep as files, by hand."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from routing.export.tour import Span
from server.kit.database import transaction
from server.plans.exporting import service


def export(
    day: Annotated[
        datetime, typer.Argument(formats=["%Y-%m-%d"], help="The first day, as 2026-11-24.", metavar="DATE")
    ],
    days: Annotated[int, typer.Option(min=1, max=31, help="So many days in one set of files per rep.")] = 1,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Write below this folder instead of the home's exports.")
    ] = None,
) -> None:
    """Write the published days of every rep: calendar, track, tables, printed sheet, map. Prints the folders."""
    with transaction() as session:
        for path in service.write(session, Span.of(day.date(), days), folder):
            typer.echo(str(path))
