"""A lead from the frame on somebody's page to the account, in a real browser."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from server.auth.access import scope_of
from server.auth.models import User
from server.kit.database import transaction
from server.leads import forms, jobs, rules
from server.leads.models import Lead
from tests.server.leads.test_forms import WISH

pytestmark = pytest.mark.browser


@pytest.fixture
def form_key(company: None) -> str:
    """A form that asks for a town too, and a rule for points."""
    with transaction() as session:
        ada = session.scalars(select(User).where(User.login == "ada")).one()
        points = {"sentence": "Wrote to us", "condition": "source = form", "points": 40}
        rules.save_points(session, scope_of(session, ada, source="web"), points)
        return forms.create(session, WISH | {"origins": []}).key


def the_lead() -> Lead:
    with transaction() as session:
        return session.scalars(select(Lead)).one()


def test_an_answer_in_a_frame_is_assigned_scored_qualified_and_converted(
    form_key: str, page: Any, live_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "LEAST", timedelta(0))
    page.goto("/leads")  # a page of nowhere may not show the form: it has no origin
    page.set_content(
        f'<h1>A shop</h1><iframe src="{live_server}/f/{form_key}?utm_source=ads" width="600" height="700"></iframe>'
    )
    frame = page.frame_locator("iframe")
    frame.locator("[name=company]").fill("Weinhandel Zech AG")
    frame.locator("[name=emails]").fill("eva@zech.li")
    frame.locator("[name=message]").fill("We need a supplier.")
    frame.locator("[name=consent]").check()
    frame.locator("button").click()
    frame.locator("text=Thank you, we call you.").wait_for()
    lead = the_lead()
    assert (lead.utm, lead.consented_at is not None) == ({"utm_source": "ads"}, True)
    jobs.take_care(lead_id=str(lead.id))

    page.goto("/leads")
    page.get_by_role("link", name="Weinhandel Zech AG").click()
    page.wait_for_selector("#score .reasons")
    assert page.locator("#score").inner_text().startswith("Score\n40")
    assert "Wrote to us" in page.locator("#score").inner_text()
    page.wait_for_selector("#lead-map[data-ready=true]")
    page.get_by_role("button", name="Place the pin by hand").click()
    page.locator("#lead-map .maplibregl-canvas").click(position={"x": 150, "y": 120})
    page.wait_for_selector("text=The pin is placed by hand.")

    page.get_by_role("button", name="Qualify").click()
    page.wait_for_selector("text=qualified")
    page.get_by_role("button", name="Convert to an account").click()
    page.wait_for_url(re.compile("/accounts/"))
    assert page.locator("h1").inner_text() == "Weinhandel Zech AG"
    converted = the_lead()
    assert UUID(page.url.rsplit("/", 1)[1]) == converted.account_id
    page.goto(f"/leads/{converted.id}")
    page.get_by_role("button", name="Take the conversion back").click()
    page.wait_for_selector("text=Convert to an account")


def test_a_right_click_on_the_map_offers_a_lead_there(form_key: str, page: Any) -> None:
    page.goto("/")
    page.wait_for_selector("#home[data-ready=true]", timeout=30_000)
    page.locator("#map .maplibregl-canvas").click(button="right", position={"x": 200, "y": 200})
    page.get_by_role("link", name="New lead here").click()
    page.wait_for_selector("text=The pin stands where you pointed on the map.")
    page.fill("#f-company", "Neue Bäckerei")
    page.get_by_role("button", name="Create lead").click()
    page.wait_for_url(re.compile("/leads/[0-9a-f-]{36}$"))
    assert the_lead().grade == "manual"
