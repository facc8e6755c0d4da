"""Background work of accounts: pins (see `locating`), imports and repairs (see `repairing`)."""

from uuid import UUID

from server.accounts.duplicates.jobs import find_duplicates
from server.accounts.importing.target import target
from server.accounts.locating import (
    ask_elsewhere,
    check_pins_again,
    give_pins_back,
    locate_account,
    locate_pending,
)
from server.accounts.reviewing.repairing import apply_repair, search_repair
from server.imports import service
from server.imports.models import ImportRun, State
from server.jobs import task
from server.kit.database import transaction
from server.kit.errors import WaymarkError

__all__ = [
    "apply_import",
    "apply_repair",
    "ask_elsewhere",
    "check_import",
    "check_pins_again",
    "find_duplicates",
    "give_pins_back",
    "locate_account",
    "locate_pending",
    "search_repair",
    "undo_import",
]


@task("accounts.check_import")
def check_import(run_id: str) -> None:
    """The dry run of a large file. What a killed worker has read stays; the next one goes on after it."""
    step(UUID(run_id), State.CHECKING)


@task("accounts.apply_import")
def apply_import(run_id: str) -> None:
    """Apply a large import in one transaction: all of it or nothing."""
    step(UUID(run_id), State.APPLYING)


@task("accounts.undo_import")
def undo_import(run_id: str, actor: str | None = None) -> None:
    """Undo a large import in one transaction: all of it or nothing."""
    step(UUID(run_id), State.UNDOING, actor=UUID(actor) if actor else None)


def step(run_id: UUID, state: State, *, actor: UUID | None = None) -> None:
    """One step of an import; what makes it impossible is written down for its owner."""
    if not service.begins(run_id, state):
        return
    before = State.DONE if state is State.UNDOING else State.FAILED
    try:
        if state is State.CHECKING:
            service.read_on(run_id, target, service.tell_progress(run_id, state))
        with transaction() as session:
            run = session.get_one(ImportRun, run_id)
            if state is State.CHECKING:
                service.check(session, target(session), run, service.tell_progress(run_id, state))
            elif state is State.APPLYING:
                service.apply(session, target(session), run, service.tell_progress(run_id, state))
            else:
                service.undo(session, target(session), run, actor)
    except WaymarkError as error:
        service.note(run_id, state=before, message=f"{error.message} {error.help}".strip())
    except BaseException:
        service.note(run_id, state=before, message="The work was interrupted; nothing was changed. Try again.")
        raise
