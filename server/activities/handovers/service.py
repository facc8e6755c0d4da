"""The rules of hand-overs: ask for one, carry it out on its day, take it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts import owning
from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.handovers import queries
from server.activities.handovers.models import Handover, HandoverAccount, HandoverState
from server.activities.models import Visit, VisitState
from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound, WaymarkError
from server.kit.settings import settings
from server.notifications import service as notifications
from server.notifications.kinds import About
from server.records.service import Actor, acting

AT_MOST = 5000
FAR = 366


@dataclass(frozen=True)
class Wish:
    """How accounts are to change hands."""

    account_ids: Sequence[UUID]
    to_id: UUID
    day: date
    note: str
    takes_visits: bool = False


def hand_over(session: Session, scope: Scope, wish: Wish) -> Handover:
    """Give accounts to another owner, today or on a day to come; both owners are told.

    Refuses accounts that are not the person's to give, a day in the past, and no accounts at all.
    """
    ids = sorted(set(wish.account_ids))
    if not ids:
        raise Invalid("No account is chosen.", help="Choose at least one.", field="account_ids")
    if len(ids) > AT_MOST:
        raise Invalid(f"{len(ids):,} accounts at once.", help=f"At most {AT_MOST:,}.", field="account_ids")
    today = clock.today(settings().zone)
    if not 0 <= (wish.day - today).days <= FAR:
        raise Invalid("The day lies in the past, or more than a year ahead.", field="day")
    owners = owners_of(session, scope, ids)
    if session.scalar(select(User.id).where(User.id == wish.to_id, User.deleted_at.is_(None), User.active)) is None:
        raise Invalid("There is no such person.", field="to_id")
    made = Handover(
        to_id=wish.to_id,
        by_id=scope.user_id,
        day=wish.day,
        note=wish.note.strip()[:4000],
        takes_visits=wish.takes_visits,
    )
    session.add(made)
    session.flush()
    session.add_all(
        HandoverAccount(handover_id=made.id, account_id=key, from_id=owner) for key, owner in owners.items()
    )
    session.flush()
    if wish.day <= today:
        carry_out(session, scope, made)
    else:
        tell(session, made, "{who} will hand {n} accounts over from {from} to {to} on {day}", scope.name)
    return made


def owners_of(session: Session, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """Whose these accounts are; refuses any that the person may not give away."""
    statement = accounts.visible_to(scope, "accounts:assign").where(Account.id.in_(ids))
    found = session.execute(statement.with_only_columns(Account.id, Account.owner_id))
    owners = {account_id: owner for account_id, owner in found}
    if len(owners) < len(ids):
        raise NotFound(
            f"{len(ids) - len(owners):,} of the accounts are not there, or not yours to give away.",
            help="Reload the list and choose again.",
            field="account_ids",
        )
    return owners


def carry_out(session: Session, scope: Scope, made: Handover) -> None:
    """Change the owners now; accounts that went elsewhere or were deleted since it was asked for are left out."""
    rows = {row.account_id: row for row in queries.accounts_of(session, made.id)}
    reach = accounts.visible_to(scope, "accounts:assign").where(Account.id.in_(rows)).with_only_columns(Account.id)
    there = set(session.scalars(reach))
    before = owning.give(session, scope, there, made.to_id) if there else {}
    for account_id, owner in before.items():
        rows[account_id].from_id = owner
        if made.takes_visits and owner is not None and owner != made.to_id:
            rows[account_id].visit_ids = move_visits(session, account_id, owner, made.to_id, made.day)
    for account_id in rows.keys() - there:
        session.delete(rows[account_id])
    made.state, made.done_at = HandoverState.DONE, clock.now()
    session.flush()
    tell(session, made, "{who} handed {n} accounts over from {from} to {to}", scope.name)


def move_visits(session: Session, account_id: UUID, from_id: UUID, to_id: UUID, day: date) -> list[UUID]:
    """Give the planned visits of one rep at an account to another; says which."""
    wanted = (
        Visit.account_id == account_id,
        Visit.rep_id == from_id,
        Visit.day >= day,
        Visit.state == VisitState.PLANNED,
        Visit.deleted_at.is_(None),
    )
    moved = session.scalars(update(Visit).where(*wanted).values(rep_id=to_id).returning(Visit.id))
    return sorted(moved)


def undo(session: Session, scope: Scope, handover_id: UUID) -> list[str]:
    """Take a hand-over back; names the accounts that somebody has given on since, which stay. Twice is once."""
    made = queries.find(session, scope, handover_id, lock=True)
    if not scope.may("accounts:assign"):
        raise Conflict("Only managers hand accounts over.", help="Ask your manager.")
    if made.state == HandoverState.UNDONE:
        return []
    rows = queries.accounts_of(session, made.id)
    was_done = made.state == HandoverState.DONE
    made.state, made.undone_at = HandoverState.UNDONE, clock.now()
    session.flush()
    if not was_done:
        return []
    owners_of(session, scope, queries.still_there(session, [row.account_id for row in rows]))
    back = owning.give_back(session, {row.account_id: row.from_id for row in rows}, made.to_id)
    for row in rows:
        if row.account_id in back and row.visit_ids and row.from_id is not None:
            mine = (Visit.id.in_(row.visit_ids), Visit.rep_id == made.to_id, Visit.state == VisitState.PLANNED)
            session.execute(update(Visit).where(*mine).values(rep_id=row.from_id))
    tell(session, made, "{who} took the hand-over of {n} accounts from {from} to {to} back", scope.name)
    kept = [row.account_id for row in rows if row.account_id not in back]
    return list(session.scalars(select(Account.name).where(Account.id.in_(kept)).order_by(Account.name)))


def tell(session: Session, made: Handover, sentence: str, who: str) -> None:
    """Tell the new owner and the earlier ones."""
    row = queries.named(session, [made])[0]
    if row.count == 1 and row.first is not None:
        sentence = sentence.replace("{n} accounts", "{account}")
    gaps = {
        "who": who,
        "n": row.count,
        "account": row.first or "",
        "from": row.from_names or "nobody",
        "to": row.to_name,
        "day": f"{made.day:%d %b %Y}",
    }
    people = {made.to_id, *row.from_ids}
    about = About("handover", made.id)
    notifications.notify(
        session, people, "handover", sentence, f"/handovers/{made.id}", about, gaps=gaps, by=made.by_id
    )


def carry_out_due(session: Session, made: Handover) -> None:
    """Carry out a hand-over whose day has come, with the rights of the person who asked for it."""
    asker = session.get(User, made.by_id) if made.by_id else None
    if asker is None or not asker.active or asker.deleted_at is not None:
        made.trouble = "Who asked for it has left; hand the accounts over again."
        made.state = HandoverState.UNDONE
        return
    acting(session, Actor(user_id=asker.id, source="job"))
    try:
        with session.begin_nested():
            carry_out(session, scope_of(session, asker, source="job"), made)
    except WaymarkError as error:
        made.trouble, made.state = error.message, HandoverState.UNDONE
