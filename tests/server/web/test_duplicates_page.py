"""The queue, two accounts side by side, one decision, and the way back."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.duplicates import pairs as duplicate_pairs
from server.accounts.models import Account
from server.auth.models import Role, User
from tests.server.web.conftest import token_in

type BrowserOf = Callable[[User], TestClient]
type MakeAccount = Callable[..., Account]


@pytest.fixture
def twins(session: Session, make_account: MakeAccount) -> tuple[Account, Account]:
    """Two rows of one firm, found by a search."""
    one = make_account("Garage Hinterlechner AG", phone="+4232301111", number="K-1", status="customer")
    other = make_account("Hinterlechner Garage", phone="+423 230 11 11", email="info@hinterlechner.example")
    assert duplicate_pairs.search(session) is not None
    return one, other


def test_nobody_and_a_rep_are_kept_out(
    browser_of: BrowserOf, client_for: Callable[..., TestClient], make_user: Callable[..., User], twins: Any
) -> None:
    one, other = twins
    path = f"/duplicates/{one.id}/{other.id}"
    assert client_for(None).get(path, headers={"accept": "text/html"}).headers["location"].startswith("/sign-in")
    rita = browser_of(make_user("rita", Role.REP))
    assert rita.get(path).status_code == 403
    assert 'href="/duplicates"' not in rita.get("/accounts").text


def test_a_pair_of_others_is_not_there(browser_of: BrowserOf, make_user: Callable[..., User], twins: Any) -> None:
    one, other = twins
    mona = browser_of(make_user("mona", Role.MANAGER))
    one.owner_id = other.owner_id = make_user("otto", Role.REP).id
    assert mona.get(f"/duplicates/{one.id}/{other.id}").status_code == 404


def test_merging_takes_the_chosen_values_and_can_be_undone(
    session: Session, browser_of: BrowserOf, make_user: Callable[..., User], twins: Any
) -> None:
    one, other = twins
    browser = browser_of(make_user("ada"))
    assert "Hinterlechner Garage" in browser.get("/duplicates").text
    page = browser.get(f"/duplicates/{other.id}/{one.id}").text
    assert f'name="winner" value="{one.id}"' in page, "the customer is to stay"
    form = {
        "_csrf": token_in(page), "winner": str(one.id), "winner_rev": one.rev, "loser_rev": other.rev,
        "choose-name": "loser", "choose-email": "loser",
    }  # fmt: skip
    answer = browser.post(f"/duplicates/{one.id}/{other.id}/merge", data=form)
    assert answer.status_code == 303
    done = browser.get(answer.headers["location"]).text
    assert "is now part of" in done
    session.refresh(one)
    assert (one.name, one.email) == ("Hinterlechner Garage", "info@hinterlechner.example")
    assert browser.get(f"/accounts/{other.id}").headers["location"] == f"/accounts/{one.id}"
    account = browser.get(f"/accounts/{one.id}").text
    assert "Merged into this account" in account
    assert browser.get("/accounts", params={"q": "K-1"}).text.count(f'data-id="{one.id}"') == 1
    undo = done.split('action="/duplicates/merged/')[1].split('"')[0]
    back = browser.post(f"/duplicates/merged/{undo}", data={"_csrf": token_in(done)})
    assert "both accounts are as before" in browser.get(back.headers["location"]).text
    session.refresh(one)
    assert (one.name, one.email) == ("Garage Hinterlechner AG", None)


def test_a_change_in_between_is_told_and_nothing_is_merged(
    session: Session, browser_of: BrowserOf, make_user: Callable[..., User], twins: Any
) -> None:
    one, other = twins
    browser = browser_of(make_user("ada"))
    token = token_in(browser.get(f"/duplicates/{one.id}/{other.id}").text)
    form = {"_csrf": token, "winner": str(one.id), "winner_rev": one.rev, "loser_rev": other.rev}
    other.note = "New"
    session.flush()
    answer = browser.post(f"/duplicates/{one.id}/{other.id}/merge", data=form)
    assert answer.status_code == 412
    assert "changed after you read it" in answer.text
    session.refresh(other)
    assert other.merged_into is None


def test_two_that_stay_apart_leave_the_queue_and_come_back_on_undo(
    browser_of: BrowserOf, make_user: Callable[..., User], twins: Any
) -> None:
    one, other = twins
    browser = browser_of(make_user("ada"))
    token = token_in(browser.get(f"/duplicates/{one.id}/{other.id}").text)
    answer = browser.post(f"/duplicates/{one.id}/{other.id}/apart", data={"_csrf": token})
    page = browser.get(answer.headers["location"]).text
    assert "These two stay apart" in page
    assert "No two accounts look alike" in page
    browser.post(f"/duplicates/{one.id}/{other.id}/again", data={"_csrf": token})
    assert "Hinterlechner Garage" in browser.get("/duplicates").text


def test_the_rule_says_what_it_would_do_before_it_is_switched_on(
    browser_of: BrowserOf, make_user: Callable[..., User], twins: Any
) -> None:
    browser = browser_of(make_user("ada"))
    page = browser.get("/duplicates/rule").text
    token = token_in(page)
    counted = browser.post("/duplicates/rule", data={"_csrf": token, "threshold": "90", "preview": "1"}).text
    assert "Pairs that would be merged now: 1" in counted
    assert 'value="99.0"' in browser.get("/duplicates/rule").text
    refused = browser.post("/duplicates/rule", data={"_csrf": token, "threshold": "50", "is_on": "on"})
    assert (refused.status_code, "between 0.90 and 1" in refused.text) == (422, True)
    saved = browser.post("/duplicates/rule", data={"_csrf": token, "threshold": "95", "is_on": "on"}).text
    assert 'name="is_on" checked' in saved


@pytest.mark.browser
def test_one_key_merges_and_a_click_undoes(page: Any) -> None:
    from server.accounts import service
    from server.accounts.service import NewAccount
    from server.auth.access import system_scope
    from server.kit.database import transaction

    with transaction() as session:
        for name, east in (("Garage Hinterlechner", 9.52), ("Hinterlechner Garage AG", 9.5203)):
            site = {"street": "Herrengasse 9", "city": "Vaduz", "lon": east, "lat": 47.14}
            service.create(session, system_scope(), NewAccount({"name": name}, [site]), force=True)
    with transaction() as session:
        duplicate_pairs.search(session)
    page.goto("/duplicates")
    page.click("table a")
    page.wait_for_selector("#duel-map[data-idle]")
    assert "23 m apart" in page.inner_text(".signs")
    page.keyboard.press("m")
    page.wait_for_selector(".note.good")
    assert page.url.split("?")[0].endswith("/duplicates")
    page.click(".note.good button")
    page.wait_for_selector("#duel-map[data-idle]")
    assert "both accounts are as before" in page.inner_text(".duel")
