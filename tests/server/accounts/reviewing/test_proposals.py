"""Better pins: a rep proposes, a manager decides, and nothing but a person moves what a person has set."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from geo.types import Fix, Grade, LonLat
from server.accounts import proposed_pins, queries
from server.accounts.models import Account, Site
from server.accounts.place_models import ProposalState
from server.accounts.reviewing import proposals
from server.accounts.reviewing.proposals import NewPin
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.service import set_team
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.records.queries import history
from server.territories.models import Territory

type ClientFor = Callable[[User | None], TestClient]
type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]

DOOR = LonLat(9.203, 47.2)
"""228 m east of where the account is thought to be."""


@pytest.fixture
def site(session: Session, make_account: MakeAccount, west: Territory, east: Territory) -> Site:
    """A site in the west."""
    return queries.sites_of(session, [make_account("Müller AG", at=(9.2, 47.2)).id])[0]


@pytest.fixture
def mona(session: Session, make_user: Callable[..., User], rita: User) -> User:
    """The manager of Rita's team."""
    manager = make_user("mona", Role.MANAGER)
    set_team(session, "West", [manager.id, rita.id])
    return manager


def where(site: Site) -> tuple[float, float]:
    point = proposals.pin_of(site)
    assert point is not None
    return point.lon, point.lat


def test_a_rep_proposes_and_the_pin_stays_until_a_manager_accepts(
    session: Session, scope: MakeScope, site: Site, rita: User, mona: User
) -> None:
    made = proposals.propose(session, scope(rita), site.id, NewPin(DOOR, "The gate is behind the church"))
    session.refresh(site)
    assert (made.state, made.grade, made.moved_m) == ("open", "manual", pytest.approx(226.6, abs=1))
    assert where(site) == (9.2, 47.2)
    (shown,) = proposed_pins.open_proposals(session, scope(mona), permission="pins:place")
    assert (shown.account_name, shown.proposer, shown.away_m) == ("Müller AG", "Rita", pytest.approx(226.6, abs=1))
    accepted = proposals.accept(session, scope(mona), made.id)
    session.refresh(site)
    assert (accepted.state, accepted.decided_by) == ("accepted", mona.id)
    assert where(site) == DOOR
    assert (site.grade, site.provider, site.geocode_reason) == ("manual", "hand", "proposed_by_rep")
    assert {change.field for change in history(session, "site", [site.id])} >= {"pin", "geocode_reason"}
    assert proposed_pins.open_proposals(session, scope(mona)) == []
    with pytest.raises(proposals.AlreadyDecided):
        proposals.accept(session, scope(mona), made.id)


def test_a_refusal_says_why(session: Session, scope: MakeScope, site: Site, rita: User, mona: User) -> None:
    made = proposals.propose(session, scope(rita), site.id, NewPin(DOOR))
    with pytest.raises(Invalid, match="why"):
        proposals.refuse(session, scope(mona), made.id, "  ")
    refused = proposals.refuse(session, scope(mona), made.id, "That is the old warehouse.")
    session.refresh(site)
    assert (refused.state, refused.answer, where(site)) == ("refused", "That is the old warehouse.", (9.2, 47.2))


def test_who_may_place_pins_needs_no_second_person(session: Session, scope: MakeScope, site: Site, mona: User) -> None:
    made = proposals.propose(session, scope(mona), site.id, NewPin(DOOR))
    session.refresh(site)
    assert (made.state, made.decided_by, where(site)) == ("accepted", mona.id, DOOR)


@pytest.mark.parametrize(
    ("fix", "grade", "uncertainty_m"),
    [
        (None, Grade.MANUAL, 10),
        (Fix(LonLat(9.20301, 47.20001), 18.0), Grade.GPS_CONFIRMED, 18),
        (Fix(LonLat(9.20301, 47.20001), 4.0), Grade.GPS_CONFIRMED, 10),
        (Fix(LonLat(9.20301, 47.20001), 4.0, mock=True), Grade.MANUAL, 10),
        (Fix(LonLat(9.20301, 47.20001), 180.0), Grade.MANUAL, 10),
        (Fix(LonLat(9.21, 47.2), 5.0), Grade.MANUAL, 10),
    ],
    ids=["no fix", "at the door", "a very good fix", "made up", "poor", "elsewhere"],
)
def test_only_a_good_fix_at_the_spot_confirms_a_pin(
    session: Session, scope: MakeScope, site: Site, rita: User, fix: Fix | None, grade: Grade, uncertainty_m: float
) -> None:
    made = proposals.propose(session, scope(rita), site.id, NewPin(DOOR, fix=fix))
    assert (made.grade, made.uncertainty_m) == (grade, uncertainty_m)


