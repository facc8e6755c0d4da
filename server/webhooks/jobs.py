"""Sending webhooks in the background."""

import json
from uuid import UUID

from server.jobs import defer, outgoing, task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.kit.secrets import unseal
from server.webhooks import posting, signing
from server.webhooks.models import Delivery

KEPT_TRIES = 30
"""So many tries of a delivery stay in its log."""


@task("webhooks.deliver")
def deliver(delivery_id: str) -> None:
    """Send one delivery. A killed worker may have sent it: receivers know it again by its id."""
    key = UUID(delivery_id)
    with transaction() as session:
        delivery = outgoing.claim(session, Delivery, key)
        if delivery is None:
            return
        if not delivery.endpoint.active:
            outgoing.is_failed(delivery, "The webhook is switched off.")
            return
        try:
            secret = unseal(delivery.endpoint.secret)
        except WaymarkError as error:
            outgoing.try_later(delivery, f"{error.message} {error.help}")
            return
        url, body = delivery.endpoint.url, payload(delivery)
    status, trouble = None, ""
    try:
        status = posting.post(url, body, headers(secret, key, body))
        trouble = "" if 200 <= status < 300 else f"The other side answers {status}."
    except posting.NotPosted as error:
        trouble = str(error)
    with transaction() as session:
        delivery = session.get_one(Delivery, key, with_for_update={"of": Delivery})
        entry = {"at": clock.now().isoformat(timespec="seconds"), "status": status, "trouble": trouble}
        delivery.log = [*delivery.log, entry][-KEPT_TRIES:]
        if not trouble:
            outgoing.is_sent(delivery)
        elif status == 410:
            outgoing.is_failed(delivery, "The other side says that it is gone for good (410).")
        else:
            outgoing.try_later(delivery, trouble)


def payload(delivery: Delivery) -> bytes:
    """What is sent: type, id and revision. The receiver fetches the row itself with its own key."""
    document = {"type": delivery.type, "id": delivery.row_id, "revision": delivery.revision}
    return json.dumps(document, separators=(",", ":")).encode()


def headers(secret: str, key: UUID, body: bytes) -> dict[str, str]:
    """What goes with it: its own id and the signature."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Waymark",
        "Waymark-Delivery": str(key),
        signing.HEADER: signing.signature(secret, int(clock.now().timestamp()), body),
    }


@queue.periodic(cron="* * * * *")
@task("webhooks.deliver_due")
def deliver_due(timestamp: int) -> None:
    """Every minute: send what waits for its next try, and what a worker has left behind."""
    del timestamp
    with transaction() as session:
        for key in outgoing.due(session, Delivery):
            defer(session, deliver, key=f"webhook:{key}", lock=f"webhook:{key}", delivery_id=str(key))
