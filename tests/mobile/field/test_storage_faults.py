"""What the phone's storage may do: no room, no writing, errors of the disk, torn and damaged files."""

import base64
import hashlib
import json
import sqlite3
from datetime import date

import pytest

from mobile.field import conflicts, finding, holdings, locking, photos, reads, restday, rights, tracks, zones
from mobile.field.capture import VisitTarget, edit, visit_event
from mobile.field.store import Store, clock, moments
from mobile.field.store.blobs import Content
from mobile.field.store.sqlite import transaction
from mobile.field.sync import rescue
from tests.mobile.conftest import DAY, uid
from tests.mobile.field.conftest import TARGET


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
    note = "€" * 20_000
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


def test_a_damaged_outbox_too_large_to_be_sent_is_not_called_sent(synced, monkeypatch):
    monkeypatch.setattr(rescue, "MOST_BYTES", 10)
    (synced.store.folder / "outbox.db.damaged-20261126T080000").write_bytes(b"not a database any more")
    assert synced.sync().rescued == 0
    (kept,) = synced.store.folder.glob("outbox.db.damaged-*")
    assert kept.name.endswith(".too-large")
    assert synced.sync().rescue_error is None


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


def turn_a_bit(db, sql, *values, column="body"):
    """Let one bit turn in what a statement finds; returns the bytes that are there now."""
    kept = db.execute(sql, values).fetchone()[column]
    torn = bytearray(kept if isinstance(kept, bytes) else kept.encode())
    torn[40] ^= 1
    return bytes(torn) if isinstance(kept, bytes) else torn.decode()


def torn_op(store, op_id):
    body = turn_a_bit(store.outbox.db, "select body from op where op_id=?", op_id)
    store.outbox.db.execute("update op set body=? where op_id=?", (body, op_id))
    return body


@pytest.mark.parametrize("restarted", [True, False])
def test_an_op_in_which_a_bit_turned_holds_up_no_other_and_is_told(synced, restarted):
    first, bad, last = (visit_event(synced.store, TARGET, "done", outcome="order") for _ in range(3))
    body = torn_op(synced.store, bad.op_id)
    if restarted:
        synced.kill()
    report = synced.sync()
    assert (report.ok, report.unreadable, report.results) == (True, 1, {"applied": 2})
    assert [op.op_id for op in synced.store.outbox.ops()] == [first.op_id, last.op_id]
    assert reads.sync_state(synced.store).unreadable == 1
    (sent,) = map(json.loads, synced.server.rescued)
    assert [(one["op_id"], base64.b64decode(one["body"])) for one in sent] == [(bad.op_id, body)]
    assert synced.sync().ok
    assert len(synced.server.rescued) == 1, "it goes to the server once"
    later = visit_event(synced.store, TARGET, "done", outcome="order")
    assert synced.sync().ok
    assert synced.store.outbox.op(later.op_id).state == "applied"


def test_an_op_in_which_a_bit_turned_comes_from_the_copy_that_has_it(synced):
    op = visit_event(synced.store, TARGET, "done", outcome="order")
    synced.store.outbox.back_up()
    torn_op(synced.store, op.op_id)
    assert synced.sync().results == {"applied": 1}
    assert reads.sync_state(synced.store).unreadable == 0


@pytest.mark.parametrize("torn", ["another text", b"\xff\xfe no text at all"])
def test_without_a_key_the_hash_of_an_op_tells_that_it_is_another(store, torn):
    bad, good = (visit_event(store, TARGET, "done") for _ in range(2))
    store.outbox.db.execute("update op set body=cast(? as text) where n=1", (torn,))
    assert [op.op_id for op in store.outbox.ops()] == [good.op_id]
    assert [one["op_id"] for one in store.outbox.aside.unsent()] == [bad.op_id]


def test_entries_whose_key_is_lost_are_told_and_return_with_the_key(synced):
    ops = [visit_event(synced.store, TARGET, "done", outcome="order") for _ in range(3)]
    name = f"seal-outbox-{synced.server.user_id}"
    key = synced.secrets.get(name)
    synced.kill()
    synced.secrets.delete(name)
    new = visit_event(synced.store, TARGET, "done", outcome="order")
    assert reads.sync_state(synced.store).unreadable == 3
    assert synced.sync().results == {"applied": 1}
    synced.kill()
    synced.secrets.put(name, key)
    assert reads.sync_state(synced.store).unreadable == 0, "that of the other key is on the server"
    assert synced.sync().results == {"applied": 3}
    assert set(synced.server.world.receipts) >= {op.op_id for op in (*ops, new)}


