"""Processor time: ours, and that of the database of a home."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def ours_s() -> float:
    """Seconds that this process has used."""
    return time.process_time()


def database_s(home: Path) -> float:
    """Seconds that the cluster of a home has used: its postmaster, those that it has buried, and those that live."""
    postmaster = (home / "database" / "postmaster.pid").read_text().split()[0]
    living = [
        times for entry in Path("/proc").iterdir() if entry.name.isdigit() and (times := of_child(entry, postmaster))
    ]
    return (sum(stat(Path("/proc") / postmaster)[11:15]) + sum(living)) / TICKS


def of_child(entry: Path, parent: str) -> int:
    """The ticks of a process when it is a child of another one, else 0."""
    try:
        fields = stat(entry)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(fields[11:13]) if fields[1] == int(parent) else 0


def stat(entry: Path) -> list[int]:
    """The fields of a process from its state on; the state itself as 0."""
    return [0, *(int(one) for one in (entry / "stat").read_text().rpartition(")")[2].split()[1:])]
