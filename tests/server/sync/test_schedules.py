"""Two hundred short schedules of faults; thousands of longer ones by `make fuzz-sync`."""

import os

import pytest
from sqlalchemy import Engine

from mobile.field.store import reserve
from server.sync import transactions
from tests.server.sync.schedule import Fuzz

BATCHES = 8
BATCH = int(os.environ.get("SCHEDULES", "200")) // BATCHES
STEPS = 8


@pytest.mark.parametrize("batch", range(BATCHES))
def test_nothing_is_lost_doubled_leaked_or_overwritten(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "10ms")
    monkeypatch.setattr(reserve, "RESERVE_BYTES", 65_536)
    fuzz = Fuzz(empty_database)
    fuzz.run(BATCH, batch, steps=STEPS)
    assert fuzz.schedules >= BATCH
