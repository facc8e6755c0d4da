"""Where a run of the tests keeps its database and files: in memory where there is plenty, and gone when the run is."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
PLENTY = 8 * 2**30
"""Bytes; a run needs about one of the eight gigabytes."""
PREFIX = "waymark-tests-"


def make() -> Path:
    """A new folder that is this process's until it ends. What runs left behind that were killed is removed."""
    folder = _where()
    for left in folder.glob(f"{PREFIX}*"):
        _remove_if_left(left)
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    home.chmod(0o755)  # the database's user has to reach its files
    (home / "tmp").mkdir()
    fcntl.flock(os.open(home / "run.lock", os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)
    return home


def remove(home: Path) -> None:
    """Stop the database of a folder and remove it."""
    from server.kit import embedded

    embedded.stop(home)
    shutil.rmtree(home, ignore_errors=True)


def _where() -> Path:
    """The system's memory disk where it is large and may be written, else the folder of temporary files."""
    try:
        free = shutil.disk_usage(MEMORY).free
    except OSError:
        return Path(tempfile.gettempdir())
    return MEMORY if free >= PLENTY and os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _remove_if_left(home: Path) -> None:
    """Remove a folder whose run holds its lock no more; those of others are theirs."""
    try:
        lock = os.open(home / "run.lock", os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    else:
        remove(home)
    finally:
        os.close(lock)
