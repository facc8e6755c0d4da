"""Plan the public instances, have every plan judged by an independent checker, and print a table of gaps.

    python -m benchmarks.planning.run --seconds 2 10 [--engine ortools] [--only fs-] [--json results.json]
    python -m benchmarks.planning.run --seconds 2 10 --peers /scratch/bin/python [--rivals pyvrp vroom ortools-tuned]

With `--json` the rows are written after each instance, and a run with the same file goes on where it stopped.
Instances and judge are looked for in ../shared beside the repository (`--shared` for another place). Budgets are CPU
seconds of the search in one thread; every run is a process of its own, as `waymark plan-file` starts it, one at a time.
With `--peers` the other planners run in the same queue, by a Python that has them (pip install pyvrp pyvroom ortools).
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
    known = instance.get("bks", {}).get("value")
    if known is None:
        return None
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
        "by": "waymark",
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
    parser.add_argument("--engine", default="ruin_recreate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="instances whose name begins so")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--peers", type=Path, help="a Python that has the other planners")
    parser.add_argument("--rivals", nargs="+", default=["pyvrp", "vroom", "ortools-tuned"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    judge = load_judge(options.shared)
    sources = sorted((options.shared / "data" / "routing").glob(f"{options.only}*.json.gz"))
    rows: list[dict[str, Any]] = json.loads(options.json.read_text()) if options.json and options.json.exists() else []
    done = {row["instance"] for row in rows}
    for source in (source for source in sources if source.name.removesuffix(".json.gz") not in done):
        for seconds in options.seconds:
            print(f"{source.name} {seconds:g} s", file=sys.stderr)
            rows.append(measure(judge, source, seconds, options.seed, options.engine))
        if options.peers:
            for rival in options.rivals:
                print(f"{source.name} {rival}", file=sys.stderr)
                rows += rival_rows(options, source, rival)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1))
    ours = [row for row in rows if row["by"] == "waymark"]
    print(table(ours))
    if options.peers:
        print()
        print(comparison(rows))
    sys.exit(any(row["violations"] for row in ours))


PEER = """
import json, sys
sys.path.insert(0, sys.argv[1])
import check_plan, routing_peers
rows = routing_peers.run(check_plan.load(sys.argv[2]), sys.argv[3], [float(x) for x in sys.argv[4:]])
for row in rows:
    row.pop("routes", None)
json.dump(rows, sys.stdout, default=str)
"""


def rival_rows(options: argparse.Namespace, source: Path, rival: str) -> list[dict[str, Any]]:
    """What another planner reaches at each budget, repaired and judged by its runner."""
    budgets = [str(seconds) for seconds in options.seconds]
    command = [str(options.peers), "-c", PEER, str(options.shared / "bench"), str(source), rival, *budgets]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    best = best_known(json.loads(gzip.decompress(source.read_bytes())))
    name = source.name.removesuffix(".json.gz")
    rows = []
    for seconds, row in zip(options.seconds, json.loads(done.stdout) if done.returncode == 0 else [], strict=False):
        score = row.get("score")
        gap = None if score is None or best is None else 100 * (best - score) / abs(best)
        rows.append({"by": rival, "instance": name, "seconds": seconds, "feasible": row["ok"], "gap": gap})
    return rows


def comparison(rows: list[dict[str, Any]]) -> str:
    """Markdown: mean gap and feasible plans of everybody, and how often we lead at a fifth of a peer's budget."""
    lines = ["| | budget | instances | feasible | mean gap |", "|---|--:|--:|--:|--:|"]
    for by in dict.fromkeys(row["by"] for row in rows):
        for seconds in sorted({row["seconds"] for row in rows}):
            of = [row for row in rows if row["by"] == by and row["seconds"] == seconds and row["gap"] is not None]
            if of:
                mean = sum(row["gap"] for row in of) / len(of)
                feasible = sum(row["feasible"] for row in of)
                lines.append(f"| {by} | {seconds:g} s | {len(of)} | {feasible} | {mean:.2f} % |")
    quick, slow = min(row["seconds"] for row in rows), max(row["seconds"] for row in rows)
    ours = {row["instance"]: row["gap"] for row in rows if row["by"] == "waymark" and row["seconds"] == quick}
    for by in dict.fromkeys(row["by"] for row in rows if row["by"] != "waymark"):
        theirs = {r["instance"]: r for r in rows if r["by"] == by and r["seconds"] == slow and r["gap"] is not None}
        led = sum(not r["feasible"] or ours[name] <= r["gap"] + 1e-9 for name, r in theirs.items())
        lines.append(f"| waymark at {quick:g} s not behind {by} at {slow:g} s | | {len(theirs)} | {led} | |")
    return "\n".join(lines)


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: one row per instance and budget, and means per family."""
    lines = [
        "| instance | budget | CPU s | feasible | served | score | best known | gap |",
        "|---|--:|--:|---|--:|--:|--:|--:|",
    ]
    for r in rows:
        gap = "" if r["gap"] is None else f"{r['gap']:.2f} %"
        best = "" if r["best"] is None else f"{r['best']:.0f}"
        lines.append(
            f"| {r['instance']} | {r['seconds']:g} s | {r['cpu_s']:.1f} | {'yes' if r['feasible'] else 'NO'} |"
            f" {r['served']}/{r['visits']} | {r['score']} | {best} | {gap} |"
        )
    for family in ("fs", "toptw", "vrptw"):
        for seconds in sorted({r["seconds"] for r in rows}):
            of = [r for r in rows if r["instance"].startswith(family) and r["seconds"] == seconds]
            of = [r for r in of if r["gap"] is not None]
            if of:
                mean = sum(r["gap"] for r in of) / len(of)
                feasible = sum(r["feasible"] for r in of)
                lines.append(f"| **{family}** | {seconds:g} s | | {feasible} of {len(of)} | | | | **{mean:.2f} %** |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
