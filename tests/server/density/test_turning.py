"""A hexagon or a selection made into work once, and taken back without what somebody has worked on."""

import html
import re
from collections.abc import Callable
from dataclasses import replace

import h3
import pytest
from fastapi.testclient import TestClient
from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, AccountClass, Site
from server.activities.agenda.models import Activity
from server.auth.access import scope_of
from server.auth.models import User
from server.demands.models import DemandState, VisitDemand
from server.density import outlines, service, turning, undoing, whitespace
from server.density.models import DensityCell, DensityCustomer, WhiteSpaceItem
from server.density.turning import Into, Selection
from server.density.whitespace import RESOLUTION, Which, Wish
from server.leads.models import Lead
from server.regions.models import Prospect, Region
from server.territories.models import Territory
from tests.server.density.conftest import some
from tests.server.web.conftest import browser_of
from tests.server.web.test_statement_counts import statements

__all__ = ["browser_of"]

type Clients = Callable[[User | None], TestClient]
type Customer = Callable[..., Site]


def test_a_hexagon_becomes_leads_once_and_undo_takes_them_back(session: Session, market: Region, ada: User) -> None:
    scope = scope_of(session, ada, source="web")
    service.refresh(session)
    best = whitespace.ranked(session, scope, Wish()).gaps[0]
    seen = turning.planned(session, scope, Into.LEADS, Selection(cells=[best.cell]))
    assert session.scalar(select(func.count()).select_from(Lead)) == 0
    assert sum(turning.shares(session, seen).values()) == len(seen.makings)
    made, _ = turning.turn(session, scope, Into.LEADS, Selection(cells=[best.cell]))
    assert made.counts == {"made": len(seen.makings), **seen.left}
    held = """
        select count(*) from pg_locks
        where locktype = 'advisory' and objid::bigint = hashtextextended('leads.take_in', 0) & 4294967295
          and database = (select oid from pg_database where datname = current_database())
    """
    assert session.scalar(text(held)) == 0  # a lead that a phone sends meanwhile does not wait
    count, known = made.counts["made"], made.counts["accounts"]
    assert count + known == best.prospects
    lead = session.scalars(select(Lead).limit(1)).one()
    assert (lead.campaign, lead.pin is not None) == ("White space", True)
    # Each takes along what customers of its kind are worth, and where it lay.
    assert (lead.note or "").startswith("Open data: ")
    assert (lead.expected_value, lead.currency) == (10_000, "EUR")
    cells = session.scalars(select(WhiteSpaceItem.cell).where(WhiteSpaceItem.action_id == made.id))
    assert {h3.int_to_str(cell) for cell in cells} == {best.cell}
    again, _ = turning.turn(session, scope, Into.LEADS, Selection(cells=[best.cell]))
    assert (again.counts["made"], again.counts["leads"]) == (0, count)
    left = {gap.cell: (gap.prospects, gap.worked) for gap in whitespace.ranked(session, scope, Wish()).gaps}
    assert left.get(best.cell, (0, count)) == (known, count)
    lead.state = "working"
    session.flush()
    (past,) = undoing.history(session, scope)
    assert (past.who, past.made, past.worked_on, past.can_be_undone) == (ada.name, count, 1, True)
    assert undoing.undo(session, scope, made.id) == {"taken_back": count - 1, "kept": 1}
    assert not undoing.history(session, scope)[0].can_be_undone
    with pytest.raises(undoing.NothingLeft):
        undoing.undo(session, scope, made.id)
    left = {gap.cell: (gap.prospects, gap.worked) for gap in whitespace.ranked(session, scope, Wish()).gaps}
    assert left[best.cell] == (best.prospects - 1, 1)


def test_what_a_lead_would_refuse_of_open_data_is_left_out(session: Session, market: Region, ada: User) -> None:
    prospect = session.scalars(
        select(Prospect)
        .where(~select(DensityCustomer.site_id).where(DensityCustomer.prospect_id == Prospect.id).exists())
        .order_by(Prospect.id)
        .limit(1)
    ).one()
    prospect.tags = {**prospect.tags, "email": "www.example.org", "phone": "+423 1234567", "addr:city": "Here"}
    session.flush()
    made, _ = turning.turn(
        session, scope_of(session, ada, source="web"), Into.LEADS, Selection(prospect_ids=[prospect.id])
    )
    assert made.counts["made"] == 1
    lead = session.scalars(select(Lead).where(Lead.company == prospect.name)).one()
    assert (lead.emails, lead.phones, lead.city) == ([], ["+423 1234567"], "Here")


