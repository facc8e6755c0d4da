"""The rest of a day planned anew on the phone."""

import itertools
import json
import re
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile import plantexts
from mobile.field import agenda, drafts, reads, restday, taking
from mobile.field.capture import VisitTarget, visit_event
from mobile.field.checkin import Fix
from mobile.field.store import clock
from routing.explain import Why
from server.orders.feeding import Rhythm, wanted
from tests.mobile.conftest import DAY, uid
from tests.mobile.field.conftest import H, M


@pytest.fixture
def morning(phone, server, monkeypatch):
    """Four stops of half an hour; the plan goes back and forth, and it is a quarter past eight."""
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat("2026-11-23T07:15:00+00:00"))
    home = {"name": "Home", "lon": 9.50, "lat": 47.14}
    plan = server.world.rows["route", uid(5000)]["d"] | {
        "start": home, "end": home, "leaves_at": f"{DAY}T07:00:00Z", "returns_at": f"{DAY}T12:00:00Z",
    }  # fmt: skip
    server.put("route", uid(5000), plan | {"closes_at": f"{DAY}T16:00:00Z", "polylines": ["x"]}, 7)
    for n, lon in enumerate((9.52, 9.58, 9.54, 9.56), start=1):
        server.put("account", uid(1000 + n), {"name": f"Stop {n}", "tags": []}, 412)
        site = {"account_id": uid(1000 + n), "is_main": True, "lon": lon, "lat": 47.14, "service_s": 1800}
        server.put("site", uid(2000 + n), site, 412)
        visit = {"account_id": uid(1000 + n), "site_id": uid(2000 + n), "rep_id": server.user_id, "day": DAY}
        server.put("visit", uid(3000 + n), visit | {"zone": "Europe/Vaduz", "state": "planned", "flags": []}, 7)
        starts = datetime.fromisoformat(f"{DAY}T07:10:00+00:00") + timedelta(hours=n - 1)
        times = {"arrives_at": starts.isoformat(), "starts_at": starts.isoformat()}
        times |= {"ends_at": (starts + timedelta(minutes=30)).isoformat(), "position": n, "drive_s": 600}
        stop = {"route_id": uid(5000), "visit_id": uid(3000 + n), "account_id": uid(1000 + n)}
        server.put("stop", uid(4000 + n), stop | times | {"site_id": uid(2000 + n)}, 7)
    assert phone.sync().ok
    return phone


def names(day):
    return [stop.name for stop in day.stops]


def test_after_a_missed_visit_the_rest_is_ordered_anew_and_the_office_has_the_last_word(morning, server):
    store, day, me = morning.store, date.fromisoformat(DAY), server.user_id
    server.put("route", uid(5000), server.world.rows["route", uid(5000)]["d"] | {"distance_m": 27_500}, 7)
    assert morning.sync().ok
    visit_event(store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001)), "missed")
    rest = restday.ahead_of(store, me, day)
    assert rest.known == (uid(3002), uid(3003), uid(3004)), "what is over stays over"
    proposal = restday.propose(rest, spent=lambda: 0.0)
    assert [change.stop.name for change in proposal.changes] in (
        ["Stop 3", "Stop 4", "Stop 2"], ["Stop 2", "Stop 4", "Stop 3"])  # fmt: skip
    assert proposal.answer.drive_s < 3 * H
    assert (proposal.missed, proposal.drive_before_s > proposal.answer.drive_s) == (("Stop 1",), True)
    shown = restday.day_as_taken(store, me, day)
    assert (names(shown)[0], shown.stops[0].place) == ("Stop 1", 0), "a proposal changes nothing"
    assert shown.distance_m == 27_500
    restday.take(store, proposal)
    shown = restday.day_as_taken(store, me, day)
    assert shown.distance_m == 0, "the kilometres of the office's order are not those of this one"
    assert [stop.number for stop in shown.stops] == [4, 1, 2, 3], "whom one does not meet is counted last"
    told = {change.stop.visit_id: change.after for change in proposal.changes}
    assert {stop.visit_id: stop.starts_at for stop in shown.stops if stop.open} == told, "one time everywhere"
    (weekday,) = [one for one in agenda.week(store, me, agenda.monday_of(day), clock.zone("UTC")) if one.day == day]
    assert {one.id: one.starts_at for one in weekday.entries if one.open} == told
    starts = [one.starts_at for one in weekday.entries if one.starts_at]
    assert starts == sorted(starts), "whatever zones they are told in"
    again = restday.propose(restday.ahead_of(store, me, day), spent=lambda: 0.0)
    assert (again.drive_before_s, again.missed) == (proposal.answer.drive_s, ("Stop 1",)), "against what is shown now"
    assert {change.stop.visit_id: change.before for change in again.changes} == told
    assert names(shown) == ["Stop 1", *(change.stop.name for change in proposal.changes)]
    assert shown.next_stop.starts_at >= clock.now()
    assert restday.is_taken(shown)
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | {"drive_s": 1}, 7)
    assert morning.sync().ok
    shown = restday.day_as_taken(store, me, day)
    assert names(shown) == ["Stop 1", "Stop 2", "Stop 3", "Stop 4"], "the office has published the day anew"


