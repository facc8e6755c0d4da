"""The steps of large imports in the background, whatever they bring."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.exchange.kinds import KINDS
from server.imports import service
from server.imports.models import ImportRun, State
from server.imports.targets import Target
from server.jobs import task
from server.kit.database import transaction
from server.kit.errors import WaymarkError

TRIES = 3
"""So often a step may die with its worker before it is given up."""

DIED = text(
    """
    select coalesce(max(attempts), 0) from procrastinate_jobs
    where status = 'doing' and task_name like 'exchange.%' and args ->> 'run_id' = :run
    """
)


@task("exchange.check_import")
def check_import(run_id: str) -> None:
    """The dry run of a large file. What a killed worker has read stays; the next one goes on after it."""
    step(UUID(run_id), State.CHECKING)


@task("exchange.apply_import")
def apply_import(run_id: str) -> None:
    """Apply a large import in one transaction: all of it or nothing."""
    step(UUID(run_id), State.APPLYING)


@task("exchange.undo_import")
def undo_import(run_id: str, actor: str | None = None) -> None:
    """Undo a large import in one transaction: all of it or nothing."""
    step(UUID(run_id), State.UNDOING, actor=UUID(actor) if actor else None)


def step(run_id: UUID, state: State, *, actor: UUID | None = None) -> None:
    """One step of an import; what makes it impossible is written down for its owner."""
    before = failed_back(run_id, state)
    if not service.begins(run_id, state) or gave_up(run_id, before):
        return
    try:
        if state is State.CHECKING:
            service.read_on(run_id, target_of, service.tell_progress(run_id, state))
        with transaction() as session:
            run = session.get_one(ImportRun, run_id)
            target = target_of(session, run)
            if state is State.CHECKING:
                service.check(session, target, run, service.tell_progress(run_id, state))
            elif state is State.APPLYING:
                service.apply(session, target, run, service.tell_progress(run_id, state))
            else:
                service.undo(session, target, run, actor)
    except WaymarkError as error:
        service.note(run_id, state=before, message=f"{error.message} {error.help}".strip())
    except BaseException:
        again = "Try again." if before is State.UNDONE else "It is tried again."
        service.note(run_id, state=before, message=f"The work was interrupted; nothing was changed. {again}")
        raise


def failed_back(run_id: UUID, state: State) -> State:
    """Where an import stands when a step of it fails: an undo leaves it as it was."""
    if state is not State.UNDOING:
        return State.FAILED
    with transaction() as session:
        return State.DONE if session.get_one(ImportRun, run_id).undone_at is None else State.UNDONE


def gave_up(run_id: UUID, before: State) -> bool:
    """Whether the step has died so often that it would again; its owner is told, and nothing was changed."""
    with transaction() as session:
        died = session.execute(DIED, {"run": str(run_id)}).scalar_one()
    if died >= TRIES:
        why = f"The work was interrupted {died} times and was given up; nothing was changed."
        help = "The machine may lack memory: try again, or split the file."
        service.note(run_id, state=before, message=f"{why} {help}")
    return bool(died >= TRIES)


def target_of(session: Session, run: ImportRun) -> Target:
    """What the file of this import brings."""
    return KINDS[run.kind].target(session)
