"""Proposed pins on the pages: reps propose, managers accept or refuse, both read what became of it."""

import json
from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import queries
from server.accounts.models import Account
from server.accounts.place_models import PinProposal
from server.accounts.reasons import REASONS
from server.accounts.reviewing import proposals
from server.accounts.reviewing.proposals import NewPin
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.web.language import FOLDER
from tests.server.web.conftest import token_in

type Browser = Callable[[User], TestClient]
DOOR = LonLat(9.523, 47.14)


def proposed(session: Session, account: Account, rep: User, note: str = "") -> PinProposal:
    (site,) = queries.sites_of(session, [account.id])
    return proposals.propose(session, scope_of(session, rep, source="web"), site.id, NewPin(DOOR, note))


def test_a_stranger_and_a_rep_decide_nothing(
    client_for: Callable[[User | None], TestClient], browser_of: Browser, make_user: Callable[..., User]
) -> None:
    token, nothing = {"_csrf": "x", "decision": "accept"}, "/pins/01a206a1-0000-7000-8000-000000000000"
    assert client_for(None).post(nothing, data=token, headers={"accept": "text/html"}).status_code == 303
    rita = browser_of(make_user("rita", Role.REP))
    token["_csrf"] = token_in(rita.get("/me").text)
    assert rita.post(nothing, data=token).status_code == 403


def test_a_manager_accepts_and_refuses_on_the_account(
    browser_of: Browser, make_user: Callable[..., User], make_account: Callable[..., Account], session: Session
) -> None:
    rita, ada = make_user("rita", Role.REP), make_user("ada")
    account = make_account("Amann", rita)
    first = proposed(session, account, rita, "Behind the <church>")
    browser = browser_of(ada)
    assert "Proposed pins that wait for a decision: 1" in browser.get("/home/today").text
    assert "Amann" in browser.get("/review?reason=proposed").text
    page = browser.get(f"/accounts/{account.id}").text
    assert "Rita moved it on the map, without a GPS fix." in page
    assert "Behind the &lt;church&gt;" in page
    token = {"_csrf": token_in(page)}
    answer = browser.post(f"/pins/{first.id}", data=token | {"decision": "accept"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/accounts/{account.id}")
    (site,) = queries.sites_of(session, [account.id])
    assert proposals.pin_of(site) == DOOR
    second = proposed(session, make_account("Beck", rita), rita)
    silent = browser.post(f"/pins/{second.id}", data=token | {"decision": "refuse", "answer": " "})
    assert silent.status_code == 422
    assert "Say why the pin stays." in silent.text
    form = token | {"decision": "refuse", "answer": "The old warehouse"}
    assert browser.post(f"/pins/{second.id}", data=form).headers["location"] == f"/accounts/{second.account_id}"
    shown = browser.get(f"/accounts/{second.account_id}").text
    assert "Rita&#39;s pin was refused by Ada: The old warehouse" in shown


def test_a_rep_is_offered_a_proposal_and_a_manager_the_pin_itself(
    browser_of: Browser, make_user: Callable[..., User], make_account: Callable[..., Account], session: Session
) -> None:
    rita = make_user("rita", Role.REP)
    account = make_account("Amann", rita)
    proposed(session, account, rita)
    mine = browser_of(rita).get(f"/accounts/{account.id}").text
    assert "Propose a better pin" in mine
    assert "Waits for a manager." in mine
    assert 'value="accept"' not in mine
    assert "data-locate" not in mine, "a pin that a person has set is not sent back to the geocoder"
    office = browser_of(make_user("ada")).get(f"/accounts/{account.id}").text
    assert "Place the pin by hand" in office
    assert 'value="accept"' in office
    assert "Somebody put the pin here. · placed by a person · check-in counts within 150 m" in " ".join(
        office.replace("\n", " ").split()
    )


def test_every_reason_has_its_words_in_german() -> None:
    known = json.loads((FOLDER / "de.json").read_text("utf-8"))
    assert [words for words in REASONS.values() if words not in known] == []
