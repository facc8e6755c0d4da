"""The address index of regions and files in a real database."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery, Reason
from geo.types import Grade, LonLat
from server.geocoding import service
from server.geocoding.errors import NoAddresses
from server.geocoding.models import AddressEntry
from server.regions import service as regions
from server.regions.models import Region


def known(session: Session) -> Sequence[Row[tuple[str, str, str, str, float, float]]]:
    return session.execute(
        text(
            "select number, street, postcode, city, ST_X(point) as lon, ST_Y(point) as lat from region_address"
            " where postcode <> '' order by id limit 400"
        )
    ).all()


def test_every_address_of_a_region_finds_itself(session: Session, region: Region) -> None:
    rows = known(session)
    asked = [AddressQuery(street=f"{r.street} {r.number}", postcode=r.postcode, city=r.city) for r in rows]
    asked += [AddressQuery(query=f"{r.street} {r.number}, {r.postcode} {r.city}") for r in rows]
    assert len(rows) > 50
    for answer, row in zip(service.locate_many(session, asked), [*rows, *rows], strict=True):
        assert (answer.street, answer.number) == (row.street, row.number)
        assert answer.is_confident
        assert answer.grade is Grade.ROOFTOP


def test_an_invented_street_is_not_placed_with_confidence(session: Session, region: Region) -> None:
    row = known(session)[0]
    answer = service.locate(session, AddressQuery(query=f"Plutoniumquarzgasse 12, {row.postcode} {row.city}"))
    assert not answer.is_confident


def test_reverse_names_the_nearest_house(session: Session, region: Region) -> None:
    row = known(session)[7]
    answer = service.reverse(session, LonLat(row.lon, row.lat))
    assert (answer.number, answer.street, answer.reason) == (row.number, row.street, Reason.REVERSE)
    assert answer.uncertainty_m == 0


def test_a_point_in_a_batch_is_asked_in_reverse(session: Session, region: Region) -> None:
    row = known(session)[7]
    forth = AddressQuery(street=f"{row.street} {row.number}", postcode=row.postcode, city=row.city)
    back = AddressQuery(query=f"{row.lat},{row.lon}")
    answers = service.locate_many(session, [back, forth, back])
    assert [a.number for a in answers] == [row.number] * 3
    assert [a.reason for a in answers] == [Reason.REVERSE, Reason.EXACT, Reason.REVERSE]


def test_without_any_source_the_remedy_is_named(session: Session) -> None:
    with pytest.raises(NoAddresses) as error:
        service.locate(session, AddressQuery(query="Landstrasse 1"))
    assert "waymark region add" in error.value.help


def test_a_region_that_is_not_in_service_is_not_asked(session: Session, region: Region) -> None:
    region.state = "building"
    session.flush()
    with pytest.raises(NoAddresses):
        service.locate(session, AddressQuery(query="Landstrasse 1"))


def test_building_twice_changes_nothing(session: Session, region: Region) -> None:
    row = known(session)[3]
    query = AddressQuery(street=f"{row.street} {row.number}", postcode=row.postcode, city=row.city)
    count = session.scalar(select(func.count()).select_from(AddressEntry))
    before = service.locate(session, query)
    service.build_index(session, region.id)
    after = service.locate(session, query)
    assert session.scalar(select(func.count()).select_from(AddressEntry)) == count
    assert (after.point, after.confidence) == (before.point, before.confidence)


def test_the_index_goes_with_its_region(session: Session, region: Region) -> None:
    regions.remove(session, "demo")
    assert session.scalar(select(func.count()).select_from(AddressEntry)) == 0
