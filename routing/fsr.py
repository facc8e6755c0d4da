"""Planning files in the neutral `fsr/1` format, so that public instances come through the same door.

An `fsr/1` window bounds the *start* of a service, ours bound start and end: reading adds the service
time to each window's end. Solutions carry starts only, so writing has nothing to take off; `windows_out`
does it for whoever writes an instance. Times keep the file's unit; they are whole numbers either way.
"""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from routing.check import verify
from routing.plan import Plan
from routing.types import Break, InvalidProblem, Problem, RepDay, Spacing, Visit, Weights, Window

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
    except ValueError as error:
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
        "unplanned": [{"visit": u.visit, "reasons": [str(r.code) for r in u.reasons]} for u in plan.unplanned],
    }


def windows_out(windows: Sequence[Window], service_s: int) -> list[list[int]]:
    """Our windows as spans of allowed *starts*; those shorter than the service fall away."""
    return [[w.open_s, w.close_s - service_s] for w in windows if w.close_s - service_s >= w.open_s]


def _instance(document: Mapping[str, Any], name: str) -> Instance:
    weights = document.get("weights", {})
    problem = Problem(
        rep_days=tuple(_rep_day(s) for s in document["shifts"]),
        visits=tuple(_visit(v) for v in document["visits"]),
        seconds=np.asarray(document["time"]),
        metres=None if not document.get("dist") else np.rint(np.asarray(document["dist"])).astype(np.int64),
        spacings=tuple(
            Spacing(tuple(s["visits"]), s["min_gap"], s.get("max_gap")) for s in document.get("spacing") or ()
        ),
        weights=Weights(**{k: weights.get(k, 0) for k in ("prize", "travel", "fixed", "late")}),
    )
    return Instance(str(document.get("name", name)), float(document.get("unit", 1)), problem)


def _windows(spans: Sequence[Sequence[int]], service: int) -> tuple[Window, ...]:
    return tuple(Window(o, c + service) for o, c in spans)


def _visit(v: Mapping[str, Any]) -> Visit:
    service = v["service"]
    return Visit(
        id=v["id"],
        place=v["loc"],
        service_s=service,
        windows=_windows(v["windows"], service),
        prize=v["prize"],
        mandatory=bool(v.get("required")),
        days=None if v.get("days") is None else frozenset(v["days"]),
        reps=None if v.get("reps") is None else frozenset(str(r) for r in v["reps"]),
        windows_by_day={int(d): _windows(w, service) for d, w in (v.get("windows_by_day") or {}).items()},
        demand=v.get("demand") or 0,
        due_day=v.get("due_day"),
        late_cost=v.get("late_cost") or 0,
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
    )
