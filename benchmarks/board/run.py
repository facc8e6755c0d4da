"""What the plan board costs: the effect of a drop on 10 reps x 5 days and on 50 reps x 5 days, in CPU milliseconds.

The floor beside it is one check of the same plan by the verifier, the least that any lawful answer must do. Run:
`.venv/bin/python benchmarks/board/run.py`.
"""

import random
import statistics
import time

import numpy as np

from routing.adjusting import Desk, Effect
from routing.board import Board
from routing.check import verify
from routing.draft import Draft
from routing.plan import Plan, Reason, ReasonCode, Unplanned
from routing.types import Break, Problem, RepDay, Visit, Window

HOUR = 3600
STOPS = 9
TRIES = 40


def company(reps: int, days: int = 5) -> tuple[Problem, Board]:
    """Reps around their homes, nine stops a day and one visit in ten waiting; the same for the same numbers."""
    chance = random.Random(1)
    rest = Break(HOUR // 2, 12 * HOUR, 13 * HOUR)
    points, rep_days, visits, routes = [], [], [], {}
    for rep in range(reps):
        home = (chance.random() * 60, chance.random() * 60)
        points.append(home)
        start = len(points) - 1
        for day in range(days):
            name = f"rep{rep}/{day}"
            rep_days.append(RepDay(name, f"rep{rep}", day, start, start, 8 * HOUR, 17 * HOUR, rest, name=name))
            order = []
            for k in range(STOPS + 1):
                points.append((home[0] + chance.gauss(0, 4), home[1] + chance.gauss(0, 4)))
                key = f"{name}/{k}"
                spans = (Window(8 * HOUR, 17 * HOUR),)
                visits.append(Visit(key, len(points) - 1, 1500, spans, 5400, reps=frozenset({f"rep{rep}"})))
                order += [key] if k < STOPS else []
            routes[name] = tuple(sorted(order))
    place = np.array(points)
    seconds = (90 * np.linalg.norm(place[:, None] - place[None, :], axis=2)).astype(int)
    problem = Problem(tuple(rep_days), tuple(visits), seconds, metres=seconds * 12)
    return problem, Board({name: lawful(problem, name, order) for name, order in routes.items()})


def lawful(problem: Problem, name: str, order: tuple[str, ...]) -> tuple[str, ...]:
    """As many of the stops as the day holds, each in its cheapest place."""
    k = problem.rep_day_index[name]
    one = Problem((problem.rep_days[k],), tuple(problem.visit(v) for v in order), problem.seconds)
    draft = Draft(one)
    for visit in range(len(order)):
        if (gap := draft.best_gap(visit)) is not None:
            draft.insert(visit, 0, gap.position)
    return tuple(order[v] for v in draft.routes[0])


def milliseconds(work: object) -> float:
    """CPU time of one call."""
    begin = time.thread_time()
    work()  # type: ignore[operator]
    return 1000 * (time.thread_time() - begin)


def measure(reps: int) -> None:
    """One line of the table."""
    problem, board = company(reps)
    begin = time.thread_time()
    desk = Desk(problem, board)
    opening = 1000 * (time.thread_time() - begin)
    waiting = (Reason(ReasonCode.NOT_PLACED, "-"),)
    plan = Plan(
        tuple(desk.routes.values()), tuple(Unplanned(v.id, waiting) for v in problem.visits if v.id not in board.at)
    )
    floor = statistics.median(milliseconds(lambda: verify(problem, plan)) for _ in range(9))
    chance, possible, times, offers = random.Random(2), 0, [], []
    for _ in range(TRIES):
        visit, day = chance.choice(problem.visits).id, chance.choice(problem.rep_days).id
        at = chance.choice([None, chance.randrange(8 * HOUR, 16 * HOUR)])
        begin = time.thread_time()
        effect = desk.place(visit, day, at)
        times.append(1000 * (time.thread_time() - begin))
        possible += isinstance(effect, Effect)
        offers.append(milliseconds(lambda visit=visit: desk.offers(visit)) if reps <= 10 else 0.0)
    stops = sum(len(order) for order in board.routes.values())
    worst = max(times)
    print(
        f"{reps} reps x 5 days, {stops} stops: open {opening:.0f} ms; a drop: median {statistics.median(times):.1f} ms,"
        f" worst {worst:.1f} ms = {worst / floor:.1f} x one check ({floor:.1f} ms); {possible} of {TRIES} possible"
        + (f"; all days for one stop: {max(offers):.0f} ms" if reps <= 10 else "")
    )


if __name__ == "__main__":
    for number in (10, 50):
        measure(number)
