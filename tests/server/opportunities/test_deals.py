"""Deals: who sees them, what they need, what happens when two people change them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from server.accounts.duplicates import merging
from server.accounts.queries import today_of
from server.auth.access import system_scope
from server.fields import service as own
from server.kit import clock
from server.kit.errors import Invalid
from server.opportunities import bulk, moving, pipelines, queries, rates, service, tiles
from server.opportunities.models import ChoiceKind, Opportunity, StageChange, State
from server.records.models import FieldHistory
from server.segments.catalogue import CATALOGUE

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
"""The id of no row."""
DEALS = "/api/v1/opportunities"


def body(account: Any, **more: Any) -> dict[str, Any]:
    today = today_of(system_scope())
    return {
        "name": "Oven", "account_id": str(account.id), "amount": "1200.50", "currency": "EUR",
        "close_on": str(today + timedelta(days=30)), "next_step": "Send the quote",
        "next_step_on": str(today + timedelta(days=3)),
    } | more  # fmt: skip


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


def test_sums_are_of_the_deals_that_a_list_shows(
    session: Any, make_account: Any, make_deal: Any, people: Any, scope: Any
) -> None:
    rest, gone, kept = (make_account(name, (9.2, 47.1), account_class="A") for name in ("Rest", "Gone", "Kept"))
    merged, far = make_account("Merged", (9.2, 47.1)), make_account("Far", (11.9, 47.9))
    for place in (rest, gone, merged, kept):
        make_deal(place.name, place)
    make_deal("Far", far, owner_id=people["otto"].id)
    gone.deleted_at, merged.merged_into = clock.now(), kept.id
    session.flush()
    for who in (system_scope(), scope(people["rita"]), scope(people["otto"])):
        for wish in ({}, {"filter": "amount > 5"}, {"filter": "class = A"}, {"search": "kept"}):
            seen = [
                sorted(session.scalars(made(session, who, **wish).with_only_columns(Opportunity.name)))
                for made in (queries.chosen, queries.chosen_for_sums)
            ]
            assert seen[0] == seen[1], (who, wish)
            assert "Gone" not in seen[1]
    assert seen[0] == [], "of Otto's deals none is called so"


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


def test_a_change_to_many_names_those_that_stay(session: Any, make_deal: Any, stages: Any) -> None:
    deals = [make_deal("Oven"), make_deal("Mixer", amount=None)]
    done = bulk.change(session, system_scope(), {deal.id: deal.rev for deal in deals}, {}, stages["Needs"].id)
    assert (done.changed, [(one, error.code) for one, error in done.refused]) == (1, [(deals[1].id, "fields_missing")])


def test_a_deleted_deal_is_gone_everywhere_and_comes_back(clients: Any, make_deal: Any) -> None:
    deal = make_deal("Oven")
    rita = clients["rita"]
    assert rita.delete(f"{DEALS}/{deal.id}", headers={"If-Match": f'"{deal.rev}"'}).status_code == 204
    assert rita.get(DEALS).json()["items"] == []
    assert rita.post(f"{DEALS}/{deal.id}/restore").json()["name"] == "Oven"


def test_a_formula_in_a_name_is_harmless_in_the_file(clients: Any, make_deal: Any) -> None:
    make_deal("=cmd|'/c calc'!A0")
    text = clients["rita"].get(f"{DEALS}/export.csv").text
    assert "'=cmd" in text
    assert clients["rita"].get(f"{DEALS}/export.xlsx").status_code == 200


def test_a_list_is_paged_without_gaps_in_every_order(session: Any, make_deal: Any) -> None:
    for index in range(7):
        make_deal(f"Deal {index % 3}", amount=None if index == 4 else Decimal(index % 2))
    scope = system_scope()
    for key in queries.sort_keys(today_of(scope)):
        for sort in (key, f"-{key}"):
            seen, cursor = [], None
            while True:
                found = queries.page(session, scope, sort=sort, cursor=cursor, limit=3)
                seen += [row.deal.id for row in found.rows]
                cursor = found.next_cursor
                if cursor is None:
                    break
            assert len(seen) == len(set(seen)) == 7, sort


def test_every_field_can_be_filtered_by(session: Any, make_deal: Any) -> None:
    from server.kit.clock import now
    from server.opportunities.fields import fields

    make_deal("Oven")
    scope = system_scope()
    for field in fields(today_of(scope), now()).values():
        value = {"number": "1", "date": "today", "flag": "no", "text": "x"}.get(field.kind, field.choices[:1])
        written = value if isinstance(value, str) else value[0]
        queries.page(session, scope, filter=f"{field.name} = {written}")
        queries.page(session, scope, filter=f"{field.name} is empty")


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


def test_accounts_are_asked_for_their_deals_and_deals_for_segments(
    clients: Any, make_deal: Any, make_account: Any
) -> None:
    make_deal("Oven", make_account("Amann", (9.2, 47.1)), amount=Decimal(6000))
    make_account("Beck", (9.2, 47.1))
    assert {"account", "opportunity"} <= set(CATALOGUE.subjects)
    for filter in ("deals.sum(amount) > 5000", "deal with (state = open and stage = Qualify)"):
        found = clients["ada"].get("/api/v1/accounts", params={"filter": filter})
        assert [one["name"] for one in found.json()["items"]] == ["Amann"], found.text


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


def test_accounts_on_the_map_stand_in_the_stage_of_their_deal_furthest_along(
    session: Any, clients: Any, make_account: Any, make_deal: Any, stages: Any, people: Any, scope: Any
) -> None:
    amann, beck, cafe, bare = (make_account(name, (9.2, 47.1)) for name in ("Amann", "Beck", "Café", "Bare"))
    loser = make_account("Amann & Co.", (9.2, 47.1))
    for account, stage in (
        (amann, "Needs"),
        (amann, "Qualify"),
        (loser, "Quote"),
        (beck, "Negotiate"),
        (cafe, "Needs"),
    ):
        deal = make_deal(f"{stage} of {account.name}", account, stage, source="Visit", competitors=["Other"])
    won = make_deal("Won", cafe, "Negotiate", source="Visit", competitors=["Other"])
    moving.move(session, system_scope(), won.id, stages["Won"].id, won.rev, {"reason": "Quality"})
    second = pipelines.create(session, "Service")
    rank = {"name": "Asked", "probability": "0.1", "category": "pipeline"}
    asked = pipelines.add_stage(session, second.id, rank)
    deal = make_deal("Care", bare)
    moving.move(session, system_scope(), deal.id, asked.id, deal.rev)
    first, ids = stages["Needs"].pipeline_id, [amann.id, loser.id, beck.id, cafe.id, bare.id]
    rita = scope(people["rita"])
    apart = {amann.id: "Needs", loser.id: "Quote", beck.id: "Negotiate", cafe.id: "Needs"}
    assert tiles.stages_of(session, rita, first, ids) == {one: stages[name].id for one, name in apart.items()}
    assert tiles.stages_of(session, rita, second.id, ids) == {bare.id: asked.id}
    assert tiles.stages_of(session, scope(people["otto"]), first, ids) == {}, "he sees none of them"

    merging.merge(session, system_scope(), amann.id, loser.id, merging.MergeWish({}))
    assert tiles.stages_of(session, rita, first, [amann.id]) == {amann.id: stages["Quote"].id}, "the merged one's too"
    path, wish = "/tiles/opportunities/accounts/14/8610/5756", {"pipeline": str(first)}
    answer = clients["rita"].get(path, params=wish)
    drawn = {name for name, stage in stages.items() if str(stage.id).encode() in answer.content}
    assert (answer.status_code, drawn) == (200, {"Needs", "Quote", "Negotiate"})
    some = clients["rita"].get(path, params=wish | {"filter": 'name = "Café"'}).content
    assert str(stages["Needs"].id).encode() in some
    assert b"Beck" not in some, "the filter is one of accounts"
    assert b"Amann" not in clients["otto"].get(path, params=wish).content
    listed = clients["rita"].get("/home/accounts", params={"pipeline": str(first)}).text
    assert listed.count('class="stage-mark"') == 4
    assert listed.count("no open deal") == 1
    assert "Quote" in listed
    page = clients["rita"].get("/", params={"by": "stage", "pipeline": str(second.id)}).text
    assert f'<option value="{second.id}" selected>' in page
    assert 'data-by="stage"' in page
