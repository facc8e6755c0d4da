"""Python's search for garbage in cycles, put off while a batch is answered: answering makes none."""

import gc
from threading import Lock
from types import TracebackType

_MANY = 20_000
"""So many objects left behind are worth counting as old."""
_KEPT = 10_000
"""A process keeps more than so many objects out of every search when it said so; Python itself keeps a few hundred."""
_ALL_THE_SAME = 50
"""After so many such blocks everything is searched: counting as old puts off what is due elsewhere in the program."""


class Uncollected:
    """A block during which no cycles are searched; it may be entered by several threads at once.

    What stays remembered of a batch is looked through again and again otherwise, for up to a third of the time. When
    it is much, it counts as old at once, and is not looked through at the end either (a twentieth of the time); not so
    in a process that keeps things out of every search: they would become old as well.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._was, self._spared = Lock(), 0, False, 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was:
                if gc.get_count()[0] > _MANY and gc.get_freeze_count() < _KEPT:
                    self._spare()
                gc.enable()

    def _spare(self) -> None:
        gc.freeze()
        gc.unfreeze()
        self._spared += 1
        if self._spared % _ALL_THE_SAME == 0:
            gc.collect()


uncollected = Uncollected()
"""The one of this process."""
