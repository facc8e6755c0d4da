"""What changed for a phone since its cursor, one page at a time, out of one moment of the database.

An item is new when its transaction is not visible in the snapshot that the phone has seen. Neither a transaction that
commits late nor one that is still open can be missed or can hold anybody up.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.sync.protocol import wire
from server.sync.protocol.problems import BucketGen, EpochChanged, ReplicaBehind
from server.sync.pulling import cursors, entities
from server.sync.pulling.buckets import Subscription
from server.sync.pulling.cursors import BEGINNING, Position
from server.sync.pulling.feeding import Item, feed
from server.sync.pulling.standing import Moment, standing

MAX_PAGE_BYTES = 4_000_000
"""Of documents before packing."""


def pull(session: Session, caller: Scope, request: wire.PullRequest) -> str:
    """One page of what is new in the buckets that the person may read right now: a `wire.PullReply`, as JSON.

    The database writes each document as JSON; it goes out as it is. Reading and writing thousands of them again was
    most of the work of a first sync.
    """
    moment, scope, schema, allowed = standing(session, caller, request.epoch)
    parts: list[Part] = []
    left = min(request.limit, wire.MAX_PAGE_ROWS)
    for group in in_order(request.groups, allowed):
        parts.append(read_group(session, scope, moment, group, allowed, left, schema) if left > 0 else untouched(group))
        left -= len(parts[-1].rows)
    more = not all(part.is_up_to(moment) for part in parts)
    return replied([*allowed], more=more, groups=[part.spelled(moment) for part in joined(parts, moment)])


def replied(allowed: list[int], *, more: bool, groups: Sequence[str]) -> str:
    """A `wire.PullReply` as JSON."""
    return f'{{"buckets_now":{json.dumps(allowed)},"more":{json.dumps(more)},"groups":[{",".join(groups)}]}}'


def spelled(ids: list[int], cursor: str | None, rows: Sequence[str], *, complete: bool) -> str:
    """A `wire.PageGroup` as JSON."""
    head = f'"buckets":{json.dumps(ids)},"cursor":{json.dumps(cursor)},"complete":{json.dumps(complete)}'
    return f'{{{head},"rows":[{",".join(rows)}]}}'


@dataclass(frozen=True, slots=True)
class Part:
    """What a page holds of some buckets, and where they stand behind it."""

    buckets: list[int]
    rows: list[str]
    behind: Position | str | None
    """A cursor where nothing was read."""
    complete: bool

    def is_up_to(self, moment: Moment) -> bool:
        """Whether everything that had happened at a moment is delivered."""
        return self.complete and isinstance(self.behind, Position) and self.behind.seen == moment.snapshot

    def spelled(self, moment: Moment) -> str:
        """It as it is sent."""
        behind = self.behind
        cursor = cursors.sign(behind, moment.secret, moment.now) if isinstance(behind, Position) else behind
        return spelled(self.buckets, cursor, self.rows, complete=self.complete)


def untouched(group: wire.PullGroup) -> Part:
    """A group that had no room on a page."""
    return Part(group.buckets, [], group.cursor, complete=False)


def joined(parts: Sequence[Part], moment: Moment) -> list[Part]:
    """Groups that have come to the same moment go on as one: from there on they are one question."""
    done = [part for part in parts if part.is_up_to(moment)]
    if len(done) < 2:
        return list(parts)
    gens: dict[int, int] = {}
    for part in done:
        gens |= part.behind.gens if isinstance(part.behind, Position) else {}
    one = Part(
        [bucket for part in done for bucket in part.buckets],
        [row for part in done for row in part.rows],
        Position(moment.epoch, gens).done(moment.snapshot),
        complete=True,
    )
    return [one, *(part for part in parts if not part.is_up_to(moment))]


def in_order(groups: Sequence[wire.PullGroup], allowed: dict[int, Subscription]) -> list[wire.PullGroup]:
    """The groups without buckets that are not allowed (any more), the most urgent first."""
    kept = [
        wire.PullGroup(cursor=group.cursor, buckets=list(dict.fromkeys(b for b in group.buckets if b in allowed)))
        for group in groups
    ]
    return sorted(
        (group for group in kept if group.buckets), key=lambda group: min(allowed[b].priority for b in group.buckets)
    )


def read_group(
    session: Session,
    scope: Scope,
    moment: Moment,
    group: wire.PullGroup,
    allowed: dict[int, Subscription],
    limit: int,
    schema: int | None,
) -> Part:
    """The next rows of some buckets."""
    position = position_of(session, moment, group, allowed)
    target = position.target or moment.snapshot
    items = feed(session, group.buckets, position, target, limit, schema)
    found = {
        code: entities.rows(session, scope, entities.BY_CODE[code], ids) for code, ids in present_in(items).items()
    }
    rows = rows_of(items, found)
    full = len(items) == limit or len(rows) < len(items)
    behind = position.at(target, items[len(rows) - 1].key) if full else position.done(target)
    return Part(group.buckets, rows, behind, complete=not full)


def position_of(session: Session, moment: Moment, group: wire.PullGroup, allowed: dict[int, Subscription]) -> Position:
    """Where a group stands. A bucket that its cursor does not know is read from the beginning, with all the others.

    Refuses a cursor that has seen more than we know, and buckets that are to be read again.
    """
    gens = {bucket: allowed[bucket].gen for bucket in group.buckets}
    if group.cursor is None:
        return Position(epoch=moment.epoch, gens=gens)
    position = cursors.read(group.cursor, moment.secret, moment.now, moment.epoch)
    if not gens.keys() <= position.gens.keys():
        return Position(epoch=moment.epoch, gens=gens)
    again = [bucket for bucket in gens if position.gens[bucket] != gens[bucket]]
    if again:
        raise BucketGen("A bucket is to be read again.", help="Read it from its beginning.", retry=False, buckets=again)
    refuse_the_future(session, moment, position)
    return Position(moment.epoch, gens, position.seen, position.target, position.after)


def first_unseen(snapshot: str) -> int:
    """The first transaction number that a snapshot has not seen: its `xmax`."""
    return int(snapshot.split(":")[1])


def refuse_the_future(session: Session, moment: Moment, position: Position) -> None:
    """Refuse a cursor that has seen transactions that have not happened here."""
    if position.seen == BEGINNING and position.target is None:
        return
    if first_unseen(position.target or position.seen) > first_unseen(moment.snapshot):
        if session.execute(text("select pg_is_in_recovery()")).scalar_one():
            raise ReplicaBehind("This copy of the database is behind.", help="Try again.", retry=True, after_s=2)
        raise EpochChanged("The database was restored.", help="Say hello again.", retry=False)


def present_in(items: Iterable[Item]) -> dict[int, set[str]]:
    """The ids of the rows that are in their buckets, by the code of their entity."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for item in items:
        if item.op == "P":
            wanted[item.code].add(item.id)
    return wanted


def rows_of(items: Sequence[Item], found: Mapping[int, Mapping[str, entities.Row]]) -> list[str]:
    """The items with their documents, as many as fit into a page (at least one)."""
    rows: list[str] = []
    size = 0
    for item in items:
        row = found[item.code].get(item.id) if item.op == "P" else None
        size += len(row.document) if row else 0
        if rows and size > MAX_PAGE_BYTES:
            break
        rows.append(change(item, row))
    return rows


def change(item: Item, row: entities.Row | None) -> str:
    """An item as it is sent, a `wire.RowChange`; a present one whose row is gone counts as deleted."""
    head = f'{{"b":{item.bucket},"e":"{entities.BY_CODE[item.code].name}","id":"{item.id}"'
    if row is None:
        return f'{head},"o":"{"R" if item.op == "R" else "D"}"}}'
    return f'{head},"o":"P","r":{row.rev},"d":{row.document}}}'
