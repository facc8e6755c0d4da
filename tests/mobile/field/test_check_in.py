"""Where a rep checked in, and how far from the pin that is."""

import pytest

from mobile.field.capture import VisitTarget, visit_event
from mobile.field.checkin import Fix, Verification, recorded, verify
from mobile.field.store import clock
from tests.mobile.conftest import uid


def test_a_check_in_is_judged_against_the_wider_of_150_m_and_both_errors():
    def at(metres, accuracy=10.0, mock=False):
        return Fix(9.52 + metres / 75_650, 47.14, accuracy, clock.now(), mock)

    assert verify(at(64), 9.52, 47.14, 10).status == "verified"
    assert verify(at(640), 9.52, 47.14, 10).status == "out_of_range"
    assert verify(at(640, accuracy=40), 9.52, 47.14, 700).status == "verified"
    assert verify(at(10, mock=True), 9.52, 47.14, 10).status == "suspected_mock"
    assert verify(at(10, accuracy=2000), 9.52, 47.14, 10).status == "low_accuracy"
    assert verify(None, 9.52, 47.14, 10).status == "unverifiable"
    assert verify(at(10), None, None, None).status == "unverifiable"
    assert verify(at(640), 9.52, 47.14, 10).distance_m == pytest.approx(640, abs=2)


def test_a_recorded_check_in_is_judged_by_the_server_and_until_then_by_this_phone():
    here = {"lon": 9.52, "lat": 47.14, "accuracy_m": 10.0, "fix_at": "2026-11-23T10:00:00+01:00", "mock": False}
    assert recorded(here, 9.52, 47.14, 10).status == "verified"
    assert recorded(here, 9.53, 47.14, 10).status == "out_of_range"
    of_server = {"lon": 9.52, "lat": 47.14, "accuracy_m": 10.0, "distance_m": 643.0, "verification": "out_of_range"}
    assert recorded(of_server, 9.52, 47.14, 10) == Verification("out_of_range", 643.0, 150.0)
    assert recorded(here | {"unpinned": True}, 9.52, 47.14, 10).status == "verified"
    assert recorded(here | {"unpinned": True}, 9.53, 47.14, 10).status == "unverifiable", "the pin came later"
    assert recorded({"lon": None, "verification": "unverifiable"}, 9.52, 47.14, 10).status == "unverifiable"
    assert recorded(None, 9.52, 47.14, 10).status == "unverifiable"


def test_a_repeated_check_in_takes_the_place_of_a_poor_one_and_the_end_of_a_visit_of_none(synced):
    def shown(state, lon):
        fix = None if lon is None else Fix(lon, 47.14, 10, clock.now())
        visit_event(synced.store, target, state, fix=fix)
        return (synced.store.cache.doc("visit", uid(3001)).get("checkin") or {}).get("lon")

    target = VisitTarget(uid(1001), uid(2001), "2026-11-23", "Europe/Vaduz", uid(3001))
    assert [shown("checked_in", lon) for lon in (None, 9.60, None, 9.53)] == [None, 9.60, 9.60, 9.53]
    assert shown("done", 9.7) == 9.53
    assert shown("checked_in", 9.8) == 9.53, "a visit that is over stays as it was"
