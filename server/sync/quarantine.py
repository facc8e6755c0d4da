"""A phone whose owner has left, or may not send any more: what it had not sent, photos too, is kept aside until
somebody takes it in or throws it away.

Nothing of it has an effect before that. Its proof is the phone's key alone: tokens ended when the person was shut out.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.attachments import queries as attachments
from server.auth.access import Scope, scope_of
from server.auth.models import AuthEvent, Device, DeviceState, User
from server.auth.queries import visible_users
from server.auth.tokens import verify_signature
from server.kit import clock
from server.kit.errors import Conflict, NotFound, NotSignedIn
from server.sync import aside, buckets, capturing, ops, push, receipts, rescue, wire
from server.sync.blobs import FileRefused, NotAnnounced
from server.sync.messages import legible
from server.sync.models import QuarantinedOp, SyncPhone, SyncReceipt
from server.sync.problems import BadMessage, MessageTooLarge
from server.sync.push import Batch
from server.sync.receipts import Sent
from server.sync.schemas import HeldRead

MOST = 10_000
"""Ops of one phone."""


class NotRetired(Conflict):
    """A phone that may send in the usual way."""

    code = "not_retired"


def proof(device_id: UUID, ops: Sequence[dict[str, Any]]) -> bytes:
    """What a retired phone signs."""
    digest = hashlib.sha256(wire.canonical(ops).encode()).hexdigest()
    return f"waymark-quarantine-1\n{device_id}\n{digest}".encode()


def wiped_proof(device_id: UUID) -> bytes:
    """What a phone signs before it destroys its key."""
    return f"waymark-wiped-1\n{device_id}".encode()


def known(session: Session, device_id: UUID, message: bytes, signature: str) -> Device:
    """The phone whose key signed a message, locked. Whether there is such a phone is not told."""
    device = session.get(Device, device_id, with_for_update=True, populate_existing=True)
    if device is None:
        raise NotSignedIn("The signature does not fit the device.", help="Sign in on the phone again.")
    verify_signature(device, message, signature)
    return device


def content_proof(device_id: UUID, sha256: str) -> bytes:
    """What such a phone signs with the content of a photo."""
    return f"waymark-quarantine-photo-1\n{device_id}\n{sha256}".encode()


def refuse_usual(session: Session, device: Device) -> None:
    """Refuse a phone that may send in the usual way, or that nothing is taken from."""
    owner = session.get_one(User, device.user_id)
    shut_out = device.state == DeviceState.ACTIVE and owner.active and not may_sync(session, owner)
    if device.state != DeviceState.RETIRED and not shut_out:
        raise NotRetired("This phone is not retired.", help="Sync in the usual way.", retry=False)


def may_sync(session: Session, user: User) -> bool:
    """Whether somebody's role sends and reads with phones."""
    scope = scope_of(session, user, source="sync")
    return scope.may("sync:read") and scope.may("sync:write")


def hold(session: Session, request: wire.QuarantineRequest) -> int:
    """Keep ops of a retired phone aside; returns how many of them are here now. May come twice.

    Refuses a phone that is not retired and whose role still sends, a foreign signature, and more than anybody can look
    through.
    """
    sent = push.read(wire.PushRequest(epoch="", ops=request.ops))
    device = known(session, request.device, proof(request.device, request.ops), request.signature)
    refuse_usual(session, device)
    keep(session, device, sent)
    device.last_seen_at = clock.now()
    return len(sent)


def keep(session: Session, device: Device, sent: Sequence[Sent]) -> list[UUID]:
    """Keep ops aside that nothing has answered yet; returns which of them are new. Refuses too many of one phone."""
    count = select(func.count()).where(QuarantinedOp.device_id == device.id)
    if (session.scalar(count) or 0) + len(sent) > MOST:
        raise MessageTooLarge(f"More than {MOST} ops of this phone are here.", help="Ask your manager.")
    ids = [op.op_id for op in sent]
    answered = set(session.scalars(select(SyncReceipt.op_id).where(SyncReceipt.op_id.in_(ids))))
    fresh = [
        {"op_id": op.op_id, "device_id": device.id, "n": op.n, "body_sha": op.sha, "body": legible(dict(op.body))}
        for op in sent
        if op.op_id not in answered
    ]
    if not fresh:
        return []
    statement = insert(QuarantinedOp).on_conflict_do_nothing(index_elements=["op_id"]).returning(QuarantinedOp.op_id)
    return list(session.scalars(statement, fresh))


def hold_content(session: Session, device_id: UUID, sha256: str, signature: str, content: bytes) -> None:
    """Keep the content of a photo aside that such a phone announced, or give it to what is taken in already.

    Refuses what `hold` refuses, a content that nothing of the phone names, one that has another hash, and one that is
    no harmless picture.
    """
    device = known(session, device_id, content_proof(device_id, sha256), signature)
    refuse_usual(session, device)
    announced = attachments.announced(session, device.user_id, sha256)
    if not announced and not session.scalar(text(NAMES), {"device": device.id, "sha256": sha256}):
        raise NotAnnounced("No photo of this phone has this content.", help="Send the photo's op first.", retry=False)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BadMessage("What arrived is not what was signed.", help="Send it again.")
    device.last_seen_at = clock.now()
    aside.keep(sha256, content)
    filled = aside.fill(session, device.user_id, sha256)
    if filled is not None and filled.refused is not None:
        raise FileRefused(filled.refused)


def rescue_proof(device_id: UUID, content: bytes) -> bytes:
    """What such a phone signs with entries that it cannot read any more."""
    return f"waymark-quarantine-rescue-1\n{device_id}\n{hashlib.sha256(content).hexdigest()}".encode()


