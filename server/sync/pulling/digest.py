"""Comparing what a phone holds with what it should hold, without sending everything again.

Rows fall into sixteen ranges per entity, by the last hexadecimal digit of their id. The sum of a range tells whether it
differs; for those that do, the phone lists its rows and is told what to change.
"""

import hashlib
from collections import defaultdict
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit.errors import NotFound
from server.sync.protocol import wire
from server.sync.pulling import cursors, entities
from server.sync.pulling.buckets import Subscription
from server.sync.pulling.cursors import Position
from server.sync.pulling.standing import Moment, standing

type Ranges = dict[tuple[str, str], dict[str, int]]
"""Revision by id, by entity and last digit."""


def compare(session: Session, scope: Scope, request: wire.DigestRequest) -> wire.DigestReply:
    """First step: which ranges differ, and the cursor to go on from once they are mended. Second: what to change.

    The cursor belongs to the moment of the first step, so that a change between the two steps is delivered again
    rather than missed.
    """
    moment, scope, schema, allowed = standing(session, scope, request.epoch)
    bucket = allowed.get(request.bucket)
    if bucket is None:
        raise NotFound("There is no such bucket.")
    ours = ranges_of(session, bucket.id, schema)
    if request.have is not None:
        return wire.DigestReply(rows=changes(session, scope, bucket.id, ours, request.have))
    return differing(moment, bucket, ours, request.sums or [])


def differing(moment: Moment, bucket: Subscription, ours: Ranges, sums: list[wire.RangeSum]) -> wire.DigestReply:
    """The ranges whose count or sum is not ours."""
    theirs = {(one.e, one.x): (one.count, one.sum) for one in sums}
    here = {key: (len(revs), total(revs)) for key, revs in ours.items()}
    differ = sorted(key for key in here.keys() | theirs.keys() if here.get(key) != theirs.get(key))
    behind = Position(epoch=moment.epoch, gens={bucket.id: bucket.gen}, seen=moment.snapshot)
    return wire.DigestReply(
        cursor=cursors.sign(behind, moment.secret, moment.now), differ=[wire.RangeName(e=e, x=x) for e, x in differ]
    )


def ranges_of(session: Session, bucket: int, schema: int | None) -> Ranges:
    """What a phone with this bucket holds, of what its app knows."""
    ranges: Ranges = defaultdict(dict)
    unknown = entities.unknown(schema)
    for entity in (one for one in entities.ENTITIES if one.code not in unknown):
        found: Any = session.execute(
            text(
                f"select r.id, r.rev from sync_item i join {entity.table} r on r.id = i.id"  # noqa: S608 our constants
                " where i.bucket_id = :bucket and i.e = :code and i.op = 'P' and r.deleted_at is null"
            ),
            {"bucket": bucket, "code": entity.code},
        )
        for row_id, rev in found:
            ranges[entity.name, str(row_id)[-1]][str(row_id)] = rev
    return ranges


def total(revs: dict[str, int]) -> str:
    """The sum of the hashes of `id:rev`, modulo 2^64, as sixteen hexadecimal digits."""
    hashes = (hashlib.blake2b(f"{row_id}:{rev}".encode(), digest_size=8).digest() for row_id, rev in revs.items())
    return f"{sum(int.from_bytes(one) for one in hashes) % 2**64:016x}"


def changes(
    session: Session, scope: Scope, bucket: int, ours: Ranges, have: list[wire.RangeRows]
) -> list[wire.RowChange]:
    """What a phone is to change in some ranges."""
    rows: list[wire.RowChange] = []
    for part in have:
        entity = entities.BY_NAME.get(part.e)
        here = ours.get((part.e, part.x), {})
        rows += [wire.RowChange(b=bucket, e=part.e, id=row_id, o="R") for row_id in part.revs if row_id not in here]
        if entity is None:
            continue
        wanted = [row_id for row_id, rev in here.items() if part.revs.get(row_id) != rev]
        found = entities.rows(session, scope, entity, wanted)
        rows += [
            wire.RowChange(b=bucket, e=part.e, id=row_id, o="P", r=row.rev, d=row.json())
            for row_id, row in found.items()
        ]
    return rows
