"""What each op does. The rules are those of the rooms; here is only who may send what, and how it is told.

Facts are always accepted. Edits merge field by field; what cannot be applied is stored as a conflict.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, select
from sqlalchemy.orm import Session

from geo.types import Fix, LonLat
from server.accounts import queries as accounts
from server.accounts import service as accounts_service
from server.accounts.models import Account, Site
from server.accounts.reviewing import proposals
from server.accounts.values import ADDRESS
from server.activities.answering import forms_of, outcomes
from server.activities.models import Outcome as VisitOutcome
from server.activities.models import Visit, VisitState
from server.activities.service import VisitReport, checked_zone, record_visits
from server.auth.access import Scope
from server.contacts.models import Contact
from server.fields.service import unfit
from server.kit.errors import Forbidden, Invalid, NotFound, WaymarkError
from server.kit.settings import settings
from server.records.editing import CUSTOM, Outcome
from server.records.merging import Clash, Delta, Json, Policy
from server.records.models import ConflictKind, FieldConflict
from server.records.service import Actor, keep_clash
from server.sync.protocol import wire
from server.sync.protocol.messages import legible
from server.sync.pushing import capturing, conflicts
from server.sync.pushing.chains import Chain
from server.sync.pushing.subjects import merge, stored

WRITABLE: Mapping[str, frozenset[str]] = {
    "account": frozenset(
        {"name", "phone", "email", "website", "note", "preferred_time", "status", "account_class", "interval_days"}
    ),
    "contact": frozenset({"first_name", "last_name", "title", "phones", "mails"}),
    "site": frozenset({"name", *ADDRESS, "opening_hours", "service_s"}),
    "activity": frozenset({"state", "outcome", "subject", "note", "due_on"}),
}
"""What a phone may change; everything else is read-only there, but for the company's own fields."""
LISTS = frozenset({"phones", "mails"})
"""Fields of ours that take several values."""
WITH_OWN = frozenset({"account", "contact", "site"})
"""What has fields of the company's own that a phone may change."""

ANY_OP: TypeAdapter[wire.AnyOp] = TypeAdapter(wire.AnyOp)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an op did."""

    status: wire.Status
    entity: str
    """The entity of the row that it changed."""
    row_id: UUID
    rev: int
    conflicts: tuple[FieldConflict, ...] = ()
    dropped: int = 0
    """Fixes of a track that were not kept."""
    refused: WaymarkError | None = None
    """What some of its fields met; the others are written."""


@dataclass(frozen=True, slots=True)
class Context:
    """Who sends an op, and what we know of when and on what it was made."""

    scope: Scope
    actor: Actor
    made_at: datetime
    base_is_stale: bool
    """The revision it was made on is of another epoch and means nothing here."""
    chain: Chain
    """The ops that it may build on."""


def apply(session: Session, op: wire.AnyOp, context: Context) -> Effect:
    """Do what an op says. Refuses unknown kinds, entities and fields, and values that its room does not accept."""
    match op:
        case wire.Create():
            return record(session, [(op, context)])[0]
        case wire.ProposePin():
            return propose_pin(session, op, context)
        case wire.DraftOrder():
            return Effect("applied", "order", *capturing.draft_order(session, op, context.scope, context.made_at))
        case wire.AddActivity():
            return Effect("applied", "activity", *capturing.add_activity(session, op, context.scope))
        case wire.AddLead():
            return Effect("applied", "lead", *capturing.add_lead(session, op, context.scope))
        case wire.AddAccount():
            return Effect("applied", "account", *capturing.add_account(session, op, context.scope))
        case wire.AddContact():
            return Effect("applied", "contact", *capturing.add_contact(session, op, context.scope))
        case wire.AddAttachment():
            return Effect("applied", "attachment", *capturing.announce(session, op, context.scope, context.made_at))
        case wire.AddTrack():
            row_id, rev, dropped = capturing.take_track(session, op, context.scope)
            return Effect("applied", "track", row_id, rev, dropped=dropped)
        case wire.Delete() if op.e == "attachment":
            return Effect("applied", "attachment", *capturing.forget(session, op.id, context.scope))
        case wire.Patch() if op.decides is not None and context.scope.may("conflicts:decide"):
            return decide(session, op, op.decides, context)
        case wire.Patch() if (own := own_of(op)) and (refused := unfit(session, op.e, own)):
            return without(session, op, refused, context)
        case wire.Patch() if op.e == "activity":
            return change_activity(session, op, context)
        case wire.Patch():
            return patch(session, op, context)
        case wire.SetChange():
            return change_set(session, op, context)
        case wire.Delete():
            return delete(session, op, context)


def record(session: Session, facts: Sequence[tuple[wire.Create, Context]]) -> list[Effect]:
    """Take down what happened at visits, all or none; out of the sender's area it is flagged, never refused."""
    scope, actor = facts[0][1].scope, facts[0][1].actor
    late = capturing.out_of_reach(session, scope, {op.d.account_id for op, _ in facts})
    told = [report_of(op, context, late) for op, context in facts]
    if own := {report.outcome for report in told if report.outcome} - set(VisitOutcome):
        odd = own - outcomes(session).keys()
        told = [replace(one, flags=(*one.flags, "unknown_outcome")) if one.outcome in odd else one for one in told]
    held = forms_of(session, told)
    revs = record_visits(session, [capturing.with_answers(session, report) for report in told], actor)
    del held
    return [Effect("applied", "visit", report.visit_id, revs[report.visit_id]) for report in told]


