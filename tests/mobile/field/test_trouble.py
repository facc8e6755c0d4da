"""The phone when the server refuses, fails, locks, loses its memory or runs out of room."""

from mobile.field import reads
from mobile.field.sync.problems import Busy
from tests.mobile.conftest import uid
from tests.mobile.field.fake_server import FaultyTransport, Refusal
from tests.mobile.field.test_sync import base_equals_server, done, states


def test_a_rejected_op_needs_the_rep_and_the_queue_goes_on(synced):
    bad, good = done(synced, 1), done(synced, 2)
    synced.server.reject = {bad.op_id}
    assert synced.sync().results == {"rejected": 1, "applied": 1}
    assert [op.op_id for op in reads.sync_state(synced.store).attention] == [bad.op_id]
    assert synced.store.outbox.op(good.op_id).state == "applied"
    assert synced.store.cache.doc("visit", uid(3001))["state"] == "planned", "a refused visit is not shown as done"


def test_an_op_that_breaks_the_server_three_times_is_parked_and_the_others_pass(synced):
    ops = [done(synced, 1 + i % 2) for i in range(7)]
    poison = ops[3].op_id
    synced.server.poison = {poison}
    reports = [synced.sync() for _ in range(3)]
    assert [r.code for r in reports[:2]] == ["internal", "internal"]
    assert reports[2].ok
    assert reports[2].parked == 1
    assert synced.store.outbox.op(poison).state == "stuck"
    assert sum(op.state == "applied" for op in synced.store.outbox.ops()) == 6
    assert poison in [op.op_id for op in reads.sync_state(synced.store).attention]


def test_a_parked_op_is_sent_again_when_the_rep_asks(synced):
    ops = [done(synced, 1 + i % 2) for i in range(3)]
    synced.server.poison = {ops[0].op_id}
    for _ in range(3):
        synced.sync()
    synced.server.poison = set()
    done(synced, 2)
    assert synced.store.outbox.retry_parked() == 1
    assert synced.sync().ok
    assert set(states(synced)) == {"applied"}
    assert len(synced.server.world.events) == 4


def test_a_batch_that_is_too_big_is_halved(synced):
    ops = [done(synced, 1) for _ in range(4)]
    synced.server.fail_next = [("/sync/v1/push", Refusal(413, "too_big")), ("/sync/v1/push", Refusal(413, "too_big"))]
    report = synced.sync()
    assert report.ok
    assert report.parked == 0
    assert {synced.store.outbox.op(op.op_id).state for op in ops} == {"applied"}


def test_a_gap_closes_itself_because_numbers_above_the_mark_are_free(synced):
    done(synced, 1)
    done(synced, 2)
    synced.store.outbox.db.execute("update op set n=n+5 where n=2")
    assert synced.sync().ok
    assert states(synced) == ["applied", "applied"]


def test_two_gaps_in_a_row_are_reported_and_not_looped(synced):
    done(synced, 1)
    synced.server.fail_next = [("/sync/v1/push", Refusal(409, "gap", expected=9))] * 2
    assert synced.sync().code == "gap"
    assert synced.store.outbox.counts() == {"sent": 1}


def test_a_forked_phone_signs_in_again_and_loses_nothing(synced):
    done(synced, 1)
    assert synced.sync().ok
    done(synced, 2)
    synced.server.fail_next = [("/sync/v1/push", Refusal(409, "device_forked"))]
    assert synced.sync().code == "device_forked"
    synced.kill()
    synced.sign_in()
    assert synced.sync().ok
    assert len(synced.server.world.events) == 2
    assert states(synced) == ["applied", "applied"]


def test_a_visit_delivered_under_an_old_device_id_survives_a_restore(synced):
    backup = synced.server.backup()
    done(synced, 1)
    assert synced.sync().ok
    synced.kill()
    synced.sign_in()
    tokens = dict(synced.server.world.devices)
    synced.server.restore(backup)
    synced.server.world.devices |= tokens
    assert synced.sync().ok
    assert synced.sync().ok
    assert len(synced.server.world.events) == 1


