"""A phone whose owner has left, or may not send any more: what it had not sent, photos too, is kept aside until
somebody takes it in or throws it away.

Nothing of it has an effect before that. Its proof is the phone's key alone: tokens ended when the person was shut out.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.attachments import queries as attachments
from server.auth.access import Scope, scope_of
from server.auth.models import AuthEvent, Device, DeviceState, User
from server.auth.queries import visible_users
from server.auth.tokens import verify_signature
from server.kit import clock
from server.kit.errors import Conflict, NotFound, NotSignedIn
from server.sync.leaving import rescue
from server.sync.leaving.telling import Telling, as_uuid, part
from server.sync.models import QuarantinedOp, SyncPhone, SyncReceipt
from server.sync.protocol import wire
from server.sync.protocol.messages import legible
from server.sync.protocol.problems import BadMessage, MessageTooLarge
from server.sync.pulling import buckets
from server.sync.pushing import aside, capturing, ops, push, receipts
from server.sync.pushing.blobs import FileRefused, NotAnnounced
from server.sync.pushing.push import Batch
from server.sync.pushing.receipts import Sent
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
    ids = [op.op_id for op in sent]
    here = select(QuarantinedOp.op_id).where(QuarantinedOp.op_id.in_(ids))
    answered = set(session.scalars(select(SyncReceipt.op_id).where(SyncReceipt.op_id.in_(ids)).union(here)))
    fresh = [
        {"op_id": op.op_id, "device_id": device.id, "n": op.n, "body_sha": op.sha, "body": legible(dict(op.body))}
        for op in sent
        if op.op_id not in answered
    ]
    if not fresh:
        return []
    count = select(func.count()).where(QuarantinedOp.device_id == device.id, QuarantinedOp.state == "waiting")
    if (session.scalar(count) or 0) + len(fresh) > MOST:
        raise MessageTooLarge(f"More than {MOST} ops of this phone are here.", help="Ask your manager.")
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
    aside.keep(device.user_id, sha256, content)
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


def held(session: Session, scope: Scope) -> list[HeldRead]:
    """What waits for a decision, of the phones that somebody looks after: without fields that they may not see, and
    with the names of accounts that they may."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("devices:manage")).with_only_columns(User.id)
    devices = select(Device.id).where(Device.user_id.in_(people.order_by(None)))
    waiting = select(QuarantinedOp).where(QuarantinedOp.state == "waiting", QuarantinedOp.device_id.in_(devices))
    found = session.scalars(waiting.order_by(QuarantinedOp.device_id, QuarantinedOp.n)).all()
    bodies = {row.op_id: readable(scope, row.body) for row in found}
    names = names_of(session, scope, [account_of(body) for body in bodies.values()])
    telling = Telling(session, bodies.values())
    return [
        HeldRead(
            op_id=row.op_id,
            device_id=row.device_id,
            n=row.n,
            kind=str(body.get("k")),
            entity=str(body.get("e")),
            made_at=str(part(body, "at").get("wall") or "") or None,
            received_at=row.received_at,
            account_id=at if (at := account_of(body)) in names else None,
            account_name=names.get(at) if at else None,
            content=telling.content(body),
        )
        for row in found
        for body in [bodies[row.op_id]]
    ]


def names_of(session: Session, scope: Scope, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """What accounts are called, of those that somebody may see."""
    seen = accounts.seen_of(session, scope, {one for one in ids if one})
    return dict(session.execute(select(Account.id, Account.name).where(Account.id.in_(seen))).tuples().all())


def account_of(body: Mapping[str, Any]) -> UUID | None:
    """The account that an op is about."""
    about = body.get("id") if body.get("e") == "account" else part(body, "d").get("account_id")
    return as_uuid(about)


def readable(scope: Scope, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a phone sent, without the fields of its record that somebody may not see."""
    hidden = scope.hidden(str(body.get("e")))
    shown = {name: without(value, hidden) if name in ("d", "f") else value for name, value in body.items()}
    if str(body.get("field")) in hidden:
        shown.pop("v", None)
    return shown


def without(value: Any, names: Collection[str]) -> Any:
    """A value without everything that stands under some names."""
    match value:
        case dict():
            return {name: without(one, names) for name, one in value.items() if name not in names}
        case list():
            return [without(one, names) for one in value]
        case _:
            return value


def veiled(scope: Scope, body: Mapping[str, Any], why: str) -> str:
    """Why an op was refused; where it speaks of fields that somebody may not see, without the values it quotes."""
    return why if readable(scope, body) == body else QUOTED.sub("“…”", why)


QUOTED = re.compile("“.*”", re.DOTALL)


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
    receipts.close_mended(session, batch.device, [op])
    return "refused" if result.status in push.REFUSED else "taken"
