"""The sync loop against a server that loses messages, fails, forgets and changes its mind."""

import pytest

from mobile import reasons
from mobile.field import conflicts, reads
from mobile.field.capture import VisitTarget, change_tags, edit, visit_event
from mobile.field.sync.hello import align, hello
from mobile.texts import Words
from tests.mobile.conftest import DAY, Phone, fill, uid
from tests.mobile.field.fake_server import FaultyTransport, Refusal


def done(phone, i=1, **rest):
    target = VisitTarget(uid(1000 + i), uid(2000 + i), DAY, "Europe/Vaduz", uid(3000 + i))
    return visit_event(phone.store, target, "done", outcome="order", note=f"visit {i}", **rest)


def states(phone):
    return [op.state for op in phone.store.outbox.ops()]


def base_equals_server(phone):
    """I3: the phone holds exactly the server's rows of its buckets."""
    allowed = set(phone.server.buckets)
    wanted = {
        key: (row["r"], row["d"])
        for key, row in phone.server.world.rows.items()
        if row["buckets"] & allowed and not row["gone"]
    }
    rows = phone.store.cache.db.execute("select e,id from row").fetchall()
    return {(r[0], r[1]): phone.store.cache.base(r[0], r[1]) for r in rows} == wanted


def test_the_first_sync_brings_every_row_of_the_users_buckets(phone):
    report = phone.sync()
    assert report.ok, report.detail
    assert base_equals_server(phone)


def test_pages_of_one_row_bring_the_same_as_one_big_page(phone):
    phone.server.page_rows = 1
    assert phone.sync().ok
    assert base_equals_server(phone)


def test_a_first_sync_killed_between_pages_goes_on_where_it_was(phone):
    phone.server.page_rows = 3
    faulty = phone.transport = FaultyTransport(phone.server)
    faulty.script = [None, None, None, "lose_request"]  # hello, two pages, then silence
    assert phone.sync().code == "unreachable"
    assert 0 < phone.store.cache.db.execute("select count(*) from row").fetchone()[0] < len(phone.server.world.rows)
    phone.kill()
    assert phone.sync().ok
    assert base_equals_server(phone)


def test_a_visit_saved_without_network_is_applied_once_the_server_is_back(synced):
    done(synced)
    assert states(synced) == ["queued"]
    report = synced.sync()
    assert report.results == {"applied": 1}
    assert synced.server.world.rows["visit", uid(3001)]["d"]["state"] == "done"
    assert base_equals_server(synced)


def test_a_saved_visit_is_shown_at_once_and_never_flickers_back(synced):
    def shown():
        return synced.store.cache.doc("visit", uid(3001))["state"]

    done(synced)
    assert shown() == "done"
    reply = hello(synced.store, synced.store and _api(synced))
    align(synced.store, reply)
    from mobile.field.sync.push import push

    push(synced.store, _api(synced), reply.epoch, reply.limits)
    assert states(synced) == ["applied"]
    assert shown() == "done", "the answer carries no row, the pull has not come: the rep still sees the own visit"
    synced.sync()
    assert shown() == "done"
    assert synced.store.showing() == []


def _api(phone):
    from mobile.field.sync.api import Api
    from mobile.field.sync.tokens import TokenKeeper

    api = Api(phone.transport)
    TokenKeeper(api, phone.keys, phone.secrets, phone.server.user_id).ensure()
    return api


def test_a_lost_answer_makes_no_second_visit(synced):
    done(synced)
    faulty = synced.transport = FaultyTransport(synced.server)
    faulty.script = [None, "lose_reply"]
    assert synced.sync().code == "unreachable"
    assert states(synced) == ["sent"]
    assert synced.sync().ok
    assert states(synced) == ["applied"]
    assert len(synced.server.world.events) == 1


def test_an_answer_cut_in_the_middle_counts_as_no_answer(synced):
    done(synced)
    faulty = synced.transport = FaultyTransport(synced.server)
    faulty.script = [None, "cut_reply"]
    assert synced.sync().code == "unreachable"
    assert synced.sync().ok
    assert len(synced.server.world.events) == 1


