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
HELPED = {"max_parallel_workers_per_gather": "1", "parallel_setup_cost": "0", "work_mem": "'128MB'"}
"""Everybody who looks at the map waits for this one statement: it may take a second core."""


@dataclass(frozen=True)
class Gathered:
    """Sites by square of level 12, in the order of the squares; a square may come several times."""

    squares: NDArray[np.int64]
    sums: NDArray[np.float64]
    """Sites, the sums of their columns and rows in the finest level, and the sites of each class, shape (n, 6)."""

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


def gathered(session: Session, rows: Select[Any] | CompoundSelect[Any]) -> Gathered:
    """Read counts by square of level 12, rows as `tally_tiles.everywhere` tells them, with a helper of the database."""
    for name, value in HELPED.items():
        session.execute(text(f"set local {name} = {value}"))
    found = session.execute(rows).all()
    for name in HELPED:
        session.execute(text(f"set local {name} to default"))
    told = np.array([tuple(map(float, row)) for row in found], dtype=np.float64).reshape(-1, 3 + len(CLASSES))
    told = told[np.argsort(told[:, 0], kind="stable")]
    return Gathered(told[:, 0].astype(np.int64), told[:, 1:])
