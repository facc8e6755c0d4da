"""Accounts are filtered by where they are and by rows of other rooms."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts import queries as account_queries
from server.activities.models import Visit
from server.auth.access import system_scope
from server.auth.models import User
from server.demands.models import VisitDemand
from server.kit import clock
from server.kit.filtering import guard, listing
from server.kit.layers import Layer
from server.kit.settings import settings
from server.segments import counting
from server.segments import queries as segment_queries
from server.segments.models import Segment

MakeAccount = Callable[..., Any]


@pytest.fixture
def three(session: Session, make_account: MakeAccount, rita: User, otto: User) -> dict[str, Any]:
    """Amann was visited today and wants a visit, Beck was visited long ago, Zech never."""
    made = {
        "Amann": make_account("Amann", at=(9.2, 47.2), number="1"),
        "Beck": make_account("Beck", at=(9.21, 47.2), number="2"),
        "Zech": make_account("Zech", at=(9.7, 47.2), number="3"),
    }
    for name, day in (("Amann", clock.today(settings().zone)), ("Beck", date(2020, 1, 1))):
        visit = {"account_id": made[name].id, "rep_id": rita.id, "day": day, "zone": "UTC"}
        session.add(Visit(**visit, state="done", outcome="order"))
    session.add(
        VisitDemand(account_id=made["Amann"].id, origin="hand", origin_key="1", sentence="Wants to talk", prize_s=1)
    )
    session.flush()
    return made


def names(client: TestClient, filter: str) -> list[str]:
    answer = client.get("/api/v1/accounts", params={"filter": filter})
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("visit.outcome = order", ["Amann", "Beck"]),
        ("not visit.outcome = order", ["Zech"]),
        ("visits.count() over 90 days = 0", ["Beck", "Zech"]),
        ("visits.count() >= 1 and visits.max(day) < today - 1 year", ["Beck"]),
        ("visit with (rep = rita and day in this year)", ["Amann"]),
        ("planned_visit is empty", ["Amann", "Beck", "Zech"]),
        ("demand.state = open", ["Amann"]),
        ('demand.why contains "talk" or number = 3', ["Amann", "Zech"]),
        ("within 1 km of 9.2, 47.2", ["Amann", "Beck"]),
        ("within 500 m of account 1", ["Amann"]),
        ("within 5 km of account zech", ["Zech"]),
        ("in polygon (9.1 47.1, 9.3 47.1, 9.3 47.3, 9.1 47.3)", ["Amann", "Beck"]),
        ("in territory west", ["Amann", "Beck"]),
        ("not in territory West", ["Zech"]),
        ("not visited since 2020-06-01", ["Amann", "Beck", "Zech"]),
    ],
)
def test_a_list_is_filtered(admin_client: TestClient, filter: str, found: list[str]) -> None:
    assert names(admin_client, filter) == found


def test_rows_of_a_merged_account_count_for_the_one_that_lives_on(
    session: Session, admin_client: TestClient, three: dict[str, Any]
) -> None:
    session.execute(
        text("update account set merged_into = :winner where id = :loser"),
        {"winner": three["Zech"].id, "loser": three["Beck"].id},
    )
    assert names(admin_client, "visit.outcome = order") == ["Amann", "Zech"]
    assert names(admin_client, "visits.count() = 0") == []


def test_a_chain_of_merges_is_one_step_until_one_of_them_is_taken_back(session: Session, three: dict[str, Any]) -> None:
    amann, beck, zech = (three[name].id for name in ("Amann", "Beck", "Zech"))
    stands_for = []
    for loser, winner in ((beck, zech), (zech, amann), (zech, None), (beck, None)):
        session.execute(
            text("update account set merged_into = :winner where id = :loser"), {"winner": winner, "loser": loser}
        )
        stands_for.append(dict(session.execute(text("select id, survivor_id from account_folded")).tuples().all()))
    assert stands_for == [{beck: zech}, {beck: amann, zech: amann}, {beck: zech}, {}]


@pytest.mark.usefixtures("three")
def test_the_order_is_the_same_whether_rows_are_gathered_or_walked_along(
    admin_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages(sort: str) -> list[str]:
        asked = {"filter": 'name contains "e"', "sort": sort, "limit": "1"}
        first = admin_client.get("/api/v1/accounts", params=asked).json()
        second = admin_client.get("/api/v1/accounts", params={**asked, "cursor": first["next_cursor"]}).json()
        return [one["name"] for one in (*first["items"], *second["items"])]

    counted_as_well = pages("name"), pages("-name")
    monkeypatch.setattr(listing, "DEARER", 0)
    gathered = pages("name"), pages("-name")
    monkeypatch.setattr(listing, "FEW", 0)
    monkeypatch.setattr(listing, "MOST_GATHERED", 0)
    walked = pages("name"), pages("-name")
    assert counted_as_well == gathered == walked == (["Beck", "Zech"], ["Zech", "Beck"])


def test_a_reader_sees_no_more_by_filtering(
    client_for: Callable[[User | None], TestClient], three: dict[str, Any], otto: User
) -> None:
    assert names(client_for(otto), "visits.count() >= 0") == ["Zech"]
    refused = client_for(otto).get("/api/v1/accounts", params={"filter": "within 5 km of account 1"})
    assert refused.status_code == 422
    assert "no account" in refused.json()["detail"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("filter", "position", "help"),
    [
        ("class = A and vist.outcome = order", 14, "Did you mean “visit.outcome”"),
        ("in territory Wst", 0, "Did you mean “West”"),
        ("ticket.colour = red", 0, "Known"),
    ],
)
def test_a_wrong_word_is_refused_with_its_place(
    admin_client: TestClient, filter: str, position: int, help: str
) -> None:
    problem = admin_client.get("/api/v1/accounts", params={"filter": filter}).json()
    assert problem["code"] == "filter_invalid"
    assert problem["position"] == position
    assert help in problem["help"]


@pytest.mark.usefixtures("three")
def test_a_filter_that_would_search_everything_is_refused_by_name(
    admin_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MOST_COST", 1.0)
    answer = admin_client.get("/api/v1/accounts", params={"filter": "class = A and visits.count() = 0"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "filter_too_expensive"
    assert answer.json()["part"] == "visits.count() = 0"


@pytest.mark.usefixtures("three")
def test_a_very_long_list_is_counted_about(admin_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "EXACT_UP_TO", 2)
    page = admin_client.get("/api/v1/accounts", params={"limit": 1}).json()
    assert page["total"] >= 2
    assert page["total_is_estimated"] is True
    monkeypatch.setattr(guard, "estimate", lambda *_asked: guard.Estimate(cost=1.0, rows=1))
    assert "of more than 2" in admin_client.get("/accounts").text, "the planner knows of fewer than were counted"


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("room", "asked"), [("accounts", {"filter": "name = a"}), ("contacts", {"q": "anna"})])
def test_a_list_that_searches_too_long_is_stopped_and_its_filter_named(
    admin_client: TestClient, monkeypatch: pytest.MonkeyPatch, room: str, asked: dict[str, str]
) -> None:
    def searches_for_a_minute(session: Session, _statement: object, **_asked: object) -> None:
        session.execute(text("select pg_sleep(60)"))

    monkeypatch.setattr(guard, "estimate", searches_for_a_minute)
    monkeypatch.setattr(settings(), "list_timeout_s", 0.1)
    answer = admin_client.get(f"/api/v1/{room}", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "filter_too_slow")
    assert answer.json()["part"] in asked.values()
    page = admin_client.get(f"/{room}", params=asked, headers={"accept": "text/html"})
    assert page.status_code == 422
    assert "still searching after 0.1 s" in page.text
    assert "Narrow it with a condition" in page.text


@pytest.mark.parametrize(
    ("layer", "wished"),
    [
        ("accounts", "class = A"),
        ("opportunities", "amount > 5"),
        ("leads", "created < 2020-01-01"),
        ("tickets", "priority = high"),
    ],
)
def test_a_tile_that_searches_too_long_is_stopped_and_its_filter_named(
    admin_client: TestClient, monkeypatch: pytest.MonkeyPatch, layer: str, wished: str
) -> None:
    def searches_for_a_minute(_layer: object, session: Session, _rows: object) -> bytes:
        session.execute(text("select pg_sleep(60)"))
        return b""

    monkeypatch.setattr(Layer, "encoded", searches_for_a_minute)
    monkeypatch.setattr(settings(), "list_timeout_s", 0.1)
    answer = admin_client.get(f"/tiles/{layer}/10/539/359", params={"filter": wished})
    assert (answer.status_code, answer.json()["code"]) == (422, "filter_too_slow")
    assert answer.json()["part"] == wished


@pytest.mark.usefixtures("three")
def test_an_export_and_a_segment_that_search_too_long_are_stopped_and_say_so(
    session: Session, admin_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = account_queries.chosen

    def searches_for_a_minute(*args: Any, **asked: Any) -> Any:
        return chosen(*args, **asked).where(text("pg_sleep(60) is not null"))

    monkeypatch.setattr(settings(), "export_timeout_s", 0.1)
    body = {"name": "Slow", "filter": "name contains a"}
    segment = admin_client.post("/api/v1/segments", json=body).json()
    monkeypatch.setattr(account_queries, "chosen", searches_for_a_minute)
    answer = admin_client.get("/api/v1/accounts/export.csv", params={"filter": "name contains a"})
    assert (answer.status_code, answer.json()["code"], answer.json()["part"]) == (
        422, "filter_too_slow", "name contains a",
    )  # fmt: skip
    assert "after 0.1 s" in answer.json()["detail"]
    monkeypatch.setattr(
        segment_queries,
        "members",
        lambda *_asked: select(text("gen_random_uuid()")).where(text("pg_sleep(60) is null")),
    )
    counted = counting.count(session, system_scope(), session.get_one(Segment, UUID(segment["id"])))
    assert "still searching after 0.1 s" in (counted.trouble or "")
