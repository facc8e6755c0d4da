"""Fields that two people changed: who sees them, and how one is decided. A decision is an ordinary edit."""

from collections.abc import Collection, Mapping
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from server.accounts import editing
from server.accounts import queries as accounts
from server.accounts import service as accounts_service
from server.accounts.binned import restore_site
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import TeamMember, User
from server.auth.roles import Level
from server.fields import queries as own
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.records import service as records
from server.records.editing import CUSTOM, ChangedMeanwhile
from server.records.merging import Policy
from server.records.models import ConflictKind, ConflictState, FieldConflict
from server.records.service import Actor
from server.sync.protocol import wire
from server.sync.schemas import ConflictRead, Decision

STATES = {
    "keep_server": ConflictState.KEPT_SERVER,
    "take_mine": ConflictState.TOOK_MINE,
    "custom": ConflictState.CUSTOM,
}


class AlreadyDecided(Conflict):
    """Somebody else was quicker; what they chose stands."""

    code = "already_decided"


PLACE = aliased(Site)
"""The site that a conflict is about. What was merged away stands for what it went into, as wherever phones send."""
ACCOUNT_ID = case((FieldConflict.entity == "site", PLACE.account_id), else_=FieldConflict.row_id)


def visible_to(
    scope: Scope, permission: str = "conflicts:read", *, is_reached: bool = False
) -> Select[FieldConflict, Account, str]:
    """The conflicts of a person: on accounts they reach, and those that they or their team brought about. With
    `is_reached` only such accounts are asked for as the caller knows to be reached.
    """
    level = scope.level(permission)
    statement = (
        select(FieldConflict, Account, User.name)
        .select_from(FieldConflict)
        .outerjoin(PLACE, and_(FieldConflict.entity == "site", PLACE.id == func.site_standing(FieldConflict.row_id)))
        .join(Account, Account.id == func.account_surviving(ACCOUNT_ID))
        .outerjoin(User, User.id == FieldConflict.actor)
    )
    if hidden := scope.hidden("account"):
        statement = statement.where(FieldConflict.field.not_in(sorted(hidden)))
    if level >= Level.ALL or (is_reached and level > Level.NONE):
        return statement
    own: ColumnElement[bool] = FieldConflict.actor == scope.user_id
    if level >= Level.TEAM:
        own |= FieldConflict.actor.in_(select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids)))
    return statement.where(or_(own, accounts.within_reach(scope)))


def listed(
    session: Session, scope: Scope, *, state: str, limit: int, account_id: UUID | None = None
) -> list[ConflictRead]:
    """Conflicts in a state, the newest first; with an account, that the caller has checked, only its own and those of
    its sites."""
    statement = visible_to(scope, is_reached=account_id is not None).where(FieldConflict.state == state)
    if account_id is not None:
        statement = statement.where(Account.id == account_id)
    statement = statement.order_by(FieldConflict.created_at.desc(), FieldConflict.id).limit(max(1, min(limit, 500)))
    found = session.execute(statement).all()
    reached = reach(session, scope, {account.id for _, account, _ in found})
    return [read(session, *row, is_reached=row[1].id in reached) for row in found]


def decided_one(session: Session, scope: Scope, conflict_id: UUID) -> ConflictRead | None:
    """A conflict that the person may see and that is decided; None where it waits, or is not theirs."""
    statement = visible_to(scope).where(FieldConflict.id == conflict_id, FieldConflict.state != ConflictState.OPEN)
    found = session.execute(statement).one_or_none()
    if found is None:
        return None
    return read(session, *found, is_reached=bool(reach(session, scope, {found[1].id})))


def reach(session: Session, scope: Scope, ids: set[UUID]) -> set[UUID]:
    """The accounts among some that the person may see."""
    if not ids:
        return set()
    statement = select(Account.id).where(Account.id.in_(ids), accounts.within_reach(scope))
    return set(session.scalars(statement))


