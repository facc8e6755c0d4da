from dataclasses import replace

import numpy as np
import pytest

from routing.budget import Budget
from routing.offers import Day, Offer, Shade, Shut, Slot, offers, with_moves
from routing.schedule import Broken, schedule
from routing.solve import solve
from routing.timeline import NEVER, Timeline, drive_s
from routing.types import Break, Problem, RepDay, Visit, Window

H, M = 3600, 60
OPEN = (Window(8 * H, 18 * H),)
ANN = RepDay(id="ann", rep="ann", day=0, start=0, end=0, open_s=8 * H, close_s=12 * H)
ROW = np.abs(np.arange(8)[:, None] - np.arange(8)[None]) * 10 * M


def door(name: str, place: int, **changes: object) -> Visit:
    return Visit(**{"id": name, "place": place, "service_s": H, "windows": OPEN, **changes})  # type: ignore[arg-type]


def day_of(problem: Problem, rep_day: RepDay, stops: list[Visit], place: int) -> Day:
    nodes = [rep_day.start, *(v.place for v in stops), rep_day.end]
    there = [drive_s(problem, node, place) for node in nodes[:-1]]
    onward = [drive_s(problem, place, node) for node in nodes[1:]]
    return Day(Timeline.of(problem, rep_day, stops), there, onward)


def test_every_gap_offers_its_earliest_round_time_the_least_detour_first() -> None:
    stop, new = door("a", 2, windows=(Window(9 * H + 30 * M, 10 * H + 30 * M),)), door("x", 3, service_s=30 * M)
    problem = Problem((ANN,), (stop, new), ROW)
    found = offers([day_of(problem, ANN, [stop], 3)], new)[0]
    assert found.slots == (
        Slot("ann", 8 * H + 30 * M, 8 * H + 50 * M, 20 * M, 0),
        Slot("ann", 10 * H + 40 * M, 11 * H, 20 * M, 1),
    )
    assert [slot.shade for slot in found.slots] == [Shade.FAIR, Shade.FAIR]


def test_a_time_that_is_not_round_is_offered_when_there_is_no_other() -> None:
    new = door("x", 1, windows=(Window(9 * H + 1, 10 * H + 200),))
    found = offers([day_of(Problem((ANN,), (new,), ROW), ANN, [], 1)], new)[0]
    assert (found.best.starts_s, found.best.latest_s) == (9 * H + 60, 9 * H + 200)  # type: ignore[union-attr]
    exact = replace(new, windows=(Window(9 * H + 1, 10 * H + 2),))
    assert offers([day_of(Problem((ANN,), (new,), ROW), ANN, [], 1)], exact)[0].slots[0].starts_s == 9 * H + 1


@pytest.mark.parametrize(
    ("rep_day", "visit", "shut"),
    [
        (ANN, door("x", 1, reps=frozenset({"bob"})), Shut.NOT_ALLOWED),
        (ANN, door("x", 1, windows=()), Shut.CLOSED),
        (ANN, door("x", 1, windows=(Window(9 * H, 9 * H + 30 * M),)), Shut.CLOSED),
        (replace(ANN, max_visits=0), door("x", 1), Shut.LIMIT),
        (replace(ANN, max_drive_s=60), door("x", 1), Shut.LIMIT),
        (replace(ANN, capacity=0), door("x", 1, demand=1), Shut.LIMIT),
        (ANN, door("x", 1, service_s=4 * H), Shut.FULL),
    ],
)
def test_a_day_without_a_time_says_why(rep_day: RepDay, visit: Visit, shut: Shut) -> None:
    problem = Problem((rep_day,), (visit,), ROW)
    found = offers([day_of(problem, rep_day, [], visit.place)], visit)[0]
    assert (found.shut, found.best) == (shut, None)


def test_an_island_is_told_apart_from_a_full_day() -> None:
    day = Day(Timeline(ANN, [], [0]), [NEVER], [NEVER])
    assert offers([day], door("x", 1))[0].shut is Shut.UNREACHABLE


