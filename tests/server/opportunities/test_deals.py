"""Deals: who sees them, what they need, what happens when two people change them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.queries import today_of
from server.auth.access import system_scope
from server.fields import service as own
from server.kit import clock
from server.opportunities import moving, queries, rates, service
from server.opportunities.models import Opportunity, StageChange, State
from server.records.models import FieldHistory
from tests.server.opportunities.conftest import DEALS, NOBODY, body


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    nobody = client_for(None)
    for method, path in [
        ("get", DEALS), ("post", DEALS), ("get", f"{DEALS}/fields"), ("get", f"{DEALS}/export.csv"),
        ("post", f"{DEALS}/bulk"), ("get", f"{DEALS}/{NOBODY}"), ("patch", f"{DEALS}/{NOBODY}"),
        ("post", f"{DEALS}/{NOBODY}/move"), ("put", f"{DEALS}/{NOBODY}/lines"), ("delete", f"{DEALS}/{NOBODY}"),
        ("post", f"{DEALS}/{NOBODY}/restore"), ("get", "/tiles/opportunities/8/134/89"),
        ("get", f"/tiles/opportunities/accounts/8/134/89?pipeline={NOBODY}"),
        ("get", f"/api/v1/pipelines/{NOBODY}/board"),
    ]:  # fmt: skip
        assert getattr(nobody, method)(path).status_code == 401, path


def test_somebody_elses_deal_does_not_exist(clients: Any, make_deal: Any, make_account: Any, stages: Any) -> None:
    deal = make_deal("Oven", make_account("Amann", (9.2, 47.1)))
    otto, match = clients["otto"], {"If-Match": f'"{deal.rev}"'}
    assert otto.get(DEALS).json()["items"] == []
    assert otto.get(f"{DEALS}/{deal.id}").status_code == 404
    assert otto.patch(f"{DEALS}/{deal.id}", json={"name": "x"}, headers=match).status_code == 404
    move = {"stage_id": str(stages["Needs"].id)}
    assert otto.post(f"{DEALS}/{deal.id}/move", json=move, headers=match).status_code == 404
    assert otto.put(f"{DEALS}/{deal.id}/lines", json={"lines": []}, headers=match).status_code == 404
    assert otto.delete(f"{DEALS}/{deal.id}", headers=match).status_code == 404
    assert otto.post(f"{DEALS}/{deal.id}/restore").status_code == 404
    assert "Oven" not in otto.get(f"{DEALS}/export.csv").text
    board = otto.get(f"/api/v1/pipelines/{deal.pipeline_id}/board").json()
    assert [column["total"]["count"] for column in board["columns"]] == [0] * 6
    assert otto.post(DEALS, json=body(AccountOf(deal))).status_code == 404
    assert [one["name"] for one in clients["rita"].get(DEALS).json()["items"]] == ["Oven"]


class AccountOf:
    """Only the id of a deal's account."""

    def __init__(self, deal: Opportunity) -> None:
        self.id = deal.account_id


def test_a_person_sees_the_deals_that_they_own_wherever_the_account_is(
    clients: Any, people: Any, make_deal: Any, make_account: Any
) -> None:
    make_deal("Oven", make_account("Amann", (9.2, 47.1)), owner_id=people["otto"].id)
    assert [one["name"] for one in clients["otto"].get(DEALS).json()["items"]] == ["Oven"]


