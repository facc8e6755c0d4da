"""Nine months of the field: older visits at each account's rhythm, and the routes that were driven to past visits."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads.polyline import encode
from routing.roads.straight import StraightLine
from server.accounts.cadence import rules
from server.accounts.models import Account, Site
from server.activities.models import Outcome, Visit, VisitState
from server.auth.models import RepProfile
from server.kit.database import copy_rows
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.plans.models import Plan, PlanState, Route
from server.plans.schemas import PlanSummary

DAYS = 270
KNOWN_DAYS = 730
"""How long the company has had its accounts."""
DONE = 0.93
"""Share of the planned visits that take place."""
VISIT_S = 2_400
VISIT = ("id", "account_id", "site_id", "rep_id", "day", "zone", "state", "outcome", "checked_in_at", "done_at")
STOP = (
    "id", "route_id", "visit_id", "account_id", "site_id", "position", "arrives_at", "starts_at", "ends_at", "drive_s",
    "distance_m", "estimated", "why", "prize_s", "overdue_days",
)  # fmt: skip


class Call(NamedTuple):
    """A past visit and where it led."""

    id: UUID
    account_id: UUID
    site_id: UUID
    rep_id: UUID
    day: date
    at: LonLat


def drive(session: Session, today: date, seed: int = 13) -> int:
    """Make the visits and the routes when there are none of the past; gives how many rows."""
    if session.scalar(select(Route.id).where(Route.day < today).limit(1)):
        return 0
    # The worker places pins meanwhile: it locks sites, writes them, then their accounts. In that order, and so that it
    # can hold no row that we refer to and wait for us.
    session.execute(text("lock table site, account in exclusive mode"))
    session.execute(update(Account).values(created_at=func.now() - timedelta(days=KNOWN_DAYS)))
    chance = random.Random(seed)
    return older_visits(session, chance, today) + routes(session, today)


def older_visits(session: Session, chance: random.Random, today: date) -> int:
    """Visits before each account's first one; where somebody was last, the account says."""
    zone, intervals = ZoneInfo(settings().zone), rules(session)
    first = select(Visit.account_id, func.min(Visit.day).label("day")).group_by(Visit.account_id).subquery()
    main = select(Site.id).where(Site.account_id == Account.id, Site.is_main, Site.deleted_at.is_(None))
    known = (
        select(Account, first.c.day, main.correlate(Account).scalar_subquery())
        .outerjoin(first, first.c.account_id == Account.id)
        .where(Account.deleted_at.is_(None), Account.owner_id.is_not(None))
        .order_by(Account.id)
    )
    rows: list[tuple[Any, ...]] = []
    for account, earliest, site_id in session.execute(known):
        interval = intervals.of(account)
        wait = interval.days if interval else 84
        day = min(earliest or today, today - timedelta(days=61)) - timedelta(days=chance.randrange(1, wait + 1))
        while day >= today - timedelta(days=DAYS) and site_id is not None:
            on = day - timedelta(days=max(0, day.weekday() - 4))
            at = datetime.combine(on, time(chance.randrange(8, 16), chance.randrange(60)), zone)
            outcome = chance.choices(list(Outcome), (30, 25, 25, 8, 12))[0]
            is_done = chance.random() < DONE
            state, ends = (VisitState.DONE, at + timedelta(seconds=VISIT_S)) if is_done else (VisitState.MISSED, None)
            rows.append(
                (uuid7(), account.id, site_id, account.owner_id, on, settings().zone, state,
                 outcome if is_done else None, at if is_done else None, ends)
            )  # fmt: skip
            day -= timedelta(days=max(5, wait + chance.randrange(-3, 8)))
    copy_rows(session, "visit", VISIT, rows)
    session.execute(LAST_VISIT)
    return len(rows)


LAST_VISIT = text(
    """
    update account a set last_visit_on = v.day
    from (select account_id, max(day) as day from visit where state = 'done' group by account_id) v
    where v.account_id = a.id and a.last_visit_on is distinct from v.day
    """
)


