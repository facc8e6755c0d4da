"""A phone on which its person has signed in anew: once on the pages of phones, unless its former sign-in is needed."""

from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Device, Role, User
from server.kit import clock
from tests.server.web.test_phones_page import refused


def test_the_former_one_is_listed_only_while_something_of_it_waits(
    session: Session,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
) -> None:
    ada, rita = make_user(), make_user("rita", Role.REP)
    new = Device(user_id=rita.id, name="The new one", platform="android", public_key=b"k", last_seen_at=clock.now())
    session.add(new)
    session.flush()
    old = Device(user_id=rita.id, name="The old one", platform="android", public_key=b"k", replaced_by=new.id)
    session.add(old)
    session.flush()
    browser, pages = browser_of(ada), ("/users/phones", f"/users/{rita.id}")
    for page in pages:
        told = browser.get(page).text
        assert ("The new one" in told, "The old one" in told) == (True, False)
    refused(session, old, make_account("Mill", rita), 1)
    for page in pages:
        told = browser.get(page).text
        assert "The old one" in told
        assert told.count("signed in anew since") == 1
