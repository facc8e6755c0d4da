"""`waymark import`: accounts from a file, and the way back; `waymark duplicates`: accounts that may be the same."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from server.accounts.duplicates import pairs as duplicate_pairs
from server.accounts.duplicates import queue as duplicate_queue
from server.accounts.duplicates import rule as duplicate_rule
from server.accounts.importing.target import TARGET, target
from server.auth.access import system_scope
from server.imports import guessing, profiles, queries, service
from server.imports.errors import BadFile
from server.imports.models import Action, ImportOutcome, ImportRun, Mode
from server.kit.database import transaction

SHOWN = 20


class FileFirst(TyperGroup):
    """`waymark import FILE` needs no further word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what is no command as the file."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["file", *args]
        return super().parse_args(ctx, args)


imports = typer.Typer(cls=FileFirst, no_args_is_help=True, help="Import accounts from a file, and take it back.")


@imports.command("file")
def import_accounts(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, GeoJSON or GeoPackage.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    key: Annotated[str | None, typer.Option(help="What accounts are recognised by: number or name.")] = None,
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
    """Import accounts from a file: new ones are created, known ones updated, all or nothing."""
    if not file.is_file():
        raise BadFile(f"There is no file {file}.", help="Check its path.")
    with transaction() as session:
        run = service.receive(session, target(session), file, file_name=file.name, actor=None, sheet=sheet)
        if profile is not None:
            service.use(session, target(session), run, profiles.by_name(session, TARGET.kind, profile))
        if encoding is not None or delimiter is not None:
            service.read_in(session, target(session), run, encoding=encoding, delimiter=delimiter)
        if (mixed := queries.mixed(session, run)) is not None:
            typer.echo(
                f"{run.file_name}: {mixed.rows:,} rows are written in {mixed.encoding}, unlike the rest.", err=True
            )
        for lack in guessing.missing(target(session), run.mapping):
            typer.echo(f"{run.file_name}: no column means {lack.label}; a new record needs it.", err=True)
        kept = [name.strip() for name in keep.split(",")] if keep else None
        options = {"mode": mode, "key": key, "country": country, "currency": currency, "keep": kept}
        given = {name: value for name, value in options.items() if value is not None}
        service.configure(session, target(session), run, run.mapping, run.options | given)
        for place, name in run.mapping.items():
            typer.echo(f"{run.header[int(place)]} = {name}", err=True)
        service.check(session, target(session), run, tell)
        show_problems(run, queries.outcomes(session, run.id, problems_only=True, limit=SHOWN))
    if not dry_run:
        with transaction() as session:
            run = session.get_one(ImportRun, run.id)
            service.apply(session, target(session), run)
        typer.echo(f"To take it back: waymark import undo {run.id}", err=True)
    named = [name for name in (*Action, "warnings") if run.counts.get(name)]
    counts = ", ".join(f"{run.counts[name]:,} {name}" for name in named)
    typer.echo(f"{run.file_name}: {run.row_count:,} rows{' (dry run)' if dry_run else ''}: {counts}")


@imports.command("list")
def list_imports() -> None:
    """The imports so far, the latest first, with the id by which they are undone."""
    with transaction() as session:
        for run in session.scalars(queries.runs(TARGET.kind)):
            typer.echo(f"{run.id}  {run.created_at:%Y-%m-%d %H:%M}  {run.state:8}  {run.row_count:9,}  {run.file_name}")


@imports.command("undo")
def undo_import(run: Annotated[UUID, typer.Argument(help="Id of the import, see “waymark import list”.")]) -> None:
    """Undo an import: what it created goes away, what it changed goes back; what was edited since stays."""
    with transaction() as session:
        found = service.find(session, TARGET.kind, run)
        service.undo(session, target(session), found, None)
        for kept in queries.kept(session, run, limit=SHOWN):
            field = "the account" if kept.field == "*" else kept.field
            typer.echo(f"{kept.label}: {field} stays, {kept.why}", err=True)
        counts = ", ".join(f"{found.undo_counts[name]:,} {name}" for name in ("removed", "restored", "kept"))
    typer.echo(f"{found.file_name}: undone: {counts}")


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


duplicates = typer.Typer(no_args_is_help=True, help="Accounts that may be the same.")


@duplicates.command()
def find() -> None:
    """Compare what is new or changed since the last search; says what was left out, and what the rule would merge."""
    began = time.perf_counter()
    with transaction() as session:
        run = duplicate_pairs.search(session)
    if run is None:
        typer.echo("Another search is running.")
        return
    seconds = time.perf_counter() - began
    typer.echo(
        f"{run.looked_at:,} of {run.accounts:,} accounts looked at, {run.compared:,} pairs compared in {seconds:.1f} s,"
        f" {run.found:,} resemble each other."
    )
    if run.cut_blocks:
        typer.echo(f"{run.cut_blocks:,} blocks were too large; {run.cut_pairs:,} pairs in them need another sign.")
    with transaction() as session:
        held = duplicate_rule.rule(session)
        ready = duplicate_rule.would_merge(session, held.threshold)
    state = "on: the worker merges" if held.is_on else "off; it would merge"
    typer.echo(f"The rule (from {held.threshold:.3g}) is {state} {ready:,} pairs.")


@duplicates.command("list")
def list_pairs(limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many pairs at most.")] = 50) -> None:
    """Pairs that wait for somebody, the surest and most valuable first."""
    with transaction() as session:
        total = duplicate_queue.count(session, system_scope())
        for one in duplicate_queue.waiting(session, system_scope(), limit=limit):
            names = f"{one.one.name} ({one.one_place or '-'}) = {one.other.name} ({one.other_place or '-'})"
            typer.echo(f"{one.pair.score:.2f}  {names}: {', '.join(one.reasons())}")
    typer.echo(f"{total:,} pairs wait.")
