"""What a rep corrects at the door: addresses, the company's own fields, status, class and interval."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.accounts import jobs, service
from server.accounts.models import Site
from server.auth.access import system_scope
from server.fields import service as fields
from server.kit import clock
from server.kit.database import transaction
from tests.server.accounts.test_jobs import ADDRESS, add_region, extract, home
from tests.server.sync.conftest import row
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_field_rights import keep
from tests.server.sync.world import Json, Phone, World

__all__ = ["extract", "home"]

CHOICES = [{"value": "s", "label": "Side"}, {"value": "f", "label": "Front"}]
KINDS: dict[str, tuple[object, object, object, str]] = {
    "text": ("AB-12", "AB-12", "x" * 501, "too_long"),
    "long_text": ("two\nlines", "two\nlines", "x" * 20_001, "too_long"),
    "number": (12.5, 12.5, "twelve", "not_a_number"),
    "money": ({"amount": "12.5"}, {"amount": "12.50", "currency": "EUR"}, {"amount": "twelve"}, "not_a_number"),
    "date": ("2026-03-31", "2026-03-31", "tomorrow", "not_a_date"),
    "flag": (True, True, "perhaps", "yes_nor_no"),
    "choice": ("s", "s", "roof", "not_to_choose"),
    "choices": (["f", "s"], ["s", "f"], ["roof"], "not_to_choose"),
    "url": ("https://bakery.li", "https://bakery.li", "bakery", "not_an_address"),
    "mail": ("anna@bakery.li", "anna@bakery.li", "anna", "not_an_email"),
    "phone": ("+423 237 12 12", "+423 237 12 12", "call me", "no_phone_number"),
}
"""By kind: what a phone sends, how it is stored, what is refused and why."""


def define(kind: str, key: str = "own", object: str = "account", **more: Any) -> None:
    """A field of the company's own."""
    values = {"key": key, "label": key.title(), "kind": kind} | ({"choices": CHOICES} if "choice" in kind else {})
    with transaction() as session:
        fields.add(session, object, values | more)


def synced(world: World, login: str = "rita") -> Phone:
    phone = world.phone(login)
    phone.schema = 5
    phone.sync()
    return phone


def own(phone: Phone, row_id: UUID | str, e: str = "account", **values: tuple[object, object]) -> Json:
    """Change own fields, each with what the rep saw and wants."""
    rev, _ = phone.rows[e, str(row_id)]
    phone.save("patch", e, row_id, base_rev=rev, f={f"custom.{key}": list(both) for key, both in values.items()})
    (result,) = phone.push()
    return result


def site_of(world: World, account: UUID) -> str:
    return str(world.sql("select id from site where account_id = :a", a=account)[0][0])


def at(world: World, site: str) -> tuple[object, ...]:
    """A site's address and pin."""
    row = world.sql(
        "select street, city, pin_state, grade, pin is null, territory_id from site where id = :id", id=site
    )
    return tuple(row[0])


@pytest.mark.parametrize("kind", KINDS)
def test_an_own_field_is_taken_as_on_the_pages_and_refused_in_codes(world: World, kind: str) -> None:
    sent, stored, wrong, code = KINDS[kind]
    define(kind)
    account = world.account("Bakery", "west")
    phone = synced(world)
    told = own(phone, account, own=(None, sent))
    assert (told["status"], told["row"]["custom"]) == ("applied", {"own": stored})
    phone.pull()
    refused = own(phone, account, own=(stored, wrong))
    assert (refused["status"], refused["error"]["code"]) == ("rejected", "invalid")
    assert code in [one["code"] for one in refused["error"]["reasons"]]
    assert world.sql("select custom from account") == [({"own": stored},)]
    emptied = own(phone, account, own=(stored, None))
    assert emptied["row"]["custom"] == {}


@pytest.mark.parametrize("value", [{"a": 1}, ["x"], True, [["x"]]])
def test_a_text_takes_only_text(world: World, value: object) -> None:
    kinds = ("text", "long_text", "url", "mail", "phone")
    for kind in kinds:
        define(kind, kind)
    account = world.account("Bakery", "west")
    phone = synced(world)
    for name in (*(f"custom.{kind}" for kind in kinds), "name", "note", "email"):
        phone.save("patch", "account", account, base_rev=1, f={name: [None, value]})
        (told,) = phone.push()
        assert (name, told["status"]) == (name, "rejected")
        assert told["error"]["reasons"][0]["code"] in ("needs_text", "single_value")
    assert world.sql("select custom, name from account") == [({}, "Bakery")]


