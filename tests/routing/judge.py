"""The independent judge of plans, and our words in terms of those it knows."""

import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from routing import fsr
from routing.check import value_of
from routing.plan import Plan
from routing.types import UNREACHABLE, Problem

SHARED = Path(os.environ.get("WAYMARK_SHARED", Path(__file__).parents[3] / "shared"))
NO_ROAD_S = 10_000_000


def judge() -> ModuleType | None:
    """The judge's program, when it is there."""
    path = SHARED / "bench" / "check_plan.py"
    spec = importlib.util.spec_from_file_location("check_plan", path) if path.exists() else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def complaints(module: ModuleType, problem: Problem, plan: Plan) -> list[str]:
    """What the judge has against a plan, its value included.

    It knows neither overtime nor nights, changes, usual reps nor meetings: shifts end with the overtime, the anchors
    are at the hotels, and what these cost is taken off its score. Roads that are missing take longer than any shift.
    """
    booked = problem.with_nights(plan.nights)
    longer = replace(
        booked,
        rep_days=tuple(replace(d, close_s=d.latest_s, overtime_s=0) for d in booked.rep_days),
        seconds=np.where(booked.seconds == UNREACHABLE, NO_ROAD_S, booked.seconds),
    )
    verdict = module.check(fsr.document(longer), fsr.solution(problem, plan))
    value = value_of(problem, plan)
    found = list(verdict["violations"])
    if verdict["score"] != value.total + value.overtime + value.changes + value.nights + value.others:
        found.append(f"is worth {verdict['score']}, not {value}")
    return found
