"""Parents and children: no circles, sums of a family, a filter by parent."""

from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts import queries, service, tree
from server.accounts.tree import Circle
from server.auth.models import User
from server.kit.errors import Invalid


def test_a_circle_is_refused_and_names_the_chain(session: Session, scope: Any, ada: User, make_account: Any) -> None:
    head = make_account("Head")
    branch = make_account("Branch", parent_id=head.id)
    shop = make_account("Shop", parent_id=branch.id)
    with pytest.raises(Circle, match="Head > Branch > Shop > Head"):
        service.edit(session, scope(ada), head.id, head.rev, {"parent_id": shop.id})
    with pytest.raises(Circle):
        service.edit(session, scope(ada), head.id, head.rev, {"parent_id": head.id})


def test_a_parent_of_somebody_else_does_not_exist(
    session: Session, scope: Any, rita: User, otto: User, make_account: Any
) -> None:
    foreign = make_account("Foreign", at=(9.7, 47.1), owner_id=otto.id)
    own = make_account("Own", at=(9.2, 47.1), owner_id=rita.id)
    with pytest.raises(Invalid, match="no such account"):
        service.edit(session, scope(rita), own.id, own.rev, {"parent_id": foreign.id})


def test_a_family_is_worth_the_sum_of_its_members_by_currency(
    session: Session, scope: Any, ada: User, make_account: Any
) -> None:
    head = make_account("Head", yearly_value="10")
    branch = make_account("Branch", parent_id=head.id, yearly_value="5", yearly_potential="8")
    make_account("Shop", parent_id=branch.id, yearly_value="2", currency="CHF")
    below = tree.below(session, scope(ada), head.id)
    assert [(one.account.name, one.depth) for one in below] == [("Branch", 1), ("Shop", 2)]
    assert tree.worth(head, below) == {
        "EUR": (Decimal(15), Decimal(8)),
        "CHF": (Decimal(2), Decimal(0)),
    }


def test_a_list_is_filtered_by_parent_and_by_preferences(
    session: Session, scope: Any, ada: User, make_account: Any
) -> None:
    head = make_account("Head", number="H-1")
    make_account("Branch", parent_id=head.id, preferred_days=["tu", "th"], by_appointment=True, language="de")
    find = lambda filter: [row.account.name for row in queries.page(session, scope(ada), filter=filter).rows]  # noqa: E731
    for filter in ('parent = "H-1"', "parent = head", "preferred_day = tu", "by_appointment = yes", "language = de"):
        assert find(filter) == ["Branch"], filter
    assert find("parent is empty") == ["Head"]


def test_preferences_are_checked(admin_client: TestClient) -> None:
    made = admin_client.post("/api/v1/accounts", json={"name": "A", "preferred_days": ["funday"]})
    assert (made.status_code, made.json()["field"]) == (422, "preferred_days")
    made = admin_client.post("/api/v1/accounts", json={"name": "A", "preferred_days": ["fr", "mo"], "language": "DE"})
    assert (made.json()["preferred_days"], made.json()["language"]) == (["mo", "fr"], "de")
