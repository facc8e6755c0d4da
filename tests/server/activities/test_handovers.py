"""Hand-overs: owners change on their day, both are told, and it can be taken back."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from server.accounts.models import Account, Site
from server.activities import service as activities
from server.activities.handovers import queries, service
from server.activities.handovers.checklist import checklist
from server.activities.handovers.models import Handover
from server.activities.models import Visit
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.settings import settings
from server.notifications.models import Notification

NOBODY = UUID("01990000-0000-7000-8000-000000000000")


@pytest.fixture
def today() -> date:
    return clock.today(settings().zone)


@pytest.fixture
def pile(people: Any, make_account: Any) -> list[Account]:
    return [make_account(name, (9.51, 47.1), owner_id=people["rita"].id) for name in ("Amann", "Beck")]


def wish(pile: list[Account], to: User, day: date, **more: Any) -> service.Wish:
    return service.Wish([account.id for account in pile], to.id, day, "Rita is away", **more)


def visit_at(session: Any, account: Account, rep: User, day: date) -> Visit:
    site = session.scalars(select(Site.id).where(Site.account_id == account.id)).first()
    return activities.plan_visit(session, activities.PlannedVisit(account.id, site, rep.id, day, "Europe/Vaduz"))


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    stranger = client_for(None)
    assert stranger.get("/api/v1/handovers").status_code == 401
    assert stranger.post("/api/v1/handovers", json={}).status_code == 401
    assert stranger.post(f"/api/v1/handovers/{NOBODY}/undo").status_code == 401


def test_somebody_elses_hand_over_does_not_exist_and_reps_give_nothing_away(
    session: Any, people: Any, scope: Any, clients: Any, pile: Any, today: date
) -> None:
    made = service.hand_over(session, scope(people["mona"]), wish(pile, people["otto"], today))
    assert clients["nora"].get(f"/api/v1/handovers/{made.id}").status_code == 404
    assert clients["nora"].get("/api/v1/handovers").json()["items"] == []
    assert clients["otto"].get(f"/api/v1/handovers/{made.id}").json()["from_names"] == "Rita"
    body = {"account_ids": [str(pile[0].id)], "to_id": str(people["otto"].id)}
    assert clients["otto"].post("/api/v1/handovers", json=body).status_code == 403


def test_owners_change_and_both_are_told(session: Any, people: Any, scope: Any, pile: Any, today: date) -> None:
    service.hand_over(session, scope(people["mona"]), wish(pile, people["otto"], today))
    session.expire_all()
    assert {account.owner_id for account in pile} == {people["otto"].id}
    told = select(Notification.user_id).where(Notification.kind == "handover")
    assert set(session.scalars(told)) == {people["rita"].id, people["otto"].id}


def test_planned_visits_go_along_when_wished_and_come_back(
    session: Any, people: Any, scope: Any, pile: Any, today: date
) -> None:
    visit = visit_at(session, pile[0], people["rita"], today + timedelta(days=3))
    (open_visits,) = checklist(session, [account.id for account in pile])
    assert (open_visits.label, open_visits.count, open_visits.items[0].account) == ("Planned visits", 1, "Amann")
    mona = scope(people["mona"])
    made = service.hand_over(session, mona, wish(pile, people["otto"], today, takes_visits=True))
    session.refresh(visit)
    assert visit.rep_id == people["otto"].id
    assert service.undo(session, mona, made.id) == []
    session.expire_all()
    assert visit.rep_id == people["rita"].id
    assert {account.owner_id for account in pile} == {people["rita"].id}
    assert service.undo(session, mona, made.id) == []


def test_what_went_on_since_stays_and_is_named(session: Any, people: Any, scope: Any, pile: Any, today: date) -> None:
    mona = scope(people["mona"])
    made = service.hand_over(session, mona, wish(pile, people["otto"], today))
    service.hand_over(session, mona, wish(pile[:1], people["mona"], today))
    assert service.undo(session, mona, made.id) == ["Amann"]
    session.expire_all()
    assert [account.owner_id for account in pile] == [people["mona"].id, people["rita"].id]


def test_a_hand_over_waits_for_its_day(session: Any, people: Any, scope: Any, pile: Any, today: date) -> None:
    made = service.hand_over(session, scope(people["mona"]), wish(pile, people["otto"], today + timedelta(days=2)))
    session.expire_all()
    assert {account.owner_id for account in pile} == {people["rita"].id}
    service.carry_out_due(session, made)
    session.expire_all()
    assert {account.owner_id for account in pile} == {people["otto"].id}


def test_one_that_waits_for_somebody_who_has_left_says_so(
    session: Any, people: Any, scope: Any, pile: Any, today: date
) -> None:
    made = service.hand_over(session, scope(people["mona"]), wish(pile, people["otto"], today + timedelta(days=2)))
    people["mona"].active = False
    session.flush()
    service.carry_out_due(session, made)
    assert "has left" in (made.trouble or "")
    assert {account.owner_id for account in pile} == {people["rita"].id}


def test_what_makes_no_sense_is_refused(
    session: Any, people: Any, scope: Any, pile: Any, make_account: Any, today: date
) -> None:
    mona, otto = scope(people["mona"]), people["otto"]
    for wrong in (
        wish([], otto, today),
        wish(pile, otto, today - timedelta(days=1)),
        service.Wish([pile[0].id], NOBODY, today, ""),
    ):
        with pytest.raises(Invalid):
            service.hand_over(session, mona, wrong)
    with pytest.raises(NotFound, match="1 of the accounts"):
        service.hand_over(
            session, mona, wish([*pile, make_account("Not hers", owner_id=people["nora"].id)], otto, today)
        )
    assert session.scalars(select(Handover)).all() == []


def test_it_is_read_by_those_who_give_and_get(session: Any, people: Any, scope: Any, pile: Any, today: date) -> None:
    made = service.hand_over(session, scope(people["mona"]), wish(pile, people["otto"], today))
    for login in ("mona", "rita", "otto"):
        assert [row.handover.id for row in queries.latest(session, scope(people[login]))] == [made.id]
    assert [row.name for row in queries.account_rows(session, made.id)] == ["Amann", "Beck"]
