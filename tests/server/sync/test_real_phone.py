"""The phone's own engine against the real application and the real database."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobile.field import locking
from mobile.field.capture import propose_pin
from mobile.field.checkin import Fix
from mobile.field.pins import proposed_pins
from mobile.field.store import clock
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.world import World


@pytest.fixture
def phone(world: World, tmp_path: Path) -> Iterator[FieldPhone]:
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    yield phone
    phone.close()


def test_the_day_of_a_rep_without_network_arrives_exactly_once(world: World, phone: FieldPhone) -> None:
    account = world.account("Bakery", "west", phone="1")
    visit = world.visit(account, "rita")
    assert phone.sync() is not None
    assert next(iter(phone.held("account").values()))[1]["name"] == "Bakery"
    for state in ("en_route", "checked_in", "done"):
        phone.event(str(account), state, str(visit), "Needs twelve")
    phone.edit("account", str(account), phone="2")
    phone.network.loss = 1.0
    report = phone.sync()
    assert report is not None
    assert not report.ok
    phone.network.loss = 0.0
    phone.network.deliver_late()
    report = phone.sync()
    assert report is not None
    assert (report.ok, dict(report.results)) == (True, {"applied": 3, "merged": 1})
    assert world.sql("select state, note from visit") == [("done", "Needs twelve")]
    assert world.sql("select count(*) from visit_event")[0][0] == 3
    assert world.sql("select phone from account")[0][0] == "2"
    again = phone.sync()
    assert again is not None
    assert (again.results, again.rows) == ({}, 0)


def test_a_conflict_comes_back_with_all_three_values_and_the_companys_lock_with_it(
    world: World, phone: FieldPhone
) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone.sync()
    world.sql("update account set phone = '9'")
    assert locking.days_alone(phone.store.outbox) == 14
    world.sql("insert into phone_rules (lock_days) values (5)")
    phone.edit("account", str(account), phone="2")
    report = phone.sync()
    assert report is not None
    assert (report.code, report.detail, dict(report.results)) == (None, None, {"conflict": 1})
    (op,) = phone.store.outbox.ops()
    assert op.result is not None
    (clash,) = op.result["conflicts"]
    assert (clash["base"], clash["mine"], clash["server"]) == ("1", "2", "9")
    assert phone.held("account")[str(account)][1]["phone"] == "9"
    assert locking.days_alone(phone.store.outbox) == 5, "the company has said so meanwhile"


def test_a_pin_dragged_without_network_arrives_exactly_once_and_its_answer_comes_back(
    world: World, phone: FieldPhone
) -> None:
    account = world.account("Bakery", "west")
    phone.sync()
    (site,) = (doc for _rev, doc in phone.held("site").values())
    fix = Fix(9.21, 47.2, 6.0, clock.now())
    propose_pin(phone.store, site, 9.21, 47.2, note="Gate", fix=fix)
    assert proposed_pins(phone.store, str(account))[site["id"]].state == "phone"
    phone.network.loss = 1.0
    phone.sync()
    phone.network.loss = 0.0
    phone.network.deliver_late()
    report = phone.sync()
    assert report is not None
    assert (report.ok, dict(report.results)) == (True, {"applied": 1})
    assert world.sql("select state, grade, note from pin_proposal") == [("open", "gps_confirmed", "Gate")]
    assert proposed_pins(phone.store, str(account))[site["id"]].state == "open"
    world.sql("update pin_proposal set state = 'refused', answer = 'The old warehouse'")
    phone.sync()
    mine = proposed_pins(phone.store, str(account))[site["id"]]
    assert (mine.state, mine.answer) == ("refused", "The old warehouse")
