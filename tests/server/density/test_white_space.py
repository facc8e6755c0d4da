"""White space: what is nobody's and what nobody visits, in its order; made into work once, and taken back."""

from collections.abc import Callable
from datetime import date, timedelta

import h3
import pytest
from fastapi.testclient import TestClient
from geoalchemy2 import WKTElement
from shapely.geometry import MultiPolygon, box
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Kind
from server.auth.access import scope_of
from server.auth.models import AccessRole, RepProfile, Role, User
from server.demands.models import DemandState, VisitDemand
from server.density import lookalikes, queries, service, turning, undoing, whitespace
from server.density.models import DensityCell, DensityCustomer
from server.density.turning import Into, Selection
from server.density.whitespace import RESOLUTION, Which, Wish
from server.kit import clock
from server.kit.tiles import Tile
from server.leads.models import Lead
from server.records.service import Actor, acting
from server.regions.models import Prospect, Region
from server.territories import service as territories
from server.territories.models import Territory

type Clients = Callable[[User | None], TestClient]
type Customer = Callable[..., Site]
HERE = LonLat(-6.0, 46.0)
WEST, EAST = MultiPolygon([box(-7, 45, -6.0, 47)]), MultiPolygon([box(-6.0, 45, -5, 47)])


def _some(session: Session, count: int) -> list[tuple[str, LonLat]]:
    rows = session.execute(
        select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).order_by(Prospect.id).limit(count)
    )
    return [(name, LonLat(lon, lat)) for name, lon, lat in rows]


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def rita(session: Session, make_user: Callable[..., User]) -> User:
    """A rep who works the west."""
    user = make_user("rita", Role.REP)
    west = territories.create(session, name="West", area=WEST)
    territories.set_members(session, west.id, [user.id], day=date(2020, 1, 1))
    session.get_one(RepProfile, user.id).home = WKTElement("POINT(-6.01 46.0)", srid=4326)
    session.flush()
    return user


@pytest.fixture
def market(session: Session, region: Region, customer: Customer) -> Region:
    """A few customers of known kinds, with values."""
    for name, at in _some(session, 6):
        customer(name, at, yearly_value=10_000, currency="EUR", last_visit_on=clock.today("UTC"))
    service.refresh(session)
    return region


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


def test_accounts_without_a_visit_count_where_they_lie(
    session: Session, market: Region, ada: User, rita: User, customer: Customer
) -> None:
    at = LonLat(-6.05, 46.05)
    long_ago = clock.today("UTC") - timedelta(days=200)
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


def test_a_hexagon_becomes_leads_once_and_undo_takes_them_back(session: Session, market: Region, ada: User) -> None:
    scope = scope_of(session, ada, source="web")
    service.refresh(session)
    best = whitespace.ranked(session, scope, Wish()).gaps[0]
    made = turning.turn(session, scope, Into.LEADS, Selection(cells=[best.cell]))
    count, known = made.counts["made"], made.counts["accounts"]
    assert count + known == best.prospects
    lead = session.scalars(select(Lead).limit(1)).one()
    assert (lead.campaign, lead.pin is not None, lead.note is not None) == ("White space", True, True)
    again = turning.turn(session, scope, Into.LEADS, Selection(cells=[best.cell]))
    assert (again.counts["made"], again.counts["leads"]) == (0, count)
    left = {gap.cell: gap.prospects for gap in whitespace.ranked(session, scope, Wish()).gaps}
    assert left.get(best.cell, 0) == known
    lead.state = "working"
    session.flush()
    assert undoing.undo(session, scope, made.id) == {"taken_back": count - 1, "kept": 1}
    with pytest.raises(undoing.NothingLeft):
        undoing.undo(session, scope, made.id)
    left = {gap.cell: gap.prospects for gap in whitespace.ranked(session, scope, Wish()).gaps}
    assert left[best.cell] == best.prospects - 1


def test_what_a_lead_would_refuse_of_open_data_is_left_out(session: Session, market: Region, ada: User) -> None:
    prospect = session.scalars(
        select(Prospect)
        .where(~select(DensityCustomer.site_id).where(DensityCustomer.prospect_id == Prospect.id).exists())
        .order_by(Prospect.id)
        .limit(1)
    ).one()
    prospect.tags = {**prospect.tags, "email": "www.example.org", "phone": "+423 1234567", "addr:city": "Here"}
    session.flush()
    made = turning.turn(
        session, scope_of(session, ada, source="web"), Into.LEADS, Selection(prospect_ids=[prospect.id])
    )
    assert made.counts["made"] == 1
    lead = session.scalars(select(Lead).where(Lead.company == prospect.name)).one()
    assert (lead.emails, lead.phones, lead.city) == ([], ["+423 1234567"], "Here")


