"""The page of phones, and what a retired one still held: seen by whoever looks after its owner, and decided there."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mobile.device.sealing import envelope
from mobile.field.store.outbox import Outbox
from mobile.field.sync import export, tokens
from server.accounts.models import Account
from server.auth.models import Device, DeviceState, Role, User
from server.contacts.models import Contact, ContactAccount
from server.phones.routes import PhoneRulesWrite
from server.sync.leaving import envelopes
from server.sync.models import QuarantinedOp, SyncMeta, SyncReceipt
from tests.server.sync.field_phone import OneKey
from tests.server.sync.world import public_key
from tests.server.web.conftest import token_in


def held(session: Session, device: Device, account: Account, note: str, n: int) -> QuarantinedOp:
    """A visit that a phone had not sent."""
    told = {"visit_id": str(uuid4()), "account_id": str(account.id), "site_id": None, "day": "2026-11-23"}
    told |= {"zone": "Europe/Vaduz", "state": "done", "outcome": None, "note": note, "checkin": None}
    op_id = uuid4()
    at = {"wall": "2026-11-23T08:15:00.000+01:00", "mono": 1, "boot": "b"}
    body = {"op_id": str(op_id), "k": "create", "e": "visit_event", "id": str(uuid4()), "d": told, "n": n, "at": at}
    row = QuarantinedOp(
        op_id=op_id, device_id=device.id, n=n, body_sha=hashlib.sha256(note.encode()).digest(), body=body
    )
    session.add(row)
    session.flush()
    return row


def refused(session: Session, device: Device, account: Account, n: int) -> None:
    """An order that the server did not take."""
    line = {"id": str(uuid4()), "product_id": None, "text": "Rolls", "quantity": "12", "unit_price": "1"}
    d = {"account_id": str(account.id), "site_id": None, "currency": "CHF", "wanted_on": None, "note": f"At noon {n}"}
    body = {"op_id": str(uuid4()), "k": "create", "e": "order", "id": str(uuid4()), "d": d | {"lines": [line]}, "n": n}
    error = {"code": "not_found", "msg": "There is no such product.", "help": "Search the catalogue for it."}
    session.add(
        SyncReceipt(
            op_id=UUID(body["op_id"]), body_sha=b"x", device_id=device.id, n=n, entity="order", row_id=uuid4(),
            status="rejected", result={"n": n, "status": "rejected", "error": error}, body=body,
        )
    )  # fmt: skip
    session.flush()


def test_refused_work_is_read_taken_again_and_put_aside_on_its_reps_page(
    session: Session,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
) -> None:
    ada, rita = make_user(), make_user("rita", Role.REP)
    device = Device(user_id=rita.id, name="Rita's phone", platform="android", public_key=b"key")
    session.add(device)
    session.flush()
    mill = make_account("Mill", rita)
    for n in range(1, 53):
        refused(session, device, mill, n)
    browser = browser_of(ada)
    assert "52 to look at" in browser.get("/users/phones").text
    page = browser.get(f"/users/{rita.id}").text
    for words in ("Mill", "12 × Rolls", "At noon 52", "There is no such product.", "Older ones"):
        assert words in page
    assert "At noon 2<" not in page
    older = re.search(r'href="(/users/[^"#]+)#[^"]+">Older ones', page)
    assert older is not None
    assert "At noon 2<" in browser.get(older[1].replace("&amp;", "&")).text
    path = f"/users/devices/{device.id}/refused"
    for n, take in ((52, "true"), (51, "false")):
        sent = browser.post(f"{path}/{n}", data={"take": take, "_csrf": token_in(page)})
        assert sent.status_code == 303
    assert session.scalar(text("select note from sales_order")) == "At noon 52"
    page = browser.get(f"/users/{rita.id}").text
    assert ("put aside" in page, "taken" in page, ada.name in page) == (True, True, True)
    assert "50 to look at" in browser.get("/users/phones").text


def test_before_a_phone_is_wiped_the_page_says_what_it_holds_and_asks(
    session: Session, browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    ada, rita = make_user(), make_user("rita", Role.REP)
    seen = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    for name, pending in (
        ("Old", None),
        ("Empty", {"ops": 0}),
        ("One", {"ops": 1}),
        ("Photos", {"ops": 0, "blobs": 2}),
        ("Full", {"ops": 7}),
    ):
        session.add(Device(user_id=rita.id, name=name, platform="android", public_key=b"key", pending=pending,
                           last_seen_at=seen))  # fmt: skip
    session.flush()
    page = browser_of(ada).get(f"/users/{rita.id}").text
    for words in (
        "whether it holds unsent work is not known", "everything was sent then", "1 entry was not sent then",
        "7 entries were not sent then", "photos were not sent then",
        "what others have on the same phone stays", "signed in on",
    ):  # fmt: skip
        assert words in page, words
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        if 'value="wipe_pending"' in form or 'value="retired"' in form:
            assert re.search(r'type="checkbox"[^>]* required', form), "one click alone does nothing"
    assert page.count("Yes, wipe ") == 5
    assert page.index('id="phones"') < page.index("Working day"), "under the person, not below all of it"


def test_what_a_retired_phone_held_is_read_and_decided_on_its_owners_page(
    session: Session,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
) -> None:
    ada, rita, otto = make_user(), make_user("rita", Role.REP), make_user("otto", Role.REP)
    device = Device(user_id=rita.id, name="Rita's phone", platform="android", public_key=b"key")
    device.state = DeviceState.RETIRED
    session.add(device)
    session.flush()
    mill = make_account("Mill", rita)
    wanted, unwanted = (held(session, device, mill, note, n) for n, note in enumerate(("Signed", "A joke"), start=1))
    browser = browser_of(ada)
    assert "2 to look at" in browser.get("/users/phones").text
    page = browser.get(f"/users/{rita.id}").text
    assert "Signed" in page
    assert "Mill" in page
    path = f"/users/devices/{device.id}/quarantine"
    foreign = browser_of(otto)
    assert foreign.get("/users/phones").text.count("Rita&#39;s phone") == 0
    assert foreign.post(path, data={"take": "true", "_csrf": token_in(foreign.get("/me").text)}).status_code == 403
    for op, take in ((wanted, "true"), (unwanted, "false")):
        answer = browser.post(path, data={"take": take, "op": str(op.op_id), "_csrf": token_in(page)})
        assert answer.status_code == 303
    assert session.execute(text("select note from visit_event")).scalars().all() == ["Signed"]
    assert "to look at" not in browser.get("/users/phones").text
    session.expire_all()
    assert (wanted.state, unwanted.state, unwanted.decided_by) == ("taken", "discarded", ada.id)


def test_an_edit_that_a_retired_phone_held_is_told_in_peoples_words(
    session: Session,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
) -> None:
    ada, rita = make_user(language="de"), make_user("rita", Role.REP)
    device = Device(user_id=rita.id, name="Rita's phone", platform="android", public_key=b"key")
    device.state = DeviceState.RETIRED
    session.add(device)
    session.flush()
    row = held(session, device, mill := make_account("Mill", rita), "", 1)
    fields = {"email": ["a@mill.li", ""], "status": ["prospect", "customer"]}
    row.body = {"op_id": str(row.op_id), "k": "patch", "e": "account", "id": str(mill.id), "f": fields, "n": 1}
    session.flush()
    page = browser_of(ada).get(f"/users/{rita.id}").text
    (entry,) = re.findall(r'<article class="card stack">(.*?)</article>', page, re.DOTALL)
    told = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", entry)
    assert told == [("E-Mail", "leer"), ("Status", "Kunde")]


def test_a_code_is_shown_once_as_a_picture_lets_the_phone_in_and_can_be_taken_back(
    browser_of: Callable[[User], TestClient],
    client_for: Callable[[User | None], TestClient],
    make_user: Callable[..., User],
) -> None:
    ada, rita = make_user(), make_user("rita", Role.REP)
    browser = browser_of(ada)
    before = browser.get("/users/phones").text
    assert " selected" not in before.split('name="user_id"')[1].split("</select>")[0], "nobody is chosen unasked"
    token = token_in(before)
    page = browser.post("/users/phones/codes", data={"user_id": str(rita.id), "_csrf": token}).text
    code = re.findall(r"<code[^>]*>(\w{5}-\w{5})</code>", page)[0]
    assert "<svg" in page
    assert "code waits for a phone until" in page
    assert code not in browser.get("/users/phones").text
    phone = {"code": code, "name": "Rita's phone", "platform": "android", "public_key": public_key()}
    assert client_for(None).post("/api/v1/devices/by-code", json=phone).status_code == 201
    shown = browser.get("/users/phones").text
    assert "Rita&#39;s phone" in shown
    assert "code waits" not in shown
    browser.post("/users/phones/codes", data={"user_id": str(ada.id), "_csrf": token})
    revoke = re.findall(r'action="(/users/phones/codes/[^"]+/revoke)"', browser.get("/users/phones").text)[0]
    assert browser.post(revoke, data={"_csrf": token}).status_code == 303
    assert "code waits" not in browser.get("/users/phones").text
    foreign = browser_of(rita).post(revoke, data={"_csrf": token})
    assert foreign.status_code == 403


def test_only_who_manages_all_phones_says_when_they_close_and_nonsense_is_named(
    session: Session, browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user())
    page = browser.get("/users/phones").text
    assert re.search(r'name="lock_days"[^>]*value="14"', page)
    for wrong, said in (
        ("0", "0 cannot be"),
        ("", "is missing"),
        ("6.5", "6.5 cannot be"),
        ("inf", "“inf” is not a number"),
    ):
        refused = browser.post("/users/phones/rules", data={"lock_days": wrong, "_csrf": token_in(page)})
        assert (refused.status_code, said in refused.text) == (422, True), wrong
        assert "Give 1 to 90 days." in refused.text
    for value in (True, "14", 14.0):
        with pytest.raises(ValidationError):
            PhoneRulesWrite.model_validate({"lock_days": value})
    kept = browser.post("/users/phones/rules", data={"lock_days": "7", "_csrf": token_in(page)})
    assert kept.status_code == 303
    assert session.execute(text("select lock_days from phone_rules")).scalar_one() == 7
    assert "Phones do not record" in browser_of(make_user("max", Role.MANAGER)).get("/users/phones").text
    wanted = {"lock_days": "7", "records_tracks": "true", "tracks_days": "366", "_csrf": token_in(page)}
    refused = browser.post("/users/phones/rules", data=wanted).text
    assert "Give 1 to 365 days." in refused
    told = json.loads(refused.split('id="refused">')[1].split("</script>")[0])
    assert (told["path"], told["field"]) == ("/users/phones/rules", "tracks_days")
    assert dict(told["sent"]) == {name: value for name, value in wanted.items() if name != "_csrf"}
    assert browser.post("/users/phones/rules", data=wanted | {"tracks_days": "90"}).status_code == 303
    assert re.search(r'name="records_tracks" value="true" checked', browser.get("/users/phones").text)
    too_many = browser.post("/users/phones/rules", data=wanted | {"tracks_days": "90", "max_rows": "999"})
    assert (too_many.status_code, "Give 1,000 to 5,000,000 rows." in too_many.text) == (422, True)
    for wrong, why in (("1e5", "“1e5” is not a number"), ("", "is missing")):
        refused = browser.post("/users/phones/rules", data=wanted | {"tracks_days": "90", "max_rows": wrong})
        assert refused.status_code == 422
        assert f"Give a phone at most: {why}" in refused.text, "as the form calls it"
    assert re.search(r'name="max_rows"[^>]*value="150000"', page)
    assert browser.post("/users/phones/rules", data=wanted | {"tracks_days": "90", "max_rows": "200000"})
    assert re.search(r'name="max_rows"[^>]*value="200000"', browser.get("/users/phones").text)
    manager = browser_of(make_user("mona", Role.MANAGER))
    shown = manager.get("/users/phones").text
    assert "After 7 days without the server" in shown
    assert "it is deleted after 90 days" in shown
    assert "A phone is given 200,000 rows at most" in shown
    assert 'name="lock_days"' not in shown
    barred = manager.post("/users/phones/rules", data={"lock_days": "2", "_csrf": token_in(manager.get("/me").text)})
    assert barred.status_code == 403


def test_the_page_says_how_many_rows_a_phone_holds_when_they_are_many_and_what_is_left_out(
    session: Session, browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    ada, rita, otto = make_user(), make_user("rita", Role.REP), make_user("otto", Role.REP)
    ada.language = "de"
    made = "insert into bucket (kind, key, priority, rows) values (:kind, :key, 1, :rows) on conflict (kind, key)"
    kinds = (("user", str(otto.id)), ("territory", "nobody"), ("prospects", "nobody"))
    without = [
        session.execute(
            text(f"{made} do update set rows = :rows returning id"), {"kind": kind, "key": key, "rows": 1000 + number}
        ).scalar_one()
        for number, (kind, key) in enumerate(kinds)
    ]
    for name, rows in (("few", 49_999), ("many", 50_000), ("too many", 150_001)):
        held = (
            {"rows": rows, "left_out": without, "further": 1}
            if name == "many"
            else {"rows": rows, "left_out": [], "further": 0}
        )
        session.add(Device(user_id=rita.id, name=name, platform="android", public_key=b"key", holding=held))
    session.flush()
    shown = browser_of(ada).get("/users/phones").text
    assert [shown.count(said) for said in (">viele</span>", ">zu viele eigene</span>")] == [1, 1]
    assert "49.999" in shown
    for said in (f"Konten von {otto.name} (Zeilen: 1.000)", "Grund ohne Gebiet (Zeilen: 1.001)"):
        assert said in shown
    assert "Interessenten in Grund ohne Gebiet (Zeilen: 1.002)" in shown
    assert "1 Bereich nach den ersten 64 ist weggelassen." in shown
    assert "wird zweimal gezählt" in shown, "the phone's own figure is smaller, and the page says why"
    person = browser_of(ada).get(f"/users/{rita.id}").text
    for said in ("49.999", ">viele</span>", ">zu viele eigene</span>", "Grund ohne Gebiet (Zeilen: 1.001)"):
        assert said in person, "the same stands at whose phones they are"


def exported(session: Session, folder: Path, device: Device, *bodies: dict[str, Any]) -> bytes:
    """What the app of a phone writes for this server."""
    outbox = Outbox(folder / "outbox.db")
    secret = session.scalars(select(SyncMeta.secret)).one()
    outbox.meta.set(export.KEY, envelopes.told(secret))
    for body in bodies:
        outbox.append(body)
    known = tokens.Tokens(str(device.id), "key", "", "", "")
    made = export.write(outbox, folder, "What this is.", OneKey(), known, envelope)
    outbox.close()
    return made.path.read_bytes()


def test_an_export_is_taken_in_on_the_page_once_and_another_file_is_refused_in_words(
    session: Session,
    tmp_path: Path,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
) -> None:
    ada, rita = make_user(), make_user("rita", Role.REP)
    device = Device(user_id=rita.id, name="Rita's phone", platform="android", public_key=base64.b64decode(public_key()))
    session.add(device)
    session.flush()
    visit, nowhere = (
        held(session, device, account, note, n).body
        for n, (account, note) in enumerate(((make_account("Mill", rita), "Signed"), (Account(id=uuid4()), "Lost")), 1)
    )
    session.execute(text("delete from quarantined_op"))
    whole = exported(
        session, tmp_path, device, *({k: v for k, v in body.items() if k != "n"} for body in (visit, nowhere))
    )
    browser = browser_of(ada)
    token = token_in(browser.get("/users/phones").text)

    def send(content: bytes) -> Any:
        return browser.post("/users/phones/exports", data={"_csrf": token}, files={"file": ("unsent.zip", content)})

    page = send(whole).text
    assert "Taken in from the phone “Rita&#39;s phone” of" in page
    assert "New entries: 1. Here before: 0. Contents of photos: 0." in page
    assert "1 entry is kept, but the rules do not take it:" in page
    assert "New entries: 0. Here before: 2." in send(whole).text
    assert session.execute(text("select note from visit_event")).scalars().all() == ["Signed"]
    refused = send(whole[:-40])
    assert (refused.status_code, "was cut on its way" in refused.text) == (422, True)
    ada.language = "de"
    session.flush()
    assert "Die Datei ist kein Export eines Telefons" in send(b"").text
    assert "Export aufnehmen" not in browser_of(rita).get("/users/phones").text


def test_what_was_refused_is_led_to_from_home_the_conflicts_and_the_person_by_whoever_looks_after_the_phone(
    session: Session,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
) -> None:
    ada, rita = make_user(), make_user("rita", Role.REP)
    device = Device(user_id=rita.id, name="Rita's phone", platform="android", public_key=b"key")
    session.add(device)
    session.flush()
    mill = make_account("Mill", rita)
    sabine, other = Contact(last_name="Off"), Contact(last_name="Else")
    session.add_all([sabine, other])
    session.flush()
    session.add_all(ContactAccount(contact_id=one.id, account_id=mill.id, roles=[]) for one in (sabine, other))
    for n in (1, 2):
        refused(session, device, mill, n)
    receipt = session.scalars(select(SyncReceipt).where(SyncReceipt.n == 2)).one()
    receipt.entity, receipt.row_id = "contact", sabine.id
    receipt.body = {"k": "patch", "e": "contact", "id": str(sabine.id), "f": {"title": [None, "Head"]}}
    session.flush()
    browser, link = browser_of(ada), f"/users/{rita.id}#refused-{device.id}"
    assert "Refused entries of phones: 2" in browser.get("/home/today").text
    page = browser.get("/conflicts").text
    assert (link in page, "2 to look at" in page, "Nothing to decide" in page) == (True, True, False)
    page = browser.get(f"/contacts/{sabine.id}").text
    assert (link in page, "1 change was refused and counts nowhere" in page) == (True, True)
    assert link not in browser.get(f"/contacts/{other.id}").text
    theirs = browser_of(rita)
    assert "Refused entries" not in theirs.get("/home/today").text + theirs.get("/conflicts").text
    assert link not in theirs.get(f"/contacts/{sabine.id}").text
