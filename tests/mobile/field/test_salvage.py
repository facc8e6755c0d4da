"""Starts that meet a full disk, a damaged or lost outbox, or another thread: nothing that was saved is lost."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from mobile.field.capture import VisitTarget, visit_event
from mobile.field.store import Store, clock, reserve, salvage
from mobile.field.store import sqlite as field_sqlite
from tests.mobile.conftest import DAY, uid

TARGET = VisitTarget(uid(1), uid(2), DAY, "Europe/Vaduz")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "user"


def visits(store, n):
    return [visit_event(store, TARGET, "done", note=f"{i} " + "x" * 60).op_id for i in range(n)]


def saved(folder, n=40):
    """A phone's folder with so many ops; every twentieth is copied beside it."""
    store = Store(folder)
    ids = visits(store, n)
    store.close()
    return ids


def held(folder):
    store = Store(folder)
    try:
        return [op.op_id for op in store.outbox.ops()]
    finally:
        store.close()


def damage(path, pages=range(2, 5)):
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * 4096)
            file.write(b"\xff" * 100)
    assert not field_sqlite.healthy(path)


def refusing(code, text):
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


def kept(folder):
    return sorted(path.name for path in folder.glob("outbox.db.*"))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (sqlite3.SQLITE_FULL, "database or disk is full"),
        (sqlite3.SQLITE_CANTOPEN, "unable to open database file"),
        (sqlite3.SQLITE_IOERR | 10 << 8, "disk I/O error"),
        (sqlite3.SQLITE_BUSY, "database is locked"),
    ],
)
def test_a_disk_that_refuses_is_no_damage(folder, monkeypatch, code, text):
    ids = saved(folder, 5)
    real = sqlite3.connect

    def connect(path, *args, **more):
        if str(path).endswith(".db"):
            raise refusing(code, text)
        return real(path, *args, **more)

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(sqlite3.OperationalError, match=text):
        Store(folder)
    monkeypatch.undo()
    assert held(folder) == ids
    assert kept(folder) == []


def test_what_a_check_could_not_read_is_no_damage_either(folder, monkeypatch):
    saved(folder, 1)

    class Checked:
        def execute(self, _sql):
            return self

        def fetchone(self):
            return ("Tree 2 page 3: unable to get the page. error code=10",)

        def close(self): ...

    monkeypatch.setattr(sqlite3, "connect", lambda *_args, **_more: Checked())
    with pytest.raises(sqlite3.OperationalError, match="cannot be read now"):
        field_sqlite.healthy(folder / "outbox.db")


def test_a_start_on_a_full_disk_has_the_reserve(folder, monkeypatch):
    ids = saved(folder, 5)
    held_back, real = folder / "reserve", salvage.mend_outbox
    assert held_back.exists()

    def full(path):
        if held_back.exists():
            raise refusing(sqlite3.SQLITE_FULL, "database or disk is full")
        return real(path)

    monkeypatch.setattr(salvage, "mend_outbox", full)
    assert held(folder) == ids


def test_the_reserve_is_not_taken_where_nothing_would_be_left(folder, monkeypatch):
    saved(folder, 1)
    reserve.release(folder)
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=reserve.RESERVE_BYTES))
    assert not reserve.keep(folder)
    assert not (folder / "reserve").exists()


def test_a_start_that_dies_while_it_mends_is_begun_again(folder, monkeypatch):
    ids = saved(folder)
    damage(folder / "outbox.db")
    real, rows = salvage._copy_row, []

    class Killed(BaseException): ...

    def dies(*args):
        rows.append(args)
        if len(rows) == 10:
            raise Killed
        real(*args)

    monkeypatch.setattr(salvage, "_copy_row", dies)
    with pytest.raises(Killed):
        Store(folder)
    monkeypatch.undo()
    assert held(folder) == ids


@pytest.mark.parametrize("moment", range(1, 7))
def test_a_kill_between_any_two_renames_of_the_mending_loses_nothing(folder, moment):
    """A real process, and a real SIGKILL before its nth rename or removal."""
    ids = saved(folder)
    damage(folder / "outbox.db")
    (folder / "outbox.db-wal").write_bytes(b"a log that nobody can read")
    code = f"""
import os, signal
from pathlib import Path
from mobile.field.store import Store
left = [{moment}]
def counted(real):
    def call(*args, **more):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)
    return call
Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
Store(Path({str(folder)!r}))
"""
    died = subprocess.run([sys.executable, "-c", code], check=False).returncode
    assert died == -signal.SIGKILL
    assert held(folder) == ids
    (name,) = [name for name in kept(folder) if not name.endswith("-wal")]
    assert name.startswith("outbox.db.damaged-")