@pytest.mark.parametrize("seed", range(10))
def test_every_time_that_is_offered_can_be_kept_from_its_earliest_to_its_latest_minute(seed: int) -> None:
    dice = np.random.default_rng(seed)
    spots = dice.integers(0, 40, size=(9, 2))
    seconds = np.abs(spots[:, None] - spots[None]).sum(axis=2) * 60
    rest = Break(30 * M, 11 * H, 13 * H) if seed % 2 else None
    rep_day = RepDay("d", "r", 0, 0, 0, 8 * H, 16 * H, rest)
    stops: list[Visit] = []
    for k in range(1, 8):
        open_s = int(dice.integers(7, 13)) * H
        visit = Visit(f"v{k}", k, 20 * M, (Window(open_s, open_s + 3 * H),))
        problem = Problem((rep_day,), (*stops, visit), seconds)
        if not isinstance(schedule(problem, rep_day, [*stops, visit]), Broken):
            stops.append(visit)
    new = Visit("x", 8, 30 * M, (Window(8 * H, 12 * H), Window(13 * H, 17 * H)))
    problem = Problem((rep_day,), (*stops, new), seconds)
    found = offers([day_of(problem, rep_day, stops, 8)], new)[0]
    assert found.slots
    base = Timeline.of(problem, rep_day, stops).driving_s
    for slot in found.slots:
        for begin in (slot.starts_s, slot.latest_s):
            fixed = replace(new, windows=(Window(begin, begin + new.service_s),))
            order = [*stops[: slot.position], fixed, *stops[slot.position :]]
            route = schedule(replace(problem, visits=(*stops, fixed)), rep_day, order)
            assert not isinstance(route, Broken), slot
            assert route.drive_s == base + slot.detour_s


def with_moves_of(seed: int) -> tuple[Problem, list[Visit], Visit, Offer, Offer]:
    """A planned day of up to seven stops over an hour's drive; what is offered without and with moving them."""
    dice = np.random.default_rng(seed)
    spots = dice.integers(0, 40, size=(9, 2))
    seconds = np.abs(spots[:, None] - spots[None]).sum(axis=2) * 60
    rep_day = RepDay("d", "r", 0, 0, 0, 7 * H, 19 * H, Break(30 * M, 11 * H, 14 * H))
    stops: list[Visit] = []
    for k in range(1, 8):
        open_s = int(dice.integers(7, 13)) * H
        visit = Visit(f"v{k}", k, 20 * M, (Window(open_s, open_s + 4 * H),) if k % 2 else OPEN)
        problem = Problem((rep_day,), (*stops, visit), seconds)
        if not isinstance(schedule(problem, rep_day, [*stops, visit]), Broken):
            stops.append(visit)
    new = Visit("x", 8, 30 * M, (Window(8 * H, 17 * H),))
    wanted = Problem((rep_day,), tuple(replace(v, mandatory=True) for v in stops), seconds)
    [planned] = solve(wanted, budget=Budget(steps=1_000)).routes
    problem = Problem((rep_day,), (*stops, new), seconds)
    stops = [problem.visit(stop.visit) for stop in planned.stops]
    day = day_of(problem, rep_day, stops, 8)
    nodes = [0, *(v.place for v in stops), 8, 0]
    before = offers([day], new)[0]
    return problem, stops, new, before, with_moves(day, seconds[np.ix_(nodes, nodes)].tolist(), new, before)


@pytest.mark.parametrize("seed", range(6))
def test_a_time_for_which_others_change_places_can_be_kept_and_costs_what_it_says(seed: int) -> None:
    problem, stops, new, before, after = with_moves_of(seed)
    rep_day = problem.rep_days[0]
    base = Timeline.of(problem, rep_day, stops).driving_s
    assert set(before.slots) <= set(after.slots)
    for slot in after.slots:
        if not slot.order:
            continue
        assert before.best is None or slot.detour_s < before.best.detour_s
        assert slot.moves
        others = [stops[k] for k in slot.order]
        for begin in (slot.starts_s, slot.latest_s):
            fixed = replace(new, windows=(Window(begin, begin + new.service_s),))
            order = [*others[: slot.position], fixed, *others[slot.position :]]
            route = schedule(replace(problem, visits=(*stops, fixed)), rep_day, order)
            assert not isinstance(route, Broken), slot
            assert route.drive_s == base + slot.detour_s


def test_the_best_time_is_within_a_twentieth_of_the_best_order_of_all() -> None:
    found = 0
    for seed in range(20):
        problem, stops, _new, before, after = with_moves_of(seed)
        if after.best is None:
            continue
        rep_day = problem.rep_days[0]
        base = Timeline.of(problem, rep_day, stops).driving_s
        full = solve(
            replace(problem, visits=tuple(replace(v, mandatory=True) for v in problem.visits)),
            budget=Budget(steps=2_000),
        )
        [route] = full.routes
        assert base + after.best.detour_s <= 1.05 * route.drive_s
        found += before.best is None or after.best.detour_s < before.best.detour_s
    assert found, "without moving others this would not be so"
