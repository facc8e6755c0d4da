"""Everything that is measured of the phone: the search, the start, the map; fails when one of them misses its goal.

.venv/bin/python benchmarks/phone/run.py
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("search", "start", "map")


def main() -> int:
    """Each in a process of its own: one window is enough for a process."""
    missed = [
        part
        for part in PARTS
        if subprocess.run([sys.executable, "-m", f"benchmarks.phone.{part}"], cwd=ROOT).returncode
    ]
    if missed:
        sys.stdout.write(f"Not within their goals: {', '.join(missed)}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
