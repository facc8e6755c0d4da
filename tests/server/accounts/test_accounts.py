"""Creating, reading, searching, listing and exporting accounts over the API."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import geopandas
import openpyxl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts import queries, service
from server.accounts.models import Account, AccountGuess
from server.auth.access import Scope
from server.auth.models import User
from server.fields import service as own
from server.imports.geopackage import records
from server.kit import clock

type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]


def listed(client: TestClient, **params: object) -> list[str]:
    answer = client.get("/api/v1/accounts", params=params)
    assert answer.status_code == 200, (params, answer.text)
    return [row["name"] for row in answer.json()["items"]]


def test_a_new_account_comes_back_with_its_site_waiting_for_a_pin(admin_client: TestClient, session: Session) -> None:
    answer = admin_client.post(
        "/api/v1/accounts",
        json={
            "name": "  Müller\tAG ",
            "account_class": "a",
            "yearly_value": "12500.5",
            "phone": "00423 237 12 12",
            "website": "mueller.li",
            "tags": ["vip", "vip", " beer "],
            "sites": [{"street": "Städtle 1", "postcode": "9490", "city": "Vaduz", "country": "Liechtenstein"}],
        },
    )
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["etag"] == f'"{body["rev"]}"'
    assert body["name"] == "Müller AG"
    assert body["account_class"] == "A"
    assert body["yearly_value"] == "12500.50"
    assert body["phone_e164"] == "+4232371212"
    assert body["website"] == "https://mueller.li"
    assert body["tags"] == ["vip", "beer"]
    assert body["interval_days"] == 14
    assert body["own_interval_days"] is None
    site = body["sites"][0]
    assert (site["country"], site["pin_state"], site["is_main"]) == ("LI", "pending", True)
    waiting = "select count(*) from procrastinate_jobs where task_name = 'accounts.locate_account'"
    assert session.execute(text(waiting)).scalar_one() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "   "}, "name"),
        ({"name": "A", "account_class": "D"}, "account_class"),
        ({"name": "A", "yearly_value": "-1"}, "yearly_value"),
        ({"name": "A", "email": "nobody"}, "email"),
        ({"name": "A", "website": "javascript:alert(1)"}, "website"),
        ({"name": "A", "currency": "EURO"}, "currency"),
        ({"name": "x" * 10_000}, "name"),
        ({"name": "A", "owner_id": "00000000-0000-7000-8000-000000000000"}, "owner_id"),
        ({"name": "A", "sites": [{"opening_hours": "always"}]}, "opening_hours"),
        ({"name": "A", "sites": [{"service_s": 90_000}]}, "service_s"),
    ],
)
def test_a_wrong_value_names_its_field_and_the_way_out(
    admin_client: TestClient, body: dict[str, object], field: str
) -> None:
    answer = admin_client.post("/api/v1/accounts", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    ("lon", "lat", "told"), [(47.1, 109.5, "look swapped"), (2757949, 1223105, "look like metres")]
)
def test_a_point_outside_the_world_says_what_it_looks_like(
    admin_client: TestClient, lon: float, lat: float, told: str
) -> None:
    answer = admin_client.post("/api/v1/accounts", json={"name": "A", "sites": [{"lon": lon, "lat": lat}]})
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_an_account_that_looks_like_another_is_refused_until_forced(
    admin_client: TestClient, make_account: MakeAccount
) -> None:
    make_account("Müller Getränke AG", street="Städtle 1", postcode="9490", city="Vaduz")
    twin = {"name": "Mueller Getränke", "sites": [{"street": "Staedtle 1", "postcode": "9490", "city": "Vaduz"}]}
    answer = admin_client.post("/api/v1/accounts", json=twin)
    assert answer.status_code == 409
    assert answer.json()["code"] == "looks_like_duplicate"
    assert answer.json()["candidates"][0]["name"] == "Müller Getränke AG"
    assert "same address" in answer.json()["candidates"][0]["reasons"]
    assert admin_client.post("/api/v1/accounts?force=true", json=twin).status_code == 201


def test_namesakes_far_apart_are_two_accounts(admin_client: TestClient, make_account: MakeAccount) -> None:
    make_account("Bäckerei Müller", at=(9.5, 47.1))
    body = {"name": "Bäckerei Müller", "sites": [{"lon": 9.9, "lat": 47.4}]}
    assert admin_client.post("/api/v1/accounts", json=body).status_code == 201


def test_candidates_are_ranked_by_name_phone_and_distance(admin_client: TestClient, make_account: MakeAccount) -> None:
    one = make_account("Garage Beck GmbH", at=(9.5200, 47.1400), phone="+423 230 11 11")
    make_account("Beck Garage", at=(9.5201, 47.1400))
    make_account("Garage Beck", at=(9.5215, 47.1400), phone="+4232301111")
    make_account("Autohaus Beck", at=(9.9, 47.1400))
    make_account("Blumen Rosa", at=(9.5200, 47.1401))
    found = admin_client.get(f"/api/v1/accounts/{one.id}/duplicates").json()["items"]
    assert [row["name"] for row in found] == ["Garage Beck", "Beck Garage"]
    assert found[1]["distance_m"] == pytest.approx(7.6, abs=1)
    assert found[0]["same_phone"]


def test_a_number_belongs_to_one_account(admin_client: TestClient, make_account: MakeAccount) -> None:
    make_account("First AG", number="K-1")
    answer = admin_client.post("/api/v1/accounts", json={"name": "Second AG", "number": "K-1"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "number_taken"


def test_search_forgives_accents_slips_and_the_order_of_words(
    admin_client: TestClient, make_account: MakeAccount
) -> None:
    make_account("Müller Getränke AG", number="K-100", city="Vaduz", street="Städtle 1", phone="+423 237 12 12")
    make_account("Meier Bau", city="Schaan")
    for words in ("muller", "Mueller", "MÜLER", "vaduz getranke", "stadtle", "k-100", "237 12 12", "+4232371212"):
        assert listed(admin_client, q=words) == ["Müller Getränke AG"], words
    assert listed(admin_client, q="muller schaan") == []
    assert listed(admin_client, q="%") == []


def test_the_number_that_is_searched_for_comes_before_those_like_it(
    admin_client: TestClient, make_account: Callable[..., Account]
) -> None:
    for name, number in (("Amann", "K00301"), ("Beck", "K00303"), ("Zech", "K00302"), ("Zoller", "K003021")):
        make_account(name, number=number)
    found = listed(admin_client, q=" k00302 ")
    assert (found[0], found[1:]) == ("Zech", sorted(found[1:]))
    assert len(found) > 1
    first = admin_client.get("/api/v1/accounts", params={"q": "K00302", "limit": 1}).json()
    second = admin_client.get(
        "/api/v1/accounts", params={"q": "K00302", "limit": 1, "cursor": first["next_cursor"]}
    ).json()
    assert [one["items"][0]["name"] for one in (first, second)] == found[:2]


def test_the_filter_reaches_every_field(admin_client: TestClient, make_account: MakeAccount, ada: User) -> None:
    make_account(
        "A AG", account_class="A", city="Vaduz", yearly_value="900", tags=["vip"], owner_id=ada.id, at=(9.5, 47.1)
    )
    make_account("B AG", account_class="B", city="Schaan", yearly_potential="50", number="7", country="LI")
    for condition in (
        "class = A",
        "city = vaduz",
        "value > 500",
        "tag = VIP",
        "owner = ada",
        "has_pin = yes",
        "grade = manual",
        "number is empty",
        "not tag is empty",
        "pin = placed",
        "interval <= 14",
        "not class in (B, C)",
        "potential is empty",
        "created >= today - 1 days and overdue >= 0 and class = a",
        "uncertainty < 20",
        "status = prospect and city ~ dUz",
    ):
        assert listed(admin_client, filter=condition) == ["A AG"], condition
    answer = admin_client.get("/api/v1/accounts", params={"filter": "colour = red"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "filter_invalid"
    known = {field["name"] for field in admin_client.get("/api/v1/accounts/fields").json()["items"]}
    assert {"class", "overdue", "tag", "has_pin"} <= known


SORTS = ("name", "-name", "number", "class", "status", "city", "value", "-value", "potential", "overdue", "-last_visit")


def test_the_kind_of_a_firm_is_said_in_words_filtered_and_refused_when_nobody_knows_it(
    admin_client: TestClient, make_account: MakeAccount, session: Session
) -> None:
    made = admin_client.post("/api/v1/accounts", json={"name": "Hoop", "kind": "Bäckerei"}).json()
    assert (made["kind"], made["kind_source"]) == ("shop=bakery", "said")
    guessed = make_account(name="Amann")
    session.add(AccountGuess(account_id=guessed.id, kind="craft=painter", source="name"))
    make_account(name="Zech")
    assert listed(admin_client, filter='kind = "shop=bakery"') == ["Hoop"]
    for written in ("Bakery", "bäckerei", "shop=bakery"):
        assert listed(admin_client, filter=f'kind = "{written}"') == ["Hoop"]
    unknown = admin_client.get("/api/v1/accounts", params={"filter": "kind = Quatsch"})
    assert (unknown.status_code, "no kind of firm" in unknown.text, "Write a word" in unknown.text) == (422, True, True)
    assert listed(admin_client, filter="kind ~ painter") == ["Amann"]
    assert listed(admin_client, filter="kind is empty") == ["Zech"]
    seen = admin_client.get(f"/api/v1/accounts/{guessed.id}").json()
    assert (seen["kind"], seen["kind_source"]) == ("craft=painter", "name")
    refused = admin_client.post("/api/v1/accounts", json={"name": "Wanger", "kind": "Quatsch"})
    assert (refused.status_code, refused.json()["field"]) == (422, "kind")
    assert "no kind of firm" in refused.json()["detail"]


def test_pages_follow_each_other_without_gap_or_double(admin_client: TestClient, make_account: MakeAccount) -> None:
    for step in range(7):
        make_account(f"Ä{step % 3} AG", account_class="ABC"[step % 3], yearly_value=str(step % 2) if step else None)
    for sort in (*SORTS, "created", "updated"):
        whole = admin_client.get("/api/v1/accounts", params={"sort": sort}).json()
        assert whole["total"] == 7
        assert read_in_pages(admin_client, sort) == [row["id"] for row in whole["items"]], sort


def read_in_pages(client: TestClient, sort: str) -> list[str]:
    pieces: list[str] = []
    cursor = None
    while True:
        params = {"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/api/v1/accounts", params=params).json()
        pieces += [row["id"] for row in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            return pieces


def test_a_cursor_of_another_order_is_refused(admin_client: TestClient, make_account: MakeAccount) -> None:
    make_account("A AG"), make_account("B AG")
    cursor = admin_client.get("/api/v1/accounts", params={"limit": 1}).json()["next_cursor"]
    answer = admin_client.get("/api/v1/accounts", params={"cursor": cursor, "sort": "value"})
    assert answer.status_code == 400
    assert admin_client.get("/api/v1/accounts", params={"sort": "colour"}).status_code == 400


def test_a_visit_moves_the_due_date_and_an_earlier_one_does_not(
    session: Session, scope: MakeScope, make_account: MakeAccount, ada: User
) -> None:
    account = make_account("Müller AG", account_class="B")
    today = clock.now().date()
    service.note_visits(session, [(account.id, account.id, today - timedelta(days=30))])
    service.note_visits(session, [(account.id, account.id, date(2020, 1, 1))])
    row = queries.detail(session, scope(ada), account.id)
    assert row is not None
    session.refresh(row.account)
    assert row.account.last_visit_on == today - timedelta(days=30)
    assert row.overdue_days in (1, 2, 3), "28 days for class B, 30 ago; the person's zone may be a day ahead"


def test_a_geopackage_holds_what_the_list_shows(
    session: Session, admin_client: TestClient, make_account: MakeAccount, tmp_path: Path
) -> None:
    make_account("Bäckerei Amann", (9.52, 47.14), yearly_value="1200.50", account_class="A", note="=1+1")
    make_account("Nowhere")
    own.add(session, "account", {"label": "NOTE", "kind": "text"})
    path = tmp_path / "accounts.gpkg"
    answer = admin_client.get("/api/v1/accounts/export.gpkg")
    assert answer.headers["content-type"] == "application/geopackage+sqlite3"
    path.write_bytes(answer.content)
    frame = geopandas.read_file(path, layer="accounts").set_index("name")
    assert (len(frame), frame.crs.to_epsg()) == (2, 4326)
    baker, nowhere = frame.loc["Bäckerei Amann"], frame.loc["Nowhere"]
    assert (baker.geometry.x, baker.geometry.y) == pytest.approx((9.52, 47.14))
    assert nowhere.geometry is None
    assert (baker["class"], baker["yearly_value"], baker["note"]) == ("A", 1200.5, "=1+1"), "a table computes nothing"
    assert "NOTE (2)" in frame.columns, "SQLite takes note and NOTE for one"
    fewer = admin_client.get("/api/v1/accounts/export.gpkg", params={"filter": "class = B"})
    path.write_bytes(fewer.content)
    assert len(geopandas.read_file(path, layer="accounts")) == 0
    path.write_bytes(answer.content)
    name, header, rows = records(path, None)
    assert (name, "lon" in header, len(list(rows))) == ("accounts", True, 2), "an import reads it without asking"


def test_an_export_cannot_run_formulas(session: Session, admin_client: TestClient, make_account: MakeAccount) -> None:
    own.add(session, "account", {"label": "=2+2", "kind": "text"})
    make_account("=1+1 AG", phone="+423 237 12 12", note="@SUM(A1)", at=(9.5, 47.1))
    text_file = admin_client.get("/api/v1/accounts/export.csv")
    assert text_file.headers["content-type"].startswith("text/csv")
    row = next(csv.DictReader(io.StringIO(text_file.content.decode("utf-8-sig"))))
    assert (row["name"], row["note"], row["phone"]) == ("'=1+1 AG", "'@SUM(A1)", "+423 237 12 12")
    book = openpyxl.load_workbook(io.BytesIO(admin_client.get("/api/v1/accounts/export.xlsx").content))
    assert book.worksheets[0]["B2"].value == "'=1+1 AG"
    assert book.worksheets[0]["B2"].data_type == "s"
    assert "'=2+2" in row
    assert all(cell.data_type == "s" for cell in book.worksheets[0][1])
    assert admin_client.get("/api/v1/accounts/export.docx").status_code == 422
