"""After a change of the map only the sites are looked at again that it may concern, and none of these is missed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts import locating, rechecking
from server.accounts.models import Account, Site
from server.geocoding import service as geocoding
from server.geocoding import sources, updating
from server.geocoding.models import Version
from server.geocoding.sources import Wish

STREETS = ("Mill Road", "Oak Lane", "Elm Street", "Frederick Avenue", "Beechwood Drive", "Winters Lane")


def address_file(streets: dict[str, range]) -> str:
    """Streets beside each other with their house numbers."""
    return "LON,LAT,NUMBER,STREET,CITY,POSTCODE,ID\n" + "".join(
        f"{-76.7 + at / 100:.3f},{39.2 + n / 5000:.5f},{n},{street},Catonsville,21228,{street}{n}\n"
        for at, (street, numbers) in enumerate(streets.items())
        for n in numbers
    )


@pytest.fixture
def load(session: Session, tmp_path: Path) -> Callable[[dict[str, range]], Version]:
    """Put streets into the index in place of those that were there."""

    def make(streets: dict[str, range]) -> Version:
        path = tmp_path / "county.csv"
        path.write_text(address_file(streets))
        sources.add(session, [path], Wish("county", "US", "The County", replace_all=True))
        current = updating.settle(session)
        assert current is not None
        return current

    return make


@pytest.fixture
def placed(session: Session, load: Callable[[dict[str, range]], Version]) -> dict[str, Site]:
    """A site at number 6 of every street, one at a street that is not there, placed by the index."""
    load(dict.fromkeys(STREETS, range(1, 21)))
    for street in (*STREETS, "Plutonium Alley"):
        account = Account(name=f"At {street}")
        session.add(account)
        session.flush()
        session.add(Site(account_id=account.id, street=f"6 {street}", city="Catonsville", postcode="21228"))
    session.flush()
    locating.locate(session, locating.pending(session))
    return {str(site.street)[2:]: site for site in session.scalars(select(Site))}


def names(placed: dict[str, Site], found: list[object]) -> set[str]:
    return {street for street, site in placed.items() if site.id in found}


def test_only_sites_at_what_changed_are_looked_at_again_and_unsure_ones_of_the_town(
    session: Session, placed: dict[str, Site], load: Callable[[dict[str, range]], Version]
) -> None:
    current = load({**dict.fromkeys(STREETS, range(1, 21)), "Oak Lane": range(1, 31)})
    assert names(placed, rechecking.concerned(session, current)) == {"Oak Lane", "Plutonium Alley"}


def test_nobody_who_would_be_answered_differently_is_missed(
    session: Session, placed: dict[str, Site], load: Callable[[dict[str, range]], Version]
) -> None:
    streets: dict[str, range] = {**dict.fromkeys(STREETS, range(1, 21)), "Plutonium Alley": range(1, 9)}
    streets["Mill Road"] = range(8, 21)
    streets.pop("Winters Lane")
    current = load(streets)
    questions = [locating.query_of(locating.Waiting.of(site, "")) for site in placed.values()]
    answers = geocoding.locate_many(session, questions)
    differing = {
        street
        for (street, site), answer in zip(placed.items(), answers, strict=True)
        if (site.grade, site.geocode_reason, site.pin_state == "placed")
        != (answer.grade, answer.reason, answer.is_confident)
    }
    assert differing == {"Plutonium Alley", "Mill Road", "Winters Lane"}
    assert differing <= names(placed, rechecking.concerned(session, current)) < set(placed)


def test_pins_set_by_people_are_left_alone(
    session: Session, placed: dict[str, Site], load: Callable[[dict[str, range]], Version]
) -> None:
    placed["Oak Lane"].grade = "manual"
    placed["Elm Street"].grade = "gps_confirmed"
    session.flush()
    current = load({"Mill Road": range(1, 21)})
    found = names(placed, rechecking.concerned(session, current))
    assert not found & {"Oak Lane", "Elm Street"}
    assert "Winters Lane" in found


def test_what_was_followed_up_is_not_looked_at_again(
    session: Session, placed: dict[str, Site], load: Callable[[dict[str, range]], Version]
) -> None:
    current = load({**dict.fromkeys(STREETS, range(1, 21)), "Oak Lane": range(1, 31)})
    updating.followed_up(current)
    session.flush()
    session.execute(text("update geocoding_version set created_at = created_at - interval '2 hours'"))
    session.expire_all()
    later = load({**dict.fromkeys(STREETS, range(1, 21)), "Oak Lane": range(1, 31), "Elm Street": range(1, 41)})
    assert names(placed, rechecking.concerned(session, later)) == {"Elm Street", "Plutonium Alley"}
    assert updating.forget(session) > 0


def test_pins_of_an_unknown_version_are_all_looked_at_again(session: Session, placed: dict[str, Site]) -> None:
    session.execute(text("update site set region_version = 'long ago'"))
    session.execute(text("delete from geocoding_version"))
    current = updating.settle(session)
    assert current is not None
    assert names(placed, rechecking.concerned(session, current)) == set(placed)
