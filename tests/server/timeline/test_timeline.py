"""The timeline: all sources in one order, page by page, for those who may see it, from indexes."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, event, insert, select, text
from sqlalchemy.orm import Session

from server.accounts import service as accounts
from server.accounts.duplicates.merging import MergeWish, merge
from server.accounts.reach import Reader
from server.activities import service as activities
from server.activities.agenda.models import Activity
from server.activities.models import Outcome, Visit, VisitState
from server.activities.notes import service as notes
from server.activities.notes.models import Note
from server.activities.notes.service import NewNote
from server.kit.errors import NotFound
from server.kit.ids import uuid7
from server.plans import service as plans
from server.records.models import FieldHistory
from server.records.service import Actor
from server.timeline import entries, queries
from server.timeline.queries import Wish

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
START = datetime(2024, 1, 1, 8, tzinfo=UTC)


@pytest.fixture
def account(session: Session, people: Any, make_account: Any) -> Any:
    return make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)


def report(session: Session, account: Any, rep: Any, at: datetime, **more: Any) -> Visit:
    key = uuid7()
    fact = activities.VisitReport(
        key, key, account.id, rep.id, VisitState.DONE, at.date(), "UTC", at, note=more.pop("note", None), **more
    )
    return activities.record_visit(session, fact, Actor(rep.id, "api"))


def many_notes(session: Session, account: Any, author: Any, count: int) -> None:
    """Notes at one minute's distance, written past the service."""
    rows = [
        {
            "id": uuid7(), "account_id": account.id, "author_id": author.id, "text": f"Note {k}",
            "written_at": START + timedelta(minutes=k),
        }
        for k in range(count)
    ]  # fmt: skip
    session.execute(insert(Note), rows)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that run inside."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def explained(session: Session, statement: Any, values: Any) -> str:
    """How the database would read it."""
    connection = session.connection()

    def explain(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        return f"explain {sql}", parameters

    event.listen(connection, "before_cursor_execute", explain, retval=True)
    try:
        return "\n".join(row[0] for row in connection.execute(statement, values).cursor.fetchall())
    finally:
        event.remove(connection, "before_cursor_execute", explain)


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    for path in ("", "/export.csv", "/export.pdf"):
        assert client_for(None).get(f"/api/v1/accounts/{NOBODY}/timeline{path}").status_code == 401


def test_the_story_of_somebody_elses_account_does_not_exist(clients: Any, account: Any) -> None:
    for path in ("", "/export.csv", "/export.pdf"):
        assert clients["nora"].get(f"/api/v1/accounts/{account.id}/timeline{path}").status_code == 404


def test_visits_notes_and_edits_stand_in_one_order(
    session: Session, people: Any, scope: Any, clients: Any, account: Any
) -> None:
    mona = scope(people["mona"])
    report(session, account, people["rita"], START, outcome=Outcome.ORDER, note="Two ovens")
    notes.write(session, mona, NewNote(account.id, "Call first"))
    accounts.edit(session, mona, account.id, account.rev, {"phone": "+423 232 10 00", "status": "customer"})
    items = clients["rita"].get(f"/api/v1/accounts/{account.id}/timeline").json()["items"]
    assert [one["kind"] for one in items if one["kind"] != "edit"] == ["note", "visit"]
    visit = items[-1]
    assert (visit["who"], visit["body"], visit["facts"]["inside"]["outcome"]) == ("Rita", "Two ovens", "order")
    assert {change["label"] for one in items for change in one["changes"]} >= {"Phone", "Status"}
    assert [one["at"] for one in items] == sorted((one["at"] for one in items), reverse=True)


def test_what_one_person_changes_within_a_minute_is_one_entry(
    session: Session, people: Any, scope: Any, account: Any
) -> None:
    session.execute(text("delete from field_history"))
    at = START
    for number, name in enumerate(("name", "phone", "email")):
        session.add(
            FieldHistory(
                entity="account", row_id=account.id, rev=2, field=name, old=None, new=f"v{number}",
                actor=people["rita"].id, source="web", at=at + timedelta(seconds=number),
            )
        )  # fmt: skip
    session.flush()
    mona = scope(people["mona"])
    (entry,) = queries.page(session, mona, account.id, Wish()).entries
    assert [change.label for change in entry.changes] == ["E-mail", "Phone", "Name"]
    note_first = queries.page(session, mona, account.id, Wish(), limit=2)
    assert (len(note_first.entries), note_first.next_cursor is not None) == (1, True)


def test_pages_follow_each_other_without_a_gap(session: Session, people: Any, scope: Any, account: Any) -> None:
    many_notes(session, account, people["rita"], 25)
    rita, cursor, read = scope(people["rita"]), None, []
    while True:
        found = queries.page(session, rita, account.id, Wish(kinds=frozenset({"note"})), cursor=cursor, limit=10)
        read += [entry.body for entry in found.entries]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert read == [f"Note {k}" for k in reversed(range(25))]


def test_rows_of_the_same_moment_are_neither_lost_nor_doubled(
    session: Session, people: Any, scope: Any, account: Any
) -> None:
    many_notes(session, account, people["rita"], 9)
    session.execute(text("update note set written_at = :at"), {"at": START})
    rita, cursor, read = scope(people["rita"]), None, []
    for _ in range(3):
        found = queries.page(session, rita, account.id, Wish(kinds=frozenset({"note"})), cursor=cursor, limit=3)
        read += [entry.body for entry in found.entries]
        cursor = found.next_cursor
    assert (len(read), len(set(read)), cursor) == (9, 9, None)


def test_it_is_filtered_by_kind_person_day_and_words(session: Session, people: Any, scope: Any, account: Any) -> None:
    report(session, account, people["rita"], START, note="Zwei Öfen")
    report(session, account, people["otto"], START + timedelta(days=2), note="Nobody there")
    notes.write(session, scope(people["rita"]), NewNote(account.id, "Ofen bestellt"))
    mona = scope(people["mona"])

    def found(**wish: Any) -> list[str | None]:
        return [entry.body for entry in queries.page(session, mona, account.id, Wish(**wish)).entries]

    assert found(kinds=frozenset({"visit"})) == ["Nobody there", "Zwei Öfen"]
    assert found(kinds=frozenset({"visit"}), people=frozenset({people["rita"].id})) == ["Zwei Öfen"]
    assert found(first=date(2024, 1, 2), last=date(2024, 1, 3)) == ["Nobody there"]
    assert found(search="ofen") == ["Ofen bestellt", "Zwei Öfen"]
    assert found(search="100%") == []
    assert found(kinds=frozenset({"campaign"})) == []


def test_a_parent_is_told_by_its_name_where_it_is_in_reach(
    session: Session, people: Any, scope: Any, account: Any, make_account: Any
) -> None:
    mona, house = scope(people["mona"]), make_account("Holding", owner_id=people["mona"].id)
    accounts.edit(session, mona, account.id, account.rev, {"parent_id": str(house.id)})
    told = [
        change.new
        for reader in (mona, scope(people["rita"]))
        for entry in queries.page(session, reader, account.id, Wish(kinds=frozenset({"edit"}))).entries
        for change in entry.changes
        if change.label == "Parent account"
    ]
    assert told == ["Holding", "an account of somebody else"]


def test_a_task_of_a_day_has_no_time(session: Session, people: Any, scope: Any, account: Any) -> None:
    rita, at = people["rita"], {"zone": "UTC", "at": START}
    for when in ({"due_on": START.date()}, {"starts_at": START, "ends_at": START + timedelta(hours=1)}):
        kind = "task" if "due_on" in when else "call"
        session.add(Activity(kind=kind, account_id=account.id, owner_id=rita.id, subject=kind, **when, **at))
    session.flush()
    entries = queries.page(session, scope(rita), account.id, Wish(kinds=frozenset({"call", "task"}))).entries
    assert {entry.title: entry.facts["whole_day"] for entry in entries} == {"task": True, "call": False}


def test_the_customer_reads_nothing_of_ours(
    session: Session, people: Any, scope: Any, clients: Any, account: Any
) -> None:
    rita = scope(people["rita"])
    report(session, account, people["rita"], START, outcome=Outcome.NOT_INTERESTED, note="Rude")
    notes.write(session, rita, NewNote(account.id, "Pays late"))
    notes.write(session, rita, NewNote(account.id, "Offer sent", is_shareable=True))
    path = f"/api/v1/accounts/{account.id}/timeline"
    shown = clients["rita"].get(path, params={"shareable": True}).json()["items"]
    assert [(one["kind"], one["body"]) for one in shown] == [("note", "Offer sent"), ("visit", None)]
    assert "inside" not in shown[1]["facts"]
    assert clients["rita"].get(path, params={"shareable": True, "q": "rude"}).json()["items"] == []
    sheet = clients["rita"].get(f"{path}/export.csv", params={"shareable": True}).text
    pages = clients["rita"].get(f"{path}/export.pdf", params={"shareable": True}).content
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pages)).pages)
    for file in (sheet, words):
        assert "Offer sent" in file
        assert not re.search("Pays late|Rude|interested", file)


