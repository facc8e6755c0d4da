"""The door to numba: which functions are compiled, and where the machine code is kept between runs.

Compiling takes about half a minute, so it is done once, at set-up (`routing.engine.search.prepare`), and the machine
code is kept beside the source. numba's own rules would not do: they pass over a folder that cannot be written to,
although everything needed stands in it (an image built by root, run by somebody else); they bind the code to the
processor on which it was compiled; and they do not notice a change in a file from which a compiled function borrowed
another one.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import numba
import platformdirs
from numba.core.caching import UserWideCacheLocator
from numba.core.types import int32, int64, unliteral

HERE = Path(__file__).parent
BESIDE = HERE / "__pycache__"

KEPT = 4
"""Pieces of machine code: the two functions of `anneal`, each without and with changing traffic."""

njit: Any = numba.njit
config: Any = numba.config
config.CPU_NAME, config.CPU_FEATURES = "generic", ""
# The kernels allocate nothing, so nothing needs counting: with reference counts they are six times slower.
OPTIONS = {"error_model": "numpy", "nogil": True, "_nrt": False}


def inner[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that only compiled functions call.

    Once for whole numbers of any width: numba would do so again for every number written out in a call, and for
    narrow ones, which was a third of all the compiling.
    """
    made = njit(function, **OPTIONS)
    compile_for = made.compile
    made.compile = lambda arguments: compile_for(tuple(map(_wide, arguments)))
    return cast(F, made)


def outer[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that Python calls, and keep the machine code; other threads go on while it runs."""
    if folder() is None:
        return cast(F, njit(function, **OPTIONS))
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.Kept"
    try:
        return cast(F, njit(function, cache=True, **OPTIONS))
    finally:
        config.CACHE_LOCATOR_CLASSES = ""


@cache
def stamp() -> str:
    """A word that changes with every file of this package, with numba and with Python."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for path in sorted(HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def folder() -> Path | None:
    """Where the machine code is kept: where it stands already, else where it can be written; None = nowhere.

    Beside the source, or else in the user's own cache; `NUMBA_CACHE_DIR` comes before both.
    """
    asked = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(asked)] if asked else [BESIDE, platformdirs.user_cache_path("waymark") / "planner"]
    return next((p for p in places if _filled(p)), None) or next((p for p in places if _writable(p)), None)


def is_prepared() -> bool:
    """Whether the machine code of these very sources is there."""
    place = folder()
    return place is not None and _filled(place)


def forget() -> None:
    """Remove machine code of other sources."""
    place = folder()
    if place is None or not _writable(place):
        return
    for path in place.glob("anneal.*.nb?"):
        if stamp() not in path.name:
            path.unlink(missing_ok=True)


class Kept(UserWideCacheLocator):
    """Tells numba about `folder` and `stamp`."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._cache_path = str(folder())

    def ensure_cache_path(self) -> None:
        """`folder` has looked already, and a folder that is filled need not be writable."""

    def get_source_stamp(self) -> str:
        """What the machine code was made from."""
        return stamp()

    def get_disambiguator(self) -> str:
        """The same in the name of the file, so that a look at the folder tells."""
        return stamp()


def _wide(argument: Any) -> Any:
    plain = unliteral(argument)
    return int64 if plain == int32 else plain


def _filled(place: Path) -> bool:
    return len(list(place.glob(f"*-{stamp()}.*.nbc"))) >= KEPT


def _writable(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=place).close()
    except OSError:
        return False
    return True
