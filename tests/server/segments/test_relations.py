"""Every word of the catalogue can be asked: no field, relation or sum breaks the database."""

from collections.abc import Callable
from datetime import date
from itertools import batched
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import Role, User
from server.kit.filtering import Field, Kind, Vocabulary, compile_filter, parse
from server.kit.filtering.guard import estimate
from server.kit.settings import settings
from server.opportunities.rates import set_rate
from server.orders.models import Order
from server.segments.catalogue import CATALOGUE

EXAMPLES = {
    Kind.TEXT: ('= "x"', 'contains "x"'),
    Kind.NUMBER: ("!= 1",),
    Kind.DATE: ("in last quarter",),
    Kind.FLAG: ("= yes", "= no"),
}


def questions(name: str, field: Field) -> list[str]:
    """What can be asked of one field."""
    if field.kind == Kind.CHOICE:
        value = f'"{field.choices[0]}"'
        return [f"{name} {one}" for one in (f"!= {value}", f"in ({value})")]
    examples = EXAMPLES[field.kind] if field.reads is None else ('= "Bakery"',)
    return [f"{name} {one}" for one in (*examples, "is empty")]


def asked_of(known: Vocabulary) -> list[str]:
    """Everything that a subject can be asked, once."""
    found = [one for name, field in known.fields.items() for one in questions(name, field)]
    for relation in dict.fromkeys(known.relations.values()):
        found += [f"{relation.name} is empty", f"{relation.plural}.count() = 0"]
        found += [] if relation.day is None else [f"{relation.plural}.count() over 90 days < 3"]
        for name, field in relation.fields.items():
            found += questions(f"{relation.name}.{name}", field)
            found += [f"{relation.name} with (not {one})" for one in questions(name, field)[:1]]
            if field.kind == Kind.NUMBER and field.exists is None:
                found.append(f"{relation.plural}.sum({name}) > 5")
    return found


@pytest.mark.parametrize("subject", CATALOGUE.subjects)
@pytest.mark.usefixtures("admin_client")
def test_everything_can_be_asked(
    subject: str, session: Session, scope: Callable[[User], Scope], make_user: Callable[..., User]
) -> None:
    kind, reader = CATALOGUE.subjects[subject], scope(make_user("reader", Role.REP))
    known = kind.language(session, reader)
    everything = kind.visible(reader).with_only_columns(kind.key).order_by(None)
    for some in batched(asked_of(known), 12):
        tree = parse(" or ".join(some))
        assert estimate(session, everything.where(compile_filter(tree, known))).cost >= 0


def asked(client: TestClient, path: str, filter: str) -> tuple[int, int]:
    """Status and number of what a filter leaves."""
    answer = client.get(f"/api/v1/{path}", params={"filter": filter})
    return answer.status_code, answer.json().get("total", -1)


def test_orders_and_tickets_are_where_their_site_or_their_account_is(
    admin_client: TestClient, make_account: Callable[..., Any]
) -> None:
    account = str(make_account("Amann", at=(9.2, 47.2)).id)
    site = admin_client.post(f"/api/v1/accounts/{account}/sites", json={"lon": 9.6, "lat": 47.3}).json()["id"]
    queue = admin_client.post("/api/v1/ticket-queues", json={"name": "Help", "hours": "24/7"}).json()["id"]
    for there in ({}, {"site_id": site}):
        assert admin_client.post("/api/v1/orders", json={"account_id": account, **there}).status_code == 201
        ticket = {"queue_id": queue, "subject": "Cold", "body": "It is.", "account_id": account, **there}
        assert admin_client.post("/api/v1/tickets", json=ticket).status_code == 201
    for path in ("orders", "tickets"):
        assert asked(admin_client, path, "within 2 km of 9.6, 47.3") == (200, 2), path
        assert asked(admin_client, path, "within 2 km of 9.2, 47.2") == (200, 1), path
        assert asked(admin_client, path, "within 2 km of 9.9, 47.9") == (200, 0), path


def test_a_sum_is_in_the_companys_currency_or_says_which_rate_is_missing(
    session: Session, admin_client: TestClient, make_account: Callable[..., Any]
) -> None:
    account = str(make_account("Amann", at=(9.2, 47.2)).id)
    line = {"text": "Oven", "quantity": "1", "unit_price": "100"}
    for code in ("USD", settings().currency):
        body = {"account_id": account, "currency": code, "lines": [line]}
        assert admin_client.post("/api/v1/orders", json=body).status_code == 201
    session.execute(update(Order).values(state="placed", number=Order.currency))
    answer = admin_client.get("/api/v1/accounts", params={"filter": "orders.sum(amount) > 0"})
    assert (answer.status_code, "no rate for USD" in answer.json()["detail"]) == (422, True)
    set_rate(session, "USD", date(2020, 1, 1), "0.5")
    assert asked(admin_client, "accounts", "orders.sum(amount) = 150") == (200, 1)


@pytest.mark.usefixtures("rita")
def test_accounts_are_asked_by_the_rows_of_other_rooms(
    admin_client: TestClient, make_account: Callable[..., Any]
) -> None:
    make_account("Amann", at=(9.2, 47.2))
    for filter in (
        "contact is empty",
        "orders.sum(amount) over 24 months = 0",
        "ticket.state is empty",
        "deal is empty",
    ):
        answer = admin_client.get("/api/v1/accounts", params={"filter": filter})
        assert answer.json()["total"] == 1, filter
