"""Fields that two people changed: who sees them, and how one is decided. A decision is an ordinary edit."""

from collections.abc import Collection, Mapping
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from server.accounts import service as accounts_service
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import TeamMember, User
from server.auth.roles import Level
from server.contacts.models import Contact
from server.fields import queries as own
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.records import service as records
from server.records.editing import ChangedMeanwhile
from server.records.merging import Policy
from server.records.models import ConflictKind, ConflictState, FieldConflict
from server.records.service import Actor
from server.sync.protocol import wire
from server.sync.pulling.entities import last_change
from server.sync.pushing import subjects
from server.sync.pushing.subjects import Found, Row, is_gone, put, reach, row_of, value_of
from server.sync.schemas import ConflictRead, Decision

STATES = {
    "keep_server": ConflictState.KEPT_SERVER,
    "take_mine": ConflictState.TOOK_MINE,
    "custom": ConflictState.CUSTOM,
}


class AlreadyDecided(Conflict):
    """Somebody else was quicker; what they chose stands."""

    code = "already_decided"


def visible_to(
    scope: Scope, permission: str = "conflicts:read", *, is_reached: bool = False
) -> Select[FieldConflict, Account, Contact, str]:
    """The conflicts of a person, as `Found` has them: on accounts and people they reach, and those that they or their
    team brought about. With `is_reached` only such are asked for as the caller knows to be reached.
    """
    level = scope.level(permission)
    statement = subjects.found().where(subjects.asked(scope))
    if level >= Level.ALL or (is_reached and level > Level.NONE):
        return statement
    own: ColumnElement[bool] = FieldConflict.actor == scope.user_id
    if level >= Level.TEAM:
        own |= FieldConflict.actor.in_(select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids)))
    return statement.where(or_(own, subjects.within_reach(scope)))


def rows(session: Session, statement: Select[FieldConflict, Account, Contact, str]) -> list[Found]:
    """The conflicts of a statement."""
    return [Found(*row) for row in session.execute(statement)]


def listed(session: Session, scope: Scope, *, state: str, limit: int, about: UUID | None = None) -> list[ConflictRead]:
    """Conflicts in a state, the newest first; with an account, that the caller has checked, only its own and those of
    its sites, with a person only theirs."""
    statement = visible_to(scope, is_reached=about is not None).where(FieldConflict.state == state)
    if about is not None:
        statement = statement.where(or_(Account.id == about, Contact.id == about))
    statement = statement.order_by(FieldConflict.created_at.desc(), FieldConflict.id).limit(max(1, min(limit, 500)))
    several = rows(session, statement)
    reached = reach(session, scope, {one.whole.id for one in several})
    return [read(session, one, is_reached=one.whole.id in reached) for one in several]


def waiting_at(session: Session, scope: Scope, about: UUID) -> list[ConflictRead]:
    """Those that wait at an account or a person that the caller has checked; none for whoever sees no conflicts."""
    may = scope.may("conflicts:read")
    return listed(session, scope, state=ConflictState.OPEN, limit=500, about=about) if may else []


def decided_one(session: Session, scope: Scope, conflict_id: UUID) -> ConflictRead | None:
    """A conflict that the person may see and that is decided; None where it waits, or is not theirs."""
    one = any_one(session, scope, conflict_id)
    return None if one is None or one.state == ConflictState.OPEN else one


def any_one(session: Session, scope: Scope, conflict_id: UUID) -> ConflictRead | None:
    """A conflict that the person may see, whatever became of it; None where there is none."""
    several = rows(session, visible_to(scope).where(FieldConflict.id == conflict_id))
    reached = reach(session, scope, {one.whole.id for one in several})
    return next((read(session, one, is_reached=one.whole.id in reached) for one in several), None)


