"""What a filter leaves of all accounts, counted once for all tiles of a map; for filters that every account is asked.

The database tells the squares of all sites that a filter leaves, one after the other in a row of bytes: to count a
million of them in here costs a fifth of what grouping them there does. The counts are one moment's. They are kept in
this process for a short time, for one person's rights, one filter and one day, and not beyond that person's own next
edit; who asks for the same meanwhile, for another tile of the same map say, waits for the first answer.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import Double

from server.accounts.models import AccountClass
from server.accounts.reach import Reached, today_of
from server.accounts.tally_tiles import SQUARES, square_of
from server.accounts.tallying import FINEST, FINEST_KEPT
from server.auth.access import Scope
from server.kit.tiles import Tile
from server.records.models import FieldHistory

DEEPEST_ZOOM = FINEST_KEPT - SQUARES
"""Tiles up to here are put together from the counts; deeper ones hold little."""
WORTH = 20_000
"""Sites in a tile, whoever asks for which, from which on all are gathered."""
KEPT_S = 30.0
MOST = 12
"""So many answers are kept; each has some 2 MB at most."""
WAIT_S = 30.0
CLASSES = (None, *AccountClass)
NEXT_TO = "set local work_mem = '8MB'"
"""So a million accounts are joined with their places in the order of both, by ids: through a table of hashes, which
lies all over the memory, that takes twice as long."""
LATE = 1_000
"""So many entries of the history may be told later than they were numbered."""


@dataclass(frozen=True)
class Edits:
    """What somebody has changed since a certain entry of the history."""

    after: int
    count: int


@dataclass(frozen=True)
class Gathered:
    """Sites by square of level 12, in the order of the squares."""

    squares: NDArray[np.int64]
    sums: NDArray[np.float64]
    """Sites, the sums of their columns and rows in the finest level, and the sites of each class, shape (n, 6)."""
    edits: Edits
    """What its reader had changed before it was gathered."""

    def of(self, at: Tile) -> Select[Any]:
        """The squares of a tile as `tally_tiles` counts them: square, class, sites, x, y."""
        first, last = square_of(at), square_of(at) + 1
        depth = 2 * (FINEST_KEPT - at.z)
        low, high = np.searchsorted(self.squares, [first << depth, last << depth])
        found, places = np.unique(self.squares[low:high] >> (depth - 2 * SQUARES), return_inverse=True)
        sums = np.array([np.bincount(places, weights=part, minlength=len(found)) for part in self.sums[low:high].T])
        sites, classes = np.vstack([sums[0] - sums[3:].sum(axis=0), sums[3:]]), len(AccountClass)
        arrays = (
            literal(np.tile(found, 1 + classes).tolist(), ARRAY(BigInteger)),
            literal(np.repeat(np.array(CLASSES, dtype=object), len(found)).tolist(), ARRAY(Text)),
            literal(sites.ravel().tolist(), ARRAY(Double)),
            # Where they lie is told once for all classes of a square.
            *(literal(np.pad(place, (0, classes * len(found))).tolist(), ARRAY(Double)) for place in sums[1:3]),
        )
        names: list[ColumnElement[Any]] = [column("square", BigInteger), column("class", Text)]
        names += [column(name, Double) for name in ("sites", "x", "y")]
        rows = func.unnest(*arrays).table_valued(*names).render_derived("gathered")
        return select(rows.c.square, rows.c["class"], cast(rows.c.sites, Integer).label("sites"), rows.c.x, rows.c.y)


class Shelf:
    """The answers that are kept, the one that was asked for last at the end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Future[Gathered]]] = OrderedDict()

    def get(self, key: Hashable, gather: Callable[[], Gathered], holds: Callable[[Gathered], bool]) -> Gathered:
        """What is kept of a question while it holds, else what is gathered now; an error reaches all who wait and is
        not kept."""
        with self._lock:
            asked_at, answer = self._kept.pop(key, (0.0, None))
            mine = answer is None or monotonic() - asked_at > KEPT_S
            if mine or answer is None:
                asked_at, answer = monotonic(), Future()
            self._kept[key] = (asked_at, answer)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        if not mine:
            try:
                found = answer.result(WAIT_S)
            except TimeoutError:
                return gather()  # ours may be quicker than whoever was first
            if holds(found):
                return found
            self._forget(key, answer)
            return self.get(key, gather, holds)
        try:
            answer.set_result(gather())
        except BaseException as error:
            answer.set_exception(error)
            self._forget(key, answer)
            raise
        return answer.result()

    def _forget(self, key: Hashable, answer: "Future[Gathered]") -> None:
        with self._lock:
            if self._kept.get(key, (0.0, None))[1] is answer:
                del self._kept[key]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


shelf = Shelf()


def key_of(scope: Scope, reached: Reached | None, filter: str | None, search: str | None) -> Hashable:
    """What decides an answer: whose rights, what is asked, and the day.

    Rights are as they are now, with the people and the territories that they reach: a territory that somebody has
    lost is in no answer any more.
    """
    rights = (tuple(sorted(scope.levels.items())), tuple(sorted(scope.fields.items())))
    return scope.user_id, scope.role, rights, reached, today_of(scope), scope.zone, filter, search


def edits(session: Session, scope: Scope, after: int | None = None) -> Edits:
    """What somebody has changed after an entry of the history; by default after one of the last."""
    if after is None:
        after = (session.scalar(select(func.max(FieldHistory.id))) or 0) - LATE
    theirs = select(func.count()).where(FieldHistory.id > after, FieldHistory.actor == scope.user_id)
    return Edits(after, session.scalar(theirs) or 0)


def holds(session: Session, scope: Scope, answer: Gathered) -> bool:
    """Whether the reader has changed nothing since."""
    return edits(session, scope, answer.edits.after) == answer.edits


def gathered(session: Session, scope: Scope, rows: CompoundSelect[Any]) -> Gathered:
    """Count sites by square of level 12, from rows as `tally_tiles.everywhere` tells them."""
    before = edits(session, scope)
    session.execute(text(NEXT_TO))
    found = session.execute(rows).all()
    session.execute(text("set local work_mem to default"))
    told = [(grade, np.frombuffer(squares, dtype=">i8").astype(np.int64)) for grade, squares in found]
    depth = 2 * (FINEST - FINEST_KEPT)
    blocks = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(np.unique(one >> depth) for _, one in told)]))
    sums = np.zeros((3 + len(CLASSES) - 1, len(blocks)))
    for grade, squares in told:
        places = np.searchsorted(blocks, squares >> depth)
        count = np.bincount(places, minlength=len(blocks))
        sums[0] += count
        for part, bits in ((1, squares), (2, squares >> 1)):
            sums[part] += np.bincount(places, weights=every_other(bits), minlength=len(blocks))
        if grade is not None:
            sums[3 + list(AccountClass).index(grade)] += count
    return Gathered(blocks, sums.T.copy(), before)


def every_other(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bits 0, 2, 4 and so on, moved together: the column of a square, see `tile_bits` of migration 0077."""
    found = bits & 0x5555555555555555
    for shift, mask in (
        (1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF), (8, 0x0000FFFF0000FFFF),
        (16, 0x00000000FFFFFFFF),
    ):  # fmt: skip
        found = (found | found >> shift) & mask
    return found
