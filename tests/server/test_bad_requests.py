"""Requests that make no sense are refused with words, and nothing of them is kept."""

import base64
import json
import socket
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from server.auth.models import Role, User
from server.cli import check_free, sentences
from server.kit.database import request_transaction
from server.kit.errors import Invalid, Unavailable
from server.kit.paging import encode_cursor
from server.kit.settings import settings

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]


def cursor(*keys: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/accounts?q=%00",
        "/api/v1/accounts?filter=name%20=%20%22a%00b%22",
        f"/api/v1/accounts?sort=value&cursor={cursor('value', 'dear', 'x')}",
        f"/api/v1/accounts?sort=last_visit&cursor={cursor('last_visit', 'x', 'y')}",
        f"/api/v1/plans?cursor={cursor('x', 'y')}",
        f"/api/v1/plans?cursor={cursor(1, 2)}",
        f"/api/v1/accounts?cursor={base64.urlsafe_b64encode(b'[' * 1400).decode()}",
    ],
)
def test_a_question_with_odd_characters_is_refused(path: str, client_for: ClientFor, make_user: MakeUser) -> None:
    answer = client_for(make_user()).get(path)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("invalid", "bad_request", "filter_invalid")


def test_people_who_mistype_an_address_get_a_page(client_for: ClientFor, make_user: MakeUser) -> None:
    answer = client_for(make_user()).get("/plans/x", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert answer.text.startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
def test_a_text_that_no_column_holds_is_refused(name: str, client_for: ClientFor, make_user: MakeUser) -> None:
    client = client_for(make_user())
    body = json.dumps({"login": "bo", "name": name, "role": "rep"})
    assert client.post("/api/v1/users", content=body, headers={"Content-Type": "application/json"}).status_code == 422
    assert [user["login"] for user in client.get("/api/v1/users").json()["items"]] == ["ada"]


def test_a_database_that_is_away_is_said_to_be_busy_in_words_for_people_too(
    client_for: ClientFor, app: FastAPI
) -> None:
    def away() -> None:
        raise OperationalError("select 1", {}, Exception("gone"))

    client = client_for(None)
    app.dependency_overrides[request_transaction] = away
    answer = client.get("/health")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (503, "5", "busy")
    page = client.get("/sign-in", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "does not answer" in page.text


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="in use by another program") as refusal:
            check_free("127.0.0.1", taken.getsockname()[1])
    assert "--port" in refusal.value.help


def test_a_limited_token_makes_no_stronger_one(client_for: ClientFor, make_user: MakeUser) -> None:
    client = client_for(make_user("rita", Role.REP))
    limited = client.post("/api/v1/api-tokens", json={"name": "phone list", "permissions": ["users:read"]}).json()
    client.headers["Authorization"] = f"Bearer {limited['secret']}"
    wanted = {"name": "more", "permissions": ["accounts:read"]}
    assert client.post("/api/v1/api-tokens", json=wanted).status_code == 422
    child = client.post("/api/v1/api-tokens", json={"name": "same"}).json()
    assert child["permissions"] == ["users:read"]
    client.headers["Authorization"] = f"Bearer {child['secret']}"
    assert client.get("/api/v1/accounts").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"home": [999, 1]},
        {"home": [9.5, 91]},
        {"shift_start": "08:00:00+05:00"},
        {"shift_end": "07:00"},
        {"break_earliest": "13:15", "break_s": 14400},
    ],
)
def test_a_working_day_that_cannot_be_is_refused(
    wrong: dict[str, object], client_for: ClientFor, make_user: MakeUser
) -> None:
    rita = make_user("rita", Role.REP)
    client = client_for(make_user())
    path = f"/api/v1/users/{rita.id}/working-day"
    before = client.get(path).json()
    assert client.put(path, json=before | wrong).status_code == 422
    assert client.get(path).json() == before


def test_only_reps_have_a_working_day(client_for: ClientFor, make_user: MakeUser) -> None:
    ada = make_user()
    assert client_for(ada).put(f"/api/v1/users/{ada.id}/working-day", json={}).status_code == 404


def test_a_team_of_strangers_is_refused(client_for: ClientFor, make_user: MakeUser) -> None:
    nobody = "01a206a1-0000-7000-8000-000000000000"
    answer = client_for(make_user()).put("/api/v1/teams", json={"name": "Field", "members": [nobody]})
    assert (answer.status_code, answer.json()["field"]) == (422, "members")


@pytest.mark.parametrize("day", ["9999-12-31", "2126-01-01"])
def test_a_plan_for_the_far_future_is_refused(day: str, client_for: ClientFor, make_user: MakeUser) -> None:
    rita = make_user("rita", Role.REP)
    wanted = {"rep_ids": [str(rita.id)], "first_day": day, "days": 7}
    answer = client_for(make_user()).post("/api/v1/plans", json=wanted)
    assert (answer.status_code, answer.json()["field"]) == (422, "first_day")


@pytest.mark.parametrize("path", ["capacity?first_day=9999-12-31", "capacity/slips.csv?first_day=0001-01-01"])
def test_a_day_at_the_end_of_time_is_refused(path: str, client_for: ClientFor, make_user: MakeUser) -> None:
    make_user("rita", Role.REP)
    answer = client_for(make_user()).get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_night_in_the_far_future_is_refused(client_for: ClientFor, make_user: MakeUser) -> None:
    answer = client_for(make_user()).post("/api/v1/nights", json={"first_day": "9999-12-31"})
    assert (answer.status_code, answer.json()["field"]) == (422, "first_day")


@pytest.mark.parametrize("room", ["demands", "plans"])
def test_a_cursor_that_holds_nonsense_is_refused(room: str, client_for: ClientFor, make_user: MakeUser) -> None:
    answer = client_for(make_user()).get(f"/api/v1/{room}", params={"cursor": encode_cursor(["x", "y"])})
    assert answer.status_code == 422


def test_a_giant_body_is_refused_before_it_fills_the_memory(client_for: ClientFor) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 1_000_000

    client = client_for(None)
    json_type = {"Content-Type": "application/json"}
    refused = client.post("/api/v1/devices", content=endless(), headers=json_type)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_big")


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORT", "many", "WAYMARK_PORT"),
        ("EXPORT_HOUR", "99", "WAYMARK_EXPORT_HOUR"),
        ("ZONE", "Mars/Phobos", "Mars/Phobos"),
        ("DATABASE_URL", "mysql://x", "PostgreSQL"),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"WAYMARK_{name}", value)
    with pytest.raises(Invalid, match=hint):
        settings.__wrapped__()


def test_what_is_wrong_and_the_way_out_are_two_sentences() -> None:
    assert sentences("a.pbf: the file is empty", "download it again") == "a.pbf: the file is empty. Download it again"
    assert sentences("It is gone.", "Look elsewhere.") == "It is gone. Look elsewhere."
    assert sentences("It is gone.", "") == "It is gone."
