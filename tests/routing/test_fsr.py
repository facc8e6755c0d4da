import gzip
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from routing import fsr
from routing.budget import Budget
from routing.check import verify
from routing.plan import Plan
from routing.schedule import Broken, schedule
from routing.solve import solve
from routing.types import InvalidProblem, Window
from tests.routing.judge import SHARED, judge
from tests.routing.random_problems import random_problem

INSTANCES = sorted((SHARED / "data" / "routing").glob("fs-*.json.gz"))


def document() -> dict[str, Any]:
    return {
        "format": "fsr/1",
        "name": "two doors",
        "unit": 1,
        "time": [[0, 600, 900], [600, 0, 300], [900, 300, 0]],
        "visits": [
            {"id": "a", "loc": 1, "service": 1200, "windows": [[0, 100], [30000, 40000]], "prize": 5000,
             "required": True, "days": None, "reps": None, "demand": 0, "due_day": None, "late_cost": 0},
            {"id": "b", "loc": 2, "service": 600, "windows": [[28800, 60000]], "prize": 4000, "required": False,
             "days": [0], "reps": ["ann"], "windows_by_day": {"0": [[36000, 39000]]}},
        ],
        "shifts": [
            {"id": "s", "rep": "ann", "day": 0, "start_loc": 0, "end_loc": 0, "open": 28800, "close": 61200,
             "break": {"dur": 2700, "earliest": 41400, "latest": 47700}, "max_drive": None, "max_visits": None,
             "capacity": None, "fixed_cost": 0}
        ],
        "spacing": [],
        "weights": {"prize": 1, "travel": 1, "fixed": 0, "late": 1},
    }  # fmt: skip


def needed_judge() -> ModuleType:
    module = judge()
    if module is None:
        pytest.skip("the independent judge is not here")
    return module


@pytest.mark.parametrize("name", ["plan.json", "plan.json.gz"])
def test_an_instance_is_read_with_windows_that_bound_the_end_of_the_service(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = json.dumps(document()).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    instance = fsr.read(path)
    a, b = instance.problem.visits
    assert instance.name == "two doors"
    assert a.windows == (Window(0, 1300), Window(30000, 41200))
    assert a.mandatory
    assert b.windows_on(0) == (Window(36000, 39600),)
    assert fsr.document(instance.problem)["visits"][0]["windows"] == [[0, 100], [30000, 40000]]


def test_a_problem_with_every_word_is_the_same_when_it_is_written_and_read_again(tmp_path: Path) -> None:
    words = set()
    for seed in range(40):
        problem = random_problem(seed, paced=seed % 3 == 2)
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(fsr.document(problem)))
        again = fsr.read(path).problem
        words |= {name for name in ("meetings", "nights", "spacings") if getattr(problem, name)}
        assert again.rep_days == problem.rep_days
        assert np.array_equal(again.seconds, problem.seconds)
        assert (again.meetings, again.nights, again.spacings) == (problem.meetings, problem.nights, problem.spacings)
        for given, read in zip(problem.visits, again.visits, strict=True):
            assert replace(given, windows=read.windows, windows_by_day=read.windows_by_day) == read
            assert all(w in given.windows for w in read.windows)
    assert words == {"meetings", "nights", "spacings"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("shifts"), "field 'shifts' is missing"),
        (lambda d: d["shifts"][0].update(pace=[900, 1000]), r"shift s.pace: must be .* is \[900, 1000\]"),
        (lambda d: d["shifts"][0].update(pace={"speeds": 900, "step": 3600}), "shift s.pace: must be"),
        (lambda d: d["shifts"][0].update(pace={"speeds": [900]}), "shift s.pace: must be"),
        (lambda d: d["shifts"][0].update(pace={"speeds": [], "step": 9}), "shift s: pace.speeds: names no hour"),
        (lambda d: d["shifts"][0].update(pace={"speeds": [9, 0], "step": 9}), r"shift s: pace.speeds\[1\]: must be"),
        (lambda d: d["shifts"][0].update(pace={"speeds": [9, 0.5], "step": 9}), r"shift s: pace.speeds\[1\]: must be"),
        (lambda d: d["shifts"][0].update(pace={"speeds": [9], "step": 0}), "shift s: pace.step_s: must be"),
        (lambda d: d["visits"][0].update(loc=9), "visit a.place: 9 is no row"),
        (lambda d: d["visits"][0].update(service="long"), "wrong kind|visit a.service_s"),
        (lambda d: d["visits"][1].update(id="a"), "visits: 'a' is there twice"),
        (lambda d: d["shifts"][0].update(close=0), "rep_day s.close_s"),
        (lambda d: d.update(time=[[0, 1]]), "seconds: must be a square matrix"),
        (lambda d: d.update(time=[[0, 1], [2]]), "time: its rows are not equally long"),
        (lambda d: d.update(time=[[0, None], [1, 0]]), "seconds: must hold whole numbers, -1 where there is no way"),
        (lambda d: d.update(dist=[[0, None], [1, 0]]), "dist: must hold numbers only"),
        (lambda d: d.update(visits={}), "visits: must be a list"),
        (lambda d: d.update(weights=None), "weights: must be an object"),
        (lambda d: d["visits"][1].pop("prize"), r"visits\[1\]: field 'prize' is missing"),
        (lambda d: d["visits"][1].update(windows=None), r"visits\[1\]: has a value of the wrong kind"),
        (lambda d: d["visits"][1].update(required="false"), "visit b.required: must be true or false"),
        (lambda d: d["visits"][1].update(days="0"), "visit b.days: must be a whole number"),
        (lambda d: d["visits"][1].update(service=10**30), "is too large"),
        (lambda d: d["visits"][1].update(prize=10**19), "visit b.prize: is too large"),
        (lambda d: d["shifts"][0].update(day=10**20), "rep_day s.day: is too large"),
        (lambda d: d.update(weights={"prize": 2**50, "travel": 1}), "weights: prizes, costs and weights together"),
        (lambda d: d.update(format="csv"), "format must be 'fsr/1'"),
    ],
)
def test_a_broken_file_is_refused_and_the_message_names_file_and_field(tmp_path: Path, change, message: str) -> None:
    path = tmp_path / "plan.json"
    broken = document()
    change(broken)
    path.write_text(json.dumps(broken))
    with pytest.raises(InvalidProblem, match=message) as error:
        fsr.read(path)
    assert str(error.value).startswith("plan.json: ")


