"""Programs link a calendar, make an address for the feed and keep texts of mails, as people do on the pages."""

from pathlib import Path
from typing import Any

from server.activities.caldav.models import CalendarLink
from tests.server.activities.radicale_peer import new_calendar, running

LINK, FEED, TEMPLATES = "/api/v1/calendar-link", "/api/v1/calendar-feed", "/api/v1/mail-templates"


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    nobody = client_for(None)
    for method, path in (
        ("get", LINK),
        ("put", LINK),
        ("post", FEED),
        ("get", TEMPLATES),
        ("put", "/api/v1/mail-signature"),
    ):
        assert getattr(nobody, method)(path).status_code == 401, path


def test_a_calendar_is_looked_for_linked_and_ended(session: Any, clients: Any, people: Any, tmp_path: Path) -> None:
    rita, otto = clients["rita"], clients["otto"]
    assert rita.get(LINK).status_code == 404
    with running(tmp_path) as port:
        server = {"url": new_calendar(port), "username": "rita", "password": "secret"}
        (offered,) = rita.post(f"{LINK}/look", json=server).json()["items"]
        refused = rita.put(LINK, json=server | {"calendar": "http://elsewhere.example/"})
        made = rita.put(LINK, json=server | {"calendar": offered["url"]})
    assert (refused.status_code, "Choose one" in refused.json()["help"]) == (422, True)
    assert (made.status_code, made.json()["url"], made.json()["trouble"]) == (200, offered["url"], "")
    assert "password" not in made.json()
    assert otto.get(LINK).status_code == 404
    assert rita.post(f"{LINK}/sync").status_code == 202
    assert rita.delete(LINK).status_code == 204
    assert session.query(CalendarLink).count() == 0


def test_an_address_of_the_feed_is_made_read_and_ended(clients: Any) -> None:
    rita = clients["rita"]
    assert rita.get(FEED).status_code == 404
    made = rita.post(FEED, json={"contents": ["meeting"]}).json()
    assert rita.get(made["path"]).text.startswith("BEGIN:VCALENDAR")
    assert rita.patch(FEED, json={"contents": ["meeting", "task"]}).json()["contents"] == ["meeting", "task"]
    assert rita.post(FEED, json={"contents": ["colour"]}).status_code == 422
    assert rita.delete(FEED).status_code == 204
    assert rita.get(made["path"]).status_code == 404


def test_a_template_is_kept_changed_and_dropped(clients: Any) -> None:
    rita = clients["rita"]
    text = {"name": "Thanks", "subject": "Your order", "body": "Dear {account}, thank you. {me}"}
    made = rita.post(TEMPLATES, json=text).json()
    assert rita.post(TEMPLATES, json=text).json()["code"] == "template_name_taken"
    assert rita.post(TEMPLATES, json=text | {"name": "Odd", "body": "{colour}"}).status_code == 422
    path = f"{TEMPLATES}/{made['id']}"
    assert rita.put(path, json=text | {"subject": "Thank you"}).json()["subject"] == "Thank you"
    assert [one["name"] for one in rita.get(TEMPLATES).json()["items"]] == ["Thanks"]
    assert rita.delete(path).status_code == 204
    assert rita.put(path, json=text).status_code == 404
    rita.put("/api/v1/mail-signature", json={"signature": "Rita, Waymark"})
    assert rita.get("/api/v1/mail-signature").json() == {"signature": "Rita, Waymark"}
