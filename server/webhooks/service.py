"""The rules of webhooks: endpoints with their secret, telling each revision once, replay."""

import secrets
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.jobs import defer, outgoing
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.locks import one_at_a_time
from server.kit.secrets import seal
from server.webhooks import posting
from server.webhooks.jobs import deliver
from server.webhooks.models import Delivery, Endpoint

TYPES: Mapping[str, str] = {
    "plan_export": "The files of a rep's days were written or changed",
    "account": "An account was added, changed, merged, deleted or brought back",
    "contact": "A contact was added, changed, merged or deleted",
    "lead": "A lead came in or was changed",
    "opportunity": "A deal was opened, changed, moved or closed",
    "product": "A product of the catalogue was added or changed",
    "quote": "A quote was sent, accepted, declined or has expired",
    "order": "An order was placed, confirmed, delivered, cancelled or credited",
    "credit": "A credit note was placed",
    "ticket": "A ticket was opened or changed",
    "ticket_message": "Something was said in a ticket",
    "ticket_breach": "A ticket missed a target",
    "ticket_queue": "A queue of tickets was made or changed",
    "activity": "A call, meeting, task or mail was written or changed",
    "visit": "A visit was begun, done, missed or called off",
    "note": "A note was written, changed or deleted",
    "attachment": "A file was added or deleted",
    "import": "A file was brought in or taken back",
}
"""What can be told of; rooms above add theirs by calling `announce`."""


def add(session: Session, name: str, url: str, types: Sequence[str]) -> tuple[Endpoint, str]:
    """Tell another program from now on; returns the endpoint and its secret, which is shown this once.

    Refuses an address that cannot be posted to and a type that does not exist.
    """
    checked(name, url, types)
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    endpoint = Endpoint(name=name.strip(), url=url.strip(), types=list(types), secret=seal(secret))
    session.add(endpoint)
    session.flush()
    return endpoint, secret


def checked(name: str, url: str, types: Sequence[str]) -> None:
    """Refuse what no endpoint can be."""
    if not name.strip():
        raise Invalid("The endpoint needs a name.", field="name")
    posting.address(url)
    unknown = set(types) - set(TYPES)
    if unknown or not types:
        raise Invalid("Nothing to be told of is chosen.", help=f"There are: {', '.join(TYPES)}.", field="types")


def find(session: Session, endpoint_id: UUID) -> Endpoint:
    """An endpoint; refuses an unknown or removed one."""
    endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is None or endpoint.deleted_at is not None:
        raise NotFound("There is no such webhook.")
    return endpoint


def switch(session: Session, endpoint_id: UUID, active: bool) -> Endpoint:
    """Switch an endpoint on or off; what waits for one that is off is not sent."""
    endpoint = find(session, endpoint_id)
    endpoint.active = active
    session.flush()
    return endpoint


def remove(session: Session, endpoint_id: UUID) -> None:
    """Tell it nothing any more; its log stays."""
    endpoint = find(session, endpoint_id)
    endpoint.active, endpoint.deleted_at = False, clock.now()
    session.flush()


def announce(session: Session, type: str, row_id: str, revision: str) -> list[Delivery]:
    """Tell every endpoint that wants it; one that was told of this revision last is not told again."""
    return announce_all(session, type, [(row_id, revision)])


def announce_all(session: Session, type: str, changes: Sequence[tuple[str, str]]) -> list[Delivery]:
    """Tell every endpoint that wants it of several rows with their revisions, in their order."""
    endpoints = session.scalars(WANTING, {"types": [type]}).all() if changes else []
    return [
        delivery
        for row_id, revision in changes
        for endpoint in endpoints
        if (delivery := _tell(session, endpoint, type, row_id, revision)) is not None
    ]


WANTING = (
    select(Endpoint)
    .where(Endpoint.active, Endpoint.deleted_at.is_(None), Endpoint.types.contains(bindparam("types")))
    .order_by(Endpoint.id)
)
"""Made once: nearly every change asks."""


def _tell(session: Session, endpoint: Endpoint, type: str, row_id: str, revision: str) -> Delivery | None:
    one_at_a_time(session, f"webhook:{endpoint.id}:{type}:{row_id}")
    last = session.scalars(
        select(Delivery.revision)
        .where(Delivery.endpoint_id == endpoint.id, Delivery.type == type, Delivery.row_id == row_id)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(1)
    ).one_or_none()
    return _queue(session, endpoint, type, row_id, revision) if last != revision else None


def replay(session: Session, delivery_id: UUID) -> Delivery:
    """Send a delivery once more, under its own id, with a new time. Refuses for an endpoint that is off."""
    delivery = session.get(Delivery, delivery_id, with_for_update={"of": Delivery})
    if delivery is None:
        raise NotFound("There is no such delivery.")
    if not delivery.endpoint.active:
        raise Conflict("The webhook is switched off.", help="Switch it on, then replay.")
    if delivery.state == outgoing.State.SENDING:
        raise Conflict("It is being sent at this moment.", help="Wait for its outcome.")
    outgoing.ask_again(delivery)
    _ask(session, delivery)
    return delivery


def deliveries(session: Session, endpoint_id: UUID | None = None, limit: int = 50) -> Sequence[Delivery]:
    """The latest deliveries, of all endpoints or of one."""
    statement = select(Delivery).order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(limit)
    if endpoint_id is not None:
        statement = statement.where(Delivery.endpoint_id == endpoint_id)
    return session.scalars(statement).all()


def endpoints(session: Session) -> Sequence[Endpoint]:
    """All endpoints, by name."""
    return session.scalars(select(Endpoint).where(Endpoint.deleted_at.is_(None)).order_by(Endpoint.name)).all()


def _queue(session: Session, endpoint: Endpoint, type: str, row_id: str, revision: str) -> Delivery:
    delivery = Delivery(endpoint=endpoint, type=type, row_id=row_id, revision=revision)
    session.add(delivery)
    session.flush()
    _ask(session, delivery)
    return delivery


def _ask(session: Session, delivery: Delivery) -> None:
    session.flush()
    key = f"webhook:{delivery.id}"
    defer(session, deliver, key=key, lock=key, delivery_id=str(delivery.id))
