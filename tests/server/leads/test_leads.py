"""Leads: taken in once, assigned with a reason, worked, given up, converted; nothing of them is lost."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.geocoding import remote
from server.geocoding.providers import PROVIDERS
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.leads import converting, forgetting, queries, service
from server.leads.converting import Conversion
from server.leads.models import Lead, LeadSource, LeadState, LostReason, SignalKind
from server.leads.service import NotNow
from server.leads.taking import NewLead, take_in
from server.records.models import FieldHistory
from tests.server.leads.conftest import EAST, NOWHERE, WEST

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
"""The id of no row."""


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    for method, path in [
        ("get", "/api/v1/leads"),
        ("post", "/api/v1/leads"),
        ("get", f"/api/v1/leads/{NOBODY}"),
        ("patch", f"/api/v1/leads/{NOBODY}"),
        ("post", f"/api/v1/leads/{NOBODY}/convert"),
        ("get", "/api/v1/leads/export.csv"),
        ("get", "/tiles/leads/10/538/359"),
        ("get", "/api/v1/lead-rules"),
        ("get", "/api/v1/lead-forms"),
        ("post", "/api/v1/lead-model/train"),
    ]:
        assert getattr(client_for(None), method)(path).status_code == 401


def test_a_lead_in_somebody_elses_territory_does_not_exist(
    client_for: Any, rita: Any, otto: Any, make_lead: Any
) -> None:
    lead = make_lead("Beck AG", WEST)
    stranger, owner = client_for(otto), client_for(rita)
    assert stranger.get(f"/api/v1/leads/{lead.id}").status_code == 404
    assert stranger.post(f"/api/v1/leads/{lead.id}/state", json={"state": "working"}).status_code == 404
    assert stranger.post(f"/api/v1/leads/{lead.id}/convert", json={}).status_code == 404
    assert stranger.delete(f"/api/v1/leads/{lead.id}").status_code == 404
    assert stranger.get("/api/v1/leads").json()["items"] == []
    assert [one["company"] for one in owner.get("/api/v1/leads").json()["items"]] == ["Beck AG"]


def test_a_lead_goes_to_whoever_works_the_ground_that_it_stands_on(
    session: Any, rita: Any, otto: Any, make_lead: Any, admin_client: Any
) -> None:
    assert make_lead("Beck AG", WEST).owner_id == rita.id
    lead = make_lead("Zech AG", EAST)
    assert lead.owner_id == otto.id
    why = admin_client.get(f"/api/v1/leads/{lead.id}/assignments").json()["items"]
    assert why[0]["because"] == "It lies in the territory “East”. Otto is the only one who can take it."
    assert why[0]["by"] is None


def test_a_lead_outside_every_territory_waits_and_says_why(make_lead: Any, rita: Any, admin_client: Any) -> None:
    lead = make_lead("Quai SA", NOWHERE)
    assert lead.owner_id is None
    why = admin_client.get(f"/api/v1/leads/{lead.id}/assignments").json()["items"]
    assert why[0]["because"] == "It lies in no territory."


def test_what_comes_twice_is_one_lead_with_two_signals(session: Any, rita: Any, make_lead: Any) -> None:
    lead = make_lead("Beck Elektro AG", WEST, emails=["office@beck.li"], phones=["+423 237 12 12"], message="Hello")
    again = take_in(
        session,
        NewLead(
            {"company": "Beck Elektro", "emails": ["Office@Beck.li"], "message": "Again", "website": "beck.li"},
            LeadSource.FORM,
        ),
    )
    assert again.is_repeat
    assert again.lead.id == lead.id
    assert again.lead.website == "https://beck.li"
    assert [one.signal.body for one in queries.signals_of(session, lead.id)] == ["Again", "Hello"]
    assert len(session.scalars(select(Lead)).all()) == 1


def test_two_firms_in_one_house_are_two_leads(make_lead: Any, rita: Any) -> None:
    one = make_lead("Beck Elektro AG", WEST)
    other = make_lead("Weinhandel Zech", WEST)
    assert one.id != other.id


def test_what_looks_like_an_account_goes_to_the_accounts_owner(
    session: Any, rita: Any, otto: Any, make_account: Any, make_lead: Any, admin_client: Any
) -> None:
    account = make_account("Garage Beck AG", WEST, owner_id=otto.id, phone="+423 237 12 12", email="info@garagebeck.li")
    lead = make_lead("Garage Beck AG", WEST, phones=["+423 237 12 12"], emails=["info@garagebeck.li"])
    assert lead.owner_id == otto.id
    found = admin_client.get(f"/api/v1/leads/{lead.id}/duplicates").json()
    assert [one["account_id"] for one in found["accounts"]] == [str(account.id)]


def test_the_first_rule_that_fits_decides(
    session: Any, ada: Any, rita: Any, otto: Any, make_lead: Any, admin_client: Any
) -> None:
    body = {"name": "Big ones", "condition": "value > 10000", "target": "person", "target_id": str(otto.id)}
    assert admin_client.post("/api/v1/lead-rules", json=body).status_code == 201
    assert make_lead("Small AG", WEST, expected_value=100).owner_id == rita.id
    big = make_lead("Big Holding AG", WEST, expected_value=50_000)
    assert big.owner_id == otto.id
    assert (
        "Rule “Big ones” fits." in admin_client.get(f"/api/v1/leads/{big.id}/assignments").json()["items"][0]["because"]
    )


def test_a_rule_that_cannot_be_read_is_refused_where_it_is_wrong(admin_client: Any) -> None:
    body = {"name": "Wrong", "condition": "colour = red", "target": "covering"}
    answer = admin_client.post("/api/v1/lead-rules", json=body)
    assert answer.status_code == 422
    assert "colour" in answer.json()["detail"]
    answer = admin_client.post("/api/v1/lead-rules", json={"name": "Nobody", "target": "person"})
    assert answer.json()["field"] == "target_id"


def test_equals_take_turns_and_whoever_is_full_is_passed_over(
    session: Any, ada: Any, rita: Any, make_user: Any, make_lead: Any, west: Any, admin_client: Any
) -> None:
    from datetime import date

    from server.auth.models import Role
    from server.territories import service as territories

    nora = make_user("nora", Role.REP)
    territories.set_members(session, west.id, [rita.id, nora.id], day=date(2020, 1, 1))
    names = ("Amann Wein", "Zech Bau", "Hilti Druck", "Oehri Optik")
    owners = [make_lead(name, (9.1 + k / 20, 47.1 + k / 20)).owner_id for k, name in enumerate(names)]
    assert sorted(map(str, owners[:2])) == sorted((str(rita.id), str(nora.id)))
    assert owners[2:] == owners[:2]
    assert admin_client.put("/api/v1/lead-policy", json={"most_open": 2}).status_code == 200
    service.hand_over_many(session, _scope(session, ada), session.scalars(select(Lead.id)).all(), rita.id)
    fifth = make_lead("Nigg Metall", (9.4, 47.4))
    assert fifth.owner_id == nora.id
    why = admin_client.get(f"/api/v1/leads/{fifth.id}/assignments").json()["items"][0]["because"]
    assert "With 2 open leads or more already: Rita." in why


def _scope(session: Any, user: Any) -> Any:
    from server.auth.access import scope_of

    return scope_of(session, user, source="api")


def test_points_follow_the_rules_and_their_sentences_are_the_reasons(
    admin_client: Any, rita: Any, make_lead: Any
) -> None:
    for sentence, condition, points in (
        ("Has a phone number", "phone is not empty", 20),
        ("Lies near a customer", "customers_2km > 0", 30),
        ("Came by the form", "source = form", 10),
    ):
        rule = {"sentence": sentence, "condition": condition, "points": points}
        assert admin_client.post("/api/v1/lead-points", json=rule).status_code == 201
    lead = make_lead("Beck AG", WEST, phones=["+423 237 12 12"], source=LeadSource.FORM)
    assert (lead.points, lead.score, lead.chance) == (30, 30, None)
    shown = admin_client.get(f"/api/v1/leads/{lead.id}").json()
    assert shown["score_reasons"] == ["+ Has a phone number", "+ Came by the form"]


def test_customers_count_only_when_they_were_there_first(
    session: Any, rita: Any, make_account: Any, make_lead: Any
) -> None:
    from server.leads.models import LeadTraits

    make_account("Old customer", WEST, status="customer")
    session.execute(Account.__table__.update().values(created_at=clock.now() - timedelta(days=9)))
    lead = make_lead("Beck AG", (9.201, 47.1))
    make_account("Later customer", WEST, status="customer")
    session.execute(
        Account.__table__.update()
        .where(Account.name == "Later customer")
        .values(created_at=clock.now() + timedelta(seconds=5))
    )
    from server.leads import surroundings

    surroundings.measure(session, [lead.id])
    assert session.get(LeadTraits, lead.id).values["customers_2km"] == 1


def test_two_people_who_edit_different_fields_both_win_and_the_same_field_is_a_named_conflict(
    client_for: Any, rita: Any, ada: Any, make_lead: Any
) -> None:
    lead = make_lead("Beck AG", WEST)
    path, mine, theirs = f"/api/v1/leads/{lead.id}", client_for(rita), client_for(ada)
    seen = mine.get(path).headers["etag"]
    assert mine.patch(path, json={"person": "Eva Beck"}, headers={"If-Match": seen}).status_code == 200
    assert theirs.patch(path, json={"website": "beck.li"}, headers={"If-Match": seen}).status_code == 200
    clash = theirs.patch(path, json={"person": "Ada Beck"}, headers={"If-Match": seen})
    assert clash.status_code == 412
    assert clash.json()["conflicts"][0]["stored"] == "Eva Beck"
    now = mine.get(path).json()
    assert (now["person"], now["website"]) == ("Eva Beck", "https://beck.li")


def test_a_lead_is_given_up_with_a_reason_and_taken_up_again(
    session: Any, scope: Any, rita: Any, make_lead: Any
) -> None:
    lead = make_lead("Beck AG", WEST)
    with pytest.raises(Invalid, match="few words"):
        service.disqualify(session, scope(rita), lead.id, LostReason.OTHER)
    service.disqualify(session, scope(rita), lead.id, LostReason.NO_BUDGET)
    with pytest.raises(NotNow, match="disqualified"):
        service.work(session, scope(rita), lead.id, LeadState.QUALIFIED)
    service.reopen(session, scope(rita), lead.id)
    assert (lead.state, lead.reason, lead.decided_at) == (LeadState.WORKING, None, None)


def test_a_conversion_carries_the_pin_the_people_and_the_history_and_can_be_taken_back(
    session: Any, scope: Any, rita: Any, make_lead: Any
) -> None:
    lead = make_lead("Beck AG", WEST, emails=["eva@beck.li"], city="Vaduz", message="We need ovens", expected_value=900)
    service.add_signal(session, lead.id, SignalKind.CALL, "Called back")
    converting.convert(session, scope(rita), lead.id, Conversion())
    account = session.get(Account, lead.account_id)
    site = session.scalars(select(Site).where(Site.account_id == account.id)).one()
    assert (account.name, account.owner_id, account.email, account.yearly_potential) == (
        "Beck AG",
        rita.id,
        "eva@beck.li",
        900,
    )
    assert (site.grade, site.city, site.territory_id) == ("manual", "Vaduz", lead.territory_id)
    told = session.execute(queries.happenings(scope(rita), accounts.family(account.id))).all()
    assert sorted(row.body or "" for row in told) == ["", "Called back", "Converted to “Beck AG”.", "We need ovens"]
    converting.undo(session, scope(rita), lead.id)
    session.refresh(account)
    assert (lead.state, lead.account_id, account.deleted_at is not None) == (LeadState.QUALIFIED, None, True)


def test_a_conversion_takes_the_person_in_and_begins_a_deal_and_its_undo_takes_both_back(
    session: Any, client_for: Any, rita: Any, make_lead: Any
) -> None:
    from server.contacts.models import Consent, Contact
    from server.opportunities import pipelines
    from server.opportunities.models import Opportunity

    pipelines.create_usual(session)
    lead = make_lead("Beck AG", WEST, expected_value=900, person="Eva Maria Beck", emails=["eva@beck.li"])
    lead.consent_text, lead.consented_at = "You may call me.", clock.now()
    day = clock.now().date().isoformat()
    deal = {"close_on": day, "next_step": "Visit", "next_step_on": day}
    client, path = client_for(rita), f"/api/v1/leads/{lead.id}/convert"
    assert client.post(path, json={"deal": deal | {"next_step": ""}}).json()["code"] == "next_step_missing"
    converted = client.post(path, json={"deal": deal}).json()
    made = session.get(Opportunity, UUID(converted["opportunity_id"]))
    assert (str(made.account_id), made.owner_id, made.amount) == (converted["account_id"], rita.id, 900)
    person = session.get(Contact, UUID(converted["contact_id"]))
    assert (person.first_name, person.last_name, made.contact_id) == ("Eva Maria", "Beck", person.id)
    agreed = session.scalars(select(Consent.wording).where(Consent.contact_id == person.id)).all()
    assert agreed == ["You may call me.", "You may call me."]
    assert client.delete(path).json()["opportunity_id"] is None
    session.refresh(made)
    session.refresh(person)
    assert (made.deleted_at is not None, person.deleted_at is not None) == (True, True)


def test_whoever_gets_a_lead_is_told_why(session: Any, rita: Any, make_lead: Any) -> None:
    from server.notifications.models import Notification

    lead = make_lead("Beck AG", WEST)
    told = session.scalars(select(Notification).where(Notification.user_id == rita.id)).one()
    assert (told.kind, told.link, told.gaps["lead"]) == ("lead", f"/leads/{lead.id}", "Beck AG")
    assert told.gaps["why"] == "It lies in the territory “West”. Rita is the only one who can take it."


def test_a_conversion_shows_what_it_resembles_and_joins_an_account_that_is_there(
    client_for: Any, rita: Any, make_account: Any, make_lead: Any
) -> None:
    account = make_account("Garage Beck AG", WEST, owner_id=rita.id, phone="+423 237 12 12")
    lead = make_lead("Garage Beck AG", WEST, phones=["+423 237 12 12"])
    client, path = client_for(rita), f"/api/v1/leads/{lead.id}/convert"
    refused = client.post(path, json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "looks_like_duplicate")
    joined = client.post(path, json={"account_id": str(account.id)}).json()
    assert (joined["state"], joined["account_id"], joined["account_is_new"]) == ("converted", str(account.id), False)
    assert client.delete(path).json()["state"] == "qualified"
    assert client.get(f"/api/v1/accounts/{account.id}").status_code == 200


def test_reps_cannot_hand_leads_over_and_managers_can_in_bulk(
    client_for: Any, admin_client: Any, rita: Any, otto: Any, make_lead: Any
) -> None:
    leads = [str(make_lead(name, WEST).id) for name in ("Amann Wein", "Zech Bau")]
    body = {"lead_ids": leads, "owner_id": str(otto.id)}
    assert client_for(rita).post("/api/v1/leads/assign", json=body).status_code == 403
    assert admin_client.post("/api/v1/leads/assign", json=body).json() == {"changed": 2}
    why = admin_client.get(f"/api/v1/leads/{leads[0]}/assignments").json()["items"]
    assert (why[0]["because"], why[0]["by"]) == ("Ada gave it to Otto.", "Ada")


def test_a_pin_drop_keeps_the_point_as_it_was_given(client_for: Any, rita: Any) -> None:
    body = {"company": "New Bakery", "source": "map", "lon": 9.2345678, "lat": 47.1234567}
    taken = client_for(rita).post("/api/v1/leads", json=body).json()
    assert (taken["lon"], taken["lat"], taken["grade"]) == (9.2345678, 47.1234567, "manual")
    assert (taken["owner_id"], taken["is_repeat"]) == (str(rita.id), False)


def test_the_same_lead_of_a_phone_twice_is_one(client_for: Any, rita: Any) -> None:
    body = {"id": str(NOBODY), "company": "New Bakery", "source": "map", "lon": 9.2, "lat": 47.1}
    client = client_for(rita)
    assert client.post("/api/v1/leads", json=body).json()["id"] == str(NOBODY)
    assert client.post("/api/v1/leads", json=body).json()["id"] == str(NOBODY)
    assert client.get("/api/v1/leads").json()["total"] == 1


def test_a_lead_without_any_name_is_refused(admin_client: Any) -> None:
    answer = admin_client.post("/api/v1/leads", json={"emails": ["a@b.li"]})
    assert (answer.status_code, answer.json()["field"]) == (422, "company")


def test_the_list_is_filtered_searched_and_sorted_and_the_export_holds_no_formula(
    admin_client: Any, rita: Any, make_lead: Any
) -> None:
    make_lead("=cmd()|beck", WEST, city="Vaduz")
    make_lead("Zech Bäckerei", WEST, city="Schaan", source=LeadSource.FORM)
    listed = admin_client.get("/api/v1/leads", params={"filter": "source = form and within 60 minutes of 9.2, 47.1"})
    assert [one["company"] for one in listed.json()["items"]] == ["Zech Bäckerei"]
    assert admin_client.get("/api/v1/leads", params={"q": "backerei"}).json()["total"] == 1
    assert admin_client.get("/api/v1/leads", params={"sort": "colour"}).status_code == 400
    rows = list(csv.DictReader(io.StringIO(admin_client.get("/api/v1/leads/export.csv").content.decode("utf-8-sig"))))
    assert {row["company"] for row in rows} == {"'=cmd()|beck", "Zech Bäckerei"}
    first = admin_client.get("/api/v1/leads", params={"limit": 1, "sort": "name"}).json()
    second = admin_client.get(
        "/api/v1/leads", params={"limit": 1, "sort": "name", "cursor": first["next_cursor"]}
    ).json()
    assert second["items"][0]["company"] == "Zech Bäckerei"


def test_the_tile_shows_the_open_leads_that_somebody_may_see(
    client_for: Any, rita: Any, otto: Any, make_lead: Any
) -> None:
    make_lead("Beck AG", WEST)
    tile = "/tiles/leads/10/538/359"
    assert b"Beck AG" in client_for(rita).get(tile).content
    assert b"Beck AG" not in client_for(otto).get(tile).content


def test_a_deleted_lead_comes_back(session: Any, scope: Any, rita: Any, make_lead: Any) -> None:
    lead = make_lead("Beck AG", WEST)
    service.delete(session, scope(rita), lead.id)
    with pytest.raises(NotFound):
        queries.find(session, scope(rita), lead.id)
    assert service.restore(session, scope(rita), lead.id).deleted_at is None


def test_a_pin_beyond_its_providers_term_is_given_back_and_forgotten(
    session: Session, make_lead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROVIDERS, "nominatim", replace(PROVIDERS["nominatim"], keeps_days=29))
    monkeypatch.setattr(remote, "LIMITED", ("nominatim",))
    lead = make_lead("Amann AG", street="Weg 1", city="Vaduz")
    lead.pin, lead.pin_state, lead.grade, lead.provider = wkt(LonLat(9.2345678, 47.1)), "placed", "rooftop", "nominatim"
    session.flush()
    forgetting.give_pins_back(session)
    assert (lead.pin, lead.provider, lead.pin_state) == (None, None, "pending")
    told = text("select count(*) from field_history t where t::text like '%9.2345678%'")
    assert session.scalar(told) == 0
    assert "forgotten" in session.scalars(select(FieldHistory.new).where(FieldHistory.field == "pin")).all()
