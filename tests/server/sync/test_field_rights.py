"""What a role is kept from does not reach its phones, and goes away from those that have it."""

from uuid import uuid4

import pytest

from server.auth import rights
from server.kit.database import transaction
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.world import World


def keep(world: World, *names: str, right: str = "hidden") -> None:
    """Keep all reps from some fields."""
    actor = world.user("ada_of_rights")
    with transaction() as session:
        rights.change_role(session, "rep", levels={}, fields=dict.fromkeys(names, right), actor=actor)


def held(phone: FieldPhone) -> dict[str, object]:
    (row,) = phone.held("account").values()
    return row[1]


def test_a_value_that_is_hidden_goes_away_from_a_phone_and_comes_back(world: World, phone: FieldPhone) -> None:
    world.account("Bakery", "west", phone="079", note="Pays late")
    phone.sync()
    assert (held(phone)["phone"], held(phone)["note"]) == ("079", "Pays late")
    keep(world, "account.phone", "account.note")
    for _ in range(2):
        phone.sync()
    assert (held(phone)["name"], held(phone)["phone"], held(phone)["note"]) == ("Bakery", None, None)
    world.sql("delete from access_role")
    for _ in range(2):
        phone.sync()
    assert (held(phone)["phone"], held(phone)["note"]) == ("079", "Pays late")


def test_a_new_phone_never_gets_it_and_compares_equal(world: World) -> None:
    keep(world, "account.phone")
    world.account("Bakery", "west", phone="079")
    phone = world.phone("rita")
    phone.sync()
    (row,) = (document for (e, _), (_, document) in phone.rows.items() if e == "account")
    assert (row["name"], row["phone"]) == ("Bakery", None)


@pytest.mark.parametrize("right", ["fixed", "hidden"])
def test_an_edit_of_a_kept_field_is_a_named_problem_and_changes_nothing(world: World, right: str) -> None:
    account = world.account("Bakery", "west", phone="079")
    phone = world.phone("rita")
    phone.sync()
    keep(world, "account.phone", right=right)
    phone.edit("account", account, phone="080")
    (result,) = phone.push()
    assert (result["status"], result["error"]["code"]) == ("rejected", "not_allowed")
    assert "phone" in result["error"]["msg"]
    assert world.sql("select phone from account") == [("079",)]


@pytest.mark.parametrize("base", [0, 1, 99])
def test_a_refused_edit_of_a_contact_tells_no_hidden_field(world: World, base: int) -> None:
    account, phone, contact = world.account("Bakery", "west"), world.phone("rita"), uuid4()
    phone.schema = 3
    phone.sync()
    named = {"first_name": "Ann", "last_name": "B", "title": None, "phones": [{"value": "+423 111"}], "mails": []}
    phone.save("create", "contact", contact, d={"account_id": str(account), **named})
    assert [one["status"] for one in phone.push()] == ["applied"]
    world.sql("""update contact set phones = '[{"value": "+423 777"}]'""")
    keep(world, "contact.phones")
    phone.save("patch", "contact", contact, base_rev=base, f={"phones": [[], [{"value": "2"}]]})
    (result,) = phone.push()
    assert (result["status"], result["error"]["code"]) == ("rejected", "not_allowed")
    assert "777" not in str(result)
