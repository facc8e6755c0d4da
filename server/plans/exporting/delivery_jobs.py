"""Sending exports in the background."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from server.jobs import defer, outgoing, task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.plans.exporting import deliveries, targets
from server.plans.exporting.sending import NotDelivered
from server.plans.exporting.target_models import ExportDelivery


@task("plans.deliver")
def deliver(delivery_id: str) -> None:
    """Send one rep's files to one target. After a killed worker they are sent again: they replace themselves."""
    key = UUID(delivery_id)
    try:
        with transaction() as session:
            delivery = outgoing.claim(session, ExportDelivery, key)
            if delivery is None:
                return
            if not delivery.target.active:
                outgoing.is_failed(delivery, "The target is switched off.")
                return
            export, parcel = deliveries.parcel_of(session, delivery)
            target = delivery.target
            if target.kind == "mail":
                outgoing.is_sent(delivery, deliveries.by_mail(session, delivery, export, parcel))
                return
            kind, config = target.kind, dict(target.config)
            place = targets.place_of(target) if kind == "sftp" else None
        deliveries.bring(kind, config, place, parcel)
    except NotDelivered as error:
        failed(key, str(error), is_final=error.is_final)
    except WaymarkError as error:
        failed(key, f"{error.message} {error.help}".strip(), is_final=False)
    else:
        with transaction() as session:
            outgoing.is_sent(session.get_one(ExportDelivery, key))


def failed(key: UUID, why: str, *, is_final: bool) -> None:
    """Write down why a delivery did not arrive. The claim may have been rolled back: the try counts all the same."""
    with transaction() as session:
        delivery = session.get_one(ExportDelivery, key)
        if delivery.state == outgoing.State.WAITING:
            delivery.attempts += 1
        (outgoing.is_failed if is_final else outgoing.try_later)(delivery, why)


def ask(session: Session, found: Iterable[ExportDelivery]) -> None:
    """Let workers send what is due; the rest waits for its hour."""
    session.flush()
    for delivery in found:
        if delivery.next_at <= clock.now():
            _defer(session, delivery.id)


@queue.periodic(cron="* * * * *")
@task("plans.deliver_due")
def deliver_due(timestamp: int) -> None:
    """Every minute: send what has come to its hour or waits for its next try."""
    del timestamp
    with transaction() as session:
        for key in outgoing.due(session, ExportDelivery):
            _defer(session, key)


def _defer(session: Session, key: UUID) -> None:
    defer(session, deliver, key=f"deliver:{key}", lock=f"deliver:{key}", delivery_id=str(key))
