"""Two values wait for a decision, and the page carries it out."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.models import VisitState
from server.activities.service import VisitReport, record_visits
from server.auth.models import User
from server.contacts.models import Contact
from server.fields import service as fields
from server.kit import clock
from server.records import service as records
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
    assert "Stored here · " not in page, "it is as it was created"
    conflict = session.scalars(select(FieldConflict)).one()
    answer = browser.post(f"/conflicts/{conflict.id}", data={"_csrf": token_in(page), "decision": "take_mine"})
    assert answer.status_code == 303
    session.refresh(account)
    session.refresh(conflict)
    assert (account.phone, conflict.state) == ("2", ConflictState.TOOK_MINE)


def test_who_wrote_what_is_stored_stands_beside_it(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account, mona = make_account("Amann", phone="0"), make_user("mona")
    records.acting(session, Actor(mona.id, "web"))
    account.phone = "1"
    session.flush()
    clashing(session, account, make_user("rita"))
    browser = browser_of(make_user("ada"))
    assert f"Stored here · {mona.name}, " in browser.get("/conflicts").text
    (told,) = browser.get("/api/v1/conflicts").json()["items"]
    assert told["current_by_name"] == mona.name
    assert told["current_at"]


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
    undone = browser.post(f"{path}/undo", data={"_csrf": token})
    assert undone.status_code == 303
    assert "it waits for a decision again" in browser.get(undone.headers["location"]).text
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
    assert (answer.status_code, "Phone is “7” meanwhile." in answer.text) == (412, True)
    session.refresh(conflict)
    assert conflict.state == ConflictState.OPEN


def test_visits_that_were_reported_at_an_account_in_the_bin_are_seen_with_their_way_out(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account, rita, browser = make_account("Amann", phone="1"), make_user("rita"), browser_of(make_user("ada"))
    session.execute(update(Account).where(Account.id == account.id).values(deleted_at=clock.now() - timedelta(hours=1)))
    report = VisitReport(
        event_id=uuid4(), visit_id=uuid4(), account_id=account.id, site_id=None, rep_id=rita.id, state=VisitState.DONE,
        day=clock.now().date(), zone="UTC", occurred_at=clock.now(), note="Signed for twelve",
    )  # fmt: skip
    record_visits(session, [report], Actor(rita.id, "sync"))
    assert "Visits that were reported at accounts in the bin: 1" in browser.get("/home/today").text
    page = browser.get("/bin?entity=account").text
    assert "Signed for twelve" in page
    back = browser.post(f"/bin/account/{account.id}/restore", data={"_csrf": token_in(page)})
    assert back.headers["location"] == f"/accounts/{account.id}"
    assert "Signed for twelve" in browser.get(f"/accounts/{account.id}/timeline").text
    assert "in the bin" not in browser.get("/home/today").text


def test_a_field_of_the_companys_own_is_called_as_the_company_calls_it(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    choices = [{"value": "s", "label": "Side & back"}, {"value": "f", "label": "Front"}]
    fields.add(session, "account", {"key": "doors", "label": "Doors", "kind": "choices", "choices": choices})
    fields.add(session, "account", {"key": "cooled", "label": "Cooled", "kind": "flag"})
    fields.add(session, "account", {"key": "rent", "label": "Rent", "kind": "money"})
    account, rita = make_account("Amann", **{"custom.doors": ["f"], "custom.cooled": False}), make_user("rita")
    values = {
        "doors": (None, ["s", "f"], ["f"]),
        "cooled": (None, True, False),
        "rent": (None, {"amount": "12.50", "currency": "CHF"}, None),
    }
    for key, (base, mine, stored) in values.items():
        clash = Clash(f"custom.{key}", ConflictKind.CONCURRENT, Policy.KEEP_SERVER, base, mine, stored)
        keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync"))
    browser = browser_of(make_user("ada"))
    page = browser.get("/conflicts").text
    for words in ("Doors", "Side &amp; back, Front", "Cooled", "yes", "no", "Rent", "12.50 CHF"):
        assert words in page, words
    assert "custom." not in page
    assert "custom." not in browser.get(f"/accounts/{account.id}").text.partition("Decide")[0]
    rent = session.scalars(select(FieldConflict).where(FieldConflict.field == "custom.rent")).one()
    account.custom = account.custom | {"rent": {"amount": "7.00", "currency": "CHF"}}
    session.flush()
    late = browser.post(f"/conflicts/{rent.id}", data={"_csrf": token_in(page), "decision": "take_mine"})
    assert "Rent is “7.00 CHF” meanwhile." in late.text
    doors = session.scalars(select(FieldConflict).where(FieldConflict.field == "custom.doors")).one()
    data = {"_csrf": token_in(page), "decision": "take_mine"}
    answer = browser.post(f"/conflicts/{doors.id}", data=data)
    assert "Doors of Amann is now “Side &amp; back, Front”." in browser.get(answer.headers["location"]).text
    session.refresh(account)
    assert account.custom["doors"] == ["s", "f"]


def test_an_edit_of_a_deleted_account_says_before_and_after_that_the_phones_value_brings_it_back(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account, rita = make_account("Amann", phone="1"), make_user("rita")
    clash = Clash("phone", ConflictKind.EDIT_AFTER_DELETE, Policy.KEEP_SERVER, base="1", mine="2", server="1")
    back, left = (keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync")) for _ in range(2))
    session.execute(update(Account).where(Account.id == account.id).values(deleted_at=clock.now()))
    browser = browser_of(make_user("ada"))
    page = browser.get("/conflicts").text
    assert "The account was deleted here after the phone had last read it." in page
    assert f'href="/accounts/{account.id}"' not in page, "there is nothing behind it"
    assert 'href="/bin?entity=account"' in page
    assert "<strong>Deleted</strong>" in page
    assert "Bring the account back with it" in page
    said = {"_csrf": token_in(page)}
    answer = browser.post(f"/conflicts/{left.id}", data=said | {"decision": "keep_server"})
    assert "Decided: Amann stays deleted." in browser.get(answer.headers["location"]).text
    answer = browser.post(f"/conflicts/{back.id}", data=said | {"decision": "take_mine"})
    page = browser.get(answer.headers["location"]).text
    assert "Amann was deleted and stands in the lists again; Phone is “2”." in page
    assert f'href="/accounts/{account.id}"' in page


def test_a_number_has_its_unit_and_another_value(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account, rita = make_account("Amann", interval_days=21), make_user("rita")
    clash = Clash("interval_days", ConflictKind.CONCURRENT, Policy.KEEP_SERVER, base=14, mine=35, server=21)
    conflict = keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync"))
    browser = browser_of(make_user("ada"))
    page = browser.get("/conflicts").text
    assert "<strong>35 days</strong>" in page
    assert "<strong>21 days</strong>" in page
    assert "Another value" in page
    body = {"_csrf": token_in(page), "decision": "custom", "value": "28"}
    assert browser.post(f"/conflicts/{conflict.id}", data=body).status_code == 303
    session.refresh(account)
    assert account.interval_days == 28


def test_a_choice_that_was_taken_away_and_opening_hours_are_told_in_words(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    choices = [{"value": "a", "label": "Apple"}]
    fields.add(session, "account", {"key": "sorts", "label": "Sorts", "kind": "choices", "choices": choices})
    account, rita = make_account("Amann", **{"custom.sorts": ["a"]}), make_user("rita")
    clashes = (
        ("account", account.id, "custom.sorts", ["a", "b1"], ["a"]),
        ("site", account.sites[0].id, "opening_hours", "Mo-Fr 07:00-13:00", "Tu-Sa 10:00-18:00"),
    )
    for entity, row_id, field, mine, stored in clashes:
        clash = Clash(field, ConflictKind.CONCURRENT, Policy.KEEP_SERVER, None, mine, stored)
        keep_clash(session, entity, row_id, clash, Actor(rita.id, "sync"))
    browser = browser_of(make_user("ada"))
    page = browser.get("/conflicts").text
    assert "Apple, b1 (no choice any more)" in page, page.partition("<main")[2]
    assert page.count("It cannot be taken: the field does not offer this any more.") == 1
    assert page.count('value="take_mine" disabled') == 1
    german = browser.get("/conflicts", headers={"accept-language": "de"}).text
    for words in ("Mo–Fr 07:00–13:00", "Di–Sa 10:00–18:00", "b1 (steht nicht mehr zur Wahl)"):
        assert words in german, words


@pytest.mark.parametrize("decision", ["take_mine", "keep_server"])
def test_all_fields_of_an_account_are_decided_at_once_but_a_choice_that_is_gone(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
    decision: str,
) -> None:
    choices = [{"value": "a", "label": "Apple"}]
    fields.add(session, "account", {"key": "sorts", "label": "Sorts", "kind": "choices", "choices": choices})
    account, rita = make_account("Amann", phone="1", note="1"), make_user("rita")
    for field, mine, stored in (("phone", "2", "1"), ("note", "2", "1"), ("custom.sorts", ["b1"], None)):
        clash = Clash(field, ConflictKind.CONCURRENT, Policy.KEEP_SERVER, None, mine, stored)
        keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync"))
    browser = browser_of(make_user("ada"))
    page = browser.get("/conflicts").text
    assert page.count("3 fields of Amann wait") == 1
    sent = re.findall(f'name="{decision}" value="([^"]+)"', page)
    answer = browser.post("/conflicts/all", data={"_csrf": token_in(page), "decision": decision, decision: sent})
    session.refresh(account)
    assert (account.phone, account.note) == (("2", "2") if decision == "take_mine" else ("1", "1"))
    left = 1 if decision == "take_mine" else 0
    waiting = session.scalars(select(FieldConflict.field).where(FieldConflict.state == ConflictState.OPEN)).all()
    assert waiting == ["custom.sorts"] * left
    assert f"Decided: {3 - left} fields." in browser.get(answer.headers["location"]).text
    again = browser.post("/conflicts/all", data={"_csrf": token_in(page), "decision": decision, decision: sent})
    assert (again.status_code, "decided before you" in again.text) == (409, True)


@pytest.mark.parametrize(
    ("kind", "sent", "stored"),
    [
        ("money", {"value": "1.234,50", "value.currency": "CHF"}, {"amount": "1234.50", "currency": "CHF"}),
        ("flag", {"value": "no"}, False),
        ("choices", {"value": ["", "b"]}, ["b"]),
        ("choice", {"value": "b"}, "b"),
    ],
)
def test_another_value_of_the_companys_own_field_is_entered_as_everywhere(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
    kind: str,
    sent: dict[str, object],
    stored: object,
) -> None:
    choices = [{"value": "a", "label": "Apple"}, {"value": "b", "label": "Bean"}] if "choice" in kind else []
    fields.add(session, "account", {"key": "own", "label": "Our own", "kind": kind, "choices": choices})
    account, rita = make_account("Amann"), make_user("rita")
    mine = {"money": {"amount": "5.00", "currency": "CHF"}, "flag": True, "choice": "a", "choices": ["a"]}[kind]
    clash = Clash("custom.own", ConflictKind.CONCURRENT, Policy.KEEP_SERVER, None, mine, None)
    keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync"))
    conflict = session.scalars(select(FieldConflict)).one()
    browser = browser_of(make_user("ada"))
    page = browser.get("/conflicts").text
    assert ("Another value" in page, 'id="f-value"' in page) == (True, True)
    data = {"_csrf": token_in(page), "decision": "custom"} | sent
    assert browser.post(f"/conflicts/{conflict.id}", data=data).status_code == 303
    session.refresh(account)
    assert account.custom["own"] == stored


def test_a_person_is_asked_about_as_an_account_is(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    person, rita = Contact(first_name="Sabine", last_name="Frick", title="Buyer"), make_user("rita")
    session.add(person)
    session.flush()
    actor, mine = Actor(rita.id, "sync"), [{"label": "", "value": "+423 111 11 11"}]
    for name, wanted in (("title", "Head"), ("phones", mine)):
        stands = getattr(person, name)
        clash = Clash(name, ConflictKind.CONCURRENT, Policy.KEEP_SERVER, base=None, mine=wanted, server=stands)
        keep_clash(session, "contact", person.id, clash, actor)
    browser = browser_of(make_user("ada"))
    page = browser.get("/conflicts").text
    assert f'<a href="/contacts/{person.id}">Sabine Frick</a>' in page
    assert ("Function" in page, "+423 111 11 11" in page, "2 fields of Sabine Frick wait" in page) == (True,) * 3
    card = browser.get(f"/contacts/{person.id}").text
    assert "Conflict: Function" in re.sub("<[^>]+>", "", card)
    conflict = session.scalars(select(FieldConflict).where(FieldConflict.field == "title")).one()
    said = {"_csrf": token_in(page), "decision": "take_mine"}
    answer = browser.post(f"/conflicts/{conflict.id}", data=said)
    session.refresh(person)
    assert (answer.status_code, person.title) == (303, "Head")
    assert "Function of Sabine Frick is now “Head”" in browser.get(answer.headers["location"]).text


def test_a_refusal_tells_the_value_in_the_readers_words(
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    session: Session,
) -> None:
    account, rita = make_account("Amann", status="prospect"), make_user("rita")
    clash = Clash("status", ConflictKind.CONCURRENT, Policy.KEEP_SERVER, base=None, mine="former", server="prospect")
    conflict = keep_clash(session, "account", account.id, clash, Actor(rita.id, "sync"))
    browser = browser_of(make_user("ada"))
    said = {"_csrf": token_in(browser.get("/conflicts").text), "decision": "take_mine"}
    assert browser.post(f"/conflicts/{conflict.id}", data=said).status_code == 303
    answer = browser.post(f"/conflicts/{conflict.id}", data=said, headers={"accept-language": "de"})
    assert answer.status_code == 409
    assert "hat vor Ihnen entschieden: Status ist «ehemalig»" in answer.text, re.findall(
        "hat vor Ihnen[^<]*", answer.text
    )