def hold_rescue(session: Session, device_id: UUID, signature: str, content: bytes) -> None:
    """Keep the bytes of entries that such a phone cannot read any more, as of any other phone; refuses what `hold`
    refuses."""
    device = known(session, device_id, rescue_proof(device_id, content), signature)
    refuse_usual(session, device)
    device.last_seen_at = clock.now()
    rescue.keep_of(session, device, content)


NAMES = """
select exists (select from quarantined_op q
    where q.device_id = :device and q.state in ('waiting', 'taken')
      and :sha256 in (q.body #>> '{d,sha256}', q.body #>> '{d,thumbnail_sha256}'))
"""


def wiped(session: Session, request: wire.WipedRequest) -> None:
    """Note that a phone has destroyed what it held. Refuses one that nobody wanted wiped."""
    device = known(session, request.device, wiped_proof(request.device), request.signature)
    if device.state not in (DeviceState.WIPE_PENDING, DeviceState.WIPED):
        raise Conflict("Nobody has ordered this phone to be wiped.", help="Sync in the usual way.")
    if device.state == DeviceState.WIPE_PENDING:
        device.state, device.last_seen_at = DeviceState.WIPED, clock.now()
        told = {"device": str(device.id)}
        session.add(AuthEvent(kind="device_wiped", user_id=device.user_id, actor=None, details=told))


HELD = """
select q.op_id, q.device_id, q.n, q.received_at, q.body ->> 'e' as entity, q.body ->> 'k' as kind,
    q.body #>> '{at,wall}' as made_at, a.id as account_id, a.name as account_name,
    coalesce(q.body #>> '{d,state}', '') as state,
    coalesce(q.body #>> '{d,note}', q.body #>> '{d,subject}', q.body #>> '{d,name}',
        (select string_agg(f.key || ': ' || coalesce(f.value ->> 1, '–'), ', ')
         from jsonb_each(case when jsonb_typeof(q.body -> 'f') = 'object' then q.body -> 'f' else '{}' end) f
         where jsonb_typeof(f.value) = 'array'), '') as content
from quarantined_op q
left join account a on a.id::text = coalesce(q.body #>> '{d,account_id}', q.body ->> 'id')
where q.state = 'waiting' and q.device_id = any(:devices)
order by q.device_id, q.n
"""


def held(session: Session, scope: Scope) -> list[HeldRead]:
    """What waits for a decision, of the phones that somebody looks after."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("devices:manage")).with_only_columns(User.id)
    devices = list(session.scalars(select(Device.id).where(Device.user_id.in_(people.order_by(None)))))
    found = session.execute(text(HELD), {"devices": devices}).mappings()
    return [HeldRead.model_validate(dict(row)) for row in found]


def decide(
    session: Session, scope: Scope, device_id: UUID, *, take: bool, only: Collection[UUID] | None = None
) -> list[HeldRead]:
    """Take ops of a retired phone in as their rep's, in their order, or throw them away; returns what still waits.

    Each is judged by the rules of every push; one that they refuse stays with its reason, as any refused op does.
    """
    device = looked_after(session, scope, device_id)
    waiting = select(QuarantinedOp).where(QuarantinedOp.device_id == device_id, QuarantinedOp.state == "waiting")
    if only is not None:
        waiting = waiting.where(QuarantinedOp.op_id.in_(only))
    rows = session.scalars(waiting.order_by(QuarantinedOp.n).with_for_update()).all()
    batch = batch_of(session, device) if take and rows else None
    sent = [Sent.of(row.n, row.op_id, row.body_sha, row.body) for row in rows]
    if batch is not None:
        ops.lock(session, [op.op for op in sent if op.op is not None])
        receipts.remember(session, batch.receipts, device, sent)
    for row, op in zip(rows, sent, strict=True):
        row.state = "discarded" if batch is None else taken(session, batch, op)
        row.decided_by, row.decided_at = scope.user_id if scope.user_id.int else None, clock.now()
        session.flush()
    if batch is not None:
        capturing.respect_pauses(session, (op.op for op in sent), batch.scope)
        aside.fill_all(session, device.user_id, [op.op for op in sent])
    return [one for one in held(session, scope) if one.device_id == device_id]


def looked_after(session: Session, scope: Scope, device_id: UUID) -> Device:
    """A phone, locked, that somebody looks after; for a stranger there is none."""
    device = session.get(Device, device_id, with_for_update=True, populate_existing=True)
    statement = visible_users(scope.user_id, scope.team_ids, scope.level("devices:manage"))
    if device is None or session.scalar(statement.where(User.id == device.user_id)) is None:
        raise NotFound("There is no such phone.")
    return device


def batch_of(session: Session, device: Device) -> Batch:
    """A push in the name of a phone's user."""
    owner = scope_of(session, session.get_one(User, device.user_id), source="sync", device_id=device.id)
    return Batch(
        device=device,
        scope=owner,
        allowed=buckets.subscriptions(session, owner),
        phone=session.get(SyncPhone, device.id),
        now=clock.now(),
    )


def taken(session: Session, batch: Batch, op: Sent) -> str:
    """Do an op; says what became of it. Its answer stands beside the phone's own order, whose next number stays what
    it was: should the phone come back and send the op itself, it hears the same answer, which stands in its order then.
    """
    result = push.take(session, batch, op)
    for one in batch.kept:
        lowest = session.scalar(select(func.min(SyncReceipt.n)).where(SyncReceipt.device_id == batch.device.id))
        one.n = min(lowest or 0, 0) - 1
        receipts.write(session, [one])
    batch.kept.clear()
    return "refused" if result.status in push.REFUSED else "taken"
