"""Pins of providers with a term, where plans have copied them to: the wishes that a plan was computed from."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.records.models import FORGOTTEN

# A plan holds the pin that its places had when it was computed. Where the history has that pin as forgotten, so does
# the plan: it can be looked at, and is computed anew to be changed by hand, as one that never kept its wishes.
FORGET = """
    delete from plan_basis b using plan p
    where p.id = b.plan_id and exists (
        select from (
            select s.site_id from stop s join route r on r.id = s.route_id where r.plan_id = p.id
            union
            select u.site_id from unplanned u where u.plan_id = p.id and u.site_id is not null
        ) place
        join lateral (
            select h.new from field_history h
            where h.entity = 'site' and h.row_id = place.site_id and h.field = 'pin'
              and h.at <= coalesce(p.ready_at, p.created_at)
            order by h.rev desc limit 1
        ) pin on pin.new = to_jsonb(cast(:forgotten as text))
    )
    returning 1
"""


def forget_copies(session: Session) -> int:
    """Take away what plans were computed from where it holds a pin that may not be kept any longer. Says how many."""
    return len(session.execute(text(FORGET), {"forgotten": FORGOTTEN}).all())