def test_an_expired_access_token_is_refreshed_in_the_middle_of_a_run(synced):
    done(synced)
    for device in synced.server.world.devices.values():
        device["access"] = "something else"
    assert synced.sync().ok
    assert len(synced.server.world.events) == 1


def test_a_lost_answer_to_a_refresh_does_not_log_the_rep_out(synced):
    for device in synced.server.world.devices.values():
        device["access"] = "something else"
    faulty = synced.transport = FaultyTransport(synced.server)
    faulty.script = [None, "lose_reply"]
    assert synced.sync().code == "unreachable"
    assert synced.sync().ok


def test_when_a_sign_in_is_needed_the_outbox_stays(synced):
    done(synced)
    synced.server.world.devices.clear()
    assert synced.sync().code == "login_required"
    assert states(synced) == ["queued"]
    synced.kill()
    synced.sign_in()
    assert synced.sync().ok
    assert len(synced.server.world.events) == 1


def test_a_wipe_order_destroys_the_key_and_the_files(synced):
    synced.server.fail_next = [("/sync/v1/hello", Refusal(403, "wipe"))]
    folder = synced.store.folder
    synced.home.packs.mkdir(exist_ok=True)
    (synced.home.packs / "a.wmap").write_bytes(b"streets")
    (synced.folder / "settings.json").write_text("{}")
    assert synced.sync().code == "wipe"
    assert not synced.home.packs.exists()
    assert not (synced.folder / "settings.json").exists()
    synced._store = None
    assert not folder.exists()
    assert list((synced.folder / "keys").iterdir()) == []
    assert synced.home.signed_in() is None


def test_an_old_app_still_pushes_when_the_server_asks_for_an_upgrade(synced):
    done(synced)
    synced.server.fail_next = [("/sync/v1/pull", Refusal(426, "upgrade"))]
    report = synced.sync()
    assert report.ok
    assert report.upgrade
    assert states(synced) == ["applied"]


def test_acknowledged_ops_stay_until_the_servers_backups_cover_them(synced, monkeypatch):
    from datetime import timedelta

    from mobile.field.store import clock

    for i in (1, 2):
        done(synced, i)
    assert synced.sync().ok
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=8))
    assert synced.sync().ok
    assert len(states(synced)) == 2
    synced.server.durable_n = 2
    assert synced.sync().ok
    assert [op.n for op in synced.store.outbox.ops()] == [2], "the newest stays: it carries the number"
    assert done(synced, 1).n == 3


def test_a_damaged_cache_is_fetched_again_and_pending_work_is_shown(synced):
    done(synced)
    path = synced.store.folder / "cache.db"
    synced.kill()
    path.write_bytes(b"\x00" * 200 + path.read_bytes()[200:])
    assert synced.store.cache.doc("visit", uid(3001))["state"] == "done"
    assert synced.sync().ok
    assert base_equals_server(synced)
    assert len(synced.server.world.events) == 1


def test_the_map_comes_in_pieces_is_checked_and_replaced_whole(synced):
    data = bytes(range(256)) * 4000
    digest = synced.server.offer_pack(data, [9.0, 47.0, 10.0, 48.0])
    synced.home.packs.mkdir(exist_ok=True)
    (synced.home.packs / f"{digest}.part").write_bytes(data[:1000])
    report = synced.sync()
    assert (report.maps, report.map_error) == (1, None)
    assert (synced.home.packs / f"{digest}.wmap").read_bytes() == data
    assert synced.sync().maps == 0


def test_a_map_with_the_wrong_hash_is_thrown_away_and_the_sync_still_counts(synced):
    digest = synced.server.offer_pack(b"a" * 5000, [9.0, 47.0, 10.0, 48.0])
    synced.server.pack_bytes = b"b" * 5000
    report = synced.sync()
    assert report.ok
    assert report.map_error
    assert not (synced.home.packs / f"{digest}.wmap").exists()


def test_a_busy_server_is_left_alone_as_long_as_it_asked():
    assert Busy(503, "busy", "", {"after_s": 12}).after_s == 12.0


def test_on_a_full_phone_visits_still_go_out(synced, monkeypatch):
    import shutil

    done(synced)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 1_000_000})())
    report = synced.sync()
    assert (report.code, report.results) == ("storage_low", {"applied": 1})
