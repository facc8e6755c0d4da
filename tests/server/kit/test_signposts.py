"""Rooms are asked only about paths that begin as one of theirs, and answer as they did."""

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from server.kit.signposts import Signposted, beginnings


def room(*paths: str, prefix: str = "") -> APIRouter:
    """A router whose routes say their own path."""
    router = APIRouter(prefix=prefix)
    for path in paths:
        router.add_api_route(path, lambda path=path: prefix + path, methods=["GET"])
    return router


def test_what_begins_with_another_beginning_is_covered_by_it() -> None:
    assert beginnings(room("/plans", "/plans/{plan_id}", "/planning", "/tiles/{z}/{x}").routes) == (
        "/planning",
        "/plans",
        "/tiles/",
    )


def test_a_room_with_a_parameter_in_front_is_asked_about_everything() -> None:
    assert beginnings(room("/{anything}", "/plans").routes) == ("/",)


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    for router in (room("", "/{visit_id}", prefix="/visits"), room("/visits/late", "/orders"), room("/{anything}")):
        app.include_router(Signposted(router))
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/visits", "/visits"),
        ("/visits/late", "/visits/{visit_id}"),
        ("/orders", "/orders"),
        ("/else", "/{anything}"),
    ],
)
def test_the_first_room_that_knows_a_path_answers(client: TestClient, path: str, answer: str) -> None:
    assert client.get(path).json() == answer


def test_other_methods_slashes_and_strangers_are_answered_as_ever(client: TestClient) -> None:
    assert client.post("/orders").status_code == 405
    assert client.get("/orders/").headers["location"].endswith("/orders")
    assert client.get("/visits/1/2").status_code == 404
