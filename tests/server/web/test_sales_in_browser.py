"""The sales core as its users meet it: from a form to the visit, two people at once, through somebody's eyes."""

import re
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Account
from server.accounts.queries import today_of
from server.auth.access import scope_of, system_scope
from server.auth.models import Role, User
from server.auth.queries import user_by_login
from server.auth.service import create_user, set_working_day
from server.demands.models import VisitDemand
from server.kit.database import transaction
from server.kit.settings import settings
from server.leads import forms, jobs, rules
from server.leads.models import Lead
from server.opportunities import pipelines, service
from server.plans import jobs as planning
from server.products import service as products
from server.products.queries import Customer
from server.tickets import queues
from tests.server.leads.test_forms import WISH
from tests.server.web.conftest import PASSWORD, signed_in

pytestmark = pytest.mark.browser
NEAR_THE_REP = """async (path) => {
    const { api } = await import("/static/js/app.js");
    await api("PUT", path, { lon: 9.521, lat: 47.141 });
}"""
"""Without a region the map shows the world; the visit must be within a day's drive."""


@pytest.fixture
def shop(company: None) -> str:
    """A form, a rule for points, a pipeline, a priced product, a queue, Rita with a home; the form's key."""
    with transaction() as session:
        ada, rita = (user_by_login(session, login) for login in ("ada", "rita"))
        assert isinstance(ada, User)
        assert isinstance(rita, User)
        scope = scope_of(session, ada, source="web")
        day = {"home": (9.52, 47.14), "home_name": "Home", "shift_start": time(8), "shift_end": time(17)}
        set_working_day(session, rita.id, day | {"weekdays": list(range(7))})
        rules.save_points(session, scope, {"sentence": "Wrote to us", "condition": "source = form", "points": 40})
        pipelines.create_usual(session)
        retail = products.create_list(session, {"name": "Retail", "currency": settings().currency})
        products.use_list(session, retail.id, [Customer()])
        tax = products.tax_class(session, "standard")
        products.set_rate(session, tax.id, "", today_of(scope) - timedelta(days=999), "8.1")
        coffee = products.create(session, {"number": "P-1", "name": "Coffee", "tax_class_id": tax.id})
        products.set_price(session, retail.id, coffee.id, "12.50")
        queue = {"name": "Service", "hours": "24/7", "form_is_open": True, "assignment": "territory"}
        queues.create(session, scope, queue)
        asked = [*WISH["fields"], {"name": "person", "is_required": True}]
        return forms.create(session, WISH | {"origins": [], "fields": asked}).key


def the_lead() -> Lead:
    with transaction() as session:
        return session.scalars(select(Lead)).one()


def a_lead_comes_in(page: Any, key: str) -> None:
    """A visitor fills in the form of somebody's page."""
    page.goto(f"/f/{key}?utm_source=ads")
    page.fill("[name=company]", "Weinhandel Zech AG")
    page.fill("[name=person]", "Eva Zech")
    page.fill("[name=emails]", "eva@zech.li")
    page.fill("[name=message]", "We need a supplier.")
    page.check("[name=consent]")
    page.click("button")
    page.wait_for_selector("text=Thank you, we call you.")


def is_converted(page: Any) -> None:
    """The lead is placed, given to Rita, scored, qualified and becomes account, contact and deal."""
    page.goto("/leads")
    page.get_by_role("link", name="Weinhandel Zech AG").click()
    page.wait_for_selector("#score .reasons >> text=Wrote to us")
    page.wait_for_selector("#lead-map[data-ready=true]")
    page.get_by_role("button", name="Place the pin by hand").click()
    page.locator("#lead-map .maplibregl-canvas").click(position={"x": 150, "y": 120})
    page.wait_for_selector("text=The pin is placed by hand.")
    page.evaluate(NEAR_THE_REP, f"/api/v1/leads/{page.url.rsplit('/', 1)[1]}/pin")
    page.reload()
    page.select_option("select[name=owner_id]", label="Rita Frick")
    page.get_by_role("button", name="Assign").click()
    page.wait_for_selector("text=Assigned to Rita Frick")
    page.get_by_role("button", name="Qualify").click()
    page.wait_for_selector("#convert [name=deal]:checked")
    page.get_by_role("button", name="Convert to an account").click()
    page.wait_for_url(re.compile("/accounts/[0-9a-f-]{36}"))


