"""What happens to a lead within seconds of its coming in, in one job: placed, measured, given away, scored."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.jobs import defer, task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.leads import assigning, placing, scoring, surroundings, telling
from server.leads.models import OPEN, Lead
from server.records.service import Actor, acting

MACHINE = Actor(user_id=None, source="job")
BATCH = 200


def care_for(session: Session, leads: Sequence[Lead]) -> None:
    """Place, measure, assign and score leads; what is decided stays as it was decided."""
    open_ones = [lead for lead in leads if lead.state in OPEN and lead.deleted_at is None]
    if not open_ones:
        return
    ids = [lead.id for lead in open_ones]
    placing.locate(session, open_ones)
    placing.align(session, ids)
    surroundings.measure(session, ids)
    for lead in open_ones:
        session.refresh(lead)
        assigning.assign(session, lead)
    surroundings.measure_drives(session, open_ones)
    scoring.score(session, open_ones)
    for lead in open_ones:
        telling.announce(session, lead)


@task("leads.take_care")
def take_care(lead_id: str) -> None:
    """Look after one lead. Running twice changes nothing."""
    with transaction() as session:
        acting(session, MACHINE)
        lead = session.get(Lead, UUID(lead_id), with_for_update=True)
        care_for(session, [lead] if lead is not None else [])


@task("leads.care_for_new")
def care_for_new() -> None:
    """Look after leads that nobody looked after yet, batch by batch, as after an import."""
    with transaction() as session:
        acting(session, MACHINE)
        waiting = or_(Lead.score.is_(None), Lead.pin_state == "pending")
        statement = select(Lead).where(Lead.state.in_(OPEN), Lead.deleted_at.is_(None), waiting).order_by(Lead.id)
        batch = session.scalars(statement.limit(BATCH).with_for_update(skip_locked=True)).all()
        care_for(session, batch)
        if len(batch) == BATCH and all(lead.pin_state != "pending" for lead in batch):
            defer(session, care_for_new, key="leads.care_for_new")


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="leads.keep", queue="default", queueing_lock="leads.keep")
def keep(timestamp: int) -> None:
    """See every five minutes whether leads were left behind: without a score, or waiting for a map."""
    del timestamp
    with transaction() as session:
        acting(session, MACHINE)
        a_while = clock.now() - timedelta(minutes=2)
        left = or_(Lead.score.is_(None), Lead.pin_state == "pending", Lead.owner_id.is_(None))
        statement = (
            select(Lead)
            .where(Lead.state.in_(OPEN), Lead.deleted_at.is_(None), Lead.created_at < a_while, left)
            .order_by(Lead.score.nulls_first(), Lead.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        care_for(session, session.scalars(statement).all())
