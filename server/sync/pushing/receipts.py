"""What was answered to ops: read at once before a push, written at once after it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import ARRAY, BigInteger, Select, Uuid, and_, any_, bindparam, or_, select, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import Device
from server.kit import clock
from server.kit.errors import WaymarkError
from server.sync.models import SyncReceipt
from server.sync.protocol import wire
from server.sync.protocol.messages import legible
from server.sync.pushing import conflicts, ops

TAKEN = ("applied", "merged", "conflict")
"""What is not refused."""
FACTS = ("visit_event", "attachment", "track")
"""What is always taken, as it happened."""
OVER = ("taken_meanwhile", "already_decided")
"""Refusals after which nobody has anything to decide: what stands was decided before, and their rep is told."""
ASKED = (*OVER, "changed_meanwhile")
"""The same for answers to a conflict: where it has moved on, its question waits for both."""
MENDED = "mended_by"
"""Stands beside a refusal once its rep has sent the entry anew: the op that took its place."""

type Unfit = WaymarkError | ValidationError | IntegrityError | DataError
"""What a rule, a shape or the database has against an op."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An op as it came."""

    n: int
    op_id: UUID
    sha: bytes
    body: Mapping[str, Any]
    op: wire.AnyOp | None
    """None when it is not of the right shape."""
    unfit: Unfit | None = None
    """Why it is not."""

    @classmethod
    def of(cls, n: int, op_id: UUID, sha: bytes, body: Mapping[str, Any]) -> "Sent":
        """An op, read once."""
        try:
            return cls(n, op_id, sha, body, ops.parsed(body))
        except (ValidationError, WaymarkError) as error:
            return cls(n, op_id, sha, body, None, error)

    @property
    def dep_op(self) -> UUID | None:
        """The op that this one builds on."""
        return named(self.body, "dep_op")

    @property
    def mends(self) -> UUID | None:
        """The refused op that this one takes the place of."""
        return named(self.body, "mends")


def named(body: Mapping[str, Any] | None, key: str) -> UUID | None:
    """The op that an op speaks of."""
    try:
        return UUID(str(body[key])) if body and body.get(key) else None
    except ValueError:
        return None


def remember(
    session: Session, known: dict[UUID, list[SyncReceipt]], device: Device, sent: Sequence[Sent]
) -> dict[int, UUID]:
    """Ask once for everything that was answered before to some ops, to those that they build on, and under their
    numbers; returns which op has which number on this phone."""
    ids = {op.op_id for op in sent} | {op.dep_op for op in sent if op.dep_op}
    asked = {"ids": list(ids), "device": device.id, "numbers": [op.n for op in sent]}
    taken = {}
    for receipt in session.scalars(BEFORE, asked):
        if receipt.op_id in ids:
            known[receipt.op_id].append(receipt)
        if receipt.device_id == device.id:
            taken[receipt.n] = receipt.op_id
    return taken


BEFORE = select(SyncReceipt).where(
    or_(
        SyncReceipt.op_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        and_(
            SyncReceipt.device_id == bindparam("device"),
            SyncReceipt.n == any_(bindparam("numbers", type_=ARRAY(BigInteger))),
        ),
    )
)


def receipt(op: Sent, device_id: UUID, n: int, result: wire.OpResult, body: Mapping[str, Any] | None) -> SyncReceipt:
    """An answer as it is kept; it is not stored yet."""
    return SyncReceipt(
        op_id=op.op_id,
        body_sha=op.sha,
        device_id=device_id,
        n=n,
        status=result.status,
        result=wire.emit(result),
        entity=legible(op.op.e) if op.op else None,
        row_id=op.op.id if op.op else None,
        body=None if body is None else legible(dict(body)),
    )


def number(
    session: Session,
    kept: Sequence[SyncReceipt],
    before: Sequence[SyncReceipt],
    receipt: SyncReceipt,
    device_id: UUID,
    n: int,
) -> None:
    """Give the answer to an op that a file or somebody's decision brought in its place among the phone's own, now that
    the phone has sent it too: from there on it counts for what backups hold. No answer is older than the one before it,
    so that a backup holds all up to a number, or does not reach it."""
    taken = {one.n for one in before if one.device_id == device_id}
    if receipt.device_id != device_id or receipt.n > 0 or n in taken:
        return
    previous = select(SyncReceipt.recorded_at).where(SyncReceipt.device_id == device_id, SyncReceipt.n == n - 1)
    earlier = clock.now() if kept else session.scalar(previous)
    receipt.n, receipt.recorded_at = n, max(receipt.recorded_at, earlier or receipt.recorded_at)
    session.flush()


