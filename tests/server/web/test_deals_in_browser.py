"""Deals in a real browser: opened, dragged, asked for what is missing, won with a reason; the forecast moves."""

import re
from datetime import timedelta
from typing import Any

from server.accounts.queries import today_of
from server.auth.access import system_scope
from server.kit.database import transaction
from server.opportunities import pipelines


def closed_in(page: Any) -> int:
    """What the forecast says is closed in the running quarter."""
    page.goto("/forecast")
    return int(re.sub(r"\D", "", page.inner_text('[data-figure="closed"]')))


def lane_of(page: Any, name: str) -> Any:
    """A column of the board."""
    return page.locator(f'.lane[data-name="{name}"]')


def a_refused_form_holds_what_was_typed(page: Any) -> None:
    """Of the many forms of a page the one that was sent, with what is wrong beside its field."""
    page.goto("/pipeline/settings")
    stage = page.locator(".stage-item", has_text="Quote").first
    stage.locator("summary").click()
    stage.locator("[name=name]").fill("Offer")
    stage.locator("[name=percent]").fill("a half")
    stage.locator("[name=required]").first.uncheck()
    stage.locator("text=Save").click()
    stage.locator('[name=percent][aria-invalid="true"]').wait_for()
    assert stage.get_attribute("open") is not None
    assert stage.locator("[name=name]").input_value() == "Offer"
    assert stage.locator("[name=percent]").input_value() == "a half"
    assert not stage.locator("[name=required]").first.is_checked()
    assert "a half" in stage.locator(".error").inner_text()
    page.fill("input[name=currency]", "CHF")
    page.fill("input[name=rate]", "much")
    page.click("text=Set the rate")
    page.wait_for_selector('[name=rate][aria-invalid="true"]')
    assert page.input_value("input[name=currency]") == "CHF"
    assert page.locator(".error").count() == 1


def test_from_a_new_deal_to_a_won_one(page: Any) -> None:
    with transaction() as session:
        pipelines.create_usual(session)
    today = today_of(system_scope())
    assert closed_in(page) == 0

    page.goto("/pipeline/new")
    page.locator("#f-account_name").press_sequentially("Beck")
    page.click("#suggested a")
    page.fill("#f-name", "New oven")
    page.fill("#f-amount", "5000")
    page.fill("#f-close_on", str(today))
    page.fill("#f-next_step", "Send the quote")
    page.fill("#f-next_step_on", str(today + timedelta(days=1)))
    page.click("text=Open the deal")
    page.wait_for_url("**/pipeline/deals/*")

    a_refused_form_holds_what_was_typed(page)
    page.goto("/pipeline")
    page.wait_for_selector("#board[data-ready]")
    card = page.locator(".deal-card")
    card.drag_to(lane_of(page, "Needs").locator(".lane-cards"))
    lane_of(page, "Needs").locator(".deal-card").wait_for()
    page.wait_for_selector(".toast")
    lane_of(page, "Needs").locator(".lane-sum", has_text="5,000").wait_for()

    card.drag_to(lane_of(page, "Quote").locator(".lane-cards"))
    page.wait_for_selector("#move-sheet[open] #f-source")
    assert page.locator("#move-sheet #f-amount").count() == 0
    page.select_option("#f-source", "Visit")
    page.click("#move-sheet button.primary")
    lane_of(page, "Quote").locator(".deal-card").wait_for()
    page.wait_for_selector("#move-sheet:not([open])", state="attached")

    page.locator(".deal-card").focus()
    page.keyboard.press("m")
    page.wait_for_selector("#move-menu[open]")
    page.keyboard.press("5")
    page.wait_for_selector("#move-sheet[open] #f-reason")
    page.select_option("#f-reason", "Quality")
    page.click("#move-sheet button.primary")
    lane_of(page, "Won").locator(".deal-card").wait_for()
    lane_of(page, "Won").locator(".lane-sum", has_text="5,000").wait_for()
    assert closed_in(page) == 5000

    page.click('[data-figure="closed"]')
    page.wait_for_url("**/pipeline/list?*")
    assert "New oven" in page.inner_text("#deals")


def test_a_move_is_taken_back_and_arrows_go_from_card_to_card(page: Any) -> None:
    with transaction() as session:
        pipelines.create_usual(session)
    today = str(today_of(system_scope()) + timedelta(days=9))
    page.goto("/accounts")
    for name in ("Oven", "Mixer"):
        made = page.evaluate(
            """async ({name, today}) => {
                const { api } = await import("/static/js/app.js");
                const account = (await api("GET", "/api/v1/accounts")).body.items[0].id;
                const body = { name, account_id: account, amount: "10", close_on: today };
                Object.assign(body, { next_step: "Call", next_step_on: today });
                return (await api("POST", "/api/v1/opportunities", body)).status;
            }""",
            {"name": name, "today": today},
        )
        assert made == 201
    page.goto("/pipeline")
    page.wait_for_selector("#board[data-ready]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    name = page.evaluate("document.activeElement.dataset.name")
    page.keyboard.press("m")
    page.keyboard.press("2")
    page.wait_for_selector('.lane[data-name="Needs"] .deal-card')
    page.click(".toast button")
    page.locator('.lane[data-name="Qualify"] .deal-card:not(.pending)').nth(1).wait_for()
    assert name in ("Oven", "Mixer")


def test_the_map_shows_accounts_by_the_stage_of_their_deal(page: Any) -> None:
    with transaction() as session:
        usual = pipelines.create_usual(session)
        second = pipelines.create(session, "Service")
        pipelines.add_stage(session, second.id, {"name": "Asked", "probability": "0.1", "category": "pipeline"})
        first_id, second_id = str(usual.id), str(second.id)
    page.goto("/")
    page.wait_for_selector("#home[data-ready=true]")
    page.click("#layers summary")
    assert not page.is_visible("#of-pipeline")
    with page.expect_response(lambda one: "/tiles/opportunities/accounts/" in one.url and first_id in one.url) as tile:
        page.select_option("#layers [name=by]", "stage")
    assert tile.value.ok
    legend = page.locator("#legend [data-coloured=stage]:visible")
    assert legend.locator("li").all_inner_texts() == ["Qualify", "Needs", "Quote", "Negotiate", "no open deal"]
    page.click("[data-tab=accounts]")
    page.locator("#listed .stage-mark", has_text="no open deal").first.wait_for()
    with page.expect_response(lambda one: "/tiles/opportunities/accounts/" in one.url and second_id in one.url):
        page.select_option("#layers [name=pipeline]", second_id)
    assert legend.locator("li").all_inner_texts() == ["Asked", "no open deal"]
    page.wait_for_url(lambda url: "by=stage" in url and second_id in url)
    page.go_back()
    page.locator("#legend", has_text="Negotiate").wait_for()
    assert page.input_value("#layers [name=pipeline]") == first_id
    page.go_back()
    page.wait_for_selector("#legend [data-coloured=class]", state="visible")
    page.wait_for_selector("#listed .stage-mark", state="detached")