def read(
    session: Session, conflict: FieldConflict, account: Account, actor_name: str | None, *, is_reached: bool
) -> ConflictRead:
    """A conflict as it is shown; the record's values only to those who may see the record, and of a set to others no
    more than what was to be added or taken out."""
    row = row_of(session, conflict, account)
    current = value_of(session, row, conflict)
    base, mine = conflict.base, conflict.mine
    if is_set(conflict):
        added, removed = changed(base, mine)
        mine = joined(conflict, current) if is_reached else [*added, *removed]
        base = base if is_reached else None
    return ConflictRead(
        id=conflict.id,
        entity=conflict.entity,
        row_id=conflict.row_id,
        account_id=account.id,
        account_name=account.name if is_reached else None,
        is_deleted=is_gone(account, row),
        is_site_deleted=account.deleted_at is None and row.deleted_at is not None,
        is_restored=conflict.restored,
        field=conflict.field,
        kind=conflict.kind,
        policy=conflict.policy,
        state=conflict.state,
        base=base,
        mine=mine,
        server=conflict.server if is_reached else None,
        current=current if is_reached else None,
        rev=row.rev if is_reached else 0,
        actor=conflict.actor,
        actor_name=actor_name,
        device_id=conflict.device_id,
        created_at=conflict.created_at,
        resolved_by=conflict.resolved_by,
        resolved_by_name=name_of(session, conflict.resolved_by),
        resolved_at=conflict.resolved_at,
        chosen=conflict.chosen if is_reached else None,
    )


def decide(session: Session, scope: Scope, conflict_id: UUID, decision: Decision) -> ConflictRead:
    """Decide a conflict and write the chosen value.

    Refuses conflicts on records that the person may not change, those that somebody has decided already, and those of
    which the field has changed since the revision that the person saw; without one, since the conflict came about.
    """
    conflict, account, row, name = held(session, scope, conflict_id)
    if conflict.state != ConflictState.OPEN:
        field, value = own.as_said(session, conflict.entity, conflict.field, conflict.chosen)
        raise AlreadyDecided(
            f"{name_of(session, conflict.resolved_by) or 'Somebody'} decided before you: {field} is “{value}”.",
            help="Change the field itself if that is wrong.",
            stands={"name": conflict.field, "value": conflict.chosen},
        )
    stood = value_of(session, row, conflict)
    if decision.rev is not None and row.frev.get(conflict.field, 1) > decision.rev:
        raise moved_on(session, conflict, stood, "Look at it again.")
    write(session, scope, conflict, account, row, decision, stood)
    session.flush()
    session.refresh(account)
    session.refresh(row)
    state, chosen = STATES[decision.decision], value_of(session, row, conflict)
    records.decide(session, conflict, state, scope.actor, stood=stood, chosen=chosen)
    return read(session, conflict, account, name, is_reached=True)


def held(session: Session, scope: Scope, conflict_id: UUID) -> tuple[FieldConflict, Account, Account | Site, str]:
    """A conflict that a person may decide, its account, its record and its sender; the record first, then the conflict
    are locked, in the order of a push."""
    statement = visible_to(scope, "conflicts:decide").where(FieldConflict.id == conflict_id)
    found = session.execute(statement).one_or_none()
    if found is None or found[1].id not in reach(session, scope, {found[1].id}):
        raise NotFound("There is no such conflict.")
    conflict, account, name = found
    row = row_of(session, conflict, account)
    session.refresh(row, with_for_update=True)
    session.refresh(conflict, with_for_update=True)
    return conflict, account, row, name


def write(
    session: Session,
    scope: Scope,
    conflict: FieldConflict,
    account: Account,
    row: Account | Site,
    decision: Decision,
    stood: JsonValue,
) -> None:
    """Carry a decision out; nothing is written when the record holds the chosen value already.

    Of a set, a phone's change is made to what the set holds now. Of a record that went into another one, what is kept
    is what that holds; refuses to delete it. A deleted account or site comes back with it; refuses whoever may not do
    that.
    """
    is_itself = row.id == conflict.row_id
    if conflict.kind == ConflictKind.DELETE_VS_EDIT or conflict.field == "deleted_at":
        if decision.decision == "custom":
            raise Invalid("A deletion is taken or not.", help="Choose keep_server or take_mine.", field="decision")
        if decision.decision == "take_mine" and not is_itself:
            raise Conflict(
                f"The account was merged into “{account.name}” since.",
                help="Keep it here; if that is to go, delete it itself.",
                field="decision",
            )
        if decision.decision == "take_mine":
            accounts_service.delete(session, scope, account.id, decision.rev or account.rev)
        return
    was_written = conflict.policy == Policy.TAKE_FIELD and is_itself
    kept = conflict.server if was_written else stood
    mine = joined(conflict, stood) if is_set(conflict) else conflict.mine
    value = {"keep_server": kept, "take_mine": mine, "custom": decision.value}[decision.decision]
    if value == stood and (not is_gone(account, row) or decision.decision == "keep_server"):
        return
    told = conflict.mine if was_written else conflict.server
    if decision.rev is None and stood != told and not is_set(conflict):
        raise moved_on(session, conflict, stood, "Look at it again.")
    if account.deleted_at is not None:
        scope.need("accounts:delete")
        accounts_service.restore(session, scope, account.id)
        session.refresh(row)
        conflict.restored = True
    if isinstance(row, Site) and row.deleted_at is not None:
        restore_site(session, scope, row.id)
        conflict.restored = True
    put(session, scope, row, conflict.field, value)


