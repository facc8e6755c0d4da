"""The worker runs what was asked for, and what a worker that died has left behind."""

import asyncio
import os
import signal

import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Engine, text

from server import worker
from server.auth.models import Team
from server.jobs import defer, task
from server.kit.database import transaction


@task("tests.found_team")
def found_team(name: str) -> None:
    with transaction() as session:
        session.add(Team(name=name))


def teams(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("select name from team order by name")).scalars())


def test_a_job_runs_once_its_transaction_is_committed(empty_database: Engine) -> None:
    with transaction() as session:
        defer(session, found_team, name="North")
    worker.run(wait=False)
    assert teams(empty_database) == ["North"]


def test_a_rollback_takes_the_job_back(empty_database: Engine) -> None:
    def fail_after_asking() -> None:
        with transaction() as session:
            defer(session, found_team, name="North")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_asking()
    worker.run(wait=False)
    assert teams(empty_database) == []


def test_a_job_with_a_key_waits_only_once(empty_database: Engine) -> None:
    with transaction() as session:
        assert defer(session, found_team, key="north", name="North")
        assert not defer(session, found_team, key="north", name="North again")
    worker.run(wait=False)
    assert teams(empty_database) == ["North"]


def left_behind(attempts: int) -> None:
    """A job of a worker that died, which so many had tried before."""
    with transaction() as session:
        defer(session, found_team, name="North")
        session.execute(
            text(
                """
                with dead as (
                    insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour') returning id
                )
                update procrastinate_jobs
                set status = 'doing', worker_id = (select id from dead), attempts = :attempts
                """
            ),
            {"attempts": attempts},
        )
        defer(session, worker.retry_stalled, timestamp=0)


def test_the_job_of_a_worker_that_died_is_run_again(empty_database: Engine) -> None:
    left_behind(attempts=0)
    worker.run(wait=False)
    worker.run(wait=False)
    assert teams(empty_database) == ["North"]


def test_a_job_that_five_workers_died_of_is_given_up(empty_database: Engine) -> None:
    left_behind(attempts=4)
    worker.run(wait=False)
    worker.run(wait=False)
    assert teams(empty_database) == []
    with empty_database.connect() as connection:
        stands = text("select status from procrastinate_jobs where task_name = 'tests.found_team'")
        assert connection.execute(stands).scalar_one() == "failed"


def test_a_worker_that_lost_its_database_asks_again_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    async def work(address: str, concurrency: int, *, wait: bool) -> None:
        tries.append(address)
        if len(tries) == 1:
            raise ConnectorException
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr(worker, "work", work)
    monkeypatch.setattr(worker, "AGAIN_S", 0)
    worker.run()
    assert len(tries) == 2
