"""Seeded schedules of faults; more of them with `SCHEDULES=1000 pytest tests/server/sync/test_schedules.py`."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mobile.field.sync import pull
from server.sync import transactions
from tests.server.sync.schedule import Schedule
from tests.server.sync.world import World

SCHEDULES = int(os.environ.get("SCHEDULES", "12"))


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_nothing_is_lost_doubled_leaked_or_overwritten(
    world: World, empty_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "10ms")
    monkeypatch.setattr(pull, "PAGE_ROWS", (2, 5, 50)[seed % 3])
    assert Schedule(world, empty_database, tmp_path, seed).run() == []
