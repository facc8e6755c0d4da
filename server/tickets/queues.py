"""The rules of queues and canned answers: made and changed by those who give tickets to everybody."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.values import cleaned
from server.auth.access import Scope
from server.auth.models import User
from server.auth.roles import Level
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound
from server.kit.settings import settings
from server.tickets import editing, queries, telling, timing
from server.tickets.fields import UNSOLVED_NOW
from server.tickets.models import UNSOLVED, CannedAnswer, Priority, Queue, Ticket
from server.tickets.values import ANSWER, QUEUE
from server.webhooks import service as webhooks

USUAL_HOURS = "Mo-Fr 08:00-12:00,13:00-17:00; PH off"
USUAL_TARGETS = {
    Priority.URGENT.value: {"answer": 60, "solve": 480},
    Priority.HIGH.value: {"answer": 120, "solve": 960},
    Priority.NORMAL.value: {"answer": 240, "solve": 1920},
    Priority.LOW.value: {"answer": 480, "solve": 4800},
}
"""Minutes of working time: an hour and a day, up to a day and ten days."""
GAPS = {
    "name": "who asks",
    "number": "the ticket's number",
    "subject": "the subject",
    "account": "the account",
    "agent": "who answers",
    "company": "our company",
}
"""What a canned answer may leave open."""


class StillInUse(Conflict):
    """A queue in which tickets wait."""

    code = "still_in_use"


def need_admin(scope: Scope) -> None:
    """Refuse whoever does not give tickets to everybody."""
    if scope.level("tickets:assign") < Level.ALL:
        raise Forbidden("Your role may not change queues.", help="Ask an admin or support.")


def create(session: Session, scope: Scope, fields: Mapping[str, Any]) -> Queue:
    """Make a queue; what is not said is as usual. Refuses an address that another queue has."""
    need_admin(scope)
    usual = {"hours": USUAL_HOURS, "zone": settings().zone, "targets": USUAL_TARGETS}
    values = {name: cleaned(QUEUE, name, value) for name, value in {**usual, **fields}.items()}
    if "name" not in values:
        raise Invalid("Name: is missing.", help="Every queue needs a name.", field="name")
    if not values.get("form_key"):
        values["form_key"] = cleaned(QUEUE, "form_key", key_of(values["name"]))
    queue = Queue(**values)
    _check(session, queue)
    session.add(queue)
    _tell(session, queue)
    return queue


def key_of(name: str) -> str:
    """A word for the form's address, from a name."""
    plain = name.lower()
    for letter, spelt in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        plain = plain.replace(letter, spelt)
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50]
    return found if len(found) > 1 else f"queue-{found}".strip("-")


