"""What visits tell a timeline."""

from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, case, func, literal_column, select

from server.activities.models import VISIT_MOMENT, Visit, VisitEvent, VisitState
from server.auth.access import Scope
from server.records.happenings import happening


def visits(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """The visits at some accounts that the person may see; planned ones lie in the future.

    What the rep found out (`inside`, and the note as body) is not for the customer.
    """
    inside = func.jsonb_build_object(
        "outcome", Visit.outcome, "verification", Visit.verification, "distance_m", Visit.distance_m,
        "checked_in", Visit.checked_in_at.is_not(None),
        "flags", func.to_jsonb(Visit.flags), "objective", Visit.objective,
        "has_answers", Visit.form_version_id.is_not(None), "signed_by", signed_by(),
        "missed_at", case((Visit.state == VisitState.MISSED, missed_at())),
    )  # fmt: skip
    facts = func.jsonb_build_object(
        "state", Visit.state, "appointment", Visit.appointment, "day", Visit.day, "zone", Visit.zone,
        "has_time", func.coalesce(Visit.done_at, Visit.checked_in_at, Visit.planned_start_at).is_not(None),
        "inside", inside,
    )  # fmt: skip
    columns = happening(
        at=literal_column(VISIT_MOMENT, DateTime(timezone=True)),
        kind="visit",
        entity="visit",
        id=Visit.id,
        account_id=Visit.account_id,
        actor_id=Visit.rep_id,
        body=Visit.note,
        facts=facts,
    )
    return select(*columns).where(Visit.deleted_at.is_(None), Visit.account_id.in_(account_ids))


def missed_at() -> ColumnElement[Any]:
    """When it was said last that a visit was missed: the visit itself keeps the time for which it was planned."""
    said = select(func.max(VisitEvent.occurred_at)).where(VisitEvent.state == VisitState.MISSED)
    return said.where(VisitEvent.visit_id == Visit.id).correlate(Visit).scalar_subquery()


def signed_by() -> ColumnElement[str]:
    """Who signed last at a visit; read for the rows of a page only."""
    name = VisitEvent.signature["name"].astext
    signed = select(name).where(VisitEvent.visit_id == Visit.id, VisitEvent.signature.is_not(None))
    return signed.order_by(VisitEvent.recorded_at.desc()).limit(1).correlate(Visit).scalar_subquery()