def test_a_call_stands_there_once_and_the_customer_reads_neither_its_text_nor_tasks(
    session: Session, people: Any, scope: Any, account: Any
) -> None:
    for kind in ("call", "task"):
        owner = people["rita"].id
        session.add(
            Activity(
                kind=kind, account_id=account.id, owner_id=owner, subject=f"A {kind}", note="Ours", zone="UTC", at=START
            )
        )
    session.flush()
    kinds = frozenset({"call", "task"})
    ours = queries.page(session, scope(people["rita"]), account.id, Wish(kinds=kinds)).entries
    assert sorted(entry.title or "" for entry in ours) == ["A call", "A task"]
    theirs = queries.page(session, scope(people["rita"]), account.id, Wish(kinds=kinds, shareable=True)).entries
    assert [(entry.title, entry.body) for entry in theirs] == [("A call", None)]


def test_no_cell_of_the_file_is_a_formula(
    session: Session, people: Any, scope: Any, clients: Any, account: Any
) -> None:
    notes.write(session, scope(people["rita"]), NewNote(account.id, '=HYPERLINK("http://evil")'))
    sheet = clients["rita"].get(f"/api/v1/accounts/{account.id}/timeline/export.csv").text
    assert "'=HYPERLINK" in sheet


def test_a_merged_account_brings_its_story_along(
    session: Session, people: Any, scope: Any, account: Any, make_account: Any
) -> None:
    twin = make_account("Amann AG", (9.51, 47.1), owner_id=people["rita"].id)
    many_notes(session, twin, people["rita"], 3)
    mona = scope(people["mona"])
    merge(session, mona, account.id, twin.id, MergeWish({}))
    kinds = Wish(kinds=frozenset({"note"}))
    assert len(queries.page(session, mona, account.id, kinds).entries) == 3
    assert len(queries.page(session, mona, twin.id, kinds).entries) == 3


