"""Counting: every firm once, at every resolution, and only what changed is touched."""

from collections.abc import Callable

import h3
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.density import coarser, count_cells, penetration
from geo.types import LonLat
from server.accounts.models import Account, Site
from server.density import queries, service
from server.density.counting import COARSEST, FINEST
from server.density.models import DensityCell, DensityCustomer
from server.regions.models import Prospect, Region

Customer = Callable[..., Site]
HERE = LonLat(-6.0, 46.0)
FAR = LonLat(-6.03, 46.03)


def _points(session: Session) -> list[LonLat]:
    rows = session.execute(select(func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)))
    return [LonLat(lon, lat) for lon, lat in rows]


def _cells(session: Session, resolution: int) -> dict[str, tuple[int, int]]:
    return {h3.int_to_str(c.cell): (c.prospects, c.customers) for c in queries.cells(session, resolution)}


def test_sql_finds_the_same_parents_as_h3(session: Session) -> None:
    cell = h3.latlng_to_cell(46, -6, 10)
    for resolution in range(10):
        found = session.scalar(select(func.h3_parent(h3.str_to_int(cell), resolution)))
        assert found == h3.str_to_int(h3.cell_to_parent(cell, resolution))


def test_prospects_are_counted_at_every_resolution(session: Session, region: Region) -> None:
    assert service.refresh(session)
    points = _points(session)
    for resolution in range(COARSEST, FINEST + 1):
        expected = coarser(count_cells(points, 10), resolution)
        assert _cells(session, resolution) == {cell: (count, 0) for cell, count in expected.items()}


def test_customers_count_once_each_and_only_customers_do(session: Session, region: Region, customer: Customer) -> None:
    customer("Nobody Else Ltd", HERE)
    customer("Somebody Far", FAR)
    customer("Only A Lead", HERE, status="prospect")
    service.refresh(session)
    found = queries.totals(session)
    assert found.customers == 2
    assert found.prospects == len(_points(session))


def test_a_prospect_that_is_a_customer_is_not_counted_twice(
    session: Session, region: Region, customer: Customer
) -> None:
    row = session.execute(select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).limit(1)).one()
    before = len(_points(session))
    customer(f"{row[0].upper()} Ltd.", LonLat(row[1] + 0.0003, row[2]))
    service.refresh(session)
    found = queries.totals(session)
    assert (found.prospects, found.customers) == (before - 1, 1)


def test_penetration_carries_the_interval_of_the_library(session: Session, region: Region, customer: Customer) -> None:
    for number in range(3):
        customer(f"Unlike Anything {number}", HERE)
    service.refresh(session)
    for cell in queries.cells(session, 6):
        expected = penetration(float(cell.customers), float(cell.customers) + cell.prospects)
        assert cell.penetration == pytest.approx(expected.share)
        assert (cell.low, cell.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_a_customer_whose_place_is_unsure_counts_in_parts_that_add_up(session: Session, customer: Customer) -> None:
    sites = [customer(f"Somewhere {number}", FAR) for number in range(3)]
    for site in sites:
        site.uncertainty_m = 1500.0
    service.refresh(session)
    assert queries.totals(session).customers == 3
    for resolution in range(COARSEST, FINEST + 1):
        assert sum(cell.customers for cell in queries.cells(session, resolution)) == 3
    finest = queries.cells(session, FINEST)
    assert len(finest) > 20
    assert max(cell.customers for cell in finest) < 1
    sites[0].uncertainty_m = 5.0
    service.refresh(session)
    assert queries.totals(session).customers == 3
    assert max(cell.customers for cell in queries.cells(session, FINEST)) > 1


def test_nothing_is_counted_twice_when_nothing_has_changed(session: Session, region: Region) -> None:
    assert service.refresh(session)
    assert not service.refresh(session)


def test_a_customer_that_moves_is_counted_in_its_new_place_only(
    session: Session, region: Region, customer: Customer
) -> None:
    site = customer("Moving Ltd", HERE)
    service.refresh(session)
    session.execute(text("update site set pin = ST_Point(-6.03, 46.03, 4326) where id = :id"), {"id": site.id})
    assert service.refresh(session)
    with_customers = [cell for cell, (_, customers) in _cells(session, 9).items() if customers]
    assert with_customers == [h3.latlng_to_cell(FAR.lat, FAR.lon, 9)]


def test_a_customer_that_is_lost_becomes_a_prospect_again(session: Session, region: Region, customer: Customer) -> None:
    row = session.execute(select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).limit(1)).one()
    before = len(_points(session))
    site = customer(row[0], LonLat(row[1], row[2]))
    service.refresh(session)
    session.get_one(Account, site.account_id).status = "former"
    session.flush()
    service.refresh(session)
    found = queries.totals(session)
    assert (found.prospects, found.customers) == (before, 0)
    assert session.scalar(select(func.count()).select_from(DensityCustomer)) == 0


def test_without_a_region_only_customers_are_there(session: Session, customer: Customer) -> None:
    customer("Alone", HERE)
    service.refresh(session)
    (cell,) = queries.cells(session, 8)
    assert (cell.prospects, cell.customers, cell.penetration) == (0, 1, 1.0)


def test_cells_disappear_with_their_region(session: Session, region: Region) -> None:
    service.refresh(session)
    session.delete(region)
    session.flush()
    service.refresh(session)
    assert session.scalar(select(func.count()).select_from(DensityCell)) == 0


def test_the_legend_has_rising_breaks(session: Session, region: Region) -> None:
    service.refresh(session)
    found = queries.breaks(session, 8)
    assert found == sorted(set(found))
    assert found
    assert queries.breaks(session, 1) == []


def test_hexagons_get_finer_with_the_zoom() -> None:
    found = [queries.resolution_at(zoom) for zoom in range(23)]
    assert found == sorted(found)
    assert (found[0], found[8], found[12], found[22]) == (3, 5, 8, 9)
