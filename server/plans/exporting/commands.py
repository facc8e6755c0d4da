"""`waymark export`: the day of every rep as files, by hand."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from server.kit.database import transaction
from server.plans.exporting import service


def export(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day, as 2026-11-24.", metavar="DATE")],
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Write below this folder instead of the home's exports.")
    ] = None,
) -> None:
    """Write the published day of every rep: calendar, track, tables, printed sheet, map. Prints the folders."""
    with transaction() as session:
        for path in service.write_day(session, day.date(), folder):
            typer.echo(str(path))
