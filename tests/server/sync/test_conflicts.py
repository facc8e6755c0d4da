"""Deciding what two people changed: who sees it, who decides, and that nothing happens unseen."""

from uuid import UUID

import pytest

from server.accounts import service as accounts
from server.accounts.models import Account
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.tokens import create_api_token
from server.kit.database import transaction
from tests.server.sync.world import Json, World


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
