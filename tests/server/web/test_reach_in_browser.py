"""A manager asks for what is within a drive or an outline, on the map, with a mouse."""

from typing import Any

import pytest


@pytest.mark.browser
def test_a_place_is_chosen_and_the_list_shows_the_minutes(page: Any) -> None:
    page.goto("/")
    page.wait_for_selector("#home[data-ready=true]")
    page.click("#reach button")
    assert page.is_visible("#reach [data-hint]")
    page.select_option("#reach select", "60")
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.15, box["y"] + box["height"] * 0.75)
    page.wait_for_selector("#reach button[aria-pressed=true]")
    page.wait_for_url(lambda url: "within+60+minutes" in url)
    page.wait_for_selector("#legend [data-legend=reached]", state="visible")
    page.goto("/?filter=within+30+minutes+of+9.50,+47.14")
    page.wait_for_selector("#listed .trip")
    assert page.locator("#listed .listed b").all_inner_texts() == ["Bäckerei Amann", "Garage Beck", "Hotel Zech"]
    assert page.input_value("#reach select") == "30"
    page.click("#reach button")
    page.wait_for_selector("#listed .trip", state="detached")
    assert page.get_attribute("#reach button", "aria-pressed") == "false"


@pytest.mark.browser
def test_an_outline_drawn_on_the_map_is_a_term_of_the_filter(page: Any) -> None:
    page.goto("/?by=overdue")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#legend [data-coloured=overdue]", state="visible")
    total = int(page.inner_text("#total"))
    page.click("#lasso button")
    box = page.locator("#map").bounding_box()
    corners = [(0.2, 0.3), (0.8, 0.3), (0.8, 0.9), (0.2, 0.9)]
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.wait_for_url(lambda url: "in+polygon" in url and "by=overdue" in url)
    page.wait_for_selector("#listed .chosen")
    drawn = page.locator("#listed .listed b").all_inner_texts()
    assert 0 < len(drawn) <= total
    page.reload()
    page.wait_for_selector("#listed .chosen")
    assert page.locator("#listed .listed b").all_inner_texts() == drawn
    assert page.get_attribute("#lasso button", "aria-pressed") == "true"
    page.click("#lasso button")
    page.wait_for_selector("#listed .chosen", state="detached")
    page.click("#lasso button")
    for x, y in at:
        page.mouse.click(x, y)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "in+polygon" in url)
    page.wait_for_selector("#listed .chosen")
    assert page.locator("#listed .listed b").all_inner_texts() == drawn
