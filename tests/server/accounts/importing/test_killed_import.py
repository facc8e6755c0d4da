"""A worker that is killed while it checks or applies an import: the next one does the work, nothing lost or doubled."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from server import worker
from server.accounts.importing.target import TARGET
from server.exchange.jobs import apply_import, check_import
from server.imports import checking, service
from server.imports.models import ImportRow, ImportRun
from server.jobs import defer
from server.kit.database import transaction

ROWS = 12_000


@pytest.fixture
def other_worker(engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own: it waits for a word, works, and stops at its first word of progress."""
    stopped = (
        "import os, signal, sys\n"
        "from server.imports import service\n"
        "from server import worker\n"
        "note = service.note\n"
        "def stop(run_id, **values):\n"
        "    note(run_id, **values)\n"
        "    print('working', flush=True)\n"
        "    signal.pause()\n"
        "service.note = stop\n"
        "sys.stdin.readline()\n"
        "worker.run(wait=False)\n"
    )
    url = engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", stopped],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"WAYMARK_DATABASE_URL": url},
    )
    with process:
        yield process
        process.kill()


def kill_at_work(process: subprocess.Popen[str]) -> None:
    """Set the worker to the job that waits, and kill it as the system would, in the middle of its transaction."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "working\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with transaction() as session:
        session.execute(text("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'"))
        defer(session, worker.retry_stalled, timestamp=0)


def stands(run_id: UUID) -> tuple[str, dict[str, int], int]:
    with transaction() as session:
        run = session.get_one(ImportRun, run_id)
        return run.state, run.counts, session.execute(text("select count(*) from account")).scalar_one()


def received(path: Path) -> UUID:
    path.write_text("number,name,city\n" + "".join(f"{i},Account {i},Vaduz\n" for i in range(ROWS)))
    with transaction() as session:
        return service.receive(session, TARGET, path, file_name=path.name, actor=None).id


def test_a_dry_run_survives_the_death_of_its_worker(
    empty_database: Engine, tmp_path: Path, other_worker: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = received(tmp_path / "list.csv")
    with transaction() as session:
        defer(session, check_import, run_id=str(run_id))
    kill_at_work(other_worker)
    assert stands(run_id)[0] == "checking"
    worked, checked_row = [], checking.checked_row

    def counted(row: ImportRow, *more: Any) -> Any:
        worked.append(row.row_no)
        return checked_row(row, *more)

    monkeypatch.setattr(checking, "checked_row", counted)
    worker.run(wait=False)
    assert len(worked) == ROWS - checking.PART, "rows that the dead worker had read are not worked twice"
    worker.run(wait=False)
    state, counts, accounts = stands(run_id)
    assert (state, counts["create"], accounts) == ("checked", ROWS, 0)
    with transaction() as session:
        rows = text("select count(*), count(distinct row_no) from import_outcome")
        assert tuple(session.execute(rows).one()) == (ROWS, ROWS)


def test_a_load_survives_the_death_of_its_worker(
    empty_database: Engine, tmp_path: Path, other_worker: subprocess.Popen[str]
) -> None:
    run_id = received(tmp_path / "list.csv")
    check_import(run_id=str(run_id))
    with transaction() as session:
        defer(session, apply_import, run_id=str(run_id))
    kill_at_work(other_worker)
    assert stands(run_id)[::2] == ("applying", 0), "nothing is half-done"
    worker.run(wait=False)
    worker.run(wait=False)
    state, counts, accounts = stands(run_id)
    assert (state, counts["create"], accounts) == ("done", ROWS, ROWS)
    with transaction() as session:
        assert session.execute(text("select count(distinct number) from account")).scalar_one() == ROWS


def test_a_load_that_died_three_times_is_given_up_and_says_so(empty_database: Engine, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("number,name,city\n1,Amann,Vaduz\n")
    with transaction() as session:
        run_id = service.receive(session, TARGET, path, file_name=path.name, actor=None).id
    check_import(run_id=str(run_id))
    with transaction() as session:
        defer(session, apply_import, run_id=str(run_id))
        session.execute(text("update procrastinate_jobs set attempts = 3 where task_name = 'exchange.apply_import'"))
    worker.run(wait=False)
    assert stands(run_id)[::2] == ("failed", 0)
    with transaction() as session:
        assert "interrupted 3 times" in (session.get_one(ImportRun, run_id).message or "")
    apply_import(run_id=str(run_id))
    assert stands(run_id)[::2] == ("done", 1), "asked for anew, it is tried anew"