def test_a_deal_is_opened_with_a_next_step_and_read_back(clients: Any, make_account: Any, stages: Any) -> None:
    account = make_account("Amann", (9.2, 47.1))
    answer = clients["rita"].post(DEALS, json=body(account))
    assert answer.status_code == 201, answer.text
    deal = answer.json()
    assert (deal["stage"], deal["amount"], deal["probability"], deal["category"]) == (
        "Qualify", "1200.50", "0.100", "pipeline",
    )  # fmt: skip
    assert deal["owner_name"] == "Rita"
    assert [(one["from_stage"], one["to_stage"]) for one in deal["steps"]] == [(None, "Qualify")]
    assert answer.headers["etag"] == f'"{deal["rev"]}"'


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"next_step": None}, "next_step_missing", "next_step"),
        ({"next_step_on": None}, "next_step_missing", "next_step_on"),
        ({"amount": "-5"}, "invalid", "amount"),
        ({"amount": "NaN"}, "invalid", None),
        ({"currency": "EURO"}, "invalid", "currency"),
        ({"probability": "1.5"}, "invalid", "probability"),
        ({"category": "sure"}, "invalid", "category"),
        ({"source": "Dream"}, "invalid", "source"),
        ({"owner_id": str(NOBODY)}, "invalid", "owner_id"),
        ({"site_id": str(NOBODY)}, "invalid", "site_id"),
        ({"name": "  "}, "invalid", "name"),
    ],
)
def test_a_deal_that_makes_no_sense_is_refused_by_field(
    clients: Any, make_account: Any, stages: Any, change: dict[str, Any], code: str, field: str | None
) -> None:
    answer = clients["rita"].post(DEALS, json=body(make_account("Amann", (9.2, 47.1)), **change))
    assert answer.status_code == 422
    assert answer.json()["code"] == code
    assert answer.json().get("field") == field


def test_without_a_pipeline_the_answer_says_what_to_do(clients: Any, make_account: Any) -> None:
    answer = clients["rita"].post(DEALS, json=body(make_account("Amann", (9.2, 47.1))))
    assert (answer.status_code, answer.json()["code"]) == (409, "no_pipeline")


def test_two_people_who_edit_different_fields_both_win(clients: Any, make_deal: Any) -> None:
    deal = make_deal("Oven")
    match, path = {"If-Match": f'"{deal.rev}"'}, f"{DEALS}/{deal.id}"
    assert clients["rita"].patch(path, json={"amount": "1500"}, headers=match).status_code == 200
    both = clients["mona"].patch(path, json={"note": "Urgent"}, headers=match)
    assert (both.json()["amount"], both.json()["note"]) == ("1500.00", "Urgent")
    clash = clients["mona"].patch(path, json={"amount": "1600"}, headers=match)
    assert (clash.status_code, clash.json()["code"]) == (412, "changed_meanwhile")
    (one,) = clash.json()["conflicts"]
    assert (one["field"], one["base"], one["yours"], one["stored"]) == ("amount", "1000.00", "1600.00", "1500.00")


def test_a_changed_currency_is_a_named_outcome_that_keeps_both_amounts(
    session: Any, clients: Any, make_deal: Any
) -> None:
    deal = make_deal("Oven")
    path, match = f"{DEALS}/{deal.id}", {"If-Match": f'"{deal.rev}"'}
    alone = clients["rita"].patch(path, json={"currency": "CHF"}, headers=match)
    assert (alone.status_code, alone.json()["code"]) == (422, "currency_without_amount")
    done = clients["rita"].patch(path, json={"currency": "CHF", "amount": "950"}, headers=match)
    assert done.json()["notes"] == [
        {
            "code": "currency_changed", "message": "The amount was 1000.00 EUR and is 950.00 CHF now.",
            "old": "1000.00 EUR", "new": "950.00 CHF",
        }
    ]  # fmt: skip
    kept = session.scalars(select(FieldHistory).where(FieldHistory.row_id == deal.id, FieldHistory.field == "currency"))
    assert [(one.old, one.new) for one in kept] == [("EUR", "CHF")]


