"""Facts are always taken: what was withdrawn, moved, merged or deleted meanwhile, and what no calendar knows."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from server.activities import service as activities
from server.activities.models import Outcome
from server.auth import rights
from server.auth.models import Role
from server.kit.database import transaction
from server.kit.settings import settings
from tests.server.sync.test_blobs import announce
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_merged import account, merged
from tests.server.sync.world import Phone, World


def step(at: UUID, site_id: UUID | None = None, **more: Any) -> dict[str, Any]:
    task = {"kind": "task", "account_id": str(at), "site_id": str(site_id) if site_id else None, "contact_id": None}
    return {**task, "subject": "Call", "note": None, "due_on": None, "starts_at": None, "ends_at": None, **more}


def order(at: UUID, site_id: UUID | None = None) -> dict[str, Any]:
    line = {"id": str(uuid4()), "product_id": None, "text": "Rolls", "quantity": "1", "unit_price": "1"}
    where = {"account_id": str(at), "site_id": str(site_id) if site_id else None}
    return {**where, "currency": "CHF", "wanted_on": None, "note": None, "lines": [line]}


def main_site(world: World, at: UUID) -> UUID:
    (site_id,) = world.sql("select id from site where account_id = :at and deleted_at is null", at=at)[0]
    return UUID(str(site_id))


def took_down(world: World, phone: Phone, at: UUID, site_id: UUID | None) -> None:
    phone.sync()
    phone.save("create", "order", uuid4(), d=order(at, site_id))
    phone.save("create", "activity", uuid4(), d=step(at, site_id))


def placed(world: World) -> set[tuple[Any, ...]]:
    """Where the order and the next step are, and what is odd about them."""
    both = (
        "select account_id, site_id, flags from sales_order union all select account_id, site_id, flags from activity"
    )
    return {(at, site_id, *flags) for at, site_id, flags in world.sql(both)}


def test_a_visit_that_a_plan_withdrew_meanwhile_stands_again(world: World) -> None:
    at = world.account("Bakery", "west")
    visit_id, phone = world.visit(at, "rita"), world.phone("rita")
    phone.sync()
    phone.event(at, "done", visit_id=visit_id)
    with transaction() as session:
        assert activities.withdraw(session, [visit_id]) == 1
    (verdict,) = phone.push()
    assert (verdict["status"], verdict["row"]["state"]) == ("applied", "done")
    assert world.sql("select deleted_at, flags from visit") == [(None, ["planned_anew"])]
    phone.pull()
    assert phone.ids("visit") == {str(visit_id)}


def test_a_visit_at_an_account_in_the_bin_is_flagged_and_seen_when_the_account_comes_back(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    site_id = main_site(world, at)
    phone.sync()
    phone.event(at, "done")
    world.sql("update account set deleted_at = now()")
    world.sql("update site set deleted_at = (select deleted_at from account)")
    assert [verdict["status"] for verdict in phone.push()] == ["applied"]
    assert world.sql("select site_id, flags from visit") == [(site_id, ["account_deleted", "unplanned"])]
    (row,) = binned(world, "mona")
    assert [(one["rep_name"], one["state"], one["outcome"]) for one in row["visits"]] == [("Rita", "done", "order")]
    assert binned(world, "otto") == [], "it is not his to bring back"
    world.sql("update account set deleted_at = null")
    phone.pull()
    assert len(phone.ids("visit")) == 1
    world.sql("update account set deleted_at = clock_timestamp()")
    assert [one["visits"] for one in binned(world, "mona")] == [[]], "it was seen since"


def binned(world: World, login: str) -> list[dict[str, Any]]:
    """The accounts that somebody finds in the bin."""
    headers = Desk(world, login).headers
    found: list[dict[str, Any]] = world.client.get("/api/v1/bin?entity=account", headers=headers).json()["items"]
    return found


def test_orders_and_next_steps_at_an_account_that_moved_are_taken_and_flagged(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    took_down(world, phone, at, site_id := main_site(world, at))
    world.move(at, "east")
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "applied"]
    assert placed(world) == {(at, site_id, "late_scope")}


def test_orders_and_next_steps_at_a_deleted_account_are_taken_and_flagged(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    took_down(world, phone, at, main_site(world, at))
    world.sql("update account set deleted_at = now()")
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "applied"]
    assert placed(world) == {(at, None, "account_deleted")}


def test_orders_and_next_steps_at_a_site_that_is_gone_are_taken_at_the_main_one(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    took_down(world, phone, at, gone := main_site(world, at))
    world.sql("update site set deleted_at = now(), is_main = false")
    world.sql("insert into site (id, account_id, is_main) values (gen_random_uuid(), :at, true)", at=at)
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "applied"]
    assert placed(world) == {(at, main_site(world, at), "site_gone")}
    assert main_site(world, at) != gone


def test_orders_and_next_steps_at_an_account_that_was_merged_are_taken_at_what_it_became(world: World) -> None:
    winner, loser = account(world, "Bakery Öhri", "west"), account(world, "Bakery", "west")
    phone = world.phone("rita")
    took_down(world, phone, loser, main_site(world, loser))
    merged(winner, loser)
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "applied"]
    assert placed(world) == {(winner, main_site(world, winner))}


def test_a_visit_with_characters_or_a_zone_that_nobody_knows_is_taken_and_flagged(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    phone.sync()
    phone.event(at, "done", note="40\x00 boxes", zone="US/Pacific-New")
    phone.event(at, "done", note=r"the path C:\u0000 on their till")
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "applied"]
    assert {note: (zone, flags) for note, zone, flags in world.sql("select note, zone, flags from visit")} == {
        "40� boxes": (settings().zone, ["unknown_zone", "unplanned", "unreadable"]),
        r"the path C:\u0000 on their till": ("Europe/Vaduz", ["unplanned"]),
    }


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_pause_that_no_calendar_holds_has_its_own_verdict(world: World, moment: str) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    world.sql("insert into phone_rules (tracks_since) values (now() - interval '1 day')")
    phone.sync()
    for kind in ("pause", "resume"):
        phone.save("create", "track", uuid4(), d={"kind": kind, "at": moment, "fixes": []})
    phone.save("patch", "account", at, base_rev=1, f={"\x00": [None]})
    phone.event(at, "done")
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "applied", "rejected", "applied"]


def test_a_next_step_with_the_id_of_anothers_is_refused(world: World) -> None:
    west, east = world.account("West", "west"), world.account("East", "east")
    rita, otto = world.phone("rita"), world.phone("otto")
    rita.sync(), otto.sync()
    made = otto.save("create", "activity", uuid4(), d=step(east))
    otto.push()
    rita.save("create", "activity", made["id"], d=step(west))
    (verdict,) = rita.push()
    assert (verdict["status"], verdict["error"]["code"]) == ("rejected", "conflict")


def test_files_of_a_stranger_take_no_room_from_a_visits_own_rep(world: World) -> None:
    west, east = world.account("West", "west"), world.account("East", "east")
    visit_id, rita, otto = world.visit(east, "otto"), world.phone("rita"), world.phone("otto")
    rita.sync(), otto.sync()
    for number in range(21):
        announce(rita, west, bytes([number]), owner="visit", owner_id=str(visit_id))
    assert [verdict["status"] for verdict in rita.push()] == ["applied"] * 20 + ["rejected"]
    announce(otto, east, b"his own", owner="visit", owner_id=str(visit_id))
    assert [verdict["status"] for verdict in otto.push()] == ["applied"]


def test_tags_of_an_account_out_of_reach_are_not_told(world: World) -> None:
    foreign, phone = world.account("Never hers", "east", tags=["insolvent"]), world.phone("rita")
    phone.sync()
    phone.save("setadd", "account", foreign, field="tags", v=["new"])
    phone.save("setdel", "account", foreign, field="tags", v=["insolvent"])
    added, removed = phone.push()
    assert [(clash["base"], clash["mine"], clash["server"]) for clash in added["conflicts"]] == [(None, ["new"], None)]
    assert [(clash["base"], clash["mine"]) for clash in removed["conflicts"]] == [(None, ["insolvent"])]
    assert world.sql("select mine from field_conflict order by created_at limit 1") == [(["insolvent", "new"],)]


@pytest.mark.parametrize("how", ["moved", "hidden"])
def test_a_replay_tells_no_value_that_is_hidden_by_now(world: World, how: str) -> None:
    at, phone = world.account("Bakery", "west", phone="1"), world.phone("rita")
    phone.sync()
    world.sql("update account set phone = 'of the office'")
    phone.edit("account", at, phone="2")
    assert "of the office" in str(phone.push())
    if how == "moved":
        world.move(at, "east")
    else:
        with transaction() as session:
            hidden = {"account.phone": "hidden"}
            rights.change_role(session, "rep", levels={}, fields=hidden, actor=world.users["mona"])
    phone.states[1] = "queued"
    (verdict,) = phone.push()
    assert (verdict["replay"], verdict["conflicts"][0]["server"]) == (True, None)


def test_a_task_is_done_even_where_its_note_meets_another_one(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    phone.sync()
    made = phone.save("create", "activity", uuid4(), d=step(at))
    phone.push(), phone.pull()
    phone.edit("activity", made["id"], state="done", note="of the rep")
    world.sql("update activity set note = 'of the office'")
    (verdict,) = phone.push()
    assert (verdict["status"], verdict["row"]["state"]) == ("rejected", "done")
    assert "note" in verdict["error"]["msg"]
    assert world.sql("select state, note from activity") == [("done", "of the office")]
    assert world.sql("select body ->> 'k' from sync_receipt where status = 'rejected'") == [("patch",)]


def test_an_outcome_of_the_companys_own_is_taken_wherever_outcomes_go(world: World) -> None:
    world.user("ada", Role.ADMIN)
    ada, at, phone = Desk(world, "ada"), world.account("Bakery", "west"), world.phone("rita")
    usual = [{"value": one.value, "label": one.value} for one in Outcome]
    ask, path = world.client.put, "/api/v1/picklists/visit_outcome"
    try:
        values = [*usual, {"value": "demo", "label": "Demo shown"}]
        assert ask(path, json={"values": values}, headers=ada.headers).status_code == 200
        phone.sync()
        phone.event(at, outcome="demo", note="40 boxes")
        phone.event(at, outcome="on no list")
        assert [one["status"] for one in phone.push()] == ["applied", "applied"]
        told = world.sql("select outcome, note, 'unknown_outcome' = any(flags) from visit_event order by outcome")
        assert told == [("demo", "40 boxes", False), ("on no list", None, True)]
        report = {"account_id": str(at), "outcome": "demo"}
        post = world.client.post
        assert post("/api/v1/visits/report", json=report, headers=ada.headers).json()["outcome"] == "demo"
        refused = post("/api/v1/visits/report", json=report | {"outcome": "dmo"}, headers=ada.headers)
        assert (refused.status_code, "demo" in refused.json()["help"]) == (422, True)
        asked = {"filter": "visit.outcome = demo"}
        found = world.client.get("/api/v1/accounts", params=asked, headers=ada.headers).json()
        assert [one["name"] for one in found["items"]] == ["Bakery"]
    finally:
        ask(path, json={"values": usual}, headers=ada.headers)