def report_of(op: wire.Create, context: Context, late: Collection[UUID]) -> VisitReport:
    """An op as the rules of visits take it. What the database or the calendar does not know is put right and flagged:
    it happened all the same."""
    d, flags = readable(op.d)
    zone = d.zone
    try:
        checked_zone(zone)
    except Invalid:
        zone, flags = context.scope.zone or settings().zone, (*flags, "unknown_zone")
    report = VisitReport(
        event_id=op.id,
        visit_id=d.visit_id,
        account_id=d.account_id,
        site_id=d.site_id,
        rep_id=context.scope.user_id,
        state=VisitState(d.state),
        day=d.day,
        zone=zone,
        occurred_at=context.made_at,
        outcome=d.outcome or None,
        note=d.note,
        fix=fix_of(d.checkin),
        saw_pin=not (d.checkin and d.checkin.unpinned),
        flags=(*flags, *(capturing.LATE if d.account_id in late else ())),
        signature=None if d.signature is None else wire.emit(d.signature),
    )
    return report.with_form(d.form.visit_type_id, d.form.version_id, d.form.answers) if d.form else report


def readable(d: wire.VisitEvent) -> tuple[wire.VisitEvent, tuple[str, ...]]:
    """What happened, without characters that no database takes, and a flag where there were some."""
    if "\\u0000" not in d.model_dump_json():
        return d, ()
    plain = wire.VisitEvent.model_validate(legible(wire.emit(d)))
    return plain, () if plain == d else ("unreadable",)


def fix_of(given: wire.CheckIn | None) -> Fix | None:
    """Where the phone was, as the rules want it."""
    if given is None:
        return None
    return Fix(LonLat(given.lon, given.lat), given.accuracy_m, wire.moment(given.fix_at), given.mock)


def propose_pin(session: Session, op: wire.ProposePin, context: Context) -> Effect:
    """Take a better pin down, wherever the account has gone meanwhile. Who may place it has placed it with this."""
    context.scope.need("accounts:write")
    site = stored(session, "site", op.d.site_id)
    assert isinstance(site, Site)
    if site.deleted_at is not None:
        raise NotFound("The site was deleted.", help="Nobody has to find it any more.")
    new = proposals.NewPin(LonLat(op.d.lon, op.d.lat), op.d.note, fix_of(op.d.fix), context.made_at)
    proposal = proposals.take(session, context.scope, site, new, proposal_id=op.id)
    return Effect("applied", "pin_proposal", proposal.id, proposal.rev)


