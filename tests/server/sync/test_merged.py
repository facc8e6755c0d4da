"""What phones see of accounts that become one, and what they send about the one that is gone."""

from typing import Any
from uuid import UUID, uuid4

from server.accounts.duplicates import merging
from server.accounts.duplicates.merging import MergeWish
from server.auth.access import system_scope
from server.kit.database import transaction
from server.sync import doctor
from tests.server.sync.world import Phone, World

WEST = {"west": 9.2, "east": 9.7}


def account(world: World, name: str, territory: str, east: float = 0.0) -> UUID:
    """An account with a pin in a territory."""
    made = world.account(name, territory)
    world.sql(
        "update site set pin = st_setsrid(st_makepoint(:lon, 47.2), 4326) where account_id = :a",
        lon=WEST[territory] + east,
        a=made,
    )
    return made


def merged(winner: UUID, loser: UUID, **wish: Any) -> UUID:
    with transaction() as session:
        return merging.merge(session, system_scope(), winner, loser, MergeWish({}, **wish)).id


def undone(merge_id: UUID) -> None:
    with transaction() as session:
        merging.undo(session, system_scope(), merge_id)


def held(phone: Phone, entity: str) -> list[dict[str, Any]]:
    return [document for (kind, _), (_, document) in phone.rows.items() if kind == entity]


def healthy() -> bool:
    with transaction() as session:
        return not any(finding.count for finding in doctor.examine(session))


def test_the_loser_leaves_the_phones_and_its_visits_belong_to_the_winner(world: World) -> None:
    winner, loser = account(world, "Bakery Öhri", "west"), account(world, "Bakery", "west")
    world.visit(loser, "rita")
    rita, fresh = world.phone("rita"), world.phone("rita")
    rita.sync()
    assert rita.names() == {"Bakery", "Bakery Öhri"}
    made = merged(winner, loser, same_place=False)
    for phone in (rita, fresh):
        phone.sync()
        assert phone.names() == {"Bakery Öhri"}
        assert [visit["account_id"] for visit in held(phone, "visit")] == [str(winner)]
        assert {site["account_id"] for site in held(phone, "site")} == {str(winner)}
    assert healthy()
    undone(made)
    rita.sync()
    assert rita.names() == {"Bakery", "Bakery Öhri"}
    assert [visit["account_id"] for visit in held(rita, "visit")] == [str(loser)]
    assert healthy()


def test_a_visit_at_a_site_that_was_folded_away_is_shown_at_the_one_that_stays(world: World) -> None:
    winner, loser = account(world, "Bakery Öhri", "west"), account(world, "Bakery", "west")
    world.visit(loser, "rita")
    phone = world.phone("rita")
    phone.sync()
    merged(winner, loser, same_place=True)
    phone.sync()
    (site,) = held(phone, "site")
    (visit,) = held(phone, "visit")
    assert (visit["site_id"], visit["account_id"]) == (site["id"], str(winner))


def test_the_winner_reaches_whom_the_losers_site_brings_it_to(world: World) -> None:
    winner, loser = account(world, "Bakery Öhri", "west"), account(world, "Bakery", "east")
    world.visit(loser, "otto")
    otto = world.phone("otto")
    otto.sync()
    merged(winner, loser, same_place=False)
    otto.sync()
    assert otto.names() == {"Bakery Öhri"}
    assert healthy()


def test_what_an_offline_phone_says_of_the_loser_goes_to_the_winner(world: World) -> None:
    winner, loser = account(world, "Bakery Öhri", "west"), account(world, "Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    (site,) = (site["id"] for site in held(phone, "site") if site["account_id"] == str(loser))
    merged(winner, loser, same_place=True)
    visit = uuid4()
    phone.event(loser, visit_id=visit)
    phone.edit("account", loser, phone="2")
    phone.edit("site", UUID(site), opening_hours="Mo-Fr 08:00-12:00")
    assert [verdict["status"] for verdict in phone.push()] == ["applied", "merged", "merged"]
    assert world.sql("select account_id from visit where id = :id", id=visit) == [(winner,)]
    assert world.sql("select phone from account where id = :id", id=winner) == [("2",)]
    hours = world.sql("select opening_hours from site where account_id = :id and deleted_at is null", id=winner)
    assert hours == [("Mo-Fr 08:00-12:00",)]
    assert world.sql("select last_visit_on is not null from account where id = :id", id=winner) == [(True,)]


def test_a_phone_is_told_what_became_of_the_accounts_that_its_forms_are_about(world: World) -> None:
    winner, loser = account(world, "Bakery Öhri", "west"), account(world, "Bakery", "west")
    rita, otto = world.phone("rita"), world.phone("otto")
    asked = [str(loser), str(winner), str(uuid4())]
    assert rita.hello(accounts=asked)["merged"] == {}
    made = merged(winner, loser, same_place=True)
    assert rita.hello(accounts=asked)["merged"] == {str(loser): str(winner)}
    assert otto.hello(accounts=asked)["merged"] == {}, "what he may not see"
    assert "merged" not in rita.hello()
    undone(made)
    assert rita.hello(accounts=asked)["merged"] == {}


def test_a_phone_that_deletes_the_loser_does_not_delete_the_winner(world: World) -> None:
    winner, loser = account(world, "Bakery Öhri", "west"), account(world, "Bakery", "west")
    phone = world.phone("mona")
    phone.sync()
    merged(winner, loser)
    phone.save("delete", "account", loser, base_rev=99)
    assert [verdict["status"] for verdict in phone.push()] == ["conflict"]
    assert world.sql("select count(*) from account where deleted_at is not null") == [(0,)]
