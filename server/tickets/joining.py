"""Tickets that belong together: merged into one, taken apart again, linked."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import Conflict, Invalid
from server.tickets import queries, telling, timing
from server.tickets.models import Queue, Ticket, TicketLink
from server.tickets.states import withdraw_visits


def merge(session: Session, scope: Scope, winner_id: UUID, loser_id: UUID) -> Ticket:
    """Let one ticket live on in another: its messages are read there, answers to it arrive there.

    Merging the same pair twice changes nothing. Refuses a ticket with itself, and one that was merged elsewhere.
    """
    if winner_id == loser_id:
        raise Invalid("A ticket cannot be merged into itself.", help="Choose another one.", field="ticket_id")
    winner, loser = _both(session, scope, winner_id, loser_id)
    if loser.merged_into == winner.id:
        return winner
    for one in (winner, loser):
        if one.merged_into is not None:
            into = session.get_one(Ticket, one.merged_into)
            raise Conflict(
                f"#{one.number} was merged into #{into.number} in between.", help=f"Look at #{into.number} first."
            )
    loser.merged_into = winner.id
    if winner.account_id is None:
        winner.account_id, winner.site_id = loser.account_id, loser.site_id
    timing.turn(session, loser, session.get_one(Queue, loser.queue_id), clock.now())
    withdraw_visits(session, loser)
    telling.note(session, winner, "#{number} was merged into this one.", scope.user_id, number=loser.number)
    for one in (winner, loser):
        telling.tell(session, one)
    return winner


def take_apart(session: Session, scope: Scope, loser_id: UUID) -> Ticket:
    """Undo a merge: the ticket stands for itself again, its clock goes on. Refuses one that is not merged."""
    loser = queries.find(session, scope, loser_id, "tickets:write")
    if loser.merged_into is None:
        raise Conflict(f"#{loser.number} is not merged into another ticket.", help="Reload the page.")
    winner, loser = _both(session, scope, loser.merged_into, loser_id)
    loser.merged_into = None
    timing.turn(session, loser, session.get_one(Queue, loser.queue_id), clock.now())
    telling.note(session, winner, "#{number} stands for itself again.", scope.user_id, number=loser.number)
    for one in (winner, loser):
        telling.tell(session, one)
    return loser


def link(session: Session, scope: Scope, ticket_id: UUID, other_id: UUID) -> None:
    """Say that two tickets have to do with each other; twice changes nothing."""
    if ticket_id == other_id:
        raise Invalid("A ticket cannot be linked to itself.", help="Choose another one.", field="ticket_id")
    queries.find(session, scope, ticket_id, "tickets:write")
    queries.find(session, scope, other_id)
    one, other = sorted((ticket_id, other_id))
    session.execute(insert(TicketLink).values(one_id=one, other_id=other).on_conflict_do_nothing())


def unlink(session: Session, scope: Scope, ticket_id: UUID, other_id: UUID) -> None:
    """Take a link back."""
    queries.find(session, scope, ticket_id, "tickets:write")
    one, other = sorted((ticket_id, other_id))
    session.execute(delete(TicketLink).where(TicketLink.one_id == one, TicketLink.other_id == other))


def by_number(session: Session, scope: Scope, number: int) -> Ticket:
    """The ticket of a number that somebody may see, or the one it was merged into."""
    found = session.scalars(select(Ticket.id).where(Ticket.number == number)).one_or_none()
    if found is None:
        raise Invalid(f"There is no ticket #{number}.", help="Look at the number again.", field="number")
    return queries.find(session, scope, queries.surviving(session, found))


def _both(session: Session, scope: Scope, winner_id: UUID, loser_id: UUID) -> tuple[Ticket, Ticket]:
    """Both tickets, held in the same order by everybody, so that two who merge never wait for each other."""
    for one in sorted((winner_id, loser_id)):
        session.refresh(queries.find(session, scope, one, "tickets:write"), with_for_update=True)
    return session.get_one(Ticket, winner_id), session.get_one(Ticket, loser_id)
