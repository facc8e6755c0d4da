"""A manager asks for what is within a drive, on the map, with a mouse."""

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
