"""The learned factors of a region's week, kept and read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from routing.roads.factors import Drive, Factor, learn
from server.kit import clock
from server.roads.models import RoadFactor

Hours = Sequence[tuple[int, int]]
"""Weekday (0 is Monday) and hour, on the driver's clock."""


def week(session: Session, region: str) -> dict[tuple[int, int], Factor]:
    """What is known of a region's week; hours in which nobody drove are left out."""
    rows = session.scalars(select(RoadFactor).where(RoadFactor.region == region))
    return {(row.weekday, row.hour): Factor(row.factor, row.drives) for row in rows}


def relearn(session: Session, drives: Mapping[str, Iterable[Drive]]) -> int:
    """Replace all factors by what the drives of each region say; returns how many hours are known."""
    learned = [
        RoadFactor(
            region=region, weekday=day, hour=hour, factor=found.value, drives=found.drives, learned_at=clock.now()
        )
        for region, driven in drives.items()
        for (day, hour), found in learn(driven).items()
    ]
    session.execute(delete(RoadFactor))
    session.add_all(learned)
    session.flush()
    return len(learned)


def learned(session: Session) -> dict[str, tuple[datetime, dict[tuple[int, int], Factor]]]:
    """All factors with when they were learned, by region."""
    found: dict[str, tuple[datetime, dict[tuple[int, int], Factor]]] = {}
    for row in session.scalars(select(RoadFactor).order_by(RoadFactor.region, RoadFactor.weekday, RoadFactor.hour)):
        found.setdefault(row.region, (row.learned_at, {}))[1][row.weekday, row.hour] = Factor(row.factor, row.drives)
    return found