@pytest.mark.parametrize("seed", range(12))
def test_under_loss_and_duplication_every_visit_arrives_exactly_once(tmp_path, server, seed):
    fill(server, accounts=4)
    phone = Phone(tmp_path / "p", server)
    phone.sign_in()
    assert phone.sync().ok
    phone.transport = FaultyTransport(server, seed, lose_request=0.2, lose_reply=0.25, duplicate=0.3)
    for i in (1, 2, 3, 4):
        done(phone, i)
        edit(phone.store, "account", uid(1000 + i), {"email": f"new{i}@x.li"})
        phone.sync()
        if i % 2:
            phone.kill()
    for _round in range(40):
        if phone.sync().ok:
            break
    phone.transport = server
    assert phone.sync().ok
    assert sorted(server.world.events) == sorted(
        {op.row_id for op in phone.store.outbox.ops() if op.e == "visit_event"}
    )
    assert len(server.world.events) == 4
    assert set(states(phone)) <= {"applied", "merged"}
    assert base_equals_server(phone)
    phone.kill()


def test_ops_are_sent_in_the_order_of_their_numbers_and_at_most_a_hundred_at_a_time(synced):
    for _ in range(130):
        done(synced)
    report = synced.sync()
    assert report.results == {"applied": 130}
    assert [path for _m, path in synced.server.requests].count("/sync/v1/push") == 2


def test_a_restored_server_gets_every_visit_it_forgot(synced):
    done(synced, 1)
    assert synced.sync().ok
    backup = synced.server.backup()
    done(synced, 2)
    assert synced.sync().ok
    synced.server.restore(backup)
    report = synced.sync()
    assert report.ok, report.detail
    assert report.requeued == 2, "its mark says nothing of what a copy of this phone may have sent by these numbers"
    assert len(synced.server.world.events) == 2
    assert states(synced) == ["applied", "applied"]
    assert base_equals_server(synced)


def test_a_phone_that_forgot_the_epoch_replays_all_the_same(synced):
    backup = synced.server.backup()
    done(synced, 1)
    assert synced.sync().ok
    epoch = synced.server.epoch
    synced.server.restore(backup)
    synced.server.epoch = epoch  # the restore brought the old name back
    assert synced.sync().ok
    assert len(synced.server.world.events) == 1


def test_an_edit_queued_again_by_an_app_that_is_killed_then_is_shown_at_the_next_start(synced):
    edit(synced.store, "account", uid(1001), {"note": "  As typed "})
    assert synced.sync().ok
    rev, told = synced.store.cache.base("account", uid(1001))
    with synced.store.page():  # the server spells it in another way
        synced.store.cache.put_base("account", uid(1001), rev + 1, told | {"note": "As told"})
        synced.store.refresh([("account", uid(1001))])
    assert synced.store.outbox.send_all_again() == 1
    synced.kill()  # before it is laid over its row again
    assert synced.store.cache.doc("account", uid(1001))["note"] == "  As typed "


def test_rows_that_exist_only_in_the_lost_future_disappear_after_a_restore(synced):
    backup = synced.server.backup()
    synced.server.put("account", uid(1099), {"name": "Gone again", "tags": []}, 412)
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1099))
    synced.server.restore(backup)
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1099)) is None
    assert base_equals_server(synced)


def test_an_epoch_that_changes_between_hello_and_push_starts_the_run_over(synced):
    done(synced)
    synced.server.fail_next = [("/sync/v1/push", Refusal(409, "epoch_changed"))]
    report = synced.sync()
    assert report.ok, report.detail
    assert len(synced.server.world.events) == 1


def test_an_account_that_leaves_the_territory_leaves_the_phone(synced):
    synced.server.buckets[999] = ("other", 1, 1)
    del synced.server.buckets[999]
    synced.server.put("account", uid(1001), {"name": "Moved", "tags": []}, 999)
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1001)) is None
    assert base_equals_server(synced)