def test_what_no_longer_fits_is_last_without_a_time_and_is_not_the_next_stop(morning, server):
    store, day, me = morning.store, date.fromisoformat(DAY), server.user_id
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | {"closes_at": f"{DAY}T09:20:00Z"}, 7)
    assert morning.sync().ok
    proposal = restday.propose(restday.ahead_of(store, me, day), spent=lambda: 0.0)
    left_out = {change.stop.name for change in proposal.changes if change.kind == "out"}
    assert left_out
    restday.take(store, proposal)
    shown = restday.day_as_taken(store, me, day)
    last = shown.stops[-len(left_out) :]
    assert {stop.name for stop in last} == left_out
    assert {(one.is_out, one.starts_at, one.arrives_at, one.drive_s) for one in last} == {(True, None, None, None)}
    assert not shown.next_stop.is_out
    (weekday,) = [one for one in agenda.week(store, me, agenda.monday_of(day), clock.zone("UTC")) if one.day == day]
    assert {one.title for one in weekday.entries if one.is_out and one.starts_at is None} == left_out


def test_after_the_end_of_the_day_it_is_over_and_the_way_home_counts(morning, server, monkeypatch):
    day = date.fromisoformat(DAY)
    rest = restday.ahead_of(morning.store, server.user_id, day)
    assert not rest.is_over
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(f"{DAY}T16:02:00+00:00"))
    far_off = Fix(9.70, 47.14, 10, clock.now())
    rest = restday.ahead_of(morning.store, server.user_id, day, far_off)
    assert rest.is_over
    assert rest.closes_at == datetime.fromisoformat(f"{DAY}T16:00:00+00:00"), "not the moment at which one asks"
    proposal = restday.propose(rest, spent=lambda: 0.0)
    assert proposal.answer.stops == ()
    assert proposal.answer.drive_s == rest.home_s > 10 * M
    assert proposal.returns_at == clock.now() + timedelta(seconds=rest.home_s)


def test_what_missed_saved_is_undone_as_long_as_all_of_it_waits(morning, server):
    store, target = morning.store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001))
    far = visit_event(store, target, "checked_in", note="The road is closed")
    missed = visit_event(store, target, "missed", note="Nobody opened")
    step = taking.next_step(store, uid(1001), "Call first", due_on=DAY)
    other = visit_event(store, VisitTarget(uid(1002), uid(2002), DAY, "Europe/Vaduz", uid(3002)), "missed")
    drafts.keep_undo(store, uid(3001), [far.op_id, missed.op_id, step.op_id])
    drafts.keep_undo(store, uid(3002), [other.op_id])
    assert drafts.can_undo(store) == {uid(3001), uid(3002)}
    typed = drafts.undo_missed(store, uid(3001))
    assert typed == {"note": "Nobody opened", "reason": "The road is closed", "step": "Call first"}
    assert [op.op_id for op in store.outbox.ops()] == [other.op_id]
    assert store.cache.doc("visit", uid(3001))["state"] == "planned"
    assert store.outbox.mark_sent(store.outbox.ops())
    assert drafts.can_undo(store) == set()
    assert drafts.undo_missed(store, uid(3002)) is None
    assert store.cache.doc("visit", uid(3002))["state"] == "missed"


@pytest.mark.parametrize("how", ["new epoch", "lost answer", "copy"])
def test_what_was_ever_sent_is_not_undone_though_it_waits_again(morning, server, how):
    store, target = morning.store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001))
    missed = visit_event(store, target, "missed")
    drafts.keep_undo(store, uid(3001), [missed.op_id])
    if how == "copy":
        store.outbox.back_up()
    assert drafts.can_undo(store) == {uid(3001)}
    assert store.outbox.mark_sent([missed])
    if how == "new epoch":
        store.outbox.acknowledge(missed.n, "applied", {"n": missed.n, "status": "applied"})
        store.outbox.send_all_again()
    elif how == "lost answer":
        store.outbox.align(0)
    else:  # the journal is lost; what its copy holds is older than the sending
        morning.kill()
        for file in store.folder.glob("outbox.db*"):
            file.unlink()
        store = morning.store
    morning.kill()
    store = morning.store
    assert [(op.op_id, op.state) for op in store.outbox.ops()] == [(missed.op_id, "queued")]
    assert drafts.can_undo(store) == set()
    assert drafts.undo_missed(store, uid(3001)) is None
    assert not store.outbox.take_back([missed.op_id])