def edit(session: Session, scope: Scope, queue_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Queue:
    """Change a queue that the editor saw at `base_rev`; what is due at its tickets follows."""
    need_admin(scope)
    queue = queries.queue(session, queue_id)
    session.refresh(queue, with_for_update=True)
    found = editing.edit(session, queue, base_rev, changes)
    _check(session, queue)
    if found.applied & {"hours", "zone", "country", "targets"}:
        recount(session, queue)
    if found.applied:
        _tell(session, queue)
    return queue


def remove(session: Session, scope: Scope, queue_id: UUID) -> None:
    """Take a queue away; its solved tickets stay. Refuses while tickets wait in it, or when it is the last one."""
    need_admin(scope)
    queue = queries.queue(session, queue_id)
    waiting = session.scalar(select(func.count()).where(UNSOLVED_NOW, Ticket.queue_id == queue.id)) or 0
    if waiting:
        raise StillInUse(
            f"{waiting} tickets wait in “{queue.name}”.", help="Solve them or move them to another queue first."
        )
    queue.deleted_at = clock.now()
    _tell(session, queue)


def recount(session: Session, queue: Queue) -> int:
    """Set anew what is due at the open tickets of a queue; returns how many there are."""
    session.flush()
    hours, now = timing.hours_of(session, queue), clock.now()
    open_ones = select(Ticket).where(Ticket.queue_id == queue.id, Ticket.state.in_(UNSOLVED))
    tickets = session.scalars(open_ones.order_by(Ticket.id).with_for_update()).all()
    for ticket in tickets:
        telling.tell_missed(session, timing.turn(session, ticket, queue, now, hours))
    return len(tickets)


def _check(session: Session, queue: Queue) -> None:
    people = select(func.count()).where(User.id.in_(queue.agent_ids or []), User.deleted_at.is_(None))
    if session.scalar(people) != len(queue.agent_ids or []):
        raise Invalid("Some of these people do not exist.", help="Choose among the users.", field="agent_ids")
    with session.no_autoflush:
        for column, field in ((Queue.form_key, "form_key"), (Queue.mail_address, "mail_address")):
            value = getattr(queue, field)
            others = select(Queue.name).where(column == value, Queue.deleted_at.is_(None), Queue.id != queue.id)
            taken = session.scalar(others.limit(1)) if value and queue.id else None
            if value and not queue.id:
                taken = session.scalar(select(Queue.name).where(column == value, Queue.deleted_at.is_(None)).limit(1))
            if taken is not None:
                raise Conflict(f"“{value}” belongs to the queue “{taken}”.", help="Choose another one.", field=field)


def _tell(session: Session, queue: Queue) -> None:
    session.flush()
    session.refresh(queue)
    webhooks.announce(session, "ticket_queue", str(queue.id), str(queue.rev))


def save_answer(
    session: Session, scope: Scope, answer_id: UUID | None, base_rev: int, fields: Mapping[str, Any]
) -> CannedAnswer:
    """Make or change a canned answer. Refuses gaps that nothing fills."""
    need_admin(scope)
    if answer_id is None:
        values = {name: cleaned(ANSWER, name, value) for name, value in fields.items()}
        for name in ("title", "body"):
            if name not in values:
                raise Invalid(f"{ANSWER[name].label}: is missing.", field=name)
        answer = CannedAnswer(**values)
        session.add(answer)
    else:
        answer = find_answer(session, answer_id)
        session.refresh(answer, with_for_update=True)
        editing.edit(session, answer, base_rev, fields)
    unknown = sorted(set(re.findall(r"\{(\w*)\}", answer.body)) - set(GAPS))
    if unknown:
        raise Invalid(
            f"Nothing fills the gap {{{unknown[0]}}}.",
            help="There are: " + ", ".join(f"{{{gap}}}" for gap in GAPS) + ".",
            field="body",
        )
    if answer.queue_id is not None:
        queries.queue(session, answer.queue_id)
    session.flush()
    session.refresh(answer)
    return answer


def find_answer(session: Session, answer_id: UUID) -> CannedAnswer:
    """A canned answer; refuses an unknown or removed one."""
    answer = session.scalars(
        select(CannedAnswer).where(CannedAnswer.id == answer_id, CannedAnswer.deleted_at.is_(None))
    ).one_or_none()
    if answer is None:
        raise NotFound("There is no such answer.")
    return answer


def remove_answer(session: Session, scope: Scope, answer_id: UUID) -> None:
    """Take a canned answer away."""
    need_admin(scope)
    find_answer(session, answer_id).deleted_at = clock.now()
    session.flush()


def filled(answer: CannedAnswer, row: queries.TicketRow, agent: str) -> str:
    """A canned answer with its gaps filled for a ticket."""
    ticket = row.ticket
    values = {
        "name": ticket.requester_name or "",
        "number": f"#{ticket.number}",
        "subject": ticket.subject,
        "account": row.account or "",
        "agent": agent,
        "company": settings().company,
    }
    return re.sub(r"\{(\w+)\}", lambda gap: values.get(gap[1], gap[0]), answer.body)


def by_form_key(session: Session, key: str) -> Queue:
    """The queue whose public form has this address; there is none while it is closed."""
    found = session.scalars(
        select(Queue).where(Queue.form_key == key, Queue.form_is_open, Queue.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such form.", help="Look at the address again.")
    return found