def test_a_full_disk_while_it_mends_changes_nothing(folder, monkeypatch):
    ids = saved(folder)
    damage(folder / "outbox.db")

    def full(*_args):
        raise refusing(sqlite3.SQLITE_FULL, "database or disk is full")

    monkeypatch.setattr(salvage, "_copy_row", full)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        Store(folder)
    assert kept(folder) == []
    assert not (folder / "outbox.mending").exists()
    monkeypatch.undo()
    assert held(folder) == ids


def test_who_opens_the_files_beside_the_screen_does_not_mend_them(folder):
    screen = Store(folder)
    ids = visits(screen, 40)
    screen.outbox.db.execute("pragma wal_checkpoint(truncate)")
    damage(folder / "outbox.db")
    syncing = Store(folder)
    assert kept(folder) == []
    told = visits(screen, 2)
    screen.close()
    syncing.close()
    assert held(folder) == ids + told


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("main", ["whole", "empty", "missing"])
def test_what_the_outbox_lost_comes_from_its_copy(folder, main, log):
    """The file, its log, or both are gone; in the log is what was saved since the last checkpoint."""
    store = Store(folder)
    ids = visits(store, 40)
    shutil.copytree(folder, folder.with_name("killed"))
    store.close()
    shutil.rmtree(folder)
    folder.with_name("killed").rename(folder)
    if main == "empty":
        (folder / "outbox.db").write_bytes(b"")
    if main == "missing":
        (folder / "outbox.db").unlink()
    if not log:
        (folder / "outbox.db-wal").unlink()
    (folder / "outbox.db-shm").unlink()
    assert held(folder) == ids
    assert held(folder) == ids


def test_the_log_of_an_outbox_that_is_gone_is_not_thrown_away(folder):
    store = Store(folder)
    ids = visits(store, 5)
    assert not (folder / "outbox.bak").exists()
    shutil.copytree(folder, folder.with_name("killed"), ignore=shutil.ignore_patterns("outbox.db", "*-shm"))
    store.close()
    assert held(folder.with_name("killed")) == ids


def test_a_copy_that_holds_what_was_pruned_since_brings_nothing_back(folder):
    saved(folder)
    store = Store(folder)
    store.outbox.db.execute("delete from op where n<=30")
    store.close()
    assert len(held(folder)) == 10
    assert kept(folder) == []


def test_an_outbox_of_an_app_that_did_not_count_is_lost_when_it_is_empty(folder):
    ids = saved(folder)
    for name in ("outbox.db", "outbox.bak"):
        with sqlite3.connect(folder / name) as db:
            db.execute("delete from meta where k='saved'")
    (folder / "outbox.db").write_bytes(b"")
    assert held(folder) == ids


def test_a_damaged_outbox_never_replaces_a_whole_copy(folder):
    store = Store(folder)
    visits(store, 40)
    store.outbox.db.execute("pragma wal_checkpoint(truncate)")
    store.close()
    whole = (folder / "outbox.bak").read_bytes()
    damage(folder / "outbox.db")
    torn = salvage.Outbox(folder / "outbox.db")
    torn.back_up()
    torn.close()
    assert (folder / "outbox.bak").read_bytes() == whole


def test_ops_whose_numbers_were_given_anew_are_taken_from_the_copy_too(folder):
    store = Store(folder)
    ids = visits(store, 40)
    store.outbox.mark_sent(store.outbox.ops())
    store.outbox.acknowledge(25, "applied", {})
    store.outbox.back_up()
    store.outbox.park(10, {"code": "internal", "msg": ""})
    store.outbox.db.execute("delete from op where n between 20 and 25")  # what stood on pages that cannot be read
    store.close()
    damage(folder / "outbox.db", [6])
    again = Store(folder)
    ops = {op.op_id: op for op in again.outbox.ops()}
    again.close()
    assert set(ops) == set(ids)
    assert [ops[i].state for i in ids[20:24]] == ["queued"] * 4, "they are sent once more, at the end of the order"
    assert [ops[i].n for i in ids[20:24]] == [40, 41, 42, 43]
    assert (ops[ids[24]].state, ops[ids[24]].n < 0) == ("applied", True), "the server has answered it"


def test_two_damages_in_one_second_are_kept_both(folder, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 28, tzinfo=UTC))
    saved(folder, 1)
    for text in (b"first", b"second"):
        (folder / "outbox.db").write_bytes(text * 500)
        held(folder)
    assert {(folder / name).read_bytes()[:5] for name in kept(folder)} == {b"first", b"secon"}
