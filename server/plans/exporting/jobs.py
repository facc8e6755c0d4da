"""The evening export: one job per rep, so that they spread over all workers."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from server.jobs import defer, task
from server.jobs.service import queue
from server.kit.database import transaction
from server.plans.exporting import folders, service, sheets


@task("plans.export_rep")
def export_rep(day: str, rep_id: str) -> None:
    """Write one rep's day; the same plan gives the same bytes, so running twice changes nothing."""
    with transaction() as session:
        service.write_rep(session, date.fromisoformat(day), UUID(rep_id))


@queue.periodic(cron="0 * * * *")
@task("plans.evening_export")
def evening_export(timestamp: int) -> None:
    """Every hour: ask for tomorrow's exports when they are due."""
    del timestamp
    day = service.day_to_export()
    if day:
        with transaction() as session:
            defer_day(session, day)


def defer_day(session: Session, day: date) -> int:
    """Ask for the export of every rep who has a published route; returns how many."""
    reps = sheets.reps_of_day(session, day)
    folders.remove_others(day, set(reps.values()))
    for rep_id in reps:
        defer(session, export_rep, key=f"export:{day}:{rep_id}", day=day.isoformat(), rep_id=str(rep_id))
    return len(reps)
