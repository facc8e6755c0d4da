"""Planning files in the neutral `fsr/1` format, so that public instances come through the same door.

An `fsr/1` window bounds the *start* of a service, ours bound start and end: reading adds the service
time to each window's end, `document` takes it off again. Solutions carry starts only, so there is nothing to
take off. Times keep the file's unit; they are whole numbers either way.

What our problems say beyond the format stands in optional fields, which other readers may ignore:

* shifts: `overtime` (how long after `close` the rep may return) and `overtime_cost` (of each unit of time);
* visits: `keep` (shift on which people know it) and `change_cost` (of serving it elsewhere or not at all), `usual_rep`
  and `other_rep_cost` (of somebody else's coming);
* `meetings` [{visits}]: these visits begin at the same moment, by different reps, or none is served;
* `nights` [{id, evening, morning, loc, cost}]: instead of driving home, shift `evening` may end and shift `morning`
  begin at `loc`; a solution names the nights it takes in `nights`.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from routing.check import verify
from routing.pace import Pace
from routing.plan import Plan
from routing.types import Break, InvalidProblem, Meeting, Night, Problem, RepDay, Spacing, Visit, Weights, Window
from routing.values import whole

FORMAT = "fsr/1"


@dataclass(frozen=True, slots=True)
class Instance:
    """A planning problem as it came from a file."""

    name: str
    unit_s: float
    """Seconds per unit of time in the file."""
    problem: Problem


def read(path: Path) -> Instance:
    """Read an `fsr/1` instance, plain or gzipped.

    Raises
    ------
    InvalidProblem
        When the file is no JSON, no `fsr/1`, or a value in it is missing or impossible; names file and field.
    OSError
        When the file cannot be opened.
    """
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        document = json.loads(text)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidProblem(path.name, f"is not a whole gzip file ({error})") from error
    except (ValueError, RecursionError) as error:
        raise InvalidProblem(path.name, f"is not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidProblem(path.name, f"is not a planning file: format must be {FORMAT!r}")
    try:
        return _instance(document, path.name.removesuffix(".gz").removesuffix(".json"))
    except InvalidProblem as error:
        raise InvalidProblem(path.name, str(error)) from error
    except KeyError as error:
        raise InvalidProblem(path.name, f"field {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidProblem(path.name, f"has a value of the wrong kind ({error})") from error


def write(path: Path, problem: Problem, plan: Plan, *, seconds: float | None = None) -> None:
    """Write a plan as an `fsr/1` solution (gzipped when the name ends in .gz)."""
    text = json.dumps(solution(problem, plan, seconds=seconds), separators=(",", ":")) + "\n"
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def solution(problem: Problem, plan: Plan, *, seconds: float | None = None) -> dict[str, Any]:
    """The `fsr/1` solution document of a plan, with our own verdict and the reasons beside it."""
    report = verify(problem, plan)
    return {
        "routes": [
            {
                "shift": r.rep_day,
                "stops": [s.visit for s in r.stops],
                "times": [s.starts_s for s in r.stops],
                "break_start": r.break_s,
            }
            for r in plan.routes
        ],
        "solver": f"waymark {plan.engine} seed {plan.seed}",
        "seconds": seconds,
        "value": report.value.total,
        "feasible": report.ok,
        "nights": list(plan.nights),
        "unplanned": [{"visit": u.visit, "reasons": [str(r.code) for r in u.reasons]} for u in plan.unplanned],
    }


def document(problem: Problem, *, name: str = "", unit_s: float = 1) -> dict[str, Any]:
    """The `fsr/1` instance of a problem; read again it is the same problem but for names and explanations."""
    w = problem.weights
    return {
        "format": FORMAT,
        "name": name,
        "unit": unit_s,
        "time": problem.seconds.tolist(),
        "dist": None if problem.metres is None else problem.metres.tolist(),
        "visits": [_visit_out(v) for v in problem.visits],
        "shifts": [_rep_day_out(d) for d in problem.rep_days],
        "spacing": [
            {"visits": list(s.visits), "min_gap": s.min_gap_days, "max_gap": s.max_gap_days} for s in problem.spacings
        ],
        "weights": {"prize": w.prize, "travel": w.travel, "fixed": w.fixed, "late": w.late},
        "meetings": [{"visits": list(m.visits)} for m in problem.meetings],
        "nights": [
            {"id": x.id, "evening": x.evening, "morning": x.morning, "loc": x.place, "cost": x.cost}
            for x in problem.nights
        ],
    }


def _windows_out(windows: Sequence[Window], service_s: int) -> list[list[int]]:
    """Our windows as spans of allowed *starts*; those shorter than the service fall away."""
    return [[w.open_s, w.close_s - service_s] for w in windows if w.close_s - service_s >= w.open_s]


def _visit_out(v: Visit) -> dict[str, Any]:
    return {
        "id": v.id,
        "loc": v.place,
        "service": v.service_s,
        "windows": _windows_out(v.windows, v.service_s),
        "prize": v.prize,
        "required": v.mandatory,
        "days": None if v.days is None else sorted(v.days),
        "reps": None if v.reps is None else sorted(v.reps),
        "windows_by_day": {str(d): _windows_out(w, v.service_s) for d, w in sorted(v.windows_by_day.items())},
        "demand": v.demand,
        "due_day": v.due_day,
        "late_cost": v.late_cost,
        "keep": v.keep,
        "change_cost": v.change_cost,
        "usual_rep": v.usual_rep,
        "other_rep_cost": v.other_rep_cost,
    }


def _rep_day_out(d: RepDay) -> dict[str, Any]:
    rest = d.rest
    pace = {} if d.pace is None else {"pace": {"speeds": list(d.pace.speeds), "step": d.pace.step_s}}
    return {
        **pace,
        "id": d.id,
        "rep": d.rep,
        "day": d.day,
        "start_loc": d.start,
        "end_loc": d.end,
        "open": d.open_s,
        "close": d.close_s,
        "break": rest and {"dur": rest.duration_s, "earliest": rest.earliest_s, "latest": rest.latest_s},
        "max_drive": d.max_drive_s,
        "max_visits": d.max_visits,
        "capacity": d.capacity,
        "fixed_cost": d.fixed_cost,
        "overtime": d.overtime_s,
        "overtime_cost": d.overtime_cost,
    }


def _instance(document: Mapping[str, Any], name: str) -> Instance:
    weights = document.get("weights", {})
    if not isinstance(weights, Mapping):
        raise InvalidProblem("weights", f"must be an object of numbers, not {weights!r}")
    optional = {name: document.get(name) or () for name in ("spacing", "meetings", "nights")}
    problem = Problem(
        rep_days=_each("shifts", document["shifts"], _rep_day),
        visits=_each("visits", document["visits"], _visit),
        seconds=_numbers("time", document["time"]),
        metres=None if not document.get("dist") else _rounded("dist", document["dist"]),
        spacings=_each("spacing", optional["spacing"], _spacing),
        weights=Weights(**{k: weights.get(k, 0) for k in ("prize", "travel", "fixed", "late")}),
        meetings=_each("meetings", optional["meetings"], lambda m: Meeting(tuple(m["visits"]))),
        nights=_each("nights", optional["nights"], _night),
    )
    return Instance(str(document.get("name", name)), float(document.get("unit", 1)), problem)


def _each[T](name: str, rows: Sequence[Any], build: Callable[[Any], T]) -> tuple[T, ...]:
    """Every row as what it stands for; a row that is broken is named."""
    if not isinstance(rows, list | tuple):
        raise InvalidProblem(name, f"must be a list, not {type(rows).__name__}")
    found = []
    for k, row in enumerate(rows):
        try:
            found.append(build(row))
        except InvalidProblem:
            raise
        except KeyError as error:
            raise InvalidProblem(f"{name}[{k}]", f"field {error} is missing") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise InvalidProblem(f"{name}[{k}]", f"has a value of the wrong kind ({error})") from error
    return tuple(found)


def _numbers(name: str, rows: Any) -> np.ndarray:
    try:
        return np.asarray(rows)
    except ValueError as error:
        raise InvalidProblem(name, "its rows are not equally long") from error


def _rounded(name: str, rows: Any) -> np.ndarray:
    """Metres may have fractions."""
    given = _numbers(name, rows)
    if given.dtype.kind not in "iuf" or not np.isfinite(given).all():
        raise InvalidProblem(name, "must hold numbers only; -1 where there is no way")
    return np.rint(given).astype(np.int64)


def _spacing(s: Mapping[str, Any]) -> Spacing:
    return Spacing(tuple(s["visits"]), s["min_gap"], s.get("max_gap"))


def _night(x: Mapping[str, Any]) -> Night:
    return Night(x["id"], x["evening"], x["morning"], x["loc"], x.get("cost") or 0)


def _windows(spans: Sequence[Sequence[int]], service: int) -> tuple[Window, ...]:
    return tuple(Window(o, c + service) for o, c in spans)


def _visit(v: Mapping[str, Any]) -> Visit:
    service, required, days = v["service"], v.get("required") or False, v.get("days")
    if not isinstance(required, bool | int):
        raise InvalidProblem(f"visit {v['id']}.required", f"must be true or false, not {required!r}")
    for day in days or ():
        whole(f"visit {v['id']}.days", day)
    return Visit(
        id=v["id"],
        place=v["loc"],
        service_s=service,
        windows=_windows(v["windows"], service),
        prize=v["prize"],
        mandatory=bool(required),
        days=None if days is None else frozenset(days),
        reps=None if v.get("reps") is None else frozenset(str(r) for r in v["reps"]),
        windows_by_day={int(d): _windows(w, service) for d, w in (v.get("windows_by_day") or {}).items()},
        demand=v.get("demand") or 0,
        due_day=v.get("due_day"),
        late_cost=v.get("late_cost") or 0,
        keep=v.get("keep"),
        change_cost=v.get("change_cost") or 0,
        usual_rep=None if v.get("usual_rep") is None else str(v["usual_rep"]),
        other_rep_cost=v.get("other_rep_cost") or 0,
    )


def _rep_day(s: Mapping[str, Any]) -> RepDay:
    rest = s.get("break")
    return RepDay(
        id=s["id"],
        rep=str(s["rep"]),
        day=s["day"],
        start=s["start_loc"],
        end=s["end_loc"],
        open_s=s["open"],
        close_s=s["close"],
        rest=None if rest is None else Break(rest["dur"], rest["earliest"], rest["latest"]),
        max_drive_s=s.get("max_drive"),
        max_visits=s.get("max_visits"),
        capacity=s.get("capacity"),
        fixed_cost=s.get("fixed_cost") or 0,
        overtime_s=s.get("overtime") or 0,
        overtime_cost=1 if s.get("overtime_cost") is None else s["overtime_cost"],
        pace=_pace(f"shift {s['id']}", s.get("pace")),
    )


def _pace(shift: str, pace: Any) -> Pace | None:
    if pace is None:
        return None
    if not isinstance(pace, Mapping) or not isinstance(pace.get("speeds"), list) or "step" not in pace:
        raise InvalidProblem(f"{shift}.pace", f'must be {{"speeds": [per hour], "step": seconds}}, is {pace!r}')
    try:
        return Pace(tuple(pace["speeds"]), pace["step"])
    except InvalidProblem as error:
        raise InvalidProblem(shift, str(error)) from error
