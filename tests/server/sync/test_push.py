"""What phones send: each op answered exactly once, and nothing lost."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from server.kit import clock
from server.sync.calling import transactions
from tests.server.sync.test_blobs import announce
from tests.server.sync.world import Refused, World


def count(world: World, table: str) -> int:
    return int(world.sql(f"select count(*) from {table}")[0][0])


def test_a_number_left_out_is_refused_and_nothing_is_done(world: World) -> None:
    phone = world.phone("rita")
    account = world.account("Bakery", "west")
    phone.align(phone.hello())
    first, second = phone.event(account), phone.event(account)
    with pytest.raises(Refused) as refused:
        phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [second]})
    assert (refused.value.code, refused.value.body["expected"]) == ("gap", 1)
    assert count(world, "visit_event") == 0
    phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [second, first]})
    assert count(world, "visit_event") == 2


def test_another_epoch_is_refused(world: World) -> None:
    phone = world.phone("rita")
    phone.align(phone.hello())
    for path, rest in (("push", {"ops": [{"n": 1, "op_id": str(uuid4())}]}), ("pull", {"groups": [], "limit": 1})):
        with pytest.raises(Refused) as refused:
            phone.call(f"/sync/v1/{path}", {"epoch": "another", **rest})
        assert (refused.value.status, refused.value.code) == (409, "epoch_changed")


def test_a_copied_phone_is_found_out(world: World) -> None:
    phone = world.phone("rita")
    account = world.account("Bakery", "west")
    phone.align(phone.hello())
    op = phone.event(account)
    phone.push()
    with pytest.raises(Refused) as refused:
        phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [op | {"op_id": str(uuid4())}]})
    assert (refused.value.status, refused.value.code) == (409, "device_forked")


def test_a_phone_that_registers_anew_sends_the_same_ops_under_new_numbers_once(world: World) -> None:
    account = world.account("Bakery", "west")
    old, new = world.phone("rita"), world.phone("rita")
    old.align(old.hello())
    old.event(account)
    op = old.event(account)
    old.push()
    new.align(new.hello())
    reply = new.call("/sync/v1/push", {"epoch": new.epoch, "ops": [op | {"n": 1}]})
    assert (reply["results"][0]["status"], reply["results"][0]["replay"]) == ("applied", True)
    assert reply["last_n"] == 1
    assert count(world, "visit_event") == 2


def test_a_visit_is_recorded_once_however_often_it_is_sent(world: World) -> None:
    account = world.account("Bakery", "west")
    visit = world.visit(account, "rita")
    phone = world.phone("rita")
    phone.sync()
    op = phone.event(account, visit_id=visit, note="Needs twelve")
    first = phone.push()[0]
    again = phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [op]})["results"][0]
    assert again == first | {"replay": True}
    assert first["row"]["state"] == "done"
    assert first["row"]["note"] == "Needs twelve"
    assert (count(world, "visit_event"), count(world, "visit"), count(world, "sync_receipt")) == (1, 1, 1)


def test_a_visit_that_nobody_planned_is_taken_too(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    op = phone.event(account)
    (verdict,) = phone.push()
    assert (verdict["status"], verdict["row"]["id"]) == ("applied", op["d"]["visit_id"])
    assert verdict["row"]["flags"] == ["unplanned"]


def test_a_second_done_of_one_visit_is_kept_and_flagged(world: World) -> None:
    account = world.account("Bakery", "west")
    visit = world.visit(account, "rita")
    one, two = world.phone("rita"), world.phone("rita")
    for phone in (one, two):
        phone.sync()
        phone.event(account, visit_id=visit)
        assert phone.push()[0]["status"] == "applied"
    assert count(world, "visit_event") == 2
    assert "second_done" in world.sql("select flags from visit")[0][0]


def test_a_visit_outside_ones_area_is_taken_and_flagged_and_its_row_is_not_told(world: World) -> None:
    account = world.account("Bakery", "west")
    visit = world.visit(account, "otto")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account, visit_id=visit)
    world.move(account, "east")
    (verdict,) = phone.push()
    assert verdict["status"] == "applied"
    assert "row" not in verdict
    assert "late_scope" in world.sql("select flags from visit_event")[0][0]


def test_a_poisoned_op_blocks_nothing_and_its_body_is_kept(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account)
    phone.event(uuid4())
    phone.event(account, state="flying")
    announce(phone, account, b"nul", mime="nul \x00 byte")
    phone.save("explode", "account", account)
    phone.save("patch", "account", account, base_rev=1, f={"number": [None, "7"]})
    phone.save("patch", "user_public", account, base_rev=1, f={"role": ["rep", "admin"]})
    phone.save("patch", "account", account, base_rev=1, f={"email": [None, "no email"]})
    phone.save("delete", "account", account, base_rev=99)
    phone.event(account)
    verdicts = phone.push()
    assert [verdict["status"] for verdict in verdicts] == ["applied", *["rejected"] * 8, "applied"]
    codes = [verdict["error"]["code"] for verdict in verdicts if "error" in verdict]
    assert codes == [
        "not_found", "bad_request", "invalid", "bad_request", "not_allowed", "not_allowed", "invalid", "not_allowed",
    ]  # fmt: skip
    assert world.sql("select count(*) from sync_receipt where status = 'rejected' and body is not null")[0][0] == 8
    assert (count(world, "visit_event"), world.sql("select name from account")[0][0]) == (2, "Bakery")


def test_numbers_that_json_cannot_hold_do_not_break_the_server(world: World) -> None:
    _, access = world.register("rita")
    phone = world.phone("rita")
    phone.align(phone.hello())
    body = '{"epoch":"%s","ops":[{"n":1,"op_id":"%s","x":1e999}]}' % (phone.epoch, uuid4())  # noqa: UP031
    headers = {"Authorization": f"Bearer {access}"}
    answer = world.client.post("/sync/v1/push", content=body.encode(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


def test_an_op_id_used_for_another_content_is_refused_and_the_queue_goes_on(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    first = phone.event(account)
    reused = phone.event(account)
    reused["op_id"] = first["op_id"]
    phone.event(account)
    verdicts = phone.push()
    assert [verdict["status"] for verdict in verdicts] == ["applied", "rejected", "applied"]
    assert verdicts[1]["error"]["code"] == "op_id_reuse"
    assert world.sql("select count(*) from sync_receipt where body is not null")[0][0] == 1
    again = phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [reused]})["results"][0]
    assert again == verdicts[1] | {"replay": True}


def test_an_op_that_comes_again_with_another_content_is_refused_alone_and_what_follows_is_taken(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    first = phone.event(account, note="As it was")
    phone.push()
    changed = first | {"d": first["d"] | {"note": "Another"}}
    reply = phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [changed, phone.event(account)]})
    assert [verdict["status"] for verdict in reply["results"]] == ["rejected", "applied"]
    assert reply["results"][0]["error"]["code"] == "op_id_reuse"
    assert world.sql("select note from visit_event where id = :id", id=first["id"]) == [("As it was",)]
    kept = world.sql("select n, status, body #>> '{d,note}' from sync_receipt order by n")
    assert kept == [(-1, "rejected", "Another"), (1, "applied", None), (2, "applied", None)]
    again = phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [changed]})["results"][0]
    assert again == reply["results"][0] | {"replay": True}


def test_many_facts_of_one_visit_in_one_push_count_in_their_order(world: World) -> None:
    account, other = world.account("Bakery", "west"), world.account("Smithy", "west")
    planned = [world.visit(account, "rita"), world.visit(other, "rita")]
    phone = world.phone("rita")
    phone.sync()
    for visit, at in zip(planned, (account, other), strict=True):
        for state in ("en_route", "checked_in", "done", "missed"):
            phone.event(at, visit_id=visit, state=state, note=f"as {state}")
    phone.event(account, note="nobody planned it")
    verdicts = phone.push()
    assert {verdict["status"] for verdict in verdicts} == {"applied"}
    assert verdicts[0]["row"]["state"] == "done"
    told = world.sql("select state, note, flags from visit where id = any(:ids)", ids=planned)
    assert told == [("done", "as done", ["missed_after_done"])] * 2
    by_op = world.sql("select distinct op_id from field_history where entity = 'visit' and source = 'sync'")
    assert {op_id for (op_id,) in by_op} == {UUID(phone.journal[number]["op_id"]) for number in (3, 7, 8)}
    assert world.sql("select count(*) from sync_item where e = 12 and op = 'P'")[0][0] >= 3


def test_what_is_not_sent_yet_is_counted_after_each_push(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account)
    phone.event(account)
    phone.align(phone.hello(pending={"ops": 3, "blobs": 1, "oldest": None}))
    phone.push()
    assert world.sql("select pending from device")[0][0] == {"ops": 1, "blobs": 1, "oldest": None}


def test_an_op_that_builds_on_a_refused_one_waits(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    bad = phone.event(uuid4())
    waiting = phone.event(account)
    waiting["dep_op"] = bad["op_id"]
    last = phone.event(account)
    last["dep_op"] = waiting["op_id"]
    verdicts = phone.push()
    assert [verdict["status"] for verdict in verdicts] == ["rejected", "deferred", "deferred"]
    assert count(world, "visit_event") == 0


def test_an_edit_that_meets_no_other_is_applied_and_answers_with_the_row(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    phone.edit("account", account, phone="2", note="Back door")
    (verdict,) = phone.push()
    assert verdict["status"] == "applied"
    assert (verdict["row"]["phone"], verdict["row"]["note"], verdict["rev"]) == ("2", "Back door", 2)
    history = world.sql("select field, actor, source, op_id from field_history where entity = 'account' and rev = 2")
    op_id, rita = UUID(phone.journal[0]["op_id"]), world.users["rita"]
    assert {(field, actor, source, op) for field, actor, source, op in history if field in ("phone", "note")} == {
        ("phone", rita, "sync", op_id),
        ("note", rita, "sync", op_id),
    }


def test_edits_of_different_fields_are_both_kept(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set email = 'a@b.example' where id = :id", id=account)
    phone.edit("account", account, phone="2")
    (verdict,) = phone.push()
    assert (verdict["status"], verdict["row"]["phone"], verdict["row"]["email"]) == ("merged", "2", "a@b.example")


def test_two_values_for_one_field_become_a_conflict_that_holds_all_three(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set phone = '9' where id = :id", id=account)
    phone.edit("account", account, phone="2")
    (verdict,) = phone.push()
    assert verdict["status"] == "conflict"
    (clash,) = verdict["conflicts"]
    assert (clash["field"], clash["base"], clash["mine"], clash["server"]) == ("phone", "1", "2", "9")
    stored = world.sql("select base, mine, server, kind, state, actor, device_id from field_conflict")
    assert stored == [("1", "2", "9", "concurrent", "open", world.users["rita"], phone.device_id)]
    assert world.sql("select phone from account")[0][0] == "9"
    again = phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [phone.journal[0]]})["results"][0]
    assert again == verdict | {"replay": True}
    assert count(world, "field_conflict") == 1


def test_a_chain_of_edits_without_network_is_applied_in_order(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    for value in ("2", "3", "4"):
        phone.edit("account", account, phone=value)
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "merged", "merged"]
    assert world.sql("select phone from account")[0][0] == "4"


def test_an_edit_of_a_record_that_was_deleted_is_kept_as_a_conflict(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set deleted_at = now()")
    phone.edit("account", account, phone="2")
    (verdict,) = phone.push()
    assert (verdict["status"], "row" in verdict) == ("conflict", False)
    assert world.sql("select kind, mine from field_conflict") == [("edit_after_delete", "2")]


def test_an_edit_out_of_reach_becomes_a_conflict_for_the_present_owner_and_tells_nothing(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    site = world.sql("select id from site")[0][0]
    phone = world.phone("rita")
    phone.sync()
    phone.edit("account", account, phone="2")
    phone.save("setadd", "account", account, field="tags", v=["vip"])
    phone.edit("site", site, opening_hours="Mo-Fr 08:00-17:00")
    world.move(account, "east")
    world.sql("update account set phone = 'secret'")
    verdicts = phone.push()
    assert [verdict["status"] for verdict in verdicts] == ["conflict"] * 3
    assert not any("row" in verdict or verdict["conflicts"][0]["server"] for verdict in verdicts)
    kinds = world.sql("select distinct kind from field_conflict")
    assert (kinds, count(world, "field_conflict")) == ([("out_of_scope",)], 3)
    assert world.sql("select phone, tags from account")[0] == ("secret", [])


def test_opening_hours_of_the_rep_on_the_spot_win_and_the_others_are_kept(world: World) -> None:
    account = world.account("Bakery", "west")
    site = world.sql("select id from site where account_id = :id", id=account)[0][0]
    phone = world.phone("rita")
    phone.sync()
    world.sql("update site set opening_hours = 'Mo-Fr 09:00-12:00'")
    phone.edit("site", site, opening_hours="Mo-Fr 08:00-17:00")
    (verdict,) = phone.push()
    assert (verdict["status"], verdict["row"]["opening_hours"]) == ("conflict", "Mo-Fr 08:00-17:00")
    assert verdict["conflicts"][0]["policy"] == "take_field"
    assert world.sql("select server from field_conflict") == [("Mo-Fr 09:00-12:00",)]


def test_tags_of_two_people_are_united(world: World) -> None:
    account = world.account("Bakery", "west", tags=["cold"])
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set tags = array['cold', 'web']")
    phone.save("setadd", "account", account, field="tags", v=["vip"])
    phone.save("setdel", "account", account, field="tags", v=["cold"])
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "applied"]
    assert set(world.sql("select tags from account")[0][0]) == {"web", "vip"}


def test_a_manager_deletes_unless_somebody_changed_it_meanwhile(world: World) -> None:
    kept, gone = world.account("Kept", "west"), world.account("Gone", "west")
    phone = world.phone("mona")
    phone.sync()
    world.sql("update account set note = 'new' where id = :id", id=kept)
    phone.save("delete", "account", kept, base_rev=1)
    phone.save("delete", "account", gone, base_rev=1)
    assert [verdict["status"] for verdict in phone.push()] == ["conflict", "applied"]
    assert world.sql("select kind from field_conflict") == [("delete_vs_edit",)]
    assert world.sql("select name from account where deleted_at is null") == [("Kept",)]


def test_an_edit_of_an_account_that_was_merged_goes_to_the_one_it_became(world: World) -> None:
    loser, winner = world.account("Bakery", "west"), world.account("Bakery Öhri", "west")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set merged_into = :winner where id = :loser", winner=winner, loser=loser)
    phone.edit("account", loser, phone="2")
    (verdict,) = phone.push()
    assert (verdict["status"], verdict["row"]["id"]) == ("merged", str(winner))
    assert world.sql("select phone from account where id = :id", id=winner)[0][0] == "2"


def occurred(world: World) -> datetime:
    moment: datetime = world.sql("select occurred_at from visit_event order by recorded_at desc limit 1")[0][0]
    return moment


def near(moment: datetime, other: datetime) -> bool:
    return abs(moment - other) < timedelta(seconds=30)


def test_a_phone_with_a_wrong_clock_changes_nothing_but_its_own_skew(world: World) -> None:
    account = world.account("Bakery", "west")
    now = clock.now()
    phone = world.phone("rita")
    wrong = now.replace(year=2041)
    made = {"wall": (wrong - timedelta(hours=3)).isoformat(), "mono": 5_000, "boot": "before the last start"}
    phone.align(phone.hello(wall=wrong.isoformat(), mono_ms=7_205_000, boot="this start"))
    phone.event(account)["at"] = made
    phone.push()
    assert near(occurred(world), now - timedelta(hours=3))
    phone.event(account)["at"] = made | {"boot": "this start"}
    phone.push()
    assert near(occurred(world), now - timedelta(hours=2))
    phone.event(account)["at"] = {"wall": "9999-12-31T23:59:59+00:00", "mono": 10**13, "boot": "?"}
    phone.push()
    assert near(occurred(world), clock.now())
    (skew,) = world.sql("select skew_ms from device")[0]
    assert abs(skew - (wrong - now) // timedelta(milliseconds=1)) < 30_000


def test_a_row_that_somebody_holds_too_long_makes_the_phone_try_again(
    world: World, empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "20ms")
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    phone.edit("account", account, phone="2")
    with empty_database.connect() as other:
        other.execute(text("select 1 from account for update"))
        with pytest.raises(Refused) as refused:
            phone.push()
    assert (refused.value.status, refused.value.code) == (503, "busy")
    assert [verdict["status"] for verdict in phone.push()] == ["applied"]
