"""A manager walks from the density map over a hexagon to leads and back, in a real browser."""

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from geoalchemy2 import WKTElement
from h3 import latlng_to_cell, str_to_int

from server.density import service
from server.kit.database import transaction
from server.kit.ids import uuid7
from server.regions.models import Prospect, Region

KINDS = ("shop=bakery", "amenity=restaurant")


@pytest.fixture
def firms(company: None) -> None:
    """Five firms beside the territory, on nobody's ground, and two inside."""
    with transaction() as session:
        region = Region(
            name="demo", sha256="ab" * 32, version=1, state="ready", stage="packed", source="demo.osm.pbf",
            licence="no rights reserved", attribution=["Made-up data"], data_date=date(2026, 1, 1),
            bbox=[9.4, 47.0, 9.8, 47.3],
        )  # fmt: skip
        session.add(region)
        session.flush()
        for number in range(7):
            lon, lat = (9.7 if number < 5 else 9.5) + number / 20_000, 47.14
            session.add(
                Prospect(
                    region_id=region.id, id=uuid7(), source_id=f"n{number}", name=f"Firma {'ABCDEFG'[number] * 6}",
                    kind=KINDS[number % 2], tags={"addr:city": "Feldkirch"},
                    cell=str_to_int(latlng_to_cell(lat, lon, 10)), pin=WKTElement(f"POINT({lon} {lat})", srid=4326),
                )
            )  # fmt: skip
        session.flush()
        service.refresh(session)


@pytest.mark.browser
def test_a_hexagon_of_the_map_becomes_leads_and_they_are_taken_back(firms: None, page: Any) -> None:
    page.goto("/density")
    page.wait_for_selector("#density-map[data-ready=true]")
    assert "7" in page.inner_text(".figures .figure >> nth=0")
    page.select_option("select[name=kind]", "amenity=restaurant")
    page.wait_for_selector(".drawer a[href='/density']")  # the list and the headline follow the map's filter
    assert "3" in page.inner_text(".figures .figure >> nth=0")
    assert "2 prospects" in page.inner_text(".cells button >> nth=0")
    assert page.get_attribute("a[href^='/white-space?kind']", "href") == "/white-space?kind=amenity%3Drestaurant"
    page.click(".drawer a[href='/density']")
    page.wait_for_selector("#density-map[data-ready=true]")
    assert page.inner_text("#market-legend h3") == "Prospects per hexagon"
    page.check("input[name=layer][value=penetration]")
    assert "Penetration" in page.inner_text("#market-legend h3")
    page.check("input[name=layer][value=surface]")
    page.select_option("select[name=bandwidth]", "500")
    for _ in range(4):
        page.click(".maplibregl-ctrl-zoom-out")
    page.wait_for_function(
        """() => {
            const [chosen] = document.querySelector("select[name=bandwidth]").selectedOptions;
            const legend = document.querySelector("#market-legend small").textContent;
            return chosen.text !== "500 m" && legend.includes(`spread over ${chosen.text} `);
        }"""
    )
    page.click(".cells button >> nth=0")
    page.wait_for_selector(".cell-card")
    assert "5 prospects" in page.inner_text(".cell-card")
    assert "9 of 10 times" in page.inner_text(".cell-card")
    page.goto("/white-space?which=unassigned")
    page.wait_for_selector("#white-map[data-ready=true]")
    assert "5 prospects" in page.inner_text(".gap >> nth=0")
    assert "nobody has a start" in page.inner_text(".drawer")
    page.check(".gap input >> nth=0")
    page.click("[data-turn-chosen=leads]")
    assert "5 in no territory, for whoever the rules for leads choose" in page.inner_text("dialog.ask")
    page.click("dialog.ask .primary")
    page.wait_for_selector(".toast")
    assert "5 leads made." in page.inner_text(".toast")
    page.wait_for_selector(".gap", state="detached")
    page.click(".toast button")
    page.wait_for_selector("text=5 taken back.")
    page.wait_for_selector(".gap input:checked")  # what was chosen is chosen again
    page.click("[data-turn-chosen=leads]")
    page.click("dialog.ask .primary")
    page.wait_for_selector(".toast button")
    page.goto("/white-space?which=unassigned")  # the toast is gone, the history is not
    page.wait_for_selector("#white-map[data-ready=true]")
    page.click("#made-of-it [data-undo]")
    page.wait_for_selector("text=5 taken back.")
    page.wait_for_selector("#made-of-it [data-undo]", state="detached")
    page.check(".gap input >> nth=0")
    page.click("[data-turn-chosen=leads]")
    assert "its hexagon counts that × their rate" in page.inner_text("dialog.ask")
    page.click("dialog.ask .primary")
    page.wait_for_selector("text=5 leads made.")
    page.wait_for_selector(".market-legend", state="hidden")  # it says nothing of what is not there any more
    page.click("#made-of-it [data-undo]")
    page.wait_for_selector("#made-of-it [data-undo]", state="detached")
    assert "leads made" not in page.inner_text("#toasts")
    page.wait_for_selector(".market-legend", state="visible")
    page.check(".gap input >> nth=0")
    page.click("[data-turn-chosen=leads]")
    page.click("dialog.ask .primary")
    page.wait_for_selector(".toast button")
    page.goto("/leads")
    assert "Firma AAAAAA" in page.inner_text("main")
    page.goto("/white-space?which=unassigned")
    page.wait_for_selector("#white-map[data-ready=true]")
    assert page.locator(".gap").count() == 0
    page.goto("/white-space?which=alike")
    assert "Too few customers" in page.inner_text(".drawer")
    page.goto("/white-space?which=unworked&days=never")
    assert "no number of days" in page.inner_text("[role=alert]")


