"""Pages of deals: who sees them, the board, a move that asks, the list that changes many, stages that stay."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.accounts.queries import today_of
from server.auth.access import system_scope
from server.auth.models import Role, User
from server.opportunities import pipelines, queries, service, snapshots
from server.opportunities.models import Opportunity, Stage
from server.opportunities.service import NewDeal
from server.products import service as catalogue
from server.products.queries import Customer
from tests.server.web.conftest import token_in

PAGES = (
    "/pipeline", "/pipeline/list", "/pipeline/map", "/pipeline/new", "/pipeline/settings", "/forecast",
    "/forecast?by=team&span=month", "/forecast?by=territory", "/forecast?by=sales_region", "/forecast/changes",
    "/forecast/changes?measure=weighted&span=quarter", "/forecast/accuracy", "/forecast/accuracy?span=month&weeks=2",
)  # fmt: skip


@pytest.fixture
def stages(session: Session) -> dict[str, Stage]:
    """The usual pipeline's stages by name."""
    pipeline = pipelines.create_usual(session)
    return {stage.name: stage for stage in queries.stages(session, pipeline.id)}


@pytest.fixture
def deal(session: Session, stages: dict[str, Stage], make_account: Callable[..., Account], rita: User) -> Opportunity:
    """A deal of Rita's."""
    return open_deal(session, make_account("Amann", rita), rita)


@pytest.fixture
def rita(make_user: Callable[..., User]) -> User:
    """A rep."""
    return make_user("rita", Role.REP)


def open_deal(session: Session, account: Account, owner: User, name: str = "Oven") -> Opportunity:
    today = today_of(system_scope())
    fields: dict[str, Any] = {
        "name": name, "account_id": account.id, "owner_id": owner.id, "amount": Decimal(1000),
        "close_on": today + timedelta(days=10), "next_step": "Call", "next_step_on": today,
    }  # fmt: skip
    return service.create(session, system_scope(), NewDeal(fields))


def test_a_stranger_is_sent_to_the_door(client_for: Callable[..., TestClient]) -> None:
    client = client_for(None)
    for path in PAGES:
        answer = client.get(path, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), path


def test_somebody_elses_deal_has_no_page(
    browser_of: Callable[..., TestClient], make_user: Callable[..., User], deal: Opportunity
) -> None:
    otto = browser_of(make_user("otto", Role.REP))
    for path in ("", "/edit", "/move?stage=" + str(deal.stage_id)):
        assert otto.get(f"/pipeline/deals/{deal.id}{path}").status_code == 404
    assert "Oven" not in otto.get("/pipeline").text
    assert otto.get("/pipeline/settings").status_code == 403


def test_every_page_shows_with_deals_and_without(
    browser_of: Callable[..., TestClient], make_user: Callable[..., User], session: Session
) -> None:
    ada = browser_of(make_user("ada"))
    for path in PAGES:
        assert ada.get(path).status_code == 200, path
    assert "There is no pipeline yet" in ada.get("/pipeline").text
    begun = ada.post("/pipeline/settings/usual", data={"_csrf": token_in(ada.get("/pipeline").text)})
    assert begun.headers["location"] == "/pipeline"
    assert "Negotiate" in ada.get("/pipeline").text


def test_the_pages_show_a_deal_and_what_it_adds_up_to(
    session: Session, browser_of: Callable[..., TestClient], rita: User, deal: Opportunity
) -> None:
    snapshots.take(session)
    client = browser_of(rita)
    for path in PAGES:
        if path != "/pipeline/settings":
            assert client.get(path).status_code == 200, path
    board = client.get("/pipeline").text
    assert "Oven" in board
    assert "1,000 EUR" in board
    assert "Oven" in client.get("/pipeline/list").text
    assert "Oven" not in client.get("/pipeline/list?filter=state+%3D+won").text
    page = client.get(f"/pipeline/deals/{deal.id}").text
    assert "Call" in page
    assert "Oven" in client.get(f"/accounts/{deal.account_id}").text
    wrong = client.get("/pipeline?filter=colour+%3D+red")
    assert (wrong.status_code, "there is no field" in wrong.text) == (422, True)


