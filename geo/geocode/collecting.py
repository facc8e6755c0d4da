"""Python's search for garbage in cycles, put off while a batch is answered: answering makes none."""

import gc
from threading import Lock
from types import TracebackType


class Uncollected:
    """A block during which no cycles are searched; it may be entered by several threads at once.

    What stays remembered of a batch is looked through again and again otherwise, for up to a third of the time.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._was = Lock(), 0, False

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
                gc.enable()


uncollected = Uncollected()
"""The one of this process."""
