"""A rep who changes a field twice before the phone has heard of the first change is in conflict with nobody."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mobile.field import capture, conflicts, taking
from mobile.field import own as own_fields
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.stories import at
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_edits import define, site_of, synced
from tests.server.sync.world import World

WAYS = ("at once", "on its way", "answer lost")
"""When the second change is saved: before anything is sent, while the first one travels, after its answer was lost."""
DONE = {"applied", "merged"}

PLAIN: list[tuple[str, str, object, object, object]] = [
    ("account", "website", "bakery.li", "bakery.com", "https://bakery.com"),
    ("account", "email", "mailto:a@b.li", "c@d.li", "c@d.li"),
    ("account", "phone", "079  12 12", "", None),
    ("account", "name", "Cafe\u0301", "Bakery", "Bakery"),
    ("account", "interval_days", 28, 14, 14),
    ("site", "country", "Liechtenstein", "Schweiz", "CH"),
    ("site", "street", "Gasse  3", "Gasse 4", "Gasse 4"),
    ("site", "opening_hours", "24/7 ", "Mo-Fr 08:00-12:00", "Mo-Fr 08:00-12:00"),
    ("contact", "title", "Boss ", "", None),
    ("contact", "title", "Boss", "Chef", "Chef"),
    ("activity", "state", "done", "open", "open"),
    ("activity", "due_on", "2026-12-05", "2026-12-01", "2026-12-01"),
    ("activity", "due_on", "2026-12-05", "2026-12-06", "2026-12-06"),
    ("activity", "subject", "Call  them", "Write", "Write"),
]
"""What is written, what then, and what stands in the end: spellings that the server changes, and ways back."""

OWN: dict[str, tuple[object, object, object]] = {
    "text": ("a  b", "b", "b"), "long_text": ("Cafe\u0301 ", "y", "y"), "number": ("1.50", "2", 2),
    "money": ("12.5", "13.5", {"amount": "13.50", "currency": "EUR"}), "date": ("1.4.2026", "31.3.2026", "2026-03-31"),
    "flag": (True, False, False), "choice": ("s", "f", "f"), "choices": (["f", "s"], ["f"], ["f"]),
    "url": ("bakery.li", "bakery.com", "https://bakery.com"), "mail": ("mailto:a@b.li", "c@d.li", "c@d.li"),
    "phone": ("079  12 12", "079 13", "079 13"),
}  # fmt: skip


@pytest.fixture
def rita(world: World, tmp_path: Path) -> Iterator[FieldPhone]:
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    yield phone
    phone.close()


def row_of(world: World, phone: FieldPhone, e: str) -> str:
    """A row that the phone and the server know."""
    account = world.account("Bakery", "west")
    phone.sync()
    row = site_of(world, account) if e == "site" else str(account)
    if e == "contact":
        row = taking.new_contact(phone.store, row, first_name="Ann", last_name="B").row_id
    if e == "activity":
        row = taking.next_step(phone.store, row, "Call", due_on="2026-12-01").row_id
    phone.sync()
    return row


def both(phone: FieldPhone, way: str, first: Any, second: Any) -> set[str]:
    """Save two changes one after the other; says what became of the ops that were changes."""
    if way == "on its way":
        at(phone, "/push", before=second)
    if way == "answer lost":
        at(phone, "/push", lost=True)
    first()
    if way != "at once":
        phone.sync()
    if way != "on its way":
        second()
    phone.sync()
    phone.sync()
    return {op.state for op in phone.store.outbox.ops() if op.kind == "patch"}


def synced_with(phone: FieldPhone) -> set[str]:
    """What became of ops in one sync."""
    report = phone.sync()
    assert report is not None
    return set(report.results)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("e", "field", "first", "second", "stored"), PLAIN)
def test_what_a_rep_wrote_last_stands(
    world: World, rita: FieldPhone, e: str, field: str, first: object, second: object, stored: object, way: str
) -> None:
    row = row_of(world, rita, e)
    states = both(
        rita,
        way,
        lambda: capture.edit(rita.store, e, row, {field: first}),
        lambda: capture.edit(rita.store, e, row, {field: second}),
    )
    assert states <= DONE, [op.result for op in rita.store.outbox.ops()]
    assert rita.held(e)[row][1][field] == stored
    assert (conflicts.questions(rita.store), Desk(world, "mona").conflicts()) == ([], [])


def change(phone: FieldPhone, e: str, row: str, value: object) -> None:
    """Type an own field as the form has it."""
    rev, held = phone.store.cache.shown(e, row)
    fields = own_fields.fields_of(phone.store, e)
    values = own_fields.changes(fields, held.get("custom") or {}, {"own": value})
    own_fields.change(phone.store, e, row, values, (rev, held))


@pytest.mark.parametrize("kind", OWN)
def test_of_own_fields_of_every_kind_too(world: World, rita: FieldPhone, kind: str) -> None:
    first, second, stored = OWN[kind]
    for e in ("account", "site", "contact"):
        define(kind, "own", e)
    contact = row_of(world, rita, "contact")
    account = str(world.sql("select id from account")[0][0])
    for e, row in (("contact", contact), ("account", account), ("site", site_of(world, UUID(account)))):
        states = both(
            rita, "at once", lambda e=e, row=row: change(rita, e, row, first),
            lambda e=e, row=row: change(rita, e, row, second),
        )  # fmt: skip
        assert states <= DONE, [op.result for op in rita.store.outbox.ops()]
        assert rita.held(e)[row][1]["custom"] == {"own": stored}


def test_the_first_number_of_a_person_is_corrected_twice(world: World, rita: FieldPhone) -> None:
    row = row_of(world, rita, "contact")
    for number in ("+423 111  22 33", "+423 1112244"):
        taking.change_contact(rita.store, row, {"first_name": "Ann", "last_name": "B"}, number, "")
    assert synced_with(rita) <= DONE
    assert world.sql("select phones -> 0 ->> 'value' from contact") == [("+423 1112244",)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("first", "second"), [({"street": "Gasse 3"}, {"city": "Vaduz"}), ({"postcode": "9490"}, {"street": "Gasse 3"})]
)
def test_the_street_now_and_the_town_later_are_one_address(
    world: World, rita: FieldPhone, first: dict[str, str], second: dict[str, str], way: str
) -> None:
    row = row_of(world, rita, "site")
    states = both(
        rita,
        way,
        lambda: capture.edit(rita.store, "site", row, first),
        lambda: capture.edit(rita.store, "site", row, second),
    )
    assert states <= DONE
    held = rita.held("site")[row][1]
    assert {name: held[name] for name in (first | second)} == first | second


def test_an_account_founded_and_corrected_before_it_was_sent_is_in_no_conflict(world: World, rita: FieldPhone) -> None:
    rita.sync()
    row = taking.new_account(rita.store, taking.NewAccount("Bakery", 9.3, 47.1, phone="079  12")).row_id
    capture.edit(rita.store, "account", row, {"phone": "079  13"})
    capture.edit(rita.store, "account", row, {"phone": "079 14"})
    assert synced_with(rita) <= DONE
    assert world.sql("select phone from account") == [("079 14",)]


def test_what_a_third_person_wrote_in_between_is_a_question_as_ever(world: World, rita: FieldPhone) -> None:
    account = row_of(world, rita, "account")
    capture.edit(rita.store, "account", account, {"phone": "1"})
    at(rita, "/push", lost=True)
    rita.sync()
    world.sql("update account set phone = '9'")
    capture.edit(rita.store, "account", account, {"phone": "2"})
    rita.sync()
    rita.sync()
    (question,) = conflicts.questions(rita.store)
    assert (question.stored, question.conflict["mine"]) == ("9", "2")


def test_two_phones_of_one_rep_are_two(world: World) -> None:
    account = world.account("Bakery", "west", phone="0")
    one, other = synced(world), synced(world)
    one.edit("account", account, phone="1")
    other.edit("account", account, phone="2")
    assert [one.push()[0]["status"], other.push()[0]["status"]] == ["applied", "conflict"]


def test_an_older_entry_that_the_office_takes_later_replaces_nothing_newer(world: World) -> None:
    define("number")
    account = world.account("Bakery", "west")
    phone = synced(world)
    phone.save("patch", "account", account, base_rev=1, f={"phone": ["x", "1"], "custom.own": [None, "one"]})
    phone.edit("account", account, phone="2")
    assert [one["status"] for one in phone.push()] == ["rejected", "merged"]
    world.sql("update custom_field set kind = 'text'")
    mona = Desk(world, "mona")
    path = f"/api/v1/devices/{phone.device_id}/refused/1"
    assert world.client.post(path, json={"take": True}, headers=mona.headers).json()["status"] == "conflict"
    assert world.sql("select phone, custom from account") == [("2", {"own": "one"})]


def test_tags_written_with_blanks_are_taken_away_again(world: World, rita: FieldPhone) -> None:
    account = row_of(world, rita, "account")
    world.sql("update account set tags = '{Key  account,Wine}'")
    phone = synced(world)
    phone.save("setadd", "account", account, field="tags", v=["Open  day"])
    phone.save("setdel", "account", account, field="tags", v=["open  day ", " wine"])
    phone.push()
    assert world.sql("select tags from account") == [(["Key account"],)]


def test_of_a_site_out_of_reach_no_value_can_be_guessed(world: World) -> None:
    define("number", "gates", "site")
    site = site_of(world, world.account("Secret", "east"))
    world.sql("""update site set street = 'Hidden 9', custom = '{"gates": 777}' where id = :id""", id=site)
    phone = synced(world)
    told = []
    for field, value in (("street", "Hidden 9"), ("street", "x"), ("custom.gates", 777), ("custom.gates", 1)):
        phone.save("patch", "site", site, base_rev=0, f={field: [None, value]})
        (verdict,) = phone.push()
        told.append({name: value for name, value in verdict.items() if name not in ("n", "conflicts")})
        (clash,) = verdict["conflicts"]
        assert (clash["kind"], clash["server"], clash["by"]) == ("out_of_scope", None, None)
    assert all(one == told[0] for one in told)


def test_of_a_deleted_account_out_of_reach_nothing_is_told(world: World) -> None:
    account = world.account("Secret", "east", phone="+423 777 77 77")
    world.sql("update account set deleted_at = now()")
    phone = synced(world)
    phone.save("patch", "account", account, base_rev=0, f={"phone": [None, "1"]})
    (verdict,) = phone.push()
    assert "777 77" not in str(verdict)
