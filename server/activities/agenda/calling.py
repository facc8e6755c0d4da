"""A call that took place: taken down with what came of it and what comes next."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.activities.agenda.models import Activity, Kind, State
from server.activities.agenda.schemas import CallLog
from server.activities.agenda.service import NewActivity, add, add_all
from server.kit import clock
from server.kit.ids import uuid7

LATE = timedelta(minutes=5)


def log(session: Session, call: CallLog, user_id: UUID) -> list[Activity]:
    """Take a call down as done, with its next step; the same id twice is one call.

    Refuses a call at an account that does not exist, and a next step without a subject.
    """
    key = call.id or uuid7()
    known = session.get(Activity, key)
    if known is not None:
        return [known]
    at = min(call.at or clock.now(), clock.now() + LATE)
    done: dict[str, Any] = {
        "account_id": call.account_id,
        "contact_id": call.contact_id,
        "subject": call.subject,
        "note": call.note,
        "starts_at": at,
        "ends_at": at + timedelta(seconds=call.duration_s),
        "state": State.DONE.value,
        "outcome": call.outcome.value,
        "direction": call.direction.value,
    }
    own = {"done_at": at}
    made = [add(session, NewActivity(Kind.CALL, user_id, done, own, key))]
    if call.next is not None:
        step: dict[str, Any] = {
            "account_id": call.account_id,
            "contact_id": call.contact_id,
            "subject": call.next.subject,
            "due_on": call.next.due_on,
            "starts_at": call.next.starts_at,
        }
        owner = call.next.owner_id or user_id
        made += add_all(session, [NewActivity(call.next.kind, owner, step, {"follows_id": key})])
    return made
