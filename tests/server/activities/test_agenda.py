"""Calls, meetings and tasks: who sees them, what they refuse, how they repeat and what two people make of one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from server.activities.agenda import queries, recurrence, reminding, service
from server.activities.agenda.documents import document_of
from server.activities.agenda.ical import read, written
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.service import NewActivity
from server.auth import rights
from server.auth.access import scope_of
from server.demands.models import DemandState, VisitDemand
from server.kit import clock
from server.kit.errors import NotFound, WaymarkError
from server.notifications.models import Notification
from server.records.models import FieldHistory

PATH = "/api/v1/activities"
MONDAY = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
NOBODY = "00000000-0000-7000-8000-000000000001"


def meeting(owner: Any, subject: str = "Spring range", **more: Any) -> NewActivity:
    return NewActivity(Kind.MEETING, owner.id, {"subject": subject, "starts_at": MONDAY, **more})


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    nobody = client_for(None)
    for method, path in [
        ("get", PATH),
        ("post", PATH),
        ("get", f"{PATH}/calendar"),
        ("get", f"{PATH}/export"),
        ("post", f"{PATH}/calls"),
        ("post", f"{PATH}/bulk"),
        ("get", f"{PATH}/{NOBODY}"),
        ("patch", f"{PATH}/{NOBODY}"),
        ("delete", f"{PATH}/{NOBODY}"),
        ("post", f"{PATH}/{NOBODY}/restore"),
        ("put", f"{PATH}/{NOBODY}/repeats"),
        ("delete", f"{PATH}/{NOBODY}/repeats"),
    ]:
        assert getattr(nobody, method)(path).status_code == 401, path


def test_somebody_elses_activity_does_not_exist(session: Any, people: Any, clients: Any, account_of: Any) -> None:
    account = account_of(people["nora"], "Amann")
    row = service.add(session, meeting(people["nora"], account_id=account.id))
    rita = clients["rita"]
    window = {"first": "2030-01-07T00:00:00Z", "last": "2030-01-08T00:00:00Z"}
    assert rita.get(PATH).json()["items"] == []
    assert rita.get(f"{PATH}/calendar", params=window).json()["items"] == []
    assert "Spring range" not in rita.get(f"{PATH}/export").text
    assert rita.get(f"{PATH}/{row.id}").status_code == 404
    assert rita.patch(f"{PATH}/{row.id}", json={"note": "x"}, headers={"If-Match": '"1"'}).status_code == 404
    assert rita.delete(f"{PATH}/{row.id}").status_code == 404
    assert rita.put(f"{PATH}/{row.id}/repeats", json={"at": "2030-01-07T09:00:00Z"}).status_code == 404
    assert rita.post(f"{PATH}/bulk", json={"ids": [str(row.id)], "state": "done"}).json() == {"changed": 0}
    body = {"kind": "task", "subject": "Call", "account_id": str(account.id)}
    assert rita.post(PATH, json=body).status_code == 404
    assert rita.post(f"{PATH}/calls", json={"subject": "Call", "account_id": str(account.id)}).status_code == 404
    assert rita.post(PATH, json={"kind": "task", "subject": "x", "owner_id": str(people["nora"].id)}).status_code == 404
    assert len(clients["nora"].get(PATH).json()["items"]) == 1


def test_a_managers_team_is_seen_and_private_things_are_their_peoples_alone(
    session: Any, people: Any, clients: Any
) -> None:
    service.add_all(
        session,
        [meeting(people["rita"], "Team day"), meeting(people["rita"], "Dentist", is_private=True)],
    )
    assert [one["subject"] for one in clients["mona"].get(PATH).json()["items"]] == ["Team day"]
    assert len(clients["rita"].get(PATH).json()["items"]) == 2
    (time,) = queries.busy(session, [people["rita"].id], MONDAY, MONDAY + timedelta(days=1), people["mona"].id)
    assert (time.user_id, time.starts_at) == (people["rita"].id, MONDAY)


def test_whoever_takes_part_sees_it_in_their_calendar(session: Any, people: Any, clients: Any) -> None:
    row = service.add(session, meeting(people["nora"], participant_ids=[people["rita"].id], is_private=True))
    window = {"first": "2030-01-07T00:00:00Z", "last": "2030-01-08T00:00:00Z", "owner_id": str(people["rita"].id)}
    assert [one["id"] for one in clients["rita"].get(f"{PATH}/calendar", params=window).json()["items"]] == [
        str(row.id)
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"subject": "  "}, "subject"),
        ({"subject": "x" * 301}, "subject"),
        ({"starts_at": None}, "starts_at"),
        ({"ends_at": MONDAY - timedelta(hours=1)}, "ends_at"),
        ({"ends_at": MONDAY + timedelta(days=90)}, "ends_at"),
        ({"starts_at": datetime(2030, 1, 7, 9)}, "starts_at"),  # noqa: DTZ001 (that is the point)
        ({"zone": "Europe/Vaduzz"}, "zone"),
        ({"rrule": "FREQ=SECONDLY"}, "rrule"),
        ({"rrule": "every monday"}, "rrule"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "rrule"),
        ({"account_id": uuid4()}, "account_id"),
        ({"site_id": uuid4()}, "account_id"),
        ({"participant_ids": [uuid4()]}, "participant_ids"),
        ({"priority": "urgent"}, "priority"),
        ({"reminder_min": -1}, "reminder_min"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(session: Any, people: Any, values: Any, field: str) -> None:
    with pytest.raises(WaymarkError) as refused:
        service.add(session, meeting(people["rita"], **values))
    assert refused.value.details["field"] == field


def test_two_people_editing_different_fields_both_win_and_the_same_field_is_named(
    session: Any, people: Any, clients: Any, account_of: Any
) -> None:
    account = account_of(people["rita"], "Amann")
    path = f"{PATH}/{service.add(session, meeting(people['rita'], account_id=account.id)).id}"
    first = {"If-Match": clients["rita"].get(path).headers["etag"]}
    assert clients["rita"].patch(path, json={"note": "Bring samples"}, headers=first).status_code == 200
    answer = clients["mona"].patch(path, json={"place": "At the bakery"}, headers=first)
    assert (answer.status_code, answer.json()["note"]) == (200, "Bring samples")
    refused = clients["mona"].patch(path, json={"note": "Bring nothing"}, headers=first)
    assert refused.status_code == 412
    assert refused.json()["conflicts"] == [
        {"field": "note", "kind": "concurrent", "base": None, "yours": "Bring nothing", "stored": "Bring samples"}
    ]
    assert clients["mona"].patch(path, json={"note": "x"}).status_code == 428
    moved = {"starts_at": "2030-01-07T10:00:00Z", "ends_at": "2030-01-07T11:00:00Z"}
    assert clients["mona"].patch(path, json=moved, headers=first).status_code == 200
    same = clients["rita"].patch(path, json=moved, headers=first)
    assert same.status_code == 200, "the same wish twice is no conflict"


def test_every_change_is_in_the_history(session: Any, people: Any, clients: Any) -> None:
    row = service.add(session, meeting(people["rita"]))
    clients["rita"].patch(f"{PATH}/{row.id}", json={"note": "New"}, headers={"If-Match": '"1"'})
    found = session.execute(
        select(FieldHistory.field, FieldHistory.actor).where(FieldHistory.row_id == row.id).order_by(FieldHistory.id)
    ).all()
    assert found == [("*", None), ("note", people["rita"].id)]


def test_a_call_is_logged_with_its_next_step_and_the_same_form_twice_is_one_call(
    session: Any, people: Any, clients: Any, account_of: Any
) -> None:
    account = account_of(people["rita"], "Amann")
    body = {
        "id": str(uuid4()), "account_id": str(account.id), "subject": "Asked about flour", "outcome": "call_back",
        "next": {"subject": "Send the price list", "due_on": "2030-01-09"},
    }  # fmt: skip
    call, step = clients["rita"].post(f"{PATH}/calls", json=body).json()
    assert (call["kind"], call["state"], call["outcome"]) == ("call", "done", "call_back")
    assert (step["kind"], step["due_on"], step["follows_id"]) == ("task", "2030-01-09", call["id"])
    clients["rita"].post(f"{PATH}/calls", json=body)
    assert session.scalar(select(func.count()).select_from(Activity)) == 2


def test_a_task_with_a_place_is_offered_for_the_plan_until_it_is_done(
    session: Any, people: Any, clients: Any, account_of: Any
) -> None:
    account = account_of(people["rita"], "Amann")
    (site,) = queries.accounts.sites_of(session, [account.id])
    body = {"kind": "task", "subject": "Fit the new shelf", "account_id": str(account.id), "site_id": str(site.id),
            "due_on": "2030-01-09", "effort_s": 1800}  # fmt: skip
    task = clients["rita"].post(PATH, json=body).json()
    demand = session.scalars(select(VisitDemand)).one()
    assert (demand.origin, demand.sentence, demand.service_s) == ("task", "Fit the new shelf.", 1800)
    assert demand.state == DemandState.OPEN
    clients["rita"].post(f"{PATH}/bulk", json={"ids": [task["id"]], "state": "done"})
    session.refresh(demand)
    assert demand.state == DemandState.WITHDRAWN
    clients["rita"].post(f"{PATH}/bulk", json={"ids": [task["id"]], "state": "open"})
    session.refresh(demand)
    assert demand.state == DemandState.OPEN


def test_a_weekly_meeting_stays_at_ten_when_the_clocks_change() -> None:
    first = datetime(2030, 3, 18, 9, 0, tzinfo=UTC)
    window = (first, first + timedelta(days=20))
    found = recurrence.within("FREQ=WEEKLY", first, "Europe/Vaduz", window)
    assert [at.hour for at in found] == [9, 9, 8]
    assert recurrence.last_end("FREQ=WEEKLY;COUNT=3", first, "Europe/Vaduz", timedelta(hours=1)) == datetime(
        2030, 4, 1, 9, 0, tzinfo=UTC
    )


def test_one_repeat_is_moved_another_left_out_and_the_series_moved_as_a_whole(
    session: Any, people: Any, clients: Any
) -> None:
    rita = clients["rita"]
    row = service.add(session, meeting(people["rita"], rrule="FREQ=DAILY;COUNT=4"))
    path = f"{PATH}/{row.id}"
    moved = {"at": "2030-01-08T09:00:00Z", "starts_at": "2030-01-08T15:00:00Z", "ends_at": "2030-01-08T16:00:00Z"}
    assert rita.put(f"{path}/repeats", json=moved).status_code == 200
    assert rita.delete(f"{path}/repeats", params={"at": "2030-01-09T09:00:00Z"}).status_code == 204
    refused = rita.delete(f"{path}/repeats", params={"at": "2030-01-09T09:30:00Z"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_this_repeat")

    def shown() -> list[str]:
        window = {"first": "2030-01-01T00:00:00Z", "last": "2030-02-01T00:00:00Z"}
        items = rita.get(f"{PATH}/calendar", params=window).json()["items"]
        return [one["starts_at"][5:16] for one in items]

    assert shown() == ["01-07T09:00", "01-08T15:00", "01-10T09:00"]
    later = {"starts_at": "2030-01-07T10:00:00Z", "ends_at": "2030-01-07T10:30:00Z"}
    rita.patch(path, json=later, headers={"If-Match": rita.get(path).headers["etag"]})
    assert shown() == ["01-07T10:00", "01-08T15:00", "01-10T10:00"]
    rita.delete(path)
    assert shown() == []
    assert rita.post(f"{path}/restore").status_code == 200
    assert shown() == ["01-07T10:00", "01-08T15:00", "01-10T10:00"]


def test_an_all_day_meeting_lasts_from_midnight_to_midnight_where_it_is(session: Any, people: Any) -> None:
    row = service.add(session, meeting(people["rita"], is_all_day=True, zone="Europe/Vaduz"))
    assert (row.starts_at, row.ends_at) == (
        datetime(2030, 1, 6, 23, tzinfo=UTC), datetime(2030, 1, 7, 23, tzinfo=UTC)
    )  # fmt: skip


def test_what_was_left_out_of_a_series_moves_by_the_clock_on_the_wall(session: Any, people: Any) -> None:
    """The clocks change on 31 March 2030: nine in the morning is 08:00 UTC before and 07:00 after."""
    before = datetime(2030, 3, 20, 8, tzinfo=UTC)
    values = {"starts_at": before, "zone": "Europe/Vaduz", "rrule": "FREQ=WEEKLY;COUNT=3"}
    row = service.add(session, meeting(people["rita"], **values))
    service.leave_out(session, row, before + timedelta(days=7))
    service.write(session, row, {"starts_at": datetime(2030, 3, 27, 9, tzinfo=UTC), "ends_at": None})
    assert row.exdates == [datetime(2030, 4, 3, 8, tzinfo=UTC)]


def test_days_that_a_rule_names_stay_left_out_when_only_the_first_day_moves(session: Any, people: Any) -> None:
    row = service.add(session, meeting(people["rita"], rrule="FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10"))
    thursday = MONDAY + timedelta(days=3)
    service.leave_out(session, row, thursday)
    hour_later = MONDAY + timedelta(days=1, hours=1)
    service.write(session, row, {"starts_at": hour_later, "ends_at": None})
    assert row.exdates == [thursday + timedelta(hours=1)]


@pytest.mark.parametrize("days", [1, -1])
def test_repeats_beside_each_other_move_together(session: Any, people: Any, days: int) -> None:
    row = service.add(session, meeting(people["rita"], rrule="FREQ=DAILY;COUNT=9"))
    for number in (2, 3, 4):
        service.change_repeat(session, row, MONDAY + timedelta(days=number), {"subject": f"Once {number}"})
    service.write(session, row, {"starts_at": MONDAY + timedelta(days=days), "ends_at": None})
    repeats = session.scalars(select(Activity).where(Activity.series_id == row.id))
    moved = {one.subject: (one.replaces_at - MONDAY).days for one in repeats}
    assert moved == {f"Once {number}": number + days for number in (2, 3, 4)}


@pytest.mark.parametrize("part", ["INTERVAL=0", "COUNT=0", "COUNT=-1", "INTERVAL=99999999999"])
def test_a_rule_that_repeats_nothing_is_refused(session: Any, people: Any, part: str) -> None:
    with pytest.raises(WaymarkError, match="is no rule of repeats"):
        service.add(session, meeting(people["rita"], rrule=f"FREQ=DAILY;{part}"))


@pytest.mark.parametrize(
    ("starts", "ends"), [((24, 22, 0), (25, 1, 0)), ((25, 1, 15), (25, 1, 45)), ((25, 1, 15), (25, 9, 0))]
)
def test_the_hour_that_comes_twice_is_read_as_it_was_written(
    session: Any, people: Any, starts: tuple[int, int, int], ends: tuple[int, int, int]
) -> None:
    times = {name: datetime(2026, 10, *at, tzinfo=UTC) for name, at in (("starts_at", starts), ("ends_at", ends))}
    document = document_of(session, service.add(session, meeting(people["rita"], **times, zone="Europe/London")))
    assert read(written("u@x", document, sequence=0, stamp=MONDAY), "UTC").document == document


@pytest.mark.parametrize("is_all_day", [True, False])
@pytest.mark.parametrize(
    "later", [{"starts_at": MONDAY + timedelta(days=2, hours=1), "ends_at": None}, {"is_all_day": "other"}]
)
def test_what_was_left_out_stays_out_when_a_series_moves_or_becomes_whole_days(
    session: Any, people: Any, is_all_day: bool, later: dict[str, Any]
) -> None:
    values = {"rrule": "FREQ=DAILY;COUNT=4", "is_all_day": is_all_day, "zone": "Europe/Vaduz"}
    row = service.add(session, meeting(people["rita"], **values))
    assert row.starts_at
    service.leave_out(session, row, row.starts_at + timedelta(days=1))
    service.change_repeat(session, row, row.starts_at + timedelta(days=2), {"subject": "Once"})
    service.write(session, row, {n: not is_all_day if v == "other" else v for n, v in later.items()})
    days = [at - row.starts_at for at in recurrence.starts(str(row.rrule), row.starts_at, row.zone)]
    left_out = [at - row.starts_at for at in row.exdates]
    repeat = session.scalars(select(Activity).where(Activity.series_id == row.id)).one()
    assert (left_out, repeat.replaces_at - row.starts_at) == ([days[1]], days[2])
    document = document_of(session, row)
    assert read(written("u@x", document, sequence=0, stamp=MONDAY), row.zone).document == document


def test_an_entry_whose_end_is_taken_away_gets_the_usual_one(session: Any, people: Any, clients: Any) -> None:
    row = service.add(session, meeting(people["rita"], participant_ids=[people["mona"].id]))
    first = {"If-Match": clients["rita"].get(f"{PATH}/{row.id}").headers["etag"]}
    changed = clients["rita"].patch(f"{PATH}/{row.id}", json={"ends_at": None}, headers=first)
    assert changed.status_code == 200, changed.text
    assert row.ends_at == MONDAY + timedelta(minutes=30)
    with pytest.raises(IntegrityError, match="ck_activity_ends"), session.begin_nested():
        session.execute(update(Activity).where(Activity.id == row.id).values(ends_at=None))


def test_lists_come_page_by_page_and_are_filtered_by_the_one_language(
    session: Any, people: Any, clients: Any, account_of: Any
) -> None:
    account = account_of(people["rita"], "Amann")
    for number in range(5):
        at = MONDAY + timedelta(days=number)
        service.add(session, meeting(people["rita"], f"No {number}", account_id=account.id, starts_at=at))
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = clients["rita"].get(PATH, params=query).json()
        seen += [one["subject"] for one in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"No {number}" for number in (4, 3, 2, 1, 0)]
    wanted = {"filter": 'subject ~ "3" and account = "Amann" and kind = meeting'}
    assert [one["subject"] for one in clients["rita"].get(PATH, params=wanted).json()["items"]] == ["No 3"]
    for place, found in (("9.51, 47.1", 5), ("9.61, 47.1", 0)):
        near = {"filter": f"within 500 m of {place}"}
        assert len(clients["rita"].get(PATH, params=near).json()["items"]) == found
    assert clients["rita"].get(PATH, params={"filter": "colour = red"}).status_code in (400, 422)


def test_a_formula_is_exported_as_text(session: Any, people: Any, clients: Any) -> None:
    service.add(session, meeting(people["rita"], "=HYPERLINK(1)"))
    answer = clients["rita"].get(f"{PATH}/export")
    assert "'=HYPERLINK(1)" in answer.text
    assert clients["rita"].get(f"{PATH}/export", params={"format": "xlsx"}).content[:2] == b"PK"


def test_the_file_wants_the_right_to_export(session: Any, people: Any, clients: Any) -> None:
    levels = {"activities:export": "none"}
    rights.change_role(session, "rep", levels=levels, fields={}, actor=people["mona"].id)
    assert clients["rita"].get(f"{PATH}/export").status_code == 403
    assert f"{PATH}/export" not in clients["rita"].get("/tasks").text
    assert clients["rita"].get(PATH).status_code == 200


def test_happenings_tell_of_what_somebody_may_see(session: Any, people: Any, account_of: Any) -> None:
    account = account_of(people["rita"], "Amann")
    service.add(session, meeting(people["rita"], account_id=account.id))
    service.add(session, meeting(people["rita"], "Secret", account_id=account.id, is_private=True))
    told = {}
    for login in ("rita", "mona"):
        scope = scope_of(session, people[login], source="api")
        statement = queries.happenings(scope, queries.accounts.family(account.id))
        told[login] = sorted(row.title for row in session.execute(statement))
    assert told == {"rita": ["Secret", "Spring range"], "mona": ["Spring range"]}


def test_a_person_who_is_gone_owns_nothing_new(session: Any) -> None:
    with pytest.raises(NotFound):
        service.add(session, NewActivity(Kind.TASK, uuid4(), {"subject": "x"}))


def test_everybody_is_reminded_once_of_each_repeat(session: Any, people: Any) -> None:
    begins = clock.now().replace(microsecond=0) + timedelta(minutes=5)
    both = {"participant_ids": [people["otto"].id], "reminder_min": 10}
    service.add(session, meeting(people["rita"], starts_at=begins - timedelta(days=7), rrule="FREQ=WEEKLY", **both))
    service.add(session, meeting(people["rita"], "Later", starts_at=begins + timedelta(hours=3), reminder_min=10))
    assert len(reminding.remind(session)) == 2
    assert reminding.remind(session) == []
    told = session.scalars(select(Notification)).all()
    assert {one.user_id for one in told} == {people["rita"].id, people["otto"].id}
    assert {one.gaps["subject"] for one in told} == {"Spring range"}