def test_a_phone_is_told_what_values_of_a_field_may_be(world: World) -> None:
    define("number", "beds", required=True, minimum="1", maximum="2000.5")
    define("text", "code", pattern="[A-Z]+")
    phone = synced(world)
    told = {doc["key"]: doc for (e, _), (_, doc) in phone.rows.items() if e == "custom_field"}
    rules = {key: [doc[name] for name in ("required", "minimum", "maximum", "pattern")] for key, doc in told.items()}
    assert rules == {"beds": [True, "1", "2000.5", None], "code": [False, None, None, "[A-Z]+"]}


def test_what_two_people_write_into_two_own_fields_stands_both(world: World) -> None:
    define("number", "beds")
    define("choices", "doors")
    account = world.account("Clinic", "west")
    phone = synced(world)
    world.sql("""update account set custom = '{"beds": 7}'""")
    assert own(phone, account, doors=(None, ["s"]))["status"] == "merged"
    assert world.sql("select custom from account") == [({"beds": 7, "doors": ["s"]},)]


def test_what_two_people_write_into_one_own_field_is_a_question_with_both_and_is_decided_as_a_whole(
    world: World,
) -> None:
    define("choices", "doors")
    account = world.account("Clinic", "west", custom={"doors": ["s"]})
    phone = synced(world)
    world.sql("""update account set custom = '{"doors": ["f"]}'""")
    (clash,) = own(phone, account, doors=(["s"], ["s", "f"]))["conflicts"]
    assert (clash["field"], clash["base"], clash["mine"], clash["server"]) == ("custom.doors", ["s"], ["s", "f"], ["f"])
    phone.sync()
    rev, _ = phone.rows["account", str(account)]
    answer = {"custom.doors": [["f"], ["s", "f"]]}
    phone.save("patch", "account", account, base_rev=rev, f=answer, decides=clash["id"])
    assert [one["status"] for one in phone.push()] == ["applied"]
    assert world.sql("select custom from account") == [({"doors": ["s", "f"]},)]
    assert [one["state"] for one in Desk(world, "mona").conflicts("took_mine")] == ["took_mine"]


def test_a_choice_that_the_rep_takes_away_goes_and_is_not_joined_to_what_the_office_chose(world: World) -> None:
    define("choices", "doors")
    account = world.account("Clinic", "west", custom={"doors": ["s"]})
    phone = synced(world)
    world.sql("""update account set custom = '{"doors": ["s", "f"]}'""")
    own(phone, account, doors=(["s"], None))
    mona = Desk(world, "mona")
    (conflict,) = mona.conflicts()
    assert (conflict["mine"], conflict["current"]) == (None, ["s", "f"])
    assert mona.decide(conflict, "take_mine")[0] == 200
    assert world.sql("select custom from account") == [({},)]


def test_an_own_field_that_has_gone_is_refused_and_the_other_entries_are_taken(world: World) -> None:
    define("number", "beds")
    account = world.account("Clinic", "west")
    phone = synced(world)
    world.sql("update custom_field set archived = true")
    phone.edit("account", account, phone="2")
    phone.save("patch", "account", account, base_rev=1, f={"custom.beds": [None, 3]})
    first, second = phone.push()
    assert (first["status"], second["status"]) == ("applied", "rejected")
    assert [one["code"] for one in second["error"]["reasons"]] == ["field_gone", "ask_admin"]
    assert world.sql("select body -> 'f' from sync_receipt where status = 'rejected'") == [
        ({"custom.beds": [None, 3]},)
    ]


@pytest.mark.parametrize("e", ["account", "site", "contact"])
@pytest.mark.parametrize("mend", ["archived = true", "deleted_at = now()", "required = true"])
def test_an_own_field_that_is_refused_keeps_no_other_of_the_form_from_being_taken(
    world: World, e: str, mend: str
) -> None:
    define("text", "doors", e, label="Doors at the back")
    define("number", "beds", e)
    account = world.account("Clinic", "west")
    phone = synced(world)
    row = {"account": str(account), "site": site_of(world, account), "contact": str(uuid4())}[e]
    if e == "contact":
        named: dict[str, Any] = {"first_name": "Ann", "last_name": "B", "title": None, "phones": [], "mails": []}
        phone.save("create", "contact", row, d={"account_id": str(account), **named})
        phone.sync()
    world.sql(f'update {e} set custom = \'{{"doors": "two"}}\'')
    phone.sync()
    world.sql(f"update custom_field set {mend} where key = 'doors'")
    told = own(phone, row, e, doors=("two", None), beds=(None, 3))
    assert told["status"] == "rejected"
    assert {one["values"].get("field", "Doors at the back") for one in told["error"]["reasons"]} == {
        "Doors at the back"
    }
    assert world.sql(f"select custom from {e}") == [({"doors": "two", "beds": 3},)]
    assert told["row"]["custom"]["beds"] == 3


