"""Stops become planned visits: all stops of a plan at once."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.activities import service as activities
from server.kit.errors import Conflict
from server.kit.ids import uuid7
from server.plans.models import Route, Stop

PLANNED = UUID("6f1d3c9e-8a52-5d0b-9c37-2e4a7b1f6d80")
"""Space of the ids of visits that plans put into the calendar."""


MOST_A_DAY = 3
"""Visits of one rep to one site on one day whose ids follow from these; more are rare."""


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
    ids = _ids(session, [planned for _, planned in fresh])
    revived = activities.revive(session, ids)
    new = []
    for (stop, planned), visit_id in zip(fresh, ids, strict=True):
        if visit_id in revived:
            moved.append(activities.Moved(visit_id, planned.rep_id, planned.day, stop.starts_at, stop.ends_at))
        else:
            new.append((visit_id, planned))
    activities.plan_visits(session, [one for _, one in new], ids=[visit_id for visit_id, _ in new])
    activities.move_visits(session, moved)
    for (stop, _), visit_id in zip(fresh, ids, strict=True):
        stop.visit_id = visit_id
    session.flush()


def _ids(session: Session, fresh: Sequence[activities.PlannedVisit]) -> list[UUID]:
    """Ids that follow from rep, account, site and day: the same plan again has the same visits, in files too."""
    names = [f"{one.rep_id}/{one.account_id}/{one.site_id}/{one.day}" for one in fresh]
    taken = activities.taken(session, [uuid5(PLANNED, f"{name}/{n}") for name in names for n in range(MOST_A_DAY)])
    ids: list[UUID] = []
    for name in names:
        free = (uuid5(PLANNED, f"{name}/{n}") for n in range(MOST_A_DAY))
        ids.append(next((one for one in free if one not in taken), None) or uuid7())
        taken.add(ids[-1])
    return ids


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
