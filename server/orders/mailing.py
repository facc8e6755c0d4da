"""A document goes to the customer by mail, once for each address."""

import hashlib
from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.contacts import service as contacts
from server.kit.settings import settings
from server.mail import service as mail
from server.mail.models import Message
from server.orders import printing, queries
from server.orders.errors import WrongState
from server.orders.models import State

WORDS = {
    "en": ("{kind} {number} from {company}", "Good day,\n\nplease find {kind} {number} attached.\n\n{name}\n{company}"),
    "de": ("{kind} {number} von {company}", "Guten Tag\n\nIm Anhang finden Sie {kind} {number}.\n\n{name}\n{company}"),
}


def send(session: Session, scope: Scope, order_id: UUID, to: str, message: str | None = None) -> Message:
    """Put a document into the outbox; the same document goes to the same address once.

    Refuses a draft, and the address of somebody who wants no mail.
    """
    scope.need_sees("order", "totals")
    order = queries.locked(session, scope, order_id)
    if order.state == State.DRAFT:
        raise WrongState("A draft is not mailed.", help="Send or place it first: then it has a number.")
    paper = printing.paper_of(session, order)
    content = printing.render(paper)
    subject, body = WORDS[order.language]
    values = {
        "kind": printing.WORDS[order.language][order.kind],
        "number": order.number,
        "company": settings().company,
        "name": scope.name,
    }
    address = mail.address(to)
    contacts.need_wanted(session, [address])
    print_ = hashlib.sha256(content).hexdigest()[:16]
    return mail.queue(
        session,
        key=f"order:{order.id}:{print_}:{address.lower()}",
        purpose="order",
        to=[address],
        subject=subject.format(**values),
        body=message.strip() if message and message.strip() else body.format(**values),
        files=[mail.File(paper.file_name, "application/pdf", content)],
    )
