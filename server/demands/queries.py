"""Reads of visit demand. What of it somebody sees follows from the account."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Date, Select, Uuid, any_, bindparam, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.accounts.opening import Opened, opened
from server.auth.access import Scope
from server.auth.models import User
from server.demands.models import DemandState, VisitDemand
from server.kit.errors import NotFound
from server.kit.paging import decode_cursor, encode_cursor

NEVER = date(9999, 12, 31)


def visible_to(scope: Scope, permission: str = "demands:read") -> Select[VisitDemand]:
    """The demands at accounts that a permission of somebody reaches."""
    seen = accounts.reached_through(VisitDemand.account_id, scope, permission)
    return select(VisitDemand).where(VisitDemand.deleted_at.is_(None), seen)


def find(session: Session, scope: Scope, demand_id: UUID, permission: str = "demands:read") -> VisitDemand:
    """The demand of that id; for a stranger's there is none."""
    demand = session.scalars(visible_to(scope, permission).where(VisitDemand.id == demand_id)).one_or_none()
    if demand is None:
        raise NotFound("There is no such demand.")
    return demand


def may_ask(session: Session, scope: Scope, account_id: UUID) -> bool:
    """Whether somebody may ask for visits to an account."""
    reach = accounts.visible_to(scope, "demands:write").with_only_columns(Account.id).order_by(None)
    return session.scalar(reach.where(Account.id == accounts.surviving(session, account_id))) is not None


@dataclass(frozen=True)
class DemandRow:
    """A demand with the names that a list shows."""

    demand: VisitDemand
    account_id: UUID
    """The account that stands for it after all merges."""
    account_name: str
    city: str | None
    asked_by: str | None


@dataclass(frozen=True)
class Listing:
    """One page of demands."""

    rows: list[DemandRow]
    next_cursor: str | None


def page(
    session: Session,
    scope: Scope,
    *,
    state: DemandState | None = None,
    origin: str | None = None,
    account_id: UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Listing:
    """One page, the nearest deadline first; without a state what is still wanted."""
    statement = visible_to(scope)
    wanted = VisitDemand.state == state if state else VisitDemand.state.in_((DemandState.OPEN, DemandState.PLANNED))
    statement = statement.where(wanted)
    if origin:
        statement = statement.where(VisitDemand.origin == origin)
    if account_id:
        statement = statement.where(VisitDemand.account_id.in_(accounts.family(account_id)))
    by_deadline = func.coalesce(VisitDemand.deadline, NEVER)
    after = decode_cursor(cursor, 2)
    if after is not None:
        there = tuple_(cast(str(after[0]), Date), cast(str(after[1]), Uuid))
        statement = statement.where(tuple_(by_deadline, VisitDemand.id) > there)
    rows = _named(session, statement.order_by(by_deadline, VisitDemand.id).limit(limit + 1))
    last = rows[limit - 1].demand if len(rows) > limit else None
    return Listing(rows[:limit], encode_cursor((last.deadline or NEVER, last.id)) if last else None)


def of_account(session: Session, scope: Scope, account: UUID | Opened) -> list[DemandRow]:
    """What still wants a visit at an account and at what was merged into it, the nearest deadline first."""
    at = opened(session, scope, account, ("demands:read",))
    return _named(session, WANTED, {"family": list(at.family)}) if "demands:read" in at.granted else []


WANTED = (
    select(VisitDemand)
    .where(
        VisitDemand.deleted_at.is_(None),
        VisitDemand.state.in_((DemandState.OPEN, DemandState.PLANNED)),
        VisitDemand.account_id == any_(bindparam("family", type_=ARRAY(Uuid))),
    )
    .order_by(func.coalesce(VisitDemand.deadline, NEVER), VisitDemand.id)
    .limit(100)
)


def _named(
    session: Session, statement: Select[VisitDemand], values: Mapping[str, Any] | None = None
) -> list[DemandRow]:
    demands = list(session.scalars(statement, values))
    if not demands:
        return []
    main = select(Site.account_id, Site.city).where(Site.is_main, Site.deleted_at.is_(None)).subquery()
    named = session.execute(
        select(VisitDemand.id, Account.id, Account.name, main.c.city, User.name)
        .join(Account, Account.id == func.account_surviving(VisitDemand.account_id))
        .outerjoin(main, main.c.account_id == Account.id)
        .outerjoin(User, User.id == VisitDemand.asked_by)
        .where(VisitDemand.id.in_([demand.id for demand in demands]))
    )
    names = {row[0]: row[1:] for row in named}
    return [DemandRow(demand, *names[demand.id]) for demand in demands]


def wanting(session: Session, account_ids: Iterable[UUID], last_day: date) -> list[tuple[VisitDemand, UUID]]:
    """What wants a visit at some accounts by a day, each with the account that lives on after merges."""
    surviving = func.account_surviving(VisitDemand.account_id)
    rows = session.execute(
        select(VisitDemand, surviving)
        .where(
            VisitDemand.deleted_at.is_(None),
            VisitDemand.state.in_((DemandState.OPEN, DemandState.PLANNED)),
            or_(VisitDemand.earliest.is_(None), VisitDemand.earliest <= last_day),
            surviving.in_(list(account_ids)),
        )
        .order_by(func.coalesce(VisitDemand.deadline, NEVER), VisitDemand.id)
    )
    return [(demand, account_id) for demand, account_id in rows]
