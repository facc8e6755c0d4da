"""The main job from end to end on a made-up region: own processes, a phone that goes offline, one JSON line."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from geo.madeup import write_region
from server.demo import processes

ROOT = Path(__file__).parents[3]


@pytest.mark.usefixtures("database_url")
def test_the_main_job_runs_from_customers_to_visits_that_arrive_once(tmp_path: Path) -> None:
    region = tmp_path / "madeup.osm.pbf"
    write_region(region)
    home = Path(os.environ["WAYMARK_TESTS"]) / "check"  # which the database's user can reach
    environment = {**os.environ, "WAYMARK_HOME": str(home)}
    environment.pop("WAYMARK_DATABASE_URL", None)
    command = [sys.executable, "-m", "server.cli", "demo", "--check", "--region", str(region), "--dir", str(tmp_path)]
    command += ["--customers", "80"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.strip().splitlines()[-1])
    assert report["ok"]
    counts = report["counts"]
    assert counts["import"]["counts"]["error"] >= 1
    assert counts["arrived"] == {"visits": 3, "reports": 3, "verified": 3}
    assert counts["exports"]["folders"] >= 4
    assert min(counts["sales"].values()) > 0, "every room of the sales core has something to show"
    assert Path(report["exports"]).is_dir()


def test_a_worker_that_is_killed_is_started_again_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    told, is_told = list[str](), threading.Event()

    def start(*_: str, log: Path) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return started[-1]

    def tell(words: str) -> None:
        told.append(words)
        is_told.set()

    monkeypatch.setattr(processes, "start", start)
    monkeypatch.setattr(processes, "LOOK_AGAIN_S", 0.01)
    with processes.worker(tmp_path / "worker.log", tell):
        started[0].kill()
        assert is_told.wait(60)
    assert "The worker has ended (-9); another one is started" in told[0]
    assert [process.poll() is not None for process in started] == [True, True]
