"""Eight megabytes kept back, so that a visit can still be saved when the phone's storage is full."""

from pathlib import Path

RESERVE_BYTES = 8 * 1024 * 1024


def keep(folder: Path) -> bool:
    """Hold the reserve if there is room for it; says whether it is held."""
    path = folder / "reserve"
    if path.exists() and path.stat().st_size == RESERVE_BYTES:
        return True
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
