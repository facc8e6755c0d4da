"""A received file is read in another way, unless it was imported."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from server.accounts.importing.target import TARGET
from server.imports import service
from server.imports.errors import NotReady
from server.imports.models import ImportRun


def test_a_file_that_was_imported_meanwhile_is_not_read_anew(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "kunden.csv"
    path.write_text("Firma;Ort\nBeck;Vaduz\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    service.check(session, TARGET, run)
    table, key = ImportRun.__table__, ImportRun.id == run.id
    session.execute(table.update().where(key).values(state="done"))  # type: ignore[attr-defined]
    assert run.state == "checked", "as it was read"
    with pytest.raises(NotReady):
        service.read_in(session, TARGET, run, delimiter="comma")
    session.expunge(run)
    stale = session.get_one(ImportRun, run.id)
    stale.__dict__["state"] = "checked"
    with pytest.raises(NotReady):
        service.configure(session, TARGET, stale, stale.mapping, {})
