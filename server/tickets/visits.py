"""A ticket asks for a visit: visit demand with a deadline, which plans serve and the stop says why."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.demands import queries as demands_seen
from server.demands import service as demands
from server.demands.models import DemandOrigin, DemandState, VisitDemand
from server.demands.service import LONGEST_SENTENCE, Wanted
from server.kit.errors import Conflict, NotFound
from server.tickets import queries, telling
from server.tickets.models import Priority, Ticket, TicketMessage
from server.tickets.service import locked
from server.tickets.states import demands_of, origin_key

PRIZES_S = {
    Priority.LOW.value: 3_600,
    Priority.NORMAL.value: 10_800,
    Priority.HIGH.value: 21_600,
    Priority.URGENT.value: 43_200,
}
"""What a visit is worth in seconds of driving, by the ticket's priority."""


class NoAccount(Conflict):
    """Nobody knows where to drive."""

    code = "no_account"


@dataclass(frozen=True)
class VisitWish:
    """The visit that somebody asks for because of a ticket."""

    deadline: date
    earliest: date | None = None
    service_s: int | None = None
    """None: as usual at the site."""
    rep_ids: tuple[UUID, ...] = ()
    """Who may go; empty: whoever works the account."""
    mandatory: bool = False


def request_visit(session: Session, scope: Scope, ticket_id: UUID, wish: VisitWish) -> VisitDemand:
    """Want a visit because of a ticket; asking again changes what is wanted, after a visit it wants another one.

    Refuses a ticket that is over or without an account, and an account at which the person may not ask for visits.
    """
    ticket = locked(session, scope, ticket_id)
    if ticket.account_id is None:
        raise NoAccount("The ticket belongs to no account.", help="Choose its account first, then ask for the visit.")
    if ticket.solved_at is not None or ticket.merged_into is not None:
        raise Conflict("The ticket is over.", help="Open it again, then ask for a visit.")
    if not demands_seen.may_ask(session, scope, ticket.account_id):
        raise NotFound("There is no such account.", field="account_id")
    before = demands_of(session, ticket)
    done = sum(demand.state == DemandState.DONE for demand in before)
    wanted = Wanted(
        account_id=ticket.account_id,
        origin=DemandOrigin.TICKET,
        origin_key=origin_key(ticket, done + 1),
        sentence=sentence(ticket),
        site_id=ticket.site_id,
        earliest=wish.earliest,
        deadline=wish.deadline,
        prize_s=PRIZES_S[ticket.priority],
        service_s=wish.service_s,
        mandatory=wish.mandatory,
        rep_ids=wish.rep_ids,
    )
    demand = demands.ask(session, wanted, asked_by=scope.user_id)
    telling.note(session, ticket, "A visit is wanted by {day}.", scope.user_id, day=wish.deadline.isoformat())
    telling.tell(session, ticket)
    return demand


def sentence(ticket: Ticket) -> str:
    """Why the rep goes there, as the stop says it."""
    found = f"Ticket #{ticket.number}: {ticket.subject}"
    return found if len(found) < LONGEST_SENTENCE else found[: LONGEST_SENTENCE - 2] + "…"


def withdraw(session: Session, scope: Scope, ticket_id: UUID) -> None:
    """Want no visit any more. Refuses when none is wanted."""
    ticket = locked(session, scope, ticket_id)
    wanted = [one for one in demands_of(session, ticket) if one.state in demands.WANTING]
    if not wanted:
        raise Conflict("No visit is wanted because of this ticket.", help="Reload the page.")
    for demand in wanted:
        demands.withdraw(session, DemandOrigin.TICKET, demand.origin_key)
    telling.note(session, ticket, "The visit is wanted no more.", scope.user_id)
    telling.tell(session, ticket)


def latest(session: Session, ticket: Ticket) -> VisitDemand | None:
    """The visit that was asked for last."""
    found = demands_of(session, ticket)
    return found[-1] if found else None


def note_visits(session: Session) -> int:
    """Write into tickets which visits took place; each once, however many look at once. Returns how many."""
    key = func.concat("visit:", VisitDemand.id)
    done = select(VisitDemand).where(
        VisitDemand.origin == DemandOrigin.TICKET,
        VisitDemand.state == DemandState.DONE,
        key.not_in(select(TicketMessage.key).where(TicketMessage.key.like("visit:%"))),
    )
    count = 0
    for demand in session.scalars(done.order_by(VisitDemand.closed_at).limit(500)).all():
        number = int(demand.origin_key.partition("-")[0])
        found = session.scalars(select(Ticket.id).where(Ticket.number == number)).one_or_none()
        if found is None:
            continue
        ticket = session.get_one(Ticket, queries.surviving(session, found), with_for_update=True)
        once = f"visit:{demand.id}"
        if session.scalar(select(TicketMessage.id).where(TicketMessage.key == once)) is None:
            telling.note(session, ticket, "The visit took place; the ticket can be solved.", key=once)
            telling.tell(session, ticket)
            count += 1
    return count
