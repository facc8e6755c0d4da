"""`waymark density` at the command line."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from server.density import offline
from server.density.commands import density

run = CliRunner().invoke


def test_counting_twice_changes_nothing(empty_database: Engine) -> None:
    assert run(density, ["refresh"]).output == "Counted.\n"
    assert run(density, ["refresh"]).output == "Nothing has changed since the last count.\n"


@pytest.mark.parametrize("format", ["html", "gpkg", "xlsx"])
def test_the_market_is_written_whole(
    empty_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.setattr(offline, "library", lambda *_: "")
    out = tmp_path / f"market.{format}"
    assert run(density, ["export", str(out), "--format", format]).exit_code == 0
    assert list(tmp_path.iterdir()) == [out]
    assert out.stat().st_size > 1000


def test_white_space_is_written_by_its_ending_and_an_unknown_one_is_refused(
    empty_database: Engine, tmp_path: Path
) -> None:
    assert run(density, ["white-space", str(tmp_path / "gaps.xlsx")]).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["gaps.xlsx"]
    refused = run(density, ["white-space", str(tmp_path / "gaps.doc")])
    assert refused.exit_code == 2
    assert ".xlsx" in refused.output