def is_quoted_and_won(page: Any, deal: str) -> None:
    """A quote from the deal, the deal won, the quote made an order."""
    page.goto(deal)
    page.click("#trade-of-deal button:has-text('Quote')")
    page.wait_for_url(re.compile("/orders/[0-9a-f-]{36}"))
    page.fill("#code", "P-1")
    page.fill("#much", "4")
    page.click(".add-line > button")
    page.wait_for_selector("#total:has-text('54.05')")
    page.click("#step-place button")
    page.wait_for_selector("#step-order button")
    quote = page.url
    page.goto(deal)
    page.locator("header.top .actions button", has_text="Won").click()
    page.wait_for_selector("#move-sheet[open] button.primary")
    page.fill("#f-amount", "50")
    page.select_option("#f-reason", "Quality")
    page.click("#move-sheet button.primary")
    page.wait_for_selector(".stage-bar .won")
    page.goto(quote)
    page.click("#step-order button")
    page.wait_for_selector("#step-place button")
    page.click("#step-place button")
    page.wait_for_selector("#step-confirm button")


def test_a_form_becomes_a_deal_an_order_a_ticket_and_a_stop_that_says_why(
    shop: str, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "LEAST", timedelta(0))
    a_lead_comes_in(page, shop)
    jobs.take_care(lead_id=str(the_lead().id))
    is_converted(page)
    lead = the_lead()
    assert None not in (lead.account_id, lead.contact_id, lead.opportunity_id)
    is_quoted_and_won(page, f"/pipeline/deals/{lead.opportunity_id}")

    page.goto(f"/tickets/new?account={lead.account_id}")
    page.fill("#f-subject", "The first delivery is cold")
    page.fill("#f-body", "Please look at it.")
    page.click("main button.primary")
    page.wait_for_url(re.compile("/tickets/[0-9a-f-]{36}$"))
    page.click("text=Request visit >> nth=0")
    page.check("[name=mandatory]")
    page.click("text=Ask for a visit")
    page.wait_for_url(re.compile("/tickets/[0-9a-f-]{36}$"))
    with transaction() as session:
        demand = session.scalars(select(VisitDemand)).one()
        assert demand.account_id == lead.account_id

    page.goto("/plans")
    page.select_option("select[name=days]", "2")
    page.click("text=Compute plan")
    page.wait_for_selector("text=Waiting for a worker")
    planning.compute(page.url.rsplit("/", 1)[1])
    page.wait_for_selector("#board[data-ready]", timeout=60_000)
    for day in page.locator("#board-days button").all():
        day.click()
        block = page.locator(".block", has_text="Weinhandel Zech AG")
        if block.count():
            block.first.click()
            break
    page.wait_for_selector("#stop-card:has-text('The first delivery is cold')")

    page.goto(f"/accounts/{lead.account_id}")
    page.wait_for_selector("#tickets >> text=The first delivery is cold")
    page.wait_for_selector("#trade >> text=/^O-/ >> nth=0")


def test_two_people_edit_an_account_at_once(page: Any, chromium: Any, live_server: str) -> None:
    with transaction() as session:
        create_user(session, login="olga", name="Olga Ott", role=Role.ADMIN, password=PASSWORD)
        account = session.scalars(select(Account).where(Account.name == "Garage Beck")).one().id
    other = signed_in(chromium, live_server, "olga").new_page()
    for tab in (page, other):
        tab.goto(f"/accounts/{account}")
        tab.click("#facts >> text=Edit")
        tab.wait_for_selector("#f-phone")
    page.fill("#f-phone", "+423 1111111")
    page.click("#facts button.primary")
    page.wait_for_selector("#facts a[href^='tel:']")
    other.fill("#f-email", "info@beck.li")
    other.click("#facts button.primary")
    other.wait_for_selector("#facts >> text=info@beck.li")
    assert "111" in other.inner_text("#facts"), "what the first one saved is kept"

    for tab in (page, other):
        tab.goto(f"/accounts/{account}")
        tab.click("#facts >> text=Edit")
        tab.wait_for_selector("#f-phone")
    page.fill("#f-phone", "+423 2222222")
    page.click("#facts button.primary")
    page.wait_for_selector("#facts a[href*='222']")
    other.fill("#f-phone", "+423 3333333")
    other.click("#facts button.primary")
    other.wait_for_selector("#facts .clash")
    assert {"222", "333"} <= set(re.findall(r"222|333", other.inner_text("#facts .clash")))
    assert 0 < other.locator("#facts .note.warn").bounding_box()["y"] < 800, "it is looked at from there"
    other.check("[name=choose-phone][value=theirs]")
    other.click("#facts button.primary")
    other.wait_for_selector("#facts a[href*='222']")


