"""Ten kills of workers and database over HTTP; a thousand of them by `make fuzz-http`."""

import os
import subprocess
import sys


def test_nothing_is_lost_or_doubled_when_workers_and_the_database_are_killed_over_http() -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    command = [sys.executable, "-m", "tests.server.sync.http_fuzz"]
    run = subprocess.run(command, env=own | {"KILLS": "10"}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert run.stdout.splitlines()[-1].startswith("10 kills, ")
    assert run.stdout.endswith(" photos, 0 lost, 0 doubled\n")
