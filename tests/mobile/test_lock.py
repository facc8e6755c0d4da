"""What a thief finds on the phone, the PIN, and days without the server."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from mobile import phone as phones
from mobile.device import sealing
from mobile.device.desktop import FileSecrets
from mobile.field import locking, photos, reads
from mobile.field.capture import edit
from mobile.field.finding import AccountIndex
from mobile.field.store import Store, clock, salvage
from mobile.field.store.canonical import canonical
from tests.mobile.conftest import Phone, uid
from tests.mobile.field.fake_server import Refusal

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
SECRET = ("Müller", "Näscher", "Vaduz", "hush")


def octets(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


class Lens:
    def take(self, into):
        into.write_bytes(b"\xff\xd8 hush, a picture")
        return True


class Small:
    def shrink(self, source, large, small):
        large.write_bytes(source.read_bytes() + b" large")
        small.write_bytes(source.read_bytes())
        return 2, 2


def test_nothing_on_the_disk_tells_a_name_a_note_or_a_picture(synced):
    edit(synced.store, "account", uid(1001), {"note": "hush"})
    synced.kill()
    assert synced.store.cache.doc("account", uid(1001))["note"] == "hush", "the key is still there after a start"
    assert synced.sync().ok
    assert synced.server.world.rows["account", uid(1001)]["d"]["note"] == "hush", "what is sent is not sealed"
    photos.take(synced.store, Lens(), Small(), uid(1001), "account", uid(1001))
    synced.store.outbox.back_up()
    found = octets(synced.store.folder)
    assert [word for word in SECRET if word.encode() in found] == []
    (photo,) = photos.at_account(synced.store, uid(1001))
    assert photos.read(synced.store, photo.large) == b"\xff\xd8 hush, a picture large"
    assert [line.name for line in AccountIndex(synced.store).search("mull")] == ["Müller GmbH"]


def test_a_phone_from_before_there_were_keys_is_sealed_when_it_is_opened(tmp_path, server):
    synced = Phone(tmp_path / "old", server, sealed=False)
    synced.sign_in()
    assert synced.sync().ok
    edit(synced.store, "account", uid(1001), {"note": "hush"})
    folder = synced.store.folder
    synced.kill()
    assert b"hush" in octets(folder)
    store = Store(folder, sealing.seals_of(synced.secrets, synced.server.user_id))
    try:
        assert [op.body["f"]["note"][1] for op in store.outbox.ops()] == ["hush"]
        assert [word for word in SECRET if word.encode() in octets(folder)] == []
        assert store.cache.buckets() == [], "what can be fetched again is fetched again"
    finally:
        store.close()


def test_a_lost_key_of_the_cache_costs_a_fetch_and_no_work(synced):
    op = edit(synced.store, "account", uid(1001), {"note": "mine"})
    sealing.destroy(synced.secrets, synced.server.user_id, "cache")
    synced.kill()
    assert synced.store.cache.buckets() == []
    assert [one.op_id for one in synced.store.outbox.ops()] == [op.op_id]
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1001))["name"] == "Müller GmbH"


def test_a_wipe_destroys_the_keys_before_the_files(synced):
    steps, user = [], synced.server.user_id
    shred = sealing.destroy
    synced.home._shred = lambda who: (steps.append(synced.store.folder.exists()), shred(synced.secrets, who))
    folder = synced.store.folder
    synced.server.fail_next.append(("/sync/v1/hello", Refusal(403, "wipe")))
    report = synced.sync()
    synced.kill()
    assert report.code == "wipe"
    assert steps == [True], "the files were still there when the keys went"
    assert not folder.exists()
    assert synced.secrets.get(f"seal-cache-{user}") is None
    assert synced.secrets.get(f"seal-outbox-{user}") is None


def test_wrong_pins_wait_longer_each_time_and_the_right_one_counts_again_after_that(tmp_path):
    secrets = FileSecrets(tmp_path / "secrets.json")
    for bad in ("123", "123456789", "12a4"):
        with pytest.raises(locking.BadPin):
            locking.set_pin(secrets, "u", bad)
    locking.set_pin(secrets, "u", "2580")
    assert "2580" not in (tmp_path / "secrets.json").read_text()
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    at, waits = NOW, []
    for _ in range(5):
        tried = locking.try_pin(secrets, "u", "0000", at)
        waits.append(tried.wait_s)
        at += timedelta(seconds=tried.wait_s + 1)
    assert waits == [0, 0, 5, 10, 20]
    locking.try_pin(secrets, "u", "0000", at)
    assert locking.try_pin(secrets, "u", "2580", at) == locking.Tried(False, 40), "too early, even the right one"
    assert locking.try_pin(secrets, "u", "2580", at - timedelta(days=900)).wait_s == locking.MOST_WAIT_S
    assert locking.try_pin(secrets, "u", "2580", at + timedelta(seconds=60)).ok
    assert json.loads(secrets.get("pin-u"))["wrong"] == 0


@pytest.fixture
def wait(monkeypatch):
    """Let time pass for the clock that nobody sets, as long as the machine runs."""
    begun = clock.up_ms()

    def wait(days):
        monkeypatch.setattr(clock, "up_ms", lambda: begun + int(days * 86_400_000))

    return wait


def closed(outbox, at):
    return locking.look(outbox, at) == locking.ALONE


def test_after_a_fortnight_alone_only_a_password_opens_the_data_and_unsent_work_is_kept(synced, wait):
    outbox = synced.store.outbox
    op = edit(synced.store, "account", uid(1001), {"note": "mine"})
    assert not closed(outbox, NOW), "the first look begins the count"
    wait(14)
    assert not closed(outbox, NOW + timedelta(days=14))
    assert not closed(outbox, NOW + timedelta(days=2)), "a clock that is set back opens and closes nothing"
    wait(14.1)
    assert closed(outbox, NOW + timedelta(days=2)), "nor does it gain anything"
    assert closed(outbox, NOW), "once it is closed, turning the clock does not help"
    locking.opened(outbox, NOW + timedelta(days=20))
    assert not closed(outbox, NOW + timedelta(days=21))
    assert [one.op_id for one in outbox.ops()] == [op.op_id]
    assert reads.sync_state(synced.store).unsent == 1


def test_the_company_says_after_how_many_days_and_what_was_not_sent_is_kept(synced, wait):
    outbox = synced.store.outbox
    op = edit(synced.store, "account", uid(1001), {"note": "mine"})
    locking.in_contact(outbox, NOW)
    locking.close_after(outbox, 3)
    locking.close_after(outbox, None)
    locking.close_after(outbox, 0)
    wait(3)
    assert not closed(outbox, NOW + timedelta(days=3)), "an older server, or nonsense, changes nothing"
    wait(3.1)
    assert closed(outbox, NOW + timedelta(days=3, hours=2))
    assert [one.op_id for one in outbox.ops()] == [op.op_id]
    assert reads.sync_state(synced.store).unsent == 1


def test_a_clock_that_jumps_covers_the_data_and_closes_nothing(synced, wait):
    """Minutes after the server was heard the phone says that it is another year."""
    outbox, year = synced.store.outbox, NOW + timedelta(days=400)
    locking.in_contact(outbox, NOW)
    wait(0.01)
    assert locking.look(outbox, year) == locking.DOUBTED
    assert locking.look(outbox, NOW + timedelta(minutes=15)) == locking.OPEN, "it is right again"
    wait(1)
    assert locking.look(outbox, year) == locking.DOUBTED
    locking.in_contact(outbox, year)
    assert locking.look(outbox, year + timedelta(minutes=1)) == locking.OPEN, "the server was heard"
    wait(16)
    assert locking.look(outbox, year + timedelta(minutes=1)) == locking.ALONE, "the other clock goes on"


def test_after_a_new_start_of_the_machine_the_clock_is_believed(synced, monkeypatch):
    """It may have been switched off for so long."""
    outbox = synced.store.outbox
    locking.in_contact(outbox, NOW)
    monkeypatch.setattr(clock, "boot_id", lambda: "another start")
    assert locking.look(outbox, NOW + timedelta(days=2)) == locking.OPEN
    assert locking.look(outbox, NOW + timedelta(days=20)) == locking.DOUBTED, "it runs since the look before"
    monkeypatch.setattr(clock, "boot_id", lambda: "a third one")
    assert locking.look(outbox, NOW + timedelta(days=20)) == locking.ALONE


@pytest.fixture
def real(synced, monkeypatch):
    """The phone as the app has it."""
    real = phones.Phone(synced.folder)
    real.home, real.keys, real.secrets = synced.home, synced.keys, synced.secrets
    monkeypatch.setattr(phones, "HttpTransport", lambda _server: synced.server)
    locking.in_contact(synced.store.outbox, clock.now())
    return real


def at_day(monkeypatch, days):
    later, up_ms = clock.now() + timedelta(days=days), clock.up_ms() + days * 86_400_000
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setattr(clock, "up_ms", lambda: up_ms)
    return later


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(None, None), ("no room", "storage_low"), ("a broken page", "internal"), ("barred", "retired")],
)
def test_a_phone_that_the_server_greets_is_not_alone_whatever_fails_then(synced, real, monkeypatch, trouble, code):
    usage = shutil.disk_usage(synced.folder)
    later = at_day(monkeypatch, 15)
    if trouble == "no room":
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    if trouble == "a broken page":
        synced.server.fail_next = [("/sync/v1/pull", Refusal(500, "internal"))]
    if trouble == "barred":
        synced.server.fail_next = [("/sync/v1/hello", Refusal(403, "retired"))]
    assert real.sync(synced.store, with_maps=False).code == code
    assert closed(synced.store.outbox, later) is (trouble == "barred")


def test_a_sync_whose_files_cannot_be_opened_is_told_and_tried_again(synced, real, monkeypatch):
    synced.kill()

    def full(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(salvage, "mend_outbox", full)
    report = real.sync_by_itself()
    assert (report.ok, report.code) == (False, "storage")
    assert "full" in report.detail
    monkeypatch.undo()
    monkeypatch.setattr(phones, "HttpTransport", lambda _server: synced.server)
    assert real.sync_by_itself().ok


def test_equal_contents_never_look_equal_and_a_wrong_key_reads_nothing():
    one, other = sealing.AesSealer(bytes(32)), sealing.AesSealer(b"k" * 32)
    text = canonical({"a": 1}).encode()
    assert one.seal(text) != one.seal(text)
    assert one.open(one.seal(text)) == text
    with pytest.raises(ValueError, match="another key"):
        other.open(one.seal(text))
