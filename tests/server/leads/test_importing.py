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
    run = client.post("/api/v1/lead-imports", files={"file": ("leads.csv", content.encode())}).json()
    body = {"mapping": run["mapping"], "key": "email"}
    return dict(client.post(f"/api/v1/lead-imports/{run['id']}/mapping", json=body).json())


def test_strangers_and_reps_import_nothing(client_for: Any, rita: Any) -> None:
    path = f"/api/v1/lead-imports/{NOBODY}"
    assert client_for(None).get(path).status_code == 401
    assert client_for(rita).get(path).status_code == 403


def test_a_manager_does_not_see_somebody_elses_import(client_for: Any, admin_client: Any, make_user: Any) -> None:
    from server.auth.models import Role

    run = upload(admin_client)
    assert client_for(make_user("mia", Role.MANAGER)).get(f"/api/v1/lead-imports/{run['id']}").status_code == 404


def test_a_list_is_checked_applied_recognised_again_and_undone(session: Any, admin_client: Any, rita: Any) -> None:
    checked = upload(admin_client)
    path = f"/api/v1/lead-imports/{checked['id']}"
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
    assert admin_client.post(f"/api/v1/lead-imports/{again['id']}/apply").status_code == 200
    session.expire_all()
    assert beck.expected_value == 1500
    assert admin_client.post(f"/api/v1/lead-imports/{again['id']}/undo").json()["state"] == "undone"
    session.expire_all()
    assert beck.expected_value == 1200
    assert admin_client.post(f"{path}/undo").json()["undo_counts"]["removed"] == 2
    session.expire_all()
    assert beck.deleted_at is not None


def test_the_page_leads_through_the_import(session: Any, client_for: Any, ada: Any) -> None:
    from tests.server.web.conftest import PASSWORD, token_in

    browser = client_for(None)
    browser.headers.update({"accept": "text/html"})
    browser.post("/sign-in", data={"login": ada.login, "password": PASSWORD})
    csrf = token_in(browser.get("/leads/import").text)
    sent = browser.post("/leads/import", data={"_csrf": csrf}, files={"file": ("leads.csv", FILE.encode())})
    where = sent.headers["location"]
    columns = {f"column-{k}": name for k, name in enumerate(("company", "person", "email", "phone", "city"))}
    assert (
        browser.post(where, data={"_csrf": csrf, "do": "check", "key": "email", "mode": "both", **columns}).status_code
        == 303
    )
    assert "Import these rows" in browser.get(where).text
    browser.post(where, data={"_csrf": csrf, "do": "apply"})
    assert "The leads are in." in browser.get(where).text
    browser.post(where, data={"_csrf": csrf, "do": "undo"})
    assert "The import is undone." in browser.get(where).text
