"""`waymark plans`: the company's night, by hand."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.plans.night import service
from server.plans.night.jobs import plan_part
from server.plans.night_models import NightPart, PartState
from server.plans.planning import MACHINE
from server.records.service import acting

plans = typer.Typer(no_args_is_help=True, help="Plans of the whole company.")


class SomePartsFailed(WaymarkError):
    """The night is over, but not for everybody."""

    code = "night_failed"


@plans.callback()
def group() -> None:
    """Plans of the whole company."""


@plans.command()
def night(
    first_day: Annotated[
        datetime | None,
        typer.Argument(formats=["%Y-%m-%d"], metavar="[DATE]", help="First day; left out: the next working day."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=7, help="Calendar days; left out: as the rules say.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the search for each part.")] = None,
    queue: Annotated[bool, typer.Option("--queue", help="Only ask for it; `waymark worker` does the work.")] = False,
) -> None:
    """Plan everybody's next days, put them into the calendar and write the files; prints a line for each part."""
    with transaction() as session:
        acting(session, MACHINE)
        day = first_day.date() if first_day else service.next_working_day(session, clock.today(settings().zone))
        if day is None:
            raise WaymarkError("Nobody works within the next two weeks.", help="Set working days under Users.")
        run = service.ask(session, plan_part, first_day=day, days=days, steps=steps)
        parts = [(part.id, part.name) for part in service.parts_of(session, run.id)]
    typer.echo(f"{len(parts)} parts from {run.first_day}, {run.days} days.")
    if queue:
        return
    failed = 0
    for part_id, name in parts:
        if waits(part_id):
            plan_part(part_id=str(part_id))
        failed += not told(part_id, name)
    if failed:
        raise SomePartsFailed(
            f"{failed} of {len(parts)} parts failed.", help="See the night's page, and plan them again."
        )


def waits(part_id: UUID) -> bool:
    """Whether no worker has taken the part on meanwhile."""
    with transaction() as session:
        return session.get_one(NightPart, part_id).state == PartState.QUEUED


def told(part_id: UUID, name: str) -> bool:
    """Say what became of a part; whether it is done."""
    with transaction() as session:
        part = session.get_one(NightPart, part_id)
        if part.state == PartState.RUNNING:
            typer.echo(f"{name}: a worker is at it")
            return True
        if part.state != PartState.DONE:
            typer.echo(f"{name}: {part.error} {part.error_help or ''}".rstrip())
            return False
        spent = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in sorted(part.phases.items()))
        same = ", unchanged" if part.is_unchanged else ""
        typer.echo(f"{name}: files of {len(part.files)} of {len(part.rep_ids)} reps{same} ({spent})")
        return True
