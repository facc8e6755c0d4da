"""What the phone's storage may do: no room, no writing, errors of the disk, torn and damaged files."""

import hashlib
import sqlite3

import pytest

from mobile.field.capture import VisitTarget, visit_event
from mobile.field.store import Store
from mobile.field.store.blobs import Content
from mobile.field.store.sqlite import transaction
from tests.mobile.conftest import DAY, uid

TARGET = VisitTarget(uid(1), uid(2), DAY, "Europe/Vaduz", uid(3))


class Failing:
    """A connection whose next commits fail as those of a broken disk do."""

    def __init__(self, db, times=1):
        self.db, self.times = db, times

    def commit(self):
        if self.times:
            self.times -= 1
            raise sqlite3.OperationalError("disk I/O error")
        self.db.commit()

    def __getattr__(self, name):
        return getattr(self.db, name)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "user")
    yield store
    store.close()


def saved(store):
    """Ops that are in the file for good."""
    with sqlite3.connect(store.folder / "outbox.db") as other:
        return other.execute("select count(*) from op").fetchone()[0]


def fill(db):
    """Let a file grow no further."""
    pages = db.execute("pragma page_count").fetchone()[0]
    db.execute(f"pragma max_page_count={pages}")


def test_after_a_commit_that_the_disk_refused_the_next_save_is_one_of_its_own(store):
    store.outbox.db = Failing(store.outbox.db)
    with pytest.raises(sqlite3.OperationalError, match="disk I/O"):
        visit_event(store, TARGET, "done")
    assert saved(store) == 0
    assert visit_event(store, TARGET, "done").n == 1
    assert saved(store) == 1


def test_a_block_within_a_transaction_that_failed_leaves_nothing_open(store):
    db = Failing(store.cache.db)
    with pytest.raises(sqlite3.OperationalError), transaction(db):
        db.execute("insert into meta values('a','b')")
    assert not db.in_transaction
    assert store.cache.meta.get("a") is None


def test_a_visit_is_saved_once_although_the_cache_has_no_room_to_show_it(store):
    fill(store.cache.db)
    for number in range(40):
        note = f"{number} " + "x" * 3000
        assert visit_event(store, VisitTarget(uid(1), uid(2), DAY, "Europe/Vaduz"), "done", note=note).n == number + 1
    assert saved(store) == 40
    store.close()
    again = Store(store.folder)
    assert again.cache.db.execute("select count(*) from row where e='visit'").fetchone()[0] == 40
    again.close()


def test_a_visit_is_saved_once_although_its_copy_does_not_fit_beside_it(store, monkeypatch):
    def full(*_args, **_more):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store.outbox, "back_up", full)
    ops = [visit_event(store, TARGET, "done") for _ in range(20)]
    assert [op.n for op in ops] == list(range(1, 21))
    assert saved(store) == 20


def test_on_a_phone_that_cannot_be_written_to_the_rep_is_told_and_nothing_is_half_saved(store):
    store.outbox.db.execute("pragma query_only=on")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        visit_event(store, TARGET, "done")
    store.outbox.db.execute("pragma query_only=off")
    assert visit_event(store, TARGET, "done").n == 1


def test_when_even_the_reserve_is_not_enough_the_rep_is_told(store):
    fill(store.outbox.db)
    note = "x" * 60_000
    with pytest.raises(sqlite3.OperationalError, match="full"):
        visit_event(store, TARGET, "done", note=note)
    assert saved(store) == len(store.outbox.ops())


@pytest.mark.parametrize("torn", [b"", b"half of i", b"as long as it was, but not it"])
def test_a_torn_photo_does_not_hold_up_the_others_and_the_rep_is_told(synced, torn, tmp_path):
    whole = b"as long as it was, and whole."
    name = hashlib.sha256(whole).hexdigest()
    source = tmp_path / "photo"
    source.write_bytes(whole)
    synced.store.outbox.blobs.place(source, name)
    op = visit_event(synced.store, TARGET, "done")
    synced.store.outbox.blobs.enter([Content(name, len(whole), "image/jpeg", "photo")], op.op_id)
    synced.store.outbox.blobs.path_of(name).write_bytes(torn)
    report = synced.sync()
    assert (report.ok, report.photo_error) == (True, None)
    (blob,) = synced.store.outbox.blobs.all("refused")
    assert blob.error == {"code": "damaged"}


def test_an_outbox_that_was_salvaged_goes_to_the_server_as_it_was_and_stays_here(synced):
    folder = synced.store.folder
    (folder / "outbox.db.damaged-20261126T080000").write_bytes(b"not a database any more")
    assert synced.sync().rescued == 1
    assert synced.sync().rescued == 0
    assert [path.name for path in folder.glob("outbox.db.damaged-*")] == ["outbox.db.damaged-20261126T080000.sent"]
    assert synced.server.rescued == [b"not a database any more"]


def test_an_outbox_that_is_damaged_under_the_running_app_is_not_thrown_away_with_the_cache(synced, monkeypatch):
    visit_event(synced.store, TARGET, "done")
    path = synced.store.folder / "outbox.db"

    def torn(*_args):
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(synced.store.outbox, "next_batch", torn)
    monkeypatch.setattr("mobile.field.sync.run.healthy", lambda file: file != path)
    report = synced.sync()
    assert (report.ok, report.code) == (False, "storage")
    assert "start the app again" in report.detail
    monkeypatch.undo()
    assert synced.sync().ok
    assert len(synced.server.world.events) == 1
