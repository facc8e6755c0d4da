"""A company of two reps with a territory each, small enough to check by hand."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy.orm import Session

from server.accounts import service
from server.accounts.models import Account
from server.accounts.service import NewAccount
from server.auth.access import Scope, scope_of
from server.auth.models import Role, User
from server.territories import service as territories
from server.territories.models import Territory

ADDRESS = ("street", "postcode", "city", "country", "opening_hours")

type MakeUser = Callable[..., User]
type MakeAccount = Callable[..., Account]


@pytest.fixture
def scope(session: Session, make_user: MakeUser) -> Callable[[User], Scope]:
    """The scope of a user: `scope(rita)`."""
    return lambda user: scope_of(session, user, source="api")


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    """An admin."""
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def west(session: Session) -> Territory:
    """The land from 9.0 to 9.5 degrees east."""
    return territories.create(session, name="West", area=MultiPolygon([box(9.0, 47.0, 9.5, 47.5)]))


@pytest.fixture
def east(session: Session) -> Territory:
    """The land from 9.5 to 10.0 degrees east."""
    return territories.create(session, name="East", area=MultiPolygon([box(9.5, 47.0, 10.0, 47.5)]))


@pytest.fixture
def rita(session: Session, make_user: MakeUser, west: Territory) -> User:
    """The rep of the west."""
    rep = make_user("rita", Role.REP)
    territories.set_members(session, west.id, [rep.id], day=date(2020, 1, 1))
    return rep


@pytest.fixture
def otto(session: Session, make_user: MakeUser, east: Territory) -> User:
    """The rep of the east."""
    rep = make_user("otto", Role.REP)
    territories.set_members(session, east.id, [rep.id], day=date(2020, 1, 1))
    return rep


@pytest.fixture
def make_account(session: Session, ada: User, scope: Callable[[User], Scope]) -> MakeAccount:
    """Create accounts: `make_account("Müller AG", at=(9.2, 47.1), account_class="A", city="Vaduz")`."""

    def make(name: str, at: tuple[float, float] | None = None, **more: Any) -> Account:
        address = {
            key: more.pop(key) for key in ("street", "postcode", "city", "country", "opening_hours") if key in more
        }
        if at is not None:
            address |= {"lon": at[0], "lat": at[1]}
        new = NewAccount({"name": name, **more}, [address] if address else [])
        account = service.create(session, scope(ada), new, force=True)
        session.refresh(account)
        return account

    return make


@pytest.fixture
def admin_client(client_for: Callable[[User | None], TestClient], ada: User) -> TestClient:
    """A client signed in as the admin."""
    return client_for(ada)
