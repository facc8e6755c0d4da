"""What was asked at a visit, and what was answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.activities.models import Visit, VisitState
from server.fields import forms
from server.fields.forms import Question
from server.fields.models import FormVersion, VisitType
from server.kit.errors import Invalid, NotFound
from server.records.merging import Json


@dataclass(frozen=True)
class Answered:
    """A question with its answer."""

    question: Question
    answer: Json


def answer(
    session: Session,
    visit: Visit,
    type_id: UUID,
    given: Mapping[str, Any],
    state: VisitState,
    version_id: UUID | None = None,
) -> None:
    """Write down of which type a visit was, and the answers to its form: as it was shown, or as it stands now.

    Refuses an unknown type, a form of another type, wrong answers and, when the visit is done, a required answer that
    is missing.
    """
    type_ = session.get(VisitType, type_id)
    if type_ is None or type_.deleted_at is not None:
        raise NotFound("There is no such visit type.", field="visit_type_id")
    form = session.get(FormVersion, version_id) if version_id else forms.current(session, type_id)
    if version_id and (form is None or form.visit_type_id != type_id):
        raise NotFound("There is no such form of this visit type.", field="form_version_id")
    if form is None and given:
        raise Invalid(f"Nothing is asked at visits of the type {type_.name}.", field="answers")
    answers = forms.checked_answers(form, given, finished=state is VisitState.DONE) if form else {}
    visit.visit_type_id = type_id
    visit.form_version_id, visit.answers = (form.id, answers) if form else (None, {})
    session.flush()


def answered(session: Session, visit: Visit) -> list[Answered]:
    """The answers of a visit beside the questions as they were put."""
    form = session.get(FormVersion, visit.form_version_id) if visit.form_version_id else None
    return [
        Answered(one, visit.answers[one.key]) for one in forms.questions_of(form) if one.key in (visit.answers or {})
    ]
