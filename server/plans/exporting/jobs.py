"""The evening export: one job per rep, so that they spread over all workers."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from routing.export.tour import Span
from server.jobs import defer, task
from server.jobs.service import queue
from server.kit.database import transaction
from server.plans.exporting import deliveries, delivery_jobs, folders, service, sheets


@task("plans.export_rep")
def export_rep(span: str, rep_id: str) -> None:
    """Write one rep's days; the same plan gives the same bytes, so running twice changes nothing and sends nothing."""
    with transaction() as session:
        write_and_send(session, Span.parse(span), UUID(rep_id))


def write_and_send(session: Session, span: Span, rep_id: UUID) -> folders.Export | None:
    """Write one rep's days and have what is new brought to its targets; None when nothing is published."""
    export = service.write_rep(session, span, rep_id)
    if export is not None:
        delivery_jobs.ask(session, deliveries.queue(session, export, rep_id))
    return export


@queue.periodic(cron="0 * * * *")
@task("plans.evening_export")
def evening_export(timestamp: int) -> None:
    """Every hour: ask for tomorrow's exports when they are due, and before a Monday for those of its week."""
    del timestamp
    day = service.day_to_export()
    if day:
        with transaction() as session:
            defer_evening(session, day)


def defer_evening(session: Session, day: date) -> int:
    """Ask for a day's exports, and before a Monday for those of its week; returns how many sets of files."""
    return sum(defer_span(session, Span.of(day, days)) for days in ((1, 7) if day.weekday() == 0 else (1,)))


def defer_day(session: Session, day: date) -> int:
    """Ask for the export of every rep who has a published route on a day; returns how many."""
    return defer_span(session, Span.of(day))


def defer_span(session: Session, span: Span) -> int:
    """Ask for one set of files per rep covering some days; returns how many reps have a published route on them.

    Each is a job of its own, so that they spread over all workers; what the export brings anew is sent to its targets.
    """
    reps = sheets.reps_of(session, span)
    folders.remove_others(span, set(reps.values()))
    for rep_id in reps:
        defer(session, export_rep, key=f"export:{span}:{rep_id}", span=str(span), rep_id=str(rep_id))
    return len(reps)
