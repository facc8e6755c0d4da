"""A command imports its own room and those below it, not the whole house.

The harm: every `waymark` command paid for solvers, map libraries and web pages that it did not use, seconds each time.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOLVERS_AND_MAPS = {"ortools", "geopandas", "pandas", "folium", "matplotlib", "reportlab", "uvicorn"}
HEAVY = SOLVERS_AND_MAPS | {"openpyxl", "osmium", "geopy"}
LOADED = """
import sys
import typer
import typer.main
from server.cli import app
group = typer.main.get_command(app)
assert group.get_command(typer.Context(group), sys.argv[1]) is not None
print(" ".join(name for name in sys.modules if name.count(".") < 2))
"""


def imported_by(command: str) -> set[str]:
    """Every module that is there when a command is about to run."""
    run = subprocess.run([sys.executable, "-c", LOADED, command], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("command", ["db", "user", "serve"])
def test_small_commands_import_nothing_heavy(command: str) -> None:
    found = imported_by(command)
    assert found & HEAVY == set()
    assert not {name for name in found if name in ("server.web", "server.plans", "server.accounts", "server.density")}


def test_importing_accounts_needs_neither_solver_nor_maps() -> None:
    assert imported_by("import") & {"ortools", "folium", "matplotlib", "reportlab", "uvicorn"} == set()


def test_geocoding_needs_no_plans() -> None:
    found = imported_by("geocode")
    assert found & SOLVERS_AND_MAPS == set()
    assert not found & {"server.web", "server.plans", "server.accounts"}
