"""Programs set mailboxes up, decide what waits for a person, and send mails to accounts."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from server.auth.models import User
from server.mail.receiving_models import Mailbox
from tests.server.inbox.test_inbox import Arrive, account, arrive, mailbox, people
from tests.server.mail.imap_peer import serving

__all__ = ["account", "arrive", "mailbox", "people"]

type ClientFor = Callable[[User | None], TestClient]
type MakeUser = Callable[..., User]


def test_only_who_may_sets_mailboxes_up(people: dict[str, User], client_for: ClientFor) -> None:
    assert client_for(None).get("/api/v1/mailboxes").status_code == 401
    assert client_for(people["rita"]).get("/api/v1/mailboxes").status_code == 403


def test_a_mailbox_is_tried_before_it_is_kept(make_user: MakeUser, client_for: ClientFor) -> None:
    ada = client_for(make_user("ada"))
    with serving() as folder:
        wish = {"name": "Sales", "address": "sales@example.com", "host": "127.0.0.1", "port": folder.port,
                "security": "none", "username": "sales", "password": "wrong"}  # fmt: skip
        refused = ada.post("/api/v1/mailboxes", json=wish)
        made = ada.post("/api/v1/mailboxes", json=wish | {"password": "right"})
        path = f"/api/v1/mailboxes/{made.json()['id']}"
        changed = ada.put(path, json=wish | {"password": None, "name": "Orders"})
    assert 400 <= refused.status_code < 600
    assert refused.json()["detail"]
    assert (made.status_code, "password" in made.json()) == (201, False)
    assert (changed.status_code, changed.json()["name"]) == (200, "Orders")
    assert ada.post(f"{path}/read").status_code == 202
    assert ada.delete(path).status_code == 204
    assert [one["name"] for one in ada.get("/api/v1/mailboxes").json()["items"]] == []


def test_what_waits_is_filed_or_passed_over(
    make_user: MakeUser, account: Any, arrive: Arrive, client_for: ClientFor
) -> None:
    ada = client_for(make_user("ada"))
    one, other = arrive(sender="who@elsewhere.example"), arrive(sender="spam@elsewhere.example")
    waiting = ada.get("/api/v1/inbox").json()["items"]
    assert {row["id"] for row in waiting} == {str(one.id), str(other.id)}
    filing = {"account_id": str(account.id), "remember": True}
    assert ada.post(f"/api/v1/inbox/{one.id}/file", json=filing).status_code == 204
    assert ada.post(f"/api/v1/inbox/{one.id}/file", json=filing).status_code == 409
    assert ada.post(f"/api/v1/inbox/{other.id}/ignore", json={}).status_code == 204
    assert ada.get("/api/v1/inbox").json()["items"] == []


def test_a_mail_to_an_account_is_sent_and_stands_there(
    people: dict[str, User], account: Any, mailbox: Mailbox, client_for: ClientFor
) -> None:
    rita, nora = client_for(people["rita"]), client_for(people["nora"])
    path, letter = f"/api/v1/accounts/{account.id}/mail", {"to": ["max@amann.example"], "body": "On its way."}
    assert nora.post(path, json=letter).status_code == 404
    sent = rita.post(path, json=letter)
    assert (sent.status_code, sent.json()["kind"]) == (201, "mail")
    answer = rita.post(path, json=letter | {"answers": sent.json()["id"], "subject": "And more"})
    assert (answer.status_code, answer.json()["subject"]) == (201, "And more")
