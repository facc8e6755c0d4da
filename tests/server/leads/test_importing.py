"""Leads from a file: a dry run first, recognised again, undone whole."""

from typing import Any

from sqlalchemy import select

from server.leads import caring
from server.leads.models import Lead
from tests.server.leads.test_leads import NOBODY

FILE = (
    "Firma;Ansprechpartner;E-Mail;Telefon;Ort;Lon;Lat;Umsatz\n"
    "Beck AG;Eva Beck;Eva@Beck.li;+423 237 12 12;Vaduz;9.2;47.1;1200\n"
    "=Zech();Jon;jon(at)zech;;Schaan;;;viel\n"
    ";;nobody@x.li;;;;;\n"
)


def upload(client: Any, content: str = FILE) -> dict[str, Any]:
    run = client.post("/api/v1/imports", files={"file": ("leads.csv", content.encode())}, data={"kind": "leads"}).json()
    body = {"mapping": run["mapping"], "key": "email"}
    return dict(client.post(f"/api/v1/imports/{run['id']}/mapping", json=body).json())


def test_strangers_and_reps_import_nothing(client_for: Any, rita: Any) -> None:
    path = f"/api/v1/imports/{NOBODY}"
    assert client_for(None).get(path).status_code == 401
    assert client_for(rita).get(path).status_code == 403


def test_a_manager_does_not_see_somebody_elses_import(client_for: Any, admin_client: Any, make_user: Any) -> None:
    from server.auth.models import Role

    run = upload(admin_client)
    assert client_for(make_user("mia", Role.MANAGER)).get(f"/api/v1/imports/{run['id']}").status_code == 404


def test_a_list_is_checked_applied_recognised_again_and_undone(session: Any, admin_client: Any, rita: Any) -> None:
    checked = upload(admin_client)
    path = f"/api/v1/imports/{checked['id']}"
    assert {k: checked["counts"].get(k, 0) for k in ("create", "error")} == {"create": 2, "error": 1}
    assert session.scalars(select(Lead)).all() == []
    problems = admin_client.get(f"{path}/rows?problems=true").json()["items"]
    assert [row["row_no"] for row in problems] == [3, 4]
    assert admin_client.post(f"{path}/apply").json()["state"] == "done"
    leads = {lead.company: lead for lead in session.scalars(select(Lead))}
    beck = leads["Beck AG"]
    assert (beck.emails, beck.phones_e164, beck.source, beck.grade) == (
        ["eva@beck.li"],
        ["+4232371212"],
        "import",
        "given",
    )
    caring.care_for(session, list(leads.values()))
    assert (beck.owner_id, beck.score) == (rita.id, 0)
    again = upload(admin_client, FILE.replace("1200", "1500"))
    assert {k: again["counts"].get(k, 0) for k in ("create", "update", "unchanged")} == {
        "create": 0, "update": 1, "unchanged": 1,
    }  # fmt: skip
    assert admin_client.post(f"/api/v1/imports/{again['id']}/apply").status_code == 200
    session.expire_all()
    assert beck.expected_value == 1500
    assert admin_client.post(f"/api/v1/imports/{again['id']}/undo").json()["state"] == "undone"
    session.expire_all()
    assert beck.expected_value == 1200
    assert admin_client.post(f"{path}/undo").json()["undo_counts"]["removed"] == 2
    session.expire_all()
    assert beck.deleted_at is not None


def test_a_value_with_more_decimals_than_its_money_is_told_and_changes_once(session: Any, admin_client: Any) -> None:
    file = "Firma;E-Mail;Umsatz\nBeck AG;eva@beck.li;1234.345\nZech AG;jon@zech.li;12.5\n"
    path = f"/api/v1/imports/{upload(admin_client, file)['id']}"
    (row,) = admin_client.get(f"{path}/rows?code=rounded").json()["items"]
    assert row["problems"][0]["message"] == "Expected value: “1234.345” has more decimals than EUR; taken as 1234.35."
    assert admin_client.post(f"{path}/apply").json()["state"] == "done"
    assert sorted(str(lead.expected_value) for lead in session.scalars(select(Lead))) == ["12.50", "1234.35"]
    assert upload(admin_client, file)["counts"]["unchanged"] == 2, "the same list changes nothing"
