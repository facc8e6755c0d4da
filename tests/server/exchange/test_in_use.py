"""An undone import takes away nothing on which people have built since: it stays and is named."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from server.leads import service as leads
from server.leads.models import SignalKind
from server.opportunities import pipelines
from server.web.language import wording
from tests.server.exchange.conftest import Files, Run

THINGS = ("deal", "ticket", "visit", "order", "child", "call", "person", "note", "file", "wish")
COMPANIES = "number,name,street,city\n" + "".join(
    f"K-{name},Firm {name},Weg {n},Vaduz\n" for n, name in enumerate((*THINGS, "nothing", "withdrawn"))
)


@pytest.fixture
def hung(session: Session, files: Files) -> Run:
    """An import of accounts, and on each of them something of another kind."""
    pipelines.create_usual(session)
    run = files.apply("accounts", COMPANIES)
    items = files.client.get("/api/v1/accounts?limit=50").json()["items"]
    ids = {one["number"].removeprefix("K-"): one["id"] for one in items}

    def post(path: str, **body: Any) -> Any:
        answer = files.client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer.json()

    deal = {"amount": "500", "close_on": "2031-01-31", "next_step": "Call", "next_step_on": "2030-12-10"}
    post("opportunities", account_id=ids["deal"], name="Beans", **deal)
    queue = post("ticket-queues", name="Help", hours="24/7")
    post("tickets", account_id=ids["ticket"], subject="Broken", body="It is", queue_id=queue["id"])
    post("visits", account_id=ids["visit"], day="2031-01-07")
    post("orders", account_id=ids["order"])
    post("accounts", name="Branch", parent_id=ids["child"])
    post("activities", account_id=ids["call"], kind="call", subject="Long talk")
    post("contacts", last_name="Ott", accounts=[{"account_id": ids["person"]}])
    post("notes", account_id=ids["note"], text="Rings twice")
    sent = files.client.post("/api/v1/files", files={"file": ("a.txt", b"plain", "text/plain")})
    assert sent.status_code == 201, sent.text
    post("attachments", entity="account", row_id=ids["file"], file_ids=[sent.json()["id"]])
    wish = {"account_id": ids["wish"], "sentence": "Asked for it", "origin_key": "1"}
    assert files.client.put("/api/v1/demands", json=wish).status_code in (200, 201)
    gone = post("activities", account_id=ids["withdrawn"], kind="call", subject="Not theirs")
    files.client.delete(f"/api/v1/activities/{gone['id']}", headers={"If-Match": str(gone["rev"])})
    return run


def test_an_account_stays_whatever_hangs_on_it_by_then(files: Files, hung: Run) -> None:
    assert files.undo(hung) == {"removed": 2, "restored": 0, "kept": len(THINGS)}
    kept = files.client.get(f"/api/v1/imports/{hung['id']}/kept").json()["items"]
    assert {one["why"] for one in kept} == {"in_use"}
    assert {one["label"]: one["value"] for one in kept} == {
        "Firm deal": {"opportunity": 1},
        "Firm ticket": {"ticket": 1},
        "Firm visit": {"visit": 1},
        "Firm order": {"sales_order": 1},
        "Firm child": {"account": 1},
        "Firm call": {"activity": 1},
        "Firm person": {"contact_account": 1},
        "Firm note": {"note": 1},
        "Firm file": {"attachment": 1},
        "Firm wish": {"visit_demand": 1},
    }


def test_what_stayed_goes_once_nothing_hangs_on_it(files: Files, hung: Run) -> None:
    files.undo(hung)
    path = f"/api/v1/imports/{hung['id']}"
    refused = files.client.post(f"{path}/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_not_ready")
    for what in ("opportunities", "orders", "tickets"):
        items = files.client.get(f"/api/v1/{what}").json()["items"]
        gone = files.client.delete(f"/api/v1/{what}/{items[0]['id']}", headers={"If-Match": str(items[0]["rev"])})
        assert gone.status_code == 204, (what, gone.text)
    assert files.undo(hung) == {"removed": 5, "restored": 0, "kept": len(THINGS) - 3}
    left = {one["label"] for one in files.client.get(f"{path}/kept").json()["items"]}
    assert left == {f"Firm {name}" for name in THINGS} - {"Firm deal", "Firm order", "Firm ticket"}


def test_people_leads_deals_and_products_stay_with_what_hangs_on_them(
    session: Session, files: Files, make_account: Any
) -> None:
    pipelines.create_usual(session)
    account = make_account("Beck AG", number="K-1")
    people = files.apply("contacts", "Vorname;Nachname;Kundennr\nEva;Beck;K-1\nJon;Zech;K-1\nAnn;Ott;K-1\n")
    there = files.client.get("/api/v1/contacts?limit=9").json()["items"]
    by_name = {one["first_name"]: one["id"] for one in there}
    said = {"channel": "mail", "purpose": "marketing", "state": "given"}
    assert files.client.post(f"/api/v1/contacts/{by_name['Eva']}/consents", json=said).status_code == 201
    call = {"account_id": str(account.id), "contact_id": by_name["Jon"], "kind": "call", "subject": "Talk"}
    assert files.client.post("/api/v1/activities", json=call).status_code == 201
    assert files.undo(people) == {"removed": 1, "restored": 0, "kept": 2}

    signs = files.apply("leads", "company,city\nQuiet,Vaduz\nLoud,Vaduz\n")
    loud = next(one for one in files.client.get("/api/v1/leads").json()["items"] if one["company"] == "Loud")
    leads.add_signal(session, UUID(loud["id"]), SignalKind.FORM, "Please call")
    session.flush()
    assert files.undo(signs) == {"removed": 1, "restored": 0, "kept": 1}

    deals = files.apply(
        "opportunities", "Deal No;Title;Kundennr;Close date\nD-1;A;K-1;2031-05-01\nD-2;B;K-1;2031-05-01\n"
    )
    first = next(one for one in files.client.get("/api/v1/opportunities").json()["items"] if one["name"] == "A")
    order = {"account_id": str(account.id), "opportunity_id": first["id"]}
    made = files.client.post("/api/v1/orders", json=order)
    assert made.status_code == 201, made.text
    assert files.undo(deals) == {"removed": 1, "restored": 0, "kept": 1}

    goods = files.apply("products", "number,name,price\nP-1,Coffee,9\nP-2,Tea,8\n")
    coffee = next(one for one in files.client.get("/api/v1/products").json()["items"] if one["number"] == "P-1")
    line = {"product_id": coffee["id"], "quantity": "3", "unit_price": "9"}
    added = files.client.post(f"/api/v1/orders/{made.json()['id']}/lines", json=line)
    assert added.status_code in (200, 201), added.text
    assert files.undo(goods) == {"removed": 1, "restored": 0, "kept": 1}


def test_an_import_that_became_other_than_its_dry_run_says_so(files: Files) -> None:
    """Another import was undone in between: what was to stay unchanged is created."""
    rows = "number,name,city\nK-1,Beck,Vaduz\nK-2,Ott,Schaan\n"
    first = files.apply("accounts", rows)
    assert first["message"] is None
    second = files.check("accounts", rows)
    assert second["counts"]["unchanged"] == 2
    files.undo(first)
    done = files.client.post(f"/api/v1/imports/{second['id']}/apply").json()
    assert done["counts"]["create"] == 2
    assert done["message"] == (
        "Records have changed since the dry run. It promised: 0 new, 0 changed, 2 unchanged, 0 left out. "
        "It became: 2 new, 0 changed, 0 unchanged, 0 left out."
    )
    assert wording("de").said(done["message"]) == (
        "Seit dem Probelauf haben sich Einträge geändert. Er versprach: 0 neu, 0 geändert, 2 unverändert, "
        "0 ausgelassen. Es wurden: 2 neu, 0 geändert, 0 unverändert, 0 ausgelassen."
    )
