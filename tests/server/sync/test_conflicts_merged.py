"""Conflicts at accounts and sites that were merged since are decided at what these became."""

from uuid import UUID

import pytest

from tests.server.sync.conftest import answer, rita_and_the_office
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_merged import account as pinned
from tests.server.sync.test_merged import merged
from tests.server.sync.world import Json, World


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