def test_many_prospects_in_one_tile_are_counted_instead(
    session: Session, market: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = Tile(13, 3959, 2914)
    assert b"is_customer" in queries.prospect_tile(session, tile)
    monkeypatch.setattr(queries, "MOST_SINGLES", 3)
    assert b"count" in queries.prospect_tile(session, tile)
    assert b"is_customer" not in queries.prospect_tile(session, tile)


def test_customers_of_a_hexagon_are_left_out_and_counted(session: Session, market: Region, ada: User) -> None:
    name, at = _some(session, 1)[0]
    cell = h3.latlng_to_cell(at.lat, at.lon, 9)
    made = turning.turn(session, scope_of(session, ada, source="web"), Into.LEADS, Selection(cells=[cell]))
    assert made.counts["customers"] >= 1
    assert not session.scalars(select(Lead.id).where(Lead.company == name)).all()


def test_idle_accounts_become_tasks_and_wanted_visits_once(
    session: Session, market: Region, ada: User, rita: User, customer: Customer
) -> None:
    at = LonLat(-6.05, 46.05)
    site = customer("Forgotten Ltd", at)
    session.get_one(Account, site.account_id).territory_id = session.scalar(select(Territory.id))
    session.flush()
    scope, cell = scope_of(session, ada, source="web"), h3.latlng_to_cell(at.lat, at.lon, RESOLUTION)
    chosen = Selection(cells=[cell])
    tasks = turning.turn(session, scope, Into.TASKS, chosen)
    assert tasks.counts == {"made": 1, "tasks": 0}
    assert turning.turn(session, scope, Into.TASKS, chosen).counts == {"made": 0, "tasks": 1}
    visits = turning.turn(session, scope, Into.VISITS, chosen)
    assert visits.counts == {"made": 1, "visits": 0}
    assert turning.turn(session, scope, Into.VISITS, chosen).counts == {"made": 0, "visits": 1}
    assert undoing.undo(session, scope, tasks.id)["taken_back"] == 1
    assert undoing.undo(session, scope, visits.id)["taken_back"] == 1
    assert session.scalars(select(Activity.id).where(Activity.deleted_at.is_(None))).all() == []
    assert session.scalars(select(VisitDemand.state)).all() == [DemandState.WITHDRAWN]


def test_a_hexagon_without_accounts_becomes_one_task(session: Session, market: Region, ada: User) -> None:
    scope = scope_of(session, ada, source="web")
    cell = whitespace.ranked(session, scope, Wish()).gaps[0].cell
    made = turning.turn(session, scope, Into.TASKS, Selection(cells=[cell]))
    assert made.counts == {"made": 1, "tasks": 0}
    assert session.scalars(select(Activity.subject)).one().startswith("White space: ")


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


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"into": "leads"}, "Nothing is chosen"),
        ({"into": "leads", "cells": ["not a cell"]}, "no hexagon"),
        ({"into": "leads", "cells": ["f" * 300]}, "no hexagon"),
        ({"into": "leads", "cells": ["-1"]}, "no hexagon"),
        ({"into": "tasks", "prospect_ids": ["0197a3f2-0000-7000-8000-000000000001"]}, "made of hexagons"),
        ({"into": "leads", "cells": ["88185c5201fffff"], "kind": "shop=unicorn"}, "no kind of firm"),
    ],
)
def test_a_selection_that_means_nothing_is_refused_in_words(
    client_for: Clients, ada: User, body: dict[str, object], word: str
) -> None:
    answer = client_for(ada).post("/api/v1/white-space/actions", json=body)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


def test_a_hexagon_in_which_nothing_is_becomes_no_task(client_for: Clients, ada: User, market: Region) -> None:
    body = {"into": "tasks", "cells": ["8928308280fffff"]}
    assert client_for(ada).post("/api/v1/white-space/actions", json=body).status_code == 404


@pytest.mark.parametrize("days", ["9" * 5000, "0", "99999"])
def test_days_out_of_range_are_refused_in_words_on_the_page(client_for: Clients, ada: User, days: str) -> None:
    answer = client_for(ada).get("/white-space", params={"which": "unworked", "days": days})
    assert answer.status_code == 200
    assert "no number of days" in answer.text


def test_undo_keeps_leads_that_somebody_edited_or_planned_something_for(
    session: Session, market: Region, ada: User
) -> None:
    scope = scope_of(session, ada, source="web")
    ids = list(
        session.scalars(
            select(Prospect.id)
            .where(~select(DensityCustomer.site_id).where(DensityCustomer.prospect_id == Prospect.id).exists())
            .order_by(Prospect.id)
            .limit(12)
        )
    )
    acting(session, Actor(ada.id, "web"))
    made = turning.turn(session, scope, Into.LEADS, Selection(prospect_ids=ids))
    assert made.counts["made"] >= 3
    first, second, *_ = session.scalars(select(Lead).order_by(Lead.id)).all()
    first.note = "They want to see us in May."
    values = {"subject": "Call them", "lead_id": second.id}
    agenda.add(session, agenda.NewActivity(Kind.TASK, ada.id, values))
    session.flush()
    assert undoing.undo(session, scope, made.id) == {"taken_back": made.counts["made"] - 2, "kept": 2}
    assert (first.deleted_at, second.deleted_at) == (None, None)


