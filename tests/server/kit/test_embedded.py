"""The embedded cluster, on real clusters in temporary folders."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from server.kit import cluster, embedded, postgres

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests: making a cluster is what costs time here."""
    folder = tmp_path_factory.mktemp("an odd, named place") / "the home"
    yield folder
    _remove(folder)


@pytest.fixture
def other_home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    _remove(tmp_path / "home")


def _remove(home: Path) -> None:
    embedded.stop(home)
    seen = embedded.status(home)
    for folder in (seen.data_dir, seen.socket_dir, home):
        shutil.rmtree(folder, ignore_errors=True)
    if seen.data_dir.parent.parent == embedded.SYSTEM_STATE:
        shutil.rmtree(seen.data_dir.parent)


def _ask(url: str, question: str) -> object:
    with psycopg.connect(**_parts(url)) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def _parts(url: str) -> dict[str, Any]:
    parts = make_url(url)
    return {"user": parts.username, "dbname": parts.database, **parts.query}


def test_a_new_home_gets_a_database_with_postgis_and_no_port(home: Path) -> None:
    url = embedded.ensure(home)
    seen = embedded.status(home)
    assert _ask(url, "select current_database()") == "waymark"
    assert _ask(url, "select count(*) from pg_available_extensions where name = 'postgis'") == 1
    assert _ask(url, "show listen_addresses") == ""
    assert _ask(url, "show fsync") == "on"
    assert stat.S_IMODE(seen.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(seen.data_dir.stat().st_mode) == 0o700
    assert seen.running
    assert seen.url == url


def test_the_database_takes_a_quarter_of_a_small_machine_at_most() -> None:
    gigabyte = 1 << 30
    assert [cluster.buffers(size * gigabyte) for size in (1, 2, 4, 64)] == ["256MB", "512MB", "1GB", "1GB"]


def test_names_are_sorted_as_people_expect(home: Path) -> None:
    url = embedded.ensure(home)
    assert _ask(url, "select string_agg(x, ' ' order by x) from unnest('{Zug,öl,apfel,Äpfel}'::text[]) x") == (
        "apfel Äpfel öl Zug"
    )


def test_a_running_cluster_is_adopted(home: Path) -> None:
    url = embedded.ensure(home)
    pid = embedded.status(home).pid
    assert embedded.ensure(home) == url
    assert embedded.status(home).pid == pid


def test_data_outlives_a_killed_server_and_a_foreign_pid(home: Path) -> None:
    url = embedded.ensure(home)
    with psycopg.connect(**_parts(url)) as connection:
        connection.execute("create table survivor as select 7 as n")
    seen = embedded.status(home)
    assert seen.pid
    os.kill(seen.pid, signal.SIGKILL)
    assert _ask(embedded.ensure(home), "select n from survivor") == 7

    embedded.stop(home)
    assert not embedded.status(home).running
    stale = f"{os.getpid()}\n{seen.data_dir}\n0\n5432\n{seen.socket_dir}\n\n\nready\n"
    seen.data_dir.joinpath("postmaster.pid").write_text(stale)
    assert _ask(embedded.ensure(home), "select n from survivor") == 7


def test_a_swept_socket_folder_is_made_again(home: Path) -> None:
    embedded.ensure(home)
    shutil.rmtree(embedded.status(home).socket_dir)
    assert _ask(embedded.ensure(home), "select 1") == 1


def test_a_moved_home_says_where_its_database_stayed(home: Path, tmp_path: Path) -> None:
    embedded.ensure(home)
    if not (home / "database.at").exists():
        pytest.skip("the database moved along: it stands inside the home")
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    with pytest.raises(embedded.DatabaseUnavailable, match="moved or copied from"):
        embedded.ensure(copy)


def test_a_first_start_that_was_killed_begins_again_for_two_callers_and_two_homes_never_meet(
    home: Path, other_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(postgres, "_installations", lambda: iter(()))
        with pytest.raises(embedded.DatabaseUnavailable):
            embedded.ensure(other_home)
    unfinished = embedded.status(other_home).data_dir.with_name("database.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("15")
    program = "import sys, pathlib; from server.kit import embedded; print(embedded.ensure(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", program, str(other_home)]
    both = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    urls = {process.communicate()[0].strip() for process in both}
    assert urls == {embedded.ensure(other_home)}
    assert urls != {embedded.ensure(home)}
    assert embedded.status(home).data_dir != embedded.status(other_home).data_dir
    assert not unfinished.exists()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(embedded.DatabaseUnavailable, match="file") as caught:
        embedded.ensure(tmp_path / "file" / "home")
    assert "WAYMARK_HOME" in caught.value.help


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "PostgreSQL 15 or newer is not installed"),
        ([postgres.Installation(Path("/old"), "13.2", (3, 4))], "Found only 13.2 in /old"),
        ([postgres.Installation(Path("/bare"), "16.1", None)], "PostgreSQL 16.1 has none"),
        ([postgres.Installation(Path("/early"), "16.1", (3, 1, 2))], "PostgreSQL 16.1 has PostGIS 3.1.2"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, found: list[postgres.Installation], said: str
) -> None:
    monkeypatch.setattr(postgres, "_installations", lambda: iter(found))
    with pytest.raises(embedded.DatabaseUnavailable, match=said) as caught:
        postgres.find()
    assert "make setup" in caught.value.help


def test_a_cluster_asks_for_the_postgresql_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [postgres.Installation(Path(f"/{n}"), f"{n}.1", (3, 4)) for n in (15, 17)]
    monkeypatch.setattr(postgres, "_installations", lambda: iter(both))
    assert postgres.find().major == 17
    assert postgres.find(major=15).major == 15
    with pytest.raises(embedded.DatabaseUnavailable, match="made by PostgreSQL 16"):
        postgres.find(major=16)


def test_a_killed_database_comes_back_when_it_is_asked_for(home: Path) -> None:
    embedded.ensure(home)
    pid = embedded.status(home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert embedded.revive(home)
    assert embedded.status(home).running


def test_a_database_that_was_stopped_stays_down(home: Path) -> None:
    embedded.ensure(home)
    embedded.stop(home)
    assert not embedded.revive(home)
    assert not embedded.status(home).running
