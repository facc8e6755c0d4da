"""Deciding what two people changed: who sees it, who decides, and that nothing happens unseen."""

from typing import Any
from uuid import UUID

import pytest

from server.accounts import service as accounts
from server.accounts.models import Account
from server.auth import rights
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.tokens import create_api_token
from server.kit.database import transaction
from tests.server.sync.test_merged import account as pinned
from tests.server.sync.test_merged import merged
from tests.server.sync.world import Json, Phone, World


class Desk:
    """Somebody at the web API."""

    def __init__(self, world: World, login: str) -> None:
        with transaction() as session:
            _, secret = create_api_token(session, world.users[login], "desk", None, None)
        self.world, self.headers = world, {"Authorization": f"Bearer {secret}"}

    def conflicts(self, state: str = "open") -> list[Json]:
        answer = self.world.client.get("/api/v1/conflicts", params={"state": state}, headers=self.headers)
        items: list[Json] = answer.json()["items"]
        return items

    def decide(self, conflict: Json | str, decision: str, **more: object) -> tuple[int, Json]:
        row_id = conflict if isinstance(conflict, str) else conflict["id"]
        path = f"/api/v1/conflicts/{row_id}/decision"
        answer = self.world.client.post(path, json={"decision": decision, **more}, headers=self.headers)
        return answer.status_code, answer.json()

    def undo(self, conflict_id: str) -> tuple[int, Json]:
        answer = self.world.client.post(f"/api/v1/conflicts/{conflict_id}/undo", headers=self.headers)
        return answer.status_code, answer.json()


@pytest.fixture
def account(world: World) -> UUID:
    """An account whose phone number Rita and the office changed differently."""
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set phone = '9' where id = :id", id=account)
    phone.edit("account", account, phone="2")
    phone.push()
    return account


def stored(world: World) -> str:
    return str(world.sql("select phone from account")[0][0])


def test_a_stranger_is_refused(world: World) -> None:
    assert world.client.get("/api/v1/conflicts").status_code == 401
    assert world.client.post(f"/api/v1/conflicts/{UUID(int=1)}/decision", json={}).status_code == 401


def test_a_conflict_of_somebody_else_is_not_there(world: World, account: UUID) -> None:
    otto = Desk(world, "otto")
    assert otto.conflicts() == []
    (conflict,) = Desk(world, "rita").conflicts()
    assert otto.decide(conflict, "take_mine")[0] == 404
    assert otto.decide(str(UUID(int=7)), "take_mine")[0] == 404


def test_the_rep_and_the_manager_see_all_the_values(world: World, account: UUID) -> None:
    for login in ("rita", "mona"):
        (conflict,) = Desk(world, login).conflicts()
        values = {name: conflict[name] for name in ("field", "base", "mine", "server", "current", "actor_name")}
        assert values == {
            "field": "phone", "base": "1", "mine": "2", "server": "9", "current": "9", "actor_name": "Rita",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "more", "after", "state"),
    [
        ("keep_server", {}, "9", "kept_server"),
        ("take_mine", {}, "2", "took_mine"),
        ("custom", {"value": "5"}, "5", "custom"),
    ],
)
def test_a_decision_is_written_once(
    world: World, account: UUID, decision: str, more: Json, after: str, state: str
) -> None:
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    status, answer = mona.decide(conflict, decision, **more)
    assert (status, answer["state"], answer["current"]) == (200, state, after)
    assert (stored(world), mona.conflicts()) == (after, [])
    assert mona.decide(conflict, "take_mine")[0] == 409
    assert stored(world) == after


def test_a_decision_reaches_the_phone_as_an_ordinary_edit(world: World, account: UUID) -> None:
    phone = world.phone("rita")
    phone.sync()
    desk = Desk(world, "rita")
    desk.decide(desk.conflicts()[0], "take_mine")
    phone.sync()
    assert phone.rows["account", str(account)][1]["phone"] == "2"
    assert world.sql("select actor, source from field_history where field = 'phone' order by id desc limit 1") == [
        (world.users["rita"], "api")
    ]


def test_a_decision_made_on_an_old_view_does_not_overwrite_a_newer_value(world: World, account: UUID) -> None:
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    world.sql("update account set phone = '7'")
    status, answer = mona.decide(conflict, "take_mine", rev=conflict["rev"])
    assert (status, answer["code"]) == (412, "changed_meanwhile")
    assert (stored(world), len(mona.conflicts())) == ("7", 1)


def test_a_value_that_the_field_does_not_accept_is_refused(world: World, account: UUID) -> None:
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    assert mona.decide(conflict, "custom", value="1" * 10_000)[0] == 422
    assert len(mona.conflicts()) == 1