def test_two_people_edit_a_deal_at_once(page: Any, chromium: Any, live_server: str) -> None:
    with transaction() as session:
        ada = user_by_login(session, "ada")
        assert isinstance(ada, User)
        pipelines.create_usual(session)
        create_user(session, login="olga", name="Olga Ott", role=Role.ADMIN, password=PASSWORD)
        account = session.scalars(select(Account).where(Account.name == "Garage Beck")).one().id
        soon = today_of(system_scope()) + timedelta(days=9)
        wish = {"name": "Lift", "account_id": account, "amount": "900", "close_on": soon}
        wish |= {"next_step": "Call", "next_step_on": soon}
        deal = service.create(session, scope_of(session, ada, source="web"), service.NewDeal(wish)).id
    other = signed_in(chromium, live_server, "olga").new_page()

    def begin() -> None:
        for tab in (page, other):
            tab.goto(f"/pipeline/deals/{deal}")
            tab.click("#facts >> text=Edit")
            tab.wait_for_selector("#f-next_step")

    begin()
    page.fill("#f-next_step", "Send the drawing")
    page.click("#facts button.primary")
    page.wait_for_selector("text=Send the drawing")
    other.fill("#f-amount", "950")
    other.click("#facts button.primary")
    other.wait_for_selector("#facts >> text=950")
    assert "Send the drawing" in other.inner_text("#deal"), "what the first one saved is kept"

    begin()
    page.fill("#f-amount", "1000")
    page.click("#facts button.primary")
    page.wait_for_selector("#facts >> text=1,000")
    other.fill("#f-amount", "1100")
    other.click("#facts button.primary")
    other.wait_for_selector("#facts .clash")
    assert "1000" in other.inner_text("#facts .clash").replace(",", "")
    other.check("[name=choose-amount][value=mine]")
    other.click("#facts button.primary")
    other.wait_for_selector("#facts >> text=1,100")


def test_an_admin_looks_through_a_reps_eyes_and_changes_nothing(page: Any, chromium: Any, live_server: str) -> None:
    with transaction() as session:
        rita = user_by_login(session, "rita")
        assert isinstance(rita, User)
        mine = session.scalars(select(Account).where(Account.name == "Hotel Zech")).one()
        mine.owner_id = rita.id
        key = rita.id
    own = signed_in(chromium, live_server, "rita").new_page()
    own.goto("/accounts")
    seen = own.locator("td.col-name").all_inner_texts()
    page.goto(f"/users/{key}")
    page.get_by_role("button", name="View as").click()
    page.wait_for_selector(".viewing >> text=Rita Frick")
    page.goto("/accounts")
    assert page.locator("td.col-name").all_inner_texts() == seen
    assert page.locator("nav.rail a[href='/users']").count() == own.locator("nav.rail a[href='/users']").count()
    page.click("td.col-name a >> nth=0")
    page.wait_for_url("**/accounts/0*")
    page.click("#facts >> text=Edit")
    page.fill("#f-phone", "+423 4444444")
    page.click("#facts button.primary")
    page.wait_for_selector("text=Nothing can be changed")
    page.wait_for_selector("[role=alert]")
    with transaction() as session:
        assert session.scalars(select(Account.id).where(Account.phone.contains("444"))).all() == []
    page.click("text=Stop viewing")
    page.wait_for_selector(".viewing", state="detached")