def test_a_deal_is_opened_from_an_accounts_page(
    browser_of: Callable[..., TestClient], rita: User, deal: Opportunity, session: Session
) -> None:
    client = browser_of(rita)
    form = client.get(f"/pipeline/new?account={deal.account_id}").text
    sent = {
        "_csrf": token_in(form), "account_id": str(deal.account_id), "name": "Mixer", "amount": "250",
        "currency": "EUR", "close_on": "2030-01-15", "next_step": "",
    }  # fmt: skip
    refused = client.post("/pipeline/new", data=sent)
    assert refused.status_code == 422
    assert "Next step: is missing." in refused.text
    assert 'value="Mixer"' in refused.text
    done = client.post("/pipeline/new", data=sent | {"next_step": "Call", "next_step_on": "2029-12-01"})
    assert done.status_code == 303
    assert "Mixer" in client.get(done.headers["location"]).text


def test_the_sheet_asks_for_exactly_what_is_missing(
    browser_of: Callable[..., TestClient], rita: User, deal: Opportunity, stages: dict[str, Stage]
) -> None:
    client = browser_of(rita)
    sheet = client.get(f"/pipeline/deals/{deal.id}/move?stage={stages['Quote'].id}").text
    assert 'name="source"' in sheet
    assert 'name="amount"' not in sheet
    sent = {"_csrf": token_in(sheet), "rev": deal.rev, "stage_id": str(stages["Quote"].id), "source": "Visit"}
    done = client.post(f"/pipeline/deals/{deal.id}/move", data=sent)
    assert (done.status_code, done.headers["hx-trigger"]) == (204, "deal-moved")
    assert "Visit" in client.get(f"/pipeline/deals/{deal.id}").text


def test_two_people_who_edit_one_field_see_both_values(
    session: Session, browser_of: Callable[..., TestClient], rita: User, deal: Opportunity
) -> None:
    client = browser_of(rita)
    form = client.get(f"/pipeline/deals/{deal.id}/edit").text
    service.edit(session, system_scope(), deal.id, deal.rev, {"amount": "1200"})
    sent = {"_csrf": token_in(form), "rev": 1, "name": "Oven", "amount": "1500", "currency": "EUR"}
    clash = client.post(f"/pipeline/deals/{deal.id}/edit", data=sent)
    assert clash.status_code == 412
    assert "1500.00" in clash.text
    assert "1200.00" in clash.text


def test_many_deals_are_changed_and_those_that_stay_are_named(
    session: Session, browser_of: Callable[..., TestClient], rita: User, deal: Opportunity, stages: dict[str, Stage],
    make_account: Callable[..., Account],
) -> None:  # fmt: skip
    other = open_deal(session, make_account("Beck", rita), rita, "Mixer")
    client = browser_of(rita)
    token = token_in(client.get("/pipeline/list").text)
    picked = [f"{one.id}:{one.rev}" for one in (deal, other)]
    service.edit(session, system_scope(), other.id, other.rev, {"amount": None})
    picked[1] = f"{other.id}:{other.rev}"
    answer = client.post("/pipeline/list", data={"_csrf": token, "deal": picked, "stage_id": str(stages["Needs"].id)})
    assert "1 deal changed." in answer.text
    assert "Mixer" in answer.text
    assert "wants to know: Amount" in answer.text


def test_a_stage_with_deals_offers_where_they_go(
    browser_of: Callable[..., TestClient], make_user: Callable[..., User], deal: Opportunity, stages: dict[str, Stage],
    session: Session,
) -> None:  # fmt: skip
    ada = browser_of(make_user("ada"))
    page = ada.get("/pipeline/settings").text
    assert "Move its 1 deal to" in page
    sent = {
        "_csrf": token_in(page), "pipeline_id": str(deal.pipeline_id), "stage_id": str(deal.stage_id), "remove": "1",
    }  # fmt: skip
    refused = ada.post("/pipeline/settings/stages", data=sent)
    assert (refused.status_code, "1 deals stand in" in refused.text) == (409, True)
    assert ada.post("/pipeline/settings/stages", data=sent | {"move_to": str(stages["Needs"].id)}).status_code == 303
    session.refresh(deal)
    assert deal.stage_id == stages["Needs"].id


