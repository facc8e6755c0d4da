"""Forms of visit types: conditions, required answers, versions that answers keep."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from server.fields import forms
from server.fields.forms import checked_answers
from server.kit.errors import Conflict, Invalid

QUESTIONS: list[dict[str, Any]] = [
    {"label": "In stock?", "key": "in_stock", "kind": "flag", "required": True},
    {"label": "What is missing?", "key": "missing", "required": True, "asked_if": "in_stock", "asked_if_is": ["no"]},
]


@pytest.fixture
def form(session: Session) -> Any:
    """The form of a shelf check."""
    type_ = forms.set_type(session, {"name": "Shelf check", "service_s": 1200})
    return forms.set_questions(session, type_.id, QUESTIONS)


def test_a_question_is_asked_only_when_the_earlier_answer_says_so(form: Any) -> None:
    assert checked_answers(form, {"in_stock": "yes", "missing": "Bread"}, finished=True) == {"in_stock": True}
    answers = checked_answers(form, {"in_stock": "no", "missing": "Bread"}, finished=True)
    assert answers == {"in_stock": False, "missing": "Bread"}


def test_required_answers_are_needed_when_the_visit_is_done(form: Any) -> None:
    assert checked_answers(form, {}, finished=False) == {}
    with pytest.raises(Invalid, match="In stock") as refused:
        checked_answers(form, {}, finished=True)
    assert refused.value.details["field"] == "answers.in_stock"
    with pytest.raises(Invalid, match="missing"):
        checked_answers(form, {"in_stock": "no"}, finished=True)


def test_changing_a_form_makes_a_version_and_saving_the_same_makes_none(session: Session, form: Any) -> None:
    assert forms.set_questions(session, form.visit_type_id, QUESTIONS).id == form.id
    changed = forms.set_questions(session, form.visit_type_id, QUESTIONS[:1])
    assert (changed.version, form.version, len(form.questions)) == (2, 1, 2)


def test_a_condition_on_a_later_question_is_refused(session: Session, form: Any) -> None:
    with pytest.raises(Invalid, match="Question 1"):
        forms.set_questions(session, form.visit_type_id, list(reversed(QUESTIONS)))


def test_two_visit_types_do_not_share_a_name(session: Session, form: Any) -> None:
    with pytest.raises(Conflict, match="already"):
        forms.set_type(session, {"name": "shelf CHECK"})
