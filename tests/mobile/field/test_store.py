"""What the phone remembers, and what it survives."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta

import pytest

from mobile.field import drafts, reads, zones
from mobile.field.capture import VisitTarget, change_tags, edit, visit_event
from mobile.field.finding import AccountIndex
from mobile.field.store import Store, clock, moments, overlay, reserve
from mobile.field.store.canonical import canonical
from mobile.field.store.ids import uuid7
from mobile.field.store.outbox import MAX_OP_BYTES, MIGRATIONS, OpTooLarge
from mobile.field.store.sqlite import migrate
from tests.mobile.conftest import DAY, uid
from tests.mobile.field.conftest import TARGET


def test_identifiers_are_version_7_and_sort_by_time():
    made = [uuid7() for _ in range(5000)]
    assert made == sorted(set(made))
    assert made[0][14] == "7"
    assert made[0][19] in "89ab"


def test_a_value_has_one_canonical_spelling():
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical(float("nan"))


def test_what_is_taken_back_was_never_there_and_what_follows_moves_down(store):
    first, missed, last = (visit_event(store, TARGET, state) for state in ("checked_in", "missed", "done"))
    batch = store.outbox.next_batch(10, 10_000)
    assert store.take_back([missed.op_id])
    assert not store.outbox.mark_sent(batch), "a batch that was put together before is not sent"
    assert [(op.n, op.op_id) for op in store.outbox.ops()] == [(1, first.op_id), (2, last.op_id)]
    assert store.cache.doc("visit", uid(3))["state"] == "done"
    assert visit_event(store, TARGET, "done").n == 3
    assert store.outbox.mark_sent(store.outbox.next_batch(10, 10_000))
    assert not store.take_back([last.op_id]), "the server may have it"
    (store.folder / "outbox.db").write_bytes(b"torn")
    store.close()
    again = Store(store.folder)
    assert missed.op_id not in [op.op_id for op in again.outbox.ops()], "nor does the copy bring it back"
    again.close()


def test_the_last_of_all_taken_back_leaves_its_number(store):
    missed = visit_event(store, TARGET, "missed")
    assert store.take_back([missed.op_id])
    assert store.cache.doc("visit", uid(3)) is None
    assert visit_event(store, TARGET, "done").n == 1


def test_saved_means_committed_in_the_outbox(store):
    op = visit_event(store, TARGET, "done", outcome="order")
    other = sqlite3.connect(store.folder / "outbox.db")
    assert other.execute("select op_id, state from op").fetchall() == [(op.op_id, "queued")]
    assert store.outbox.db.execute("pragma synchronous").fetchone()[0] == 2
    assert store.outbox.db.execute("pragma journal_mode").fetchone()[0] == "wal"


def test_killed_between_outbox_and_cache_the_visit_is_shown_after_the_next_start(store, monkeypatch):
    def kill(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "refresh", kill)
    with pytest.raises(KeyboardInterrupt):
        visit_event(store, TARGET, "done", outcome="order")
    monkeypatch.undo()
    again = Store(store.folder)
    assert again.cache.doc("visit", uid(3))["state"] == "done"
    again.close()


def test_killed_between_queued_again_and_shown_again_the_edit_is_shown_after_the_next_start(store):
    """As in a sync after the server was put back: what it had refused is to be sent once more."""
    store.cache.put_base("account", uid(1), 1, {"id": uid(1), "website": None})
    op = edit(store, "account", uid(1), {"website": "https://shop.example"})
    store.outbox.acknowledge(op.n, "rejected", {"n": op.n, "status": "rejected"})
    store.rebuild_overlay()
    assert store.cache.doc("account", uid(1))["website"] is None
    assert store.outbox.align(0) == 1
    again = Store(store.folder)
    assert again.cache.doc("account", uid(1))["website"] == "https://shop.example"
    again.outbox.acknowledge(op.n, "rejected", {"n": op.n, "status": "rejected"})
    again.close()
    last = Store(store.folder)
    assert last.cache.doc("account", uid(1))["website"] is None, "nor is shown what was refused"
    last.close()


def test_op_numbers_have_no_gaps_even_when_a_save_fails(store):
    visit_event(store, TARGET, "en_route")
    with pytest.raises(OpTooLarge):
        visit_event(store, TARGET, "done", note="\U0001f600" * (MAX_OP_BYTES // 4))
    assert visit_event(store, TARGET, "done").n == 2


def test_parking_an_op_closes_the_order_behind_it(store):
    ops = [visit_event(store, TARGET, "done", note=str(i)) for i in range(4)]
    store.outbox.park(2, {"code": "internal"})
    assert [op.op_id for op in store.outbox.next_batch(10, 10**6)] == [ops[0].op_id, ops[2].op_id, ops[3].op_id]
    assert [op.n for op in store.outbox.next_batch(10, 10**6)] == [1, 2, 3]
    assert visit_event(store, TARGET, "done").n == 4


def test_a_batch_stays_within_the_servers_bytes_but_is_never_empty(store):
    for _ in range(3):
        visit_event(store, TARGET, "done", note="x" * 5000)
    assert len(store.outbox.next_batch(100, 12_000)) == 2
    assert len(store.outbox.next_batch(100, 10)) == 1


def test_the_outbox_is_copied_after_each_twenty_ops(store):
    for _ in range(20):
        visit_event(store, TARGET, "en_route")
    copy = sqlite3.connect(store.folder / "outbox.bak")
    assert copy.execute("select count(*) from op").fetchone()[0] == 20


def test_a_damaged_outbox_is_salvaged_and_the_damaged_file_is_kept(tmp_path):
    folder = tmp_path / "user"
    store = Store(folder)
    store.outbox.meta.set("device_id", "d1")
    drafts.keep(store, uid(3009), {"account_id": uid(1001), "planned": True, "note": "half a word"})
    for i in range(60):
        visit_event(store, TARGET, "done", note=f"{i} " + "x" * 500)
    store.close()
    path = folder / "outbox.db"
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2 // 4096 * 4096
    raw[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(bytes(raw))
    again = Store(folder)
    assert len(again.outbox.ops()) == 60, "the copy after the 60th op fills what the file lost"
    assert again.outbox.meta.get("device_id") == "d1"
    assert [one.body["note"] for one in again.outbox.drafts.all()] == ["half a word"]
    assert list(folder.glob("outbox.db.damaged-*"))
    assert visit_event(again, TARGET, "done").n == 61
    again.close()


@pytest.mark.parametrize("damaged", [False, True])
def test_the_draft_of_a_visit_from_an_older_app_is_there_under_its_visit(tmp_path, damaged):
    folder = tmp_path / "user"
    folder.mkdir()
    path = folder / "outbox.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:6])
        body = {"account_id": uid(1001), "planned": False, "note": "half a word", "step_when": "w_week"}
        old.execute("insert into draft values(?,?,?)", (uid(3009), "2026-11-28T10:00:00+00:00", json.dumps(body)))
    if damaged:
        with path.open("ab") as file:
            file.write(b"no page")
    store = Store(folder)
    (draft,) = store.outbox.drafts.all()
    assert (draft.id, drafts.opens(draft)) == (uid(3009), ("visit", {"visit_id": uid(3009), "account_id": uid(1001)}))
    assert drafts.at_visit(store, None, uid(1001)) == draft
    assert drafts.unfinished(store) == [draft]
    store.close()
    assert bool(list(folder.glob("outbox.db.damaged-*"))) == damaged


def test_when_the_storage_is_full_the_reserve_lets_a_visit_be_saved(store, monkeypatch):
    held = store.folder / "reserve"
    assert held.stat().st_size == reserve.RESERVE_BYTES
    append = store.outbox.append

    def full_while_reserve_is_held(body, contents, **more):
        if held.exists():
            raise sqlite3.OperationalError("database or disk is full")
        return append(body, contents, **more)

    monkeypatch.setattr(store.outbox, "append", full_while_reserve_is_held)
    assert visit_event(store, TARGET, "done").state == "queued"


def test_unknown_keys_of_a_row_are_kept_for_later_versions(store):
    store.cache.put_base("account", uid(1), 3, {"id": uid(1), "name": "A", "a_later_field": [1]})
    assert store.cache.base("account", uid(1)) == (3, {"id": uid(1), "name": "A", "a_later_field": [1]})


def test_an_edit_carries_old_and_new_value_and_the_revision_it_saw(store):
    store.cache.put_base("account", uid(1), 3, {"id": uid(1), "name": "A", "phone": "1"})
    op = edit(store, "account", uid(1), {"phone": "2", "name": "A"})
    assert (op.body["f"], op.body["base_rev"]) == ({"phone": ["1", "2"]}, 3)
    assert edit(store, "account", uid(1), {"phone": "2"}) is None
    assert store.cache.doc("account", uid(1))["phone"] == "2"


def test_the_overlay_is_the_base_plus_ops_in_order(store):
    base = {"id": uid(1), "tags": ["a"], "phone": "1"}
    ops = [
        {"e": "account", "id": uid(1), "k": "patch", "f": {"phone": ["1", "2"]}},
        {"e": "account", "id": uid(1), "k": "patch", "f": {"phone": ["2", "3"]}},
        {"e": "account", "id": uid(1), "k": "setadd", "field": "tags", "v": ["a", "b"]},
        {"e": "account", "id": uid(1), "k": "setdel", "field": "tags", "v": ["a"]},
    ]
    assert overlay.lay_over(base, ops) == {"id": uid(1), "tags": ["b"], "phone": "3"}
    assert base == {"id": uid(1), "tags": ["a"], "phone": "1"}


def test_an_unplanned_visit_appears_on_the_phone_before_the_server_knows_it(store):
    target = VisitTarget(uid(1), None, DAY, "Europe/Vaduz")
    op = visit_event(store, target, "done", outcome="order")
    day = reads.day(store, "me", date.fromisoformat(DAY))
    assert [(s.visit_id, s.state, s.mark) for s in day.stops] == [(op.body["d"]["visit_id"], "done", "phone")]


def test_the_day_lists_stops_in_route_order_with_their_marks(synced):
    visit_event(
        synced.store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001)), "done", outcome="order"
    )
    day = reads.day(synced.store, synced.server.user_id, date.fromisoformat(DAY))
    assert [(s.position, s.name, s.state, s.mark) for s in day.stops] == [
        (1, "Müller GmbH", "done", "phone"),
        (2, "Bäckerei Näscher", "planned", ""),
    ]
    assert day.next_stop.name == "Bäckerei Näscher"
    assert reads.planned_days(synced.store, synced.server.user_id, date.fromisoformat(DAY)) == [DAY]


def test_the_account_card_shows_sites_and_what_happened_there(synced):
    visit_event(
        synced.store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001)), "done", outcome="order"
    )
    change_tags(synced.store, uid(1001), add=["vip"])
    card = reads.account_card(synced.store, uid(1001))
    assert card.sites[0]["city"] == "Vaduz"
    assert [(t.state, t.outcome, t.who) for t in card.timeline] == [("done", "order", "Mara Roy")]
    assert reads.account_card(synced.store, uid(77)) is None


def test_two_users_of_one_phone_have_two_folders(phone):
    phone.server.users["ben"] = {"id": uid(8), "name": "Ben", "login": "ben", "role": "rep"}
    visit_event(phone.store, TARGET, "done")
    other = phone.home.store(uid(8))
    assert other.outbox.ops() == []
    other.close()


def test_a_phone_folder_of_an_older_version_is_brought_up_to_date(store):
    assert store.outbox.db.execute("pragma user_version").fetchone()[0] == 9
    assert store.cache.db.execute("pragma user_version").fetchone()[0] == 2
    path = store.folder
    store.close()
    shutil.copytree(path, path.with_name("copy"))
    Store(path.with_name("copy")).close()


def test_nothing_is_lost_when_the_note_holds_any_character(store):
    note = 'Grüße ✓ \U0001f600 "quoted" \\ \u0000 end'
    op = visit_event(store, TARGET, "done", note=note)
    assert json.loads(store.outbox.db.execute("select body from op").fetchone()[0])["d"]["note"] == note
    assert op.body["d"]["note"] == note


def test_an_account_is_overdue_by_its_interval_and_its_last_visit(synced, monkeypatch):
    account = synced.server.world.rows["account", uid(1001)]["d"]
    synced.server.put("account", uid(1001), account | {"interval_days": 30})
    assert synced.sync().ok
    assert AccountIndex(synced.store).search("muller")[0].overdue_days is None
    visit_event(
        synced.store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001)), "done", outcome="order"
    )
    for today, days in (("2026-12-01", -22), ("2027-01-01", 9)):
        monkeypatch.setattr(zones, "today", lambda _outbox, today=today: date.fromisoformat(today))
        line = AccountIndex(synced.store).search("muller")[0]
        assert (line.overdue_days, line.overdue) == (days, days > 0)


def test_an_account_is_overdue_by_the_cadence_of_its_class_and_since_it_is_known(synced, monkeypatch):
    """It was never overdue on phones: hardly any account names an interval of its own."""
    account = synced.server.world.rows["account", uid(1001)]["d"]
    known = {"account_class": "B", "owner_id": synced.server.user_id, "interval_days": None}
    monkeypatch.setattr(zones, "today", lambda _outbox: date(2026, 12, 1))

    def told(**more):
        synced.server.put("account", uid(1001), account | known | more)
        assert synced.sync().ok
        line, card = AccountIndex(synced.store).search("muller")[0], reads.account_card(synced.store, uid(1001))
        assert line.overdue_days == card.overdue_days
        return line.overdue_days

    assert told() is None, "nobody says since when it is known"
    assert told(created_on="2026-11-20") == 11
    assert told(created_on="2026-01-20", last_visit_on="2026-11-01") == 2
    synced.server.put("cadence", uid(8001), {"user_id": None, "account_class": "B", "interval_days": 21}, 412)
    assert told(last_visit_on="2026-11-01") == 9
    own = {"user_id": synced.server.user_id, "account_class": "B", "interval_days": 10}
    synced.server.put("cadence", uid(8002), own, 412)
    assert told(last_visit_on="2026-11-01") == 20
    assert told(last_visit_on="2026-11-01", interval_days=25) == 5
    assert told(last_visit_on="2026-11-01", account_class=None) is None


def test_the_servers_clock_tells_day_and_time_where_the_phones_is_wrong(store, monkeypatch):
    real, wrong = datetime.fromisoformat(f"{DAY}T23:30:00+00:00"), timedelta(hours=-9)
    monkeypatch.setattr(clock, "now", lambda: real + wrong)
    monkeypatch.setattr(clock, "wall", lambda: (real + wrong).isoformat(timespec="milliseconds"))
    monkeypatch.setattr(clock, "mono_ms", lambda: 1)
    zones.heard(store.outbox, "Europe/Vaduz")
    assert zones.today(store.outbox) == date.fromisoformat(DAY), "nobody has told the time yet"
    moments.heard(store.outbox, real.isoformat())
    assert zones.today(store.outbox) == date.fromisoformat(DAY) + timedelta(days=1)
    assert zones.today(store.outbox, "UTC") == date.fromisoformat(DAY)
    visit_event(store, TARGET, "done", outcome="order")
    assert datetime.fromisoformat(store.cache.doc("visit", uid(3))["done_at"]) == real, "as the server will tell it"
    (op,) = store.outbox.ops()
    assert datetime.fromisoformat(op.body["at"]["wall"]) == real + wrong, "the server knows how wrong it is"


def test_a_clock_that_is_set_back_later_is_seen_by_the_one_that_never_runs_backwards(store, monkeypatch):
    real = datetime.fromisoformat(f"{DAY}T12:00:00+00:00")
    told = {"now": real, "mono": 5_000, "boot": "one"}
    for name, ask in (("now", "now"), ("mono_ms", "mono"), ("boot_id", "boot")):
        monkeypatch.setattr(clock, name, lambda ask=ask: told[ask])
    moments.heard(store.outbox, real.isoformat())
    told |= {"now": real - timedelta(days=1), "mono": 65_000}
    assert moments.now(store.outbox) == real + timedelta(minutes=1)
    told |= {"now": real + timedelta(hours=8), "mono": 70_000}
    assert moments.now(store.outbox) == real + timedelta(hours=8), "it slept, as far as anybody knows"
    told |= {"now": real + timedelta(hours=9), "boot": "two", "mono": 10}
    assert moments.now(store.outbox) == real + timedelta(hours=9)
