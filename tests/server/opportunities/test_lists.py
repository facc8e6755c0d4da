"""Deals in lists, files, segments and on the map."""

from decimal import Decimal
from typing import Any

from server.accounts.duplicates import merging
from server.accounts.queries import today_of
from server.auth.access import system_scope
from server.kit import clock
from server.opportunities import bulk, moving, pipelines, queries, tiles
from server.opportunities.models import Opportunity
from server.segments.catalogue import CATALOGUE
from tests.server.opportunities.conftest import DEALS


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


def test_a_change_to_many_names_those_that_stay(session: Any, make_deal: Any, stages: Any) -> None:
    deals = [make_deal("Oven"), make_deal("Mixer", amount=None)]
    done = bulk.change(session, system_scope(), {deal.id: deal.rev for deal in deals}, {}, stages["Needs"].id)
    assert (done.changed, [(one, error.code) for one, error in done.refused]) == (1, [(deals[1].id, "fields_missing")])


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


def test_accounts_are_asked_for_their_deals_and_deals_for_segments(
    clients: Any, make_deal: Any, make_account: Any
) -> None:
    make_deal("Oven", make_account("Amann", (9.2, 47.1)), amount=Decimal(6000))
    make_account("Beck", (9.2, 47.1))
    assert {"account", "opportunity"} <= set(CATALOGUE.subjects)
    for filter in ("deals.sum(amount) > 5000", "deal with (state = open and stage = Qualify)"):
        found = clients["ada"].get("/api/v1/accounts", params={"filter": filter})
        assert [one["name"] for one in found.json()["items"]] == ["Amann"], found.text


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
