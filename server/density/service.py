"""Keeps the counts true: only what has changed is touched."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import h3
import shapely
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geo.density import cell_outlines, spread
from geo.types import LonLat
from geo.whitespace import PRIOR_CUSTOMERS, pooled
from server.density import counting, following, kinds
from server.density.models import DensityState
from server.density.queries import QUANTILES, Usual, classes_of
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.regions.loading import to_mercator
from server.regions.service import SERVED

CHUNK = 50_000
MANY = 5_000
"""So many new or changed cells change the statistics by which the database plans."""
LEARNED_FOR = timedelta(hours=20)
"""So long the rates and values of kinds stay; in between only the cells are summed up in which something changed."""
MUCH = 0.1
"""Rates and values are learned anew, soon after, when customers, or what they are worth, changed by such a part."""
VERY_MUCH = 0.5
"""By such a part: at once, before anybody sees the counts."""
_CELL_COLUMNS = (
    "cell", "resolution", "prospects", "customers", "expected", "variance", "value", "geom",
)  # fmt: skip


@dataclass(frozen=True)
class Worth:
    """Of the customers whose yearly value is known, in the company's currency."""

    sum: float
    count: int

    @property
    def mean(self) -> float:
        """What such a customer is worth a year; 0 while there are none."""
        return self.sum / self.count if self.count else 0.0


def has_ground_moved(session: Session) -> bool:
    """Whether territories were changed since the counts were given to them; False while nothing is counted."""
    state = session.get(DensityState, 1)
    return state is not None and state.territories != session.execute(counting.TERRITORIES).scalar_one()


def refresh(session: Session, *, by_hand: bool = False) -> bool:
    """Count prospects and customers anew where something has changed; returns whether anything had.

    By hand, when the company's currency is another, and when the regions are others in more than a newer extract, all
    customers are compared with what was counted, also those that were written past the triggers, and the rates and
    values of kinds are learned anew.
    """
    session.flush()
    one_at_a_time(session, "density", SERVED)
    regions: str = session.execute(counting.REGIONS).scalar_one()
    territories: str = session.execute(counting.TERRITORIES).scalar_one()
    state = session.get(DensityState, 1)
    everything = following.differs(session, state, regions)
    moved = state is None or state.territories != territories
    revalued = state is not None and state.currency not in (None, settings().currency)
    newer = state is None or state.inputs != regions
    changed = newer or moved or revalued or session.scalar(counting.HAS_CHANGED) is True
    if not changed and not by_hand:
        return False
    all_anew = everything or by_hand or revalued
    for statement in counting.START:
        session.execute(statement)
    following.take_in(session, follows=newer and not everything)
    compares_all = all_anew or (state is not None and state.learned_at is None)
    known = _count_customers(session, state, compares_all=compares_all, again=everything)
    _count_firms(session, everything=everything)
    learned_at = state.learned_at if state else None
    learns = all_anew or _is_outdated(session, state, VERY_MUCH, known)
    usual = _learn(session, known) if learns or state is None else Usual(state.usual_rate, state.usual_value)
    _sum_up(session, usual, everything=learns)
    session.execute(counting.GIVE_CELLS[moved])
    learned: dict[str, Any] = {
        "usual_rate": usual.rate,
        "usual_value": usual.value,
        "learned_at": clock.now() if learns else learned_at,
        "worth_sum": known.sum,
        "worth_count": known.count,
    }
    if learns:
        learned |= {"breaks": _breaks(session), "currency": settings().currency}
    _keep(session, {"inputs": regions, "territories": territories, **learned})
    return changed


def learn_anew(session: Session) -> bool:
    """Learn rates and values anew when they are no longer true enough; after a refresh, which need not wait for it."""
    state = session.get(DensityState, 1)
    if state is None or not _is_outdated(session, state, MUCH, Worth(state.worth_sum, state.worth_count)):
        return False
    refresh(session, by_hand=True)
    return True


def _is_outdated(session: Session, state: DensityState | None, much: float, known: Worth) -> bool:
    """Whether rates and values are to be learned anew: after a time, or when customers or their values changed much."""
    if state is None or state.learned_at is None or state.learned_at < clock.now() - LEARNED_FOR:
        return True
    customers, firms = session.execute(counting.MARKET, counting.COARSEST_CELLS).one()
    pairs = ((customers / firms if firms else 0.0, state.usual_rate), (known.mean, state.usual_value))
    return any(abs(now - then) > much * max(now, then) for now, then in pairs)


