"""`waymark region` at the command line."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from server.atlas.commands import regions
from server.regions import building
from server.regions.commands import StepBars
from server.regions.errors import NoSuchRegion

run = CliRunner().invoke


def test_regions_are_listed_with_what_they_hold(empty_database: Engine, home: Path, extract: Path) -> None:
    assert "No region yet" in run(regions, ["list"]).output
    region_id, _ = building.add(extract)
    assert "building (packed)" in run(regions, ["list"]).output
    building.publish(region_id)
    listed = run(regions, ["list"]).output
    for part in ("little-biscay", "ready", "2026-01-01", "house numbers", "Made-up data"):
        assert part in listed


def test_a_removed_region_leaves_neither_rows_nor_files(empty_database: Engine, home: Path, extract: Path) -> None:
    region_id, _ = building.add(extract)
    building.publish(region_id)
    assert run(regions, ["remove", "little-biscay"]).output == "Region little-biscay is removed.\n"
    assert "No region yet" in run(regions, ["list"]).output
    assert not [path for path in home.rglob("*") if path.is_file()]
    assert isinstance(run(regions, ["remove", "little-biscay"]).exception, NoSuchRegion)


def test_steps_are_told_once_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    bars = StepBars()
    for done in range(3):
        bars("reading", done, 3)
    bars("drawing", 0, 0)
    bars.close()
    assert capsys.readouterr().err == "reading …\ndrawing …\n"
