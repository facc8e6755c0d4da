"""The best times to offer a customer: every gap of every planned day, with the driving that it adds."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from routing import reordering
from routing.timeline import NEVER, Room, Timeline
from routing.types import RepDay, Visit, Window

STEP_S = 600
"""People make appointments at full tens of minutes."""
GOOD_S, FAIR_S = 600, 1500
"""Detours up to here are good, up to there fair."""


class Shade(StrEnum):
    """What a detour looks like."""

    GOOD = "good"
    FAIR = "fair"
    FAR = "far"


class Shut(StrEnum):
    """Why a day has no time to offer."""

    NOT_ALLOWED = "not_allowed"
    """The rep does not visit this customer, or not on this day."""
    CLOSED = "closed"
    """The customer is closed."""
    UNREACHABLE = "unreachable"
    """No road leads there."""
    LIMIT = "limit"
    """The day's stops, driving or load are used up."""
    FULL = "full"
    """No gap is long enough."""


@dataclass(frozen=True, slots=True)
class Day:
    """A planned day with the drives to and from the customer."""

    timeline: Timeline
    there: Sequence[int]
    """From the start anchor and every stop, in order, to the customer."""
    onward: Sequence[int]
    """From the customer to every stop, in order, and to the end anchor."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A time to offer."""

    rep_day: str
    starts_s: int
    """A round time, the earliest of the gap."""
    latest_s: int
    """Latest start in the same gap."""
    detour_s: int
    """Driving that it adds to the day."""
    position: int
    """Behind so many stops."""
    order: tuple[int, ...] = ()
    """The other stops (0 = the first as the day stands) in the order that this time asks for; empty: as they stand."""

    @property
    def moves(self) -> int:
        """How many stops get another place among the others."""
        return sum(stop != place for place, stop in enumerate(self.order))

    @property
    def shade(self) -> Shade:
        """How far the detour is."""
        return Shade.GOOD if self.detour_s <= GOOD_S else Shade.FAIR if self.detour_s <= FAIR_S else Shade.FAR


@dataclass(frozen=True, slots=True)
class Offer:
    """One rep's day: its slots, the least detour first, or why it has none."""

    rep_day: str
    slots: tuple[Slot, ...]
    shut: Shut | None = None

    @property
    def best(self) -> Slot | None:
        """The least detour."""
        return self.slots[0] if self.slots else None


def offers(days: Iterable[Day], visit: Visit) -> tuple[Offer, ...]:
    """What each day could offer for a visit, exact against the day's windows, break and end."""
    return tuple(_offer(day, visit) for day in days)


def with_moves(day: Day, seconds: Sequence[Sequence[int]], visit: Visit, offer: Offer) -> Offer:
    """The offer with the times that become possible, or cheaper, when the day's other stops change places for them.

    Parameters
    ----------
    seconds : square table of int
        Drives between the start, every stop in order, the customer, and the end.
    """
    if offer.shut not in (None, Shut.FULL) or len(day.timeline.visits) < 2:
        return offer
    rep_day, stops = day.timeline.rep_day, day.timeline.visits
    new = len(stops) + 1
    whole = reordering.Day(rep_day, [*stops, visit], seconds)
    standing = tuple(range(1, new))
    best = whole.best(whole.starts(standing, new))
    if best is None or (rest := tuple(node for node in best if node != new)) == standing:
        return offer
    longer = whole.driving_s(rest) - whole.driving_s(standing)
    nodes = [0, *rest, new + 1]
    timeline = Timeline(rep_day, [stops[v - 1] for v in rest], [seconds[a][b] for a, b in itertools.pairwise(nodes)])
    moved = Day(timeline, [seconds[n][new] for n in nodes[:-1]], [seconds[new][n] for n in nodes[1:]])
    order = tuple(v - 1 for v in rest)
    cheaper = [
        replace(slot, detour_s=slot.detour_s + longer, order=order)
        for slot in _offer(moved, visit).slots
        if slot.position == best.index(new) and (offer.best is None or slot.detour_s + longer < offer.best.detour_s)
    ]
    found = sorted([*cheaper, *offer.slots], key=lambda s: (s.detour_s, s.starts_s))
    return Offer(offer.rep_day, tuple(found), None if found else offer.shut)


def _offer(day: Day, visit: Visit) -> Offer:
    rep_day = day.timeline.rep_day
    windows = visit.windows_on(rep_day.day)
    if not visit.allows(rep_day):
        return Offer(rep_day.id, (), Shut.NOT_ALLOWED)
    if not any(w.close_s - w.open_s >= visit.service_s for w in windows):
        return Offer(rep_day.id, (), Shut.CLOSED)
    if all(drive >= NEVER for drive in day.there) or all(drive >= NEVER for drive in day.onward):
        return Offer(rep_day.id, (), Shut.UNREACHABLE)
    shut = Shut.FULL
    slots: dict[tuple[int, int], Slot] = {}
    for position, (there, onward) in enumerate(zip(day.there, day.onward, strict=True)):
        direct = day.timeline.drives[position] if day.timeline.visits else 0
        rooms = day.timeline.rooms(position, position + 1, there, onward)
        if rooms and not _within(day.timeline, visit, there + onward - direct):
            shut = Shut.LIMIT
            continue
        for room in rooms:
            for window in windows:
                slot = _slot(rep_day, visit, room, window, position, there + onward - direct)
                if slot is not None and (position, slot.starts_s) not in slots:
                    slots[position, slot.starts_s] = slot
    found = sorted(slots.values(), key=lambda s: (s.detour_s, s.starts_s))
    return Offer(rep_day.id, tuple(found), None if found else shut)


def _slot(rep_day: RepDay, visit: Visit, room: Room, window: Window, position: int, detour_s: int) -> Slot | None:
    """The times of one gap inside one window; a round one when there is one."""
    earliest = max(room.ready_s, window.open_s)
    latest = min(room.leave_s, window.close_s) - visit.service_s
    if latest < earliest:
        return None
    for step in (STEP_S, 300, 60):
        if (begin := -(-earliest // step) * step) <= latest:
            return Slot(rep_day.id, begin, latest, detour_s, position)
    return Slot(rep_day.id, earliest, latest, detour_s, position)


def _within(timeline: Timeline, visit: Visit, detour_s: int) -> bool:
    """Whether the day's limits allow one more stop."""
    day, stops = timeline.rep_day, timeline.visits
    return (
        (day.max_drive_s is None or timeline.driving_s + detour_s <= day.max_drive_s)
        and (day.max_visits is None or len(stops) < day.max_visits)
        and (day.capacity is None or sum(v.demand for v in stops) + visit.demand <= day.capacity)
    )
