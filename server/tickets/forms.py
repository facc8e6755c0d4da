"""The public form: guarded without outside services by a hidden field, a sealed time, and counted addresses."""

import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from cryptography.fernet import InvalidToken
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Invalid, TooManyRequests, Unavailable
from server.kit.ids import uuid7
from server.kit.locks import one_at_a_time
from server.kit.secrets import seal, unseal
from server.tickets.models import Queue, Source, Ticket
from server.tickets.opening import NewTicket, open_ticket
from server.tickets.telling import NewFile

LEAST_S, MOST_S = 3, 86_400
"""Nobody fills the form in faster, or leaves it open longer."""
MOST_AN_HOUR = 10
"""Forms from one network address."""
NAMES = ("requester_name", "requester_email", "requester_phone", "subject", "language")


class LooksLikeSpam(Invalid):
    """A form that no person has filled in."""

    code = "looks_like_spam"


def token_for(queue: Queue) -> str:
    """What the form brings back: when it was shown, and a key by which a second click is known."""
    document = {"queue": str(queue.id), "at": clock.now().timestamp(), "key": str(uuid7())}
    return seal(json.dumps(document))


def send(
    session: Session,
    queue: Queue,
    token: str,
    trap: str,
    values: Mapping[str, str | None],
    files: tuple[NewFile, ...],
    from_address: str | None,
) -> Ticket:
    """Take in what somebody has written into the form; sending it twice opens one ticket.

    Refuses what a machine sent: the hidden field filled, sent at once, from an address that has sent too many.
    """
    key = _checked(queue, token)
    if trap.strip():
        raise LooksLikeSpam("The form could not be taken.", help="Leave the field “Website” empty, and send it again.")
    known = session.scalars(select(Ticket).where(Ticket.key == f"form:{key}")).one_or_none()
    if known is not None:
        return known
    if not values.get("requester_email"):
        raise Invalid("E-mail: is missing.", help="The answer goes there.", field="requester_email")
    if from_address is not None:
        one_at_a_time(session, f"ticket-form:{from_address}")
        lately = select(func.count()).where(
            Ticket.from_address == from_address, Ticket.opened_at > clock.now() - timedelta(hours=1)
        )
        if (session.scalar(lately) or 0) >= MOST_AN_HOUR:
            raise TooManyRequests(
                "Too many forms have come from here.", help="Try again in an hour, or write a mail.", after_s=3600
            )
    fields = {name: values[name] for name in NAMES if values.get(name)}
    body = values.get("body") or ""
    return open_ticket(
        session,
        NewTicket(queue.id, body, Source.FORM, fields, key=f"form:{key}", files=files, from_address=from_address),
    )


def _checked(queue: Queue, token: str) -> str:
    """The key of a form; refuses one that was not ours, or was sent too fast or too late."""
    stale = Invalid("The form is too old.", help="Reload the page, then send it again; copy your text first.")
    try:
        document = json.loads(unseal(token))
        age = clock.now().timestamp() - float(document["at"])
        if document["queue"] != str(queue.id):
            raise stale
    except (Unavailable, InvalidToken, ValueError, KeyError, TypeError) as error:
        raise stale from error
    if age < LEAST_S:
        raise LooksLikeSpam("That was faster than anybody writes.", help="Wait a moment, then send it again.")
    if age > MOST_S:
        raise stale
    return str(document["key"])


def rated_ticket(token: str) -> UUID:
    """The ticket whose customer follows the link in a mail."""
    try:
        kind, _, key = unseal(token).partition(":")
        if kind != "rating":
            raise ValueError(kind)
        return UUID(key)
    except (Unavailable, InvalidToken, ValueError) as error:
        raise Invalid("The link is not one of ours.", help="Take it from the mail once more.") from error
