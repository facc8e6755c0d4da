"""`waymark import`: accounts from a file, from the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from server.accounts.importing import TARGET
from server.imports import queries, service
from server.imports.errors import BadFile
from server.imports.models import Action, ImportOutcome, ImportRun, Mode
from server.kit.database import transaction

SHOWN = 20


def import_accounts(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    key: Annotated[str | None, typer.Option(help="What accounts are recognised by: number or name.")] = None,
    mode: Annotated[Mode, typer.Option(help="What the import may do.")] = Mode.BOTH,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    country: Annotated[str | None, typer.Option(help="Country of rows that name none.")] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of amounts that name none.")] = None,
) -> None:
    """Import accounts from a file: new ones are created, known ones updated, all or nothing."""
    if not file.is_file():
        raise BadFile(f"There is no file {file}.", help="Check its path.")
    with transaction() as session:
        run = service.receive(session, TARGET, file, file_name=file.name, actor=None, sheet=sheet)
        options = {"mode": mode, "key": key, "country": country, "currency": currency}
        given = {name: value for name, value in options.items() if value is not None}
        service.configure(session, TARGET, run, run.mapping, given)
        for place, name in run.mapping.items():
            typer.echo(f"{run.header[int(place)]} = {name}", err=True)
        service.check(session, TARGET, run, tell)
        show_problems(run, queries.outcomes(session, run.id, problems_only=True, limit=SHOWN))
    if not dry_run:
        with transaction() as session:
            run = session.get_one(ImportRun, run.id)
            service.apply(session, TARGET, run)
    named = [name for name in (*Action, "warnings") if run.counts.get(name)]
    counts = ", ".join(f"{run.counts[name]:,} {name}" for name in named)
    typer.echo(f"{run.file_name}: {run.row_count:,} rows{' (dry run)' if dry_run else ''}: {counts}")


def tell(done: int, total: int) -> None:
    """Progress on stderr, so that the result alone is on stdout."""
    stream = typer.get_text_stream("stderr")
    if stream.isatty():
        typer.echo(f"\r{done:,} of {total:,} rows checked", err=True, nl=done >= total)


def show_problems(run: ImportRun, rows: Sequence[ImportOutcome]) -> None:
    """The first problems, by row."""
    for row in rows:
        for problem in row.problems:
            typer.echo(f"{run.file_name}, row {row.row_no}: {problem['level']}: {problem['message']}", err=True)
