"""Territories drawn by an admin over the API, and an account that follows them."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.auth.models import User
from server.territories.models import Territory

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]
CHANGES = "/api/v1/territory-changes"


def square(west: float, east: float | None = None) -> dict[str, Any]:
    right = west + 1 if east is None else east
    return {"type": "Polygon", "coordinates": [[[west, 47], [right, 47], [right, 48], [west, 48], [west, 47]]]}


@pytest.fixture
def bakery(session: Session) -> Account:
    """An account that is visited every two weeks for half an hour."""
    account = Account(name="Bakery", currency="EUR", account_class="A", yearly_value=1000)
    session.add(account)
    session.flush()
    session.add(Site(account_id=account.id, is_main=True, pin=wkt(LonLat(9.75, 47.5)), pin_state="placed"))
    session.flush()
    return account


@pytest.fixture
def client(client_for: ClientFor, make_user: MakeUser) -> TestClient:
    return client_for(make_user())


def do(client: TestClient, operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post(CHANGES, json={"operation": operation} | more)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def drawn(client: TestClient, name: str, outline: dict[str, Any], **more: Any) -> dict[str, Any]:
    do(client, {"kind": "create", "name": name, "area": outline} | more)
    return named(client, name)


def named(client: TestClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in client.get("/api/v1/territories?area=true").json()["items"] if one["name"] == name
    )
    return found


def place_of(session: Session, account: Account) -> str | None:
    session.refresh(account)
    return session.scalars(select(Territory.name).where(Territory.id == account.territory_id)).first()
