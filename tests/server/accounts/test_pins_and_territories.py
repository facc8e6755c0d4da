"""A pin that is placed while a territory changes lies in the territory of afterwards."""

from datetime import date
from uuid import UUID

import pytest
from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from geo.geocode.types import Answer, Reason
from geo.types import Grade, LonLat
from server.accounts import locating, places
from server.accounts.duplicates import merging
from server.accounts.duplicates.merging import MergeWish
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import align_accounts, set_by_answers
from server.auth.access import system_scope
from server.balance import service as balance
from server.kit.database import transaction
from tests.server.accounts.reviewing.detecting import add_country
from tests.server.at_once import overlapping

HERE = LonLat(9.2, 47.2)


@pytest.fixture
def waiting(empty_database: Engine) -> UUID:
    """A site that waits for its pin; there is no territory yet."""
    with transaction() as session:
        account = Account(name="Bakery", currency="EUR")
        session.add(account)
        session.flush()
        site = Site(account_id=account.id, is_main=True, street="Gasse 1", city="Ort", pin_state=PinState.PENDING)
        session.add(site)
        session.flush()
        return site.id


def place(session: Session) -> None:
    (site,) = locating.pending(session)
    assert locating.held(session, [site]) == {site.id}
    set_by_answers(
        session, {site.id: Answer(HERE, grade=Grade.ROOFTOP, uncertainty_m=10.0, confidence=0.99, reason=Reason.EXACT)}
    )
    align_accounts(session, [site.account_id])


def merge(session: Session) -> None:
    one, other = session.scalars(select(Account.id).order_by(Account.name)).all()
    merging.merge(session, system_scope(), one, other, MergeWish({}))


def test_a_merge_waits_for_no_geocoder_and_a_pin_for_no_dead_lock(waiting: UUID) -> None:
    with transaction() as session:
        twin = Account(name="Bakery too", currency="EUR")
        session.add(twin)
        session.flush()
        session.add(Site(account_id=twin.id, is_main=True, street="Gasse 1", city="Ort", pin_state=PinState.PENDING))
    with transaction() as locating_now, transaction() as merging_now:
        sites = locating.pending(locating_now)  # the geocoder thinks about them while somebody merges
        merging_now.execute(text("set local lock_timeout = '1s'"))
        merge(merging_now)
        merging_now.commit()
        assert locating.held(locating_now, sites) == {waiting}, "the other one is folded away"
    with transaction() as session:
        assert {site.id for site in session.scalars(select(Site).where(Site.deleted_at.is_(None)))} == {waiting}


def draw(session: Session) -> None:
    balance.create(
        session, name="West", area=MultiPolygon([box(9.0, 47.0, 9.5, 47.5)]), members=[], day=date(2026, 1, 1)
    )


@pytest.mark.parametrize("order", [(place, draw), (draw, place)], ids=["pin_first", "territory_first"])
def test_a_pin_placed_while_a_territory_is_drawn_lies_in_it(waiting: UUID, order: tuple) -> None:
    came = overlapping(*order)
    assert not isinstance(came, Exception), came
    with transaction() as session:
        site, account = session.execute(select(Site, Account).join(Account, Account.id == Site.account_id)).one()
        assert site.id == waiting
        assert site.territory_id is not None
        assert account.territory_id == site.territory_id


def test_a_country_without_a_map_gets_no_pin_from_another_one(session: Session) -> None:
    add_country(session)
    addresses: dict[str, tuple[str, str, str | None]] = {
        "as it is": ("01234", "Seestadt", "DE"),
        "another country's town": ("8001", "Zürich", "CH"),
        "the same, no country": ("8001", "Zürich", None),
        "the country is wrong": ("01234", "Seestadt", "CH"),
    }
    for name, (postcode, city, country) in addresses.items():
        account = Account(name=name)
        session.add(account)
        session.flush()
        address = {"street": "Hauptstrasse 5", "postcode": postcode, "city": city, "country": country}
        places.add_sites(session, account, [places.new_site(session, address)])
    locating.locate(session, locating.pending(session))
    session.expire_all()
    rows = session.execute(select(Account.name, Site).join(Site, Site.account_id == Account.id))
    found = {name: (site.pin is not None, site.pin_state, site.geocode_reason) for name, site in rows}
    assert found == {
        "as it is": (True, "placed", "exact"),
        "another country's town": (False, "failed", "other_country"),
        "the same, no country": (True, "review", "place_contradicts"),
        "the country is wrong": (True, "placed", "exact"),
    }
