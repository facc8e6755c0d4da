"""Bulk repairs in the background, for tables that nobody should wait for."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.models import Account
from server.accounts.place_models import RepairRun, RepairState
from server.accounts.reviewing import repairs
from server.accounts.reviewing.queue import PERMISSION
from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.jobs import defer, task
from server.kit.database import transaction
from server.kit.errors import WaymarkError

INLINE = 3000
"""Accounts up to which a search, and rows up to which a repair, is done while the person waits."""


def look(session: Session, scope: Scope, name: str) -> RepairRun:
    """Search for one kind of mistake; many accounts are searched in the background."""
    run = repairs.begin(session, scope, name)
    reach = queries.visible_to(scope, PERMISSION).with_only_columns(Account.id).limit(INLINE + 1)
    if (session.scalar(select(func.count()).select_from(reach.subquery())) or 0) <= INLINE:
        repairs.search(session, scope, run)
    else:
        defer(session, search_repair, key=f"search_repair:{run.id}", run_id=str(run.id))
    return run


def apply(session: Session, scope: Scope, run: RepairRun) -> None:
    """Apply what was chosen; many rows in the background."""
    if run.found <= INLINE or run.state != RepairState.READY:
        repairs.apply(session, scope, run)
        return
    run.state = RepairState.APPLYING
    session.flush()
    defer(session, apply_repair, key=f"apply_repair:{run.id}", run_id=str(run.id))


@task("accounts.search_repair")
def search_repair(run_id: str) -> None:
    """Search in the background; a killed worker leaves nothing behind, the next one begins again."""
    with step(UUID(run_id), RepairState.LOOKING) as (session, scope, run):
        repairs.search(session, scope, run)


@task("accounts.apply_repair")
def apply_repair(run_id: str) -> None:
    """Apply in the background, all of it or nothing."""
    with step(UUID(run_id), RepairState.APPLYING) as (session, scope, run):
        repairs.apply(session, scope, run)


class Outdated(WaymarkError):
    """The step is done already, or was asked for by somebody who is gone."""


@contextmanager
def step(run_id: UUID, state: RepairState) -> Iterator[tuple[Session, Scope, RepairRun]]:
    """One step of a repair for the person who asked; what makes it impossible is written down for them."""
    try:
        with transaction() as session:
            run = session.get_one(RepairRun, run_id, with_for_update=True)
            user = session.get(User, run.actor) if run.actor else None
            if run.state != state or user is None:
                raise Outdated("Nothing is left to do.")
            yield session, scope_of(session, user, source="job"), run
    except Outdated:
        return
    except WaymarkError as error:
        note(run_id, f"{error.message} {error.help}".strip())
    except BaseException:
        note(run_id, "The work was interrupted; nothing was changed. Look again.")
        raise


def note(run_id: UUID, message: str) -> None:
    """Write down why a repair cannot go on."""
    with transaction() as session:
        run = session.get_one(RepairRun, run_id)
        run.state, run.message = RepairState.FAILED, message
