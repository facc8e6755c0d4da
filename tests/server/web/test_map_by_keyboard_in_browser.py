"""A manager works the map without a mouse: Today while it changes, panels, places and outlines."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser
REPORT = """async (name) => {
    const { api } = await import("/static/js/app.js");
    const { body } = await api("GET", `/api/v1/accounts?q=${encodeURIComponent(name)}`);
    const answer = await api("POST", "/api/v1/visits/report", { account_id: body.items[0].id, state: "done" });
    document.dispatchEvent(new Event("visibilitychange")); // as when the page asks by itself
    return answer.status;
}"""
FOCUSED = "document.activeElement.querySelector('b')?.innerText ?? document.activeElement.tagName"


def opened(page: Any, path: str = "/") -> None:
    page.goto(path)
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#map[data-idle=true]")


def test_who_reads_today_stays_where_they_are_when_something_arrives(page: Any) -> None:
    opened(page)
    assert page.evaluate(REPORT, "Amann") == 201
    page.focus("#today .listed:has-text('Amann')")
    assert page.evaluate(REPORT, "Beck") == 201
    page.wait_for_selector("#today .listed:has-text('Beck')")
    assert page.evaluate(FOCUSED) == "Bäckerei Amann"
    page.evaluate("document.querySelector('#today .listed:last-of-type').dataset.key = 'is not there any more'")
    assert page.evaluate(REPORT, "Zech") == 201
    page.wait_for_selector("#today .listed:has-text('Zech')")
    assert page.evaluate("document.querySelector('#today').contains(document.activeElement)"), "beside what went"
    assert page.evaluate(FOCUSED) != "BODY"


def test_a_map_that_is_left_open_over_midnight_turns_to_the_new_day(page: Any) -> None:
    opened(page)
    today = page.input_value("#day")
    assert page.evaluate(REPORT, "Amann") == 201
    page.wait_for_selector("#today .listed:has-text('Amann')")
    page.evaluate(
        """() => {
            const day = document.querySelector("#day"), running = document.querySelector("#today a[href^='/today']");
            day.dataset.today = day.value = "2020-01-01"; // since when it has been open
            running.href = "/today?day=2020-01-01";
            running.focus();
        }"""
    )
    assert page.evaluate(REPORT, "Beck") == 201
    page.wait_for_selector("#today .listed:has-text('Beck')")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/today?day={today}"
    assert page.input_value("#day") == today
    with page.expect_response(lambda answer: "/home/day?day=2020-01-01" in answer.url):
        page.evaluate("document.querySelector('#layers').open = true")
        page.fill("#day", "2020-01-01")  # the day before can be looked at
    page.wait_for_selector("#day-hint:not([hidden])", state="attached")


TWO_CARDS = """async () => {
    const { card } = await import(document.querySelector("script[src*='home.js']").src);
    const [first, second] = [...document.querySelectorAll("#listed [data-account]")].map((one) => one.dataset.account);
    const ask = window.fetch, { promise: held, resolve: free } = Promise.withResolvers();
    window.fetch = async (path, ...more) => {
        const answer = await ask(path, ...more), isSlow = String(path).includes(first), text = await answer.text();
        return { ok: answer.ok, headers: answer.headers, text: async () => { if (isSlow) await held; return text; } };
    };
    const slow = card(first, [9.5, 47.14]);
    await card(second, [9.51, 47.14]);
    free();
    await slow;
    window.fetch = ask;
    return [...document.querySelectorAll(".maplibregl-popup")].map((one) => one.innerHTML.includes(second));
}"""


def test_of_two_cards_asked_for_the_later_one_stays(page: Any) -> None:
    opened(page)
    page.wait_for_selector("#listed [data-account]", state="attached")
    assert page.evaluate(TWO_CARDS) == [True]


def test_what_htmx_asks_for_again_keeps_the_focus_too(page: Any) -> None:
    page.goto("/accounts")
    page.evaluate(
        """() => {
            document.querySelector("main").insertAdjacentHTML("beforeend", `<section id="asked"
                hx-get="/notifications/bell" hx-trigger="again" hx-select="a" hx-swap="innerHTML">
                <a href="/notifications">before</a></section>`);
            htmx.process(document.querySelector("#asked"));
        }"""
    )
    page.focus("#asked a")
    page.evaluate("htmx.trigger('#asked', 'again')")
    page.wait_for_selector("#asked a:not(:has-text('before'))", state="attached")
    assert page.evaluate("document.activeElement.closest('#asked') !== null")


def test_escape_folds_what_is_unfolded_and_leads_back_to_it(page: Any) -> None:
    opened(page)
    page.focus("#layers summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#layers[open]")
    page.focus("#layers [value=accounts]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#layers:not([open])")
    assert page.evaluate("document.activeElement.matches('#layers > summary')")
    page.click("[data-as-text]")
    page.fill("[data-text] textarea", "class = A")
    page.wait_for_selector("[data-chips] .cond")
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-chips] .cond", state="detached")  # it was not applied
    assert page.evaluate("document.activeElement.matches('[data-as-text][aria-pressed=false]')")
    page.goto("/accounts")
    page.click("details.pop:has([href*='export.csv']) > summary")
    page.focus("details.pop [href*='export.csv']")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('details.pop:not([open]) > summary')")


def on_the_map(page: Any) -> bool:
    return bool(page.evaluate("document.activeElement.matches('.maplibregl-canvas')"))


def test_a_place_is_set_at_the_middle_of_the_map_with_keys(page: Any) -> None:
    opened(page, "/#at=12/47.14000/9.51000")
    page.focus("#reach button")
    page.keyboard.press("Enter")
    assert on_the_map(page), "whoever came by keys goes on to the map"
    assert page.is_visible(".map-cross")
    assert "Enter takes the place at the cross" in page.inner_text("#reach [data-hint]")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "within+20+minutes+of+9.51000%2C+47.14000" in url)
    assert page.evaluate("document.activeElement.closest('#reach') !== null"), "and comes back"
    assert not page.is_visible(".map-cross")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "within" not in url)
    page.focus("#layers summary")
    page.keyboard.press("Enter")
    page.focus("#rings")
    page.keyboard.press("Space")
    assert on_the_map(page)
    page.keyboard.press("Escape")
    assert not page.is_checked("#rings")
    assert page.get_attribute("#layers", "open") is not None, "Escape ends the tool first"
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "rings=" in url)


def test_an_outline_is_drawn_with_keys(page: Any) -> None:
    opened(page, "/#at=12/47.14000/9.51000")
    page.focus("#lasso button")
    page.keyboard.press("Enter")
    assert on_the_map(page)
    for corners, key in enumerate(("Enter", "ArrowRight", "ArrowDown", "ArrowRight"), 1):
        page.keyboard.press(key)
        if key != "Enter":
            page.keyboard.press("Enter")  # set where the map comes to rest
        page.wait_for_selector(f"#lasso[data-corners='{corners}']")
    assert page.is_visible("#lasso [data-done]")
    page.keyboard.press("Backspace")
    page.wait_for_selector("#lasso[data-corners='3']")
    page.keyboard.press("Escape")
    page.wait_for_selector("#lasso [data-hint]", state="hidden")
    assert page.evaluate("document.activeElement.matches('#lasso button')")
    page.keyboard.press("Enter")
    for corners, key in enumerate(("Enter", "ArrowRight", "ArrowDown"), 1):
        page.keyboard.press(key)
        if key != "Enter":
            page.keyboard.press("Enter")
        page.wait_for_selector(f"#lasso[data-corners='{corners}']")
    page.focus("#lasso [data-done]")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "in+polygon" in url)
    assert page.evaluate("document.activeElement.matches('#lasso button:not([data-done])')"), "the other one is gone"
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "in+polygon" not in url)
    page.keyboard.press("Enter")
    for corners, key in enumerate(("Enter", "ArrowRight", "ArrowDown"), 1):
        page.keyboard.press(key)
        if key != "Enter":
            page.keyboard.press("Enter")
        page.wait_for_selector(f"#lasso[data-corners='{corners}']")
    page.keyboard.press("Enter")  # a second time on the last corner
    page.wait_for_url(lambda url: "in+polygon" in url)
