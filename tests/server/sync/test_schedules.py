"""Forty schedules of faults; thousands of them by `make fuzz-sync`."""

import os

import pytest
from sqlalchemy import Engine

from server.sync import transactions
from tests.server.sync.schedule import Fuzz

BATCHES = 4
BATCH = int(os.environ.get("SCHEDULES", "40")) // BATCHES


@pytest.mark.parametrize("batch", range(BATCHES))
def test_nothing_is_lost_doubled_leaked_or_overwritten(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "10ms")
    fuzz = Fuzz(empty_database)
    fuzz.run(BATCH, batch)
    assert fuzz.schedules >= BATCH
