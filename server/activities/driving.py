"""Drives that were recorded: from the end of one visit, or from setting off, to the next check-in."""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads.factors import LONGEST_S, Drive
from server.jobs import defer, task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.roads import service as roads
from server.roads import traffic
from server.roads.queries import regions_covering

DAYS = 365
"""So far back drives are believed."""

# Visits of one rep and day, one after the other, both at a site with a pin; check-ins that were seen far from the pin
# or were made up tell nothing.
STEPS = text(
    """
    with arrived as (
        select v.id, v.rep_id, v.day, v.zone, v.checked_in_at, v.done_at, s.pin, v.verification,
               (select max(e.occurred_at) from visit_event e
                 where e.visit_id = v.id and e.state = 'en_route' and e.occurred_at < v.checked_in_at) as set_off_at
        from visit v join site s on s.id = v.site_id
        where v.deleted_at is null and v.checked_in_at is not null and s.pin is not null and v.day >= :since
          and coalesce(v.verification, '') not in ('out_of_range', 'suspected_mock')
    ),
    step as (
        select *, lag(done_at) over day_of_rep as left_at, lag(pin) over day_of_rep as left_pin
        from arrived window day_of_rep as (partition by rep_id, day order by checked_in_at, id)
    )
    select rep_id, day, zone, greatest(left_at, set_off_at) as departed_at, checked_in_at as arrived_at,
           st_x(left_pin) as from_lon, st_y(left_pin) as from_lat, st_x(pin) as to_lon, st_y(pin) as to_lat
    from step
    where left_at is not null and checked_in_at > left_at and checked_in_at - left_at < :longest
    order by rep_id, day, arrived_at
    """
)


class Step(NamedTuple):
    """From one customer to the next."""

    rep_id: UUID
    day: date
    zone: str
    departed_at: datetime
    arrived_at: datetime
    from_lon: float
    from_lat: float
    to_lon: float
    to_lat: float


def drives(session: Session, today: date) -> dict[str, list[Drive]]:
    """Every recorded drive beside what the roads say it takes, by region; drives off the roads are left out."""
    values = {"since": today - timedelta(days=DAYS), "longest": timedelta(seconds=2 * LONGEST_S)}
    found: dict[str, list[Drive]] = {}
    rows = (Step(*row) for row in session.execute(STEPS, values))
    for _rep_day, group in groupby(rows, key=lambda step: (step.rep_id, step.day)):
        steps = list(group)
        points = [point for s in steps for point in (LonLat(s.from_lon, s.from_lat), LonLat(s.to_lon, s.to_lat))]
        covering = regions_covering(session, points)
        if not covering:
            continue
        legs = roads.engine(session, points).route(points)[::2]
        for step, leg in zip(steps, legs, strict=True):
            if not leg.estimated:
                local = step.departed_at.astimezone(ZoneInfo(step.zone))
                took_s = (step.arrived_at - step.departed_at).total_seconds()
                drive = Drive(local.weekday(), local.hour, leg.seconds, took_s)
                found.setdefault(covering[0].name, []).append(drive)
    return found


@task("activities.learn_drive_times")
def learn_drive_times() -> None:
    """Learn from all recorded drives how long they take at each hour of the week; the result replaces the last one."""
    with transaction() as session:
        found = drives(session, clock.today(settings().zone))
    with transaction() as session:
        traffic.relearn(session, found)


@queue.periodic(cron="40 2 * * *")
@queue.task(name="activities.learn_every_night", queue="default", queueing_lock="activities.learn_every_night")
def learn_every_night(timestamp: int) -> None:
    """Have drive times learned every night."""
    del timestamp
    with transaction() as session:
        defer(session, learn_drive_times, key="activities.learn_drive_times")
