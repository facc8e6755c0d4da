"""A better pin: saved without a network, shown as waiting, and what the office says to it."""

import pytest

from mobile.field.capture import propose_pin
from mobile.field.checkin import Fix, radius_m
from mobile.field.pins import is_approximate, proposed_pins
from mobile.field.store import clock
from server.activities.checkin import verify as server_verify
from tests.mobile.conftest import uid


def site_of(phone):
    return phone.store.cache.doc("site", uid(2001))


def decide(server, op, state, answer=None):
    d = op.body["d"]
    row = {"account_id": d["account_id"], "site_id": d["site_id"], "lon": d["lon"], "lat": d["lat"], "state": state}
    server.put("pin_proposal", op.row_id, row | {"answer": answer, "proposed_at": op.body["at"]["wall"]}, 7)


def test_a_proposal_is_an_op_with_the_fix_and_waits_on_the_phone(synced):
    fix = Fix(9.52101, 47.14002, 6.04, clock.now())
    op = propose_pin(synced.store, site_of(synced), 9.52100049, 47.14, note=" Gate ", fix=fix)
    d = op.body["d"]
    assert (op.kind, op.e, op.state) == ("create", "pin_proposal", "queued")
    assert (d["site_id"], d["lon"], d["lat"], d["note"]) == (uid(2001), 9.521, 47.14, "Gate")
    assert (d["fix"]["accuracy_m"], d["fix"]["mock"]) == (6.0, False)
    mine = proposed_pins(synced.store, uid(1001))[uid(2001)]
    assert (mine.state, mine.lon) == ("phone", 9.521)
    assert site_of(synced)["lon"] == 9.52, "the pin itself stays"
    synced.kill()
    assert proposed_pins(synced.store, uid(1001))[uid(2001)].state == "phone"


def test_what_the_office_decides_is_shown_and_the_latest_proposal_counts(synced, server):
    first = propose_pin(synced.store, site_of(synced), 9.521, 47.14)
    decide(server, first, "refused", "That is the old warehouse.")
    assert synced.sync().ok
    mine = proposed_pins(synced.store, uid(1001))[uid(2001)]
    assert (mine.state, mine.answer) == ("refused", "That is the old warehouse.")
    second = propose_pin(synced.store, site_of(synced), 9.522, 47.14)
    assert proposed_pins(synced.store, uid(1001))[uid(2001)].state == "phone"
    decide(server, second, "open")
    decide(server, first, "withdrawn")
    assert synced.sync().ok
    assert proposed_pins(synced.store, uid(1001))[uid(2001)].state == "open"


def test_a_place_off_the_world_is_not_saved(synced):
    with pytest.raises(ValueError, match="no place"):
        propose_pin(synced.store, site_of(synced), 9.5, 190)
    assert synced.store.outbox.ops() == []


def test_a_street_or_a_town_is_no_place_to_drive_to():
    here = {"lat": 47.1, "lon": 9.5, "uncertainty_m": 40}
    assert [is_approximate(here | {"grade": g}) for g in ("rooftop", "manual", "street", "locality")] == [
        False, False, True, True,
    ]  # fmt: skip
    assert is_approximate(here | {"grade": "given", "uncertainty_m": 787})
    assert not is_approximate({"lat": None, "grade": None})


@pytest.mark.parametrize("uncertainty_m", [None, 0, 8, 140, 145, 900])
@pytest.mark.parametrize("accuracy_m", [0, 5, 12.5, 300])
def test_phone_and_server_draw_the_same_circle(accuracy_m, uncertainty_m):
    from geo.types import Fix as ServerFix
    from geo.types import LonLat

    here = LonLat(9.5, 47.1)
    verdict = server_verify(ServerFix(here, accuracy_m), here, uncertainty_m)
    assert verdict.radius_m == radius_m(accuracy_m, uncertainty_m) == max(150, accuracy_m + (uncertainty_m or 0))
