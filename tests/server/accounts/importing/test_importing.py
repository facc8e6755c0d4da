"""Importing accounts: from a messy file to checked rows, a dry run, one change, and no change the second time."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts import service as accounts
from server.accounts.importing.target import TARGET
from server.accounts.models import Account, Site
from server.auth.models import Role, User
from server.imports import service
from server.imports.models import ImportOutcome, ImportRun
from server.kit.settings import settings
from server.regions.models import Region

type ClientFor = Callable[[User | None], TestClient]
type MakeAccount = Callable[..., Account]

MESSY = """Kunden-Nr.;Firma;Strasse;Hausnr;PLZ;Ort;Land;Telefon;Umsatz;Klasse;Betreuer;Status;Branche
K-1;Müller Getränke AG;Städtle;1;9490;Vaduz;Liechtenstein;237 12 12;CHF 12'500.–;A-Kunde;Rita;Kunde;Getränkehandel
K-2;Meier Bau;Landstrasse 5;;;9494 Schaan;FL;+423 232 00 00;1.234,50 €;b;nobody;Interessent;Quatsch
K-3;;Irgendwo 1;;9490;Vaduz;LI;;;;;
K-4;Dresdner Bier;Hauptstr. 1;;1067;Dresden;Deutschland;4.2E+11;viel;Z;;?
K-1;Müller doppelt;Städtle;1;9490;Vaduz;LI;;;;;
;Ohne Nummer;;;;;;;;;;
"""


def run_import(session: Session, path: Path, **options: Any) -> ImportRun:
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    service.configure(session, TARGET, run, run.mapping, options)
    service.check(session, TARGET, run)
    service.apply(session, TARGET, run)
    return run


def write(tmp_path: Path, text: str, name: str = "kunden.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def upload(client: TestClient, content: bytes, name: str = "kunden.csv", **form: str) -> Any:
    return client.post("/api/v1/imports", files={"file": (name, content)}, data=form)


@pytest.fixture
def rita(make_user: Callable[..., User]) -> User:
    return make_user("rita", Role.REP)


def test_a_stranger_cannot_import(client_for: ClientFor) -> None:
    assert upload(client_for(None), MESSY.encode()).status_code == 401
    assert client_for(None).get("/api/v1/imports").status_code == 401


def test_a_rep_cannot_import_nor_read_somebody_elses_import(
    client_for: ClientFor, admin_client: TestClient, rita: User
) -> None:
    run = upload(admin_client, MESSY.encode()).json()
    client = client_for(rita)
    assert upload(client, MESSY.encode()).status_code == 403
    for path in ("", "/rows", "/errors.csv"):
        assert client.get(f"/api/v1/imports/{run['id']}{path}").status_code == 403
    assert client.post(f"/api/v1/imports/{run['id']}/apply").status_code == 403


def test_the_rep_whom_a_customer_asked_for_comes_by_list_and_by_hand_and_stands_in_the_timeline(
    admin_client: TestClient, session: Session, rita: User, tmp_path: Path
) -> None:
    text = "Kundennummer;Name;Wunschbetreuer\nK-1;Amann;rita\nK-2;Beck;nobody\n"
    run = run_import(session, write(tmp_path, text))
    assert list(run.mapping.values()) == ["number", "name", "preferred_rep"]
    page = admin_client.get("/api/v1/accounts", params={"filter": "preferred_rep = rita"}).json()["items"]
    assert [one["name"] for one in page] == ["Amann"]
    path = f"/api/v1/accounts/{page[0]['id']}"
    known = admin_client.get(path).json()
    assert known["preferred_rep_id"] == str(rita.id)
    tag = {"If-Match": f'"{known["rev"]}"'}
    refused = admin_client.patch(path, json={"preferred_rep_id": str(run.id)}, headers=tag)
    assert (refused.status_code, refused.json()["field"]) == (422, "preferred_rep_id")
    assert admin_client.patch(path, json={"preferred_rep_id": None}, headers=tag).status_code == 200
    told = admin_client.get(f"{path}/timeline").text
    assert "Preferred rep" in told
    assert rita.name in told


def test_a_manager_sees_and_undoes_only_their_own_imports(
    client_for: ClientFor, admin_client: TestClient, make_user: Callable[..., User]
) -> None:
    run = upload(admin_client, MESSY.encode()).json()
    client = client_for(make_user("mia", role=Role.MANAGER))
    assert client.get("/api/v1/imports").json()["items"] == []
    assert client.get(f"/api/v1/imports/{run['id']}").status_code == 404
    assert client.post(f"/api/v1/imports/{run['id']}/undo").status_code == 404
    own = upload(client, MESSY.encode()).json()
    assert [one["id"] for one in client.get("/api/v1/imports").json()["items"]] == [own["id"]]
    assert len(admin_client.get("/api/v1/imports").json()["items"]) == 2


def test_upload_check_preview_report_apply(admin_client: TestClient, session: Session, rita: User) -> None:
    answer = upload(admin_client, MESSY.encode("cp1252"))
    assert answer.status_code == 201, answer.text
    run = answer.json()
    assert (run["encoding"], run["delimiter"], run["row_count"]) == ("cp1252", ";", 6)
    assert list(run["mapping"].values()) == [
        "number", "name", "street", "house_number", "postcode", "city", "country", "phone", "yearly_value",
        "account_class", "owner", "status", "kind",
    ]  # fmt: skip
    path = f"/api/v1/imports/{run['id']}"
    assert admin_client.post(f"{path}/apply").json()["code"] == "import_not_ready"

    checked = admin_client.post(f"{path}/mapping", json={"mapping": run["mapping"]}).json()
    assert checked["state"] == "checked"
    assert checked["counts"] == {"create": 4, "update": 0, "unchanged": 0, "skipped": 0, "error": 2, "warnings": 3}
    assert session.scalars(select(Account)).all() == [], "a dry run changes nothing"

    rows = {row["row_no"]: row for row in admin_client.get(f"{path}/rows").json()["items"]}
    assert rows[2]["values"] == {
        "name": "Müller Getränke AG", "number": "K-1", "street": "Städtle 1", "postcode": "9490", "city": "Vaduz",
        "country": "LI", "phone": "237 12 12", "phone_e164": "+4232371212", "yearly_value": 12500.0, "currency": "CHF",
        "account_class": "A", "owner_id": str(rita.id), "status": "customer", "kind": "shop=beverages",
    }  # fmt: skip
    assert (rows[3]["values"]["postcode"], rows[3]["values"]["city"]) == ("9494", "Schaan")
    assert rows[3]["values"]["yearly_value"] == 1234.5
    codes = {number: [problem["code"] for problem in row["problems"]] for number, row in rows.items()}
    assert codes == {
        2: [],
        3: ["unknown_owner", "not_accepted"],
        4: ["no_name"],
        5: ["leading_zero", "unknown_class", "not_an_amount", "eaten_by_spreadsheet"],
        6: ["duplicate_in_file"],
        7: ["no_address"],
    }
    report = admin_client.get(f"{path}/errors.csv", params={"warnings": False}).content.decode("utf-8-sig")
    assert [line["row"] for line in csv.DictReader(io.StringIO(report))] == ["4", "6"]

    done = admin_client.post(f"{path}/apply").json()
    assert (done["state"], done["counts"]["create"]) == ("done", 4)
    found = session.scalars(select(Account).order_by(Account.number)).all()
    assert [account.name for account in found] == ["Müller Getränke AG", "Meier Bau", "Dresdner Bier", "Ohne Nummer"]
    sites = {site.account_id: site for site in session.scalars(select(Site))}
    assert [sites[account.id].pin_state for account in found] == ["pending", "pending", "pending", "failed"]
    assert sites[found[2].id].postcode == "01067"
    change = admin_client.get(f"/api/v1/accounts/{found[0].id}/history").json()["items"]
    assert {one["source"] for one in change} == {"import"}
    assert admin_client.post(f"{path}/apply").json()["counts"] == done["counts"], "applying twice changes nothing"
    assert len(session.scalars(select(Account)).all()) == 4


def test_the_same_file_again_changes_nothing_and_another_value_only_itself(
    session: Session, tmp_path: Path, ada: User
) -> None:
    path = write(tmp_path, MESSY)
    run_import(session, path)
    again = run_import(session, path)
    assert (again.counts["unchanged"], again.counts["create"], again.counts["update"]) == (4, 0, 0)
    path = write(tmp_path, "Nummer,Firma,Umsatz,Ort\nK-1,Müller Getränke AG,99.90,Vaduz\nK-9,Neu AG,1,Vaduz\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    service.configure(session, TARGET, run, run.mapping, {"mode": "update"})
    service.check(session, TARGET, run)
    first = session.scalars(
        select(ImportOutcome).where(ImportOutcome.run_id == run.id, ImportOutcome.row_no == 2)
    ).one()
    assert first.changes == {"yearly_value": [12500.0, 99.9]}
    assert (run.counts["update"], run.counts["skipped"]) == (1, 1)
    service.apply(session, TARGET, run)
    account = session.scalars(select(Account).where(Account.number == "K-1")).one()
    assert (str(account.yearly_value), account.phone) == ("99.90", "237 12 12")
    assert account.rev == 2


def test_without_numbers_accounts_are_recognised_by_name_and_address(session: Session, tmp_path: Path) -> None:
    rows = "name,street,city,phone\nBeck AG,Landstr. 1,Schaan,1111111\nBeck AG,Landstr. 9,Vaduz,2222222\n"
    assert run_import(session, write(tmp_path, rows)).counts["create"] == 2
    assert run_import(session, write(tmp_path, rows)).counts["unchanged"] == 2
    assert run_import(session, write(tmp_path, rows.replace("1111111", "3333333"))).counts["update"] == 1


def test_an_import_never_moves_a_pin_set_by_hand(session: Session, tmp_path: Path, make_account: MakeAccount) -> None:
    account = make_account("Hand AG", at=(9.5, 47.1), number="H", city="Vaduz")
    run_import(session, write(tmp_path, "number,name,city,lat,lon\nH,Hand AG,Schaan,47.3,9.6\nN,Neu AG,,47.2,9.7\n"))
    pins = {row.account.name: (row.lon, row.lat, row.site and row.site.grade) for row in listed(session, account)}
    assert pins == {"Hand AG": (9.5, 47.1, "manual"), "Neu AG": (9.7, 47.2, "given")}
    assert queries.sites_of(session, [account.id])[0].city == "Schaan"


def test_a_list_never_takes_back_a_visit_nor_wakes_what_was_merged_away(
    session: Session, tmp_path: Path, make_account: MakeAccount
) -> None:
    winner, loser = make_account("Müller AG", number="1"), make_account("Mueller", number="2")
    loser.merged_into = winner.id
    accounts.note_visits(session, [(winner.id, winner.id, date(2020, 3, 1))])
    rows = "number,name,last visit,phone\n2,Müller AG,2020-01-01,+4232371212\n"
    run = run_import(session, write(tmp_path, rows))
    assert run.counts["update"] == 1
    session.refresh(winner)
    assert (winner.number, winner.last_visit_on, winner.phone) == ("1", date(2020, 3, 1), "+4232371212")
    session.refresh(loser)
    assert loser.phone is None
    later = run_import(session, write(tmp_path, rows.replace("2020-01", "2020-05")))
    assert later.counts["update"] == 1
    session.refresh(winner)
    assert winner.last_visit_on == date(2020, 5, 1)


def listed(session: Session, account: Account) -> list[queries.Row]:
    found = session.execute(queries.with_details(select(Account), account.created_at.date())).all()
    return [queries.Row(*row) for row in found]


def test_a_new_address_sends_an_imported_account_back_to_the_geocoder(session: Session, tmp_path: Path) -> None:
    run_import(session, write(tmp_path, "number,name,city,lat,lon\nN,Neu AG,Vaduz,47.2,9.7\n"))
    run_import(session, write(tmp_path, "number,name,city\nN,Neu AG,Schaan\n"))
    site = session.scalars(select(Site)).one()
    assert (site.pin_state, site.pin, site.provider) == ("pending", None, None)


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        ("47.1", "9.5", None),
        ("47,1", "9,5", None),
        ("9.5", "147.1", None),
        ("147.1", "9.5", "looks_swapped"),
        ("950", "1000", "outside_world"),
        ("0", "0.0", "outside_world"),
        ("north", "9.5", "not_understood"),
        ("1219000", "2757000", "outside_world"),
    ],
)
def test_coordinates_that_cannot_be_are_named_and_left_out(
    session: Session, tmp_path: Path, lat: str, lon: str, code: str | None
) -> None:
    run = run_import(session, write(tmp_path, f"name;city;lat;lon\nA;Vaduz;{lat};{lon}\n"))
    outcome = session.scalars(select(ImportOutcome).where(ImportOutcome.run_id == run.id)).one()
    assert [problem["code"] for problem in outcome.problems] == ([code] if code else [])
    assert ("lon" in outcome.values) == (code is None)
    assert outcome.action == "create"


def test_coordinates_are_mended_when_only_the_other_way_round_is_on_the_map(session: Session, tmp_path: Path) -> None:
    region = Region(
        name="demo", sha256="ab" * 32, version=1, state="ready", source="demo", licence="ODbL", attribution=["© OSM"],
        bbox=[9.4, 47.0, 9.7, 47.3], country="LI",
    )  # fmt: skip
    session.add(region)
    session.flush()
    text = "name;lat;lon;phone\nRight;47.1;9.5;2371212\nSwapped;9.5;47.1;\nAbroad;40.7;-74.0;\n"
    run = run_import(session, write(tmp_path, text))
    rows = session.scalars(select(ImportOutcome).where(ImportOutcome.run_id == run.id).order_by(ImportOutcome.row_no))
    found = [(row.values["lon"], row.values["lat"], [problem["code"] for problem in row.problems]) for row in rows]
    assert found == [(9.5, 47.1, []), (9.5, 47.1, ["swapped"]), (-74.0, 40.7, [])]
    assert session.scalars(select(Account.phone_e164).where(Account.name == "Right")).one() == "+4232371212"


def workbook(*rows: list[object], merge: str | None = None, second: bool = False) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)  # type: ignore[union-attr]
    if merge:
        sheet.merge_cells(merge)  # type: ignore[union-attr]
    if second:
        book.create_sheet("Second").append(["name"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_workbook_is_read_with_numbers_as_people_see_them(admin_client: TestClient) -> None:
    content = workbook(
        ["Kundenliste 2026"], [], ["Nr", "Name", "PLZ", "Ort", "Land"], [1001, "Süd AG", 9490.0, "Vaduz", "LI"]
    )
    run = upload(admin_client, content, "kunden.xlsx").json()
    assert (run["format"], run["row_count"]) == ("xlsx", 1)
    assert run["sample"] == [["1001", "Süd AG", "9490", "Vaduz", "LI"]]


def test_cells_merged_over_several_rows_hold_for_each_of_them(admin_client: TestClient) -> None:
    rows = ["Name", "City"], ["A", "Vaduz"], ["B", None], ["C", "Schaan"]
    run = upload(admin_client, workbook(*rows, merge="B2:B3"), "kunden.xlsx").json()
    assert run["sample"] == [["A", "Vaduz"], ["B", "Vaduz"], ["C", "Schaan"]]
    admin_client.post(f"/api/v1/imports/{run['id']}/mapping", json={"mapping": run["mapping"]})
    found = admin_client.get(f"/api/v1/imports/{run['id']}/rows").json()["items"]
    assert [len(row["problems"]) for row in found] == [0, 1, 0]
    assert found[1]["problems"][0]["message"] == "“Vaduz” was taken from the merged cells B2:B3."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\x03binary", "is not text"),
        (b"%PDF-1.7 ...", "is not a table"),
        (b"PK\x03\x04broken", "is damaged"),
        (b"name,city\n", "no rows"),
        (workbook(["name"], ["A"], second=True), "2 sheets with data: Sheet, Second"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or protected workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_remedy(
    admin_client: TestClient, session: Session, content: bytes, words: str
) -> None:
    answer = upload(admin_client, content, "list.csv")
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"].startswith("list.csv: ")
    assert words in answer.json()["detail"]
    assert answer.json()["help"]
    assert session.scalars(select(ImportRun)).all() == [], "nothing is kept"


def test_a_zip_bomb_and_a_giant_are_refused(admin_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "max_unpacked_mb", 1)
    bomb = workbook(*[["name" * 50] * 20 for _ in range(4000)])
    answer = upload(admin_client, bomb, "bomb.xlsx")
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    giant = upload(admin_client, b"name\n" + b"A\n" * 1_000_000, "giant.csv")
    assert (giant.status_code, giant.json()["code"]) == (413, "file_too_large")


def test_one_broken_quote_costs_one_row(session: Session, tmp_path: Path) -> None:
    text = 'name;city\nGut AG;Vaduz\n"Kaputt AG;Schaan\nAuch gut AG;Triesen\n"Zitat ""A""";"zwei\nZeilen"\n'
    run = run_import(session, write(tmp_path, text))
    assert (run.counts["create"], run.counts["error"]) == (3, 1)
    broken = session.scalars(select(ImportOutcome).where(ImportOutcome.action == "error")).one()
    assert (broken.row_no, broken.problems[0]["code"]) == (3, "unreadable")
    assert "quotation mark" in broken.problems[0]["message"]


