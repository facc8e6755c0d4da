"""The review desk: what waits, what a person decides, and how it is taken back."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.middle import Middle
from geo.types import LonLat
from server.accounts import locating, pins, places, site_changes
from server.accounts.models import Account, Site
from server.accounts.place_models import PinProposal
from server.accounts.reviewing import desk as reviewing
from server.accounts.reviewing import proposals
from server.accounts.reviewing import queue as review_queue
from server.accounts.reviewing.desk import ChangedSince, DecidedAlready, Decision
from server.accounts.reviewing.proposals import NewPin
from server.accounts.reviewing.queue import Wish
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.service import set_team
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.records.service import Actor, acting
from server.territories.models import Territory
from tests.server.accounts.reviewing.detecting import add_country, house

type ClientFor = Callable[[User | None], TestClient]
type MakeUser = Callable[..., User]
type Add = Callable[..., Site]


@pytest.fixture(autouse=True)
def country(session: Session) -> None:
    add_country(session)


@pytest.fixture
def admin(session: Session, ada: User, scope: Callable[[User], Scope]) -> Scope:
    found = scope(ada)
    acting(session, found.actor)
    return found


@pytest.fixture
def add(session: Session) -> Add:
    """Store a located site: `add("Amann", value=1000, street="Hauptstrasse 99")`."""

    def make(name: str, value: float = 0, owner: User | None = None, **address: str | None) -> Site:
        account = Account(name=name, yearly_value=value, owner_id=owner.id if owner else None)
        session.add(account)
        session.flush()
        given = {"street": "Hauptstrasse 10", "postcode": "01234", "city": "Seestadt", "country": "DE"} | address
        site = Site(account_id=account.id, is_main=True, **given)
        session.add(site)
        session.flush()
        locating.locate(session, [locating.Waiting.of(site, name)])
        session.refresh(site)
        return site

    return make


def place(site: Site, session: Session) -> dict[str, Any]:
    return site_changes.snapshot(session, site.id)


WRONG = {"street": "Hauptstrasse 10", "postcode": "99999", "city": "Oberammergau"}
"""An address whose postcode and city are not where its street is."""
UNKNOWN: dict[str, str | None] = {"street": "Qwxyzzq 3", "postcode": None, "city": None}


def test_a_stranger_is_refused(client_for: ClientFor, add: Add) -> None:
    site = add("Wrong", **WRONG)
    client = client_for(None)
    assert client.get("/api/v1/review").status_code == 401
    assert client.get(f"/api/v1/review/{site.id}").status_code == 401
    assert client.post(f"/api/v1/review/{site.id}", json={"rev": 1}).status_code == 401


def test_what_is_out_of_reach_is_not_there_and_reps_have_no_desk(
    session: Session, client_for: ClientFor, make_user: MakeUser, rita: User, add: Add
) -> None:
    mona, olga = make_user("mona", Role.MANAGER), make_user("olga", Role.REP)
    set_team(session, "north", [mona.id, rita.id])
    theirs, mine = add("Theirs", owner=olga, **UNKNOWN), add("Mine", owner=rita, **WRONG)
    client = client_for(mona)
    assert [one["name"] for one in client.get("/api/v1/review").json()["items"]] == ["Mine"]
    assert client.get(f"/api/v1/review/{theirs.id}").status_code == 404
    body = {"rev": theirs.rev, "lon": 9.1, "lat": 47.1}
    assert client.post(f"/api/v1/review/{theirs.id}", json=body).status_code == 404
    assert client.get(f"/api/v1/review/{mine.id}").status_code == 200
    assert client_for(rita).get("/api/v1/review").status_code == 403


def test_the_queue_is_sorted_by_value_at_risk_and_divided(session: Session, admin: Scope, add: Add) -> None:
    add("Sure", 90_000)
    wrong, unknown, small = add("Wrong", 1000, **WRONG), add("Unknown", 5000, **UNKNOWN), add("Small", 10, **WRONG)
    queue = review_queue.queue(session, admin, Wish())
    assert [(one.name, one.unsure == 1.0) for one in queue.items] == [
        ("Unknown", True), ("Wrong", False), ("Small", False),
    ]  # fmt: skip
    assert queue.items[0].at_risk == 5000
    assert queue.items[1].at_risk == pytest.approx(1000 * (1 - (wrong.confidence or 0)))
    assert dict(queue.counts["reason"]) == {"place_contradicts": 2, "not_found": 1}
    chosen = review_queue.queue(session, admin, Wish(reason="place_contradicts"))
    assert (chosen.total, [one.name for one in chosen.items]) == (2, ["Wrong", "Small"])
    assert dict(chosen.counts["reason"]) == {"place_contradicts": 2, "not_found": 1}
    assert {one.site_id for one in queue.items} == {wrong.id, unknown.id, small.id}


def test_a_candidate_is_taken_with_its_address_and_the_undo_is_exact(session: Session, admin: Scope, add: Add) -> None:
    site = add("Wrong", **WRONG)
    before = place(site, session)
    change = reviewing.decide(
        session, admin, site.id, Decision(site.rev, candidate=1, point=house(10), takes_address=True)
    )
    session.refresh(site)
    assert (site.street, site.postcode, site.city) == ("Hauptstrasse 10", "01234", "Seestadt")
    assert (site.pin_state, site.grade, change.verb) == ("placed", "manual", "take")
    assert review_queue.queue(session, admin, Wish()).total == 0
    reviewing.undo(session, admin, change.id)
    assert place(site, session) == before
    assert review_queue.queue(session, admin, Wish()).total == 1


def test_a_pin_is_placed_and_another_address_saved_and_both_undone(session: Session, admin: Scope, add: Add) -> None:
    site = add("Unknown", **UNKNOWN)
    before = place(site, session)
    card = reviewing.card(session, admin, site.id, {"street": "Hauptstrasse 7", "city": "Seestadt"})
    assert card.explanation is not None
    assert card.explanation.options[0].candidate.point == house(7)
    placed = reviewing.decide(session, admin, site.id, Decision(site.rev, point=LonLat(9.15, 47.15)))
    session.refresh(site)
    assert (site.grade, placed.verb) == ("manual", "place")
    reviewing.undo(session, admin, placed.id)
    session.refresh(site)
    address = {"street": "Hauptstrasse 7", "city": "Seestadt"}
    saved = reviewing.decide(session, admin, site.id, Decision(site.rev, address=address))
    session.refresh(site)
    assert (site.street, site.pin_state, saved.verb) == ("Hauptstrasse 7", "pending", "address")
    acting(session, locating.MACHINE)
    locating.locate(session, [locating.Waiting.of(site, "Unknown")])
    acting(session, admin.actor)
    reviewing.undo(session, admin, saved.id)
    assert place(site, session) == before


def test_two_people_never_decide_the_same_account_twice(
    session: Session, admin: Scope, add: Add, make_user: MakeUser, scope: Callable[[User], Scope]
) -> None:
    site = add("Wrong", **WRONG)
    seen = site.rev
    other = scope(make_user("max"))
    reviewing.decide(session, admin, site.id, Decision(seen, candidate=1))
    first = place(site, session)
    with pytest.raises(DecidedAlready, match="Ada has decided “Wrong” already"):
        reviewing.decide(session, other, site.id, Decision(seen, point=LonLat(9.2, 47.1)))
    assert place(site, session) == first


def test_two_at_the_desk_hear_of_each_other_until_one_decides_or_goes_on(
    session: Session, admin_client: TestClient, client_for: ClientFor, make_user: MakeUser, add: Add
) -> None:
    first, second = add("Wrong", **WRONG), add("Unknown", owner=make_user("rolf"), **UNKNOWN)
    other = client_for(make_user("ana", Role.ADMIN))

    def looks(client: TestClient, site: Site) -> str | None:
        answer = client.post(f"/api/v1/review/{site.id}/claim")
        assert answer.status_code == 200
        by: str | None = answer.json()["by"]
        return by

    assert [looks(admin_client, first), looks(other, first), looks(admin_client, first)] == [None, "Ada", None]
    assert [looks(admin_client, second), looks(other, first), looks(admin_client, first)] == [None, None, "Ana"]
    assert other.post(f"/api/v1/review/{first.id}", json={"rev": first.rev, "candidate": 1}).status_code == 200
    assert looks(admin_client, first) is None
    looks(other, second)
    session.execute(text("update review_claim set seen_at = seen_at - interval '3 minutes'"))
    assert looks(admin_client, second) is None, "who went away is not looking any more"
    stranger = client_for(make_user("mona", Role.MANAGER))
    assert stranger.post(f"/api/v1/review/{second.id}/claim").status_code == 404
    assert client_for(None).post(f"/api/v1/review/{second.id}/claim").status_code == 401


def test_a_change_of_the_place_in_between_is_named_and_other_changes_do_not_matter(
    session: Session, admin: Scope, add: Add
) -> None:
    site = add("Wrong", **WRONG)
    seen = site.rev
    places.edit_site(session, admin, site.id, seen, {"opening_hours": "Mo-Fr 08:00-12:00"})
    change = reviewing.decide(session, admin, site.id, Decision(seen, candidate=1))
    reviewing.undo(session, admin, change.id)
    session.refresh(site)
    seen = site.rev
    places.edit_site(session, admin, site.id, seen, {"street": "Hauptstrasse 11"})
    with pytest.raises(ChangedSince, match="Ada has changed the place"):
        reviewing.decide(session, admin, site.id, Decision(seen, candidate=1))


def test_a_decision_is_not_undone_over_a_later_change(session: Session, admin: Scope, add: Add) -> None:
    site = add("Wrong", **WRONG)
    change = reviewing.decide(session, admin, site.id, Decision(site.rev, candidate=1))
    places.place_by_hand(session, admin, site.id, LonLat(9.2, 47.1))
    with pytest.raises(ChangedSince, match="Ada has changed the place of “Wrong” since"):
        reviewing.undo(session, admin, change.id)
    with pytest.raises(NotFound):
        reviewing.undo(session, admin, site.id)


def test_a_proposal_is_decided_at_the_desk_and_waits_again_after_the_undo(
    session: Session, admin: Scope, add: Add, rita: User, scope: Callable[[User], Scope]
) -> None:
    site = add("Sure", 1000, owner=rita)
    before = place(site, session)
    proposal = proposals.propose(session, scope(rita), site.id, NewPin(LonLat(9.2, 47.12)))
    waiting = review_queue.queue(session, admin, Wish()).items
    assert [(one.name, one.reason, one.unsure) for one in waiting] == [("Sure", "proposed", 0.5)]
    session.refresh(site)
    accepted = reviewing.decide(session, admin, site.id, Decision(site.rev, accept=proposal.id))
    session.refresh(site)
    assert (site.grade, accepted.verb) == ("manual", "accept")
    reviewing.undo(session, admin, accepted.id)
    assert place(site, session) == before
    assert session.get_one(PinProposal, proposal.id, populate_existing=True).state == "open"
    session.refresh(site)
    reviewing.decide(session, admin, site.id, Decision(site.rev, refuse=proposal.id, answer="It is the back door."))
    assert review_queue.queue(session, admin, Wish()).total == 0
    assert place(site, session) == before


def test_a_decision_does_not_reach_for_the_proposal_of_another_site(
    session: Session, admin: Scope, add: Add, rita: User, scope: Callable[[User], Scope]
) -> None:
    site, other = add("Here", owner=rita), add("There", owner=rita)
    proposal = proposals.propose(session, scope(rita), other.id, NewPin(LonLat(9.2, 47.12)))
    before = place(other, session)
    with pytest.raises(NotFound):
        reviewing.decide(session, admin, site.id, Decision(site.rev, accept=proposal.id))
    assert place(other, session) == before


def test_what_cannot_be_placed_is_set_aside_until_its_address_changes(session: Session, admin: Scope, add: Add) -> None:
    site = add("Unknown", **UNKNOWN)
    change = reviewing.decide(session, admin, site.id, Decision(site.rev, aside=True))
    assert review_queue.queue(session, admin, Wish()).total == 0
    reviewing.undo(session, admin, change.id)
    assert review_queue.queue(session, admin, Wish()).total == 1
    session.refresh(site)
    reviewing.decide(session, admin, site.id, Decision(site.rev, aside=True))
    places.edit_site(session, admin, site.id, site.rev, {"street": "Qwxyzzq 4"})
    session.refresh(site)
    locating.locate(session, [locating.Waiting.of(site, "Unknown")])
    assert review_queue.queue(session, admin, Wish()).total == 1


def test_grades_are_counted_while_the_geocoder_is_at_work(session: Session, admin: Scope, add: Add) -> None:
    add("Sure"), add("Wrong", **WRONG), add("Unknown", **UNKNOWN)
    places.create_site(session, admin, add("Two sites").account_id, {"street": "Hauptstrasse 3", "city": "Seestadt"})
    assert review_queue.grades(session, admin) == [("rooftop", 2), ("review", 1), ("failed", 1), ("pending", 1)]


def test_the_api_shows_a_card_decides_and_undoes(
    session: Session, admin_client: TestClient, add: Add, west: Territory
) -> None:
    site = add("Wrong", 1000, **WRONG)
    queue = admin_client.get("/api/v1/review", params={"reason": "place_contradicts"}).json()
    assert (queue["total"], queue["items"][0]["site_id"]) == (1, str(site.id))
    card = admin_client.get(f"/api/v1/review/{site.id}").json()
    assert {one["text"] for one in card["tokens"] if one["contradicts"]} == {"99999", "Oberammergau"}
    first = card["options"][0]
    body = {"rev": card["site"]["rev"], "candidate": 1, "lon": first["lon"], "lat": first["lat"]}
    path = f"/api/v1/review/{site.id}"
    assert admin_client.post(path, json=body | {"lon": 9.3}).json()["code"] == "changed_since"
    assert admin_client.post(path, json={"rev": 1}).status_code in (409, 422)
    decided = admin_client.post(path, json=body).json()
    session.refresh(site)
    assert (site.grade, site.territory_id) == ("manual", west.id)
    again = admin_client.post(path, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "decided_already")
    undone = admin_client.post(f"/api/v1/review/decisions/{decided['id']}/undo").json()
    assert undone["state"] == "undone"
    assert admin_client.post(f"/api/v1/review/decisions/{decided['id']}/undo").status_code == 409
    assert admin_client.get("/api/v1/review", params={"territory": "nonsense"}).status_code == 400


def confirmed_by_checkins(session: Session, site: Site) -> None:
    """What the check-ins of several days do to a pin."""
    acting(session, Actor(None, "checkins"))
    middle = Middle(LonLat(9.2001, 47.1001), agreeing=4, spread_m=3.0)
    healed = proposals.heal(session, site.id, middle)
    assert healed is not None
    proposals.settle(session, None, site, healed)
    session.refresh(site)
    assert site.grade == "gps_confirmed"


def test_a_pin_that_check_ins_have_confirmed_since_stays(session: Session, admin: Scope, add: Add) -> None:
    site, other = add("Wrong", **WRONG), add("Aside", **WRONG)
    decided = reviewing.decide(session, admin, site.id, Decision(site.rev, address={"street": "Hauptstrasse 12"}))
    aside = reviewing.decide(session, admin, other.id, Decision(other.rev, aside=True))
    for one in (site, other):
        confirmed_by_checkins(session, one)
    acting(session, admin.actor)
    healed = place(other, session)
    with pytest.raises(ChangedSince, match="Check-ins have confirmed the place of “Wrong” since"):
        reviewing.undo(session, admin, decided.id)
    assert reviewing.undo(session, admin, aside.id).state == "undone", "it had changed nothing of the place"
    assert place(other, session) == healed
    assert place(site, session)["grade"] == "gps_confirmed"


def test_an_import_from_the_command_line_counts_as_a_later_change(session: Session, admin: Scope, add: Add) -> None:
    site = add("Wrong", **WRONG)
    change = reviewing.decide(session, admin, site.id, Decision(site.rev, point=LonLat(9.1, 47.1)))
    acting(session, Actor(None, "import", op_id=uuid7()))
    session.refresh(site)
    site.street = "Hauptstrasse 14"
    session.flush()
    with pytest.raises(ChangedSince, match="Somebody has changed the place"):
        reviewing.undo(session, admin, change.id)


def test_decisions_of_one_site_are_undone_one_after_the_other(session: Session, admin: Scope, add: Add) -> None:
    site = add("Wrong", **WRONG)
    before, made = place(site, session), []
    for point in (LonLat(9.1, 47.1), LonLat(9.2, 47.2), LonLat(9.3, 47.3)):
        session.refresh(site)
        made.append(reviewing.decide(session, admin, site.id, Decision(site.rev, point=point)))
    with pytest.raises(ChangedSince):
        reviewing.undo(session, admin, made[1].id)
    for change in reversed(made):
        reviewing.undo(session, admin, change.id)
    assert place(site, session) == before


def test_an_undo_leaves_what_others_have_decided_of_proposals(
    session: Session, admin: Scope, add: Add, rita: User, make_user: MakeUser, scope: Callable[[User], Scope]
) -> None:
    site = add("Sure", 1000, owner=rita)
    other = scope(make_user("mona", Role.ADMIN))
    first = proposals.propose(session, scope(rita), site.id, NewPin(LonLat(9.2, 47.12)))
    session.refresh(site)
    aside = reviewing.decide(session, admin, site.id, Decision(site.rev, aside=True))
    proposals.refuse(session, other, first.id, "No, that is the neighbour.")
    reviewing.undo(session, admin, aside.id)
    session.refresh(first)
    assert (first.state, first.decided_by, first.answer) == ("refused", other.user_id, "No, that is the neighbour.")


def test_a_refusal_that_is_taken_back_does_not_bring_back_what_a_newer_proposal_has_replaced(
    session: Session, admin: Scope, add: Add, rita: User, scope: Callable[[User], Scope]
) -> None:
    site = add("Sure", 1000, owner=rita)
    first = proposals.propose(session, scope(rita), site.id, NewPin(LonLat(9.2, 47.12)))
    session.refresh(site)
    refused = reviewing.decide(session, admin, site.id, Decision(site.rev, refuse=first.id, answer="No."))
    newer = proposals.propose(session, scope(rita), site.id, NewPin(LonLat(9.21, 47.13)))
    reviewing.undo(session, admin, refused.id)
    session.refresh(first)
    session.refresh(newer)
    assert (first.state, first.answer, newer.state) == ("withdrawn", None, "open")


def test_a_pin_that_was_not_moved_is_confirmed_no_finer_than_it_is(session: Session, admin: Scope, add: Add) -> None:
    site = add("Given")
    pins.set_by_hand(site, LonLat(9.1, 47.1))
    site.grade, site.uncertainty_m = "given", 50.0
    session.flush()
    session.refresh(site)
    reviewing.decide(session, admin, site.id, Decision(site.rev, point=LonLat(9.1, 47.1)))
    session.refresh(site)
    assert (site.grade, site.uncertainty_m) == ("manual", 50.0)
    for grade in ("street", "locality"):
        site.grade, site.uncertainty_m = grade, 400.0
        session.flush()
        session.refresh(site)
        with pytest.raises(Invalid, match="only the middle of a street or a place"):
            reviewing.decide(session, admin, site.id, Decision(site.rev, point=LonLat(9.1, 47.1)))
    reviewing.decide(session, admin, site.id, Decision(site.rev, point=LonLat(9.1001, 47.1)))
    session.refresh(site)
    assert (site.grade, site.uncertainty_m) == ("manual", 10.0)
