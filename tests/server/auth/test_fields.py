"""Fields that a role is kept from are nowhere: each test is one door."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth import rights
from server.auth.models import Role, User
from server.kit import clock
from server.opportunities import pipelines

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]
type Json = dict[str, Any]

VALUE, PHONE, NOTE = "73451", "+41791234567", "Quarrelsome"


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    """She sees everything."""
    return make_user("ada")


@pytest.fixture
def rita(make_user: MakeUser) -> User:
    """A rep, who owns what is made here."""
    return make_user("rita", Role.REP)


@pytest.fixture
def boss(ada: User, client_for: ClientFor) -> TestClient:
    """Ada's client."""
    return client_for(ada)


@pytest.fixture
def rep(rita: User, client_for: ClientFor) -> TestClient:
    """Rita's client."""
    return client_for(rita)


@pytest.fixture
def account(boss: TestClient, rita: User) -> Json:
    """An account with a value, a phone and a note."""
    fields = {"name": "Bakery", "yearly_value": VALUE, "phone": PHONE, "note": NOTE, "owner_id": str(rita.id)}
    made: Json = boss.post("/api/v1/accounts", json=fields | {"email": "oven@bakery.example"}).json()
    return made


@pytest.fixture
def kept(session: Session, ada: User) -> Callable[..., None]:
    """Keep reps from fields: `kept("account.phone", "account.note")`."""

    def keep(*names: str, right: str = "hidden") -> None:
        rights.change_role(session, "rep", levels={}, fields=dict.fromkeys(names, right), actor=ada.id)

    return keep


SECRETS = ("account.yearly_value", "account.phone", "account.email", "account.note")


def lists(client: TestClient, path: str) -> Iterator[Json]:
    yield from client.get(path).json()["items"]


def test_the_api_leaves_a_hidden_field_empty_in_list_and_record(
    rep: TestClient, boss: TestClient, account: Json, kept: Callable[..., None]
) -> None:
    kept(*SECRETS)
    for answer in (*lists(rep, "/api/v1/accounts"), rep.get(f"/api/v1/accounts/{account['id']}").json()):
        assert (answer["name"], answer["yearly_value"], answer["phone"]) == ("Bakery", None, None)
    assert rep.get(f"/api/v1/accounts/{account['id']}").json()["phone_e164"] is None
    assert boss.get(f"/api/v1/accounts/{account['id']}").json()["phone"] == PHONE


def test_the_answer_to_a_change_does_not_tell_it_either(
    rep: TestClient, account: Json, kept: Callable[..., None]
) -> None:
    kept(*SECRETS)
    here = f"/api/v1/accounts/{account['id']}"
    headers = {"If-Match": rep.get(here).headers["etag"]}
    changed = rep.patch(here, json={"name": "Bakery Two"}, headers=headers).json()
    assert (changed["name"], changed["phone"], changed["note"]) == ("Bakery Two", None, None)


@pytest.mark.parametrize("right", ["hidden", "fixed"])
def test_a_change_of_a_kept_field_is_refused_by_name_and_nothing_is_written(
    rep: TestClient, boss: TestClient, account: Json, kept: Callable[..., None], right: str
) -> None:
    kept("account.phone", right=right)
    here = f"/api/v1/accounts/{account['id']}"
    refused = rep.patch(here, json={"phone": "1", "name": "X"}, headers={"If-Match": f'"{account["rev"]}"'})
    assert (refused.status_code, refused.json()["field"]) == (403, "phone")
    assert boss.get(here).json()["name"] == "Bakery"
    assert rep.post("/api/v1/accounts", json={"name": "New one", "phone": "12345"}).status_code == 403
    assert rep.post("/api/v1/accounts", json={"name": "New one"}).status_code == 201


def test_a_fixed_field_is_seen(rep: TestClient, account: Json, kept: Callable[..., None]) -> None:
    kept("account.phone", right="fixed")
    assert rep.get(f"/api/v1/accounts/{account['id']}").json()["phone"] == PHONE


@pytest.mark.parametrize(
    ("path", "filter", "sort", "field"),
    [
        ("accounts", "value > 5", "value", "account.yearly_value"),
        ("accounts", 'phone contains "79"', None, "account.phone"),
        ("contacts", 'mail contains "a"', None, "contact.mails"),
        ("leads", "score > 5", "score", "lead.score"),
        ("leads", "value > 5", "value", "lead.expected_value"),
        ("opportunities", "amount > 5", "amount", "opportunity.amount"),
        ("accounts", "deals.sum(amount) > 5", None, "opportunity.amount"),
        ("tickets", 'requester contains "a"', None, "ticket.requester"),
    ],
)
def test_a_hidden_field_is_no_field_to_filter_or_sort_by(
    rep: TestClient, kept: Callable[..., None], path: str, filter: str, sort: str | None, field: str
) -> None:
    assert rep.get(f"/api/v1/{path}", params={"filter": filter}).status_code == 200
    kept(field)
    refused = rep.get(f"/api/v1/{path}", params={"filter": filter})
    assert (refused.status_code, refused.json()["code"]) == (422, "filter_invalid")
    if sort:
        assert rep.get(f"/api/v1/{path}", params={"sort": sort}).status_code == 400