def test_a_row_with_too_many_cells_is_an_error_and_the_rest_goes_on(session: Session, tmp_path: Path) -> None:
    run = run_import(session, write(tmp_path, "name,city\nA, AG,Vaduz\nB AG,Schaan\nC AG\n"))
    assert (run.counts["create"], run.counts["error"]) == (2, 1)


def test_odd_values_have_a_named_outcome(session: Session, tmp_path: Path) -> None:
    text = (
        "number,name,city,email,note,phone,house number\n"
        "1.23457E+11,Gerundet AG,Vaduz,,,,\n"
        f"2,Lang AG,Vaduz,,{'x' * 30_000},,\n"
        "3,🍺 Bräu,Vaduz,kein-mail,,,\n"
        "4,شركة القهوة,Vaduz,,,,02. Mrz\n"
        "5,=cmd|' /C calc'!A0,Vaduz,,,'+423 237 12 12,\n"
    )
    run = run_import(session, write(tmp_path, text))
    rows = {row.row_no: row for row in session.scalars(select(ImportOutcome).where(ImportOutcome.run_id == run.id))}
    codes = {number: [problem["code"] for problem in row.problems] for number, row in rows.items()}
    assert codes == {
        2: ["eaten_by_spreadsheet"], 3: ["not_accepted"], 4: ["not_accepted"], 5: ["looks_like_date"], 6: [],
    }  # fmt: skip
    assert rows[2].action == "error", "a rounded number would hit the wrong account"
    assert rows[6].values["phone"] == "+423 237 12 12"
    assert run.counts["create"] == 4


