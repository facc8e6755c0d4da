"""Visits that an earlier plan put into a rep's calendar and that do not take place any more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from routing.export.tour import Span, Withdrawn


def of(session: Session, span: Span, rep_ids: Iterable[UUID]) -> Mapping[UUID, list[Withdrawn]]:
    """What calendars of some reps should take out of these days; nothing for others."""
    found: dict[UUID, list[Withdrawn]] = defaultdict(list)
    values = {"reps": list(rep_ids), "first": span.first, "last": span.last}
    for row in session.execute(_WITHDRAWN, values):
        gone = Withdrawn(str(row.visit_id), row.account, row.zone, row.starts_at, row.ends_at, row.rev)
        found[row.rep_id].append(gone)
    return found


_WITHDRAWN = text(
    """
    with gone as (
        select distinct on (r.rep_id, v.id) r.rep_id, v.id as visit_id, v.rev, a.name as account, r.zone,
            s.starts_at, s.ends_at
        from route r
        join stop s on s.route_id = r.id
        join visit v on v.id = s.visit_id
        join account a on a.id = account_surviving(v.account_id)
        where r.rep_id = any(:reps) and r.day between :first and :last and r.published_at is not null
            and (v.deleted_at is not null or v.state = 'cancelled' or v.rep_id <> r.rep_id)
            and not exists (
                select from stop now join route on route.id = now.route_id
                where now.visit_id = v.id and now.deleted_at is null and route.rep_id = r.rep_id
                    and route.published_at is not null and route.deleted_at is null
            )
        order by r.rep_id, v.id, r.published_at desc
    )
    select * from gone order by rep_id, starts_at, account, visit_id
    """
)