def routes(session: Session, today: date) -> int:
    """A published plan for each past week, a route for each rep and day; drives are estimated."""
    homes = {
        user_id: LonLat(lon, lat)
        for user_id, lon, lat in session.execute(
            select(RepProfile.user_id, func.ST_X(RepProfile.home), func.ST_Y(RepProfile.home)).where(
                RepProfile.home.is_not(None)
            )
        )
    }
    found = session.execute(
        select(Visit.id, Visit.account_id, Site.id, Visit.rep_id, Visit.day, func.ST_X(Site.pin), func.ST_Y(Site.pin))
        .join(Site, Site.id == Visit.site_id)
        .where(Visit.day < today, Visit.rep_id.in_(homes), Site.pin.is_not(None), Visit.deleted_at.is_(None))
        .order_by(Visit.day, Visit.rep_id, Visit.checked_in_at, Visit.id)
    )
    weeks: dict[date, dict[tuple[date, UUID], list[Call]]] = defaultdict(lambda: defaultdict(list))
    for visit_id, account_id, site_id, rep_id, day, lon, lat in found:
        call = Call(visit_id, account_id, site_id, rep_id, day, LonLat(lon, lat))
        weeks[day - timedelta(days=day.weekday())][day, call.rep_id].append(call)
    stops: list[tuple[Any, ...]] = []
    for monday, days in weeks.items():
        plan = published(session, monday, sorted({rep_id for _, rep_id in days}))
        drawn = [driven(plan, day, homes[rep_id], calls) for (day, rep_id), calls in days.items()]
        session.add_all(route for route, _ in drawn)
        stops += [stop for _, found in drawn for stop in found]
        plan.summary = in_figures([route for route, _ in drawn], sum(len(found) for _, found in drawn)).model_dump()
    session.flush()
    copy_rows(session, "stop", STOP, stops)
    return len(stops)


def published(session: Session, monday: date, rep_ids: Iterable[UUID]) -> Plan:
    """The plan of a week gone by."""
    at = datetime.combine(monday - timedelta(days=3), time(17), ZoneInfo(settings().zone))
    reps = list(rep_ids)
    plan = Plan(
        state=PlanState.PUBLISHED, rep_ids=reps, first_day=monday, days=7, engine="ruin_recreate", seed=1, steps=1_000,
        requested_by=reps[0], created_at=at, started_at=at, ready_at=at, published_at=at, estimated=True,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    return plan


def in_figures(drawn: Sequence[Route], visits: int) -> PlanSummary:
    """A past week in figures."""
    return PlanSummary(
        visits=visits,
        routes=len(drawn),
        unplanned=0,
        missing_promises=0,
        drive_s=sum(route.drive_s for route in drawn),
        distance_m=sum(route.distance_m for route in drawn),
        service_s=visits * VISIT_S,
        prize_s=visits * VISIT_S,
        value_s=visits * VISIT_S - sum(route.drive_s for route in drawn),
    )


def driven(plan: Plan, day: date, home: LonLat, calls: list[Call]) -> tuple[Route, list[tuple[Any, ...]]]:
    """One rep's day as it was planned, nearest stop first, with the rows of its stops."""
    left, order, here = list(calls), [home], home
    chosen: list[Call] = []
    while left:
        here = min(left, key=lambda call: (call.at.lon - here.lon) ** 2 + (call.at.lat - here.lat) ** 2).at
        chosen += [call for call in left if call.at == here]
        left = [call for call in left if call.at != here]
    order += [call.at for call in chosen] + [home]
    matrix = StraightLine().matrix(order, order)
    legs = [(int(matrix.seconds[k, k + 1]), int(matrix.metres[k, k + 1])) for k in range(len(order) - 1)]
    clock = datetime.combine(day, time(8), ZoneInfo(settings().zone))
    anchor = {"name": "Home", "lon": home.lon, "lat": home.lat}
    route = Route(
        id=uuid7(), plan_id=plan.id, rep_id=chosen[0].rep_id, day=day, zone=settings().zone, start_anchor=anchor,
        end_anchor=anchor, leaves_at=clock, drive_s=sum(seconds for seconds, _ in legs),
        distance_m=sum(metres for _, metres in legs), estimated=True,
        polylines=[encode(pair) for pair in itertools.pairwise(order)],
        legs=[{"seconds": seconds, "metres": metres, "estimated": True} for seconds, metres in legs],
        published_at=plan.published_at, returns_at=clock,
    )  # fmt: skip
    rows = []
    for position, (call, (seconds, metres)) in enumerate(zip(chosen, legs, strict=False), start=1):
        clock += timedelta(seconds=seconds)
        ends = clock + timedelta(seconds=VISIT_S)
        rows.append(
            (uuid7(), route.id, call.id, call.account_id, call.site_id, position, clock, clock, ends, seconds, metres,
             True, "Its call interval had run out.", VISIT_S, 0)
        )  # fmt: skip
        clock = ends
    route.returns_at = clock + timedelta(seconds=legs[-1][0])
    return route, rows