def test_an_edit_with_a_refused_own_field_that_clashes_besides_is_refused_as_a_whole_and_kept(world: World) -> None:
    define("text", "doors")
    define("number", "beds")
    account = world.account("Clinic", "west", custom={"beds": 1})
    phone = synced(world)
    world.sql("""update account set custom = '{"beds": 2}'""")
    world.sql("update custom_field set archived = true where key = 'doors'")
    told = own(phone, account, doors=(None, "two"), beds=(1, 3))
    assert (told["status"], Desk(world, "mona").conflicts()) == ("rejected", [])
    assert world.sql("select custom from account") == [({"beds": 2},)]
    assert len(world.sql("select body from sync_receipt where status = 'rejected' and body is not null")) == 1


def test_a_field_of_a_deal_or_of_nobody_is_no_field_of_a_phone(world: World) -> None:
    account = world.account("Clinic", "west")
    phone = synced(world)
    phone.save("patch", "activity", uuid4(), base_rev=1, f={"custom.beds": [None, 3]})
    phone.save("patch", "account", account, base_rev=1, f={"owner_id": [None, str(world.users["rita"])]})
    codes = [[one["code"] for one in result["error"]["reasons"]] for result in phone.push()]
    assert codes == [["phone_cannot_change_field", "on_web"]] * 2


def test_own_fields_of_sites_and_people_are_taken_too(world: World) -> None:
    define("number", "gates", "site")
    define("flag", "smokes", "contact")
    account = world.account("Clinic", "west")
    phone = synced(world)
    assert own(phone, site_of(world, account), "site", gates=(None, 2))["row"]["custom"] == {"gates": 2}
    contact = uuid4()
    named = {"first_name": "Ann", "last_name": "B", "title": None, "phones": [], "mails": []}
    phone.save("create", "contact", contact, d={"account_id": str(account), **named})
    phone.sync()
    assert own(phone, contact, "contact", smokes=(None, False))["row"]["custom"] == {"smokes": False}
    world.sql("update contact set custom = '{}'")
    world.sql("""update contact set custom = '{"smokes": false}'""")
    for base in (0, 99):
        phone.save("patch", "contact", contact, base_rev=base, f={"custom.smokes": [None, True]})
    assert [one["status"] for one in phone.push()] == ["conflict"] * 2, "another value stands there"
    phone.save("patch", "contact", contact, base_rev=0, f={"custom.smokes": [False, True]})
    assert [one["status"] for one in phone.push()] == ["merged"]


def test_status_class_and_interval_are_the_reps_to_say_as_on_the_pages(world: World) -> None:
    account = world.account("Bakery", "west", status="prospect")
    phone = synced(world)
    phone.edit("account", account, status="customer", account_class="A", interval_days=10)
    phone.edit("account", account, interval_days=4000)
    taken, refused = phone.push()
    assert (taken["status"], refused["status"]) == ("applied", "rejected")
    assert [one["code"] for one in refused["error"]["reasons"]] == ["cannot_be", "whole_between"]
    assert world.sql("select status, account_class, interval_days from account") == [("customer", "A", 10)]
    keep(world, "account.account_class", right="fixed")
    assert "account.account_class" in phone.hello()["closed"]
    phone.save("patch", "account", account, base_rev=2, f={"account_class": ["A", "B"]})
    assert phone.push()[0]["error"]["code"] == "not_allowed"


def test_a_new_address_waits_for_the_geocoder_and_the_account_stays_with_its_rep(world: World) -> None:
    account = world.account("Bakery", "west")
    site = site_of(world, account)
    world.sql(
        "update site set pin = st_setsrid(st_makepoint(9.2, 47.2), 4326), grade = 'rooftop', pin_state = 'placed'"
    )
    phone = synced(world)
    phone.edit("site", site, street="Dorfgasse 3", postcode="9490", city="Vaduz")
    assert [one["status"] for one in phone.sync()] == ["applied"]
    assert at(world, site) == ("Dorfgasse 3", "Vaduz", "pending", None, True, world.territories["west"])
    assert phone.rows["site", site][1]["lat"] is None, "what is not known yet is not told"
    asked = "select args from procrastinate_jobs where task_name = 'accounts.locate_account'"
    assert world.sql(asked) == [({"account_id": str(account)},)]