def is_gone(account: Account, row: Account | Site) -> bool:
    """Whether a record is in the bin, by itself or with its account."""
    return account.deleted_at is not None or row.deleted_at is not None


def put(session: Session, scope: Scope, row: Account | Site, field: str, value: JsonValue) -> None:
    """Write one field of a locked record, as an ordinary edit."""
    if isinstance(row, Site):
        accounts_service.edit_site(session, scope, row.id, row.rev, {field: value})
    else:
        accounts_service.edit(session, scope, row.id, row.rev, {field: value})


def undo(session: Session, scope: Scope, conflict_id: UUID) -> ConflictRead:
    """Take a decision back: the field holds again what stood before, and the conflict waits again.

    Refuses where nothing was decided, where a record was deleted or came back by it, and where the field has changed
    since.
    """
    conflict, account, row, name = held(session, scope, conflict_id)
    if conflict.state == ConflictState.OPEN:
        raise Conflict("Nobody has decided this yet.", help="There is nothing to take back.")
    if conflict.kind not in (ConflictKind.CONCURRENT, ConflictKind.OUT_OF_SCOPE) or conflict.restored:
        raise Conflict("A deletion is not taken back here.", help="Restore or delete the account itself.")
    now = value_of(session, row, conflict)
    if now != conflict.chosen:
        raise moved_on(session, conflict, now, "Change it on the account.")
    if now != conflict.stood:
        put(session, scope, row, conflict.field, conflict.stood)
    records.reopen(session, conflict)
    session.refresh(row)
    return read(session, conflict, account, name, is_reached=True)


def decide_by_phone(
    session: Session,
    scope: Scope,
    conflict_id: UUID,
    fields: Mapping[str, tuple[JsonValue, JsonValue]],
    rev: int | None,
) -> ConflictRead:
    """Decide a conflict by what its sender saw in its field at `rev`, and wants now; the same decision is none.

    Refuses other fields, and what `decide` refuses.
    """
    conflict, account, row, name = held(session, scope, conflict_id)
    if list(fields) != [conflict.field]:
        raise NotFound("There is no such conflict.")
    seen, wanted = fields[conflict.field]
    if rev is None or conflict.kind != ConflictKind.CONCURRENT or value_of(session, row, conflict) == seen:
        rev = row.rev
    keeps = conflict.server if conflict.policy == Policy.TAKE_FIELD else seen
    decision = Decision(decision="custom", value=wanted, rev=rev)
    if wanted == conflict.mine:
        decision = Decision(decision="take_mine", rev=rev)
    elif wanted == keeps:
        decision = Decision(decision="keep_server", rev=rev)
    if conflict.state != ConflictState.OPEN and (
        wanted == conflict.chosen or conflict.state == STATES[decision.decision] != ConflictState.CUSTOM
    ):
        return read(session, conflict, account, name, is_reached=True)
    return decide(session, scope, conflict_id, decision)


