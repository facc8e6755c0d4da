"""What a rep decides on the phone, and what the phone hears of what others decided."""

from uuid import UUID

import pytest

from server.auth import rights
from server.kit.database import transaction
from tests.server.sync.conftest import answer, asked, rita_and_the_office
from tests.server.sync.test_conflicts import Desk, stored
from tests.server.sync.world import World


@pytest.mark.parametrize(("wanted", "state"), [("2", "took_mine"), ("9", "kept_server"), ("5", "custom")])
def test_what_the_rep_decides_on_the_phone_closes_the_question_of_the_office(
    world: World, wanted: str, state: str
) -> None:
    phone, account = rita_and_the_office(world)
    answer(phone, account, wanted)
    assert [one["status"] for one in phone.sync()] == ["applied"]
    assert (stored(world), Desk(world, "mona").conflicts()) == (wanted, [])
    (closed,) = Desk(world, "mona").conflicts(state)
    assert (closed["resolved_by_name"], closed["chosen"]) == ("Rita", wanted)
    assert world.sql("select count(*) from field_conflict") == [(1,)]


def test_an_app_that_knows_no_decisions_closes_it_by_its_ordinary_edit(world: World) -> None:
    phone, account = rita_and_the_office(world)
    phone.edit("account", account, phone="2")
    phone.sync()
    assert (stored(world), Desk(world, "mona").conflicts()) == ("2", [])
    assert len(Desk(world, "mona").conflicts("took_mine")) == 1


def test_an_edit_made_before_the_question_was_asked_answers_nothing(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set phone = '9' where id = :id", id=account)
    phone.edit("account", account, phone="2")
    phone.edit("account", account, phone="3")
    phone.sync()
    assert (stored(world), len(Desk(world, "mona").conflicts())) == ("9", 2)


def test_the_phone_hears_what_the_office_decided_and_an_undo_makes_it_ask_again(world: World) -> None:
    phone, _ = rita_and_the_office(world)
    clash, mona = asked(phone), Desk(world, "mona")
    assert "decided" not in phone.hello()
    assert phone.hello(conflicts=[clash["id"]])["decided"] == []
    mona.decide(clash["id"], "custom", value="5")
    (told,) = phone.hello(conflicts=[clash["id"]])["decided"]
    assert {k: told[k] for k in ("id", "state", "value", "by")} == {
        "id": clash["id"], "state": "custom", "value": "5", "by": "Mona",
    }  # fmt: skip
    assert world.phone("otto").hello(conflicts=[clash["id"]])["decided"] == [], "it is Rita's"
    assert mona.undo(clash["id"])[0] == 200
    assert (stored(world), len(mona.conflicts())) == ("9", 1)
    assert phone.hello(conflicts=[clash["id"]])["decided"] == []


def test_of_two_who_decide_the_second_hears_what_was_decided(world: World) -> None:
    phone, account = rita_and_the_office(world)
    answer(phone, account, "2")
    mona = Desk(world, "mona")
    mona.decide(asked(phone)["id"], "keep_server")
    (verdict,) = phone.sync()
    assert (verdict["status"], verdict["error"]["code"]) == ("rejected", "already_decided")
    assert verdict["error"]["reasons"][0] == {
        "code": "decided_before",
        "values": {"who": "Mona", "field": "phone", "value": "9", "name": "phone", "json": '"9"'},
    }  # fmt: skip
    assert stored(world) == "9"


@pytest.mark.parametrize(("wanted", "chosen"), [("2", "take_mine"), ("9", "keep_server")])
def test_of_two_who_decide_alike_nobody_hears_anything(world: World, wanted: str, chosen: str) -> None:
    phone, account = rita_and_the_office(world)
    answer(phone, account, wanted)
    Desk(world, "mona").decide(asked(phone)["id"], chosen)
    assert [one["status"] for one in phone.sync()] == ["applied"]
    assert stored(world) == wanted


@pytest.mark.parametrize("chosen", ["keep_server", None])
def test_an_answer_that_came_too_late_is_told_on_the_phone_and_nothing_for_the_office(
    world: World, chosen: str | None
) -> None:
    phone, account = rita_and_the_office(world)
    answer(phone, account, "2")
    if chosen:
        Desk(world, "mona").decide(asked(phone)["id"], chosen)
    else:
        world.sql("update account set phone = '7'")
    assert [one["status"] for one in phone.sync()] == ["rejected"]
    path, headers = f"/api/v1/devices/{phone.device_id}/refused", Desk(world, "mona").headers
    assert world.client.get(path, headers=headers).json()["items"] == []
    (kept,) = world.client.get(path, params={"decided": True}, headers=headers).json()["items"]
    assert (kept["is_over"], kept["content"]) == (True, [{"field": "phone", "value": "2", "stands": None}])


def test_a_decision_on_a_value_that_has_moved_on_is_asked_again(world: World) -> None:
    phone, account = rita_and_the_office(world)
    answer(phone, account, "2")
    world.sql("update account set phone = '7'")
    (verdict,) = phone.sync()
    assert (verdict["status"], verdict["error"]["code"]) == ("rejected", "changed_meanwhile")
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    assert (stored(world), conflict["server"], conflict["current"]) == ("7", "9", "7")
    phone.save("patch", "account", account, base_rev=phone.rows["account", str(account)][0], f={"phone": ["7", "2"]},
               decides=conflict["id"])  # fmt: skip
    assert [one["status"] for one in phone.sync()] == ["applied"]
    assert (stored(world), mona.conflicts()) == ("2", [])


def test_whoever_may_not_decide_edits_the_account_as_ever(world: World) -> None:
    phone, account = rita_and_the_office(world)
    with transaction() as session:
        rights.change_role(session, "rep", levels={"conflicts:decide": "none"}, fields={}, actor=world.users["mona"])
    answer(phone, account, "9")
    assert [one["status"] for one in phone.sync()] == ["applied"]
    assert len(Desk(world, "mona").conflicts()) == 1, "the office decides"
    answer(phone, account, "2")
    assert [one["status"] for one in phone.sync()] == ["applied"]
    assert (stored(world), Desk(world, "mona").conflicts()) == ("2", [])


def test_a_decision_names_its_field_alone_and_a_stranger_decides_nothing(world: World) -> None:
    phone, account = rita_and_the_office(world)
    rev, row = phone.rows["account", str(account)]
    both = {"phone": [row["phone"], "2"], "email": [row["email"], "x@y.li"]}
    phone.save("patch", "account", account, base_rev=rev, f=both, decides=asked(phone)["id"])
    other = world.phone("otto")
    other.sync()
    other.save("patch", "account", account, base_rev=rev, f={"phone": ["9", "0"]}, decides=asked(phone)["id"])
    assert [one["status"] for one in (*phone.sync(), *other.sync())] == ["rejected", "rejected"]
    assert (stored(world), len(Desk(world, "mona").conflicts())) == ("9", 1)


def test_a_decision_is_not_taken_back_once_the_field_has_changed(world: World, account: UUID) -> None:
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    assert mona.undo(conflict["id"])[0] == 409, "nobody has decided it"
    mona.decide(conflict, "take_mine")
    world.sql("update account set phone = '7'")
    assert mona.undo(conflict["id"])[0] == 412
    assert Desk(world, "otto").undo(conflict["id"])[0] == 404
    assert (stored(world), mona.conflicts()) == ("7", [])