WRITE = text(
    """
with answered as (
    update quarantined_op q
    set state = case when r.status in ('rejected', 'deferred') then 'refused' else 'taken' end, decided_at = now()
    from unnest(cast(:op_id as uuid[]), cast(:status as text[])) r(op_id, status)
    where q.op_id = r.op_id and q.state = 'waiting'
)
insert into sync_receipt (op_id, body_sha, device_id, n, entity, row_id, status, result, body, decided_at)
select r.op_id, r.body_sha, r.device_id, r.n, r.entity, r.row_id, r.status, r.result::jsonb, r.body::jsonb, r.decided_at
from unnest(cast(:op_id as uuid[]), cast(:body_sha as bytea[]), cast(:device_id as uuid[]), cast(:n as bigint[]),
    cast(:entity as text[]), cast(:row_id as uuid[]), cast(:status as text[]), cast(:result as text[]),
    cast(:body as text[]), cast(:decided_at as timestamptz[]))
    r(op_id, body_sha, device_id, n, entity, row_id, status, result, body, decided_at)
    """
)


def taken(session: Session, scope: Scope, ids: Sequence[UUID]) -> list[wire.Taken]:
    """Those of somebody's refused ops that were taken since; values of conflicts only where they may see them."""
    statement = (
        select(SyncReceipt)
        .join(Device, Device.id == SyncReceipt.device_id)
        .where(SyncReceipt.op_id.in_(ids), Device.user_id == scope.user_id, SyncReceipt.decided_at.is_not(None))
        .where(SyncReceipt.status.in_(TAKEN))
    )
    told = [
        wire.Taken.model_validate(receipt.result | {"op_id": receipt.op_id}) for receipt in session.scalars(statement)
    ]
    clashes = [clash for one in told for clash in one.conflicts or ()]
    seen = conflicts.still_seen(session, scope, [clash.id for clash in clashes])
    for clash in clashes:
        if clash.id not in seen:
            clash.server = None
    return told


def was_taken(session: Session, device: Device, op: Sent, kept: Sequence[SyncReceipt] = ()) -> bool:
    """Whether a refused entry was taken of which an op is another try, or any other try at it: it would be there twice.
    What is `kept` is not stored yet."""
    if op.body.get("k") != "create" or op.body.get("e") in FACTS:
        return False
    tries, seen = [op.mends], {None, op.op_id}
    while tries:
        if (one := tries.pop()) in seen:
            continue
        seen.add(one)
        found = [*session.scalars(mended_by(device, one)), *(receipt for receipt in kept if receipt.op_id == one)]
        if any(receipt.status in TAKEN for receipt in found):
            return True
        tries += [named(receipt.body, "mends") for receipt in found]
        tries += [named(receipt.result, MENDED) for receipt in found]
    return False


def is_over(receipt: SyncReceipt) -> bool:
    """Whether an entry was refused because what it wants is decided: taken again, it can only be refused again."""
    codes = ASKED if (receipt.body or {}).get("decides") else OVER
    return receipt.status == "rejected" and (receipt.result.get("error") or {}).get("code") in codes


def close_mended(session: Session, device: Device, sent: Sequence[Sent]) -> None:
    """The refused entries of which ops that have an answer now are another try wait for nobody any more: what their rep
    wants is in the later one."""
    for op in sent:
        if op.mends is None or op.mends == op.op_id:
            continue
        waiting = mended_by(device, op.mends).where(SyncReceipt.status.not_in(TAKEN), SyncReceipt.decided_at.is_(None))
        for receipt in session.scalars(waiting.with_for_update(of=SyncReceipt)):
            receipt.decided_by, receipt.decided_at = device.user_id, clock.now()
            receipt.result = receipt.result | {MENDED: str(op.op_id)}
    session.flush()


def mended_by(device: Device, op_id: UUID | None) -> Select[SyncReceipt]:
    """The answers to an op of a phone's user, on whatever phone."""
    theirs = select(Device.id).where(Device.user_id == device.user_id)
    return select(SyncReceipt).where(SyncReceipt.op_id == op_id, SyncReceipt.device_id.in_(theirs))


def write(session: Session, receipts: Sequence[SyncReceipt]) -> None:
    """Store answers, in the transaction of their effects. What was kept aside of these ops waits no longer."""
    if not receipts:
        return
    plain = ("op_id", "body_sha", "device_id", "n", "entity", "row_id", "status", "decided_at")
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in receipts] for name in plain}
    columns["result"] = [json.dumps(one.result) for one in receipts]
    columns["body"] = [None if one.body is None else json.dumps(one.body) for one in receipts]
    session.execute(WRITE, columns)
