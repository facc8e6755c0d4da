"""`waymark duplicates`: accounts that may be the same."""

import time
from typing import Annotated

import typer

from server.accounts.duplicates import pairs as duplicate_pairs
from server.accounts.duplicates import queue as duplicate_queue
from server.accounts.duplicates import rule as duplicate_rule
from server.auth.access import system_scope
from server.kit.database import transaction

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
