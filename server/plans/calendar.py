"""Stops become planned visits: all stops of a plan at once."""

import itertools
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.activities import service as activities
from server.activities.models import Visit
from server.kit.errors import Conflict
from server.plans.models import Route, Stop

VISITS = UUID("6f2c1d52-5c0e-5f0b-9d3a-3a1f5b7f9b01")
"""Under which ids of planned visits are made (RFC 9562, version 5)."""


class SiteIsGone(Conflict):
    """A place was deleted after the plan was computed."""

    code = "plan_not_ready"


type Waiting = Mapping[tuple[UUID, UUID], list[UUID]]
"""Visits of the plan before, by rep and account: calendars know them."""


def put(session: Session, routes: Sequence[Route], waiting: Waiting) -> None:
    """Give each stop its visit: a promised one, one of the plan before, or a new one."""
    standing = _standing(session, routes)
    moved: list[activities.Moved] = []
    fresh: list[tuple[Stop, activities.PlannedVisit]] = []
    for route in routes:
        for stop in route.stops:
            account_id, site_id = standing[stop.id]
            known = waiting.get((route.rep_id, account_id))
            if stop.visit_id is None and known:
                stop.visit_id = known.pop(0)
            if stop.visit_id is not None:
                moved.append(activities.Moved(stop.visit_id, route.rep_id, route.day, stop.starts_at, stop.ends_at))
                continue
            planned = activities.PlannedVisit(
                account_id=account_id,
                site_id=site_id,
                rep_id=route.rep_id,
                day=route.day,
                zone=route.zone,
                starts_at=stop.starts_at,
                ends_at=stop.ends_at,
            )
            fresh.append((stop, planned))
    activities.move_visits(session, moved)
    wanted = [planned for _, planned in fresh]
    visits = activities.plan_visits(session, wanted, ids=_ids(session, wanted))
    for (stop, _), visit in zip(fresh, visits, strict=True):
        stop.visit_id = visit.id
    session.flush()


def _ids(session: Session, wanted: Sequence[activities.PlannedVisit]) -> list[UUID]:
    """The ids of new visits, made from what they are: the same plan on the same data gives the same calendars.

    Visits of the same rep, site and day before them (they were withdrawn, or are a second one) are counted on.
    """
    found: dict[int, UUID] = {}
    for number in itertools.count(1):
        tried = {
            k: uuid5(VISITS, f"{one.rep_id}/{one.account_id}/{one.site_id}/{one.day}/{number}")
            for k, one in enumerate(wanted)
            if k not in found
        }
        if not tried:
            break
        taken = set(session.scalars(select(Visit.id).where(Visit.id.in_(tried.values()))))
        for k, visit_id in tried.items():
            if visit_id not in taken:
                taken.add(visit_id)
                found[k] = visit_id
    return [found[k] for k in range(len(wanted))]


def _standing(session: Session, routes: Sequence[Route]) -> dict[UUID, tuple[UUID, UUID]]:
    """The account and the site that stand for each stop's; refuses a plan of which a site is gone."""
    site_id = func.site_standing(Stop.site_id)
    rows = session.execute(
        select(Stop.id, func.account_surviving(Stop.account_id), Site.id, Site.deleted_at, Account.name)
        .join(Account, Account.id == Stop.account_id)
        .outerjoin(Site, Site.id == site_id)
        .where(Stop.route_id.in_([route.id for route in routes]))
    )
    found = {}
    for stop_id, account_id, site, deleted_at, name in rows:
        if site is None or deleted_at is not None:
            raise SiteIsGone(f"“{name}” was deleted after the plan was computed.", help="Plan these days anew.")
        found[stop_id] = (account_id, site)
    return found
