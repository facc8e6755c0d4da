"""White space: what is nobody's and what nobody visits, in its order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

import h3
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads.straight import StraightLine
from routing.roads.types import Matrix
from server.accounts.models import Account, Site
from server.auth.access import scope_of
from server.auth.models import AccessRole, User
from server.density import firms, lookalikes, queries, reach, service, whitespace
from server.density.counting import FINEST
from server.density.models import DensityCell, DensityTrade
from server.density.whitespace import RESOLUTION, Which, Wish
from server.kit import clock
from server.kit.settings import settings
from server.kit.tiles import Tile
from server.regions.models import Region
from server.roads import service as roads
from server.territories import service as territories
from server.territories.models import Territory
from server.web.white_space import asked
from tests.server.density.conftest import EAST, some

type Clients = Callable[[User | None], TestClient]
type Customer = Callable[..., Site]


def test_nobodys_ground_is_what_no_worked_territory_covers(
    session: Session, market: Region, ada: User, rita: User
) -> None:
    idle = territories.create(session, name="East", area=EAST)
    service.refresh(session)
    found = whitespace.ranked(session, scope_of(session, ada, source="api"), Wish())
    assert found.gaps
    assert {gap.territory_id for gap in found.gaps} == {idle.id}
    assert [gap.per_hour for gap in found.gaps] == sorted((gap.per_hour for gap in found.gaps), reverse=True)
    assert found.by_value
    assert all(gap.rep == rita.name and gap.drive_h and not gap.by_road for gap in found.gaps)
    territories.set_members(session, idle.id, [rita.id], day=date(2020, 1, 1))
    assert not whitespace.ranked(session, scope_of(session, ada, source="api"), Wish()).gaps


def test_the_drive_goes_to_where_most_firms_of_a_hexagon_are_and_not_to_its_middle(
    session: Session, market: Region, ada: User
) -> None:
    service.refresh(session)
    counted = {
        h3.int_to_str(one)
        for one in session.scalars(
            select(DensityCell.cell).where(DensityCell.resolution == FINEST, DensityCell.prospects > 0)
        )
    }
    gaps = whitespace.ranked(session, scope_of(session, ada, source="api"), Wish()).gaps
    assert gaps
    for gap in gaps:
        assert h3.latlng_to_cell(gap.at.lat, gap.at.lon, FINEST) in counted
        assert h3.latlng_to_cell(gap.at.lat, gap.at.lon, RESOLUTION) == gap.cell


def test_all_that_is_listed_is_driven_to_by_road_and_ranked_by_one_measure(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Roads:
        """Twice as long as the straight line, and known."""

        def matrix(self, sources: list[LonLat], targets: list[LonLat]) -> Matrix:
            line = StraightLine().matrix(sources, targets)
            return replace(line, seconds=line.seconds * 2, estimated=np.zeros(line.metres.shape, np.bool_))

    monkeypatch.setattr(roads, "engine", lambda session, points: Roads())
    places = [LonLat(9.5 + number / 500, 47.1) for number in range(250)]
    gaps = [
        whitespace.Gap(h3.latlng_to_cell(at.lat, at.lon, RESOLUTION), at, None, None, 5, value=900.0) for at in places
    ]
    found = whitespace._driven(session, gaps, [(uuid4(), "Rita", 9.5, 47.1)], {}, by_value=True)
    assert len(found) == whitespace.SHOWN
    assert all(gap.by_road for gap in found)
    assert [gap.per_hour for gap in found] == sorted((gap.per_hour for gap in found), reverse=True)


def test_an_owner_covers_the_ground_around_an_account(
    session: Session, market: Region, ada: User, customer: Customer
) -> None:
    scope = scope_of(session, ada, source="api")
    before = whitespace.ranked(session, scope, Wish()).gaps
    customer("Somebody's", before[0].at, owner_id=ada.id)
    after = whitespace.ranked(session, scope, Wish()).gaps
    assert before[0].cell not in {gap.cell for gap in after}
    assert len(after) == len(before) - 1


def test_without_a_start_white_space_is_ranked_by_what_is_to_be_won(
    session: Session, market: Region, ada: User
) -> None:
    found = whitespace.ranked(session, scope_of(session, ada, source="api"), Wish())
    assert not found.has_start
    assert found.gaps[0].drive_h is None
    assert found.gaps[0].per_hour == pytest.approx(found.gaps[0].value)


def test_a_rep_sees_the_own_territory_only_and_hidden_values_stay_hidden(
    session: Session, market: Region, rita: User, ada: User, client_for: Clients
) -> None:
    service.refresh(session)
    east = h3.latlng_to_cell(46.0005, -5.9935, RESOLUTION)
    client = client_for(rita)
    mine = client.get("/api/v1/white-space", params={"which": "unworked"}).json()
    everybodys = client_for(ada).get("/api/v1/white-space").json()
    assert mine["items"]
    assert {item["territory"] for item in mine["items"]} == {"West"}
    assert mine["items"][0]["value"] > 0
    assert not {item["cell"] for item in mine["items"]} & {item["cell"] for item in everybodys["items"]}
    assert client.get(f"/api/v1/density/cells/{east}").status_code == 404
    answer = client.post(
        "/api/v1/white-space/actions", json={"into": "leads", "cells": [everybodys["items"][0]["cell"]]}
    )
    assert answer.status_code == 404
    role = AccessRole(name="blind", base="rep", grants={}, fields={"account.yearly_value": "hidden"})
    session.add(role)
    session.flush()
    rita.access_role_id = role.id
    session.flush()
    blind = client.get("/api/v1/white-space", params={"which": "unworked"}).json()
    assert blind["ranked_by"] == "firms"
    assert {item["value"] for item in blind["items"]} == {None}
    assert "value" not in client.get("/api/v1/density").json()["layer_breaks"]
    assert client.get("/api/v1/white-space/look-alikes").json()["items"] == []
    ranked = client.get("/api/v1/density/cells", params={"figure": "value"})
    assert (ranked.status_code, ranked.json()["field"]) == (403, "figure")
    assert "Where most prospects are" in client.get("/density", params={"figure": "value"}).text


def test_accounts_without_a_visit_count_where_they_lie(
    session: Session, market: Region, ada: User, rita: User, customer: Customer
) -> None:
    at = LonLat(-6.05, 46.05)
    long_ago = clock.today(settings().zone) - timedelta(days=200)
    site = customer("Forgotten Ltd", at, last_visit_on=long_ago, account_class="A")
    site_account = session.get_one(Account, site.account_id)
    site_account.territory_id = session.scalar(select(Territory.id))
    service.refresh(session)
    scope = scope_of(session, ada, source="api")
    cell = h3.latlng_to_cell(at.lat, at.lon, RESOLUTION)
    asked = Wish(Which.UNWORKED, account_class=None, days=90)
    (gap,) = [gap for gap in whitespace.ranked(session, scope, asked).gaps if gap.cell == cell]
    assert (gap.accounts, gap.leads) == (1, 0)
    found = whitespace.ranked(session, scope, Wish(Which.UNWORKED, days=300)).gaps
    assert cell not in {gap.cell for gap in found}


def test_many_prospects_in_one_tile_are_counted_instead(
    session: Session, market: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = Tile(13, 3959, 2914)
    assert b"is_customer" in queries.prospect_tile(session, queries.EVERYTHING, tile)
    monkeypatch.setattr(queries, "MOST_SINGLES", 3)
    assert b"count" in queries.prospect_tile(session, queries.EVERYTHING, tile)
    assert b"is_customer" not in queries.prospect_tile(session, queries.EVERYTHING, tile)


def test_look_alikes_have_reasons_and_are_no_customers(session: Session, market: Region, ada: User) -> None:
    scope = scope_of(session, ada, source="api")
    found = lookalikes.look_alikes(session, scope)
    assert found.best >= found.needed
    kinds = {kind.kind for kind in queries.kinds(session) if kind.customers}
    assert found.alike
    assert {one.kind for one in found.alike} <= kinds
    assert [one.likeness.score for one in found.alike] == sorted(
        (one.likeness.score for one in found.alike), reverse=True
    )


def test_look_alikes_are_silent_with_too_few_customers(session: Session, region: Region, ada: User) -> None:
    service.refresh(session)
    found = lookalikes.look_alikes(session, scope_of(session, ada, source="api"))
    assert (found.alike, found.best) == ([], 0)


@pytest.mark.parametrize("days", ["9" * 5000, "0", "99999"])
def test_days_out_of_range_are_refused_in_words_on_the_page(client_for: Clients, ada: User, days: str) -> None:
    answer = client_for(ada).get("/white-space", params={"which": "unworked", "days": days})
    assert answer.status_code == 200
    assert "no number of days" in answer.text


def test_the_total_leaves_out_what_somebody_owns(
    session: Session, market: Region, ada: User, customer: Customer
) -> None:
    scope = scope_of(session, ada, source="api")
    customer("Somebody's", whitespace.ranked(session, scope, Wish()).gaps[0].at, owner_id=ada.id)
    found = whitespace.ranked(session, scope, Wish())
    assert found.total == len(found.gaps)


def test_without_customers_nothing_is_said_about_chance(
    session: Session, region: Region, ada: User, client_for: Clients
) -> None:
    service.refresh(session)
    cell = session.scalars(select(DensityCell.cell).limit(1)).one()
    text = client_for(ada).get(f"/density/cells/{h3.int_to_str(cell)}").text
    assert "not known" in text
    assert "chance" not in text


def test_too_few_look_alikes_say_how_many_have_values_and_are_known(
    session: Session, region: Region, ada: User, customer: Customer, client_for: Clients
) -> None:
    name, at = some(session, 1)[0]
    for called in (name, "Unknown To Maps", "Unknown As Well"):
        customer(called, at, yearly_value=1000, currency="EUR")
    service.refresh(session)
    found = lookalikes.look_alikes(session, scope_of(session, ada, source="api"))
    assert (found.valued, found.recognised) == (3, 1)
    assert "3 have a value; of 1 of them the kind is known." in client_for(ada).get("/white-space?which=alike").text


@pytest.mark.parametrize("path", ["/api/v1/white-space", "/api/v1/white-space/look-alikes", "/api/v1/density/kinds"])
def test_white_space_is_not_shown_to_strangers(client_for: Clients, path: str) -> None:
    assert client_for(None).get(path).status_code == 401


@pytest.mark.parametrize("format", ["xlsx", "gpkg", "html"])
def test_white_space_is_a_file_with_its_sources(
    client_for: Clients, ada: User, market: Region, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.density.offline.library", lambda *_: "")
    answer = client_for(ada).get("/api/v1/white-space/export", params={"format": format})
    assert answer.status_code == 200
    assert len(answer.content) > 2000
    if format == "html":
        assert b"Made-up data" in answer.content
        assert b"http://" not in answer.content.replace(b"http://www.w3.org", b"")


def test_the_market_by_territory_and_admin_area_adds_up(
    session: Session, market: Region, ada: User, rita: User, client_for: Clients
) -> None:
    service.refresh(session)
    client = client_for(ada)
    (west,) = client.get("/api/v1/density/areas").json()["features"]
    assert west["properties"]["name"] == "West"
    assert west["properties"]["potential"] == west["properties"]["prospects"] + west["properties"]["customers"]
    levels = client.get("/api/v1/density/areas").json()["levels"]
    for level in levels:
        areas = client.get("/api/v1/density/areas", params={"level": level}).json()["features"]
        assert sum(area["properties"]["prospects"] for area in areas) <= queries.totals(session).prospects


def test_the_files_are_asked_for_the_very_kind_whatever_stands_in_it() -> None:
    query = urlencode(asked(Wish(kind="shop=gold;precious&metal")))
    assert parse_qs(query)["kind"] == ["shop=gold;precious&metal"]


def test_tiles_files_and_ranking_hold_of_a_border_hexagon_what_lies_on_the_readers_side(
    session: Session, market: Region, rita: User, ada: User
) -> None:
    service.refresh(session)
    mine, everything = (reach.of(session, scope_of(session, user, source="web")) for user in (rita, ada))
    finest = session.scalar(select(func.sum(DensityCell.prospects)).where(DensityCell.resolution == 9, mine.holds()))
    for level in range(3, 10):
        seen = queries.cells(session, level, mine)
        assert sum(row.prospects for row in seen) == finest, level
        assert all(0 <= row.low <= row.penetration + 1e-9 <= row.high + 2e-9 <= 1 + 3e-9 for row in seen)
        assert sum(row.prospects for row in queries.cells(session, level, everything)) > finest
    assert {firm.id for firm in firms.prospects(session, mine)} < {
        firm.id for firm in firms.prospects(session, everything)
    }
    assert len(firms.prospects(session, mine)) == finest
    gaps = whitespace.ranked(session, scope_of(session, rita, source="web"), Wish(which=Which.UNWORKED)).gaps
    assert sum(gap.prospects for gap in gaps) == finest
    # A tile east of the border: the rep sees no firm in it, whatever is asked for.
    over = Tile(12, 1980, 1457)
    assert queries.prospect_tile(session, everything, over)
    for z in (12, 14, 16):
        east = Tile(z, *(n << (z - 12) for n in over[1:]))
        assert queries.prospect_tile(session, mine, east) == b""
    for tile in (Tile(5, 15, 11), Tile(12, 1979, 1457)):
        counted = queries.density_tile(session, mine, tile, trades=list(session.scalars(select(DensityTrade.id))))
        assert bool(counted) is bool(queries.density_tile(session, mine, tile))


def test_a_territory_that_is_not_there_is_an_error_and_not_everything(
    market: Region, ada: User, client_for: Callable[..., TestClient]
) -> None:
    path = "/api/v1/white-space?territory_id=00000000-0000-7000-8000-000000000000"
    for which in ("unassigned", "unworked"):
        refused = client_for(ada).get(f"{path}&which={which}")
        assert (refused.status_code, refused.json()["detail"]) == (422, "There is no such territory.")


def test_only_the_best_hexagons_leave_the_database_and_those_where_accounts_wait(
    session: Session, market: Region, ada: User, rita: User, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = scope_of(session, ada, source="api")
    unworked = Wish(Which.UNWORKED)
    service.refresh(session)
    west = session.scalars(select(Territory.id)).one()
    pair = whitespace.ranked(session, scope, Wish()), whitespace.ranked(session, scope, unworked)
    assert all(found.total == len(found.gaps) > 1 for found in pair)
    last = min(pair[1].gaps, key=lambda gap: gap.value)
    customer("Waits", last.at, territory_id=west)
    empty = customer("Waits alone", LonLat(-6.4, 46.4), territory_id=west)
    monkeypatch.setattr(whitespace, "CANDIDATES", 1)
    found = whitespace.ranked(session, scope, Wish())
    assert (found.total, len(found.gaps)) == (pair[0].total, 1)
    asked_for: list[list[int]] = []
    gaps = whitespace._gap
    monkeypatch.setattr(whitespace, "_gap", lambda row: (asked_for.append([row.cell]), gaps(row))[1])
    assert whitespace.ranked(session, scope, unworked).total == pair[1].total + 1
    assert h3.str_to_int(last.cell) in {cell for (cell,) in asked_for}
    assert len(asked_for) <= 3
    assert empty.pin is not None


def test_kinds_of_a_hexagon_across_the_border_are_those_of_ones_own_ground(
    session: Session, market: Region, rita: User
) -> None:
    service.refresh(session)
    whole = text(
        "select h3_parent(cell, 8) as cell, min(cell) as part from density_cell_now"
        " where resolution = 9 and prospects > 0 group by 1 having count(*) > 1 order by count(*) desc limit 1"
    )
    cell, part = session.execute(whole).one()
    mine = session.scalars(select(Territory.id)).one()
    for where, territory in (("h3_parent(cell, 8) = :cell", None), ("cell = :part", mine)):
        session.execute(
            text(f"update density_cell set territory_id = :territory where resolution = 9 and {where}"),
            {"cell": cell, "part": part, "territory": territory},
        )
    seen = whitespace.ranked(session, scope_of(session, rita, source="api"), Wish(which=Which.UNWORKED)).gaps
    gap = next(one for one in seen if one.cell == h3.int_to_str(cell))
    assert sum(count for _, count in gap.kinds) <= gap.prospects