def test_undo_keeps_a_task_that_somebody_edited(session: Session, market: Region, ada: User) -> None:
    scope = scope_of(session, ada, source="web")
    acting(session, Actor(ada.id, "web"))
    cell = whitespace.ranked(session, scope, Wish()).gaps[0].cell
    made = turning.turn(session, scope, Into.TASKS, Selection(cells=[cell]))
    session.scalars(select(Activity)).one().note = "Begin at the station."
    session.flush()
    assert undoing.undo(session, scope, made.id) == {"taken_back": 0, "kept": 1}


def test_a_coarse_hexagon_gives_a_rep_the_own_part_of_it_only(
    session: Session, market: Region, ada: User, rita: User, client_for: Clients
) -> None:
    service.refresh(session)
    # The middle of one lies in the west and it reaches over the border.
    over = [
        cell
        for level in range(3, 9)
        for cell in session.scalars(
            select(DensityCell.cell).where(DensityCell.resolution == level, DensityCell.territory_id.is_not(None))
        )
        if session.scalar(
            select(func.count()).where(
                DensityCell.resolution == 9,
                func.h3_parent(DensityCell.cell, level) == cell,
                DensityCell.territory_id.is_(None),
            )
        )
    ]
    other = [
        cell
        for level in range(3, 9)
        for cell in session.scalars(
            select(DensityCell.cell).where(DensityCell.resolution == level, DensityCell.territory_id.is_(None))
        )
    ]
    client, everything = client_for(rita), client_for(ada)
    shares = []
    for cell in {*over, *other}:
        name = h3.int_to_str(cell)
        mine = session.scalar(
            select(func.sum(DensityCell.prospects)).where(
                DensityCell.resolution == 9,
                func.h3_parent(DensityCell.cell, h3.get_resolution(name)) == cell,
                DensityCell.territory_id.is_not(None),
            )
        )
        answer = client.get(f"/api/v1/density/cells/{name}")
        if mine is None:
            assert answer.status_code == 404
            continue
        assert answer.json()["figures"]["prospects"] == mine
        whole = everything.get(f"/api/v1/density/cells/{name}").json()["figures"]["prospects"]
        shares.append((mine, whole, name))
    partly = [(whole, name) for mine, whole, name in shares if 0 < mine < whole]
    assert partly
    turning.turn(session, scope_of(session, rita, source="web"), Into.LEADS, Selection(cells=[min(partly)[1]]))
    east = select(func.count()).where(Lead.pin.is_not(None), func.ST_X(Lead.pin) > -5.99)
    assert session.scalar(east) == 0
    assert session.scalar(select(func.count()).select_from(Lead))


def test_tasks_go_to_the_owner_of_each_account(
    session: Session, market: Region, ada: User, rita: User, customer: Customer
) -> None:
    at = LonLat(-6.05, 46.05)
    for name, owner in (("Hers Ltd", rita), ("Nobody's Ltd", None)):
        site = customer(name, at, owner_id=owner.id if owner else None)
        session.get_one(Account, site.account_id).territory_id = session.scalar(select(Territory.id))
    session.flush()
    cell = h3.latlng_to_cell(at.lat, at.lon, RESOLUTION)
    turning.turn(session, scope_of(session, ada, source="web"), Into.TASKS, Selection(cells=[cell]))
    owners = dict(session.execute(select(Activity.subject, Activity.owner_id)).all())
    assert owners == {"Visit Hers Ltd": rita.id, "Visit Nobody's Ltd": ada.id}


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
    name, at = _some(session, 1)[0]
    for called in (name, "Unknown To Maps", "Unknown As Well"):
        customer(called, at, yearly_value=1000, currency="EUR")
    service.refresh(session)
    found = lookalikes.look_alikes(session, scope_of(session, ada, source="api"))
    assert (found.valued, found.recognised) == (3, 1)
    assert "3 have a value; 1 of them are known." in client_for(ada).get("/white-space?which=alike").text


def test_the_limit_counts_only_what_would_be_made(
    session: Session, market: Region, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, at = _some(session, 1)[0]
    cell = h3.latlng_to_cell(at.lat, at.lon, 9)
    scope = scope_of(session, ada, source="web")
    turning.turn(session, scope, Into.LEADS, Selection(cells=[cell]))
    monkeypatch.setattr(turning, "MOST_AT_ONCE", 0)
    assert turning.turn(session, scope, Into.LEADS, Selection(cells=[cell])).counts["made"] == 0


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
