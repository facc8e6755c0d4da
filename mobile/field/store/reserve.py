"""Eight megabytes kept back, so that a visit can still be saved when the phone's storage is full."""

import shutil
from pathlib import Path

RESERVE_BYTES = 8 * 1024 * 1024
LEAST_FREE_BYTES = 1024 * 1024
"""With less, what fails may fail for want of room, whatever it says."""


def keep(folder: Path) -> bool:
    """Hold the reserve if there is room for it; says whether it is held."""
    path = folder / "reserve"
    if path.exists() and path.stat().st_size == RESERVE_BYTES:
        return True
    if shutil.disk_usage(folder).free < RESERVE_BYTES + LEAST_FREE_BYTES:
        return False
    try:
        with path.open("wb") as file:
            for _ in range(RESERVE_BYTES // 65_536):
                file.write(b"\xa5" * 65_536)
    except OSError:
        path.unlink(missing_ok=True)
        return False
    return True


def release(folder: Path) -> None:
    """Give the reserve to the outbox: capture beats everything."""
    (folder / "reserve").unlink(missing_ok=True)


def gives_way(folder: Path, error: Exception) -> bool:
    """Give the reserve up if an error may come of want of room; says whether it may."""
    if "full" not in str(error) and shutil.disk_usage(folder).free >= LEAST_FREE_BYTES:
        return False
    release(folder)
    return True