def test_legs_that_are_as_the_office_planned_them_keep_their_roads(morning, server):
    store, day, me = morning.store, date.fromisoformat(DAY), server.user_id
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | {"polylines": ["home-1", "1-2", "2-3", "3-4", "4-home"]}, 7)
    assert morning.sync().ok
    visit_event(store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001)), "done")
    restday.take(store, restday.propose(restday.ahead_of(store, me, day), spent=lambda: 0.0))
    shown = restday.day_as_taken(store, me, day)
    way = ["home", *(name.removeprefix("Stop ") for name in names(shown)), "home"]
    legs = ["-".join(leg) for leg in itertools.pairwise(way)]
    assert legs[0] == "home-1"
    assert shown.polylines == tuple(leg if leg in route_legs(store, me, day) else "" for leg in legs)
    assert 1 < sum(map(bool, shown.polylines)) < 5, "what was driven and what is unchanged; the rest is new"


@pytest.mark.parametrize("state", ["missed", "cancelled"])
def test_the_line_of_a_taken_order_goes_past_whom_one_does_not_meet(morning, server, state):
    store, day, me = morning.store, date.fromisoformat(DAY), server.user_id
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | {"polylines": ["home-1", "1-2", "2-3", "3-4", "4-home"]}, 7)
    server.put("visit", uid(3002), server.world.rows["visit", uid(3002)]["d"] | {"state": state}, 7)
    assert morning.sync().ok
    visit_event(store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001)), "done")
    assert len(reads.day(store, me, day).route) == 4, "the office's line is the office's"
    restday.take(store, restday.propose(restday.ahead_of(store, me, day), spent=lambda: 0.0))
    shown = restday.day_as_taken(store, me, day)
    assert [(stop.name, stop.number) for stop in shown.route] == [
        ("Stop 1", 1), *((name, n) for n, name in enumerate(names(shown)[2:], start=2))
    ]  # fmt: skip
    assert {stop.name: stop.number for stop in shown.stops}["Stop 2"] == 4
    assert (len(shown.polylines), shown.polylines[:2]) == (4, ("home-1", "")), "past them the way is a guess"


def test_the_break_stands_in_the_day_as_the_office_planned_it_and_as_it_was_taken(morning, server):
    store, day, me = morning.store, date.fromisoformat(DAY), server.user_id
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | {"break_starts_at": f"{DAY}T11:00:00Z", "break_s": 3600}, 7)
    assert morning.sync().ok
    begins = datetime.fromisoformat(f"{DAY}T11:00:00Z")
    assert reads.day(store, me, day).rest == (begins, begins + timedelta(hours=1))
    ahead = restday.ahead_of(store, me, day)
    assert ahead.midnight + timedelta(seconds=ahead.ahead.rest.earliest_s) == begins, "the office's is the earliest"
    proposal = restday.propose(ahead, spent=lambda: 0.0)
    began, ended = proposal.rest_at
    assert ended - began == timedelta(hours=1)
    assert timedelta() <= began - begins <= timedelta(seconds=restday.BREAK_MOVES_S)
    ahead = {call.id: call for call in proposal.rest.ahead.calls}
    for one in proposal.answer.stops:
        starts = proposal.rest.midnight + timedelta(seconds=one.starts_s)
        assert starts >= ended or starts + timedelta(seconds=ahead[one.id].service_s) <= began, "nobody is visited then"
    restday.take(store, proposal)
    assert restday.day_as_taken(store, me, day).rest == (began, ended)
    server.put("route", uid(5000), route, 7)
    assert morning.sync().ok
    assert restday.day_as_taken(store, me, day).rest == ()


def test_the_way_home_is_what_of_the_driving_leads_to_no_stop(morning, server):
    store, day, me = morning.store, date.fromisoformat(DAY), server.user_id
    route = server.world.rows["route", uid(5000)]["d"]
    for n in range(1, 5):
        stop = server.world.rows["stop", uid(4000 + n)]["d"]
        server.put("stop", uid(4000 + n), stop | {"drive_s": 300, "distance_m": 2_000}, 7)
    server.put("route", uid(5000), route | {"drive_s": 1_900, "distance_m": 12_500}, 7)
    assert morning.sync().ok
    assert reads.day(store, me, day).way_home == (700, 4_500)
    proposal = restday.propose(restday.ahead_of(store, me, day), spent=lambda: 0.0)
    restday.take(store, proposal)
    home_s = proposal.answer.drive_s - sum(one.drive_s for one in proposal.answer.stops)
    assert home_s > 0
    assert restday.day_as_taken(store, me, day).way_home == (home_s, 0), "how long it is nobody knows here"
    kept = json.loads(store.outbox.meta.get(restday.KEY))
    del kept["home"]
    store.outbox.meta.set(restday.KEY, json.dumps(kept))
    assert restday.day_as_taken(store, me, day).way_home == (0, 0), "of one that an earlier version kept"