def read(session: Session, found: Found, *, is_reached: bool) -> ConflictRead:
    """A conflict as it is shown; the record's values only to those who may see the record, and of a set to others no
    more than what was to be added or taken out."""
    conflict, account, contact, sender = found
    row = row_of(session, conflict, found.whole)
    current = value_of(session, row, conflict)
    writer, written_at = last_change(session, conflict.entity, row.id, conflict.field) if is_reached else (None, None)
    base, mine = conflict.base, conflict.mine
    if is_set(conflict):
        added, removed = changed(base, mine)
        mine = joined(conflict, current) if is_reached else [*added, *removed]
        base = base if is_reached else None
    return ConflictRead(
        id=conflict.id,
        entity=conflict.entity,
        row_id=conflict.row_id,
        account_id=account.id if account else None,
        account_name=account.name if account and is_reached else None,
        contact_id=contact.id if contact else None,
        contact_name=contact.name if contact and is_reached else None,
        is_deleted=is_gone(found.whole, row),
        is_site_deleted=found.whole.deleted_at is None and isinstance(row, Site) and row.deleted_at is not None,
        is_restored=conflict.restored,
        field=conflict.field,
        kind=conflict.kind,
        policy=conflict.policy,
        state=conflict.state,
        base=base,
        mine=mine,
        server=conflict.server if is_reached else None,
        current=current if is_reached else None,
        current_by_name=writer,
        current_at=written_at,
        rev=row.rev if is_reached else 0,
        actor=conflict.actor,
        actor_name=sender,
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
    found, row = held(session, scope, conflict_id)
    conflict = found.conflict
    if conflict.state != ConflictState.OPEN:
        field, value = own.as_said(session, conflict.entity, conflict.field, conflict.chosen)
        raise AlreadyDecided(
            f"{name_of(session, conflict.resolved_by) or 'Somebody'} decided before you: {field} is “{value}”.",
            help="Change the field itself if that is wrong.",
            stands={"entity": conflict.entity, "name": conflict.field, "value": conflict.chosen},
        )
    stood = value_of(session, row, conflict)
    if decision.rev is not None and row.frev.get(conflict.field, 1) > decision.rev:
        raise moved_on(session, conflict, stood, "Look at it again.")
    write(session, scope, found, row, decision, stood)
    session.flush()
    session.refresh(found.whole)
    session.refresh(row)
    state, chosen = STATES[decision.decision], value_of(session, row, conflict)
    records.decide(session, conflict, state, scope.actor, stood=stood, chosen=chosen)
    return read(session, found, is_reached=True)


def held(session: Session, scope: Scope, conflict_id: UUID) -> tuple[Found, Row]:
    """A conflict that a person may decide, and its record; the record first, then the conflict are locked, in the order
    of a push."""
    several = rows(session, visible_to(scope, "conflicts:decide").where(FieldConflict.id == conflict_id))
    if not several or several[0].whole.id not in reach(session, scope, {several[0].whole.id}):
        raise NotFound("There is no such conflict.")
    found = several[0]
    row = row_of(session, found.conflict, found.whole)
    session.refresh(row, with_for_update=True)
    session.refresh(found.conflict, with_for_update=True)
    return found, row


def write(session: Session, scope: Scope, found: Found, row: Row, decision: Decision, stood: JsonValue) -> None:
    """Carry a decision out; nothing is written when the record holds the chosen value already.

    Of a set, a phone's change is made to what the set holds now. Of a record that went into another one, what is kept
    is what that holds; refuses to delete it. What is deleted comes back with it; refuses whoever may not do that.
    """
    conflict, account = found.conflict, found.account
    is_itself = row.id == conflict.row_id
    if conflict.kind == ConflictKind.DELETE_VS_EDIT or conflict.field == "deleted_at":
        if decision.decision == "custom":
            raise Invalid("A deletion is taken or not.", help="Choose keep_server or take_mine.", field="decision")
        if account is not None and decision.decision == "take_mine" and not is_itself:
            raise Conflict(
                f"The account was merged into “{account.name}” since.",
                help="Keep it here; if that is to go, delete it itself.",
                field="decision",
            )
        if account is not None and decision.decision == "take_mine":
            accounts_service.delete(session, scope, account.id, decision.rev or account.rev)
        return
    was_written = conflict.policy == Policy.TAKE_FIELD and is_itself
    kept = conflict.server if was_written else stood
    mine = joined(conflict, stood) if is_set(conflict) else conflict.mine
    value = {"keep_server": kept, "take_mine": mine, "custom": decision.value}[decision.decision]
    if value == stood and (not is_gone(found.whole, row) or decision.decision == "keep_server"):
        return
    told = conflict.mine if was_written else conflict.server
    if decision.rev is None and stood != told and not is_set(conflict):
        raise moved_on(session, conflict, stood, "Look at it again.")
    if subjects.bring_back(session, scope, found.whole, row):
        conflict.restored = True
    put(session, scope, row, conflict.field, value)


def undo(session: Session, scope: Scope, conflict_id: UUID) -> ConflictRead:
    """Take a decision back: the field holds again what stood before, and the conflict waits again.

    Refuses where nothing was decided, where a record was deleted or came back by it, and where the field has changed
    since.
    """
    found, row = held(session, scope, conflict_id)
    conflict = found.conflict
    if conflict.state == ConflictState.OPEN:
        raise Conflict("Nobody has decided this yet.", help="There is nothing to take back.")
    if conflict.kind not in (ConflictKind.CONCURRENT, ConflictKind.OUT_OF_SCOPE) or conflict.restored:
        raise Conflict("A deletion is not taken back here.", help="Restore or delete it on its own page.")
    now = value_of(session, row, conflict)
    if now != conflict.chosen:
        raise moved_on(session, conflict, now, "Change it on its own page.")
    if now != conflict.stood:
        put(session, scope, row, conflict.field, conflict.stood)
    records.reopen(session, conflict)
    session.refresh(row)
    return read(session, found, is_reached=True)


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
    found, row = held(session, scope, conflict_id)
    conflict = found.conflict
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
        return read(session, found, is_reached=True)
    return decide(session, scope, conflict_id, decision)


def waiting_for(
    session: Session, row: Row, fields: Collection[str], actor: Actor
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
    row: Row,
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
    found = rows(session, statement)
    reached = reach(session, scope, {one.whole.id for one in found})
    return [
        wire.Decided(
            id=one.id,
            state=one.state,
            value=one.chosen if whole.id in reached else None,
            by=name_of(session, one.resolved_by),
            at=None if one.resolved_at is None else clock.spelled(one.resolved_at),
        )
        for one, whole in ((each.conflict, each.whole) for each in found)
    ]


def still_seen(session: Session, scope: Scope, ids: Collection[UUID]) -> set[UUID]:
    """The conflicts among some whose stored value somebody may see."""
    found = rows(session, visible_to(scope).where(FieldConflict.id.in_(ids))) if ids else []
    reached = reach(session, scope, {one.whole.id for one in found})
    return {one.conflict.id for one in found if one.whole.id in reached}


def changed(base: JsonValue, mine: JsonValue) -> tuple[list[JsonValue], list[JsonValue]]:
    """What a phone added to a set, and what it took out."""
    before, after = (list(one) if isinstance(one, list) else [] for one in (base, mine))
    return [one for one in after if one not in before], [one for one in before if one not in after]


def is_set(conflict: FieldConflict) -> bool:
    """Whether a phone's change is made to what the field holds by then: tags. Of other lists, as of numbers of a person
    and of several choices, the whole value is."""
    return (conflict.entity, conflict.field) == ("account", "tags")


def joined(conflict: FieldConflict, stood: JsonValue) -> list[JsonValue]:
    """A set as it is with a phone's change to it."""
    added, removed = changed(conflict.base, conflict.mine)
    left = [one for one in (stood if isinstance(stood, list) else []) if one not in removed]
    return left + [one for one in added if one not in left]


def name_of(session: Session, user_id: UUID | None) -> str | None:
    """What somebody is called."""
    return None if user_id is None else session.scalar(select(User.name).where(User.id == user_id))


def moved_on(session: Session, conflict: FieldConflict, value: JsonValue, help: str) -> ChangedMeanwhile:
    """The refusal of a decision whose field holds another value by now."""
    field, said = own.as_said(session, conflict.entity, conflict.field, value)
    stands = {"entity": conflict.entity, "name": conflict.field, "value": value}
    return ChangedMeanwhile(f"{field} is “{said}” meanwhile.", help=help, stands=stands)
