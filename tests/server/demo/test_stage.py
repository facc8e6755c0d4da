"""What comes in on the demonstration's first day."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.activities.models import Visit, VisitState
from server.auth.models import Role, User
from server.demo import stage, steps
from server.kit import clock
from server.kit.ids import uuid7
from server.kit.settings import settings


@pytest.mark.parametrize(("hour", "done"), [(2, []), (10, ["09:30"]), (20, ["09:30", "11:30"])])
def test_visits_of_today_are_over_only_when_the_clock_says_so(
    session: Session, make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch, hour: int, done: list[str]
) -> None:
    nora, zone, today = make_user("nora", Role.REP), ZoneInfo(settings().zone), steps.today()
    account = Account(name="Bakery", currency="EUR", owner_id=nora.id)
    session.add(account)
    session.flush()
    site = Site(account_id=account.id, is_main=True, pin="SRID=4326;POINT(9.5 47.1)", pin_state="placed")
    session.add(site)
    session.flush()
    session.expire_all()
    for begins in (9, 11):
        at = datetime.combine(today, time(begins), zone)
        session.add(
            Visit(
                id=uuid7(), account_id=account.id, site_id=site.id, rep_id=nora.id, day=today, zone=settings().zone,
                state=VisitState.PLANNED, planned_start_at=at, planned_end_at=at + timedelta(minutes=30),
            )
        )  # fmt: skip
    session.flush()
    monkeypatch.setattr(clock, "now", lambda: datetime.combine(today, time(hour), zone))
    stage.this_morning(session)
    found = session.query(Visit).filter_by(state=VisitState.DONE).order_by(Visit.planned_start_at).all()
    assert [one.planned_end_at.astimezone(zone).strftime("%H:%M") for one in found if one.planned_end_at] == done
    assert all(one.done_at == one.planned_end_at for one in found)