@pytest.mark.browser
def test_on_a_phone_the_buttons_of_a_hexagon_can_be_reached(firms: None, page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/density")
    page.wait_for_selector("#density-map[data-ready=true]")
    page.click(".cells button >> nth=0")
    page.wait_for_selector(".cell-card")
    assert "not known" in page.inner_text(".cell-card")
    page.click(".cell-card [data-turn=visits]")
    page.wait_for_selector("text=No visit was wanted. No account of yours here")
    page.click(".cell-card [data-turn=leads]")
    page.click("dialog.ask .primary")
    page.wait_for_selector("text=5 leads made.")
    page.click(".cell-card [data-turn=tasks]")
    page.click("dialog.ask .primary")
    page.wait_for_selector("text=1 task made.")


@pytest.mark.browser
def test_firms_are_looked_at_and_taken_on_the_map_of_everything(firms: None, page: Any) -> None:
    page.goto("/?layers=prospects#at=15/47.14/9.70015")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#map[data-idle=true]")
    box = page.locator("#map").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.wait_for_selector(".hover-card:has-text('no customer yet')")
    page.mouse.click(*middle)
    page.click(".maplibregl-popup button:has-text('Make a lead')")
    page.click("dialog.ask .primary")
    page.wait_for_selector(".maplibregl-popup:has-text('is a lead already')")
    page.click("#lasso button")
    for x, y in ((-200, -150), (200, -150), (200, 150), (-200, 150)):
        page.mouse.click(middle[0] + x, middle[1] + y)
    page.keyboard.press("Enter")
    page.wait_for_selector("#firms-inside:has-text('5 firms nearby in the outline')")
    page.click("#firms-inside [data-turn=leads]")
    assert "4 in no territory" in page.inner_text("dialog.ask")
    page.click("dialog.ask .primary")
    page.wait_for_selector(".toast:has-text('4 leads made')")
    page.goto("/?layers=density#at=13/47.14/9.70015")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#map[data-idle=true]")
    page.mouse.move(*middle)
    page.wait_for_selector(".hover-card:has-text('prospects')")
    page.mouse.click(*middle)
    page.wait_for_selector(".cell-popup [data-turn=tasks]")


@pytest.mark.browser
def shows_card(page: Any, place: tuple[float, float], which: str) -> None:
    """Click there as people do: again when nothing came of it, because the map is drawing what lies there just then."""
    from playwright.sync_api import TimeoutError

    card = page.locator(f".cell-popup .cell-card{which}")
    for _ in range(30):
        page.mouse.click(*place)
        with suppress(TimeoutError):
            card.wait_for(timeout=3_000)
            return
    raise AssertionError(f"there is no card {which}")


def test_a_kind_of_firm_narrows_leads_alone_and_only_while_it_is_shown(firms: None, page: Any) -> None:
    drawn = "filter=in polygon (9.49 47.13, 9.53 47.13, 9.53 47.15, 9.49 47.15)&kind=shop%3Dbakery"
    page.goto(f"/?{drawn}&layers=prospects density#at=13/47.14/9.51")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#map[data-idle=true]")
    page.wait_for_selector("#firms-inside:has-text('1 firm nearby in the outline')")
    assert "Only of the kind “Bakery”" in page.inner_text("#firms-inside")
    for into, said in (("tasks", "3 will be made"), ("visits", "3 will be made"), ("leads", "1 will be made")):
        page.click(f"#firms-inside [data-turn={into}]")
        assert said in page.inner_text("dialog.ask"), into
        page.click("dialog.ask .button:not(.primary)")
    page.goto(f"/?{drawn}&layers=prospects density#at=11/47.14/9.7001")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#map[data-idle=true]")
    box = page.locator("#map").bounding_box()
    beside = (
        box["x"] + box["width"] / 2,
        box["y"] + box["height"] / 2 + 25,
    )  # in the middle is the bubble of the firms
    shows_card(page, beside, ":has-text('3 prospects'):has-text('Only of the kind “Bakery”')")
    page.click(".cell-popup [data-turn=leads]")
    assert "3 will be made" in page.inner_text("dialog.ask")
    page.click("dialog.ask .button:not(.primary)")
    page.keyboard.press("Escape")
    page.wait_for_selector(".cell-popup", state="detached")
    page.evaluate("document.querySelector('#layers input[value=prospects]').click()")
    page.wait_for_selector("#map[data-idle=true]")
    shows_card(page, beside, ":has-text('5 prospects'):not(:has-text('Only of the kind'))")
    page.click(".cell-popup [data-turn=leads]")
    assert "5 will be made" in page.inner_text("dialog.ask")
