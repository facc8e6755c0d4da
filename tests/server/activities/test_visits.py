"""Visits: facts are always accepted and never happen twice; what is odd is flagged."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import Fix, LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.activities.models import Appointment, Outcome, Visit, VisitEvent, VisitState
from server.activities.service import (
    PlannedVisit,
    VisitExists,
    VisitReport,
    plan_visit,
    record_visit,
    withdraw,
)
from server.auth.models import Role, User
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.records.service import Actor

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]
PIN = LonLat(9.52, 47.14)
NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)


@pytest.fixture
def rita(make_user: MakeUser) -> User:
    return make_user("rita", Role.REP)


@pytest.fixture
def bakery(session: Session, rita: User) -> Account:
    account = Account(name="Bakery", owner_id=rita.id, currency="EUR")
    session.add(account)
    session.flush()
    session.add(Site(account_id=account.id, is_main=True, pin=wkt(PIN), uncertainty_m=10.0, pin_state="placed"))
    session.flush()
    return account


def report(rita: User, bakery: Account, **more: Any) -> VisitReport:
    plain = VisitReport(
        event_id=uuid7(),
        visit_id=uuid7(),
        account_id=bakery.id,
        rep_id=rita.id,
        state=VisitState.DONE,
        day=DAY,
        zone="Europe/Vaduz",
        occurred_at=NOON,
        outcome=Outcome.ORDER,
    )
    return replace(plain, **more)


def planned(session: Session, rita: User, bakery: Account, **more: Any) -> Visit:
    site = session.scalars(select(Site).where(Site.account_id == bakery.id)).one()
    return plan_visit(session, PlannedVisit(bakery.id, site.id, rita.id, DAY, "Europe/Vaduz", **more))


def actor(rita: User) -> Actor:
    return Actor(user_id=rita.id, source="sync")


def test_a_visit_that_nobody_planned_is_taken_in(session: Session, rita: User, bakery: Account) -> None:
    visit = record_visit(session, report(rita, bakery), actor(rita))
    assert (visit.state, visit.outcome, visit.flags) == ("done", "order", ["unplanned"])
    session.refresh(bakery)
    assert bakery.last_visit_on == DAY


def test_the_same_fact_twice_happens_once(session: Session, rita: User, bakery: Account) -> None:
    fact = report(rita, bakery)
    first = record_visit(session, fact, actor(rita))
    second = record_visit(session, fact, actor(rita))
    assert first.id == second.id
    assert session.scalar(select(func.count()).select_from(VisitEvent)) == 1


def test_an_event_id_cannot_say_two_things(session: Session, rita: User, bakery: Account) -> None:
    fact = report(rita, bakery)
    record_visit(session, fact, actor(rita))
    with pytest.raises(VisitExists):
        record_visit(session, replace(fact, state=VisitState.MISSED), actor(rita))


def test_a_second_done_is_kept_and_flagged_and_the_first_one_counts(
    session: Session, rita: User, bakery: Account
) -> None:
    visit = planned(session, rita, bakery)
    record_visit(session, report(rita, bakery, visit_id=visit.id, note="first"), actor(rita))
    record_visit(session, report(rita, bakery, visit_id=visit.id, note="second"), actor(rita))
    assert (visit.note, visit.flags) == ("first", ["second_done"])
    assert session.scalar(select(func.count()).select_from(VisitEvent)) == 2


def test_a_check_in_that_arrives_late_does_not_take_the_visit_back(
    session: Session, rita: User, bakery: Account
) -> None:
    visit = planned(session, rita, bakery)
    record_visit(session, report(rita, bakery, visit_id=visit.id), actor(rita))
    record_visit(session, report(rita, bakery, visit_id=visit.id, state=VisitState.CHECKED_IN), actor(rita))
    assert visit.state == "done"


@pytest.mark.parametrize(
    ("fix", "verification"),
    [
        (Fix(LonLat(9.5205, 47.14), 12.0), "verified"),
        (Fix(LonLat(9.53, 47.14), 12.0), "out_of_range"),
        (Fix(LonLat(9.53, 47.14), 900.0), "low_accuracy"),
        (Fix(PIN, 12.0, mock=True), "suspected_mock"),
        (None, "unverifiable"),
    ],
)
def test_a_check_in_is_judged_by_its_distance_to_the_pin(
    session: Session, rita: User, bakery: Account, fix: Fix | None, verification: str
) -> None:
    visit = record_visit(session, report(rita, bakery, state=VisitState.CHECKED_IN, fix=fix), actor(rita))
    assert visit.verification == verification
    assert (visit.distance_m is None) == (fix is None)


def test_a_pin_that_came_later_confirms_a_check_in_but_accuses_nobody(
    session: Session, rita: User, bakery: Account, client_for: ClientFor
) -> None:
    def seen(lon: float) -> Visit:
        fact = report(rita, bakery, state=VisitState.CHECKED_IN, fix=Fix(LonLat(lon, PIN.lat), 12.0), saw_pin=False)
        visit = record_visit(session, fact, actor(rita))
        end = report(rita, bakery, visit_id=visit.id, fix=Fix(LonLat(9.6, PIN.lat), 12.0))
        return record_visit(session, end, actor(rita))

    assert seen(9.5205).verification == "verified"
    far = seen(9.53)
    assert (far.verification, far.distance_m) == ("unverifiable", None)
    client = client_for(rita)
    kept = client.get(f"/api/v1/visits/{far.id}").json()["checkin"]
    assert kept["lon"] == 9.53, "the place of the check-in is kept, not that of the end"
    page = client.get(f"/visits/{far.id}").text
    assert "not verified" in page
    assert "there was no pin to compare with" in page
    assert "not at the pin" not in page


def test_a_visit_without_a_check_in_is_told_as_such_and_accuses_nobody(
    session: Session, rita: User, bakery: Account, client_for: ClientFor
) -> None:
    now = clock.now()
    fact = report(rita, bakery, day=clock.today(settings().zone), occurred_at=now, fix=Fix(LonLat(9.6, PIN.lat), 12.0))
    visit = record_visit(session, fact, actor(rita))
    assert (visit.verification, visit.distance_m) == ("unverifiable", None)
    for path in (f"/visits/{visit.id}", "/home/today", f"/accounts/{bakery.id}"):
        page = client_for(rita).get(path).text
        assert "no check-in" in page, path
        assert "not at the pin" not in page, path


def test_only_check_ins_make_the_way_as_it_was_driven(
    session: Session, rita: User, bakery: Account, client_for: ClientFor
) -> None:
    def stops() -> list[float]:
        tracks = client_for(rita).get(f"/home/day?day={DAY}").json()["tracks"]
        return [stop["lon"] for one in tracks for stop in one["stops"]]

    visit = planned(session, rita, bakery)
    record_visit(session, report(rita, bakery, visit_id=visit.id), actor(rita))
    assert (visit.state, visit.site_id is not None, stops()) == ("done", True, [])
    fact = report(rita, bakery, state=VisitState.CHECKED_IN, outcome=None, fix=Fix(PIN, 12.0))
    record_visit(session, fact, actor(rita))
    assert stops() == [PIN.lon]


def test_of_a_missed_visit_the_timeline_and_its_page_say_when_that_was_said(
    session: Session, rita: User, bakery: Account, client_for: ClientFor
) -> None:
    visit = planned(session, rita, bakery, starts_at=NOON)

    def is_said() -> list[bool]:
        pages = [client_for(rita).get(path).text for path in (f"/accounts/{bakery.id}", f"/visits/{visit.id}")]
        return [re.search("said on Tue 3 Mar[^<]*, 17:48", page) is not None for page in pages]

    assert is_said() == [False, False]
    said_at = datetime(2026, 3, 3, 16, 48, tzinfo=UTC)
    fact = report(rita, bakery, visit_id=visit.id, state=VisitState.MISSED, outcome=None, occurred_at=said_at)
    record_visit(session, fact, actor(rita))
    assert is_said() == [True, True]


def test_a_poor_check_in_can_be_repeated_and_where_the_visit_ended_is_another_matter(
    session: Session, rita: User, bakery: Account
) -> None:
    def then(state: VisitState, fix: Fix | None, **rest: Any) -> str | None:
        fact = report(rita, bakery, visit_id=visit_id, state=state, fix=fix, **rest)
        return record_visit(session, fact, actor(rita)).verification

    coarse, far, near = Fix(PIN, 900.0), Fix(LonLat(PIN.lon + 0.01, PIN.lat), 12.0), Fix(PIN, 12.0)
    visit_id = uuid7()
    assert then(VisitState.CHECKED_IN, coarse) == "low_accuracy"
    assert then(VisitState.CHECKED_IN, far) == "out_of_range"
    assert then(VisitState.CHECKED_IN, None) == "out_of_range", "no position says nothing new"
    assert then(VisitState.CHECKED_IN, near, note="Met outside first") == "verified"
    assert then(VisitState.CHECKED_IN, far) == "verified"
    assert then(VisitState.DONE, far) == "verified"
    events = session.scalars(select(VisitEvent).where(VisitEvent.visit_id == visit_id).order_by(VisitEvent.id)).all()
    assert (events[-1].state, events[-1].verification) == ("done", "unverifiable")
    visit_id = uuid7()
    assert then(VisitState.CHECKED_IN, far) == "out_of_range"
    assert then(VisitState.DONE, near) == "out_of_range", "where it ended is not where it was checked in"


@pytest.mark.parametrize(
    ("signature", "box", "points"),
    [
        ({"strokes": [[0, 300, 150, 0, 300, 300]], "box": [600, 350]}, "0 0 600 350", "0 300 150 0 300 300"),
        ({"strokes": [[0, 100, 150, 400, 300, 100]]}, "0 0 1000 400", "0 300 150 0 300 300"),
    ],
    ids=["from the top", "of an older phone"],
)
def test_a_signature_stands_upright_on_the_page_of_its_visit(
    session: Session, rita: User, bakery: Account, client_for: ClientFor, signature: Any, box: str, points: str
) -> None:
    visit = record_visit(session, report(rita, bakery, signature={"name": "Anna", **signature}), actor(rita))
    head = "<h2>Customer&#39;s signature</h2>"
    assert head in client_for(rita).get(f"/visits/{visit.id}").text, "nothing was answered"
    for path in (f"/visits/{visit.id}", f"/accounts/{bakery.id}/visits/{visit.id}/answers"):
        page = client_for(rita).get(path).text
        assert f'viewBox="{box}"' in page
        assert f'points="{points}"' in page


def test_an_account_that_does_not_exist_is_no_fact(session: Session, rita: User, bakery: Account) -> None:
    with pytest.raises(NotFound):
        record_visit(session, report(rita, bakery, account_id=uuid7()), actor(rita))


def test_a_fixed_appointment_needs_its_time(session: Session, rita: User, bakery: Account) -> None:
    with pytest.raises(Invalid, match="time"):
        planned(session, rita, bakery, appointment=Appointment.FIXED)


def test_a_new_plan_takes_planned_visits_back_but_not_those_that_began_or_were_promised(
    session: Session, rita: User, bakery: Account
) -> None:
    plain = planned(session, rita, bakery)
    promised = planned(session, rita, bakery, appointment=Appointment.FLEXIBLE_DAY)
    begun = planned(session, rita, bakery)
    record_visit(session, report(rita, bakery, visit_id=begun.id, state=VisitState.EN_ROUTE), actor(rita))
    assert withdraw(session, [plain.id, promised.id, begun.id]) == 1
    assert plain.deleted_at is not None


def test_a_stranger_sees_no_visits(client_for: ClientFor) -> None:
    assert client_for(None).get("/api/v1/visits").status_code == 401


def test_somebody_elses_visit_is_not_found(
    session: Session, rita: User, bakery: Account, client_for: ClientFor, make_user: MakeUser
) -> None:
    visit = record_visit(session, report(rita, bakery), actor(rita))
    otto = client_for(make_user("otto", Role.REP))
    assert otto.get(f"/api/v1/visits/{visit.id}").status_code == 404
    assert otto.post("/api/v1/visits/report", json={"account_id": str(bakery.id)}).status_code == 404
    assert client_for(rita).get(f"/api/v1/visits/{visit.id}").json()["events"][0]["outcome"] == "order"


def test_a_visit_is_planned_and_reported_over_the_api(rita: User, bakery: Account, client_for: ClientFor) -> None:
    client = client_for(rita)
    day = DAY.isoformat()
    answer = client.post("/api/v1/visits", json={"account_id": str(bakery.id), "day": day, "objective": "Show samples"})
    assert answer.status_code == 201
    visit_id = answer.json()["id"]
    done = client.post(
        "/api/v1/visits/report",
        json={
            "visit_id": visit_id,
            "account_id": str(bakery.id),
            "outcome": "follow_up",
            "checkin": {"lon": 9.52, "lat": 47.1401, "accuracy_m": 8},
        },
    )
    assert done.json()["state"] == "done"
    assert done.json()["checkin"]["verification"] == "verified"
    listed = client.get("/api/v1/visits", params={"first_day": day}).json()["items"]
    assert [visit["id"] for visit in listed] == [visit_id]


def test_a_visit_is_not_reported_from_another_account(
    session: Session, rita: User, bakery: Account, make_user: MakeUser, client_for: ClientFor
) -> None:
    otto = make_user("otto", Role.REP)
    his = Account(name="Smithy", owner_id=otto.id, currency="EUR")
    session.add(his)
    session.flush()
    planned = record_visit(session, report(otto, his, state=VisitState.EN_ROUTE), Actor(otto.id, "sync"))
    body = {"account_id": str(bakery.id), "visit_id": str(planned.id), "note": "not mine"}
    answer = client_for(rita).post("/api/v1/visits/report", json=body)
    assert answer.status_code in (404, 422)
    assert "account_name" not in answer.json()
    with pytest.raises(Invalid, match="another account"):
        record_visit(session, report(rita, bakery, visit_id=planned.id), Actor(rita.id, "sync"))


@pytest.mark.parametrize("year", [1, 1969, 2200, 9999])
def test_a_day_that_no_list_could_show_is_refused(session: Session, rita: User, bakery: Account, year: int) -> None:
    with pytest.raises(Invalid, match=f"year {year}"):
        record_visit(session, report(rita, bakery, occurred_at=NOON.replace(year=year)), Actor(rita.id, "sync"))


def test_a_visit_that_is_reported_late_counts_on_the_day_when_it_was(
    rita: User, bakery: Account, client_for: ClientFor, session: Session
) -> None:
    rita.zone = "Europe/Vaduz"
    session.flush()
    told = {"account_id": str(bakery.id), "state": "done"}
    client = client_for(rita)
    for at, day in (("2026-03-02T11:00:00Z", "2026-03-02"), ("2026-03-03T23:30:00Z", "2026-03-04")):
        answer = client.post("/api/v1/visits/report", json=told | {"occurred_at": at})
        assert (answer.status_code, answer.json()["day"]) == (201, day)
    beyond = client.post("/api/v1/visits/report", json=told | {"occurred_at": "9999-12-31T23:59:00Z"})
    assert beyond.status_code == 422


def test_a_report_without_a_visit_sent_twice_is_one_visit(
    session: Session, rita: User, bakery: Account, client_for: ClientFor
) -> None:
    body = {"id": str(uuid7()), "account_id": str(bakery.id), "note": "once"}
    client = client_for(rita)
    first, second = (client.post("/api/v1/visits/report", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
