"""What a filter leaves of all accounts, counted once for all tiles of a map; for filters that every account is asked.

The counts are one moment's. They are kept in this process for a short time, for one person's rights, one filter and one
day; who asks for the same meanwhile, for another tile of the same map say, waits for the first answer.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Integer, Select, Text, cast, column, func, literal, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Double

from server.accounts.models import AccountClass
from server.accounts.reach import reached_of, today_of
from server.accounts.tally_tiles import SQUARES, square_of
from server.accounts.tallying import FINEST_KEPT
from server.auth.access import Scope
from server.auth.roles import Level
from server.kit.tiles import Tile

DEEPEST_ZOOM = FINEST_KEPT - SQUARES
"""Tiles up to here are put together from the counts; deeper ones hold little."""
WORTH = 20_000
"""Sites in a tile, whoever asks for which, from which on all are gathered."""
KEPT_S = 30.0
MOST = 12
"""So many answers are kept; each has some 2 MB at most."""
WAIT_S = 30.0
CLASSES = (None, *AccountClass)


@dataclass(frozen=True)
class Gathered:
    """Sites by square of level 12 and class, in the order of the squares."""

    squares: NDArray[np.int64]
    classes: NDArray[np.int64]
    """Places in `CLASSES`."""
    sums: NDArray[np.float64]
    """Sites, and the sums of their columns and rows in the finest level, shape (n, 3)."""

    def of(self, at: Tile) -> Select[Any]:
        """The squares of a tile as `tally_tiles` counts them: square, class, sites, x, y."""
        first, last = square_of(at), square_of(at) + 1
        depth = 2 * (FINEST_KEPT - at.z)
        low, high = np.searchsorted(self.squares, [first << depth, last << depth])
        keys = (self.squares[low:high] >> (depth - 2 * SQUARES)) * len(CLASSES) + self.classes[low:high]
        found, places = np.unique(keys, return_inverse=True)
        sums = [np.bincount(places, weights=self.sums[low:high, part], minlength=len(found)) for part in range(3)]
        arrays = (
            literal((found // len(CLASSES)).tolist(), ARRAY(BigInteger)),
            literal([CLASSES[key] for key in (found % len(CLASSES)).tolist()], ARRAY(Text)),
            *(literal(part.tolist(), ARRAY(Double)) for part in sums),
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

    def get(self, key: Hashable, gather: Callable[[], Gathered]) -> Gathered:
        """What is kept of a question, else what is gathered now; an error reaches all who wait and is not kept."""
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
                return answer.result(WAIT_S)
            except TimeoutError:
                return gather()  # ours may be quicker than whoever was first
        try:
            answer.set_result(gather())
        except BaseException as error:
            answer.set_exception(error)
            with self._lock:
                if self._kept.get(key, (0.0, None))[1] is answer:
                    del self._kept[key]
            raise
        return answer.result()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


shelf = Shelf()


def key_of(session: Session, scope: Scope, filter: str | None, search: str | None) -> Hashable:
    """What decides an answer: whose rights, what is asked, and the day.

    Rights are read as they are now, with the people and the territories that they reach: a territory that somebody has
    lost is in no answer any more.
    """
    rights = (tuple(sorted(scope.levels.items())), tuple(sorted(scope.fields.items())))
    reached: tuple[frozenset[UUID], ...] = ()
    if Level.OWN < (level := scope.level("accounts:read")) < Level.ALL:
        people, areas = reached_of(scope, today_of(scope), level)
        reached = tuple(frozenset(session.scalars(one)) for one in (people, areas))
    return scope.user_id, scope.role, rights, reached, today_of(scope), scope.zone, filter, search


def gathered(session: Session, rows: Select[Any]) -> Gathered:
    """Read counts by square of level 12 and class: rows of square, class, sites, x, y."""
    found = session.execute(rows).all()
    places = {name: place for place, name in enumerate(CLASSES)}
    squares = np.array([row[0] for row in found], dtype=np.int64)
    order = np.argsort(squares, kind="stable")
    classes = np.array([places[row[1]] for row in found], dtype=np.int64)
    sums = np.array([tuple(row[2:5]) for row in found], dtype=np.float64).reshape(len(found), 3)
    return Gathered(squares[order], classes[order], sums[order])