def test_a_verdict_that_cannot_be_read_leaves_its_op_readable(synced):
    op = visit_event(synced.store, TARGET, "done", outcome="order")
    assert synced.sync().ok
    torn = turn_a_bit(synced.store.outbox.db, "select result from op where op_id=?", op.op_id, column="result")
    synced.store.outbox.db.execute("update op set result=?", (torn,))
    assert synced.store.outbox.op(op.op_id).result is None
    assert synced.sync().ok


def test_a_fix_that_cannot_be_read_is_left_out(synced):
    fixes = synced.store.outbox.fixes
    for n in range(3):
        fixes.add({"n": n, "more": "x" * 40})
    torn = turn_a_bit(synced.store.outbox.db, "select body from fix where n=2")
    synced.store.outbox.db.execute("update fix set body=? where n=2", (torn,))
    assert [fix.body["n"] for fix in fixes.all()] == [0, 2]


def torn_row(store):
    torn = turn_a_bit(store.cache.db, "select doc from row where e='account' and id=?", uid(1002), column="doc")
    store.cache.db.execute("update row set doc=?, base=? where e='account' and id=?", (torn, torn, uid(1002)))


def test_a_cached_row_in_which_a_bit_turned_is_fetched_again_after_a_start(synced):
    torn_row(synced.store)
    synced.kill()
    assert [line.id for line in finding.AccountIndex(synced.store).search("")] == [uid(1001)]
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1002))["name"] == "Bäckerei Näscher"


def test_a_cached_row_in_which_a_bit_turned_under_the_running_app_is_fetched_again(synced):
    synced.server.reject = {edit(synced.store, "account", uid(1002), {"phone": "2"}).op_id}
    torn_row(synced.store)
    report = synced.sync()
    assert (report.ok, report.code) == (False, "storage")
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1002))["phone"] == "1"


META = {
    conflicts.KEY: '{"a": {"id": "a"}}',
    "trouble": '{"head":"x","code":"y","times":1,"limit":0}',
    rights.CLOSED: '["account.phone"]',
    holdings.SAID: '{"left_out": 3}',
    tracks.SAID: '{"zone": "Europe/Vaduz", "keep_days": 3, "shifts": []}',
    tracks.PAUSED_UNTIL: "2026-11-28T23:00:00+00:00",
    moments.TOLD: '{"ahead_ms": 1, "at": "2026-11-28T09:00:00+00:00", "mono_ms": 1, "boot": "b"}',
    restday.KEY: f'{{"route": "r", "rev": 1, "day": "{DAY}", "stops": [], "out": [], "returns": "{DAY}T17:00:00Z"}}',
    zones.TOLD: "Europe/Vaduz",
    locking.DAYS: "14",
    locking.CONTACT: "2026-11-28T09:00:00+00:00",
    locking.LATEST: "2026-11-28T09:00:00+00:00",
    locking.UP: '["b", 1]',
}


def looked_at(phone):
    """What screens and syncs read of it."""
    store = phone.store
    locking.look(store.outbox, moments.now(store.outbox))
    rights.may_change(store.outbox, "account", "phone")
    holdings.too_much(store.outbox)
    tracks.shift_now(store.outbox, clock.now())
    tracks.is_paused(store.outbox, clock.now())
    restday.taken_on(store)
    for day in reads.planned_days(store, phone.server.user_id, date.fromisoformat(DAY)):
        restday.day_as_taken(store, phone.server.user_id, date.fromisoformat(day))
    zones.today(store.outbox)
    conflicts.questions(store)


@pytest.mark.parametrize("key", META)
def test_a_bit_that_turned_in_what_the_phone_keeps_beside_stops_neither_a_sync_nor_a_screen(synced, key):
    for at in range(len(META[key])):
        torn = bytearray(META[key].encode())
        torn[at] ^= 1 << at % 5
        synced.store.outbox.db.execute("insert or replace into meta values(?,cast(? as text))", (key, bytes(torn)))
        looked_at(synced)
    synced.store.outbox.meta.set(key, "X" + META[key][1:])
    assert synced.sync().ok


def test_a_bit_that_turned_in_why_a_photo_was_refused_hides_no_photo(synced):
    synced.store.outbox.db.execute(
        "insert into blob(sha256,path,size,mime,upload_state,offset,for_op,lane,reason)"
        " values('ab','ab',1,'image/jpeg','refused',0,'x','photo','{\"code\": \"x')"
    )
    assert synced.sync().ok
    (refused,) = photos.waiting(synced.store).refused
    assert refused.error == {"code": '{"code": "x', "msg": '{"code": "x'}