def test_currencies_without_a_rate_stand_apart_and_are_never_added_up(
    session: Any, clients: Any, make_deal: Any
) -> None:
    make_deal("Oven")
    make_deal("Mixer", amount=Decimal(500), currency="CHF")
    total = clients["ada"].get(DEALS).json()["sum"]
    assert (total["count"], total["amount"], total["apart"]) == (2, "1000.00", {"CHF": "500.00"})
    today = today_of(system_scope())
    rates.set_rate(session, "CHF", today - timedelta(days=10), "1.1")
    rates.set_rate(session, "CHF", today + timedelta(days=10), "9")
    total = clients["ada"].get(DEALS).json()["sum"]
    assert (total["amount"], total["weighted"], total["apart"]) == ("1550.00", "155.00", {})
    assert total["rates"] == {"CHF": "1.10000000"}, "what is added up says by which rate"
    rates.set_rate(session, "CHF", today - timedelta(days=40), "2")
    won = make_deal("Fridge", amount=Decimal(100), currency="CHF")
    won.state, won.closed_at = State.WON, clock.now() - timedelta(days=20)
    session.flush()
    total = clients["ada"].get(DEALS).json()["sum"]
    assert (total["amount"], total["rates"], total["several"]) == ("1750.00", {}, ["CHF"]), "no rate stands for two"


def test_a_deleted_deal_is_gone_everywhere_and_comes_back(clients: Any, make_deal: Any) -> None:
    deal = make_deal("Oven")
    rita = clients["rita"]
    assert rita.delete(f"{DEALS}/{deal.id}", headers={"If-Match": f'"{deal.rev}"'}).status_code == 204
    assert rita.get(DEALS).json()["items"] == []
    assert rita.post(f"{DEALS}/{deal.id}/restore").json()["name"] == "Oven"


def test_the_steps_of_a_deal_are_happenings_of_its_account(session: Any, make_deal: Any, stages: Any) -> None:
    deal = make_deal("Oven")
    moving.move(session, system_scope(), deal.id, stages["Lost"].id, deal.rev, {"reason": "Price"})
    ids = select(Opportunity.account_id)
    rows = session.execute(queries.happenings(system_scope(), ids).order_by("at")).all()
    assert [(row.kind, row.title, row.body) for row in rows] == [
        ("stage", "Oven: Qualify", None),
        ("stage", "Oven: Qualify → Lost", "Price"),
    ]
    assert session.scalars(select(StageChange)).all()[0].account_id == deal.account_id


def test_a_deleted_deal_lies_in_the_bin_of_those_who_may_write_it(
    session: Any, scope: Any, people: Any, make_deal: Any
) -> None:
    deal = make_deal("Oven")
    service.delete(session, system_scope(), deal.id, deal.rev)
    assert [row.title for row in session.execute(queries.in_bin(scope(people["rita"])))] == ["Oven"]
    assert session.execute(queries.in_bin(scope(people["otto"]))).all() == []


def test_own_fields_of_the_company_are_checked_and_kept(session: Any, clients: Any, make_deal: Any) -> None:
    own.add(session, "opportunity", {"label": "Seats", "kind": "number"})
    deal = make_deal("Oven", custom={"seats": "12"})
    assert deal.custom == {"seats": 12}
    match = {"If-Match": f'"{deal.rev}"'}
    wrong = clients["rita"].patch(f"{DEALS}/{deal.id}", json={"custom": {"chairs": 1}}, headers=match)
    assert (wrong.status_code, "chairs" in wrong.json()["detail"]) == (422, True)
    done = clients["rita"].patch(f"{DEALS}/{deal.id}", json={"custom": {"seats": 14}}, headers=match)
    assert done.json()["custom"] == {"seats": 14}
    found = clients["rita"].get(DEALS, params={"filter": "custom.seats > 13"}).json()["items"]
    assert [one["name"] for one in found] == ["Oven"]


def test_an_amount_has_the_digits_of_its_currency(clients: Any, make_deal: Any) -> None:
    deal = make_deal("Oven")
    for code, written, kept in (
        ("KWD", "1234.567", "1234.567"),
        ("EUR", "1234.565", "1234.57"),
        ("EUR", "12", "12.00"),
    ):
        rev = clients["rita"].get(f"{DEALS}/{deal.id}").json()["rev"]
        wish, match = {"amount": written, "currency": code}, {"If-Match": f'"{rev}"'}
        answer = clients["rita"].patch(f"{DEALS}/{deal.id}", json=wish, headers=match)
        assert answer.json()["amount"] == kept, answer.text
