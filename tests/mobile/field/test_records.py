"""What the phone says of people, prices, forms and next steps, without a network."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from mobile.field import around, forms, own, reads, records, taking
from mobile.field.catalogue import Catalogue
from mobile.field.store import clock
from mobile.texts import Words
from tests.mobile.conftest import fill_records, uid


@pytest.fixture
def store(server, phone):
    fill_records(server)
    assert phone.sync().ok
    return phone.store


def test_the_account_knows_its_people_tickets_deals_and_own_fields(store):
    person, other = records.people_at(store, uid(1001))
    assert (person.name, person.is_primary, person.phones) == ("Dr. Anna Näscher", True, ("+423 555 01 01",))
    assert (other.name, other.do_not_contact) == ("Beat Frei", True)
    assert [one["subject"] for one in records.tickets_at(store, uid(1001))] == ["Cooling drips", "Invoice wrong"]
    assert [one["next_step"] for one in records.deals_at(store, uid(1001))] == ["Talk the offer through"]
    account = store.cache.doc("account", uid(1001))
    assert own.filled(store, "account", account, Words("en")) == [("Opened", "2019-04-01"), ("Size", "big")]


def test_a_price_is_the_closest_lists_for_the_quantity_and_never_a_float(store):
    catalogue = Catalogue(store, uid(1001))
    assert catalogue.currency == "CHF"
    (milk,) = catalogue.find("milch")
    assert [catalogue.price(milk.id, Decimal(n)) for n in (1, 12, 60)] == [
        Decimal("4.50"), Decimal("4.50"), Decimal("4.10"),
    ]  # fmt: skip
    assert catalogue.find("mlich 1") == [milk], "two letters were swapped"
    (cheese,) = catalogue.find("kase")
    assert catalogue.price(cheese.id, Decimal(1)) == Decimal("9.5000"), "the base list's 10.00 less five per cent"
    assert cheese.fitted(Decimal(7)) == 12, "cheese is sold by six from six on"
    lines = [catalogue.drafted(milk, Decimal(12)), catalogue.drafted(cheese, Decimal(6))]
    assert catalogue.totals(lines) == {False: Decimal("111.00")}
    assert Catalogue(store, uid(1002)).price(milk.id, Decimal(1)) is None, "the list is the first customer's own"


def test_a_form_asks_what_hangs_on_an_answer_and_names_what_is_missing(store):
    (kind,) = forms.visit_types(store)
    assert [one["key"] for one in forms.asked(kind.questions, {})] == ["shelf", "facings"]
    typed = {"shelf": "empty", "facings": "four", "why": ""}
    assert [one["key"] for one in forms.asked(kind.questions, typed)] == ["shelf", "why", "facings"]
    assert [one["label"] for one in forms.missing(kind.questions, typed)] == ["Why is it empty?"]
    assert [one["label"] for one in forms.unfit(kind.questions, typed)] == ["Facings"]
    typed = {"shelf": "full", "why": "never asked", "facings": "4,5"}
    assert (forms.missing(kind.questions, typed), forms.unfit(kind.questions, typed)) == ([], [])
    assert forms.answers_to(kind.questions, typed) == {"shelf": "full", "facings": "4,5"}


def test_a_next_step_is_a_task_at_once_and_gone_when_it_is_done(store):
    op = taking.next_step(store, uid(1001), "  Bring   samples ", due_on="2020-01-01")
    late, planned = records.tasks_at(store, uid(1001))
    assert (late.id, late.subject, late.waits) == (op.row_id, "Bring samples", True)
    assert late.is_late(clock.now().date())
    assert planned.subject == "Bring the catalogue"


def test_a_past_meeting_is_no_next_step_and_a_past_call_is_late_but_not_what_repeats(phone, server):
    mine = {"owner_id": server.user_id, "state": "open", "priority": "normal", "account_id": uid(1001)}
    past = {"starts_at": "2025-11-24T06:30:00Z", "ends_at": "2025-11-24T07:00:00Z"}
    rows = (("meeting", {}), ("call", {}), ("call", {"rrule": "FREQ=WEEKLY"}))
    for n, (kind, more) in enumerate(rows):
        server.put("activity", uid(6500 + n), mine | past | {"kind": kind, "subject": kind} | more, 7)
    assert phone.sync().ok
    tasks = records.tasks_of(phone.store, server.user_id)
    assert [one.id for one in tasks if one.kind == "meeting"] == []
    now, today = clock.now(), clock.now().date()
    late = {one.id: one.is_late(today, now) for one in tasks if one.kind == "call"}
    assert late == {uid(6501): True, uid(6502): False}


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", ("Mon 24 Nov 2025", "Tue 24 Nov", "Thu 20 Nov 2025 17:55", "Thu 19 Nov 10:00", "Mon 10:00")),
     ("de", ("Mo 24. Nov. 2025", "Di 24. Nov.", "Do 20. Nov. 2025 17:55", "Do 19. Nov. 10:00", "Mo 10:00"))],
)  # fmt: skip
def test_days_of_other_years_are_told_with_their_year_and_old_moments_with_their_day(language, told):
    words = Words(language, lambda: date(2026, 11, 28))
    days = [words.day(date(year, 11, 24)) for year in (2025, 2026)]
    at = [datetime(2025, 11, 20, 17, 55, tzinfo=UTC)] + [datetime(2026, 11, day, 10, tzinfo=UTC) for day in (19, 23)]
    assert (*days, *(words.moment(one, ZoneInfo("UTC")) for one in at)) == told


def test_a_signature_is_thinned_until_it_fits_into_an_op():
    long = taking.Signature("Anna", (tuple(n % 1000 for n in range(6000)), (1, 2, 3, 4)))
    thin = long.thinned()
    assert len(str(thin.strokes)) <= taking.INK_BYTES
    assert all(len(stroke) >= 4 and len(stroke) % 2 == 0 for stroke in thin.strokes)
    assert thin.strokes[0][:4] == (0, 1, 4, 5)


def test_nothing_empty_is_taken_down(store):
    with pytest.raises(ValueError, match="needs a line"):
        taking.draft_order(store, uid(1001), None, "CHF", [])
    with pytest.raises(ValueError, match="needs the name"):
        taking.new_lead(store, 9.5, 47.1, company="  ")


def test_the_timeline_tells_all_that_the_phone_has_of_an_account(store, server, phone):
    """It told visits only: what was promised on the telephone last week was nowhere."""
    at = {"account_id": uid(1001)}
    call = at | {"kind": "call", "owner_id": server.user_id, "priority": "normal", "due_on": None}
    done = {"state": "done", "starts_at": "2026-11-20T09:00:00Z", "outcome": "reached", "note": "Wants samples"}
    server.put("activity", uid(6411), call | done | {"subject": "Samples"}, 7)
    server.put("activity", uid(6412), call | done | {"subject": None}, 7)
    note = at | {"author_id": server.user_id, "is_pinned": False, "text": "Yard door"}
    server.put("note", uid(6421), note | {"written_at": "2026-11-21T08:00:00Z"}, 412)
    order = at | {"kind": "order", "state": "delivered", "number": "O-1", "day": "2026-11-21", "gross": "9.50"}
    server.put("order", uid(6431), order | {"currency": "CHF", "lines": []}, 412)
    server.put(
        "visit", uid(3901), at | {"rep_id": server.user_id, "day": "2026-11-19", "state": "done", "flags": []}, 7
    )
    mail = at | {"owner_id": server.user_id, "text": "We need twelve", "sender": "anna@oehri.li"}
    mails = (("in", "Twelve more"), ("out", "Offer"), ("in", None))
    for n, (direction, subject) in enumerate(mails):
        when = f"2026-11-18T0{9 - n}:00:00.000Z"
        server.put("mail", uid(6441 + n), mail | {"direction": direction, "subject": subject, "at": when}, 412)
    step = at | {"opportunity_id": uid(6450), "deal": "Second branch", "by": server.user_id}
    steps = ((None, "Talks", "open"), ("Talks", "Won", "won"))
    for n, (before, after, state) in enumerate(steps):
        went = {"from_stage": before, "to_stage": after, "state": state, "at": f"2026-11-1{n}T09:00:00.000Z"}
        server.put("stage_change", uid(6451 + n), step | went, 412)
    assert phone.sync().ok
    told = reads.account_card(store, uid(1001)).timeline
    kinds = [(one.kind, one.title, one.who) for one in told if one.kind != "ticket" and one.state != "planned"]
    assert kinds == [
        ("order", "O-1", None),
        ("note", None, "Mara Roy"),
        ("call", "Samples", "Mara Roy"),
        ("visit", None, "Mara Roy"),
        ("mail", "Twelve more", "anna@oehri.li"),
        ("mail", "Offer", "Mara Roy"),
        ("stage", "Second branch", "Mara Roy"),
        ("stage", "Second branch", "Mara Roy"),
    ]
    found = [(one.kind, one.state, one.note) for one in told if one.kind in ("mail", "stage")]
    assert found == [
        ("mail", "in", "We need twelve"), ("mail", "out", "We need twelve"),
        ("stage", "won", "Talks → Won"), ("stage", "new", "Talks"),
    ]  # fmt: skip
    assert {one.title for one in told if one.kind == "ticket"} == {"#1042 Cooling drips", "#1041 Invoice wrong"}
    found = [(one.amount, one.note) for one in told if one.kind in ("order", "call")]
    assert found == [(("9.50", "CHF"), None), (None, "Wants samples")]


@pytest.mark.parametrize(
    ("account", "happened", "is_older"),
    [
        ({"created_on": "2020-01-01"}, None, True),
        ({}, None, True),
        ({"created_on": "2026-11-01"}, None, False),
        ({"created_on": "2026-11-01"}, "2026-11-20", False),
        ({"created_on": "2026-11-01"}, "2026-10-20", True),
        ({"created_on": "2026-11-01", "last_visit_on": "2024-05-01"}, None, True),
    ],
)
def test_only_an_account_that_may_have_an_older_past_says_so(
    store, server, phone, monkeypatch, account, happened, is_older
):
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat("2026-11-23T07:15:00+00:00"))
    server.put("account", uid(1901), {"name": "New", "tags": []} | account, 412)
    if happened:
        note = {"account_id": uid(1901), "text": "x", "author_id": None, "written_at": f"{happened}T09:00:00.000Z"}
        server.put("note", uid(6901), note, 412)
    assert phone.sync().ok
    assert reads.account_card(phone.store, uid(1901)).has_older == is_older


def test_a_town_is_written_as_most_write_it():
    towns = [(9.5201, "NENDELN"), (9.5210, "Nendeln"), (9.5211, "Nendeln"), (9.5212, "Eschen")]
    people = [
        around.Somebody("lead", str(n), "A", town, None, lon, 47.14, 0, None) for n, (lon, town) in enumerate(towns)
    ]
    assert around.town_of(iter(people), 9.52, 47.14) == "Nendeln"
    assert around.town_of(people, 9.6, 47.14) == ""
