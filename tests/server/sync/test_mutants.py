"""The stories hold, and five of the deliberate mistakes do not survive theirs; all of them by `make mutants-sync`."""

import pytest
from sqlalchemy import Engine

from mobile.field.store import reserve
from server.sync.calling import transactions
from tests.server.sync import mutants
from tests.server.sync.mutants import MUTANTS
from tests.server.sync.schedule import Fuzz

CHEAP = (
    mutants.sequence_cursor,
    mutants.no_receipt,
    mutants.last_writer_wins,
    mutants.own_changes_are_anybodys,
    mutants.batch_without_savepoints,
)


def test_five_mistakes_are_caught_by_stories_that_hold_without_them(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "10ms")
    monkeypatch.setattr(reserve, "RESERVE_BYTES", 65_536)
    fuzz = Fuzz(empty_database)
    for mutant, story in MUTANTS:
        if mutant in CHEAP:
            assert mutants.told(fuzz, story) is None, story.__name__
            with pytest.MonkeyPatch.context() as patch:
                mutant(patch)
                assert mutants.told(fuzz, story), mutant.__name__