def test_nothing_is_found_through_a_hidden_field(rep: TestClient, account: Json, kept: Callable[..., None]) -> None:
    def found(words: str) -> tuple[int, int]:
        everywhere = rep.get("/api/v1/search", params={"q": words}).json()
        return len(everywhere), len(list(rep.get("/api/v1/accounts", params={"q": words}).json()["items"]))

    assert found("0791234567") == (1, 1)
    assert found("oven@bakery.example") == (1, 1)
    kept(*SECRETS)
    assert found("0791234567") == (0, 0)
    assert found("oven@bakery.example") == (0, 0)
    assert found("Bakery") == (1, 1)


def test_history_and_timeline_do_not_tell_hidden_edits(
    rep: TestClient, boss: TestClient, account: Json, kept: Callable[..., None]
) -> None:
    here = f"/api/v1/accounts/{account['id']}"
    assert boss.patch(here, json={"note": "Pays late"}, headers={"If-Match": f'"{account["rev"]}"'}).status_code == 200
    assert "Pays late" in rep.get(f"{here}/history").text
    assert "Pays late" in rep.get(f"{here}/timeline").text
    kept(*SECRETS)
    assert "Pays late" not in rep.get(f"{here}/history").text
    assert "Pays late" not in rep.get(f"{here}/timeline").text


@pytest.mark.parametrize(
    ("path", "field", "gone", "stays"),
    [
        ("accounts", "account.phone", "phone", "name"),
        ("accounts", "account.yearly_value", "yearly_value", "name"),
        ("contacts", "contact.mails", "mail", "first_name"),
        ("leads", "lead.score", "score", "company"),
        ("opportunities", "opportunity.amount", "amount", "name"),
        ("tickets", "ticket.requester", "requester_email", "subject"),
    ],
)
def test_an_export_lacks_the_column(
    rep: TestClient, account: Json, kept: Callable[..., None], path: str, field: str, gone: str, stays: str
) -> None:
    def columns() -> list[str]:
        answer = rep.get(f"/api/v1/{path}/export.csv")
        assert answer.status_code == 200
        return next(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))

    assert {gone, stays} <= set(columns())
    kept(field)
    assert gone not in columns()
    assert stays in columns()


def test_pages_show_neither_value_nor_field(
    rep: TestClient, account: Json, kept: Callable[..., None], session: Session
) -> None:
    page = {"accept": "text/html", "hx-request": "true"}
    paths = ("/accounts", f"/accounts/{account['id']}", f"/accounts/{account['id']}/edit")
    kept(*SECRETS)
    session.expire_all()
    for path in paths:
        answer = rep.get(path, headers=page)
        assert answer.status_code == 200, path
        for secret in ("73,451", "73’451", VALUE, PHONE, NOTE, "oven@bakery.example"):
            assert secret not in answer.text, (path, secret)
    assert "Your role may not change this." in rep.get(paths[2], headers=page).text


def test_a_form_without_its_kept_fields_is_saved_and_they_stay(
    rep: TestClient, boss: TestClient, account: Json, kept: Callable[..., None]
) -> None:
    kept("account.phone", right="fixed")
    here = f"/accounts/{account['id']}"
    saved = rep.post(f"{here}/edit", data={"rev": str(account["rev"]), "name": "Bakery Three", "note": "Kind"})
    assert saved.status_code == 204
    stored = boss.get(f"/api/v1{here}").json()
    assert (stored["name"], stored["phone"]) == ("Bakery Three", PHONE)


def test_a_hidden_field_comes_back_with_the_right(
    rep: TestClient, ada: User, session: Session, account: Json, kept: Callable[..., None]
) -> None:
    kept(*SECRETS)
    assert rep.get(f"/api/v1/accounts/{account['id']}").json()["phone"] is None
    rights.remove_role(session, "rep", ada.id)
    assert rep.get(f"/api/v1/accounts/{account['id']}").json()["phone"] == PHONE


@pytest.fixture
def deal(session: Session, boss: TestClient, account: Json) -> Json:
    """A deal of the account, worth a number that is nowhere else."""
    if not boss.get("/api/v1/pipelines").json()["items"]:
        pipelines.create_usual(session)
    soon = (clock.now().date() + timedelta(days=9)).isoformat()
    body = {"name": "Oven", "account_id": account["id"], "amount": VALUE, "close_on": soon, "next_step": "Call",
            "next_step_on": soon}  # fmt: skip
    made: Json = boss.post("/api/v1/opportunities", json=body).json()
    return made


