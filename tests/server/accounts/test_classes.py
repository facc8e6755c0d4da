"""Suggested classes: from value and potential, approved or refused by managers, each with its reason."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.classes import queries, service
from server.accounts.classes.models import Basis, ClassState
from server.auth.models import Role, User
from server.kit.errors import Invalid

THRESHOLDS = {"is_on": True, "basis": Basis.THRESHOLDS, "a_from": 1000, "b_from": 100, "potential_share": 0.5}


def test_a_stranger_is_sent_away(client_for: Callable[[User | None], TestClient], make_user: Any) -> None:
    assert client_for(None).get("/api/v1/class-changes").status_code == 401
    assert client_for(make_user("rita", Role.REP)).get("/api/v1/class-changes").status_code == 403


def test_a_manager_does_not_see_another_teams_suggestions(
    session: Session, scope: Any, ada: User, make_user: Any, otto: User, make_account: Any, client_for: Any
) -> None:
    make_account("Foreign", at=(9.7, 47.1), owner_id=otto.id, yearly_value="5000")
    service.set_rule(session, scope(ada), THRESHOLDS)
    mona = client_for(make_user("mona", Role.MANAGER))
    assert mona.get("/api/v1/class-changes").json()["items"] == []
    [row] = queries.page(session, scope(ada))
    body = {"ids": [str(row.change.id)], "approve": True}
    assert mona.post("/api/v1/class-changes/decide", json=body).status_code == 404


def test_thresholds_weigh_value_and_potential(session: Session, scope: Any, ada: User, make_account: Any) -> None:
    make_account("Big", yearly_value="1500", yearly_potential="900", account_class="B")
    make_account("Right", yearly_value="1500", yearly_potential="900", account_class="A")
    make_account("Unknown", account_class="A")
    service.set_rule(session, scope(ada), THRESHOLDS)
    [row] = queries.page(session, scope(ada))
    assert (row.account.name, row.change.old_class, row.change.new_class) == ("Big", "B", "A")
    assert row.change.interval_days == 14
    assert "Worth 1200.00 EUR a year" in row.change.why
    assert "A begins at 1000" in row.change.why


def test_percentiles_place_accounts_among_each_other(
    session: Session, scope: Any, ada: User, make_account: Any
) -> None:
    for index in range(10):
        make_account(f"Firm {index}", yearly_value=str(1000 - index))
    rule = {"is_on": True, "basis": Basis.PERCENTILES, "a_share": 0.1, "b_share": 0.3, "potential_share": 0}
    service.set_rule(session, scope(ada), rule)
    found = {row.account.name: row.change.new_class for row in queries.page(session, scope(ada))}
    assert "".join(found[f"Firm {index}"] for index in range(10)) == "ABBBCCCCCC"


def test_approval_writes_the_class_and_a_second_night_suggests_nothing(
    session: Session, scope: Any, ada: User, make_account: Any
) -> None:
    account = make_account("Big", yearly_value="9000")
    service.set_rule(session, scope(ada), THRESHOLDS)
    [row] = queries.page(session, scope(ada))
    assert service.approve(session, scope(ada), [row.change.id]) == 1
    assert service.approve(session, scope(ada), [row.change.id]) == 0
    session.refresh(account)
    assert account.account_class == "A"
    assert service.suggest(session) == 0
    [done] = queries.page(session, scope(ada), state=ClassState.APPROVED)
    assert done.decider == ada.name


def test_a_refusal_holds_until_the_worth_changes(session: Session, scope: Any, ada: User, make_account: Any) -> None:
    account = make_account("Big", yearly_value="9000", account_class="B")
    service.set_rule(session, scope(ada), THRESHOLDS)
    [row] = queries.page(session, scope(ada))
    service.refuse(session, scope(ada), [row.change.id], "They close down.")
    assert service.suggest(session) == 0
    account.yearly_value = 20_000  # type: ignore[assignment]
    session.flush()
    assert service.suggest(session) == 1


def test_switching_the_rule_off_takes_the_suggestions_back(
    session: Session, scope: Any, ada: User, make_account: Any
) -> None:
    make_account("Big", yearly_value="9000")
    service.set_rule(session, scope(ada), THRESHOLDS)
    service.set_rule(session, scope(ada), {"is_on": False})
    assert queries.page(session, scope(ada)) == []


def test_lines_that_leave_no_room_are_refused(session: Session, scope: Any, ada: User) -> None:
    with pytest.raises(Invalid, match="begin above"):
        service.set_rule(session, scope(ada), {"a_from": 10, "b_from": 20})
