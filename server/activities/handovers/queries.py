"""Reads of hand-overs: those that somebody gives, gets or gave up, and a manager those of their people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from server.accounts.models import Account
from server.activities.handovers.models import Handover, HandoverAccount, HandoverState
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.kit.errors import NotFound
from server.records.happenings import happening


def visible_to(scope: Scope) -> Select[Handover]:
    """The hand-overs that somebody is part of, and those of the people whose accounts they assign."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("accounts:assign"))
    ids = people.with_only_columns(User.id).order_by(None)
    given_up = select(HandoverAccount.handover_id).where(HandoverAccount.from_id.in_(ids))
    mine = or_(Handover.to_id.in_(ids), Handover.by_id.in_(ids), Handover.id.in_(given_up))
    return select(Handover).where(Handover.deleted_at.is_(None), mine)


def find(session: Session, scope: Scope, handover_id: UUID, *, lock: bool = False) -> Handover:
    """One hand-over; for a stranger's there is none."""
    statement = visible_to(scope).where(Handover.id == handover_id)
    made = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if made is None:
        raise NotFound("There is no such hand-over.", id=str(handover_id))
    return made


def accounts_of(session: Session, handover_id: UUID) -> Sequence[HandoverAccount]:
    """The accounts of a hand-over."""
    statement = select(HandoverAccount).where(HandoverAccount.handover_id == handover_id)
    return session.scalars(statement.order_by(HandoverAccount.account_id)).all()


def still_there(session: Session, account_ids: Iterable[UUID]) -> list[UUID]:
    """Which of these accounts are neither deleted nor merged."""
    living = (Account.deleted_at.is_(None), Account.merged_into.is_(None))
    return list(session.scalars(select(Account.id).where(Account.id.in_(list(account_ids)), *living)))


@dataclass(frozen=True)
class Row:
    """A hand-over as lists show it."""

    handover: Handover
    to_name: str
    by_name: str | None
    count: int
    first: str | None
    """Name of its first account."""
    from_ids: list[UUID] = field(default_factory=list)
    from_names: str = ""


def named(session: Session, found: Sequence[Handover]) -> list[Row]:
    """Hand-overs with names and counts."""
    ids = [one.id for one in found]
    by, to = aliased(User), aliased(User)
    names = {
        row[0]: row[1:]
        for row in session.execute(
            select(Handover.id, to.name, by.name)
            .join(to, to.id == Handover.to_id)
            .outerjoin(by, by.id == Handover.by_id)
            .where(Handover.id.in_(ids))
        )
    }
    counted = session.execute(
        select(
            HandoverAccount.handover_id,
            func.count(),
            func.min(Account.name),
            func.array_agg(HandoverAccount.from_id.distinct()),
            func.string_agg(User.name.distinct(), ", "),
        )
        .join(Account, Account.id == HandoverAccount.account_id)
        .outerjoin(User, User.id == HandoverAccount.from_id)
        .where(HandoverAccount.handover_id.in_(ids))
        .group_by(HandoverAccount.handover_id)
    )
    counts: dict[UUID, tuple[Any, ...]] = {row[0]: tuple(row[1:]) for row in counted}
    rows = []
    for one in found:
        count, first, from_ids, from_names = counts.get(one.id, (0, None, [], ""))
        known = [key for key in from_ids if key is not None]
        rows.append(Row(one, *names[one.id], count, first, known, from_names or ""))
    return rows


def latest(session: Session, scope: Scope, *, limit: int = 100) -> list[Row]:
    """The latest hand-overs."""
    statement = visible_to(scope).order_by(Handover.created_at.desc(), Handover.id.desc()).limit(limit)
    return named(session, session.scalars(statement).all())


@dataclass(frozen=True)
class AccountRow:
    """An account of a hand-over."""

    id: UUID
    name: str
    from_name: str | None
    visits: int


def account_rows(session: Session, handover_id: UUID) -> list[AccountRow]:
    """The accounts of a hand-over by name."""
    statement = (
        select(Account.id, Account.name, User.name, func.cardinality(HandoverAccount.visit_ids))
        .join(HandoverAccount, HandoverAccount.account_id == Account.id)
        .outerjoin(User, User.id == HandoverAccount.from_id)
        .where(HandoverAccount.handover_id == handover_id)
        .order_by(Account.name, Account.id)
    )
    return [AccountRow(*row) for row in session.execute(statement)]


def happenings(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """The hand-overs of some accounts that the person may see, for a timeline."""
    giver, taker = aliased(User), aliased(User)
    facts = func.jsonb_build_object("from", giver.name, "to", taker.name, "state", Handover.state)
    columns = happening(
        at=func.coalesce(Handover.done_at, Handover.created_at),
        kind="handover",
        entity="handover",
        id=Handover.id,
        account_id=HandoverAccount.account_id,
        actor_id=Handover.by_id,
        body=Handover.note,
        is_internal=Handover.id.is_not(None),
        facts=facts,
    )
    return (
        select(*columns)
        .select_from(HandoverAccount)
        .join(Handover, Handover.id == HandoverAccount.handover_id)
        .outerjoin(giver, giver.id == HandoverAccount.from_id)
        .join(taker, taker.id == Handover.to_id)
        .where(
            HandoverAccount.account_id.in_(account_ids),
            Handover.deleted_at.is_(None),
            Handover.state != HandoverState.WAITING,
        )
    )