def test_many_merged_accounts_tell_one_story_in_order_page_by_page(
    session: Session, people: Any, scope: Any, account: Any, make_account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mona = scope(people["mona"])
    for number in range(6):
        twin = make_account(f"Amann {number} AG", (9.51, 47.1), owner_id=people["rita"].id)
        many_notes(session, twin, people["rita"], 4)
        merge(session, mona, account.id, twin.id, MergeWish({}))

    def told(wish: Wish) -> list[Any]:
        cursor, found = None, []
        while True:
            page = queries.page(session, mona, account.id, wish, cursor=cursor, limit=7)
            found += [entry.id for entry in page.entries]
            if (cursor := page.next_cursor) is None:
                return found

    for wish in (Wish(), Wish(kinds=frozenset({"note"}))):
        together = told(wish)
        with monkeypatch.context() as patch:
            patch.setattr(queries, "APART", 99)
            queries.drafted.cache_clear()
            assert told(wish) == together
            queries.drafted.cache_clear()
        assert len(together) >= 24


def test_plan_decisions_are_told(
    session: Session, people: Any, scope: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita, mona = people["rita"], scope(people["mona"])
    near = make_account("Near", (9.51, 47.1), owner_id=rita.id, account_class="A")
    far = make_account("Far", None, owner_id=rita.id, account_class="A")
    plan = plan_now(people["mona"], [rita], monday)
    plans.publish(session, mona, plan.id)
    kinds = Wish(kinds=frozenset({"plan"}))
    (planned,) = queries.page(session, mona, near.id, kinds).entries
    assert (planned.facts["what"], planned.facts["rep"], planned.link) == ("planned", "Rita", f"/plans/{plan.id}")
    left_out = queries.page(session, mona, far.id, kinds).entries
    assert [entry.facts["what"] for entry in left_out] in ([], ["left_out"])


def test_a_page_costs_the_same_number_of_queries_whatever_is_on_it(
    session: Session, engine: Engine, people: Any, scope: Any, account: Any, make_account: Any
) -> None:
    mona = scope(people["mona"])
    with counted(engine) as few:
        queries.page(session, mona, account.id, Wish())
    many_notes(session, account, people["rita"], 200)
    report(session, account, people["otto"], START)
    accounts.edit(session, mona, account.id, account.rev, {"owner_id": people["otto"].id})
    with counted(engine) as many:
        queries.page(session, mona, account.id, Wish())
    assert len(few) == len(many) == 3


def test_a_long_story_is_read_from_the_index_of_each_source(
    session: Session, people: Any, scope: Any, account: Any, make_account: Any
) -> None:
    others = [make_account(f"Other {k}", (9.5, 47.1)) for k in range(3)]
    for one in (account, *others):
        many_notes(session, one, people["rita"], 2000)
    session.execute(
        text(
            "insert into visit (id, account_id, rep_id, day, zone, state)"
            " select gen_random_uuid(), a.id, :rep, date '2024-01-01' + n % 700, 'UTC', 'done'"
            " from account a, generate_series(1, 2000) n"
        ),
        {"rep": people["rita"].id},
    )
    for table in ("note", "visit", "field_history", "account", "site"):
        session.execute(text(f"analyze {table}"))
    mona = scope(people["mona"])
    cursor = queries.page(session, mona, account.id, Wish()).next_cursor
    for after in (None, queries.decode_cursor(cursor, 3)):
        reader = Reader.of(mona)
        statement = queries.drafted(reader, queries.SOURCES, 1, Wish(), after is not None, 51)
        plan = explained(session, statement, queries.values_of([account.id], after))
        assert not re.search(r"Seq Scan on (note|visit|field_history)\b", plan), plan
        assert "ix_note_account" in plan
        assert "ix_visit_moment" in plan
        assert "ix_field_history_at" in plan


def test_a_kind_that_does_not_exist_and_days_the_wrong_way_round_are_refused(clients: Any, account: Any) -> None:
    path = f"/api/v1/accounts/{account.id}/timeline"
    assert clients["rita"].get(path, params={"kinds": "visit,gossip"}).json()["field"] == "kinds"
    days = {"first_day": "2024-02-01", "last_day": "2024-01-01"}
    assert clients["rita"].get(path, params=days).json()["field"] == "last_day"
    assert clients["rita"].get(path, params={"cursor": "nonsense"}).status_code == 400


def test_an_account_that_is_not_there_has_no_story(session: Session, people: Any, scope: Any) -> None:
    with pytest.raises(NotFound):
        queries.page(session, scope(people["mona"]), NOBODY, Wish())
    assert session.scalars(select(Note)).all() == []


def test_a_pin_that_stood_elsewhere_has_moved() -> None:
    one, other = "POINT(9.1 47.1)", "POINT(9.2 47.1)"
    assert entries.as_changed("pin", one, other, {}) == (None, "moved")
    assert entries.as_changed("pin", None, one, {}) == (None, "placed")
    assert entries.as_changed("pin", one, None, {}) == ("placed", None)