def _keep(session: Session, known: Mapping[str, Any]) -> None:
    """Note what was counted."""
    values = {**known, "refreshed_at": clock.now()}
    statement = insert(DensityState).values(id=1, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
    session.expire_all()


def _breaks(session: Session) -> dict[str, dict[int, tuple[list[float], float]]]:
    """The legends' classes by layer and resolution."""
    found = classes_of(session.execute(counting.BREAKS, {"shares": list(QUANTILES)}))
    return {layer: {level: (one.bounds, one.most) for level, one in of.items()} for layer, of in found.items()}


def _count_customers(session: Session, state: DensityState | None, *, compares_all: bool, again: bool) -> Worth:
    """Bring the customers' cells up to date, and find out which of them were prospects; returns what all are worth."""
    currency = {"currency": settings().currency}
    for statement in (counting.CUSTOMERS[compares_all], counting.GONE[compares_all], counting.DROP_GONE, counting.COME):
        session.execute(statement, currency if statement is counting.CUSTOMERS[compares_all] else {})
    session.execute(counting.ANALYZE_CUSTOMERS)
    rows = session.execute(counting.NEW_CUSTOMERS).all()
    session.execute(counting.PLACED)
    copy_rows(session, "placed", ("site_id", "cells", "parts"), _spread(rows))
    if again:
        session.execute(kinds.OF_PROSPECTS)
    session.execute(counting.MATCH, {**counting.SAME_FIRM, "again": again, "finest": counting.FINEST})
    kinds.give(session)
    if state is None or compares_all:
        session.execute(counting.WORTHS_OF_ALL)
        return Worth(*session.execute(counting.WORTH_OF_ALL).one())
    more, many = session.execute(counting.WORTH).one()
    return Worth(state.worth_sum + more, state.worth_count + many)


def _spread(rows: Sequence[Row[Any]]) -> Iterator[tuple[Any, ...]]:
    """Customers in the cells in which they may lie."""
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        places = spread([LonLat(row.lon, row.lat) for row in some], [row.doubt_m for row in some], counting.FINEST)
        for row, parts in zip(some, places, strict=True):
            yield row.id, _array(parts), _array(parts.values())


def _array(numbers: Iterable[int]) -> str:
    """As PostgreSQL reads it: the driver looks at each list twice."""
    return f"{{{','.join(map(str, numbers))}}}"


def _count_firms(session: Session, *, everything: bool) -> None:
    """Change the counts by kind by what has changed, at every resolution."""
    if everything:
        _fold(session)
    session.execute(counting.DELTA_OF_ALL if everything else counting.DELTA, {"finest": counting.FINEST})
    for resolution in range(counting.FINEST - 1, counting.COARSEST - 1, -1):
        session.execute(counting.DELTA_COARSER, {"resolution": resolution})
    session.execute(counting.ANALYZE_DELTA)
    session.execute(counting.ADD_COUNTS if everything else counting.NOTE_COUNTS)


def _fold(session: Session) -> None:
    """Add to the counts what has changed since they were summed up."""
    for statement in counting.FOLD_COUNTS:
        session.execute(statement)
    session.execute(text("analyze density_count, density_count_change"))


def _learn(session: Session, known: Worth) -> Usual:
    """Learn of each kind how many become customers and what such customers are worth a year.

    Customers of no known kind are shared out to the kinds as the prospects are, so that expected and found agree over
    all.
    """
    asked = {"currency": settings().currency, **counting.COARSEST_CELLS}
    rows = session.execute(counting.SUMS_OF_KINDS, asked).all()
    prospects, customers = sum(row[1] for row in rows), sum(row[2] for row in rows)
    unknown = sum(row[2] for row in rows if row[0] == 0)
    firms = prospects + customers
    usual = Usual(customers / firms if firms else 0.0, known.mean)
    shared = [(row, row[2] + (unknown * row[1] / prospects if prospects else 0.0)) for row in rows if row[0]]
    session.execute(
        counting.LEARN,
        {
            "ids": [row[0] for row, _ in shared],
            "firms": [row[1] + row[2] for row, _ in shared],
            "customers": [row[2] for row, _ in shared],
            "rates": [min(1.0, pooled(own, row[1] + own, usual.rate)) for row, own in shared],
            "values": [pooled(row[3], row[4], usual.value, PRIOR_CUSTOMERS) for row, _ in shared],
        },
    )
    return usual


def _sum_up(session: Session, usual: Usual, *, everything: bool) -> None:
    """Sum the counts up by cell and write what differs, or note the differences beside."""
    if everything:
        _fold(session)
        session.execute(counting.FRESH, {"usual": usual.rate})
        session.execute(counting.ANALYZE_FRESH)
        for statement in (counting.CHANGES, *counting.APPLY):
            session.execute(statement)
    else:
        session.execute(counting.CHANGES_BY_DELTA, {"usual": usual.rate})
        if getattr(session.execute(counting.NOTE_CELLS), "rowcount", 0) > MANY:
            session.execute(text("analyze density_count_change, density_cell_change"))
    new = session.execute(counting.NEW_CELLS).all()
    if new:
        rows = (row for start in range(0, len(new), CHUNK) for row in _with_outlines(new[start : start + CHUNK]))
        copy_rows(session, "density_cell", _CELL_COLUMNS, rows)
        if len(new) > MANY:
            session.execute(text("analyze density_cell"))


def _with_outlines(rows: Sequence[Row[Any]]) -> Iterator[tuple[Any, ...]]:
    """Add the hexagon in Web Mercator, which PostgreSQL cannot make."""
    outlines = cell_outlines([h3.int_to_str(row.cell) for row in rows])
    projected = shapely.set_srid(shapely.transform(outlines, to_mercator), 3857)
    texts = shapely.to_wkb(projected, hex=True, include_srid=True)
    for row, outline in zip(rows, texts, strict=True):
        yield (*row, outline)