def test_a_row_with_unsent_work_stays_readable_until_the_work_is_sent(synced):
    done(synced, 1)
    synced.server.put("account", uid(1001), {"name": "Moved", "tags": []}, 999)
    synced.server.fail_next = [("/sync/v1/push", Refusal(503, "busy", after_s=30))]
    report = synced.sync()
    assert (report.code, report.after_s) == ("busy", 30.0)
    from mobile.field.sync.pull import pull

    reply = hello(synced.store, _api(synced))
    pull(synced.store, _api(synced), reply.epoch, reply.limits)
    card = reads.account_card(synced.store, uid(1001))
    assert card is not None
    assert card.leaving
    assert synced.sync().ok
    assert synced.sync().ok
    assert reads.account_card(synced.store, uid(1001)) is None


def test_a_revoked_bucket_takes_its_rows_with_it(synced):
    del synced.server.buckets[412]
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1001)) is None
    assert synced.store.cache.doc("visit", uid(3001)) is not None, "still held by the user's own bucket"


def test_a_granted_bucket_is_read_in_the_same_sync(synced):
    synced.server.put("account", uid(1088), {"name": "New land", "tags": []}, 413)
    synced.server.buckets[413] = ("territory", 1, 1)
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1088))["name"] == "New land"


def test_a_new_generation_of_a_bucket_is_read_from_its_beginning(synced):
    synced.server.world.rows.pop(("account", uid(1002)))
    synced.server.world.items.pop((412, "account", uid(1002)))  # vanished without a tombstone
    synced.server.buckets[412] = ("territory", 1, 2)
    assert synced.sync().ok
    assert synced.store.cache.doc("account", uid(1002)) is None


def test_an_expired_cursor_is_answered_by_reading_again(synced):
    synced.server.fail_next = [("/sync/v1/pull", Refusal(410, "cursor_expired"))]
    assert synced.sync().ok
    assert base_equals_server(synced)


def test_an_older_revision_never_replaces_a_newer_one(synced):
    before = synced.store.cache.base("account", uid(1001))
    row = synced.server.world.rows["account", uid(1001)]
    row["d"], row["r"] = {**row["d"], "name": "stale"}, 0
    synced.server.world.tx += 1
    synced.server.world.items[412, "account", uid(1001)] = ("P", synced.server.world.tx)
    assert synced.sync().ok
    assert synced.store.cache.base("account", uid(1001)) == before


def test_edits_of_different_fields_are_both_kept(synced):
    edit(synced.store, "account", uid(1001), {"email": "mine@x.li"})
    synced.server.put("account", uid(1001), synced.server.world.rows["account", uid(1001)]["d"] | {"phone": "2"})
    assert synced.sync().results == {"merged": 1}
    doc = synced.store.cache.doc("account", uid(1001))
    assert (doc["email"], doc["phone"]) == ("mine@x.li", "2")


def test_a_conflict_is_shown_and_one_tap_takes_mine(synced):
    op = edit(synced.store, "account", uid(1001), {"phone": "mine"})
    synced.server.put("account", uid(1001), synced.server.world.rows["account", uid(1001)]["d"] | {"phone": "theirs"})
    assert synced.sync().results == {"conflict": 1}
    assert synced.store.cache.doc("account", uid(1001))["phone"] == "theirs"
    (needing,) = reads.sync_state(synced.store).attention
    assert needing.op_id == op.op_id
    (question,) = conflicts.questions(synced.store)
    said = conflicts.answer(synced.store, question, mine=True)
    assert (said.body["decides"], said.body["f"]) == ("c1", {"phone": ["theirs", "mine"]})
    assert conflicts.questions(synced.store) == []
    assert synced.store.cache.doc("account", uid(1001))["phone"] == "mine"
    assert synced.sync().ok
    assert synced.server.world.rows["account", uid(1001)]["d"]["phone"] == "mine"
    assert reads.sync_state(synced.store).attention == ()


