"""Idempotency keys and keys with limits: a request sent again does nothing twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text

from server.auth import idempotency
from server.auth.access import scope_of
from server.auth.models import IdempotentAnswer, Role
from server.auth.service import create_user
from server.auth.tokens import create_api_token
from server.kit.database import transaction
from server.tickets import queues
from server.tickets.models import Ticket

TICKETS = "/api/v1/tickets"


@pytest.fixture
def api(app: FastAPI, empty_database: Any) -> Iterator[tuple[TestClient, dict[str, Any]]]:
    """A program of Susi's at the real application, and a ticket that it would open."""
    with transaction() as session:
        susi = create_user(session, login="susi", name="Susi", role=Role.SUPPORT)
        queue = queues.create(session, scope_of(session, susi, source="api"), {"name": "Support", "hours": "24/7"})
        _, secret = create_api_token(session, susi.id, "test", None, None)
    client = TestClient(app, headers={"Authorization": f"Bearer {secret}"})
    yield client, {"queue_id": str(queue.id), "subject": "Oven", "body": "Cold."}
    client.close()


def count() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(Ticket)) or 0


def test_a_request_that_is_sent_again_is_done_once_and_answered_the_same(api: Any) -> None:
    client, body = api
    key = {"Idempotency-Key": "a-1"}
    first, again = (client.post(TICKETS, json=body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["etag"] == again.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert count() == 1


def test_the_same_key_with_another_body_or_address_is_refused(api: Any) -> None:
    client, body = api
    key = {"Idempotency-Key": "a-2"}
    client.post(TICKETS, json=body, headers=key)
    other = client.post(TICKETS, json={**body, "subject": "Fridge"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert client.post("/api/v1/ticket-queues", json={"name": "Two"}, headers=key).status_code == 409
    assert count() == 1


def test_a_refusal_leaves_no_claim_so_that_the_request_can_be_mended(api: Any) -> None:
    client, body = api
    key = {"Idempotency-Key": "a-3"}
    assert client.post(TICKETS, json={**body, "requester_email": "nobody"}, headers=key).status_code == 422
    assert client.post(TICKETS, json=body, headers=key).status_code == 201


def test_many_at_once_with_one_key_do_it_once(api: Any) -> None:
    client, body = api
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(client.post, TICKETS, json=body, headers={"Idempotency-Key": "a-4"}) for _ in range(4)]
        codes = sorted(job.result().status_code for job in jobs)
    assert set(codes) <= {201, 409}
    assert 201 in codes
    assert count() == 1


def test_an_answer_that_was_lost_is_said_so_and_nothing_is_done_again(api: Any) -> None:
    client, body = api
    key = {"Idempotency-Key": "a-5"}
    client.post(TICKETS, json=body, headers=key)
    with transaction() as session:
        session.execute(text("update idempotent_answer set status = null"))
    assert client.post(TICKETS, json=body, headers=key).json()["code"] == "idempotency_answer_lost"
    assert count() == 1


def test_a_key_is_free_again_after_a_day_and_forgotten(api: Any) -> None:
    client, body = api
    key = {"Idempotency-Key": "a-6"}
    client.post(TICKETS, json=body, headers=key)
    with transaction() as session:
        session.execute(text("update idempotent_answer set at = now() - interval '25 hours'"))
    client.post(TICKETS, json=body, headers=key)
    assert count() == 2
    with transaction() as session:
        session.execute(text("update idempotent_answer set at = now() - interval '25 hours'"))
        idempotency.forget(session)
        assert session.scalar(select(func.count()).select_from(IdempotentAnswer)) == 0


@pytest.mark.parametrize("key", ["", " ", "x" * 201])
def test_a_key_that_cannot_be_one_is_refused(api: Any, key: str) -> None:
    client, body = api
    assert client.post(TICKETS, json=body, headers={"Idempotency-Key": key}).status_code == 400


def test_the_api_description_names_the_header_at_every_post(api: Any) -> None:
    found = api[0].get("/api/openapi.json").json()["paths"]
    posts = [methods["post"] for path, methods in found.items() if path.startswith("/api/v1/") and "post" in methods]
    assert len(posts) > 20
    assert all(any(one["name"] == "Idempotency-Key" for one in post["parameters"]) for post in posts)
    again = api[0].get("/api/openapi.json").json()["paths"]["/api/v1/tickets"]["post"]["parameters"]
    assert len([one for one in again if one["name"] == "Idempotency-Key"]) == 1


def test_a_key_asks_no_more_often_than_its_limit(api: Any) -> None:
    client, _ = api
    made = client.post("/api/v1/api-tokens", json={"name": "slow", "permissions": ["tickets:read"], "per_minute": 2})
    slow = {"Authorization": f"Bearer {made.json()['secret']}"}
    codes = [client.get(TICKETS, headers=slow).status_code for _ in range(5)]
    assert 429 in codes
    assert codes[0] == 200
    assert client.post(TICKETS, json={}, headers=slow).status_code in (403, 429), "it may only read"