def patch(session: Session, op: wire.Patch, context: Context) -> Effect:
    """Merge changed fields into an account, a site or a person."""
    refuse_unwritable(op.e, op.f)
    refuse_several(op.f)
    deltas = deltas_of(op)
    row = stored(session, op.e, op.id)
    before, redirected = row.rev, row.id != op.id
    base = 0 if context.base_is_stale or redirected or op.base_rev > before else op.base_rev
    own = context.chain.written(session, row, base, deltas)
    waiting = conflicts.waiting_for(session, row, deltas, context.actor)
    outcome = merge(session, context.scope, row, base, deltas, context.actor, own)
    conflicts.answered_by_edit(session, row, waiting, outcome.applied, context.actor)
    return Effect(
        status_of(outcome, met=redirected or before != op.base_rev), op.e, row.id, outcome.rev, outcome.conflicts
    )


def own_of(op: wire.Patch) -> dict[str, Json]:
    """What an edit writes into the company's own fields."""
    return {name: new for name, (_, new) in op.f.items() if name.startswith(CUSTOM) and op.e in WITH_OWN}


def without(session: Session, op: wire.Patch, refused: Mapping[str, WaymarkError], context: Context) -> Effect:
    """Make an edit without own fields that are refused: what the office has taken away or asks for by now keeps nothing
    else from being written. Refuses all of it where nothing else is wanted, or where the rest is a question itself."""
    first = next(iter(refused.values()))
    rest = {name: both for name, both in op.f.items() if name not in refused}
    if not rest:
        raise first
    effect = apply(session, op.model_copy(update={"f": rest}), context)
    if effect.conflicts:
        raise first
    return replace(effect, status="rejected", refused=first)


def deltas_of(op: wire.Patch) -> dict[str, Delta]:
    """What an edit says of each field."""
    return {name: Delta(old, new) for name, (old, new) in op.f.items()}


def decide(session: Session, op: wire.Patch, conflict_id: UUID, context: Context) -> Effect:
    """What a rep says to a conflict of theirs. Refuses one that somebody has decided, or that has moved on unseen."""
    row = stored(session, op.e, op.id)
    rev = None if context.base_is_stale or row.id != op.id else op.base_rev
    done = conflicts.decide_by_phone(session, context.scope, conflict_id, op.f, rev)
    return Effect("applied", op.e, row.id, done.rev)


def change_activity(session: Session, op: wire.Patch, context: Context) -> Effect:
    """Mark a task as done, or move it. Refuses a field that somebody else changed meanwhile, as pages do; others are
    written all the same."""
    refuse_unwritable("activity", op.f)
    refuse_several(op.f)
    base, deltas = 0 if context.base_is_stale else op.base_rev, deltas_of(op)
    row, met, refused = capturing.change_activity(
        session, context.scope, op.id, base, deltas, context.chain, context.made_at
    )
    status: wire.Status = "rejected" if refused else "merged" if met else "applied"
    return Effect(status, "activity", row.id, row.rev, refused=refused)


def status_of(outcome: Outcome, *, met: bool) -> wire.Status:
    """How an edit went: cleanly, together with somebody else's, or against it."""
    if outcome.conflicts:
        return "conflict"
    return "merged" if met else "applied"


def change_set(session: Session, op: wire.SetChange, context: Context) -> Effect:
    """Add or remove tags of an account; out of reach it becomes a conflict like any other edit."""
    if (op.e, op.field) != ("account", "tags"):
        raise Forbidden(f"{op.field} of {op.e} is no set that a phone changes.", field=op.field)
    account = stored(session, "account", op.id)
    assert isinstance(account, Account)
    add, remove = (op.v, []) if op.k == "setadd" else ([], op.v)
    reach = accounts.within_reach(context.scope, "accounts:write")
    if account.deleted_at is None and session.scalar(select(Account.id).where(Account.id == account.id, reach)):
        account = accounts_service.change_tags(session, context.scope, account.id, add=add, remove=remove)
        return Effect("applied", "account", account.id, account.rev)
    wanted: list[Json] = [
        *(tag for tag in account.tags if tag not in remove),
        *(v for v in add if v not in account.tags),
    ]
    deltas = {"tags": Delta(list(account.tags), wanted)}
    outcome = accounts_service.patch(session, context.scope, account.id, account.rev, deltas, context.actor)
    return Effect(status_of(outcome, met=False), "account", account.id, outcome.rev, outcome.conflicts)


