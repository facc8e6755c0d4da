"""Answers to a visit's form: checked when the visit is done, kept with the version of the form."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.fields import forms
from tests.server.accounts.conftest import ada, admin_client, make_account, scope

__all__ = ["ada", "admin_client", "make_account", "scope"]
QUESTIONS: list[dict[str, Any]] = [
    {"label": "In stock?", "key": "in_stock", "kind": "flag", "required": True},
    {"label": "What is missing?", "key": "missing", "required": True, "asked_if": "in_stock", "asked_if_is": ["no"]},
]


@pytest.fixture
def form(session: Session) -> Any:
    """The form of a shelf check."""
    type_ = forms.set_type(session, {"name": "Shelf check"})
    return forms.set_questions(session, type_.id, QUESTIONS)


def test_a_visit_is_not_done_without_its_required_answers(
    admin_client: TestClient, make_account: Any, form: Any
) -> None:
    account = make_account("Amann")
    body = {"account_id": str(account.id), "visit_type_id": str(form.visit_type_id), "answers": {"in_stock": False}}
    refused = admin_client.post("/api/v1/visits/report", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, "answers.missing")
    assert admin_client.get("/api/v1/visits", params={"account_id": str(account.id)}).json()["items"] == []
    missed = admin_client.post("/api/v1/visits/report", json=body | {"state": "missed"})
    assert missed.status_code == 201


def test_answers_keep_the_version_of_the_form(
    session: Session, admin_client: TestClient, make_account: Any, form: Any
) -> None:
    account = make_account("Amann")
    answers = {"in_stock": False, "missing": "Bread"}
    body = {"account_id": str(account.id), "visit_type_id": str(form.visit_type_id), "answers": answers}
    made = admin_client.post("/api/v1/visits/report", json=body)
    assert made.status_code == 201, made.text
    forms.set_questions(session, form.visit_type_id, QUESTIONS[:1])
    visit = admin_client.get(f"/api/v1/visits/{made.json()['id']}").json()
    assert (visit["answers"], visit["form_version_id"]) == (answers, str(form.id))
    asked = admin_client.get(f"/api/v1/forms/{visit['form_version_id']}").json()
    assert [one["key"] for one in asked["questions"]] == ["in_stock", "missing"]
