"""When a rep works: the only time of which anything is recorded."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, joinedload

from server.auth.models import User
from server.closures import queries as closures
from server.kit.settings import settings


class Span(NamedTuple):
    """A rep's shift on a day."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies within it."""
        return self.starts_at <= moment <= self.ends_at


def zone_of(user: User) -> str:
    """The time zone of somebody's days."""
    return user.zone or settings().zone


def shifts(session: Session, user_id: UUID, first: date, last: date) -> list[Span]:
    """The shifts of a rep between two days, both included: on their weekdays, not on holidays and not while absent.

    Empty for somebody without a working day. Overtime is not part of a shift.
    """
    user = session.get_one(User, user_id, options=[joinedload(User.rep_profile)])
    profile = user.rep_profile
    if profile is None or last < first:
        return []
    off, zone = closures.days_off_of(session, user_id, first, last), ZoneInfo(zone_of(user))
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [
        Span(datetime.combine(day, profile.shift_start, zone), datetime.combine(day, profile.shift_end, zone))
        for day in days
        if day.weekday() in profile.weekdays and off.of_rep(user_id, day) is None
    ]
