"""What became of a selection is taken back, but not what somebody has made theirs since."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Kind
from server.auth.access import scope_of
from server.auth.models import User
from server.density import turning, undoing, whitespace
from server.density.models import DensityCustomer
from server.density.turning import Into, Selection
from server.density.whitespace import Wish
from server.leads.models import Lead
from server.records.service import Actor, acting
from server.regions.models import Prospect, Region


def test_undo_keeps_leads_that_somebody_edited_or_planned_something_for(
    session: Session, market: Region, ada: User
) -> None:
    scope = scope_of(session, ada, source="web")
    ids = list(
        session.scalars(
            select(Prospect.id)
            .where(~select(DensityCustomer.site_id).where(DensityCustomer.prospect_id == Prospect.id).exists())
            .order_by(Prospect.id)
            .limit(12)
        )
    )
    acting(session, Actor(ada.id, "web"))
    made, _ = turning.turn(session, scope, Into.LEADS, Selection(prospect_ids=ids))
    assert made.counts["made"] >= 3
    first, second, *_ = session.scalars(select(Lead).order_by(Lead.id)).all()
    first.note = "They want to see us in May."
    values = {"subject": "Call them", "lead_id": second.id}
    agenda.add(session, agenda.NewActivity(Kind.TASK, ada.id, values))
    session.flush()
    assert undoing.undo(session, scope, made.id) == {"taken_back": made.counts["made"] - 2, "kept": 2}
    assert (first.deleted_at, second.deleted_at) == (None, None)


def test_undo_keeps_a_task_that_somebody_edited(session: Session, market: Region, ada: User) -> None:
    scope = scope_of(session, ada, source="web")
    acting(session, Actor(ada.id, "web"))
    cell = whitespace.ranked(session, scope, Wish()).gaps[0].cell
    made, _ = turning.turn(session, scope, Into.TASKS, Selection(cells=[cell]))
    session.scalars(select(Activity)).one().note = "Begin at the station."
    session.flush()
    assert undoing.undo(session, scope, made.id) == {"taken_back": 0, "kept": 1}