def test_names_that_no_lead_can_have_are_left_out_and_said(
    client_for: Clients, session: Session, market: Region, ada: User
) -> None:
    there = select(Prospect).where(
        ~select(DensityCustomer.site_id).where(DensityCustomer.prospect_id == Prospect.id).exists()
    )
    long, blank, *fine = session.scalars(there.order_by(Prospect.id).limit(5)).all()
    long.name, blank.name = "Inn " * 100, "\u2060 "
    session.flush()
    body = {"into": "leads", "prospect_ids": [str(one.id) for one in (long, blank, *fine)]}
    seen = client_for(ada).post("/api/v1/white-space/actions/preview", json=body).json()
    made = client_for(ada).post("/api/v1/white-space/actions", json=body).json()
    assert seen["counts"] == made["counts"]
    assert made["counts"]["made"] >= 1
    assert seen["refused"] == made["refused"]
    assert {one["prospect_id"]: (one["source_id"], one["reason"], len(one["name"])) for one in made["refused"]} == {
        str(long.id): (long.source_id, "long_name", 300),
        str(blank.id): (blank.source_id, "nameless", 2),
    }


def test_many_leads_take_as_many_statements_as_one(session: Session, engine: Engine, market: Region, ada: User) -> None:
    scope, asked = scope_of(session, ada, source="web"), []
    cells = [gap.cell for gap in whitespace.ranked(session, scope, Wish()).gaps]
    open_ones = turning.planned(session, scope, Into.LEADS, Selection(cells=cells)).makings
    ids = [one.prospect.id for one in open_ones if one.prospect]
    for chosen in (ids[:1], ids[1:7]):
        with statements(engine) as told:
            made, _ = turning.turn(session, scope, Into.LEADS, Selection(prospect_ids=chosen))
        assert made.counts["made"] == len(chosen)
        asked.append(len(told))
    assert len(ids) >= 7
    assert asked[1] <= asked[0] + 1, "the country of phone numbers is asked once, where there are some"


def test_customers_of_a_hexagon_are_left_out_and_counted(session: Session, market: Region, ada: User) -> None:
    name, at = some(session, 1)[0]
    cell = h3.latlng_to_cell(at.lat, at.lon, 9)
    made, _ = turning.turn(session, scope_of(session, ada, source="web"), Into.LEADS, Selection(cells=[cell]))
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
    tasks, _ = turning.turn(session, scope, Into.TASKS, chosen)
    assert tasks.counts == {"made": 1, "tasks": 0}
    assert turning.turn(session, scope, Into.TASKS, chosen)[0].counts == {"made": 0, "tasks": 1}
    visits, _ = turning.turn(session, scope, Into.VISITS, chosen)
    assert visits.counts == {"made": 1, "visits": 0}
    assert turning.turn(session, scope, Into.VISITS, chosen)[0].counts == {"made": 0, "visits": 1}
    assert undoing.undo(session, scope, tasks.id)["taken_back"] == 1
    assert undoing.undo(session, scope, visits.id)["taken_back"] == 1
    assert session.scalars(select(Activity.id).where(Activity.deleted_at.is_(None))).all() == []
    assert session.scalars(select(VisitDemand.state)).all() == [DemandState.WITHDRAWN]


