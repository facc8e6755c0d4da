"""Step 2 of sync: compare notes with the server. Step 3: queue again whatever it does not know."""

import shutil

from mobile.field import conflicts, drafts, entries, holdings, locking, rights, tracks, zones
from mobile.field.store import Store, clock, moments
from mobile.field.store.outbox import ATTENTION
from mobile.field.sync import export, wire
from mobile.field.sync.api import Api
from mobile.field.sync.push import REFUSED

APP_VERSION = "0.1.0"
SCHEMA = 5
"""What rows look like that this app knows."""
MOST_REFUSED = 200
"""Of these the server is asked whether somebody has had them taken since, the latest."""


def in_question(store: Store) -> list[str]:
    """The accounts that forms and entries are about which wait for the rep: what if they are merged away?"""
    ops = store.outbox.ops(ATTENTION)
    seen = conflicts.settled(store.outbox, ops)
    waiting = [entries.account_at(store, op) for op in ops if op.op_id not in seen]
    return sorted({one for one in (*map(drafts.account_at, store.outbox.drafts.all()), *waiting) if one})


def greeting(store: Store) -> wire.HelloRequest:
    """What the phone says about itself."""
    counts = store.outbox.counts()
    waiting, asked = counts.get("queued", 0) + counts.get("sent", 0), conflicts.waiting(store.outbox)
    return wire.HelloRequest(
        protocol=[1],
        app=APP_VERSION,
        schema=SCHEMA,
        device=store.outbox.meta.get("device_id") or "",
        epoch=store.outbox.meta.get("epoch"),
        max_n=store.outbox.max_n(),
        tz=clock.local_zone_name(),
        wall=clock.wall(),
        mono_ms=clock.mono_ms(),
        boot=clock.boot_id(),
        free_mb=shutil.disk_usage(store.folder).free // 1_000_000,
        pending=wire.Pending(
            ops=waiting, blobs=len(store.outbox.blobs.all("waiting")), oldest=store.outbox.oldest_unsent()
        ),
        conflicts=asked or None,
        refused=[op.op_id for op in store.outbox.ops(REFUSED)][-MOST_REFUSED:] or None,
        accounts=in_question(store)[:MOST_REFUSED] or None,
    )


def hello(store: Store, api: Api) -> wire.HelloReply:
    """Say hello; learn the epoch, the server's mark and the buckets. Changes nothing on the phone."""
    return wire.parse(wire.HelloReply, api.call("POST", "/sync/v1/hello", wire.emit(greeting(store))))


def align(store: Store, reply: wire.HelloReply) -> int:
    """Queue every op above the server's mark again, whatever the epoch; then follow a changed epoch.

    Returns how many answered ops are queued again. May be run again at any point: the new epoch
    is remembered last.
    """
    locking.close_after(store.outbox, reply.lock_days)
    tracks.heard(store.outbox, None if reply.tracks is None else wire.emit(reply.tracks))
    zones.heard(store.outbox, reply.zone)
    rights.heard(store.outbox, reply.closed)
    holdings.heard(store.outbox, None if reply.holding is None else wire.emit(reply.holding))
    holdings.merged(store.outbox, reply.merged)
    moments.heard(store.outbox, reply.server_time)
    if reply.export_key is not None:
        store.outbox.meta.set(export.KEY, reply.export_key)
    again = store.outbox.align(reply.last_n)
    if again:
        store.outbox.blobs.ask_again()
    if reply.durable_upto is not None:
        store.outbox.prune(min(reply.durable_upto.n, reply.last_n), clock.now())
    _retry_parked(store)
    if store.outbox.meta.get("epoch") not in (None, reply.epoch):
        again += store.outbox.send_all_again() + store.outbox.rejoin_delivered()
        store.outbox.blobs.ask_again()
    with store.page():
        told = str(min(SCHEMA, reply.schema.current))
        if (store.cache.meta.get("epoch"), store.cache.meta.get("schema")) != (reply.epoch, told):
            store.cache.read_again([bucket.id for bucket in store.cache.buckets()])
            store.cache.meta.set("epoch", reply.epoch)
            store.cache.meta.set("schema", told)
        for bucket in reply.buckets:
            store.cache.subscribe(bucket.id, bucket.gen, bucket.prio)
    store.outbox.meta.set("epoch", reply.epoch)
    if again or not store.is_shown():
        store.rebuild_overlay()
    return again


def _retry_parked(store: Store) -> None:
    """Give parked ops and photos another try once a day, and at once after an update of the app."""
    occasion = f"{clock.now().date()} {APP_VERSION}"
    last = store.outbox.meta.get("parked_tried")
    parked = store.outbox.counts().get("stuck") or any(one.is_parked for one in store.outbox.blobs.all("waiting"))
    if parked and last != occasion:
        if last is not None:
            store.outbox.retry_parked()
        store.outbox.meta.set("parked_tried", occasion)