@pytest.mark.parametrize("data", [b"", b"{", b"\x1f\x8bgarbage", b"[]", b"[" * 100_000])
def test_a_file_that_is_no_planning_file_at_all_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "plan.json.gz"
    path.write_bytes(data)
    with pytest.raises(InvalidProblem, match=r"^plan.json.gz: "):
        fsr.read(path)


def test_a_written_plan_passes_the_independent_judge(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document()))
    problem = fsr.read(path).problem
    plan = solve(problem, seed=1, budget=Budget(steps=1_000))
    out = tmp_path / "out.json"
    fsr.write(out, problem, plan, seconds=0.1)
    written = json.loads(out.read_text())
    assert written["feasible"]
    assert written["value"] == 9000 - 1800
    assert [r["shift"] for r in written["routes"]] == ["s"]
    verdict = needed_judge().check(document(), written)
    assert verdict["feasible"]
    assert verdict["score"] == written["value"]


@pytest.mark.skipif(not INSTANCES, reason="the public instances are not here")
def test_the_best_known_plans_of_the_public_instances_are_lawful_and_worth_what_they_say() -> None:
    for path in INSTANCES:
        instance = fsr.read(path)
        problem = instance.problem
        known = json.loads(gzip.decompress((path.parent / "solutions" / f"{instance.name}.sol.json.gz").read_bytes()))
        routes = []
        for r in known["routes"]:
            route = schedule(problem, problem.rep_day(r["shift"]), [problem.visit(v) for v in r["stops"]])
            assert not isinstance(route, Broken)
            routes.append(route)
        report = verify(problem, Plan(tuple(routes), ()))
        assert not report.missing
        assert {v.rule for v in report.violations} <= {"unplanned"}
        best = json.loads(gzip.decompress(path.read_bytes()))["bks"]["value"]
        assert report.value.total == best


@pytest.mark.skipif(not INSTANCES, reason="the public instances are not here")
@pytest.mark.parametrize(
    "path", [p for p in INSTANCES if "1000" not in p.name and "550" not in p.name], ids=lambda p: p.name
)
def test_public_instances_are_planned_lawfully_by_both_verifiers(path: Path) -> None:
    instance = fsr.read(path)
    plan = solve(instance.problem, seed=1, budget=Budget(steps=20_000))
    written = fsr.solution(instance.problem, plan)
    verdict = needed_judge().check(json.loads(gzip.decompress(path.read_bytes())), written)
    assert verdict["feasible"], verdict["violations"]
    assert verdict["score"] == written["value"]
    assert all(u.reasons for u in plan.unplanned)
