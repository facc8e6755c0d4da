"""Stages of a pipeline: moving to them, closing, taking one away, and how long a deal may stay."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.auth.access import system_scope
from server.kit.errors import Invalid
from server.opportunities import moving, pipelines, queries, service
from server.opportunities.models import ChoiceKind, State
from tests.server.opportunities.conftest import DEALS


def test_a_move_names_the_fields_that_the_stage_wants_and_then_takes_them(
    clients: Any, make_deal: Any, stages: Any
) -> None:
    deal = make_deal("Oven", amount=None)
    rita, match = clients["rita"], {"If-Match": f'"{deal.rev}"'}
    wanted = {"stage_id": str(stages["Quote"].id)}
    refused = rita.post(f"{DEALS}/{deal.id}/move", json=wanted, headers=match)
    assert (refused.status_code, refused.json()["code"]) == (422, "fields_missing")
    assert refused.json()["missing"] == ["amount", "source"]
    moved = rita.post(
        f"{DEALS}/{deal.id}/move", json=wanted | {"fields": {"amount": "900", "source": "Visit"}}, headers=match
    )
    assert moved.status_code == 200, moved.text
    assert (moved.json()["stage"], moved.json()["amount"]) == ("Quote", "900.00")
    first = moved.json()["steps"][0]
    assert (first["from_stage"], first["to_stage"], first["who"], first["amount"]) == (
        "Qualify", "Quote", "Rita", "900.00",
    )  # fmt: skip


def test_closing_says_why_and_reopening_forgets_it(session: Any, make_deal: Any, stages: Any) -> None:
    deal, scope = make_deal("Oven"), system_scope()
    with pytest.raises(moving.FieldsMissing) as refused:
        moving.move(session, scope, deal.id, stages["Won"].id, deal.rev)
    assert refused.value.details["missing"] == ["reason"]
    with pytest.raises(Invalid, match="not on the list"):
        moving.move(session, scope, deal.id, stages["Won"].id, deal.rev, {"reason": "No budget"})
    moving.move(session, scope, deal.id, stages["Won"].id, deal.rev, {"reason": "Quality"})
    assert (deal.state, deal.reason) == (State.WON, "Quality")
    assert deal.closed_at is not None
    with pytest.raises(moving.FieldsMissing, match="Reason"):
        moving.move(session, scope, deal.id, stages["Lost"].id, deal.rev)
    moving.move(session, scope, deal.id, stages["Needs"].id, deal.rev)
    assert (deal.state, deal.reason, deal.closed_at) == (State.OPEN, None, None)
    assert len(queries.way_of(session, deal.id)) == 3


def test_of_two_people_who_move_the_same_card_the_second_is_told_where_it_stands(
    clients: Any, make_deal: Any, stages: Any
) -> None:
    deal = make_deal("Oven", source="Visit")
    match = {"If-Match": f'"{deal.rev}"'}
    path = f"{DEALS}/{deal.id}/move"
    assert clients["rita"].post(path, json={"stage_id": str(stages["Quote"].id)}, headers=match).status_code == 200
    second = clients["mona"].post(path, json={"stage_id": str(stages["Needs"].id)}, headers=match)
    assert (second.status_code, second.json()["code"]) == (412, "moved_meanwhile")
    assert (second.json()["stage"]["name"], second.json()["by"]) == ("Quote", "Rita")
    same = clients["mona"].post(path, json={"stage_id": str(stages["Quote"].id)}, headers=match)
    assert same.status_code == 200
    assert len(same.json()["steps"]) == 2


def test_a_stage_with_deals_is_removed_only_with_their_new_place(
    session: Any, clients: Any, make_deal: Any, stages: Any
) -> None:
    deals = [make_deal("Oven"), make_deal("Mixer")]
    path = f"/api/v1/stages/{stages['Qualify'].id}"
    refused = clients["ada"].delete(path)
    assert (refused.status_code, refused.json()["code"], refused.json()["deals"]) == (409, "deals_in_stage", 2)
    assert {one["name"] for one in refused.json()["stages"]} == {"Needs", "Quote", "Negotiate"}
    wrong = clients["ada"].delete(path, params={"move_to": str(stages["Won"].id)})
    assert wrong.status_code == 422
    assert clients["ada"].delete(path, params={"move_to": str(stages["Needs"].id)}).json() == {"moved": 2}
    for deal in deals:
        session.refresh(deal)
        assert deal.stage_id == stages["Needs"].id
        assert len(queries.way_of(session, deal.id)) == 2


def test_only_those_who_may_edit_pipelines(clients: Any, stages: Any) -> None:
    stage = f"/api/v1/stages/{stages['Quote'].id}"
    assert clients["rita"].delete(stage).status_code == 403
    assert clients["rita"].patch(stage, json={"name": "x"}).status_code == 403
    assert clients["rita"].post("/api/v1/pipelines", json={"name": "x"}).status_code == 403
    assert (
        clients["rita"]
        .put("/api/v1/exchange-rates", json={"currency": "CHF", "day": "2026-01-01", "rate": "1"})
        .status_code
        == 403
    )
    assert clients["rita"].get("/api/v1/pipelines").status_code == 200


def test_a_stage_cannot_become_won_under_its_deals(session: Any, make_deal: Any, stages: Any) -> None:
    make_deal("Oven")
    with pytest.raises(pipelines.DealsInStage):
        pipelines.edit_stage(session, stages["Qualify"].id, {"is_won": True})
    assert pipelines.edit_stage(session, stages["Qualify"].id, {"probability": "0.2"}).probability == Decimal("0.200")


def test_the_way_of_a_deal_is_only_added_to(session: Any, make_deal: Any) -> None:
    make_deal("Oven")
    for statement in ("update stage_change set amount = 1", "delete from stage_change"):
        with pytest.raises(DBAPIError, match="only added"), session.begin_nested():
            session.execute(text(statement))


def test_a_deal_rots_after_the_days_of_its_stage(session: Any, clients: Any, make_deal: Any) -> None:
    deal = make_deal("Oven")
    make_deal("Mixer")
    session.execute(
        text("update opportunity set stage_since = now() - interval '22 days' where id = :id"), {"id": deal.id}
    )
    found = clients["ada"].get(DEALS, params={"filter": "rotten = yes"}).json()["items"]
    assert [(one["name"], one["days_in_stage"], one["is_rotten"]) for one in found] == [("Oven", 22, True)]


def test_words_of_a_list_are_checked_and_a_removed_one_stays_in_its_deals(session: Any, make_deal: Any) -> None:
    word = pipelines.add_choice(session, ChoiceKind.COMPETITOR, "Acme")
    deal = make_deal("Oven", competitors=["Acme"])
    pipelines.add_choice(session, ChoiceKind.COMPETITOR, "Bolt")
    pipelines.remove_choice(session, word.id)
    with pytest.raises(Invalid, match="not on the list"):
        service.edit(session, system_scope(), deal.id, deal.rev, {"competitors": ["Acme", "Cord"]})
    assert deal.competitors == ["Acme"]