def test_each_question_of_an_entry_that_met_two_edits_is_counted(synced):
    edit(synced.store, "account", uid(1001), {"phone": "mine", "note": "Rear door"})
    told = synced.server.world.rows["account", uid(1001)]["d"]
    synced.server.put("account", uid(1001), told | {"phone": "theirs", "note": "Ramp"})
    assert synced.sync().results == {"conflict": 1}
    assert len(conflicts.questions(synced.store)) == 2
    assert reads.sync_state(synced.store).needing == 2


def clashing(synced):
    """Mara wrote one number, the office another."""
    edit(synced.store, "account", uid(1001), {"phone": "mine"})
    synced.server.put("account", uid(1001), synced.server.world.rows["account", uid(1001)]["d"] | {"phone": "theirs"})
    assert synced.sync().results == {"conflict": 1}


def test_what_the_office_decided_closes_the_question_and_is_told_until_it_is_understood(synced):
    clashing(synced)
    assert synced.sync().decided == 0
    told = {"id": "c1", "state": "kept_server", "value": "theirs", "by": "Mona", "at": "2026-11-28T10:00:00Z"}
    synced.server.decided = [told]
    assert synced.sync().decided == 1
    (question,) = conflicts.questions(synced.store)
    assert (question.decided, reads.sync_state(synced.store).attention) == (told | {"is_mine": False}, ())
    words = reasons.decided(Words("en"), question.conflict, question.decided)
    assert words == "Mona kept the office's value: Phone is “theirs”. You wrote “mine”."
    synced.server.decided = []  # it was taken back
    assert synced.sync().decided == 0
    assert len(reads.sync_state(synced.store).attention) == 1
    synced.server.decided = [told]
    assert synced.sync().decided == 1
    synced.store.outbox.dismiss("c1")
    assert conflicts.questions(synced.store) == []
    assert synced.sync().decided == 0


def test_a_question_whose_value_moved_on_says_so_and_is_answered_on_what_is_stored_now(synced):
    clashing(synced)
    synced.server.put("account", uid(1001), synced.server.world.rows["account", uid(1001)]["d"] | {"phone": "third"})
    assert synced.sync().ok
    (question,) = conflicts.questions(synced.store)
    assert (question.has_moved, question.stored) == (True, "third")
    words = reasons.clash(Words("de"), question.conflict, question.stored, has_moved=True)
    assert words == "Telefon: Sie schrieben «mine», das Büro damals «theirs» und seither «third»."
    assert conflicts.answer(synced.store, question, mine=False).body["f"] == {"phone": ["third", "third"]}


def test_of_a_question_about_a_field_that_is_hidden_by_now_the_offices_value_leaves_the_phone(synced):
    clashing(synced)
    (op,) = synced.store.outbox.ops()
    assert op.result["row"] is True, "the row itself is the cache's"
    doc = synced.server.world.rows["account", uid(1001)]["d"]
    synced.server.closed = ["account.phone"]
    synced.server.put("account", uid(1001), doc | {"phone": None})
    assert synced.sync().ok
    (op,) = synced.store.outbox.ops()
    assert "theirs" not in str(op.result)
    assert op.result["conflicts"][0]["mine"] == "mine"
    assert conflicts.questions(synced.store) == []
    assert reads.sync_state(synced.store).attention == ()


@pytest.mark.parametrize(("code", "asks", "needs"), [("already_decided", 0, 1), ("changed_meanwhile", 1, 1)])
def test_a_refused_answer_asks_again_unless_somebody_has_decided(synced, code, asks, needs):
    clashing(synced)
    (question,) = conflicts.questions(synced.store)
    op = conflicts.answer(synced.store, question, mine=True)
    synced.store.outbox.acknowledge(op.n, "rejected", {"error": {"code": code, "msg": "no"}})
    assert len(conflicts.questions(synced.store)) == asks
    assert len(reads.sync_state(synced.store).attention) == needs


def test_tags_are_added_as_a_set(synced):
    change_tags(synced.store, uid(1001), add=["vip"])
    assert synced.store.cache.doc("account", uid(1001))["tags"] == ["vip"]
    synced.sync()
    assert synced.server.world.rows["account", uid(1001)]["d"]["tags"] == ["vip"]
