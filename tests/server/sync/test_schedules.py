"""Two hundred short schedules of faults; thousands of longer ones by `make fuzz-sync`."""

import os
import random

import pytest
from sqlalchemy import Engine

from mobile.field.store import reserve
from server.sync.calling import transactions
from tests.server.sync import fuzz as many
from tests.server.sync.schedule import Fuzz, Schedule

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
    assert fuzz.schedules == BATCH


def test_what_a_copy_sent_before_a_restore_is_sent_again_though_the_numbers_are_taken(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the backup is put back, the phone sends an op of its own by the number that its copy's op had."""
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "10ms")
    fuzz = Fuzz(empty_database)

    def story(schedule: Schedule) -> None:
        schedule.rng = random.Random(2)
        schedule.a_phone_is_cloned()
        name = next(iter(schedule.phones.keys() - {"rita", "otto"}))
        phone, copy = schedule.phones[name.removesuffix("'s other")], schedule.phones[name]
        account, *_ = phone.shown("account")
        schedule.backups.take()
        copy.edit("account", account, phone="1")
        schedule.note()
        copy.sync()
        schedule.the_database_is_restored()
        phone.edit("account", account, phone="2")
        schedule.note()
        states = [(op.n, op.state) for phone in schedule.phones.values() for op in phone.store.outbox.ops()]
        assert sorted(states) == [(1, "applied"), (1, "queued")]

    assert fuzz.tell(story) == []
    fuzz.end()


def test_the_command_runs_as_many_schedules_as_are_asked_for() -> None:
    assert many.batches(20, 1000) == [(1000, 20)]
    assert many.batches(120, 7) == [(7, 50), (8, 50), (9, 20)]
    assert many.batches(100, 7) == [(7, 50), (8, 50)]