def test_what_was_drawn_around_becomes_leads_of_its_firms_and_tasks_of_its_accounts(
    session: Session, market: Region, ada: User, rita: User, customer: Customer
) -> None:
    service.refresh(session)  # now that a territory stands
    (_, first), *rest = some(session, 30)
    (west, south), (east, north) = first, first
    for _, at in rest[:15]:
        west, south, east, north = min(west, at.lon), min(south, at.lat), max(east, at.lon), max(north, at.lat)
    drawn = [(west, south), (east, south), (east, north), (west, north)]
    site = customer("Forgotten Ltd", LonLat((west + east) / 2, (south + north) / 2))
    customer("Elsewhere Ltd", LonLat(east + 0.5, north))
    for account in session.scalars(select(Account)):
        account.territory_id = session.scalar(select(Territory.id))
    session.flush()
    scope = scope_of(session, ada, source="web")
    inside = func.ST_Covers(func.ST_MakeEnvelope(west, south, east, north, 4326), Prospect.pin)
    firms = set(session.scalars(select(Prospect.id).where(inside)))
    bought = set(session.scalars(select(DensityCustomer.prospect_id)))
    assert outlines.counted(session, scope, drawn) == len(firms - bought) > 0
    seen = turning.planned(session, scope, Into.LEADS, Selection(outline=drawn))
    assert {one.prospect.id for one in seen.makings} <= firms - bought
    assert len(seen.makings) + sum(seen.left.values()) == len(firms)
    made, _ = turning.turn(session, scope, Into.LEADS, Selection(outline=drawn))
    assert made.counts["made"] == len(seen.makings)
    tasks = turning.planned(session, scope, Into.TASKS, Selection(outline=drawn))
    assert [one.account_id for one in tasks.makings if one.name.endswith("Ltd")] == [site.account_id]
    assert undoing.undo(session, scope, made.id)["taken_back"] == len(seen.makings)
    # A rep sees the own ground only, whatever was drawn.
    everywhere = [(-180.0, -85.0), (180.0, -85.0), (180.0, 85.0), (-180.0, 85.0)]
    own = scope_of(session, rita, source="web")
    assert 0 < outlines.counted(session, own, everywhere) < outlines.counted(session, scope, everywhere)


def test_an_outline_is_made_something_of_when_the_list_shows_all_of_it_and_a_kind_is_one_of_leads(
    browser_of: Clients, market: Region, ada: User
) -> None:
    browser = browser_of(ada)
    asked = {"filter": "in polygon (-7 45, -5 45, -5 47, -7 47)", "firms": "shop=bakery"}
    page = browser.get("/home/accounts", params=asked).text
    buttons = re.findall(r'data-turn="(\w+)"[^>]*?( data-kind="shop=bakery")?>', page)
    assert buttons == [("leads", ' data-kind="shop=bakery"'), ("tasks", ""), ("visits", "")]
    assert "Only of the kind “Bakery”" in page
    for more in ({"q": "AG"}, {"filter": asked["filter"] + " and class = A"}):
        page = browser.get("/home/accounts", params=asked | more).text
        assert "data-turn" not in page
        assert "without a filter or a search beside it" in page


def test_the_card_of_a_firm_says_what_it_is_already(
    browser_of: Clients, session: Session, market: Region, ada: User
) -> None:
    open_one = session.scalars(select(Prospect).order_by(Prospect.id.desc()).limit(1)).one()
    browser = browser_of(ada)
    card = browser.get(f"/density/firms/{open_one.id}")
    assert open_one.name in html.unescape(card.text)
    assert f'data-turn="leads" data-prospect="{open_one.id}"' in card.text
    turning.turn(session, scope_of(session, ada, source="web"), Into.LEADS, Selection(prospect_ids=[open_one.id]))
    again = browser.get(f"/density/firms/{open_one.id}").text
    assert "is a lead already" in again
    assert "data-turn" not in again
    assert browser.get("/density/firms/0197a3f2-0000-7000-8000-000000000001").status_code == 404


def test_a_hexagon_without_accounts_becomes_one_task(session: Session, market: Region, ada: User) -> None:
    scope = scope_of(session, ada, source="web")
    cell = whitespace.ranked(session, scope, Wish()).gaps[0].cell
    made, _ = turning.turn(session, scope, Into.TASKS, Selection(cells=[cell]))
    assert made.counts == {"made": 1, "tasks": 0}
    assert session.scalars(select(Activity.subject)).one().startswith("White space: ")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"into": "leads"}, "Nothing is chosen"),
        ({"into": "leads", "cells": ["not a cell"]}, "no hexagon"),
        ({"into": "leads", "cells": ["f" * 300]}, "no hexagon"),
        ({"into": "leads", "cells": ["-1"]}, "no hexagon"),
        ({"into": "tasks", "prospect_ids": ["0197a3f2-0000-7000-8000-000000000001"]}, "made of hexagons"),
        ({"into": "leads", "cells": ["88185c5201fffff"], "kind": "shop=unicorn"}, "no kind of firm"),
        ({"into": "leads", "outline": [[9, 47], [9, 48]]}, "three corners"),
        ({"into": "leads", "outline": [[9, 47], [9, 48], [8, 47]], "cells": ["88185c5201fffff"]}, "three corners"),
    ],
)
def test_a_selection_that_means_nothing_is_refused_in_words(
    client_for: Clients, ada: User, body: dict[str, object], word: str
) -> None:
    answer = client_for(ada).post("/api/v1/white-space/actions", json=body)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


