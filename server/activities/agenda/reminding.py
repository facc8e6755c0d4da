"""Reminders: each person is told once of each beginning, however often the job runs."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.activities.agenda import queries
from server.activities.agenda.models import Activity, Reminder, State
from server.activities.agenda.values import MOST_REMINDER_MIN
from server.kit import clock
from server.kit.ids import uuid7
from server.notifications.kinds import About
from server.notifications.service import notify

LATE = timedelta(minutes=30)
"""What began longer ago is not reminded of any more: the worker stood still."""


def due(session: Session) -> list[tuple[Activity, datetime]]:
    """What is to be reminded of now, with the beginning that it is about."""
    now = clock.now()
    statement = select(Activity).where(
        Activity.deleted_at.is_(None), Activity.state == State.OPEN, Activity.reminder_min.is_not(None)
    )
    window = (now - LATE, now + timedelta(minutes=MOST_REMINDER_MIN))
    found = []
    for row in queries.between(session, statement, *window):
        begins = row.starts_at or row.activity.at
        before = timedelta(minutes=row.activity.reminder_min or 0)
        if begins - before <= now <= begins + LATE:
            found.append((row.activity, begins))
    return found


def remind(session: Session) -> list[UUID]:
    """Write down whom to remind of what; returns the new reminders. Twice is once."""
    made = []
    for row, begins in due(session):
        for user_id in dict.fromkeys([row.owner_id, *row.participant_ids]):
            fresh = insert(Reminder).values(id=uuid7(), activity_id=row.id, user_id=user_id, starts_at=begins)
            fresh = fresh.on_conflict_do_nothing(index_elements=["activity_id", "user_id", "starts_at"])
            new = list(session.scalars(fresh.returning(Reminder.id)))
            if new:
                told = {"subject": row.subject, "at": begins.astimezone(ZoneInfo(row.zone)).strftime("%H:%M")}
                link = f"/calendar/activities/{row.id}"
                notify(session, [user_id], "reminder", "{at}: {subject}", link, About("activity", row.id), gaps=told)
            made += new
    session.flush()
    return made
