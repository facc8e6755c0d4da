"""What is remembered of an import for the next file with the same header."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts.importing.target import TARGET
from server.auth.models import User
from server.imports import profiles, queries, service
from server.kit.errors import WaymarkError


def test_the_same_header_gets_last_times_columns_and_options(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Wer,Wo\nA,Vaduz\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    options = {"mode": "create", "key": "name", "country": "LI", "keep": ["city"]}
    service.configure(session, TARGET, run, {"0": "name", "1": "city"}, options, save_as="ERP")
    path.write_text("Wer,Wo\nB,Schaan\n")
    again = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    assert (again.mapping, again.options) == ({"0": "name", "1": "city"}, options)
    service.configure(session, TARGET, again, {"0": "name"}, {})
    service.check(session, TARGET, again)
    service.apply(session, TARGET, again)
    third = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    assert third.options["keep"] == ["city"], "what a person has named is not passed over"
    path.write_text("Neu,Wo,Wer\nx,Schaan,B\n")
    other = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    profiles.use(other, profiles.by_name(session, "accounts", "ERP"))
    assert other.mapping == {"1": "city", "2": "name"}
    with pytest.raises(WaymarkError, match="no profile “CRM”") as refused:
        profiles.by_name(session, "accounts", "CRM")
    assert refused.value.help == "There are: “ERP”."


def test_only_columns_that_were_applied_are_remembered_and_those_that_name_no_record_are_refused(
    session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Name,Ort,Wo\nA,Vaduz,x\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    for mapping in ({}, {"1": "city"}):
        with pytest.raises(WaymarkError, match="No column says which record") as refused:
            service.configure(session, TARGET, run, mapping, {})
        assert refused.value.help == "Say which column is “Name”."
    service.configure(session, TARGET, run, {"0": "name", "2": "city"}, {})
    service.check(session, TARGET, run)
    assert queries.left_out(session, run) == ["Ort"]
    second = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    assert (second.mapping, second.profile_id) == ({"0": "name", "1": "city"}, None), "a dry run is not remembered"
    service.apply(session, TARGET, run)
    third = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    assert third.mapping == {"0": "name", "2": "city"}
    session.execute(text("update import_profile set mapping = '[]'"))
    fourth = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    assert fourth.mapping == second.mapping, "an empty one that was kept earlier does no harm"


def test_profiles_belong_to_those_who_import(
    client_for: Callable[[User | None], TestClient], admin_client: TestClient, session: Session, tmp_path: Path
) -> None:
    assert client_for(None).get("/api/v1/imports/profiles").status_code == 401
    content = b"name,city\nA,Vaduz\n"
    run = admin_client.post("/api/v1/imports", files={"file": ("list.csv", content)}).json()
    body = {"mapping": run["mapping"], "save_as": "ERP"}
    assert admin_client.post(f"/api/v1/imports/{run['id']}/mapping", json=body).status_code == 200
    (saved,) = admin_client.get("/api/v1/imports/profiles").json()["items"]
    assert (saved["name"], saved["mapping"]) == ("ERP", [["name", "name"], ["city", "city"]])
    assert client_for(None).delete(f"/api/v1/imports/profiles/{saved['id']}").status_code == 401
    assert admin_client.delete(f"/api/v1/imports/profiles/{saved['id']}").status_code == 204
    assert admin_client.get("/api/v1/imports/profiles").json()["items"] == []
    assert admin_client.get(f"/api/v1/imports/{run['id']}").status_code == 200