def test_mapping_refuses_unknown_fields_and_one_field_twice(admin_client: TestClient) -> None:
    answer = upload(admin_client, b"one,two\nx,y\n")
    assert answer.status_code == 201, answer.text
    run = answer.json()
    path = f"/api/v1/imports/{run['id']}/mapping"
    for mapping in ({"0": "colour"}, {"7": "name"}, {"0": "name", "1": "name"}):
        assert admin_client.post(path, json={"mapping": mapping}).status_code == 422
    assert admin_client.post(path, json={"mapping": {"0": "name"}, "key": "email"}).status_code == 422


@pytest.mark.parametrize(
    ("lat", "lon", "uncertainty_m"),
    [("47.2103", "9.7", 50), ("47.21", "9.71", 787), ("47.2", "9.7", 7870), ("47.210311", "9.712", 50)],
)
def test_imported_coordinates_are_called_given_and_doubted_by_their_decimals(
    session: Session, tmp_path: Path, lat: str, lon: str, uncertainty_m: float
) -> None:
    run_import(session, write(tmp_path, f"number,name,city,lat,lon\nN,Neu AG,Vaduz,{lat},{lon}\n"))
    site = session.scalars(select(Site)).one()
    assert (site.grade, site.provider, site.geocode_reason) == ("given", "import", "coordinates_given")
    assert site.uncertainty_m == uncertainty_m
    run_import(session, write(tmp_path, "number,name,city,lat,lon\nN,Neu AG,Vaduz,47.25,9.75555\n"))
    session.refresh(site)
    assert (site.grade, site.uncertainty_m) == ("given", 50)
