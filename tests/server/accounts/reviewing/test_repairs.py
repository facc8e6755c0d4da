"""Each detector in a small country, checked by hand; previews, choices, repairs and their undo."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import locating, places, site_changes
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.accounts.place_models import RepairRun
from server.accounts.reviewing import desk, repair_rows, repairing, repairs
from server.accounts.reviewing.detectors import DETECTORS
from server.auth.access import Scope
from server.auth.models import Role, User
from server.kit.errors import Conflict, NotFound
from server.records.service import Actor, acting
from server.territories import service as territories
from server.territories.models import Territory
from tests.server.accounts.reviewing.detecting import add_country, house

type Add = Callable[..., Site]
GOOD: dict[str, str] = {"street": "Hauptstrasse 10", "postcode": "01234", "city": "Seestadt", "country": "DE"}


@pytest.fixture(autouse=True)
def country(session: Session) -> None:
    add_country(session)


@pytest.fixture
def admin(ada: User, scope: Callable[[User], Scope]) -> Scope:
    return scope(ada)


@pytest.fixture
def add(session: Session) -> Add:
    """Store a site as an import leaves it: `add("Amann", at=(9.1, 47.1), street="Hauptstrasse 1")`."""

    def make(name: str, at: tuple[float, float] | None = None, grade: str = "given", **address: str | None) -> Site:
        account = Account(name=name)
        session.add(account)
        session.flush()
        site = Site(account_id=account.id, is_main=True, **{**GOOD, **address})
        if at is not None:
            site.pin, site.pin_state, site.grade, site.provider = wkt(LonLat(*at)), "placed", grade, "import"
        session.add(site)
        session.flush()
        if at is None:
            locating.locate(session, [locating.Waiting.of(site, name)])
        session.refresh(site)
        return site

    return make


def found(session: Session, scope: Scope, name: str) -> tuple[RepairRun, list[repair_rows.RepairRow]]:
    run = repairing.look(session, scope, name)
    return run, repair_rows.rows(session, run.id)


def point(session: Session, site: Site) -> tuple[float, float]:
    session.flush()
    x, y = session.execute(text("select st_x(pin), st_y(pin) from site where id = :id"), {"id": site.id}).one()
    return round(x, 6), round(y, 6)


def state(session: Session, site: Site) -> dict[str, Any]:
    from server.accounts.site_changes import snapshot

    return snapshot(session, site.id)


def test_every_detector_finds_nothing_wrong_with_good_places(session: Session, admin: Scope, add: Add) -> None:
    for number in range(1, 8):
        add(f"Good {number}", street=f"Hauptstrasse {number}")
    assert repairs.suspects(session, admin, list(DETECTORS)) == dict.fromkeys(DETECTORS, 0)


def test_a_postcode_that_lost_its_zero_gets_it_back(session: Session, admin: Scope, add: Add) -> None:
    lost = add("Lost", postcode="1234")
    add("Another country's", postcode="1234", country="AT")
    add("Not one of the map", postcode="9876")
    run, rows = found(session, admin, "lost_zero")
    assert [(row.name, row.after["postcode"]) for row in rows] == [("Lost", "01234")]
    assert rows[0].why == {
        "text": "{written} has {digits} digits; postcodes of {country} have {right}, and {code} is one",
        "written": "1234", "digits": 4, "country": "DE", "right": 5, "code": "01234",
    }  # fmt: skip
    repairing.apply(session, admin, run)
    session.refresh(lost)
    assert (lost.postcode, lost.pin_state, lost.grade) == ("01234", "placed", "rooftop")


def test_all_the_zeros_that_a_spreadsheet_took_come_back(session: Session, admin: Scope, add: Add) -> None:
    session.execute(text("update geocoding_street set postcodes = '{00123}'"))
    add("Lost two", at=tuple(house(10)), postcode="123")
    _, rows = found(session, admin, "lost_zero")
    assert [(row.after["postcode"], row.why and row.why["digits"]) for row in rows] == [("00123", 3)]


def test_city_and_postcode_go_back_into_their_columns(session: Session, admin: Scope, add: Add) -> None:
    swapped = add("Swapped", postcode="Seestadt", city="01234")
    together = add("Together", postcode=None, city="01234 Seestadt")
    behind = add("Both as postcode", postcode="01234 Seestadt", city=None)
    twice = add("City twice", postcode="DE-01234 Seestadt", city="Seestadt")
    add("Another city", postcode="01234 Seestadt", city="Bergstadt")
    run, rows = found(session, admin, "wrong_columns")
    assert {row.name for row in rows} == {"Swapped", "Together", "Both as postcode", "City twice"}
    repairing.apply(session, admin, run)
    for site in (swapped, together, behind, twice):
        session.refresh(site)
        assert (site.postcode, site.city, site.grade) == ("01234", "Seestadt", "rooftop")


def test_street_and_city_that_are_exchanged_go_back_into_their_columns(
    session: Session, admin: Scope, add: Add
) -> None:
    swapped = add("Swapped", street="Seestadt", city="Hauptstrasse 10")
    front = add("Number in front", street="Seestadt", city="10 Hauptstrasse")
    own = add("Number of its own column", street="Seestadt 10", city="Hauptstrasse")
    add("A city of another name", street="Bergstadt", city="Hauptstrasse 10")
    add("Nor with a number", street="Bergstadt 10", city="Hauptstrasse")
    add("As it should be", street="Hauptstrasse 10", city="Seestadt")
    before = state(session, swapped)
    run, rows = found(session, admin, "street_and_city")
    assert {row.name for row in rows} == {"Swapped", "Number in front", "Number of its own column"}
    repairing.apply(session, admin, run)
    session.refresh(swapped)
    session.refresh(own)
    assert (own.street, own.city, point(session, own)) == ("Hauptstrasse 10", "Seestadt", tuple(house(10)))
    session.refresh(front)
    assert (swapped.street, swapped.city, swapped.grade) == ("Hauptstrasse 10", "Seestadt", "rooftop")
    assert point(session, front) == tuple(house(10))
    repairs.undo(session, admin, run)
    session.refresh(swapped)
    assert state(session, swapped) == before


def test_a_house_number_in_another_column_goes_behind_its_street(session: Session, admin: Scope, add: Add) -> None:
    behind = add("Behind the city", street="Hauptstrasse", city="Seestadt 10")
    front = add("In front of it", street="Hauptstrasse", city="10 Seestadt")
    shifted = add("One column too far", street="Hauptstrasse", postcode="10", city="01234 Seestadt")
    add("Has one", street="Hauptstrasse 11", city="Seestadt 10")
    add("Unknown street", street="Nirgendweg", city="Seestadt 10")
    run, rows = found(session, admin, "number_elsewhere")
    assert {row.name for row in rows} == {"Behind the city", "In front of it", "One column too far"}
    assert sum("postcode" in (row.why or {}) for row in rows) == 1
    repairing.apply(session, admin, run)
    for site in (behind, front, shifted):
        session.refresh(site)
        assert (site.street, site.postcode, site.city) == ("Hauptstrasse 10", "01234", "Seestadt")
        assert point(session, site) == tuple(house(10))


def test_a_missing_country_is_that_of_all_others(session: Session, admin: Scope, add: Add) -> None:
    silent = add("Silent", country=None)
    assert found(session, admin, "country_missing")[1] == []
    for number in range(1, 21):
        add(f"Known {number}", street=f"Hauptstrasse {number}")
    before = point(session, silent)
    run, rows = found(session, admin, "country_missing")
    assert [(row.name, row.after) for row in rows] == [("Silent", {"country": "DE"})]
    repairing.apply(session, admin, run)
    session.refresh(silent)
    assert (silent.country, silent.pin_state, point(session, silent)) == ("DE", "placed", before)


def test_swapped_latitude_and_longitude_are_exchanged(session: Session, admin: Scope, add: Add) -> None:
    swapped = add("Swapped", at=(47.1, 9.1))
    add("Elsewhere for good", at=(12.0, 50.0))
    run, rows = found(session, admin, "swapped_point")
    assert [row.name for row in rows] == ["Swapped"]
    repairing.apply(session, admin, run)
    assert point(session, swapped) == (9.1, 47.1)


def test_a_pile_on_one_point_is_located_from_the_addresses(session: Session, admin: Scope, add: Add) -> None:
    pile = [add(f"Pile {n}", at=(9.2, 47.15), street=f"Hauptstrasse {n}") for n in range(1, 6)]
    lost = add("Unknown address", at=(9.2, 47.15), street="Nirgendweg 3", city="Atlantis", postcode=None)
    one_house = [add(f"Same house {n}", at=(9.25, 47.15)) for n in range(6)]
    written = ("Hauptstrasse 20", "HAUPTSTRASSE 20", "c/o Treuhand, Hauptstrasse 20", "Hauptstrasse 21", "Hauptstr. 19")
    for street in written:
        add(f"One door: {street}", at=tuple(house(20)), street=street)
    assert repairs.suspects(session, admin, ["stacked"]) == {"stacked": 6}, "what the search finds, and not the door"
    run, rows = found(session, admin, "stacked")
    assert {row.name: row.verb for row in rows} == {f"Pile {n}": "locate" for n in range(1, 6)} | {
        "Unknown address": "ask"
    }
    repairing.apply(session, admin, run)
    assert [point(session, site) for site in pile] == [tuple(house(n)) for n in range(1, 6)]
    session.refresh(lost)
    assert (lost.pin_state, lost.geocode_reason, point(session, lost)) == ("review", "stacked", (9.2, 47.15))
    assert {point(session, site) for site in one_house} == {(9.25, 47.15)}


def test_pins_in_the_lake_and_in_the_sea_come_ashore(session: Session, admin: Scope, add: Add) -> None:
    add("Lake", at=(9.05, 47.05))
    add("Sea", at=(9.35, 47.1))
    add("Shore", at=(9.07, 47.05))
    add("Anchored by hand", at=(9.05, 47.05), grade="manual")
    run, rows = found(session, admin, "in_water")
    assert {row.name: row.why["text"][:10] for row in rows if row.why} == {"Lake": "in the wat", "Sea": "in the sea"}
    repairing.apply(session, admin, run)
    assert repairs.suspects(session, admin, ["in_water"]) == {"in_water": 0}


def test_a_pin_outside_the_country_of_its_address_comes_home(session: Session, admin: Scope, add: Add) -> None:
    abroad = add("Abroad", at=(10.0, 48.0))
    add("Foreigner at home", at=(16.37, 48.21), country="AT")
    foreigner = add("Foreigner here", at=(9.1, 47.1), country="AT")
    run, rows = found(session, admin, "outside_country")
    assert {row.name: row.verb for row in rows} == {"Abroad": "locate", "Foreigner here": "ask"}
    repairing.apply(session, admin, run)
    assert point(session, abroad) == tuple(house(10))
    session.refresh(foreigner)
    assert foreigner.pin_state == "review"


def test_a_pin_outside_the_land_of_the_map_is_found(session: Session, admin: Scope, add: Add) -> None:
    add("Off the map", at=(9.6, 47.1), country=None)
    add("On it", at=(9.2, 47.1), country=None)
    add("Far abroad", at=(16.37, 48.21), country="AT")
    add("Abroad without saying so", at=(16.37, 48.21), country=None, postcode="1070", city="Wien")
    assert [row.name for row in found(session, admin, "outside_land")[1]] == ["Off the map"]


def test_without_a_border_a_pin_off_the_map_moves_only_to_a_sure_address(
    session: Session, admin: Scope, add: Add
) -> None:
    session.execute(text("update region_place set area = null"))
    lost = add("Null island", at=(0.0, 0.0))
    add("Another street of a town of that name", at=(12.0, 53.0), street="Nirgendweg 3")
    add("A country to fill in", at=(12.0, 53.0), country=None, postcode="99999", city="Irgendwo")
    run, rows = found(session, admin, "outside_map")
    assert [(row.name, row.verb) for row in rows] == [("Null island", "locate")]
    repairing.apply(session, admin, run)
    assert point(session, lost) == tuple(house(10))


def test_only_chosen_rows_are_repaired_and_undo_puts_them_back_exactly(
    session: Session, admin: Scope, add: Add
) -> None:
    sites = [add(f"Lost {n}", street=f"Hauptstrasse {n}", postcode="1234") for n in range(1, 5)]
    before = [state(session, site) for site in sites]
    run, _ = found(session, admin, "lost_zero")
    repairs.choose(session, run, [sites[0].id], is_chosen=False)
    repairing.apply(session, admin, run)
    assert state(session, sites[0]) == before[0]
    assert [state(session, site)["postcode"] for site in sites[1:]] == ["01234"] * 3
    assert repair_rows.counts(session, run.id) == {"left_out": 1, "done": 3}
    assert repairs.undo(session, admin, run) == 3
    assert [state(session, site) for site in sites] == before
    with pytest.raises(Conflict):
        repairs.undo(session, admin, run)


def test_what_somebody_changed_after_the_preview_is_passed_over(session: Session, admin: Scope, add: Add) -> None:
    moved, same = add("Moved on", postcode="1234"), add("Same", postcode="1234")
    run, _ = found(session, admin, "lost_zero")
    places.edit_site(session, admin, moved.id, moved.rev, {"city": "Bergstadt"})
    repairing.apply(session, admin, run)
    session.refresh(moved)
    session.refresh(same)
    assert (moved.postcode, same.postcode) == ("1234", "01234")
    assert repair_rows.counts(session, run.id) == {"passed": 1, "done": 1}


def test_undo_keeps_and_names_what_somebody_changed_since(session: Session, admin: Scope, add: Add, ada: User) -> None:
    acting(session, admin.actor)
    edited, same = add("Edited", postcode="1234"), add("Same", postcode="1234", street="Hauptstrasse 3")
    run, _ = found(session, admin, "lost_zero")
    repairing.apply(session, admin, run)
    acting(session, admin.actor)
    session.refresh(edited)
    places.edit_site(session, admin, edited.id, edited.rev, {"street": "Hauptstrasse 12"})
    assert repairs.undo(session, admin, run) == 1
    session.refresh(edited)
    session.refresh(same)
    assert (edited.street, edited.postcode, same.postcode) == ("Hauptstrasse 12", "01234", "1234")
    later = site_changes.changed_later(session, "c.run_id = :run", {"run": run.id})
    assert [(one.account, one.by) for one in later] == [("Edited", "Ada")]
    assert "street" in later[0].fields


def test_the_territory_follows_a_repair_and_its_undo(
    session: Session, admin: Scope, add: Add, west: Territory, east: Territory
) -> None:
    site = add("Swapped", at=(47.1, 9.2))
    run, _ = found(session, admin, "swapped_point")
    repairing.apply(session, admin, run)
    session.refresh(site)
    assert site.territory_id == west.id
    repairs.undo(session, admin, run)
    session.refresh(site)
    assert site.territory_id is None


def test_a_stranger_is_refused(client_for: Callable[[User | None], TestClient]) -> None:
    client = client_for(None)
    for path in ("/api/v1/repairs", "/api/v1/repairs/detectors"):
        assert client.get(path).status_code == 401


def test_the_repair_of_somebody_else_and_accounts_out_of_reach_are_not_there(
    session: Session, client_for: Callable[[User | None], TestClient], make_user: Callable[..., User],
    scope: Callable[[User], Scope], admin: Scope, add: Add, west: Territory,
) -> None:  # fmt: skip
    lost = add("Lost", postcode="1234")
    run, _ = found(session, admin, "lost_zero")
    mona, otto = make_user("mona", Role.MANAGER), make_user("otto", Role.REP)
    territories.set_members(session, west.id, [otto.id], day=date(2020, 1, 1))
    client = client_for(mona)
    assert client.get(f"/api/v1/repairs/{run.id}").status_code == 404
    assert client.post(f"/api/v1/repairs/{run.id}/apply").status_code == 404
    assert lost.account_id is not None
    assert session.get_one(Account, lost.account_id).territory_id == west.id
    answer = client.post("/api/v1/repairs", json={"detector": "lost_zero"})
    assert (answer.status_code, answer.json()["found"]) == (201, 0)
    with pytest.raises(NotFound):
        repairs.find(session, scope(mona), run.id)


def test_the_api_looks_chooses_applies_and_undoes(session: Session, admin_client: TestClient, add: Add) -> None:
    lost, other = add("Lost", postcode="1234"), add("Other", postcode="1234", street="Hauptstrasse 2")
    suspects = {one["name"]: one["suspects"] for one in admin_client.get("/api/v1/repairs/detectors").json()["items"]}
    assert suspects["lost_zero"] == 2
    run = admin_client.post("/api/v1/repairs", json={"detector": "lost_zero"}).json()
    path = f"/api/v1/repairs/{run['id']}"
    assert (run["state"], run["counts"]) == ("ready", {"chosen": 2})
    rows = admin_client.get(f"{path}/rows").json()["items"]
    assert {row["after"]["postcode"] for row in rows} == {"01234"}
    choice = {"site_ids": [str(other.id)], "is_chosen": False}
    assert admin_client.patch(f"{path}/rows", json=choice).json()["counts"] == {"chosen": 1, "left_out": 1}
    assert admin_client.post(f"{path}/apply").json()["counts"]["done"] == 1
    session.refresh(lost)
    assert lost.postcode == "01234"
    assert admin_client.patch(f"{path}/rows", json=choice).status_code == 409
    assert admin_client.post(f"{path}/undo").json()["counts"]["undone"] == 1
    assert admin_client.post("/api/v1/repairs", json={"detector": "nonsense"}).status_code == 404


def test_a_decision_that_was_taken_back_is_in_no_repairs_way_and_a_confirmed_pin_stays(
    session: Session, admin: Scope, add: Add
) -> None:
    acting(session, admin.actor)
    decided, healed = add("Decided", postcode="1234"), add("Healed", postcode="1234", street="Hauptstrasse 3")
    run, _ = found(session, admin, "lost_zero")
    repairing.apply(session, admin, run)
    session.refresh(decided)
    change = desk.decide(session, admin, decided.id, desk.Decision(decided.rev, point=LonLat(9.1, 47.1)))
    desk.undo(session, admin, change.id)
    acting(session, Actor(None, "checkins"))
    session.refresh(healed)
    healed.grade, healed.provider = "gps_confirmed", "checkins"
    session.flush()
    assert repairs.undo(session, admin, run) == 1
    session.refresh(decided)
    session.refresh(healed)
    assert (decided.postcode, healed.postcode, healed.grade) == ("1234", "01234", "gps_confirmed")
    later = site_changes.changed_later(session, "c.run_id = :run", {"run": run.id})
    assert [(one.account, one.by, one.by_checkins) for one in later] == [("Healed", None, True)]
