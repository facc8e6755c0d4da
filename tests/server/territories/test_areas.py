"""Areas of territories: what is accepted, mended and refused."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.kit.errors import Conflict, Invalid
from server.territories import queries, service

SQUARE: dict[str, Any] = {"type": "Polygon", "coordinates": [[[9, 47], [10, 47], [10, 48], [9, 48], [9, 47]]]}
BOW_TIE: dict[str, Any] = {"type": "Polygon", "coordinates": [[[9, 47], [10, 48], [10, 47], [9, 48], [9, 47]]]}


def test_an_outline_that_crosses_itself_is_mended() -> None:
    area = service.area_of(BOW_TIE, name="North")
    assert area.is_valid
    assert area.area == pytest.approx(0.5)


@pytest.mark.parametrize(
    "outline",
    [
        {"type": "Point", "coordinates": [9, 47]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[47, 190], [48, 190], [48, 191], [47, 190]]]},
        {"type": "Nonsense"},
        {},
    ],
)
def test_what_is_no_area_is_refused_by_name(outline: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="North"):
        service.area_of(outline, name="North")


def test_an_outline_of_the_most_corners_is_taken_and_one_more_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_VERTICES", 4)
    ring = SQUARE["coordinates"][0]
    assert len(ring) == 5, "four corners, and the first one again"
    assert not service.area_of(SQUARE, name="North").is_empty
    middle = [(ring[0][0] + ring[1][0]) / 2, ring[0][1]]
    with pytest.raises(Invalid, match="more than 4 corners"):
        service.area_of({"type": "Polygon", "coordinates": [[ring[0], middle, *ring[1:]]]}, name="North")


def test_a_point_belongs_to_the_smallest_territory_that_covers_it(session: Session) -> None:
    big = service.create(session, name="Region", area=service.area_of(SQUARE, name="Region"))
    small_outline = {"type": "Polygon", "coordinates": [[[9, 47], [9.5, 47], [9.5, 47.5], [9, 47.5], [9, 47]]]}
    small = service.create(session, name="South", area=service.area_of(small_outline, name="South"), parent_id=big.id)
    assert queries.covering(session, LonLat(9.2, 47.2)) == small.id
    assert queries.covering(session, LonLat(9.8, 47.8)) == big.id
    assert queries.covering(session, LonLat(0, 0)) is None


def test_two_territories_cannot_share_a_name(session: Session) -> None:
    service.create(session, name="North", area=service.area_of(SQUARE, name="North"))
    with pytest.raises(Conflict, match="North"):
        service.create(session, name=" North ", area=service.area_of(SQUARE, name="North"))


def test_overlaps_are_reported_but_not_those_of_parent_and_child(session: Session) -> None:
    one = service.create(session, name="One", area=service.area_of(SQUARE, name="One"))
    service.create(session, name="Two", area=service.area_of(SQUARE, name="Two"))
    service.create(session, name="Child", area=service.area_of(SQUARE, name="Child"), parent_id=one.id)
    pairs = {frozenset((overlap.one, overlap.other)) for overlap in queries.overlaps(session)}
    assert pairs == {frozenset(("One", "Two")), frozenset(("Two", "Child"))}


def test_a_territory_cannot_become_its_own_ancestor(session: Session) -> None:
    top = service.create(session, name="Top", area=service.area_of(SQUARE, name="Top"))
    below = service.create(session, name="Below", area=service.area_of(SQUARE, name="Below"), parent_id=top.id)
    with pytest.raises(Conflict):
        service.change(session, top.id, {"parent_id": below.id})


def test_members_have_dates_and_a_history(session: Session, make_user: Any) -> None:
    rita, otto = make_user("rita"), make_user("otto")
    north = service.create(session, name="North", area=service.area_of(SQUARE, name="North"))
    service.set_members(session, north.id, [rita.id], day=date(2026, 1, 1))
    service.set_members(session, north.id, [otto.id], day=date(2026, 6, 1))

    def worked_by(user: Any, day: date) -> bool:
        return north.id in set(session.scalars(queries.of_member(user.id, day)))

    assert worked_by(rita, date(2026, 5, 31))
    assert not worked_by(rita, date(2026, 6, 1))
    assert worked_by(otto, date(2026, 6, 1))
    assert not worked_by(otto, date(2026, 5, 31))
