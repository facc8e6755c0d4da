"""Pages of the shared story: notes, notifications, hand-overs and the bin, as people use them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from server.accounts import service as accounts
from server.activities.agenda import editing
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Kind, State
from server.activities.models import Visit, VisitEvent
from server.activities.notes import service as notes
from server.activities.notes.models import Note
from server.activities.notes.service import NewNote
from server.auth.access import scope_of
from server.auth.models import Role
from server.fields import service as fields
from server.kit import clock
from server.notifications.models import Notification
from server.orders.models import Order
from server.records.merging import Delta
from server.records.service import Actor
from server.web.pages import templates
from tests.server.web.conftest import token_in

NOBODY = UUID("01990000-0000-7000-8000-000000000000")


@pytest.fixture
def rita(make_user: Any) -> Any:
    return make_user("rita", Role.REP)


@pytest.fixture
def mona(make_user: Any) -> Any:
    return make_user("mona", Role.ADMIN)


def post(client: Any, page: str, path: str, **fields: Any) -> Any:
    """Send a form with the token of a page."""
    return client.post(path, data={"_csrf": token_in(client.get(page).text), **fields})


@pytest.mark.parametrize("path", ["/notifications", "/notifications/wishes", "/notifications/bell", "/handovers",
                                  "/handovers/new", "/bin", f"/notes/{NOBODY}/edit"])  # fmt: skip
def test_a_stranger_is_sent_to_the_door(client_for: Any, path: str) -> None:
    answer = client_for(None).get(path, headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


def test_somebody_elses_story_is_not_shown(browser_of: Any, rita: Any, mona: Any, make_account: Any) -> None:
    account = make_account("Not Rita's", mona)
    client = browser_of(rita)
    for path in ("timeline",):
        assert client.get(f"/accounts/{account.id}/{path}").status_code == 404
    assert post(client, "/accounts", f"/accounts/{account.id}/notes", text="x", id=str(NOBODY)).status_code == 404
    assert post(client, "/accounts", f"/accounts/{account.id}/follow", wanted="true").status_code == 404


def test_a_note_is_written_pinned_changed_deleted_and_brought_back(
    session: Any, browser_of: Any, rita: Any, make_account: Any
) -> None:
    account = make_account("Amann", rita)
    client, page = browser_of(rita), f"/accounts/{account.id}"
    assert "Write a note" in client.get(page).text
    written = post(client, page, f"{page}/notes", text="New oven <b>soon</b>", id=str(NOBODY), is_pinned="on")
    assert written.status_code == 200
    assert written.text.count("New oven &lt;b&gt;soon&lt;/b&gt;") == 2  # pinned, and in the timeline
    note = session.scalars(select(Note)).one()
    assert "<textarea" in client.get(f"/notes/{note.id}/edit").text
    changed = post(client, page, f"/notes/{note.id}", text="Two ovens", rev="1")
    assert "Two ovens" in changed.text
    clash = post(client, page, f"/notes/{note.id}", text="Three ovens", rev="1")
    assert (clash.status_code, clash.headers["hx-retarget"]) == (412, f"#note-{note.id}")
    assert "Two ovens" in clash.text
    assert "Three ovens" in clash.text
    gone = post(client, page, f"/notes/{note.id}/delete", rev="2")
    assert "undoable" in gone.headers["hx-trigger"]
    assert "Two ovens" not in client.get(page).text
    assert "Two ovens" in client.get("/bin").text
    assert post(client, page, f"/notes/{note.id}/restore").status_code == 200
    assert "Two ovens" in client.get(page).text


def test_a_refused_note_keeps_its_words(browser_of: Any, make_user: Any, rita: Any, make_account: Any) -> None:
    make_user("otto", Role.REP)
    account = make_account("Amann", rita)
    page = f"/accounts/{account.id}"
    refused = post(browser_of(rita), page, f"{page}/notes", text="@otto look", id=str(NOBODY), is_shareable="on")
    assert refused.status_code == 422
    assert "@otto look" in refused.text
    assert "may not see this account" in refused.text
    assert "checked" in refused.text


def test_the_timeline_is_filtered_and_goes_on(session: Any, browser_of: Any, rita: Any, make_account: Any) -> None:
    account = make_account("Amann", rita)
    scope = scope_of(session, rita, source="web")
    for k in range(45):
        note = notes.write(session, scope, NewNote(account.id, f"Note number {k}"))
        note.written_at = clock.now() - timedelta(hours=k)
    session.flush()
    client = browser_of(rita)
    first = client.get(f"/accounts/{account.id}/timeline?kinds=note").text
    assert "Note number 0" in first
    assert "Note number 44" not in first
    more = first.split('class="more"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    second = client.get(more).text
    assert "Note number 44" in second
    assert "<ol" not in second
    assert "Note number 7<" in client.get(f"/accounts/{account.id}/timeline?q=number+7").text
    assert "Nothing fits" in client.get(f"/accounts/{account.id}/timeline?kinds=visit").text


@pytest.mark.parametrize(
    ("currency", "words"), [("EUR", "64.32 EUR"), ("JPY", "64 JPY"), ("KWD", "64.320 KWD")], ids=["2", "0", "3"]
)
def test_an_order_in_the_timeline_and_at_its_visit_has_the_digits_of_its_currency(
    session: Any, browser_of: Any, client_for: Any, rita: Any, make_account: Any, currency: str, words: str
) -> None:
    account = make_account("Amann", rita)
    done = client_for(rita).post("/api/v1/visits/report", json={"account_id": str(account.id), "outcome": "order"})
    visit = session.get(Visit, UUID(done.json()["id"]))
    sold = Order(kind="order", state="draft", account_id=account.id, currency=currency, zone="UTC", owner_id=rita.id,
                 day=visit.day, language="en", net=Decimal("64.32"), gross=Decimal("64.32"))  # fmt: skip
    session.add(sold)
    session.flush()
    assert f">{words}<" in browser_of(rita).get(f"/accounts/{account.id}/timeline").text
    assert f"<span>{words} <" in browser_of(rita).get(f"/visits/{visit.id}").text


def test_the_bell_counts_and_the_list_leads_there(
    session: Any, browser_of: Any, rita: Any, mona: Any, make_account: Any
) -> None:
    account = make_account("Amann", rita)
    notes.write(session, scope_of(session, mona, source="web"), NewNote(account.id, "@rita they want the oven"))
    client = browser_of(rita)
    assert '<span class="count">1</span>' in client.get("/notifications/bell").text
    assert "Mona mentioned you at Amann" in client.get("/notifications").text
    told = session.scalars(select(Notification)).one()
    opened = post(client, "/notifications", f"/notifications/{told.id}/open")
    assert opened.headers["location"].startswith(f"/accounts/{account.id}#note-")
    assert "count" not in client.get("/notifications/bell").text


def test_wishes_are_chosen_on_a_page(browser_of: Any, rita: Any) -> None:
    client, page = browser_of(rita), "/notifications/wishes"
    saved = post(client, page, page, note="off", quiet_from="20:00", quiet_until="06:00", digest_at="06:30")
    assert saved.headers["location"] == f"{page}?saved=1"
    assert 'value="20:00"' in client.get(page).text
    assert post(client, page, page, quiet_from="20:00").status_code == 422


def test_accounts_are_handed_over_and_taken_back_on_pages(
    session: Any, browser_of: Any, rita: Any, mona: Any, make_account: Any
) -> None:
    account, client = make_account("Amann", rita), browser_of(mona)
    page = f"/handovers/new?account={account.id}"
    assert "Amann" in client.get(page).text
    today = clock.today("Europe/Vaduz").isoformat()
    fields = {"account_ids": str(account.id), "to_id": str(mona.id), "day": today, "note": "Rita is away"}
    made = post(client, page, "/handovers/new", **fields)
    assert made.status_code == 303
    assert "Rita → Mona" in client.get(made.headers["location"]).text
    assert "Handed over" in client.get(f"/accounts/{account.id}").text
    assert post(client, "/accounts", f"{made.headers['location']}/undo").status_code == 200
    session.expire_all()
    assert account.owner_id == rita.id
    assert post(client, page, "/handovers/new", **(fields | {"account_ids": "nonsense"})).status_code == 422


def test_a_deleted_account_lies_in_the_bin_and_comes_back(
    session: Any, browser_of: Any, mona: Any, make_account: Any
) -> None:
    account, client = make_account("Amann", mona), browser_of(mona)
    accounts.delete(session, scope_of(session, mona, source="web"), account.id, account.rev)
    assert "Amann" in client.get("/bin?entity=account&q=aman").text
    assert "Amann" not in client.get("/bin?q=zech").text
    back = post(client, "/bin", f"/bin/account/{account.id}/restore")
    assert back.headers["location"] == f"/accounts/{account.id}"
    assert client.get(f"/accounts/{account.id}").status_code == 200
    assert post(client, "/accounts", f"/bin/account/{NOBODY}/restore").status_code == 404


def test_a_visit_has_a_page_with_all_that_was_recorded(
    browser_of: Any, client_for: Any, make_user: Any, rita: Any, make_account: Any
) -> None:
    account = make_account("Amann", rita)
    report = {
        "account_id": str(account.id),
        "outcome": "order",
        "note": "Wants a second oven",
        "checkin": {"lon": 9.5, "lat": 47.1, "accuracy_m": 12},
    }
    visit = client_for(rita).post("/api/v1/visits/report", json=report).json()["id"]
    client, path = browser_of(rita), f"/visits/{visit}"
    page = client.get(path).text
    for words in ("Amann", "Wants a second oven", "What was recorded", "accurate to", f"/files/visit/{visit}"):
        assert words in page, words
    assert f'href="{path}"' in client.get(f"/accounts/{account.id}").text
    assert browser_of(make_user("otto", Role.REP)).get(path).status_code == 404


def test_edits_and_reasons_are_said_in_the_readers_language(
    session: Any, browser_of: Any, client_for: Any, rita: Any, mona: Any, make_account: Any
) -> None:
    fields.add(session, "account", {"key": "treuepunkte", "label": "Loyalty points", "kind": "number"})
    account = make_account("Amann", mona)
    changes = {
        "interval_days": 21, "preferred_time": "afternoon", "preferred_days": ["tu", "th"],
        "preferred_channel": "phone", "custom": {"treuepunkte": 1234},
    }  # fmt: skip
    version = {"If-Match": f'"{account.rev}"'}
    changed = client_for(mona).patch(f"/api/v1/accounts/{account.id}", json=changes, headers=version)
    assert changed.status_code == 200, changed.text
    session.execute(text("update account set interval_days = 35 where id = :id"), {"id": account.id})
    mona.language = "de"
    session.flush()
    page = browser_of(mona).get(f"/accounts/{account.id}/timeline").text
    for words in ("21 Tage", "35 Tage", "Nachmittag", "Dienstag, Donnerstag", "Telefon", "1.234"):
        assert words in page, words
    for words in ("afternoon", "tu, th", "by sql"):
        assert words not in page, words


def test_why_a_visit_was_planned_is_said_from_its_figures() -> None:
    made = templates("de").from_string(
        '{% from "plans/why.html" import why_words with context %}{{ why_words(because, words) }}'
    )
    because = {"overdue_days": 59, "detour_s": 120, "value_s": 1_800, "origin": "", "usual": None}
    because |= {"appointment": False, "mandatory": False, "preferred": False}
    told = made.render(because=because, words="59 days overdue; 2 min detour.")
    assert "59 T überfällig" in told
    assert "overdue" not in told
    assert "Das Besuchsintervall war abgelaufen." in made.render(because=None, words="Its call interval had run out.")


def test_a_signature_alone_has_no_heading_of_answers(
    session: Any, browser_of: Any, client_for: Any, rita: Any, make_account: Any
) -> None:
    account = make_account("Amann", rita)
    visit = client_for(rita).post("/api/v1/visits/report", json={"account_id": str(account.id), "outcome": "order"})
    event = session.scalars(select(VisitEvent).where(VisitEvent.visit_id == UUID(visit.json()["id"]))).first()
    event.signature = {"name": "Eva Amann", "strokes": [[1, 2, 3, 4]]}
    session.flush()
    page = browser_of(rita).get(f"/visits/{visit.json()['id']}").text
    assert "signed by Eva Amann" in page
    assert "<h2>Answers</h2>" not in page


def test_an_appointment_that_a_phone_and_the_office_settled_differently_says_so(
    browser_of: Any, mona: Any, rita: Any, session: Any
) -> None:
    wanted = agenda.NewActivity(Kind.TASK, rita.id, {"subject": "Weekly report", "due_on": "2026-11-20"})
    row = agenda.add(session, wanted)
    row.state = State.CANCELLED
    session.flush()
    delta = {"state": Delta("open", "done")}
    found, _ = editing.merged(session, row, delta, row.rev - 1, Actor(rita.id, "sync"))
    agenda.write(session, row, found)
    page = browser_of(mona).get(f"/calendar/activities/{row.id}").text
    assert f"{rita.name} took it down as “done” on a phone; it stood as “cancelled” here since." in page
