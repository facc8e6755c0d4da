"""The company's own fields as columns of a file: guessed by their names, checked, written, taken back, written out."""

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import exporting
from server.accounts.importing.target import target
from server.accounts.models import Account
from server.auth.access import system_scope
from server.fields import service as fields
from server.imports import queries, service
from server.imports.models import ImportRun


def run_import(session: Session, tmp_path: Path, content: str) -> ImportRun:
    path = tmp_path / "list.csv"
    path.write_text(content)
    accounts = target(session)
    run = service.receive(session, accounts, path, file_name=path.name, actor=None)
    service.configure(session, accounts, run, run.mapping, {})
    service.check(session, accounts, run)
    service.apply(session, accounts, run)
    return run


def held(session: Session) -> dict[str | None, Any]:
    session.expire_all()
    return {one.number: one.custom for one in session.scalars(select(Account).where(Account.deleted_at.is_(None)))}


def test_own_fields_come_in_change_and_go_back(session: Session, tmp_path: Path) -> None:
    fields.add(session, "account", {"label": "Loyalty points", "kind": "number", "minimum": 0})
    fields.add(session, "account", {"label": "Budget", "kind": "money", "unit": "CHF"})
    run_import(session, tmp_path, "number,name,Loyalty points,Budget\n1,Amann,120,1'500\n2,Beck,-3,\n")
    assert held(session) == {"1": {"loyalty_points": 120, "budget": {"amount": "1500.00", "currency": "CHF"}}, "2": {}}
    again = run_import(session, tmp_path, "number,name,Loyalty points\n1,Amann,120\n")
    assert again.counts.get("unchanged") == 1
    changed = run_import(session, tmp_path, "number,name,Loyalty points\n1,Amann,200\n2,Beck,7\n3,Caduff,9\n")
    assert (held(session)["1"]["loyalty_points"], held(session)["3"]) == (200, {"loyalty_points": 9})
    service.undo(session, target(session), changed, None)
    budget = {"amount": "1500.00", "currency": "CHF"}
    assert held(session) == {"1": {"loyalty_points": 120, "budget": budget}, "2": {}}


def test_a_value_that_a_field_does_not_take_is_named(session: Session, tmp_path: Path) -> None:
    fields.add(session, "account", {"label": "Loyalty points", "kind": "number", "minimum": 0})
    run = run_import(session, tmp_path, "number,name,Loyalty points\n1,Amann,many\n")
    [row] = queries.outcomes(session, run.id, problems_only=True, limit=10)
    [problem] = [one for one in row.problems if one["field"] == "custom.loyalty_points"]
    assert problem["message"].startswith("Loyalty points: “many” is not a number; left out.")


def test_an_export_has_own_fields_as_columns(session: Session, tmp_path: Path) -> None:
    fields.add(session, "account", {"label": "Tier", "kind": "choice", "choices": [{"value": "g", "label": "=Gold"}]})
    run_import(session, tmp_path, "number,name,Tier\n1,Amann,=Gold\n")
    text = exporting.export(session, system_scope(), exporting.Format.CSV).read().decode("utf-8-sig")
    header, row = text.splitlines()
    assert row.split(",")[header.split(",").index("Tier")] == "'=Gold"
