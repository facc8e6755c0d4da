"""Accounts that are founded in the field: they arrive once, where they are, or are refused with a reason."""

from uuid import UUID

import pytest

from mobile.field import capture, taking
from mobile.field.capture import op_of
from mobile.field.finding import AccountIndex
from mobile.field.store import clock
from mobile.field.store.ids import uuid7
from server.accounts.duplicates import pairs
from server.auth import rights
from server.kit.database import transaction
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.world import World


def test_an_account_founded_in_the_field_arrives_once_with_pin_territory_and_visit(
    world: World, phone: FieldPhone
) -> None:
    world.account("Kiosk Alpina", "west", phone="+423 263 11 22", phone_e164="+4232631122")
    world.sql("update site set city = 'Malbun', pin = st_setsrid(st_point(9.2, 47.2), 4326)")
    phone.sync()
    new = taking.NewAccount(
        "Kiosk Alpina", 9.2, 47.2, "customer", "B", ("Kiosk",), "+423 263 11 22", city="Malbun", note="By the lift"
    )
    founded = taking.new_account(phone.store, new).row_id
    (shown,) = (one for one in AccountIndex(phone.store).search("malbun") if one.id == founded)
    assert (shown.name, shown.city, shown.lon, shown.leaving) == ("Kiosk Alpina", "Malbun", 9.2, False)
    target = capture.VisitTarget(founded, None, clock.now().date().isoformat(), "Europe/Vaduz")
    capture.visit_event(phone.store, target, "done", outcome="order", note="Samples")
    capture.edit(phone.store, "account", founded, {"note": "Behind the lift"})
    report = phone.sync_late()
    assert sum(report.results.values()) == 3, [op.result for op in phone.store.outbox.ops()]
    assert set(report.results) <= {"applied", "merged"}
    told = "select name, status, account_class, tags, note, owner_id = :me, territory_id from account where id = :id"
    assert world.sql(told, me=world.users["rita"], id=UUID(founded)) == [
        ("Kiosk Alpina", "customer", "B", ["Kiosk"], "Behind the lift", True, world.territories["west"])
    ]
    (site,) = (doc for _rev, doc in phone.held("site").values() if doc["account_id"] == founded)
    assert (site["lon"], site["city"], site["is_main"]) == (9.2, "Malbun", True)
    assert world.sql("select note, state, account_id from visit") == [("Samples", "done", UUID(founded))]
    with transaction() as session:
        pairs.search(session)
    assert world.sql("select count(*) from account_pair") == [(1,)], "somebody decides about the two, nobody lost one"


def test_who_may_not_found_accounts_is_told_so_and_keeps_the_words(world: World, phone: FieldPhone) -> None:
    phone.sync()
    actor = world.user("ada_of_rights")
    with transaction() as session:
        rights.change_role(session, "rep", levels={"accounts:write": "none"}, fields={}, actor=actor)
    op = taking.new_account(phone.store, taking.NewAccount("Kiosk", 9.2, 47.2))
    phone.sync()
    (refused,) = [one for one in phone.store.outbox.ops() if one.op_id == op.op_id]
    assert (refused.state, (refused.result or {})["error"]["code"]) == ("rejected", "not_allowed")
    assert world.sql("select body -> 'd' ->> 'name' from sync_receipt where status = 'rejected'") == [("Kiosk",)]
    assert world.sql("select count(*) from account") == [(0,)]


def test_an_account_founded_by_its_address_is_geocoded_as_any_other(world: World, phone: FieldPhone) -> None:
    phone.sync()
    op = taking.new_account(phone.store, taking.NewAccount("Kiosk", street="Im Malbun 3", city="Malbun"))
    (line,) = AccountIndex(phone.store).search("kiosk")
    assert (line.lon, line.is_unplaced) == (None, True)
    phone.sync()
    told = "select pin_state, street, city, pin is null from site where account_id = :id"
    assert world.sql(told, id=UUID(op.row_id)) == [("pending", "Im Malbun 3", "Malbun", True)]
    asked = "select count(*) from procrastinate_jobs where args ->> 'account_id' = :id"
    assert world.sql(asked, id=op.row_id) == [(1,)]
    world.sql("update site set pin = st_setsrid(st_point(9.2, 47.2), 4326), pin_state = 'placed', grade = 'rooftop'")
    phone.sync()
    (line,) = AccountIndex(phone.store).search("kiosk")
    assert (line.lon, line.lat, line.is_unplaced) == (9.2, 47.2, False)


@pytest.mark.parametrize("place", [{"lon": 9.2, "lat": None}, {"lon": None, "lat": 47.2}, {"lon": None, "lat": None}])
def test_an_account_with_half_a_place_or_none_is_refused(
    world: World, phone: FieldPhone, place: dict[str, float | None]
) -> None:
    phone.sync()
    made = dict.fromkeys(("account_class", "phone", "note", "street", "postcode", "city"))
    d = {**made, "name": "Kiosk", "status": "prospect", "tags": [], **place}
    phone.store.save(op_of("create", "account", uuid7(), d=d))
    phone.sync()
    (op,) = phone.store.outbox.ops()
    assert (op.state, (op.result or {})["error"]["code"]) == ("rejected", "invalid")


def test_what_nobody_can_see_or_drive_to_is_refused_with_a_reason(world: World, phone: FieldPhone) -> None:
    world.account("Bakery", "west")
    phone.sync()
    taking.new_account(phone.store, taking.NewAccount("\u200b", 9.2, 47.2))
    taking.new_account(phone.store, taking.NewAccount("Pole", 9.2, 89.9))
    taking.new_account(phone.store, taking.NewAccount("Zero", 0.0, 0.0))
    taking.new_lead(phone.store, 9.2, -89.9, company="South")
    taking.new_lead(phone.store, 9.2, 47.2, company="\u200b\u2060")
    phone.sync()
    said = [(op.state, (op.result or {})["error"]["msg"]) for op in phone.store.outbox.ops()]
    assert [state for state, _ in said] == ["rejected"] * 5
    for (_, reason), why in zip(said, ("missing", "pole", "Africa", "pole", ""), strict=True):
        assert why in reason, reason
    assert world.sql("select name from account") == [("Bakery",)]
    assert world.sql("select count(*) from lead") == [(0,)]


@pytest.mark.parametrize("theirs", ["of somebody else", "deleted", "another name"])
def test_an_account_with_an_id_that_is_taken_is_refused_and_tells_nothing(
    world: World, phone: FieldPhone, theirs: str
) -> None:
    phone.sync()
    op = taking.new_account(phone.store, taking.NewAccount("Kiosk", 9.2, 47.2))
    name, area = ("Kiosk", "east" if theirs == "of somebody else" else "west")
    taken = world.account("Other" if theirs == "another name" else name, area, id=UUID(op.row_id))
    if theirs == "deleted":
        world.sql("update account set deleted_at = now() where id = :id", id=taken)
    phone.sync()
    (refused,) = [one for one in phone.store.outbox.ops() if one.op_id == op.op_id]
    assert refused.state == "rejected"
    assert (refused.result or {}).get("rev") is None
    assert (refused.result or {})["error"]["code"] == "conflict"
