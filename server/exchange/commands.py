"""`waymark import`: whatever files bring, and the way back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.orm import Session
from typer.core import TyperGroup

from server.exchange.jobs import target_of
from server.exchange.kinds import KINDS, named
from server.imports import guessing, profiles, queries, service
from server.imports.errors import BadFile, ChooseLayer
from server.imports.models import Action, ImportOutcome, ImportRun, Mode
from server.kit.database import transaction
from server.kit.errors import NotFound

SHOWN = 20
KIND_NAMES = ", ".join(KINDS)
COUNTED = {
    "create": ("new", "new"),
    "update": ("changed", "changed"),
    "unchanged": ("unchanged", "unchanged"),
    "skipped": ("left out by the mode", "left out by the mode"),
    "error": ("error", "errors"),
    "warnings": ("row with warnings", "rows with warnings"),
}
"""One and several of what is counted."""


class FileFirst(TyperGroup):
    """`waymark import FILE` needs no further word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what is no command as the file."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["file", *args]
        return super().parse_args(ctx, args)


imports = typer.Typer(
    cls=FileFirst,
    no_args_is_help=True,
    subcommand_metavar="FILE [OPTIONS] | COMMAND [ARGS]...",
    help="Import accounts, contacts, leads, deals, orders and more from a file (--kind), and take it back."
    "\n\n`waymark import FILE` brings a file in; `waymark import file --help` tells its options.",
)


@imports.command("file")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, GeoJSON or GeoPackage.")],
    kind: Annotated[str, typer.Option(help=f"What the file brings: {KIND_NAMES}.")] = "accounts",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    key: Annotated[str | None, typer.Option(help="What records are recognised by; accounts by number or name.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="What the import may do.")] = None,
    profile: Annotated[str | None, typer.Option(help="Name of a saved meaning of the columns.")] = None,
    keep: Annotated[
        str | None, typer.Option(help="Fields, with commas, in which a value that a person wrote stays.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook, layer of a GeoPackage.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="In what a text file that is not Unicode is written, e.g. cp1250.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What separates the cells of a text file: semicolon, comma, tab or bar.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Country of rows that name none.")] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of amounts that name none.")] = None,
) -> None:
    """Import a file: new records are created, known ones updated, all or nothing. Fails when no row can be taken."""
    if not file.is_file():
        raise BadFile(f"There is no file {file}.", help="Check its path.")
    what = named(kind)
    with transaction() as session:
        target = what.target(session)
        try:
            run = service.receive(session, target, file, file_name=file.name, actor=None, sheet=sheet)
        except ChooseLayer as error:
            first = error.details["choices"][0]
            raise ChooseLayer(error.message, help=f"Choose one, e.g. --sheet “{first}”.", **error.details) from error
        if profile is not None:
            service.use(session, target, run, profiles.by_name(session, kind, profile))
        if encoding is not None or delimiter is not None:
            service.read_in(session, target, run, encoding=encoding, delimiter=delimiter)
        if (mixed := queries.mixed(session, run)) is not None:
            typer.echo(
                f"{run.file_name}: {mixed.rows:,} rows are written in {mixed.encoding}, unlike the rest.", err=True
            )
        for lack in guessing.missing(target, run.mapping) if run.mapping else ():
            typer.echo(f"{run.file_name}: no column means {lack.label}; a new record needs it.", err=True)
        kept = [name.strip() for name in keep.split(",")] if keep else None
        options = {"mode": mode, "key": key, "country": country, "currency": currency, "keep": kept}
        given = {name: value for name, value in options.items() if value is not None}
        if run.profile_id is not None:
            typer.echo("The columns mean what they meant last time.", err=True)
        service.configure(session, target, run, run.mapping, run.options | given)
        for place, name in run.mapping.items():
            typer.echo(f"{run.header[int(place)]} = {name}", err=True)
        if left_out := queries.left_out(session, run):
            typer.echo(f"Left out: {', '.join(left_out)}", err=True)
        if run.empty_rows:
            typer.echo(f"{many(run.empty_rows, 'empty row', 'empty rows')} left out", err=True)
        if areas := queries.areas(session, run):
            one, several = "area was taken as a point inside it", "areas were taken as a point inside them"
            typer.echo(many(areas, one, several), err=True)
        service.check(session, target, run, tell)
        show_problems(run, queries.outcomes(session, run.id, problems_only=True, limit=SHOWN))
    if not dry_run:
        with transaction() as session:
            run = session.get_one(ImportRun, run.id)
            service.apply(session, target_of(session, run), run)
        if run.message:
            typer.echo(run.message, err=True)
        if run.counts.get(Action.CREATE) or run.counts.get(Action.UPDATE):
            typer.echo(f"To take it back: waymark import undo {run.id}", err=True)
    told = [name for name in (*Action, "warnings") if run.counts.get(name)]
    counts = ", ".join(many(run.counts[name], *COUNTED[name]) for name in told)
    rows = many(run.row_count, "row", "rows")
    typer.echo(f"{run.file_name}: {rows}{' (dry run)' if dry_run else ''}: {counts}")
    if run.row_count and run.counts.get(Action.ERROR) == run.row_count:
        raise typer.Exit(1)


def many(count: int, one: str, several: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {one if count == 1 else several}"


@imports.command("list")
def list_imports() -> None:
    """The imports so far, the latest first, with the id by which they are undone."""
    with transaction() as session:
        for run in session.scalars(queries.all_runs()):
            when = f"{run.created_at:%Y-%m-%d %H:%M}"
            typer.echo(f"{run.id}  {when}  {run.state:8}  {run.kind:13}  {run.row_count:9,}  {run.file_name}")


@imports.command("undo")
def undo_import(run: Annotated[str, typer.Argument(help="Id of the import, see “waymark import list”.")]) -> None:
    """Undo an import: what it created goes away, what it changed goes back; what was edited or built on since stays.

    Once nothing rests on what stayed any more, the same command takes that back too.
    """
    with transaction() as session:
        found = by_id(session, run)
        service.undo(session, target_of(session, found), found, None)
        for kept in queries.kept(session, found.id, limit=SHOWN):
            field = "the record" if kept.field == "*" else kept.field
            typer.echo(f"{kept.label}: {field} stays, {kept.why}", err=True)
        counts = ", ".join(f"{found.undo_counts[name]:,} {name}" for name in ("removed", "restored", "kept"))
    typer.echo(f"{found.file_name}: undone: {counts}")


def by_id(session: Session, written: str) -> ImportRun:
    """An import of any kind. Refuses what is the id of none."""
    try:
        run = session.get(ImportRun, UUID(written))
    except ValueError:
        run = None
    if run is None:
        raise NotFound(
            f"“{written[:60]}” is the id of no import.", help="“waymark import list” tells the ids.", field="run"
        )
    return run


def tell(done: int, total: int, counts: Mapping[str, int]) -> None:
    """Progress on stderr, so that the result alone is on stdout."""
    del counts
    stream = typer.get_text_stream("stderr")
    if stream.isatty():
        typer.echo(f"\r{done:,} of {total:,} rows checked", err=True, nl=done >= total)


def show_problems(run: ImportRun, rows: Sequence[ImportOutcome]) -> None:
    """The first problems, by row."""
    for row in rows:
        for problem in row.problems:
            typer.echo(f"{run.file_name}, row {row.row_no}: {problem['level']}: {problem['message']}", err=True)
