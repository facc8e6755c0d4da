"""`waymark sync`: looking after what reaches phones."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from server.auth.access import system_scope
from server.kit.database import transaction
from server.sync import doctor as examination
from server.sync.leaving import exports
from server.sync.pulling import epochs
from server.sync.pushing import backups

sync = typer.Typer(no_args_is_help=True, help="Sync with phones: check it, repair it, tell it of restores and backups.")
epoch = typer.Typer(no_args_is_help=True, help="Which incarnation of the database phones believe to talk to.")
sync.add_typer(epoch, name="epoch")


@sync.command()
def doctor() -> None:
    """Look for what should not be; exits with 1 when something is found. Changes nothing."""
    with transaction() as session:
        findings = examination.examine(session)
    for finding in findings:
        typer.echo(f"{finding.count:8d}  {finding.question}")
    if any(finding.count for finding in findings):
        typer.echo("Run “waymark sync repair”.")
        raise typer.Exit(1)


@sync.command()
def repair(
    everything: Annotated[bool, typer.Option(help="Also send every row to every phone once more.")] = False,
) -> None:
    """Put rows into the buckets where they belong, and stamps of another cluster right."""
    with transaction() as session:
        repaired = epochs.guard(session)
        wrong = epochs.regroup(session)
        stamped = epochs.restamp(session) if everything and not repaired else 0
    for name, count in wrong.items():
        typer.echo(f"{count:8d}  {name}: rows moved to where they belong")
    if repaired:
        typer.echo("Stamps lay in the future: everything is sent once more, under a new epoch.")
    elif stamped:
        typer.echo(f"{stamped:8d}  rows are sent once more")


@sync.command("take-in")
def take_in(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="As the phone made it.")],
) -> None:
    """Take in the file to which a phone wrote what it could not send; the same again changes nothing."""
    with transaction() as session, file.open("rb") as content:
        told = exports.take_in(session, system_scope(), content)
    typer.echo(f"{told.user_name}, {told.device_name}, {told.made_at}")
    typer.echo(f"{told.taken:8d}  entries taken in now")
    typer.echo(f"{told.known:8d}  entries that were here before")
    typer.echo(f"{told.waiting:8d}  entries that wait for a decision on the page of their rep")
    typer.echo(f"{told.photos - told.photos_refused - told.photos_waiting:8d}  contents of photos")
    if told.unreadable:
        typer.echo(f"{told.unreadable:8d}  entries that the phone cannot read any more, kept as they are")
    for one in told.refused:
        typer.echo(f" refused  {one.entity}: {one.reason}")


@epoch.command()
def show() -> None:
    """Print the epoch that phones are told."""
    with transaction() as session:
        typer.echo(epochs.current(session))


@epoch.command()
def rotate() -> None:
    """Become another incarnation: the last step of every restore from a backup."""
    with transaction() as session:
        typer.echo(epochs.rotate(session))


@epoch.command(context_settings={"ignore_unknown_options": True})  # an epoch may begin with a minus
def keep(
    earlier: Annotated[str, typer.Argument(help="The epoch before the move, as `waymark sync epoch show` printed it.")],
) -> None:
    """Go on under an earlier epoch, after a planned move that lost nothing."""
    with transaction() as session:
        epochs.keep(session, earlier)
        typer.echo(epochs.current(session))


BEGAN = typer.Option(help="When its copying began, e.g. 2026-11-28T02:00:00+01:00: the output of “date -Iseconds”.")


@sync.command("backed-up")
def backed_up(began: Annotated[str, BEGAN]) -> None:
    """Say that a verified backup exists: phones may forget what it holds, visits and photos.

    It has to hold the database and, copied after it, the folder `files` under WAYMARK_HOME. What came while it was
    being copied may not be in it, so it counts from the moment before the first of the two.
    """
    moment = told(began)
    with transaction() as session:
        backups.tell(session, moment)
    before = moment.isoformat(timespec="seconds")
    typer.echo(f"Phones may forget what was recorded, and photos that came, before {before}.")


@sync.command("not-backed-up")
def not_backed_up(
    began: Annotated[str | None, typer.Option(help="The same, of the last one that is good.")] = None,
) -> None:
    """Take a wrong “backed-up” back: phones keep everything from now on, or what came after the backup that is good."""
    with transaction() as session:
        backups.take_back(session, told(began) if began else None)
    typer.echo("Phones keep what is in no backup.")


def told(moment: str) -> datetime:
    """A moment as it was typed; without an offset by the clock of this machine. Refuses anything else."""
    try:
        return datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"“{moment}” is no moment; write it like 2026-11-28T02:00:00+01:00.") from error
