"""Random planning problems that use every word of the vocabulary, each made of one number."""

import random
from dataclasses import replace
from typing import Any

import numpy as np

from routing.pace import Pace
from routing.types import Break, Meeting, Night, Problem, RepDay, Spacing, Visit, Weights, Window

REPS = ("ann", "bob", "cem")


def random_problem(
    seed: int, *, most: int = 8, islands: bool = True, layers: bool = True, paced: bool = False
) -> Problem:
    """Up to three reps, three days and `most` visits on a clock of 60 ticks.

    Half of them are small towns in which much fits, the others anything that can be built. Without `islands` no road
    is missing and no drive is longer than a detour; without `layers` nobody meets and nobody sleeps out.
    `paced` puts the same problem into traffic that changes every few ticks.
    """
    rng = random.Random(seed)
    kind = rng.random() < 0.5
    n = rng.randint(1, most)
    seconds = _roads(rng, n + 2, islands and rng.random() < 0.5)
    reps = REPS[: rng.choice((1, 1, 2, 3))]
    rep_days = tuple(
        _rep_day(rng, rep, day, n + 1, easy=kind) for rep in reps for day in range(rng.choice((1, 2, 2, 3)))
    )
    visits = tuple(_visit(rng, k, rep_days, easy=kind) for k in range(n))
    meetings: tuple[Meeting, ...] = ()
    if layers and n > 1 and len(reps) > 1 and rng.random() < 0.5:
        meetings = (Meeting(tuple(f"v{k}" for k in range(rng.choice((2, 2, min(3, n)))))),)
        visits = (*(_open_to_all(v) for v in visits[:2]), *visits[2:]) if rng.random() < 0.7 else visits
    if paced:
        rep_days = tuple(replace(d, pace=_pace(random.Random(f"{seed} {d.day}"))) for d in rep_days)
    return Problem(
        rep_days,
        visits,
        seconds,
        spacings=_spacings(rng, n),
        weights=Weights(travel=rng.choice((0, 1, 1, 2)), fixed=rng.randint(0, 1), late=rng.randint(0, 2)),
        meetings=meetings,
        nights=_nights(rng, rep_days, n + 1) if layers and rng.random() < 0.4 else (),
    )


def _roads(rng: random.Random, places: int, islands: bool) -> Any:
    if rng.random() < 0.1:
        return np.zeros((places, places), dtype=int)  # all on one point
    cells = [rng.randint(0, 12) for _ in range(places**2)]
    seconds = np.array(cells).reshape(places, places)
    np.fill_diagonal(seconds, 0)
    if islands:
        return np.where(np.array([rng.random() < 0.15 for _ in cells]).reshape(places, places), -1, seconds)
    for via in range(places):
        seconds = np.minimum(seconds, seconds[:, via, None] + seconds[via, None, :])
    return seconds


def _windows(rng: random.Random) -> tuple[Window, ...]:
    edges = sorted(rng.sample(range(61), rng.choice((0, 2, 2, 4, 6))))
    return tuple(Window(o, c) for o, c in zip(edges[::2], edges[1::2], strict=True))


def _rep_day(rng: random.Random, rep: str, day: int, places: int, *, easy: bool) -> RepDay:
    opens = rng.randint(0, 5 if easy else 20)
    earliest = rng.randint(opens, 30) if easy else rng.randint(0, 50)
    rest = Break(rng.randint(1, 8), earliest, earliest + rng.randint(0, 20)) if rng.random() < 0.5 else None
    home = rng.randint(0, places)
    limited = rng.random() < (0.2 if easy else 0.5)
    return RepDay(
        id=f"{rep}{day}",
        rep=rep,
        day=day,
        start=home,
        end=home if rng.random() < 0.7 else rng.randint(0, places),
        open_s=opens,
        close_s=opens + rng.randint(35 if easy else 1, 60),
        rest=rest,
        max_drive_s=rng.randint(0, 40) if limited else None,
        max_visits=rng.randint(0, 4) if limited else None,
        capacity=rng.randint(0, 5) if limited else None,
        fixed_cost=rng.randint(0, 5),
        overtime_s=rng.choice((0, 0, 5, 15)),
        overtime_cost=rng.randint(0, 3),
    )


def _pace(rng: random.Random) -> Pace:
    """Hours of a few ticks, as a rule slower than usual: then the judge who knows no traffic must agree as well."""
    most = 1000 if rng.random() < 0.7 else 1500
    return Pace(tuple(rng.choice((most, rng.randint(400, most))) for _ in range(8)), rng.randint(3, 12))


def _visit(rng: random.Random, k: int, rep_days: tuple[RepDay, ...], *, easy: bool) -> Visit:
    reps = sorted({d.rep for d in rep_days})
    own = random.Random(rng.getstate()[1][k])
    return Visit(
        id=f"v{k}",
        place=k + 1,
        service_s=rng.randint(0, 10),
        windows=(Window(rng.randint(0, 10), rng.randint(40, 60)),) if easy and rng.random() < 0.6 else _windows(rng),
        prize=rng.randint(0, 60),
        mandatory=rng.random() < 0.2,
        days=frozenset(rng.sample(range(3), rng.randint(0, 2))) if rng.random() < 0.2 else None,
        reps=frozenset(rng.sample(reps, 1)) if rng.random() < 0.2 else None,
        windows_by_day={1: _windows(rng)} if rng.random() < 0.3 else {},
        demand=rng.randint(0, 2),
        due_day=rng.choice((None, 0, 1)),
        late_cost=rng.randint(0, 9),
        keep=rng.choice(rep_days).id if rng.random() < 0.3 else rng.choice((None, "gone")),
        change_cost=rng.randint(0, 20),
        usual_rep=own.choice((None, *reps, "gone")),
        other_rep_cost=own.randint(0, 15),
    )


def _open_to_all(visit: Visit) -> Visit:
    return Visit(visit.id, visit.place, visit.service_s, (Window(0, 60),), visit.prize, visit.mandatory)


def _spacings(rng: random.Random, n: int) -> tuple[Spacing, ...]:
    if n < 2 or rng.random() < 0.5:
        return ()
    least = rng.choice((0, 1, 1, 2))
    most = rng.choice((None, least, least + 1))
    return (Spacing(tuple(f"v{k}" for k in range(max(0, n - 3), n)), least, most),)


def _nights(rng: random.Random, rep_days: tuple[RepDay, ...], hotel: int) -> tuple[Night, ...]:
    pairs = [(a, b) for a in rep_days for b in rep_days if a.rep == b.rep and a.day < b.day]
    picked = rng.sample(pairs, min(len(pairs), 3))
    return tuple(Night(f"{a.id}-{b.id}", a.id, b.id, hotel, rng.randint(0, 10)) for a, b in picked)