def test_the_same_proposal_twice_is_one_and_a_newer_one_takes_its_place(
    session: Session, scope: MakeScope, site: Site, rita: User, mona: User
) -> None:
    name = uuid7()
    for _ in range(2):
        made = proposals.propose(session, scope(rita), site.id, NewPin(DOOR), proposal_id=name)
    assert made.id == name
    assert len(proposed_pins.open_proposals(session, scope(rita))) == 1
    newer = proposals.propose(session, scope(rita), site.id, NewPin(LonLat(9.204, 47.2)))
    session.refresh(made)
    assert made.state == ProposalState.WITHDRAWN
    assert [one.proposal.id for one in proposed_pins.open_proposals(session, scope(rita))] == [newer.id]
    with pytest.raises(Conflict):
        proposals.propose(session, scope(mona), site.id, NewPin(DOOR), proposal_id=name)


def test_nobody_decides_about_pins_out_of_their_reach(
    session: Session, scope: MakeScope, site: Site, rita: User, otto: User, make_user: Callable[..., User]
) -> None:
    made = proposals.propose(session, scope(rita), site.id, NewPin(DOOR))
    stranger = make_user("manu", Role.MANAGER)
    set_team(session, "East", [stranger.id, otto.id])
    for person in (rita, otto, stranger):
        with pytest.raises(NotFound):
            proposals.accept(session, scope(person), made.id)
        with pytest.raises(NotFound):
            proposals.refuse(session, scope(person), made.id, "No")
    assert proposed_pins.open_proposals(session, scope(otto)) == []
    with pytest.raises(NotFound):
        proposals.propose(session, scope(otto), site.id, NewPin(DOOR))


def test_a_stranger_is_refused(client_for: ClientFor, site: Site) -> None:
    client = client_for(None)
    assert client.get("/api/v1/pin-proposals").status_code == 401
    assert client.get(f"/api/v1/sites/{site.id}/pin-proposals").status_code == 401
    assert client.post(f"/api/v1/sites/{site.id}/pin-proposals", json={"lon": 9.2, "lat": 47.2}).status_code == 401
    assert client.post(f"/api/v1/pin-proposals/{uuid7()}/accept").status_code == 401
    assert client.post(f"/api/v1/pin-proposals/{uuid7()}/refuse", json={"answer": "No"}).status_code == 401


def test_somebody_elses_site_takes_no_proposal_and_shows_none(client_for: ClientFor, site: Site, otto: User) -> None:
    client, path = client_for(otto), f"/api/v1/sites/{site.id}/pin-proposals"
    assert client.get(path).status_code == 404
    assert client.post(path, json={"lon": 9.2, "lat": 47.2}).status_code == 404
    assert client.get("/api/v1/pin-proposals").json()["items"] == []


def test_proposing_and_deciding_over_http(client_for: ClientFor, site: Site, rita: User, mona: User) -> None:
    rep, manager, path = client_for(rita), client_for(mona), f"/api/v1/sites/{site.id}/pin-proposals"
    fix = {"lon": 9.20301, "lat": 47.2, "accuracy_m": 6}
    made = rep.post(path, json={"lon": 9.203, "lat": 47.2, "note": "Gate", "fix": fix}).json()
    assert (made["state"], made["grade"], made["proposer"], made["accuracy_m"]) == ("open", "gps_confirmed", "Rita", 6)
    assert rep.post(f"/api/v1/pin-proposals/{made['id']}/accept").status_code == 403
    assert [one["id"] for one in manager.get("/api/v1/pin-proposals").json()["items"]] == [made["id"]]
    silent = manager.post(f"/api/v1/pin-proposals/{made['id']}/refuse", json={"answer": ""})
    assert (silent.status_code, silent.json()["field"]) == (422, "answer")
    refused = manager.post(f"/api/v1/pin-proposals/{made['id']}/refuse", json={"answer": "Old warehouse"}).json()
    assert (refused["state"], refused["answer"], refused["decider"]) == ("refused", "Old warehouse", "Mona")
    assert manager.post(f"/api/v1/pin-proposals/{made['id']}/accept").status_code == 409
    assert [one["answer"] for one in rep.get(path).json()["items"]] == ["Old warehouse"]
    outside = rep.post(path, json={"lon": 47.2, "lat": 190})
    assert outside.status_code == 422
    assert rep.post(path, json={"lon": 9.2, "lat": 47.2, "note": "x" * 3000}).json()["field"] == "note"