def test_a_deleted_account_comes_back_with_the_change_when_the_manager_takes_it(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set deleted_at = now()")
    phone.edit("account", account, phone="2")
    phone.push()
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    assert conflict["kind"] == "edit_after_delete"
    assert mona.decide(conflict, "take_mine")[0] == 200
    assert world.sql("select phone, deleted_at from account") == [("2", None)]


def test_a_rep_who_may_not_delete_is_told_so_and_brings_no_account_back(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set deleted_at = now()")
    phone.edit("account", account, phone="2")
    phone.push()
    assert "account.deleted_at" in phone.hello()["closed"]
    assert "account.deleted_at" not in world.phone("mona").hello()["closed"]
    rita = Desk(world, "rita")
    (conflict,) = rita.conflicts()
    assert conflict["is_deleted"]
    status, answer = rita.decide(conflict, "take_mine")
    assert (status, answer["code"]) == (403, "not_allowed")
    assert world.sql("select phone, deleted_at is not null from account") == [("1", True)]
    assert rita.decide(conflict, "keep_server")[0] == 200


def test_a_deletion_against_an_edit_is_decided_by_the_manager(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("mona")
    phone.sync()
    world.sql("update account set note = 'new'")
    phone.save("delete", "account", account, base_rev=1)
    phone.push()
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    assert mona.decide(conflict, "custom", value="x")[0] == 422
    assert mona.decide(conflict, "take_mine")[0] == 200
    assert world.sql("select deleted_at is not null from account") == [(True,)]


def test_opening_hours_taken_from_the_rep_can_be_put_back(world: World) -> None:
    account = world.account("Bakery", "west")
    site = world.sql("select id from site where account_id = :id", id=account)[0][0]
    phone = world.phone("rita")
    phone.sync()
    world.sql("update site set opening_hours = 'Mo-Fr 09:00-12:00'")
    phone.edit("site", site, opening_hours="Mo-Fr 08:00-17:00")
    phone.push()
    desk = Desk(world, "rita")
    (conflict,) = desk.conflicts()
    assert (conflict["entity"], conflict["current"]) == ("site", "Mo-Fr 08:00-17:00")
    assert desk.decide(conflict, "keep_server")[0] == 200
    assert world.sql("select opening_hours from site") == [("Mo-Fr 09:00-12:00",)]


def test_out_of_reach_the_sender_sees_her_own_value_only_and_the_present_owner_decides(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    phone.edit("account", account, phone="2")
    world.move(account, "east")
    world.sql("update account set phone = 'secret'")
    phone.push()
    rita, otto = Desk(world, "rita"), Desk(world, "otto")
    (hers,) = rita.conflicts()
    assert (hers["mine"], hers["server"], hers["current"]) == ("2", None, None)
    assert (hers["account_name"], hers["rev"]) == (None, 0), "what it is called by now is not hers to know"
    assert rita.decide(hers, "take_mine")[0] == 404
    (his,) = otto.conflicts()
    assert (his["mine"], his["server"], his["current"]) == ("2", "secret", "secret")
    assert otto.decide(his, "take_mine")[0] == 200
    assert stored(world) == "2"


def test_somebody_in_marketing_has_no_conflicts(world: World) -> None:
    world.user("mark", Role.MARKETING)
    with transaction() as session:
        _, secret = create_api_token(session, world.users["mark"], "desk", None, None)
    answer = world.client.get("/api/v1/conflicts", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403


def asked(phone: Phone) -> Json:
    """The conflict that the last verdict told the phone of."""
    clash: Json = next(one["conflicts"][0] for one in phone.results.values() if "conflicts" in one)
    return clash


def rita_and_the_office(world: World) -> tuple[Phone, UUID]:
    """Rita wrote 2, the office 9: her phone asks her."""
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set phone = '9' where id = :id", id=account)
    phone.edit("account", account, phone="2")
    phone.sync()
    return phone, account


def answer(phone: Phone, account: UUID, wanted: str, **more: Any) -> Json:
    """What Rita says to it."""
    rev, row = phone.rows["account", str(account)]
    return phone.save(
        "patch",
        "account",
        account,
        base_rev=rev,
        f={"phone": [row["phone"], wanted]},
        decides=asked(phone)["id"],
        **more,
    )


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


def merged_since(world: World) -> UUID:
    """Rita's account, at which she and the office wrote different numbers, went into the bakery of 5; returns that."""
    loser = world.sql("select id from account")[0][0]
    winner = pinned(world, "Bakery Öhri", "west")
    world.sql("update account set phone = '5' where id = :winner", winner=winner)
    merged(winner, loser)
    return winner


@pytest.mark.parametrize(
    ("decision", "more", "after"),
    [("keep_server", {}, "5"), ("take_mine", {}, "2"), ("custom", {"value": "7"}, "7")],
)
def test_a_conflict_at_an_account_that_was_merged_is_decided_at_what_it_became(
    world: World, account: UUID, decision: str, more: Json, after: str
) -> None:
    winner, mona = merged_since(world), Desk(world, "mona")
    (conflict,) = mona.conflicts()
    told = {name: conflict[name] for name in ("account_id", "account_name", "mine", "server", "current")}
    assert told == {
        "account_id": str(winner), "account_name": "Bakery Öhri", "mine": "2", "server": "9", "current": "5",
    }  # fmt: skip
    assert Desk(world, "otto").decide(conflict, decision, **more)[0] == 404
    assert mona.decide(conflict, decision, rev=conflict["rev"], **more)[0] == 200
    assert world.sql("select phone from account order by merged_into nulls first") == [(after,), ("9",)]
    assert mona.undo(conflict["id"])[0] == 200
    assert world.sql("select phone from account where merged_into is null") == [("5",)]


@pytest.mark.parametrize(("wanted", "after"), [("2", "2"), ("9", "5")])
def test_a_phone_decides_it_there_too(world: World, wanted: str, after: str) -> None:
    phone, account = rita_and_the_office(world)
    answer(phone, account, wanted)
    merged_since(world)
    assert [one["status"] for one in phone.sync()] == ["applied"]
    assert world.sql("select phone from account where merged_into is null") == [(after,)]
    assert Desk(world, "mona").conflicts() == []


def test_hours_of_a_site_that_went_into_another_one_are_decided_there(world: World) -> None:
    loser = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    (site,) = phone.ids("site")
    world.sql("update site set opening_hours = 'Mo-Fr 09:00-12:00'")
    phone.edit("site", site, opening_hours="Mo-Fr 08:00-17:00")
    phone.push()
    winner = world.account("Bakery Öhri", "west")
    world.sql("update site set opening_hours = 'Sa 08:00-12:00' where account_id = :winner", winner=winner)
    merged(winner, loser, same_place=True)
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    assert (conflict["account_id"], conflict["current"]) == (str(winner), "Sa 08:00-12:00")
    assert mona.decide(conflict, "keep_server")[0] == 200, "what stands there stands"
    hours = "select opening_hours from site where account_id = :winner and deleted_at is null"
    assert world.sql(hours, winner=winner) == [("Sa 08:00-12:00",)]


def test_a_deletion_of_an_account_that_was_merged_does_not_take_what_it_became(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("mona")
    phone.sync()
    world.sql("update account set note = 'new'")
    phone.save("delete", "account", account, base_rev=1)
    phone.push()
    merged_since(world)
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    status, answer = mona.decide(conflict, "take_mine")
    assert (status, "Bakery Öhri" in answer["detail"]) == (409, True)
    assert mona.decide(conflict, "keep_server")[0] == 200
    assert world.sql("select count(*) from account where deleted_at is null and merged_into is null") == [(1,)]


@pytest.mark.parametrize(
    ("kind", "tags", "shown", "after"),
    [
        ("setadd", ["new"], ["insolvent", "later", "new"], ["insolvent", "later", "new"]),
        ("setdel", ["insolvent"], ["later"], ["later"]),
    ],
)
def test_tags_are_added_to_and_taken_out_of_what_is_there_by_then(
    world: World, kind: str, tags: list[str], shown: list[str], after: list[str]
) -> None:
    account, phone = world.account("Bakery", "east", tags=["insolvent"]), world.phone("rita")
    phone.sync()
    phone.save(kind, "account", account, field="tags", v=tags)
    phone.push()
    world.sql("update account set tags = array['insolvent', 'later']")
    (hers,) = Desk(world, "rita").conflicts()
    assert (hers["base"], hers["mine"]) == (None, tags), "what else it is marked with is not hers to know"
    otto = Desk(world, "otto")
    (conflict,) = otto.conflicts()
    assert conflict["mine"] == shown
    assert otto.decide(conflict, "take_mine", rev=conflict["rev"])[0] == 200
    assert world.sql("select tags from account") == [(after,)]
    assert otto.undo(conflict["id"])[0] == 200
    assert world.sql("select tags from account") == [(["insolvent", "later"],)]


@pytest.mark.parametrize(
    ("decision", "status", "after"), [("take_mine", 412, "7"), ("custom", 412, "7"), ("keep_server", 200, "7")]
)
def test_a_decision_that_does_not_say_what_it_saw_overwrites_nothing_newer(
    world: World, account: UUID, decision: str, status: int, after: str
) -> None:
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    world.sql("update account set phone = '7'")
    assert mona.decide(conflict, decision, value="5")[0] == status
    assert stored(world) == after
    if status == 412:
        (seen,) = mona.conflicts()
        assert mona.decide(seen, decision, value="5", rev=seen["rev"])[0] == 200


def test_a_decision_by_which_the_account_came_back_is_not_taken_back(world: World, account: UUID) -> None:
    mona = Desk(world, "mona")
    with transaction() as session:
        scope = scope_of(session, session.get_one(User, world.users["mona"]), source="web")
        accounts.delete(session, scope, account, session.get_one(Account, account).rev)
    (conflict,) = mona.conflicts()
    assert mona.decide(conflict, "take_mine", rev=conflict["rev"])[0] == 200
    assert world.sql("select phone, deleted_at from account") == [("2", None)]
    status, told = mona.undo(conflict["id"])
    assert (status, told["help"]) == (409, "Restore or delete it on its own page.")
    assert stored(world) == "2"