def test_an_address_that_a_phone_empties_is_refused_with_the_words_of_the_pages(world: World) -> None:
    site = site_of(world, world.account("Bakery", "west"))
    phone = synced(world)
    for changes, said in (
        ({"street": None, "postcode": None, "city": None}, ("no_address_left", "write_address")),
        ({"country": "Atlantis"}, ("country_not_known", "country_example")),
        ({"service_s": 0}, ("visit_takes", "write_stay")),
    ):
        phone.edit("site", site, **changes)
        (result,) = phone.push()
        assert result["status"] == "rejected", changes
        assert tuple(one["code"] for one in result["error"]["reasons"]) == said
    assert world.sql("select city, country, service_s from site") == [("Town", None, 1800)]


@pytest.mark.parametrize("grade", ["manual", "gps_confirmed"])
def test_a_pin_that_a_person_has_set_stays_when_the_address_is_corrected(world: World, grade: str) -> None:
    site = site_of(world, world.account("Bakery", "west"))
    placed = "update site set pin = st_setsrid(st_makepoint(9.2, 47.2), 4326), grade = :grade, pin_state = 'placed'"
    world.sql(placed, grade=grade)
    phone = synced(world)
    phone.edit("site", site, street="Dorfgasse 3")
    phone.sync()
    assert at(world, site)[:5] == ("Dorfgasse 3", "Town", "placed", grade, False)
    assert phone.rows["site", site][1]["lat"] == 47.2


def test_an_address_is_one_and_of_two_new_ones_the_offices_stands_until_somebody_decides(world: World) -> None:
    account = world.account("Bakery", "west")
    site = site_of(world, account)
    phone = synced(world)
    with transaction() as session:
        rev = session.scalars(select(Site.rev)).one()
        service.edit_site(session, system_scope(), UUID(site), rev, {"city": "Schaan", "postcode": "9494"})
    phone.edit("site", site, street="Dorfgasse 3", opening_hours="24/7")
    (result,) = phone.push()
    assert [(one["field"], one["mine"], one["server"]) for one in result["conflicts"]] == [
        ("street", "Dorfgasse 3", None)
    ]
    assert world.sql("select street, city, opening_hours from site") == [(None, "Schaan", "24/7")]
    mona = Desk(world, "mona")
    assert mona.decide(mona.conflicts()[0], "take_mine")[0] == 200
    assert at(world, site)[:3] == ("Dorfgasse 3", "Schaan", "pending")


def test_an_app_of_schema_four_goes_on_pushing_and_pulling(world: World) -> None:
    define("number", "beds", minimum="1")
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.schema = 4
    phone.sync()
    phone.edit("account", account, phone="2")
    phone.edit("site", site_of(world, account), opening_hours="24/7")
    assert [one["status"] for one in phone.sync()] == ["applied", "applied"]


def test_an_address_that_a_phone_corrects_is_found_on_the_map(world: World, home: Path, extract: Path) -> None:
    add_region(extract)
    account = world.account("Bakery", None, owner_id=world.users["rita"])
    site = site_of(world, account)
    with transaction() as session:
        street, number, postcode, city = session.execute(ADDRESS).one()
    phone = synced(world)
    phone.edit("site", site, street=f"{street} {number}", postcode=postcode, city=city)
    assert [one["status"] for one in phone.push()] == ["applied"]
    jobs.locate_account(account_id=str(account))
    assert at(world, site)[2:5] == ("placed", "rooftop", False)
    phone.sync()
    assert phone.rows["site", site][1]["grade"] == "rooftop"


@pytest.mark.parametrize("office", ["open", "cancelled"])
def test_a_task_was_done_when_the_phone_says_also_where_the_office_had_called_it_off(world: World, office: str) -> None:
    account = world.account("Bakery", "west")
    task = row(
        world, "activity", kind="task", account_id=account, owner_id=world.users["rita"], subject="Bring it",
        zone="UTC", at=clock.now(), due_on=clock.now().date(),
    )  # fmt: skip
    phone = synced(world)
    tapped = clock.now() - timedelta(minutes=40)
    phone.align(phone.hello(wall=clock.now().isoformat(), mono_ms=7_205_000, boot="this start"))
    op = phone.edit("activity", task, state="done")
    op["at"] = {"wall": tapped.isoformat(), "mono": 7_205_000 - 40 * 60_000, "boot": "this start"}
    if office != "open":
        world.sql("update activity set state = :state", state=office)
    assert [one["status"] for one in phone.push()] == ["applied" if office == "open" else "merged"]
    ((state, done_at, flags),) = world.sql("select state, done_at, flags from activity")
    assert (state, flags) == ("done", [] if office == "open" else ["done_after_cancelled"])
    assert abs(done_at - tapped) < timedelta(seconds=30)
