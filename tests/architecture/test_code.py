"""Rules of our own code that no tool checks. Each test tells what goes wrong without it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.architecture.conftest import ROOT

MANY_LINES = 400
PROGRAM_TEXT = {".py", ".js", ".css", ".html", ".kv", ".sql"}
NAMELESS = {"util", "utils", "helper", "helpers", "common", "manager", "managers"}
AT_THE_TOP = {
    "server", "geo", "routing", "mobile", "tests", "benchmarks", "docs", "docker-compose.yml", "pyproject.toml",
    "README.md", "Makefile", "Dockerfile", "LICENSE", "CHANGELOG.md", "uv.lock", "package.json", "package-lock.json",
}  # fmt: skip
MADE_HERE = {"node_modules", "build", "dist", "data", "var"}


def test_only_the_edge_commits(server: list[Any]) -> None:
    """A service that commits ends its caller's transaction half-way.

    The request that fails after it has left a customer without its job, and the job that runs twice finds one half.
    One transaction per request or job, ended where it began (`kit/database.py`).
    """
    edges = {"server/kit/database.py", "server/migrations/env.py"}
    assert [
        f"{source.name}:{line} {call}()"
        for source in server
        if source.name not in edges
        for call, line in source.calls()
        if call.rsplit(".")[-1] == "commit"
    ] == []


def test_only_commands_speak(product: list[Any]) -> None:
    """A library that prints spoils what the command above it prints.

    `waymark demo --check` ends with one line of JSON; one forgotten line from below and no program can read it.
    """
    speaking = {"print", "typer.echo", "typer.secho", "click.echo"}
    assert [
        f"{source.name}:{line} {call}()"
        for source in product
        if not (source.path.name in {"cli.py", "commands.py", "__main__.py"} or "/demo/" in source.name)
        for call, line in source.calls()
        if call in speaking
    ] == []


def test_errors_are_named_where_the_rule_lives(server: list[Any]) -> None:
    """An HTTPException in a service is an error that only the web can understand.

    The same rule also speaks to the command line, to an import's report and to a phone; `kit/errors.py` holds the
    families with their HTTP status. Only `app.py` sees it, to answer those that the framework itself raises.
    """
    assert [
        f"{source.name}:{line}"
        for source in server
        for name, line in source.imports()
        if name.endswith(".HTTPException") and name.startswith(("fastapi.", "starlette."))
        if source.name != "server/app.py"
    ] == []


def test_one_place_asks_what_time_it_is(product: list[Any]) -> None:
    """A rule that reads the clock itself cannot be tried at midnight, on the day the clocks change, or a year back.

    `kit/clock.py` is the only one on the server, the phone has its own; everything else is told.
    """
    asking = {"datetime.now", "datetime.utcnow", "date.today", "datetime.today", "datetime.datetime.now",
              "datetime.date.today", "time.time"}  # fmt: skip
    assert [
        f"{source.name}:{line} {call}()"
        for source in product
        if source.path.name != "clock.py"
        for call, line in source.calls()
        if call in asking
    ] == []


def test_a_day_is_always_the_day_of_a_zone(root: Path) -> None:
    """In Auckland the day of Greenwich is yesterday until noon: a customer visited today would be "in the future"."""
    day = re.compile(r"""clock\.(now\(\)\.date\(\)(?! \+ timedelta)|today\(["'])""")
    assert [
        f"{path.relative_to(root)}:{number}"
        for path in sorted((root / "server").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if day.search(line)
    ] == []


def test_files_stay_small_enough_to_read(root: Path) -> None:
    """The code bases we admire are spoiled in their tail: one service of 4,000 lines that everybody is afraid of.

    Past 400 lines ask whether two concepts live in one file. There is no list of exceptions.
    """
    assert [
        f"{path.relative_to(root)}: {lines} lines"
        for folder in ("server", "geo", "routing", "mobile", "tests")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in PROGRAM_TEXT and "vendor" not in path.parts
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MANY_LINES
    ] == []


def test_modules_are_named_after_what_they_hold(product: list[Any]) -> None:
    """What is called `utils` is where everything goes that nobody has thought about, and soon everything imports it."""
    assert [source.name for source in product if NAMELESS & set(source.name.removesuffix(".py").split("/"))] == []


def test_the_root_holds_only_what_is_listed(root: Path) -> None:
    """A root that fills up with scripts and notes no longer shows a newcomer the four rooms.

    Files that begin with a dot belong to tools and are not counted.
    """
    found = {path.name for path in root.iterdir() if not path.name.startswith(".")}
    assert found - AT_THE_TOP - MADE_HERE - {name for name in found if name.endswith(".egg-info")} == set()


def test_tests_wait_for_nothing(tests: list[Any]) -> None:
    """A test that sleeps is slow on a fast machine and red on a slow one: wait for what is meant, not for time."""
    assert [
        f"{source.name}:{line} {call}()"
        for source in tests
        for call, line in source.calls()
        if call in {"time.sleep", "sleep", "asyncio.sleep"}
    ] == []


def test_the_tests_never_touch_the_data_of_whoever_runs_them(tmp_path: Path) -> None:
    """Once a run with WAYMARK_HOME set worked in that folder, and removed it at its end."""
    code = "import tests.conftest as run; print(run.HOME); run.home.remove(run.HOME)"
    environment = {k: v for k, v in os.environ.items() if k != "WAYMARK_TESTS"} | {"WAYMARK_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) != tmp_path