@pytest.fixture
def order(boss: TestClient, account: Json) -> Json:
    """An order of the account for the same sum."""
    line = {"text": "Oven", "quantity": "1", "unit_price": VALUE}
    made: Json = boss.post("/api/v1/orders", json={"account_id": account["id"], "lines": [line]}).json()
    return made


SUMS = ("73,451", "73.451", "73’451", VALUE)


def test_no_page_and_no_answer_tells_a_hidden_amount(
    rep: TestClient, account: Json, deal: Json, order: Json, kept: Callable[..., None]
) -> None:
    doors = (
        "/forecast", "/forecast/changes", "/forecast/accuracy", "/api/v1/forecast", "/api/v1/forecast/accuracy",
        "/pipeline", "/pipeline/list", f"/pipeline/deals/{deal['id']}", f"/api/v1/opportunities/{deal['id']}",
        "/orders", f"/orders/{order['id']}", f"/api/v1/orders/{order['id']}", "/api/v1/orders",
        "/api/v1/orders/export.csv", f"/api/v1/orders/{order['id']}/document.pdf", f"/accounts/{account['id']}/trade",
        f"/accounts/{account['id']}", f"/accounts/{account['id']}/story", f"/api/v1/accounts/{account['id']}/timeline",
    )  # fmt: skip

    def telling() -> list[str]:
        answers = {path: rep.get(path, headers={"accept": "text/html"}) for path in doors}
        assert not [path for path, answer in answers.items() if answer.status_code >= 500]
        return [path for path, answer in answers.items() if any(one in answer.text for one in SUMS)]

    assert len(telling()) > 8
    kept("account.yearly_value", "opportunity.amount", "order.totals")
    assert telling() == []
    assert rep.get("/api/v1/forecast").status_code == 403
    assert rep.get("/api/v1/orders", params={"sort": "gross"}).status_code == 400


def test_a_form_that_is_refused_comes_back_without_what_is_hidden(
    rep: TestClient, account: Json, order: Json, kept: Callable[..., None]
) -> None:
    kept(*SECRETS, "order.totals")
    page = {"accept": "text/html"}
    refused = rep.post(f"/orders/{order['id']}/do/accept", headers=page)
    assert (refused.status_code, "Oven" in refused.text) == (409, True)
    again = rep.post(f"/accounts/{account['id']}/edit", data={"rev": "1", "name": ""}, headers=page)
    assert again.status_code == 422
    for secret in (*SUMS, PHONE, NOTE):
        assert secret not in refused.text + again.text, secret


def test_whoever_may_not_change_a_field_does_not_change_it_by_a_way_round(
    rep: TestClient, boss: TestClient, rita: User, account: Json, deal: Json, order: Json, kept: Callable[..., None]
) -> None:
    lead = {"company": "Mill", "person": "Mia Mill", "phones": [PHONE], "owner_id": str(rita.id)}
    lead_id = boss.post("/api/v1/leads", json=lead).json()["id"]
    kept("opportunity.reason", "order.totals", "ticket.requester", "lead.note", "contact.phones", "account.phone",
         right="fixed")  # fmt: skip
    lost = next(one["id"] for one in boss.get("/api/v1/pipelines").json()["items"][0]["stages"] if one["is_lost"])
    moved = rep.post(
        f"/api/v1/opportunities/{deal['id']}/move",
        json={"stage_id": lost, "fields": {"reason": "Price"}},
        headers={"If-Match": f'"{deal["rev"]}"'},
    )
    assert moved.status_code == 403, moved.text
    line = order["lines"][0]
    here, seen = f"/api/v1/orders/{order['id']}/lines", {"If-Match": f'"{line["rev"]}"'}
    assert rep.patch(f"{here}/{line['id']}", json={"discount_percent": "50"}, headers=seen).status_code == 403
    assert rep.post(here, json={"text": "Gift", "quantity": "1", "unit_price": "0.01"}).status_code == 403
    assert rep.post("/api/v1/leads", json={"company": "Kiln", "note": "Rich"}).status_code == 403
    ben, double = (
        boss.post("/api/v1/contacts", json={"last_name": "Baker", "phones": phones, "owner_id": str(rita.id)}).json()
        for phones in ([], [{"label": "", "value": PHONE}])
    )
    assert rep.post(f"/api/v1/contacts/{ben['id']}/merge", json={"loser_id": double["id"]}).status_code == 200
    assert boss.get(f"/api/v1/contacts/{ben['id']}").json()["phones"] == []
    assert rep.post(f"/api/v1/leads/{lead_id}/convert", json={"force": True}).status_code == 200
    made = boss.get("/api/v1/accounts", params={"q": "Mill"}).json()["items"][0]
    assert (made["name"], made["phone"]) == ("Mill", None)
