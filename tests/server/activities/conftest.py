"""Rita and Otto are reps in Mona's team, Nora is nobody's; clients of all of them."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import User
from tests.server.plans.conftest import add_account, add_company, make_account, scope

__all__ = ["make_account", "scope"]


@pytest.fixture
def people(session: Session) -> dict[str, User]:
    """The company's people."""
    return add_company(session)


@pytest.fixture
def clients(client_for: Callable[[User | None], TestClient], people: dict[str, User]) -> dict[str, TestClient]:
    """A client of each."""
    return {login: client_for(user) for login, user in people.items()}


@pytest.fixture
def account_of(session: Session) -> Callable[..., Account]:
    """Create accounts: `account_of(rita, "Amann")`."""

    def make(owner: User, name: str, **more: Any) -> Account:
        account = add_account(session, name, (9.51, 47.1), owner_id=owner.id, **more)
        session.refresh(account)
        return account

    return make
