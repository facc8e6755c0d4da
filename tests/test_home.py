"""Where a run keeps its files: what a killed one left is removed, and nobody else's."""

from pathlib import Path

import pytest

from tests import home


def test_what_a_killed_run_left_is_removed_and_one_that_runs_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "MEMORY", tmp_path)
    monkeypatch.setattr(home, "PLENTY", 0)
    killed, strange = tmp_path / f"{home.PREFIX}killed", tmp_path / f"{home.PREFIX}strange"
    for folder in (killed, strange):
        folder.mkdir()
    (killed / "run.lock").touch()
    first = home.make()
    second = home.make()
    assert (killed.exists(), strange.exists()) == (False, True), "a folder without a lock is not ours"
    assert first.is_dir()
    assert second.is_dir()
    assert second != first
