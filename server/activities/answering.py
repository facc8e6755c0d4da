"""What was asked at a visit, and what was answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities.facts import VisitReport
from server.activities.models import Outcome, Visit, VisitState
from server.fields import forms
from server.fields import queries as fields
from server.fields.forms import Question
from server.fields.models import FormVersion, VisitType
from server.kit.errors import Invalid, NotFound
from server.records.merging import Json


def outcomes(session: Session) -> dict[str, str]:
    """What may come of a visit, with the words of the company: the usual outcomes and those that it added."""
    return {one.value: one.value for one in Outcome} | dict(fields.picklist(session, "visit_outcome"))


def own_outcomes(session: Session) -> dict[str, str]:
    """The outcomes that the company added, with its words."""
    return added(fields.picklist(session, "visit_outcome"))


def added(listed: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Those entries of the pick list of outcomes that the company added."""
    return {value: label for value, label in listed if value not in Outcome}


def known_outcome(session: Session, outcome: str | None) -> str | None:
    """An outcome as a form or a program gives it. Refuses one that is on no list."""
    if outcome is not None and outcome not in set(Outcome) and outcome not in (known := outcomes(session)):
        raise Invalid(f"There is no outcome “{outcome}”.", help="One of: " + ", ".join(known) + ".", field="outcome")
    return outcome


@dataclass(frozen=True)
class Answered:
    """A question with its answer."""

    question: Question
    answer: Json


def fitting(session: Session, report: VisitReport) -> tuple[UUID | None, dict[str, Json]]:
    """The form of a report's visit type, as it was shown or as it stands now, and the answers as they are stored.

    Refuses an unknown type, a form of another type, wrong answers and, when the visit is done, a required answer that
    is missing.
    """
    type_id, version_id = report.visit_type_id, report.form_version_id
    type_ = session.get(VisitType, type_id) if type_id else None
    if type_ is None or type_.deleted_at is not None:
        raise NotFound("There is no such visit type.", field="visit_type_id")
    form = session.get(FormVersion, version_id) if version_id else forms.current(session, type_.id)
    if version_id and (form is None or form.visit_type_id != type_id):
        raise NotFound("There is no such form of this visit type.", field="form_version_id")
    if form is None:
        if report.answers:
            raise Invalid(f"Nothing is asked at visits of the type {type_.name}.", field="answers")
        return None, {}
    return form.id, forms.checked_answers(form, report.answers, finished=report.state is VisitState.DONE)


def answer(session: Session, visit: Visit, report: VisitReport) -> None:
    """Write down of which type a visit was, and the answers to its form; refuses those that it does not take."""
    form_id, answers = fitting(session, report)
    visit.visit_type_id, visit.form_version_id, visit.answers = report.visit_type_id, form_id, answers


def forms_of(session: Session, reports: Iterable[VisitReport]) -> list[VisitType | FormVersion]:
    """Read at once what some reports are judged by; nothing of it is asked for again while the result is held."""
    told = list(reports)
    types = {one.visit_type_id for one in told if one.visit_type_id}
    versions = {one.form_version_id for one in told if one.form_version_id}
    held: list[VisitType | FormVersion] = []
    if types:
        held += session.scalars(select(VisitType).where(VisitType.id.in_(types))).all()
    if versions:
        held += session.scalars(select(FormVersion).where(FormVersion.id.in_(versions))).all()
    return held


def answered(session: Session, visit: Visit) -> list[Answered]:
    """The answers of a visit beside the questions as they were put."""
    form = session.get(FormVersion, visit.form_version_id) if visit.form_version_id else None
    return [
        Answered(one, visit.answers[one.key]) for one in forms.questions_of(form) if one.key in (visit.answers or {})
    ]
