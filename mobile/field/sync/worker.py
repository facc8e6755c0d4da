"""The single thread that syncs: when the app starts, after a save, when the network returns, and by the clock."""

import random
import threading
from collections.abc import Callable

from mobile.field.sync.backoff import Backoff
from mobile.field.sync.run import Report

AFTER_SAVE_S = 5.0
ASKED_S = 20.0
"""So often a phone in use asks whether somebody has decided an open question."""


class Schedule:
    """When to sync next; no thread in it, so that it can be tested without waiting."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._backoff = Backoff(self._chance)

    def after(self, report: Report, *, in_use: bool = False) -> float:
        """Seconds until the next sync of its own accord."""
        if report.ok:
            self._backoff.reset()
            if in_use and report.open_questions:
                return min(ASKED_S, report.poll_s)
            return report.poll_s + self._chance.uniform(0, report.jitter_s)
        return self._backoff.failed(report.after_s)

    def nudged(self) -> None:
        """A new entry or a tap: earlier failures no longer count."""
        self._backoff.reset()


class SyncWorker:
    """Runs one sync at a time; `nudge` brings the next one forward. `in_use` says whether somebody uses the app now."""

    def __init__(
        self,
        run: Callable[[], Report],
        on_report: Callable[[Report], None],
        in_use: Callable[[], bool] = lambda: False,
    ) -> None:
        self._run, self._on_report, self._in_use = run, on_report, in_use
        self._schedule = Schedule()
        self._wake = threading.Condition()
        self._wait_s: float | None = 0.0
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="sync", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end after the sync it is in."""
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def nudge(self, after_s: float = 0.0) -> None:
        """Sync soon: at once for a tap, some seconds after a save so that several go together."""
        with self._wake:
            self._schedule.nudged()
            self._wait_s = after_s
            self._wake.notify()

    def wait_after(self, report: Report) -> float:
        """Seconds until the next sync, as the phone is used now."""
        return self._schedule.after(report, in_use=self._in_use())

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._stopping and self._wait_s:
                    waited, self._wait_s = self._wait_s, 0.0
                    self._wake.wait(waited)
                if self._stopping:
                    return
                self._wait_s = None
            report = self._guarded()
            with self._wake:
                if self._wait_s is None:
                    self._wait_s = self.wait_after(report)
            self._on_report(report)

    def _guarded(self) -> Report:
        try:
            return self._run()
        except Exception as error:  # noqa: BLE001 the outermost loop: a bug must not end syncing for good
            return Report().failed("bug", f"{type(error).__name__}: {error}")
