"""Step 5 of sync: read pages until there are no more; a page and its cursor are one transaction."""

import shutil
from dataclasses import dataclass

from mobile.field import conflicts
from mobile.field.photos import SWEPT
from mobile.field.store import Store, clock
from mobile.field.store.cache import Bucket
from mobile.field.sync import wire
from mobile.field.sync.api import Api
from mobile.field.sync.problems import StartOver

PAGE_ROWS = 2000
PAGE_BYTES = 16 * 1024 * 1024
"""The most a page unpacks to; three times that must be free before one is asked for."""


class StorageLow(Exception):
    """There is no room for a page; what the rep saves has its reserve."""

    code = "storage_low"


@dataclass
class Pulled:
    """What came in during one run."""

    pages: int = 0
    rows: int = 0
    left: int = 0
    """Buckets that this phone is not given any more."""


def groups_of(buckets: list[Bucket]) -> list[wire.PullGroup]:
    """Buckets that share a cursor are read together, new ones alone and the most urgent first."""
    shared: dict[str, list[int]] = {}
    alone: list[wire.PullGroup] = []
    for bucket in buckets:
        if bucket.cursor is None:
            alone.append(wire.PullGroup(None, [bucket.id]))
        else:
            shared.setdefault(bucket.cursor, []).append(bucket.id)
    return [*(wire.PullGroup(cursor, ids) for cursor, ids in shared.items()), *alone]


def pull(store: Store, api: Api, epoch: str, limits: wire.Limits) -> Pulled:
    """Read everything that changed. A cursor that is no longer good starts its buckets over, once."""
    done = Pulled()
    covered = store.outbox.max_acked_n()
    limit = min(PAGE_ROWS, limits.page_rows)
    restarted = False
    while True:
        if shutil.disk_usage(store.folder).free < 3 * PAGE_BYTES:
            raise StorageLow("the phone's storage is almost full; free some space to receive changes")
        request = wire.PullRequest(epoch=epoch, groups=groups_of(store.cache.buckets()), limit=limit)
        try:
            reply = wire.parse(wire.PullReply, api.call("POST", "/sync/v1/pull", wire.emit(request)))
        except StartOver:
            if restarted:
                raise
            restarted = True
            with store.page():
                store.cache.read_again([b.id for b in store.cache.buckets() if b.cursor is not None])
            continue
        done.left += len({bucket.id for bucket in store.cache.buckets()} - set(reply.buckets_now))
        unread = apply_page(store, reply)
        done.pages += 1
        done.rows += sum(len(group.rows) for group in reply.groups)
        if not reply.more and not unread:
            break
    with store.page():
        store.cache.meta.set("covered_n", str(covered))
        store.cache.meta.set("synced_at", clock.now().isoformat(timespec="seconds"))
        if store.cache.orphans():
            store.cache.meta.set(SWEPT, None)
        store.drop_orphans()
        store.refresh(store.cache.overlaid())
    conflicts.forget(store)
    return done


def apply_page(store: Store, reply: wire.PullReply) -> bool:
    """Take one page: rows, memberships, cursors and vanished buckets in a single transaction.

    Returns whether there is a bucket that has not been read from its beginning yet.
    """
    cache = store.cache
    now = clock.now().isoformat(timespec="seconds")
    with store.page():
        again = cache.has_suspects()
        rows = [row for group in reply.groups for row in group.rows]
        touched = [(row.e, row.id) for row in rows if _take_row(store, row, again=again)]
        for group in reply.groups:
            for bucket in group.buckets:
                cache.advance(bucket, group.cursor, group.complete, now)
        allowed = set(reply.buckets_now)
        known = {bucket.id for bucket in cache.buckets()}
        for bucket in known - allowed:
            cache.unsubscribe(bucket)
        for bucket in allowed - known:
            cache.subscribe(bucket)
        store.refresh_pending(touched)
        if known - allowed or any(row.o != "P" for row in rows):
            cache.meta.set(SWEPT, None)
            store.drop_orphans()
        return bool(allowed - known)


def _take_row(store: Store, change: wire.RowChange, *, again: bool) -> bool:
    """Take one row of a page; an older revision than the one shown is not taken, except after a restart."""
    cache = store.cache
    if change.o != "P":
        if (change.o, change.e) == ("D", "account"):
            cache.note_deleted(change.id)
        cache.leave(change.b, change.e, change.id)
        return False
    if change.d is None or change.r is None:
        raise wire.BadMessage(f"the page holds {change.e} {change.id} without its document")
    newer = change.r >= cache.rev(change.e, change.id) or (again and cache.is_suspect(change.e, change.id))
    cache.join(change.b, change.e, change.id)
    if again:
        cache.confirm(change.b, change.e, change.id)
    if newer:
        cache.put_base(change.e, change.id, change.r, change.d)
    return newer
