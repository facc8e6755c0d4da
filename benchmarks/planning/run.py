"""Plan the public instances, have every plan judged by an independent checker, and print a table of gaps.

    python -m benchmarks.planning.run --seconds 2 10 [--engine ortools] [--only fs-] [--json results.json]

Instances and judge are looked for in ../shared beside the repository (`--shared` for another place). Budgets are CPU
seconds of the search in one thread; every run is a process of its own, as `waymark plan-file` starts it, one at a time.
"""

import argparse
import gzip
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]


def load_judge(shared: Path) -> ModuleType:
    """The independent checker as a module."""
    path = shared / "bench" / "check_plan.py"
    spec = importlib.util.spec_from_file_location("check_plan", path)
    if spec is None or spec.loader is None or not path.exists():
        sys.exit(f"{path} is missing: the instances cannot be judged")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def best_known(instance: dict[str, Any]) -> float | None:
    """The best value seen, as a score of the instance's own weights; None where conventions differ."""
    known = instance["bks"]["value"]
    if isinstance(known, list):
        vehicles, distance = known
        return -(vehicles * instance["shifts"][0]["fixed_cost"] + distance / instance["unit"])
    return -known / instance["unit"] if instance["weights"]["prize"] == 0 else known


def plan(source: Path, seconds: float, seed: int, engine: str) -> dict[str, Any]:
    """Run `waymark plan-file` and read what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "plan.json"
        command = [sys.executable, "-c", "from server.cli import main; main()", "plan-file", str(source), str(target)]
        command += ["--seconds", str(seconds), "--seed", str(seed), "--engine", engine]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        written: dict[str, Any] = json.loads(target.read_text())
        return written


def measure(judge: ModuleType, source: Path, seconds: float, seed: int, engine: str) -> dict[str, Any]:
    """One run, judged."""
    instance = json.loads(gzip.decompress(source.read_bytes()))
    answer = plan(source, seconds, seed, engine)
    verdict = judge.check(instance, answer)
    best = best_known(instance)
    gap = None if best is None else 100 * (best - verdict["score"]) / abs(best)
    return {
        "instance": source.name.removesuffix(".json.gz"),
        "seconds": seconds,
        "cpu_s": answer["seconds"],
        "feasible": verdict["feasible"],
        "violations": verdict["violations"],
        "score": verdict["score"],
        "agrees": verdict["score"] == answer["value"],
        "served": verdict["served"],
        "visits": len(instance["visits"]),
        "best": best,
        "gap": gap,
    }


def main() -> None:
    """Run, print, and write the rows when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="+", default=[2.0, 10.0])
    parser.add_argument("--engine", default="ortools")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="instances whose name begins so")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    judge = load_judge(options.shared)
    sources = sorted((options.shared / "data" / "routing").glob(f"{options.only}*.json.gz"))
    rows = [
        measure(judge, source, seconds, options.seed, options.engine)
        for seconds in options.seconds
        for source in sources
        if print_name(source, seconds)
    ]
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    sys.exit(any(row["violations"] for row in rows))


def print_name(source: Path, seconds: float) -> bool:
    """Say on stderr what is being run."""
    print(f"{source.name} {seconds:g} s", file=sys.stderr)
    return True


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: one row per instance and budget, and means per family."""
    lines = [
        "| instance | budget | CPU s | feasible | served | score | best known | gap |",
        "|---|--:|--:|---|--:|--:|--:|--:|",
    ]
    for r in rows:
        gap = "" if r["gap"] is None else f"{r['gap']:.2f} %"
        lines.append(
            f"| {r['instance']} | {r['seconds']:g} s | {r['cpu_s']:.1f} | {'yes' if r['feasible'] else 'NO'} |"
            f" {r['served']}/{r['visits']} | {r['score']} | {r['best']:.0f} | {gap} |"
        )
    for family in ("fs", "toptw", "vrptw"):
        for seconds in sorted({r["seconds"] for r in rows}):
            of = [r for r in rows if r["instance"].startswith(family) and r["seconds"] == seconds]
            if of:
                mean = sum(r["gap"] for r in of) / len(of)
                feasible = sum(r["feasible"] for r in of)
                lines.append(f"| **{family}** | {seconds:g} s | | {feasible} of {len(of)} | | | | **{mean:.2f} %** |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
