"""Two values wait for a decision, and the page carries it out."""

from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import User
from server.records.merging import Clash, Policy
from server.records.models import ConflictKind, ConflictState, FieldConflict
from server.records.service import Actor, keep_clash
from tests.server.web.conftest import token_in


def test_taking_the_phones_value_writes_it_and_ends_the_conflict(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account, rita = make_account("Amann", phone="1"), make_user("rita")
    clash = Clash("phone", ConflictKind.CONCURRENT, Policy.KEEP_SERVER, base=None, mine="2", server="1")
    keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync"))
    browser = browser_of(make_user("ada"))
    assert "Conflicts that wait for a decision: 1" in browser.get("/home/today").text
    page = browser.get("/conflicts").text
    assert "From the phone" in page
    conflict = session.scalars(select(FieldConflict)).one()
    answer = browser.post(f"/conflicts/{conflict.id}", data={"_csrf": token_in(page), "decision": "take_mine"})
    assert answer.status_code == 303
    session.refresh(account)
    session.refresh(conflict)
    assert (account.phone, conflict.state) == ("2", ConflictState.TOOK_MINE)


def clashing(session: Session, account: Account, rita: User) -> FieldConflict:
    """A rep who wanted another phone number than is stored."""
    clash = Clash("phone", ConflictKind.CONCURRENT, Policy.KEEP_SERVER, base=None, mine="2", server="1")
    return keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync"))


def test_another_value_is_saved_said_and_taken_back(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account = make_account("Amann", phone="1")
    conflict = clashing(session, account, make_user("rita"))
    browser = browser_of(make_user("ada"))
    token, path = token_in(browser.get("/conflicts").text), f"/conflicts/{conflict.id}"
    answer = browser.post(path, data={"_csrf": token, "decision": "custom", "value": "5"})
    page = browser.get(answer.headers["location"]).text
    assert "Decided: Phone of Amann is now “5”." in page
    assert "Nothing to decide" in page
    assert browser.post(f"{path}/undo", data={"_csrf": token}).status_code == 303
    session.refresh(account)
    assert account.phone == "1"
    assert "Take the phone" in browser.get("/conflicts").text


def test_what_has_moved_on_says_so_and_is_not_decided_unseen(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account = make_account("Amann", phone="1")
    conflict = clashing(session, account, make_user("rita"))
    browser = browser_of(make_user("ada"))
    session.refresh(account)
    seen, token = account.rev, token_in(browser.get("/conflicts").text)
    account.phone = "7"
    session.flush()
    assert "changed from “1” to “7”" in browser.get("/conflicts").text
    said = {"_csrf": token, "decision": "keep_server", "rev": seen}
    answer = browser.post(f"/conflicts/{conflict.id}", data=said)
    assert (answer.status_code, "phone is “7” meanwhile." in answer.text) == (412, True)
    session.refresh(conflict)
    assert conflict.state == ConflictState.OPEN