def waiting_for(
    session: Session, row: Account | Site, fields: Collection[str], actor: Actor
) -> list[tuple[FieldConflict, JsonValue]]:
    """The conflicts, locked, that a phone's own edit of some fields may answer, with what the fields hold before it."""
    statement = select(FieldConflict).where(
        FieldConflict.entity == row.__tablename__,
        FieldConflict.row_id == row.id,
        FieldConflict.field.in_(fields),
        FieldConflict.state == ConflictState.OPEN,
        FieldConflict.kind == ConflictKind.CONCURRENT,
        FieldConflict.policy == Policy.KEEP_SERVER,
        FieldConflict.device_id == actor.device_id,
    )
    found = session.scalars(statement.with_for_update()).all()
    return [(conflict, value_of(session, row, conflict)) for conflict in found]


def answered_by_edit(
    session: Session,
    row: Account | Site,
    waiting: Collection[tuple[FieldConflict, JsonValue]],
    applied: Collection[str],
    actor: Actor,
) -> None:
    """Close the conflicts that a phone's own edit answers: one that is applied was made by somebody who had seen the
    stored value, as apps do that know no other answer."""
    for conflict, stood in waiting:
        if conflict.field in applied:
            chosen = value_of(session, row, conflict)
            state = ConflictState.TOOK_MINE if chosen == conflict.mine else ConflictState.CUSTOM
            records.decide(session, conflict, state, actor, stood=stood, chosen=chosen)


def decided(session: Session, scope: Scope, ids: Collection[UUID]) -> list[wire.Decided]:
    """Which of a sender's own conflicts are decided, by whom and how; the value only where they may see it."""
    statement = (
        visible_to(scope)
        .where(FieldConflict.id.in_(ids), FieldConflict.actor == scope.user_id)
        .where(FieldConflict.state != ConflictState.OPEN)
    )
    found = session.execute(statement).all()
    reached = reach(session, scope, {account.id for _, account, _ in found})
    return [
        wire.Decided(
            id=one.id,
            state=one.state,
            value=one.chosen if account.id in reached else None,
            by=name_of(session, one.resolved_by),
            at=None if one.resolved_at is None else clock.spelled(one.resolved_at),
        )
        for one, account, _ in found
    ]


def still_seen(session: Session, scope: Scope, ids: Collection[UUID]) -> set[UUID]:
    """The conflicts among some whose stored value somebody may see."""
    found = session.execute(visible_to(scope).where(FieldConflict.id.in_(ids))).all() if ids else []
    reached = reach(session, scope, {account.id for _, account, _ in found})
    return {one.id for one, account, _ in found if account.id in reached}


def changed(base: JsonValue, mine: JsonValue) -> tuple[list[JsonValue], list[JsonValue]]:
    """What a phone added to a set, and what it took out."""
    before, after = (list(one) if isinstance(one, list) else [] for one in (base, mine))
    return [one for one in after if one not in before], [one for one in before if one not in after]


def is_set(conflict: FieldConflict) -> bool:
    """Whether a phone's change is made to what the field holds by then, as with tags; of the company's own fields, also
    of those with several choices, the whole value is."""
    return isinstance(conflict.mine, list) and not conflict.field.startswith(CUSTOM)


def joined(conflict: FieldConflict, stood: JsonValue) -> list[JsonValue]:
    """A set as it is with a phone's change to it."""
    added, removed = changed(conflict.base, conflict.mine)
    left = [one for one in (stood if isinstance(stood, list) else []) if one not in removed]
    return left + [one for one in added if one not in left]


def row_of(session: Session, conflict: FieldConflict, account: Account) -> Account | Site:
    """The record that a conflict is about, as it stands: what was merged away is what it went into."""
    if conflict.entity != "site":
        return account
    return session.get_one(Site, accounts.standing_site(session, conflict.row_id))


def value_of(session: Session, row: Account | Site, conflict: FieldConflict) -> JsonValue:
    """What the field of a conflict holds now."""
    return editing.editor(session, row).values(row).get(conflict.field)


def name_of(session: Session, user_id: UUID | None) -> str | None:
    """What somebody is called."""
    return None if user_id is None else session.scalar(select(User.name).where(User.id == user_id))


def moved_on(session: Session, conflict: FieldConflict, value: JsonValue, help: str) -> ChangedMeanwhile:
    """The refusal of a decision whose field holds another value by now."""
    field, said = own.as_said(session, conflict.entity, conflict.field, value)
    stands = {"name": conflict.field, "value": value}
    return ChangedMeanwhile(f"{field} is “{said}” meanwhile.", help=help, stands=stands)
