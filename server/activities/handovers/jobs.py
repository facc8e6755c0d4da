"""Hand-overs whose day has come."""

from sqlalchemy import select

from server.activities.handovers import leaving
from server.activities.handovers.models import Handover, HandoverState
from server.activities.handovers.service import carry_out_due
from server.jobs import task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings


@queue.periodic(cron="*/15 * * * *")
@task("activities.hand_over_due")
def hand_over_due(timestamp: int) -> None:
    """Every quarter of an hour: carry out what waits for a day that has come, each in a transaction of its own."""
    del timestamp
    waiting = (Handover.state == HandoverState.WAITING, Handover.deleted_at.is_(None))
    with transaction() as session:
        due = session.scalars(select(Handover.id).where(*waiting, Handover.day <= clock.today(settings().zone))).all()
    for key in due:
        with transaction() as session:
            made = session.scalars(select(Handover).where(Handover.id == key, *waiting).with_for_update()).one_or_none()
            if made is not None:
                carry_out_due(session, made)


@queue.periodic(cron="* * * * *")
@task("activities.tell_of_leavers")
def tell_of_leavers(timestamp: int) -> None:
    """Every minute: tell managers of who was switched off by a program or a command."""
    del timestamp
    with transaction() as session:
        leaving.tell(session)