def test_a_visit_that_is_done_is_told_at_the_time_when_it_was_done_also_in_the_week(morning, server):
    store, day, me = morning.store, date.fromisoformat(DAY), server.user_id
    planned = f"{DAY}T08:06:00+00:00"
    server.put("visit", uid(3001), server.world.rows["visit", uid(3001)]["d"] | {"planned_start_at": planned}, 7)
    assert morning.sync().ok
    of = lambda: next(one for one in restday.day_as_taken(store, me, day).stops if one.visit_id == uid(3001))  # noqa: E731
    before = of().begins_at
    assert before == of().starts_at
    visit_event(store, VisitTarget(uid(1001), uid(2001), DAY, "Europe/Vaduz", uid(3001)), "done")
    done_at = reads.instant(store.cache.doc("visit", uid(3001))["done_at"])
    assert of().begins_at == done_at != before
    restday.take(store, restday.propose(restday.ahead_of(store, me, day), spent=lambda: 0.0))
    assert of().begins_at == done_at
    week = agenda.week(store, me, agenda.monday_of(day), clock.zone("Europe/Vaduz"))
    assert [one.starts_at for at in week for one in at.entries if one.id == uid(3001)] == [done_at]


def route_legs(store, me, day):
    return reads.day(store, me, day).polylines


@pytest.mark.parametrize(
    ("site", "visit", "closes", "why"),
    [
        ({}, {}, "07:50", "end"),
        ({"opening_hours": "Mo-Fr 07:00-08:00"}, {}, "16:00", "hours"),
        ({"opening_hours": "Sa 07:00-08:00"}, {}, "16:00", "hours"),
        ({}, {"appointment": "fixed"}, "16:00", "promised"),
        ({"lon": 11.5}, {}, "23:30", "far"),
    ],
    ids=["the day ends", "open too early", "closed", "appointment", "far"],
)
def test_why_somebody_has_no_place_any_more_is_said(morning, server, site, visit, closes, why):
    for kind, row_id, values in (("site", uid(2001), site), ("visit", uid(3001), visit)):
        server.put(kind, row_id, server.world.rows[kind, row_id]["d"] | values, 412)
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | {"closes_at": f"{DAY}T{closes}:00Z"}, 7)
    assert morning.sync().ok
    rest = restday.ahead_of(morning.store, server.user_id, date.fromisoformat(DAY))
    found = {change.stop.name: change.why for change in restday.propose(rest, spent=lambda: 0.0).changes}
    assert found["Stop 1"] == why, found
    assert why == "end" or not any(found[f"Stop {n}"] for n in (2, 3, 4))


@given(
    st.integers(0, 20_000), st.integers(-60, 20_000), st.integers(0, 40), st.booleans(), st.booleans(), st.booleans(),
    st.sampled_from([None, True, False]), st.sampled_from(["", "Asked for by phone: Cooling drips."]),
)  # fmt: skip
def test_why_a_stop_is_in_the_plan_is_said_in_german(
    value_s, detour_s, overdue, appointment, mandatory, preferred, usual, origin
):
    said = Why(value_s, detour_s, overdue, appointment, mandatory, origin, preferred, usual).sentence()
    german = plantexts.why(said, "de")
    words = {"days", "day", "overdue", "Due", "the", "The", "detour", "visit", "worth", "rep", "Fixed", "Must", "way"}
    assert german.startswith(origin)
    assert not words & set(re.findall(r"\w+", german.removeprefix(origin))), german
    english = plantexts.why(said, "en").removeprefix(origin)
    assert not {"worth", "weighs"} & set(english.split()), "how the planner weighs it is nothing for a rep"
    assert ("overdue;" in english, "comes" in english) == ("overdue;" in said, "comes" in said), "all else is said"


def test_an_order_that_stays_away_is_said_in_german_too():
    last = date(2026, 6, 23)
    said = f"{wanted(UUID(int=1), Rhythm(5, last, 64)).sentence} The visit is 1 day overdue; on the way."
    told = "Bestellt sonst alle 64 Tage, zuletzt am 23. Juni 2026. Der Besuch ist 1 Tag überfällig; liegt am Weg."
    assert plantexts.why(said, "de") == told
