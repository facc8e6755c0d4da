"""What changed in some buckets between two moments of the database: the question, and its answers."""

from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from server.sync.pulling import entities
from server.sync.pulling.cursors import Position

FEED = """
select i.bucket_id, i.e, i.id::text, i.op, i.txid::text
from unnest(cast(:buckets as int[])) wanted(bucket_id)
cross join lateral (
    select i.bucket_id, i.e, i.id, i.op, i.txid
    from sync_item i
    where i.bucket_id = wanted.bucket_id
      and i.txid >= greatest(pg_snapshot_xmin(cast(:seen as pg_snapshot)), cast(:txid as xid8))
      and i.txid < pg_snapshot_xmax(cast(:target as pg_snapshot))
      and not pg_visible_in_snapshot(i.txid, cast(:seen as pg_snapshot))
      and pg_visible_in_snapshot(i.txid, cast(:target as pg_snapshot))
      and (i.txid, i.e, i.id, i.bucket_id) > (cast(:txid as xid8), :e, cast(:id as uuid), :bucket)
      and (i.op = 'P' or :tombstones)
      and i.e <> all(cast(:unknown as smallint[]))
    order by i.txid, i.e, i.id limit :limit) i
order by i.txid, i.e, i.id, i.bucket_id limit :limit
"""


class Item(NamedTuple):
    """One entry of the feed."""

    bucket: int
    code: int
    id: str
    op: str
    txid: str

    @property
    def key(self) -> tuple[str, int, str, int]:
        """Its place in the feed."""
        return self.txid, self.code, self.id, self.bucket


def feed(
    session: Session, wanted: list[int], position: Position, target: str, limit: int, schema: int | None
) -> list[Item]:
    """The next items between two snapshots, of what an app knows that reads rows by a schema."""
    asked = looked_for(wanted, position, limit) | {"target": target, "unknown": entities.unknown(schema)}
    found: Any = session.execute(entities.prepared(FEED), asked)
    return [Item._make(row) for row in found.all()]


def looked_for(wanted: list[int], position: Position, limit: int) -> dict[str, Any]:
    """What `FEED` is asked, but for the snapshot up to which."""
    txid, code, row_id, bucket = position.after
    return {
        "buckets": wanted,
        "seen": position.seen,
        "txid": txid,
        "e": code,
        "id": row_id,
        "bucket": bucket,
        "tombstones": not position.is_fresh,
        "limit": limit,
        "unknown": [],
    }
