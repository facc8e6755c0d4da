"""`waymark plan-file`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app, main
from server.kit.errors import Invalid

PROBLEM = {
    "format": "fsr/1",
    "name": "one door",
    "unit": 1,
    "time": [[0, 600], [600, 0]],
    "visits": [{"id": "a", "loc": 1, "service": 1200, "windows": [[30000, 40000]], "prize": 5000, "required": False}],
    "shifts": [{"id": "s", "rep": "ann", "day": 0, "start_loc": 0, "end_loc": 0, "open": 28800, "close": 61200}],
    "weights": {"prize": 1, "travel": 1, "fixed": 0, "late": 0},
}


def test_a_planning_file_becomes_a_plan_file_without_a_database(tmp_path: Path) -> None:
    source, target = tmp_path / "in put.json", tmp_path / "out.json"
    source.write_text(json.dumps(PROBLEM))
    result = CliRunner().invoke(app, ["plan-file", str(source), str(target), "--seconds", "0.1", "--seed", "1"])
    assert result.exit_code == 0, result.output
    assert "one door: 1 of 1 visits on 1 routes, value 3800" in result.output
    written = json.loads(target.read_text())
    assert written["routes"] == [{"shift": "s", "stops": ["a"], "times": [30000], "break_start": None}]


@pytest.mark.parametrize("text", ["", "{}", json.dumps(PROBLEM | {"time": [[0]]})])
def test_a_broken_file_is_refused_by_name_and_nothing_is_written(tmp_path: Path, text: str) -> None:
    source, target = tmp_path / "broken.json", tmp_path / "out.json"
    source.write_text(text)
    result = CliRunner().invoke(app, ["plan-file", str(source), str(target)])
    assert isinstance(result.exception, Invalid)
    assert result.exception.message.startswith("broken.json: ")
    assert not target.exists()


def test_a_missing_file_is_one_line_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["waymark", "plan-file", str(tmp_path / "none.json"), str(tmp_path / "out.json")])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "none.json: No such file or directory" in error
    assert "Traceback" not in error
