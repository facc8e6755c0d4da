"""The first step of a sync: the phone says what it is and has, we say what we know of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.auth.access import Scope
from server.auth.models import Device
from server.auth.roles import FIELDS
from server.kit import clock
from server.kit.settings import settings
from server.phones import rules
from server.sync.calling.phones import present
from server.sync.leaving import envelopes
from server.sync.models import SyncMeta, SyncPhone, SyncReceipt
from server.sync.protocol import wire
from server.sync.protocol.problems import AppTooOld, BadMessage
from server.sync.pulling import buckets, epochs
from server.sync.pushing import backups, conflicts, receipts, subjects
from server.tracks import hours

POLL_S = 900
JITTER_S = 60
SHIFTS_AHEAD = timedelta(days=14)
"""So far a phone without the server knows when its rep works; after that it records nothing."""
MILLISECOND = timedelta(milliseconds=1)


def hello(session: Session, scope: Scope, request: wire.HelloRequest) -> wire.HelloReply:
    """Note what the phone says and tell it the epoch, its last op that we have, and its buckets.

    Refuses a phone that speaks no protocol of ours, and one that speaks of another device.
    """
    if wire.PROTOCOL not in request.protocol:
        raise AppTooOld(f"We speak protocol {wire.PROTOCOL}.", help="Update the app.", retry=False)
    epochs.guard(session)
    device, scope = present(session, scope, lock=True)
    if str(device.id) != request.device:
        raise BadMessage("The token belongs to another device.", help="Register the phone again.", field="device")
    now = clock.now()
    epoch = epochs.current(session)
    said = rules.rules(session)
    device.app_version, device.schema_version = request.app, request.schema_
    device.pending = request.pending.model_dump(mode="json")
    device.last_seen_at = now
    device.skew_ms = (wire.moment(request.wall) - now) // MILLISECOND
    stale_n = request.max_n if request.epoch not in (None, epoch) else 0
    remember(session, device.id, request, now, stale_n)
    fitted = given(session, scope, device, said.max_rows)
    reply = wire.HelloReply(
        protocol=wire.PROTOCOL,
        epoch=epoch,
        last_n=device.last_n,
        durable_upto=durable_upto(session, device.id),
        server_time=clock.spelled(now),
        buckets=[wire.BucketInfo(id=one.id, kind=one.kind, prio=one.priority, gen=one.gen) for one in fitted.given],
        schema=wire.SchemaRange(min=wire.SCHEMA_MIN, current=wire.SCHEMA_CURRENT),
        limits=wire.Limits(
            ops=wire.MAX_OPS, push_bytes=wire.MAX_PUSH_BYTES, page_rows=wire.MAX_PAGE_ROWS, chunk=wire.CHUNK_BYTES
        ),
        commands=[],
        poll_s=POLL_S,
        jitter_s=JITTER_S,
        lock_days=said.lock_days,
        zone=scope.zone or settings().zone,
        closed=closed(scope),
        holding=holding(session, fitted, said.max_rows),
        export_key=envelopes.told(session.scalars(select(SyncMeta.secret)).one()),
    )
    if request.conflicts:
        reply.decided = conflicts.decided(session, scope, request.conflicts)
    if request.refused:
        reply.taken = receipts.taken(session, scope, request.refused)
    if request.accounts:
        reply.merged = merged(session, scope, request.accounts)
    if said.records_tracks:
        reply.tracks = tracking(session, scope, said.tracks_days)
    return reply


def closed(scope: Scope) -> list[str]:
    """What somebody may not change of accounts and contacts."""
    whole = [kind for kind in ("account", "contact") if not scope.may(f"{kind}s:write")]
    fields = [f"{kind}.{name}" for kind in ("account", "contact") for name in FIELDS[kind]]
    kept = [] if scope.may("accounts:delete") else ["account.deleted_at"]
    return whole + [one for one in fields if not scope.changes(*one.split("."))] + kept


def merged(session: Session, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Of some accounts those that were merged away, each with what it went into; only where somebody may see that."""
    gone = {one: into for one, into in accounts.survivors(session, ids).items() if one != into}
    reached = subjects.reach(session, scope, set(gone.values()))
    return {one: into for one, into in gone.items() if into in reached}


def given(session: Session, scope: Scope, device: Device, ceiling: int) -> buckets.Fitted:
    """The buckets that a phone is given from now on. Before its first hello all that it may read are counted, later
    those that never were; the others are counted at night."""
    several = buckets.subscriptions(session, scope)
    uncounted = [one.id for one in several if device.holding is None or not one.is_counted]
    if uncounted:
        buckets.count(session, uncounted)
        several = buckets.subscriptions(session, scope)
    fitted = buckets.fitting(several, ceiling, device.holding)
    if device.holding != fitted.noted():
        device.holding = fitted.noted()
    return fitted


def holding(session: Session, fitted: buckets.Fitted, ceiling: int) -> wire.Holding:
    """What a phone is given, in people's words."""
    names = buckets.named(session, [one.id for one in fitted.left_out])
    told = [wire.LeftOut(**names[one.id]._asdict()) for one in fitted.left_out]
    return wire.Holding(rows=fitted.rows, max_rows=ceiling, left_out=told, further=fitted.further)


def tracking(session: Session, scope: Scope, keep_days: int) -> wire.Tracking:
    """When a phone may record its rep's way: in their shifts of the next fortnight."""
    zone = scope.zone or settings().zone
    today = clock.today(zone)
    shifts = hours.shifts(session, scope.user_id, today, today + SHIFTS_AHEAD)
    return wire.Tracking(
        keep_days=keep_days,
        zone=zone,
        shifts=[
            wire.Shift(starts_at=clock.spelled(one.starts_at), ends_at=clock.spelled(one.ends_at)) for one in shifts
        ],
    )


def remember(session: Session, device_id: UUID, request: wire.HelloRequest, now: datetime, stale_n: int) -> None:
    """Keep what the phone's clocks say, and which of its ops were made on revisions of another epoch."""
    said = {"boot": request.boot, "mono_ms": request.mono_ms, "heard_at": now}
    statement = insert(SyncPhone).values(device_id=device_id, stale_n=stale_n, **said)
    newest = func.greatest(SyncPhone.stale_n, statement.excluded.stale_n)
    session.execute(statement.on_conflict_do_update(index_elements=["device_id"], set_=said | {"stale_n": newest}))


def durable_upto(session: Session, device_id: UUID) -> wire.Durable | None:
    """Up to which op a verified backup holds everything; None while nobody told us of a backup."""
    covered = backups.covered(session)
    if covered is None:
        return None
    statement = select(func.max(SyncReceipt.n)).where(
        SyncReceipt.device_id == device_id, SyncReceipt.recorded_at <= covered
    )
    return wire.Durable(n=max(0, session.scalar(statement) or 0))
