"""Custom fields: declared by an admin, checked, searched, filtered, merged field by field, never lost."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts import service as accounts_service
from server.accounts.models import Account
from server.auth.models import Role, User
from server.fields import queries, service, trades
from server.fields.service import FieldInUse
from server.kit.errors import Invalid
from server.records.editing import ChangedMeanwhile
from server.records.queries import history


@pytest.fixture
def points(session: Session) -> Any:
    """A number field of accounts."""
    return service.add(session, "account", {"label": "Loyalty points", "kind": "number", "minimum": 0})


@pytest.fixture
def tier(session: Session) -> Any:
    """A choice of accounts."""
    choices = [{"value": "gold", "label": "Gold"}, {"value": "silver", "label": "Silver"}]
    return service.add(session, "account", {"label": "Tier", "kind": "choice", "choices": choices})


def test_a_stranger_is_sent_away(client_for: Callable[[User | None], TestClient]) -> None:
    for method, path in [
        ("get", "/api/v1/fields"),
        ("post", "/api/v1/fields"),
        ("get", "/api/v1/picklists"),
        ("get", "/api/v1/visit-types"),
        ("post", "/api/v1/templates/retail/apply"),
    ]:
        assert getattr(client_for(None), method)(path).status_code == 401


def test_reps_read_fields_and_only_admins_write_them(
    client_for: Callable[[User | None], TestClient], make_user: Any, points: Any
) -> None:
    rep = client_for(make_user("rita", Role.REP))
    assert [one["key"] for one in rep.get("/api/v1/fields").json()["items"]] == ["loyalty_points"]
    assert rep.post("/api/v1/fields", json={"object": "account", "label": "x", "kind": "text"}).status_code == 403
    manager = client_for(make_user("mona", Role.MANAGER))
    assert manager.post("/api/v1/fields", json={"object": "account", "label": "x", "kind": "text"}).status_code == 403


def test_an_account_carries_own_values_in_the_api(admin_client: TestClient, points: Any, tier: Any) -> None:
    body = {"name": "Amann", "custom": {"loyalty_points": "120", "tier": "Gold"}}
    made = admin_client.post("/api/v1/accounts", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["custom"] == {"loyalty_points": 120, "tier": "gold"}
    path, etag = f"/api/v1/accounts/{made.json()['id']}", made.headers["ETag"]
    changed = admin_client.patch(path, json={"custom": {"tier": None}}, headers={"If-Match": etag})
    assert changed.json()["custom"] == {"loyalty_points": 120}


@pytest.mark.parametrize(
    ("custom", "field"),
    [
        ({"loyalty_points": -1}, "custom.loyalty_points"),
        ({"loyalty_points": "many"}, "custom.loyalty_points"),
        ({"tier": "bronze"}, "custom.tier"),
        ({"unknown": 1}, "custom.unknown"),
    ],
)
def test_a_wrong_value_names_its_field(
    admin_client: TestClient, points: Any, tier: Any, custom: Any, field: str
) -> None:
    answer = admin_client.post("/api/v1/accounts", json={"name": "Amann", "custom": custom})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_required_field_needs_a_value_and_a_default_gives_it(session: Session, admin_client: TestClient) -> None:
    made = service.add(session, "account", {"label": "Chain", "kind": "text", "required": True})
    assert admin_client.post("/api/v1/accounts", json={"name": "Amann"}).json()["field"] == "custom.chain"
    service.change(session, made.id, made.rev, {"default": "none"})
    assert admin_client.post("/api/v1/accounts", json={"name": "Amann"}).json()["custom"] == {"chain": "none"}


def test_money_is_decimal_with_its_currency(session: Session, admin_client: TestClient) -> None:
    service.add(session, "account", {"label": "Budget", "kind": "money", "unit": "CHF"})
    made = admin_client.post("/api/v1/accounts", json={"name": "A", "custom": {"budget": "1'250.5"}}).json()
    assert made["custom"]["budget"] == {"amount": "1250.50", "currency": "CHF"}
    found = admin_client.get("/api/v1/accounts", params={"filter": "custom.budget > 1250"}).json()
    assert [one["name"] for one in found["items"]] == ["A"]


def test_two_people_editing_different_own_fields_both_win(
    session: Session, scope: Any, ada: User, make_account: Any, points: Any, tier: Any
) -> None:
    account = make_account("Amann")
    seen = account.rev
    accounts_service.edit(session, scope(ada), account.id, seen, {"custom.loyalty_points": 5})
    accounts_service.edit(session, scope(ada), account.id, seen, {"custom.tier": "gold"})
    session.refresh(account)
    assert account.custom == {"loyalty_points": 5, "tier": "gold"}
    with pytest.raises(ChangedMeanwhile, match="custom"):
        accounts_service.edit(session, scope(ada), account.id, seen, {"custom.tier": "silver"})


def test_the_history_tells_of_each_own_field(
    session: Session, scope: Any, ada: User, make_account: Any, points: Any, tier: Any
) -> None:
    account = make_account("Amann")
    accounts_service.edit(session, scope(ada), account.id, account.rev, {"custom.loyalty_points": 5})
    accounts_service.edit(session, scope(ada), account.id, account.rev, {"custom.loyalty_points": None})
    changes = [(one.field, one.old, one.new) for one in history(session, "account", [account.id]) if one.field != "*"]
    assert changes == [("custom.loyalty_points", 5, None), ("custom.loyalty_points", None, 5)]


def test_own_fields_are_filtered_by(session: Session, admin_client: TestClient, points: Any, tier: Any) -> None:
    service.add(session, "account", {"label": "Since", "kind": "date"})
    service.add(session, "account", {"label": "Vegan", "kind": "flag"})
    service.add(session, "account", {"label": "Topics", "kind": "choices", "choices": [{"value": "a"}, {"value": "b"}]})
    service.add(session, "site", {"label": "Area", "kind": "number"})
    own = {"loyalty_points": 12, "tier": "gold", "since": "2020-05-01", "vegan": True, "topics": ["a", "b"]}
    body = {"name": "Amann", "custom": own, "sites": [{"city": "Vaduz", "custom": {"area": 80}}]}
    assert admin_client.post("/api/v1/accounts", json=body).status_code == 201
    admin_client.post("/api/v1/accounts", json={"name": "Beck", "custom": {"loyalty_points": 3}})
    for filter in (
        "custom.loyalty_points > 5",
        "custom.tier = gold",
        "custom.since < 2021-01-01",
        "custom.vegan = yes",
        "custom.topics = b",
        "custom.tier is not empty",
        "site.custom.area >= 80",
    ):
        found = admin_client.get("/api/v1/accounts", params={"filter": filter})
        assert [one["name"] for one in found.json()["items"]] == ["Amann"], (filter, found.text)
    known = [one["name"] for one in admin_client.get("/api/v1/accounts/fields").json()["items"]]
    assert {"custom.tier", "site.custom.area"} <= set(known)


def test_only_searchable_fields_are_searched(session: Session, scope: Any, ada: User, make_account: Any) -> None:
    service.add(session, "account", {"label": "Chain", "kind": "text", "searchable": True})
    service.add(session, "account", {"label": "Secret", "kind": "text"})
    make_account("Amann", **{"custom.chain": "Grünmarkt", "custom.secret": "Zebra"})
    find = lambda words: [row.account.name for row in accounts.page(session, scope(ada), search=words).rows]  # noqa: E731
    assert (find("grunmarkt"), find("zebra")) == (["Amann"], [])


def test_a_change_that_would_lose_values_is_refused_and_archiving_offered(
    session: Session, make_account: Any, points: Any, tier: Any
) -> None:
    account = make_account("Amann", **{"custom.loyalty_points": 5, "custom.tier": "gold"})
    with pytest.raises(FieldInUse, match="1 rows"):
        service.change(session, points.id, points.rev, {"kind": "date"})
    with pytest.raises(FieldInUse, match="gold"):
        service.change(session, tier.id, tier.rev, {"choices": [{"value": "silver", "label": "Silver"}]})
    with pytest.raises(FieldInUse) as refused:
        service.delete(session, points.id, points.rev)
    assert "Archive" in refused.value.help
    service.change(session, points.id, points.rev, {"archived": True})
    assert [one.key for one in queries.fields_of(session, "account")] == ["tier"]
    session.refresh(account)
    assert account.custom["loyalty_points"] == 5


def test_an_unused_field_changes_its_kind_and_goes(session: Session, points: Any) -> None:
    changed = service.change(session, points.id, points.rev, {"kind": "text", "minimum": None})
    service.delete(session, changed.id, changed.rev)
    assert queries.fields_of(session, "account", archived=True) == []


def test_a_choice_without_choices_and_a_bad_pattern_are_refused(session: Session) -> None:
    with pytest.raises(Invalid, match="nothing to choose"):
        service.add(session, "account", {"label": "Tier", "kind": "choice"})
    with pytest.raises(Invalid, match="pattern"):
        service.add(session, "account", {"label": "Code", "kind": "text", "pattern": "("})


@pytest.mark.parametrize("key", ["retail", "manufacturing", "health", "real_estate"])
def test_a_template_applied_twice_changes_nothing(session: Session, key: str) -> None:
    trade = trades.find(key)
    wanted = trades.preview(session, trade)
    assert len(trades.apply(session, trade)) == len([one for one in wanted if not one.is_there]) > 10
    assert all(one.is_there for one in trades.preview(session, trade))
    assert trades.apply(session, trade) == []


def test_templates_share_what_they_share(session: Session) -> None:
    for trade in trades.trades().values():
        trades.apply(session, trade)
    roles = [value for value, _ in queries.picklist(session, "contact_role")]
    assert {"buyer", "physician", "owner"} <= set(roles)
    assert len(roles) == len(set(roles))


def test_an_account_without_own_fields_needs_nothing(make_account: Any) -> None:
    account: Account = make_account("Amann")
    assert account.custom == {}