def test_lines_add_up_and_a_call_is_kept(
    browser_of: Callable[..., TestClient], rita: User, deal: Opportunity, session: Session
) -> None:
    client = browser_of(rita)
    token = token_in(client.get(f"/pipeline/deals/{deal.id}").text)
    row = {"line_name": ["Oven", ""], "line_quantity": ["2", ""], "line_unit_price": ["600", ""],
           "line_discount": ["10", ""], "line_tax_class_id": ["", ""]}  # fmt: skip
    answer = client.post(f"/pipeline/deals/{deal.id}/lines", data={"_csrf": token, "rev": deal.rev, **row})
    assert answer.status_code == 303, answer.text
    session.refresh(deal)
    assert deal.amount == Decimal("1080.00")
    shown = client.get(answer.headers["location"]).text
    assert "1,080.00" in shown, "what the lines add up to"
    assert "replaces it by their sum" not in shown
    wrong = row | {"line_unit_price": ["", ""], "line_discount": ["a lot", ""]}
    refused = client.post(f"/pipeline/deals/{deal.id}/lines", data={"_csrf": token, "rev": deal.rev, **wrong})
    assert refused.status_code == 422
    for kept in ('value="Oven"', 'value="a lot"', '<details class="refuse" open>'):
        assert kept in refused.text
    fine = row | {"line_discount": ["110", ""]}
    refused = client.post(f"/pipeline/deals/{deal.id}/lines", data={"_csrf": token, "rev": deal.rev, **fine})
    assert "Line 1: Discount: 110 cannot be." in refused.text
    assert "A number from 0 to 100." in refused.text
    wrong["line_discount"] = ["", ""]
    refused = client.post(f"/pipeline/deals/{deal.id}/lines", data={"_csrf": token, "rev": deal.rev, **wrong})
    assert "Line 1: “Oven” is no product of the catalogue, and has no price." in refused.text
    page = client.get("/forecast").text
    first = page.split('name="period" value="')[1].split('"')[0]
    sent = {"_csrf": token, "user_id": str(rita.id), "span": "quarter", "period": first, "amount": "4321"}
    assert client.post("/forecast", data=sent).status_code == 303
    assert "4,321" in client.get("/forecast").text


def test_a_product_is_chosen_by_typing_and_costs_what_the_accounts_list_says(
    browser_of: Callable[..., TestClient], rita: User, deal: Opportunity, session: Session
) -> None:
    prices = catalogue.create_list(session, {"name": "Retail", "currency": deal.currency})
    catalogue.use_list(session, prices.id, [Customer()])
    tax = catalogue.tax_class(session, "standard")
    oven = catalogue.create(session, {"number": "P-1", "name": "Oven", "tax_class_id": tax.id})
    for price, least in (("600", 1), ("500", 10)):
        catalogue.set_price(session, prices.id, oven.id, price, least)
    client, path = browser_of(rita), f"/pipeline/deals/{deal.id}"
    offered = client.get(f"{path}/products", params={"line_name": "p-1"}).text
    assert 'value="Oven (P-1)"' in offered
    assert f"600.00 {deal.currency}" in offered
    token = token_in(client.get(path).text)
    row = {"line_name": ["Oven (P-1)", "Oven (P-1)", "Fitting"], "line_quantity": ["1", "10", "1"],
           "line_unit_price": ["", "", "90"], "line_discount": ["", "", ""],
           "line_tax_class_id": ["", "", ""]}  # fmt: skip
    answer = client.post(f"{path}/lines", data={"_csrf": token, "rev": deal.rev, **row})
    assert answer.status_code == 303, answer.text
    lines = queries.lines_of(session, [deal.id])
    assert [(one.name, one.product_id, one.unit_price) for one in lines] == [
        ("Oven", oven.id, 600), ("Oven", oven.id, 500), ("Fitting", None, 90),
    ]  # fmt: skip
    shown = client.get(path).text
    assert 'value="Oven (P-1)"' in shown, "written again, it stays of its product"
    assert "list Retail, from 10" in shown, "why it costs that"
    session.refresh(deal)
    row = {name: [sent[0]] for name, sent in row.items()} | {"line_unit_price": ["580"]}
    assert client.post(f"{path}/lines", data={"_csrf": token, "rev": deal.rev, **row}).status_code == 303
    assert "agreed here; otherwise 600" in client.get(path).text
    session.refresh(deal)
    half = row | {"line_quantity": ["2,5"], "line_discount": ["0,125"], "_csrf": token, "rev": deal.rev}
    assert client.post(f"{path}/lines", data=half).status_code == 303
    german = client.get(path, headers={"accept-language": "de"}).text
    for typed in ('value="2,5"', 'value="0,125"', 'value="580"', "1.448,19 " + deal.currency):
        assert typed in german
    sent = {"_csrf": token, "account_id": str(deal.account_id), "opportunity_id": str(deal.id), "kind": "quote"}
    refused = client.post("/orders/new", data=sent)
    assert (refused.status_code, deal.name in refused.text) == (422, True)
    assert "in steps of 1" in refused.text, "said on the deal, where the lines are"
