"""Warnings of the running day as people read them."""

from uuid import UUID

from sqlalchemy.orm import Session

from routing.lateness import Alarm, Warned
from server.plans.build import Shift
from server.plans.day_schemas import DayWarnings, WarningRead
from server.plans.replanning import warnings_of
from server.plans.running import RunningDay, Standing

TEXTS = {
    Alarm.LEAVE_BY: "Leave by {at} to reach {name} on time.",
    Alarm.LATE: "{name} will be reached at {at}, {minutes} min late.",
    Alarm.MISSED: "{name} will be missed: closed when you could be there.",
    Alarm.OVERTIME: "The day ends at {at}, {minutes} min after the shift.",
}
"""Templates of the sentences; the pages translate them."""


def day_warnings(session: Session, known: RunningDay) -> DayWarnings:
    """Every rep's warnings, with the moment and the customer."""
    by_key = {one.key: one for one in known.stops}
    found = [
        _read(rep_id, known.shifts[rep_id], one, by_key.get(one.visit or ""))
        for rep_id, some in warnings_of(session, known).items()
        for one in some
    ]
    return DayWarnings(day=known.day, warnings=found)


def _read(rep_id: UUID, shift: Shift, one: Warned, standing: Standing | None) -> WarningRead:
    at = shift.moment(min(one.at_s, 2 * 86_400))
    name = standing.account.name if standing else ""
    text = TEXTS[one.alarm].format(at=f"{at:%H:%M}", name=name, minutes=-(-one.by_s // 60))
    return WarningRead(
        rep_id=rep_id,
        alarm=one.alarm,
        at=at,
        late_s=one.by_s,
        stop_id=standing.stop.id if standing else None,
        account_id=standing.account.id if standing else None,
        account_name=name or None,
        text=text,
    )
