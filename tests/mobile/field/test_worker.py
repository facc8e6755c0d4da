"""When the phone syncs by itself."""

import random
import threading

from mobile.field.sync.backoff import LONGEST_S, Backoff
from mobile.field.sync.run import Report
from mobile.field.sync.worker import Schedule, SyncWorker


class Highest(random.Random):
    def uniform(self, a, b):
        return b


def test_waiting_doubles_from_two_seconds_to_a_quarter_of_an_hour():
    backoff = Backoff(Highest())
    assert [backoff.failed() for _ in range(12)] == [
        2,
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        512,
        LONGEST_S,
        LONGEST_S,
        LONGEST_S,
    ]


def test_the_server_is_left_alone_as_long_as_it_asked_and_a_new_entry_forgets_failures():
    backoff = Backoff(Highest())
    assert backoff.failed(60) == 60
    backoff.reset()
    assert backoff.failed() == 2


def test_waits_are_spread_by_chance():
    backoff = Backoff(random.Random(1))
    assert len({backoff.failed() for _ in range(20)}) == 20


def test_after_success_the_servers_rhythm_counts():
    schedule = Schedule(Highest())
    assert schedule.after(Report(ok=True, poll_s=900, jitter_s=60)) == 960
    assert schedule.after(Report()) == 2
    assert schedule.after(Report()) == 4
    schedule.nudged()
    assert schedule.after(Report()) == 2


def test_a_nudge_brings_the_next_sync_forward_and_a_bug_does_not_end_syncing():
    runs, done = [], threading.Semaphore(0)

    def run():
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("a bug")
        return Report(ok=True, poll_s=9999)

    reports = []
    worker = SyncWorker(run, lambda report: (reports.append(report), done.release()))
    worker.start()
    assert done.acquire(timeout=10)
    worker.nudge()
    assert done.acquire(timeout=10)
    worker.stop()
    assert [r.code for r in reports] == ["bug", None]
