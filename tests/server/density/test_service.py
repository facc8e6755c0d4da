"""Counting: every firm once, at every resolution."""

import io
from collections.abc import Callable
from dataclasses import replace

import h3
import numpy as np
import pytest
from PIL import Image
from shapely.geometry import MultiPolygon, box
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.density import coarser, count_cells, penetration
from geo.types import LonLat
from server.accounts.fields import KIND
from server.accounts.models import Account, Site
from server.density import queries, service, surface
from server.density.counting import COARSEST, FINEST
from server.density.models import DensityCell, DensityCustomer
from server.kit.errors import Invalid
from server.kit.tiles import Tile
from server.regions.models import Prospect, Region
from server.territories import service as territories

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


def test_a_site_that_went_to_another_account_is_counted_anew_whatever_their_revisions_add_up_to(
    session: Session, region: Region, customer: Customer
) -> None:
    stays, goes = customer("Nobody Else Ltd", HERE), customer("Somebody Far", FAR)
    session.execute(text("update account set note = 'edited' where id = :id"), {"id": goes.account_id})
    service.refresh(session)
    both = text("select a.rev + s.rev from site s join account a on a.id = s.account_id where s.id = :id")
    before = session.scalar(both, {"id": goes.id}), session.get_one(DensityCustomer, goes.id).rev
    move = text("update site set account_id = :to, is_main = false where id = :id")
    session.execute(move, {"to": stays.account_id, "id": goes.id})
    session.expire_all()
    assert session.scalar(both, {"id": goes.id}) == before[0]
    service.refresh(session)
    session.expire_all()
    assert session.get_one(DensityCustomer, goes.id).rev != before[1]


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
    found = queries.classes(session)["prospects"][8].bounds
    assert found == sorted(set(found))
    assert found
    assert queries.classes(session)["prospects"].get(1) is None


def test_hexagons_get_finer_with_the_zoom() -> None:
    found = [queries.resolution_at(zoom) for zoom in range(23)]
    assert found == sorted(found)
    assert (found[0], found[8], found[12], found[22]) == (3, 5, 8, 9)


def test_expected_and_found_agree_over_the_whole_market(session: Session, region: Region, customer: Customer) -> None:
    row = session.execute(select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).limit(1)).one()
    customer(row[0], LonLat(row[1], row[2]))
    for number in range(4):
        customer(f"Nobody Knows {number}", HERE)
    service.refresh(session)
    cells = queries.cells(session, COARSEST)
    assert sum(cell.expected for cell in cells) == pytest.approx(5, rel=0.05)
    assert all(cell.variance <= cell.expected for cell in cells)


def test_rates_and_values_are_learned_as_soon_as_there_are_customers(
    session: Session, region: Region, customer: Customer
) -> None:
    service.refresh(session)
    assert queries.usual(session).rate == 0
    rows = session.execute(select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).limit(3)).all()
    sites = [customer(name, LonLat(lon, lat), yearly_value=9000, currency="EUR") for name, lon, lat in rows]
    service.refresh(session)
    found = queries.usual(session)
    assert found.rate > 0
    assert found.value == 9000
    session.get_one(Account, sites[0].account_id).yearly_value = 9300
    session.flush()
    service.refresh(session)
    assert queries.usual(session).value == 9000
    service.refresh(session, by_hand=True)
    assert queries.usual(session).value == 9100


def test_cells_lie_in_the_smallest_territory_over_their_middle(session: Session, region: Region) -> None:
    service.refresh(session)
    finest = select(DensityCell.territory_id).where(DensityCell.resolution == FINEST).distinct()
    assert set(session.scalars(finest)) == {None}
    wide = territories.create(session, name="Wide", area=MultiPolygon([box(-7, 45, -5, 47)]))
    narrow = territories.create(session, name="Narrow", area=MultiPolygon([box(-6.005, 45.99, -5.99, 46.01)]))
    assert service.refresh(session)
    assert set(session.scalars(finest)) == {wide.id, narrow.id}
    assert not service.refresh(session)


def test_tiles_of_a_kind_hold_that_kind_only(session: Session, region: Region) -> None:
    service.refresh(session)
    kinds = queries.kinds(session)
    trades = queries.trades_of(session, kinds[0].kind)
    level = queries.cells(session, COARSEST)
    count = text("select sum(prospects) from density_count_now where trade_id = any(:trades) and (cell >> 52) & 15 = 3")
    assert session.scalar(count, {"trades": trades}) == kinds[0].firms < sum(cell.prospects for cell in level)
    body = queries.density_tile(session, queries.EVERYTHING, Tile(12, 1979, 1457), trades=trades)
    assert b"prospects" in body
    with pytest.raises(Invalid, match="no kind of firm"):
        queries.trades_of(session, "shop=unicorn")


def test_a_surface_is_a_picture_whose_middle_lies_where_the_firms_are(session: Session, region: Region) -> None:
    service.refresh(session)
    asked = {"of": surface.Of.PROSPECTS, "bandwidth_m": 1000.0}
    there = surface.picture(session, queries.EVERYTHING, Tile(12, 1979, 1457), **asked)
    nowhere = surface.picture(session, queries.EVERYTHING, Tile(12, 100, 100), **asked)
    assert there[:8] == nowhere[:8] == b"\x89PNG\r\n\x1a\n"
    assert np.asarray(Image.open(io.BytesIO(there))).max() >= 3
    assert np.asarray(Image.open(io.BytesIO(nowhere))).max() == 0


def _kind_of(session: Session, site: Site) -> str | None:
    return session.scalar(select(KIND).where(Account.id == site.account_id))


def test_a_customers_kind_is_what_people_say_else_the_maps_else_what_its_name_tells(
    session: Session, region: Region, customer: Customer
) -> None:
    name, lon, lat, kind = session.execute(
        select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin), Prospect.kind).limit(1)
    ).one()
    on_the_map = customer(name, LonLat(lon, lat))
    told, said, nothing = (
        customer("Dorfapotheke Hoop", FAR), customer("Hotel Post", FAR, kind="shop=wine"), customer("Nigg AG", FAR)
    )  # fmt: skip
    service.refresh(session)
    assert [_kind_of(session, one) for one in (on_the_map, told, said, nothing)] == [
        kind, "amenity=pharmacy", "shop=wine", None
    ]  # fmt: skip
    assert queries.totals(session, trades=queries.trades_of(session, "shop=wine")).customers == 1
    assert queries.totals(session, trades=queries.trades_of(session, "amenity=pharmacy")).unknown == 1

    session.get_one(Account, on_the_map.account_id).kind = "shop=wine"
    session.get_one(Account, said.account_id).status = "former"
    session.flush()
    service.refresh(session)
    step = {one.kind: (one.firms, one.customers) for one in queries.kinds(session)}
    assert queries.totals(session, trades=queries.trades_of(session, "shop=wine")).customers == 1
    of_its_kind = queries.totals(session, trades=queries.trades_of(session, kind))
    service.refresh(session, by_hand=True)
    session.execute(text("update density_state set inputs = ''"))
    service.refresh(session)
    assert queries.totals(session, trades=queries.trades_of(session, kind)) == replace(
        of_its_kind, refreshed_at=queries.totals(session).refreshed_at
    )
    session.get_one(Account, on_the_map.account_id).status = "former"
    session.flush()
    service.refresh(session)
    freed = queries.totals(session, trades=queries.trades_of(session, kind))
    assert (freed.prospects, freed.customers) == (of_its_kind.prospects + 1, 0)
    assert step["shop=wine"][1] == 1
