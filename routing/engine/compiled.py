"""The door to numba: which functions are compiled, and where the machine code is kept between runs.

Compiling takes the better part of a minute, so it is done once, at set-up (`prepare`), and the machine code is kept
beside the source. numba's own rules would not do: they pass over a folder that cannot be written to, although
everything needed stands in it (an image built by root, run by somebody else); they bind the code to the processor on which
it was compiled; and they do not notice a change in a file from which a compiled function borrowed another one.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import numba
from numba.core import config
from numba.core.caching import UserWideCacheLocator

HERE = Path(__file__).parent
KEPT = HERE / "__pycache__"
"""Where `prepare` leaves the machine code."""

config.CPU_NAME, config.CPU_FEATURES = "generic", ""  # type: ignore[attr-defined]


def inner[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that only compiled functions call."""
    return cast(F, numba.njit(function, error_model="numpy", boundscheck=False, _nrt=False))


def outer[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that Python calls, and keep the machine code."""
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.Kept"  # type: ignore[attr-defined]
    try:
        return cast(F, numba.njit(function, error_model="numpy", boundscheck=False, _nrt=False, cache=True))
    finally:
        config.CACHE_LOCATOR_CLASSES = ""  # type: ignore[attr-defined]


class Kept(UserWideCacheLocator):  # type: ignore[misc]
    """Beside the source when that can be written to or is already filled, else the user's cache folder."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        if os.environ.get("NUMBA_CACHE_DIR"):
            self._cache_path = os.environ["NUMBA_CACHE_DIR"]
        elif _writable(KEPT) or any(KEPT.glob("*.nbi")):
            self._cache_path = str(KEPT)

    def ensure_cache_path(self) -> None:
        """A folder that is filled need not be writable."""
        if self._cache_path != str(KEPT):
            super().ensure_cache_path()

    def get_source_stamp(self) -> str:
        """One mark for the whole package."""
        return stamp()


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@cache
def stamp() -> str:
    """Changes with every file of this package."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
