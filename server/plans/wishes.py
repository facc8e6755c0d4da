"""Open visit demand becomes candidates: joined with a visit that is due or promised anyway, or visits of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from server.demands import queries as demands
from server.demands.models import VisitDemand
from server.plans.candidates import Candidate, Unplaceable, lacking
from server.plans.due import Worked, sites_with_pins


def joined(
    session: Session,
    work: Sequence[Worked],
    placeable: Sequence[Candidate],
    busy: Iterable[UUID],
    first_day: date,
    last_day: date,
) -> tuple[list[Candidate], list[Unplaceable]]:
    """The candidates with all that is wanted by the last day; what has no pin, or needs an agreed time, comes apart."""
    by_account = {one.account.id: one for one in work}
    asked = demands.wanting(session, by_account, last_day)
    sites = sites_with_pins(session, {demand.site_id for demand, _ in asked if demand.site_id})
    found: dict[str, Candidate] = {one.key: one for one in placeable}
    unplaceable = []
    taken = set(busy)
    for demand, account_id in asked:
        one = by_account[account_id]
        site, point = sites.get(demand.site_id, (one.site, one.point)) if demand.site_id else (one.site, one.point)
        reps = one.reps & frozenset(demand.rep_ids) if demand.rep_ids else one.reps
        host = next((c for c in found.values() if site and takes(c, account_id, site.id, demand, reps)), None)
        if host is not None:
            found[host.key] = with_wish(host, demand, reps, first_day)
        elif account_id in taken or not reps:
            continue  # a visit that stands in the calendar serves it, or nobody of this plan may
        elif site is None or point is None or one.account.by_appointment:
            unplaceable.append(_apart(one, demand, site.id if site else demand.site_id, reps))
        else:
            alone = Candidate(
                key=f"demand/{demand.id}",
                account_id=account_id,
                name=one.account.name,
                site_id=site.id,
                point=point,
                service_s=site.service_s,
                rep_ids=reps,
                prize_s=0,
                overdue_days=0,
                first_day=first_day,
                opening_hours=site.opening_hours,
                country=site.country,
                grade=site.grade,
                uncertainty_m=site.uncertainty_m,
                usual_rep_id=one.usual,
                is_preferred=one.is_preferred,
            )
            found[alone.key] = with_wish(alone, demand, reps, first_day)
    return list(found.values()), unplaceable


def _apart(one: Worked, demand: VisitDemand, site_id: UUID | None, reps: frozenset[UUID]) -> Unplaceable:
    account = one.account
    return Unplaceable(account.id, site_id, reps, demand.prize_s, 0, mandatory=demand.mandatory, lacks=lacking(account))


def takes(c: Candidate, account_id: UUID, site_id: UUID, demand: VisitDemand, reps: frozenset[UUID]) -> bool:
    """Whether a visit can serve a demand as well: same place, a rep in common, days in common."""
    if c.account_id != account_id or c.site_id != site_id or not c.rep_ids & reps:
        return False
    if c.appointment is not None and not c.rep_ids <= reps:
        return False
    begins = max(c.first_day, demand.earliest or c.first_day)
    ends = [day for day in (c.last_day, demand.deadline) if day is not None]
    return not ends or begins <= max(min(ends), c.first_day)


def with_wish(c: Candidate, demand: VisitDemand, reps: frozenset[UUID], first_day: date) -> Candidate:
    """The visit that serves a demand too: worth more, and within the demand's days unless its time was promised."""
    served = replace(
        c,
        prize_s=c.prize_s + demand.prize_s,
        demand_ids=(*c.demand_ids, demand.id),
        sentence=" ".join(filter(None, (c.sentence, demand.sentence))),
    )
    if c.appointment is not None:
        return served
    deadline = demand.deadline
    is_late = deadline is not None and deadline < first_day
    return replace(
        served,
        rep_ids=c.rep_ids & reps,
        service_s=max(c.service_s, demand.service_s or 0),
        first_day=max(c.first_day, demand.earliest or c.first_day),
        last_day=c.last_day if deadline is None or is_late else min(deadline, c.last_day or deadline),
        due_on=min(filter(None, (c.due_on, deadline)), default=None),
        overdue_days=overdue(c, deadline, first_day),
        must=c.must or demand.mandatory,
    )


def overdue(c: Candidate, deadline: date | None, first_day: date) -> int:
    """Days since the visit should have been on the first day of the plan; negative while there is time."""
    if deadline is None:
        return c.overdue_days
    since = (first_day - deadline).days
    return since if c.due_on is None else max(c.overdue_days, since)
