"""Warnings of the running day as people read them."""

from uuid import UUID

from sqlalchemy.orm import Session

from routing.lateness import Alarm, Warned
from server.plans.build import Shift
from server.plans.day_schemas import DayWarnings, WarningRead
from server.plans.queries import names_of
from server.plans.replanning import warnings_of
from server.plans.running import RunningDay, Standing

TEXTS = {
    Alarm.LEAVE_BY: "Leave by {at} to reach {name} on time.",
    Alarm.LATE: "{name} will be reached at {at}, {time} late.",
    Alarm.MISSED: "{name} will be missed: closed when {rep} could be there.",
    Alarm.OVERTIME: "The day ends at {at}, {time} after the shift.",
}
"""Templates of the sentences; the pages translate them."""


def day_warnings(session: Session, known: RunningDay) -> DayWarnings:
    """Every rep's warnings, with the moment and the customer."""
    by_key, told = {one.key: one for one in known.stops}, warnings_of(session, known)
    names = names_of(session, told)
    found = [
        _read(rep_id, names[rep_id], known.shifts[rep_id], one, by_key.get(one.visit or ""))
        for rep_id, some in told.items()
        for one in some
    ]
    return DayWarnings(day=known.day, warnings=found)


def _read(rep_id: UUID, rep: str, shift: Shift, one: Warned, standing: Standing | None) -> WarningRead:
    at = shift.moment(min(one.at_s, 2 * 86_400))
    name = standing.account.name if standing else ""
    hours, minutes = divmod(-(-one.by_s // 60), 60)
    time = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
    text = TEXTS[one.alarm].format(at=f"{at:%H:%M}", name=name, rep=rep, time=time)
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
