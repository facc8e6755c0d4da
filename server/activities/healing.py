"""Check-ins heal bad pins: where the reps of several days stood is where the customer is."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.middle import AGREEING, agreed
from geo.types import Fix, LonLat
from server.accounts.place_models import PinProposal
from server.accounts.reviewing import proposals
from server.jobs import defer, task
from server.kit.database import transaction
from server.records.service import Actor, acting

USABLE_M = 60.0
"""A fix worse than this says nothing about a pin."""

# One fix for each rep and day, the best, and of a check-in rather than of the end of a visit; none from before the
# address changed, none made up, none sent from home, and none of a day on which the rep reported three customers from
# one spot: at two of them at least nobody was.
FIXES = text(
    """
    select st_x(best.checkin), st_y(best.checkin), best.accuracy_m
    from (
        select distinct on (v.rep_id, v.day) e.checkin, e.accuracy_m, v.day
        from visit v
        join visit_event e on e.visit_id = v.id
        left join rep_profile p on p.user_id = v.rep_id
        where v.site_id = :site and v.deleted_at is null
          and e.checkin is not null and e.mock is not true and e.accuracy_m <= :usable
          and (p.home is null or st_distancesphere(p.home, e.checkin) > 150)
          and 2 > (
              select count(distinct o.account_id) from visit o join visit_event oe on oe.visit_id = o.id
              where o.rep_id = v.rep_id and o.day = v.day and o.account_id <> v.account_id
                and oe.checkin is not null and st_distancesphere(oe.checkin, e.checkin) <= 60)
          and e.recorded_at > coalesce((
              select max(h.at) from field_history h
              where h.entity = 'site' and h.row_id = :site and h.field in ('street', 'postcode', 'city', 'country')
          ), '-infinity')
        order by v.rep_id, v.day, e.state <> 'checked_in', e.accuracy_m, e.recorded_at, e.id
    ) best
    order by best.day desc
    limit 60
    """
)


def fixes_at(session: Session, site_id: UUID) -> list[Fix]:
    """The check-ins that say something about where a site is, the latest days first."""
    found = session.execute(FIXES, {"site": site_id, "usable": USABLE_M})
    return [Fix(LonLat(lon, lat), accuracy_m) for lon, lat, accuracy_m in found]


def heal(session: Session, site_id: UUID) -> PinProposal | None:
    """Propose a better pin for a site when three or more check-ins of different days or reps agree on one."""
    middle = agreed(fixes_at(session, site_id))
    return proposals.heal(session, site_id, middle) if middle else None


def is_telling(fix: Fix | None) -> bool:
    """Whether a check-in says anything about the pin."""
    return fix is not None and not fix.mock and fix.accuracy_m <= USABLE_M


# Sites with so few check-ins that nothing can agree are not asked further.
SEEN = text(
    """
    select v.site_id from visit v join visit_event e on e.visit_id = v.id
    where v.site_id = any(:sites) and v.deleted_at is null
      and e.checkin is not null and e.mock is not true and e.accuracy_m <= :usable
    group by v.site_id having count(distinct (v.rep_id, v.day)) >= :enough
    """
)


def look_again(session: Session, site_ids: Collection[UUID]) -> None:
    """Have pins looked at after further check-ins."""
    if not site_ids:
        return
    asked = {"sites": sorted(site_ids), "usable": USABLE_M, "enough": AGREEING}
    for site_id in session.scalars(SEEN, asked).all():
        if len(fixes_at(session, site_id)) >= AGREEING:
            defer(session, heal_pin, key=f"heal:{site_id}", site_id=str(site_id))


@task("activities.heal_pin")
def heal_pin(site_id: str) -> None:
    """See whether the check-ins at a site know its place better than its pin does."""
    with transaction() as session:
        acting(session, Actor(user_id=None, source="checkins"))
        heal(session, UUID(site_id))
