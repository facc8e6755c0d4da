"""What a phone sends: ops in the order of their numbers, each answered exactly once, whatever the network repeats."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue, ValidationError
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import Device
from server.kit import clock
from server.kit.errors import WaymarkError
from server.records.models import ConflictKind, FieldConflict
from server.records.service import acting
from server.sync.calling.phones import present
from server.sync.models import SyncPhone, SyncReceipt
from server.sync.protocol import reasons, wire
from server.sync.protocol.messages import Reason, legible
from server.sync.protocol.problems import BadMessage, DeviceForked, Gap, MessageTooLarge
from server.sync.pulling import buckets, entities, epochs
from server.sync.pulling.buckets import Subscription
from server.sync.pushing import aside, capturing, ops, receipts
from server.sync.pushing.chains import Chain
from server.sync.pushing.ops import Context, Effect
from server.sync.pushing.receipts import Sent, Unfit

REFUSED = ("rejected", "deferred")


@dataclass(frozen=True, slots=True)
class Batch:
    """What all ops of a push share."""

    device: Device
    scope: Scope
    allowed: list[Subscription]
    phone: SyncPhone | None
    now: datetime
    receipts: dict[UUID, list[SyncReceipt]] = field(default_factory=lambda: defaultdict(list))
    """What was answered before to the ops that are here, or are built on."""
    kept: list[SyncReceipt] = field(default_factory=list)
    """The answers of this push, to be written at its end."""
    answered: dict[UUID, int] = field(default_factory=dict)
    """The ops of this push that have an answer by now, with their numbers."""
    told: dict[int, Effect] = field(default_factory=dict)
    """What ops changed, by their number: the rows go along with the answer."""


def push(session: Session, scope: Scope, request: wire.PushRequest) -> str:
    """Take ops in: a `wire.PushReply`, as JSON; the caller commits before it leaves.

    Refuses another epoch, a gap in the numbers, and a device id that two phones use. Everything else is a verdict on
    one op and does not touch the others.
    """
    epochs.check(session, request.epoch)
    sent = read(request)
    device, scope = present(session, scope, lock=True)
    scope.need("sync:write")
    check_numbers(device, sent)
    batch = Batch(
        device=device,
        scope=scope,
        allowed=buckets.subscriptions(session, scope),
        phone=session.get(SyncPhone, device.id),
        now=clock.now(),
    )
    ops.lock(session, [op.op for op in sent if op.op is not None])
    refuse_a_fork(device, sent, receipts.remember(session, batch.receipts, device, sent))
    results = [result for run in runs(batch, sent) for result in take_all(session, batch, run)]
    stored = {n for n, effect in batch.told.items() if effect.rev}
    capturing.respect_pauses(session, (op.op for op in sent if op.n in stored), scope)
    aside.fill_all(session, scope.user_id, [op.op for op in sent if op.n in stored])
    for receipt in filter(receipts.is_over, batch.kept):
        receipt.decided_at = batch.now  # the phone hears it now, and nobody else has to do anything
    receipts.write(session, batch.kept)
    receipts.close_mended(session, device, sent)
    device.last_n = max(device.last_n, sent[-1].n)
    if device.pending:
        device.pending = device.pending | {"ops": max(0, device.pending["ops"] - len(sent))}
    session.flush()
    told = ",".join(with_rows(session, batch, results))
    return f'{{"last_n":{device.last_n},"results":[{told}]}}'


def runs(batch: Batch, sent: Sequence[Sent]) -> Iterator[list[Sent]]:
    """Ops in their order, one by one; but facts about visits that follow each other and are new here together."""
    run: list[Sent] = []
    for op in sent:
        is_new = not batch.receipts[op.op_id] and all(one.op_id != op.op_id for one in run)
        if isinstance(op.op, wire.Create) and is_new and not waits_for(batch, op):
            run.append(op)
            continue
        if run:
            yield run
        yield [op]
        run = []
    if run:
        yield run


def read(request: wire.PushRequest) -> list[Sent]:
    """The ops of a message in order; refuses what cannot be answered op by op."""
    if len(request.ops) > wire.MAX_OPS:
        raise MessageTooLarge(f"There are more than {wire.MAX_OPS} ops.", help="Send fewer at once.")
    sent = []
    for index, body in enumerate(request.ops):
        try:
            head = wire.Envelope.model_validate(body)
            sent.append(Sent.of(head.n, head.op_id, wire.body_sha(body), body))
        except (ValidationError, ValueError) as error:
            raise BadMessage(f"Op {index} has no number, no id, or no JSON.", help="Send the others.") from error
    return sorted(sent, key=lambda op: op.n)


def check_numbers(device: Device, sent: Sequence[Sent]) -> None:
    """Refuse a batch that leaves an op out."""
    expected = device.last_n + 1
    for op in sent:
        if op.n > expected:
            raise Gap(
                f"Op {expected} is missing.", help="Say hello and send from there.", retry=False, expected=expected
            )
        expected = max(expected, op.n + 1)
    if len({op.n for op in sent}) != len(sent):
        raise BadMessage("Two ops have one number.", help="Send each op once.")


def refuse_a_fork(device: Device, sent: Sequence[Sent], known: Mapping[int, UUID]) -> None:
    """Refuse numbers that another phone has used under this device id for other ops."""
    for op in sent:
        if known.get(op.n, op.op_id) != op.op_id:
            raise DeviceForked(
                f"Another phone sent op {op.n} under this device id.",
                help="Register this phone anew.",
                retry=False,
                n=op.n,
            )


def take_all(session: Session, batch: Batch, run: Sequence[Sent]) -> list[wire.OpResult]:
    """Answer ops that belong together as one; where anything is wrong with one of them, each by itself."""
    effects = settle_all(session, batch, run) if len(run) > 1 else None
    if effects is None:
        return [take(session, batch, op) for op in run]
    return [
        kept(batch, op, wire.OpResult(n=op.n, status=effect.status, rev=effect.rev), effect)
        for op, effect in zip(run, effects, strict=True)
    ]


def settle_all(session: Session, batch: Batch, run: Sequence[Sent]) -> list[Effect] | None:
    """Do facts about visits within one savepoint, each table read and written once; None when one does not go."""
    facts = [(op.op, context_of(batch, op)) for op in run if isinstance(op.op, wire.Create)]
    by_row = {row_id: op.op_id for op, _ in facts for row_id in (op.d.account_id, op.d.visit_id)}
    try:
        with session.begin_nested():
            acting(session, batch.scope.actor, by_row)
            return ops.record(session, facts)
    except (WaymarkError, IntegrityError, DataError):
        return None


def take(session: Session, batch: Batch, op: Sent) -> wire.OpResult:
    """Answer one op: with its receipt when there is one, else by doing it."""
    before = batch.receipts[op.op_id]
    for receipt in before:
        if receipt.body_sha == op.sha:
            receipts.number(session, batch.kept, before, receipt, batch.device.id, op.n)
            return replayed(batch, op, receipt)
    if before:
        error = said("op_id_reuse", "This op was sent before with another content.")
        return kept(batch, op, wire.OpResult(n=op.n, status="rejected", error=error))
    if waits_for(batch, op):
        error = said("dependency", "The op that this one builds on was refused.")
        return kept(batch, op, wire.OpResult(n=op.n, status="deferred", error=error))
    if receipts.was_taken(session, batch.device, op, batch.kept):
        return kept(batch, op, wire.OpResult(n=op.n, status="rejected", error=there_already()))
    return kept(batch, op, *settle(session, batch, op))


def there_already() -> wire.OpError:
    """Why another try at an entry is refused that was taken meanwhile."""
    return said("taken_meanwhile", "The office has had this entry taken meanwhile.", "Change it where it stands.")


def waits_for(batch: Batch, op: Sent) -> bool:
    """Whether the op builds on one that was refused."""
    return op.dep_op is not None and any(one.status in REFUSED for one in batch.receipts[op.dep_op])


def settle(session: Session, batch: Batch, op: Sent) -> tuple[wire.OpResult, Effect | None]:
    """Do an op within a savepoint. What a rule or the database refuses leaves nothing behind but its verdict."""
    if op.op is None:
        assert op.unfit is not None
        return wire.OpResult(n=op.n, status="rejected", error=refusal(op.unfit)), None
    try:
        with session.begin_nested():
            context = context_of(batch, op)
            acting(session, context.actor)
            effect = ops.apply(session, op.op, context)
            clashes = [clash_of(session, conflict, op) for conflict in effect.conflicts]
            session.flush()
    except (WaymarkError, IntegrityError, DataError) as error:
        return wire.OpResult(n=op.n, status="rejected", error=refusal(error)), None
    result = wire.OpResult(n=op.n, status=effect.status, rev=effect.rev)
    if effect.refused is not None:
        result.error = refusal(effect.refused)
    if clashes:
        result.conflicts = clashes
    if effect.dropped:
        result.dropped = effect.dropped
    return result, effect


def context_of(batch: Batch, op: Sent) -> Context:
    """Who sends an op, when it was made, and whether its base revision means anything here."""
    at, actor = op.op.at if op.op else None, replace(batch.scope.actor, op_id=op.op_id)
    return Context(
        scope=batch.scope,
        actor=actor,
        made_at=made_at(at, batch.phone, batch.device.skew_ms, batch.now),
        base_is_stale=batch.phone is not None and op.n <= batch.phone.stale_n,
        chain=Chain(actor, op.n, batch.answered),
    )


def refusal(error: Unfit) -> wire.OpError:
    """Why an op was refused, for the rep to read."""
    match error:
        case WaymarkError():
            told = said(error.code, error.message, error.help)
            if (stands := error.details.get("stands")) and told.reasons:
                told.reasons[0].values |= {"name": stands["name"], "json": wire.canonical(stands["value"])}
            return told
        case ValidationError():
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            return said("bad_request", f"{where}: {first['msg']}", codes=reasons.of_shape(error))
        case _:
            return said("invalid", "The database does not accept a value of this op.")


def said(code: str, message: str, help: str = "", codes: list[Reason] | None = None) -> wire.OpError:
    """A refusal in words, and in codes that the phone words itself."""
    message, help = legible(message), legible(help)
    error = wire.OpError(code=code, msg=message, retry=False)
    if help:
        error.help = help
    if codes := codes or reasons.told(message, help):
        error.reasons = [Reason(code=one.code, values=legible(one.values)) for one in codes]
    return error


def clash_of(session: Session, conflict: FieldConflict, op: Sent) -> wire.Clash:
    """A stored conflict for the phone. What is not the sender's to see any more is not told: of a set only what was to
    be added or taken out."""
    hidden = conflict.kind == ConflictKind.OUT_OF_SCOPE
    sent = list[JsonValue](op.op.v) if hidden and isinstance(op.op, wire.SetChange) else None
    by, at = (None, None) if hidden else entities.last_change(session, conflict.entity, conflict.row_id, conflict.field)
    return wire.Clash(
        id=conflict.id,
        field=conflict.field,
        base=conflict.base if sent is None else None,
        mine=conflict.mine if sent is None else sent,
        server=None if hidden else conflict.server,
        by=by,
        at=None if at is None else clock.spelled(at),
        policy=conflict.policy,
        kind=conflict.kind,
    )


def kept(batch: Batch, op: Sent, result: wire.OpResult, effect: Effect | None = None) -> wire.OpResult:
    """Keep an answer, to be written in the transaction of its effect; the body too unless the op was simply done, or
    says where somebody was.

    A number of a phone has one answer. Where an op comes again with another content under its number, the answer to
    that stands under the number below zero; what comes after it in yet other words is answered and not kept.
    """
    body = None if result.status in ("applied", "merged") or op.body.get("e") == "track" else op.body
    batch.answered[op.op_id] = op.n
    taken = {one.n for one in batch.receipts[op.op_id] if one.device_id == batch.device.id}
    number = next((n for n in (op.n, -op.n) if n not in taken), None)
    if number is not None:
        receipt = receipts.receipt(op, batch.device.id, number, result, body)
        batch.receipts[op.op_id].append(receipt)
        batch.kept.append(receipt)
    if effect is not None:
        batch.told[op.n] = effect
    return result


def replayed(batch: Batch, op: Sent, receipt: SyncReceipt) -> wire.OpResult:
    """The answer that was given before; the row as it is now goes along."""
    result = wire.OpResult.model_validate(receipt.result | {"n": op.n, "replay": True})
    batch.answered[op.op_id] = op.n
    if op.op is None or result.status in REFUSED:
        return result
    entity, row_id = op.op.e, op.op.id
    if isinstance(op.op, wire.Create):
        entity, row_id = "visit", op.op.d.visit_id
    batch.told[op.n] = Effect(result.status, entity, row_id, result.rev or 0)
    return result


def with_rows(session: Session, batch: Batch, results: Sequence[wire.OpResult]) -> Iterator[str]:
    """Verdicts as JSON, with the rows as they are after the whole batch, wherever the phone may see them. The database
    writes rows as JSON; they go out as they are."""
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for effect in batch.told.values():
        wanted[effect.entity].add(effect.row_id)
    rows: dict[tuple[str, str], entities.Row] = {}
    for name, ids in wanted.items():
        entity = entities.BY_NAME[name]
        held = buckets.held(session, batch.allowed, entity.code, ids)
        found = entities.rows(session, batch.scope, entity, held) if held else {}
        rows |= {(name, row_id): row for row_id, row in found.items()}
    for result in results:
        change = batch.told.get(result.n)
        row = rows.get((change.entity, str(change.row_id))) if change else None
        if result.replay and change:  # what was told then may be hidden now
            hidden = batch.scope.hidden(change.entity)
            for clash in result.conflicts or ():
                if row is None or clash.field in hidden:
                    clash.server = None
        if row is None:
            yield wire.canonical(wire.emit(result))
        else:
            yield f'{wire.canonical(wire.emit(result) | {"rev": row.rev})[:-1]},"row":{row.document}}}'


def made_at(at: wire.Moment | None, said: SyncPhone | None, skew_ms: int | None, now: datetime) -> datetime:
    """When an op was made, by our clock: by the phone's monotonic clock since its last start, else by its wall clock
    less its error; never in the future."""
    if at is None:
        return now
    try:
        if said is not None and said.boot == at.boot:
            moment = said.heard_at - (said.mono_ms - at.mono) * timedelta(milliseconds=1)
        else:
            moment = wire.moment(at.wall) - (skew_ms or 0) * timedelta(milliseconds=1)
    except OverflowError:
        return now
    return min(moment, now)