def test_the_history_of_others_is_shown_to_who_sees_everything(
    client_for: Clients, ada: User, rita: User, market: Region
) -> None:
    cell = client_for(ada).get("/api/v1/white-space").json()["items"][0]["cell"]
    client_for(ada).post("/api/v1/white-space/actions", json={"into": "leads", "cells": [cell]})
    (past,) = client_for(ada).get("/api/v1/white-space/actions").json()["items"]
    assert (past["into"], past["who"], past["can_be_undone"]) == ("leads", ada.name, True)
    assert client_for(rita).get("/api/v1/white-space/actions").json()["items"] == []
    assert client_for(rita).post(f"/api/v1/white-space/actions/{past['id']}/undo").status_code == 404


def test_an_unknown_prospect_is_refused(client_for: Clients, ada: User, market: Region) -> None:
    body = {"into": "leads", "prospect_ids": ["0197a3f2-0000-7000-8000-000000000001"]}
    answer = client_for(ada).post("/api/v1/white-space/actions", json=body)
    assert (answer.status_code, answer.json()["id"]) == (404, body["prospect_ids"][0])


def test_what_is_made_is_what_the_list_counts(session: Session, market: Region, ada: User, rita: User) -> None:
    """A hexagon over a border: each list counts its own side, and only that becomes leads."""
    service.refresh(session)
    scope = scope_of(session, ada, source="web")
    gaps = [gap for which in Which for gap in whitespace.ranked(session, scope, Wish(which=which)).gaps]
    through = max(gaps, key=lambda gap: gap.prospects).at.lon
    session.scalars(select(Territory)).one().area = from_shape(MultiPolygon([box(-7, 45, through, 47)]), srid=4326)
    session.flush()
    service.refresh(session)
    split = 0
    for wish in (Wish(which=Which.UNASSIGNED), Wish(which=Which.UNWORKED)):
        for gap in whitespace.ranked(session, scope, wish).gaps:
            found = turning.planned(session, scope, Into.LEADS, Selection(cells=[gap.cell], which=wish.which))
            assert len(found.makings) + found.left["accounts"] == gap.prospects
            whole = turning.planned(session, scope, Into.LEADS, Selection(cells=[gap.cell]))
            split += len(whole.makings) > len(found.makings)
    assert split
    first = whitespace.ranked(session, scope, Wish(which=Which.UNASSIGNED)).gaps[0]
    nobodys = Selection([first.cell], which=Which.UNASSIGNED)
    with_territory = replace(nobodys, territory_id=session.scalars(select(Territory.id)).one())
    made = [turning.planned(session, scope, Into.LEADS, one).makings for one in (nobodys, with_territory)]
    assert len(made[0]) == len(made[1]) > 0  # the list of nobody's ground knows no territory either
    of_class = Selection(cells=[gap.cell], which=Which.UNWORKED, account_class=AccountClass.A)
    assert turning.planned(session, scope, Into.LEADS, of_class).makings == []


def test_a_hexagon_in_which_nothing_is_becomes_no_task(client_for: Clients, ada: User, market: Region) -> None:
    body = {"into": "tasks", "cells": ["8928308280fffff"]}
    assert client_for(ada).post("/api/v1/white-space/actions", json=body).status_code == 404


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


def test_the_limit_counts_only_what_would_be_made(
    session: Session, market: Region, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, at = some(session, 1)[0]
    cell = h3.latlng_to_cell(at.lat, at.lon, 9)
    scope = scope_of(session, ada, source="web")
    turning.turn(session, scope, Into.LEADS, Selection(cells=[cell]))
    monkeypatch.setattr(turning, "MOST_AT_ONCE", 0)
    assert turning.turn(session, scope, Into.LEADS, Selection(cells=[cell]))[0].counts["made"] == 0
