"""Fields that two people changed: who sees them, and how one is decided. A decision is an ordinary edit."""

from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import Session, aliased

from server.accounts import editing
from server.accounts import queries as accounts
from server.accounts import service as accounts_service
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import TeamMember, User
from server.auth.roles import Level
from server.kit.errors import Invalid, NotFound
from server.records import service as records
from server.records.models import ConflictKind, ConflictState, FieldConflict
from server.sync.schemas import ConflictRead, Decision

STATES = {
    "keep_server": ConflictState.KEPT_SERVER,
    "take_mine": ConflictState.TOOK_MINE,
    "custom": ConflictState.CUSTOM,
}

PLACE = aliased(Site)
"""The site that a conflict is about."""
ACCOUNT_ID = case((FieldConflict.entity == "site", PLACE.account_id), else_=FieldConflict.row_id)


def visible_to(scope: Scope, permission: str = "conflicts:read") -> Select[FieldConflict, Account, str]:
    """The conflicts of a person: on accounts they reach, and those that they or their team brought about."""
    level = scope.level(permission)
    statement = (
        select(FieldConflict, Account, User.name)
        .select_from(FieldConflict)
        .outerjoin(PLACE, and_(FieldConflict.entity == "site", PLACE.id == FieldConflict.row_id))
        .join(Account, Account.id == ACCOUNT_ID)
        .outerjoin(User, User.id == FieldConflict.actor)
    )
    if hidden := scope.hidden("account"):
        statement = statement.where(FieldConflict.field.not_in(sorted(hidden)))
    if level >= Level.ALL:
        return statement
    own: ColumnElement[bool] = FieldConflict.actor == scope.user_id
    if level >= Level.TEAM:
        own |= FieldConflict.actor.in_(select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids)))
    return statement.where(or_(own, accounts.within_reach(scope)))


def listed(
    session: Session, scope: Scope, *, state: str, limit: int, account_id: UUID | None = None
) -> list[ConflictRead]:
    """Conflicts in a state, the newest first; with an account only its own and those of its sites."""
    statement = visible_to(scope).where(FieldConflict.state == state)
    if account_id is not None:
        statement = statement.where(Account.id == account_id)
    statement = statement.order_by(FieldConflict.created_at.desc(), FieldConflict.id).limit(max(1, min(limit, 500)))
    found = session.execute(statement).all()
    reached = reach(session, scope, {account.id for _, account, _ in found})
    return [read(session, *row, is_reached=row[1].id in reached) for row in found]


def reach(session: Session, scope: Scope, ids: set[UUID]) -> set[UUID]:
    """The accounts among some that the person may see."""
    if not ids:
        return set()
    statement = select(Account.id).where(Account.id.in_(ids), accounts.within_reach(scope))
    return set(session.scalars(statement))


def read(
    session: Session, conflict: FieldConflict, account: Account, actor_name: str | None, *, is_reached: bool
) -> ConflictRead:
    """A conflict as it is shown; the record's values only to those who may see the record."""
    row: Account | Site = account
    if conflict.entity == "site":
        row = session.get_one(Site, conflict.row_id)
    current = editing.editor(session, row).values(row).get(conflict.field)
    return ConflictRead(
        id=conflict.id,
        entity=conflict.entity,
        row_id=conflict.row_id,
        account_id=account.id,
        account_name=account.name,
        field=conflict.field,
        kind=conflict.kind,
        policy=conflict.policy,
        state=conflict.state,
        base=conflict.base,
        mine=conflict.mine,
        server=conflict.server if is_reached else None,
        current=current if is_reached else None,
        rev=row.rev,
        actor=conflict.actor,
        actor_name=actor_name,
        device_id=conflict.device_id,
        created_at=conflict.created_at,
        resolved_by=conflict.resolved_by,
        resolved_at=conflict.resolved_at,
    )


def decide(session: Session, scope: Scope, conflict_id: UUID, decision: Decision) -> ConflictRead:
    """Decide a conflict and write the chosen value.

    Refuses conflicts on records that the person may not change, and those that somebody has decided already.
    """
    statement = visible_to(scope, "conflicts:decide").where(FieldConflict.id == conflict_id)
    found = session.execute(statement).one_or_none()
    if found is None or found[1].id not in reach(session, scope, {found[1].id}):
        raise NotFound("There is no such conflict.")
    conflict, account, name = found
    records.decide(session, conflict_id, STATES[decision.decision], scope.actor)
    write(session, scope, conflict, account, decision)
    session.flush()
    session.refresh(account)
    return read(session, conflict, account, name, is_reached=True)


def write(session: Session, scope: Scope, conflict: FieldConflict, account: Account, decision: Decision) -> None:
    """Carry a decision out; nothing is written when the record holds the chosen value already."""
    standing = records.wins(conflict)
    if conflict.kind == ConflictKind.DELETE_VS_EDIT or conflict.field == "deleted_at":
        if decision.decision == "custom":
            raise Invalid("A deletion is taken or not.", help="Choose keep_server or take_mine.", field="decision")
        if decision.decision == "take_mine":
            accounts_service.delete(session, scope, account.id, decision.rev or account.rev)
        return
    if decision.decision == "keep_server" and standing == "server":
        return
    if decision.decision == "take_mine" and standing == "mine":
        return
    value: JsonValue = {"keep_server": conflict.server, "take_mine": conflict.mine, "custom": decision.value}[
        decision.decision
    ]
    if account.deleted_at is not None:
        accounts_service.restore(session, scope, account.id)
    changes = {conflict.field: value}
    if conflict.entity == "site":
        site = session.get_one(Site, conflict.row_id, populate_existing=True)
        accounts_service.edit_site(session, scope, site.id, decision.rev or site.rev, changes)
    else:
        accounts_service.edit(session, scope, account.id, decision.rev or account.rev, changes)
