"""What a phone could not send, brought in by hand: a sealed file, taken in as if the phone had pushed it.

Each op counts once: its receipt answers the phone should it come back, as after any answer that was lost. Of a phone
that is out of service nothing counts before somebody has looked at it, as with what such a phone hands over itself.
"""

import gzip
from collections.abc import Sequence
from typing import IO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope, scope_of
from server.auth.models import AuthEvent, Device, DeviceState, User
from server.auth.queries import visible_users
from server.auth.tokens import verify_signature
from server.kit.errors import NotFound, NotSignedIn
from server.sync.leaving import envelopes, quarantine, rescue
from server.sync.leaving.envelopes import Export, NotAnExport
from server.sync.models import QuarantinedOp, SyncReceipt
from server.sync.protocol import wire
from server.sync.protocol.problems import BadMessage, MessageTooLarge
from server.sync.pushing import aside, push
from server.sync.pushing.receipts import Sent
from server.sync.schemas import ExportRead, ExportRefusal

IN_SERVICE = (DeviceState.ACTIVE, DeviceState.LOCKED)


def take_in(session: Session, scope: Scope, file: IO[bytes]) -> ExportRead:
    """Take the unsent work of a phone in as its rep's; what nobody may take by the rules stays with its reason, and
    that of a phone or a person out of service waits for a decision.

    Refuses a damaged file, another company's, and one whose phone is not known or not the caller's to look after.
    """
    export = envelopes.opened(session, file)
    device = known(session, scope, export)
    sent = ops_of(export)
    unreadable = keep_unreadable(session, device, export)
    for one in export.contents.photos:
        aside.keep(device.user_id, one.sha256, export.photo(one.sha256))
    undecided = [one for one, state in states_of(session, sent).items() if state == "waiting"]
    fresh = undecided + quarantine.keep(session, device, sent)
    owner = session.get_one(User, device.user_id)
    if works(session, device, owner):
        quarantine.decide(session, scope, device.id, take=True, only=[op.op_id for op in sent])
    hashes = [one.sha256 for one in export.contents.photos]
    photos = [aside.fill(session, owner.id, one) for one in hashes]
    small = aside.hashes([op.op for op in sent]) if None in photos else []
    states = states_of(session, sent)
    session.add(
        AuthEvent(
            kind="export_taken_in",
            user_id=owner.id,
            actor=scope.user_id if scope.user_id.int else None,
            details={"device": str(device.id), "ops": len(sent), "new": len(fresh), "photos": len(photos)},
        )
    )
    session.flush()
    return ExportRead(
        device_id=device.id,
        device_name=device.name,
        user_id=owner.id,
        user_name=owner.name,
        made_at=export.contents.made_at,
        ops=len(sent),
        taken=sum(states.get(one) == "taken" for one in fresh),
        known=len(sent) - len(fresh),
        waiting=sum(one == "waiting" for one in states.values()),
        refused=refusals(session, scope, [op for op in fresh if states.get(op) == "refused"]),
        photos=len(photos),
        photos_refused=sum(one is not None and one.refused is not None for one in photos),
        photos_waiting=sum(here is None and one in small for one, here in zip(hashes, photos, strict=True)),
        unreadable=unreadable,
    )


def known(session: Session, scope: Scope, export: Export) -> Device:
    """The phone that made a file, locked; refuses one that the caller does not look after, and a foreign signature."""
    device = session.get(Device, export.contents.device, with_for_update=True, populate_existing=True)
    people = visible_users(scope.user_id, scope.team_ids, scope.level("devices:manage"))
    if device is None or session.scalar(people.where(User.id == device.user_id)) is None:
        raise NotFound(
            "The phone that made this file is not known here, or you do not look after it.",
            help="Ask an administrator to take it in.",
        )
    try:
        verify_signature(device, export.proof(), export.contents.signature)
        if export.aside is not None:
            verify_signature(device, export.proof_of_aside(), export.aside.signature)
    except NotSignedIn as error:
        raise NotAnExport(
            "The file was not made by the phone that it names.", help="Export it on the phone again.", field="file"
        ) from error
    return device


def keep_unreadable(session: Session, device: Device, export: Export) -> int:
    """Keep entries that the phone cannot read any more, as those that it sends itself; how many. Where very many of
    the phone are here already, the rest of the file counts all the same."""
    if export.aside is None:
        return 0
    packed = gzip.compress(wire.canonical(export.aside.entries).encode(), compresslevel=5, mtime=0)  # as phones do
    try:
        rescue.keep_of(session, device, packed)
    except MessageTooLarge:
        return 0
    return len(export.aside.entries)


def ops_of(export: Export) -> list[Sent]:
    """The ops of a file in their order."""
    found: list[Sent] = []
    ops = export.contents.ops
    try:
        for first in range(0, len(ops), wire.MAX_OPS):
            found += push.read(wire.PushRequest(epoch="", ops=ops[first : first + wire.MAX_OPS]))
    except BadMessage as error:
        raise envelopes.damaged() from error
    return list({op.op_id: op for op in found}.values())


def works(session: Session, device: Device, owner: User) -> bool:
    """Whether a phone and its user are in service, so that what they did counts at once."""
    stands = owner.active and owner.deleted_at is None and DeviceState(device.state) in IN_SERVICE
    return stands and scope_of(session, owner, source="sync", device_id=device.id).may("sync:write")


def states_of(session: Session, sent: Sequence[Sent]) -> dict[UUID, str]:
    """What became of ops that were kept aside: waiting, taken, refused or discarded."""
    ids = [op.op_id for op in sent]
    rows = session.execute(select(QuarantinedOp.op_id, QuarantinedOp.state).where(QuarantinedOp.op_id.in_(ids)))
    return {op_id: state for op_id, state in rows}


def refusals(session: Session, scope: Scope, ids: Sequence[UUID]) -> list[ExportRefusal]:
    """Why the rules did not take ops, in their order."""
    found = session.scalars(select(SyncReceipt).where(SyncReceipt.op_id.in_(ids)).order_by(SyncReceipt.n.desc()))
    return [
        ExportRefusal(
            op_id=one.op_id,
            entity=one.entity,
            reason=quarantine.veiled(scope, one.body or {}, one.result.get("error", {}).get("msg") or ""),
        )
        for one in found
    ]