def delete(session: Session, op: wire.Delete, context: Context) -> Effect:
    """Take an account away, if nobody changed it since; otherwise that is for somebody to decide."""
    if op.e != "account":
        raise Forbidden(f"A phone cannot delete a {op.e}.", help="Do it on the web pages.")
    context.scope.need("accounts:delete")
    account = stored(session, "account", op.id)
    if account.deleted_at is not None:
        return Effect("applied", "account", account.id, account.rev)
    reach = accounts.within_reach(context.scope, "accounts:delete")
    in_reach = session.scalar(select(Account.id).where(Account.id == account.id, reach)) is not None
    seen = account.id == op.id and not context.base_is_stale and account.rev <= op.base_rev
    if in_reach and seen:
        account = accounts_service.delete(session, context.scope, account.id, account.rev)
        return Effect("applied", "account", account.id, account.rev)
    kind = ConflictKind.DELETE_VS_EDIT if in_reach else ConflictKind.OUT_OF_SCOPE
    deleted = Clash("deleted_at", kind, Policy.KEEP_SERVER, base=None, mine=context.made_at.isoformat(), server=None)
    conflict = keep_clash(session, "account", account.id, deleted, context.actor)
    return Effect("conflict", "account", account.id, account.rev, (conflict,))


def refuse_unwritable(entity: str, names: Iterable[str]) -> None:
    """Refuse fields that a phone may only read."""
    if entity not in WRITABLE:
        raise Forbidden(f"A phone cannot change a {entity}.", help="Do it on the web pages.")
    own = {name for name in names if name.startswith(CUSTOM) and entity in WITH_OWN}
    for name in sorted(set(names) - WRITABLE[entity] - own):
        raise Forbidden(f"A phone cannot change {name} of a {entity}.", help="Do it on the web pages.", field=name)


def refuse_several(fields: Mapping[str, tuple[Json, Json]]) -> None:
    """Refuse lists and objects where a field of ours takes one value."""
    for name, (_, new) in fields.items():
        if isinstance(new, dict | list) and name not in LISTS and not name.startswith(CUSTOM):
            raise Invalid(f"{name} takes a single value.", field=name)


def lock(session: Session, ops: Iterable[wire.AnyOp]) -> None:
    """Lock the rows of a batch in one order, so that two phones do not wait for each other."""
    ids: dict[Lockable, set[UUID]] = {model: set() for model in LOCKS}
    for op in ops:
        match op:
            case wire.Create():
                ids[Visit].add(op.d.visit_id)
                ids[Account].add(op.d.account_id)
            case wire.ProposePin():
                ids[Site].add(op.d.site_id)
            case wire.DraftOrder() | wire.AddAttachment() | wire.AddContact():
                ids[Account].add(op.d.account_id)
            case _ if op.e == "account":
                ids[Account].add(op.id)
            case _ if op.e == "site":
                ids[Site].add(op.id)
            case _ if op.e == "contact":
                ids[Contact].add(op.id)
    for model, wanted in ids.items():
        if wanted:
            session.execute(LOCKS[model], {"ids": list(wanted)}).all()


type Lockable = type[Account] | type[Site] | type[Visit] | type[Contact]

LOCKS: Mapping[Lockable, Select[Any]] = {
    model: select(model.id)
    .where(model.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(model.id)
    .with_for_update()
    for model in (Account, Site, Visit, Contact)
}
"""How rows of each kind are locked: made once, whatever their number."""


def parsed(body: Mapping[str, object]) -> wire.AnyOp:
    """An op out of its body; refuses what is not one."""
    op = ANY_OP.validate_python(body)
    if len(wire.canonical(body).encode()) > wire.MAX_OP_BYTES:
        raise Invalid(f"The op is larger than {wire.MAX_OP_BYTES} bytes.", help="Shorten the note.")
    return op
