"""Files as bad as they come: each fault has a named outcome, and the rest of the file goes on."""

import csv
import io
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.importing.target import TARGET
from server.accounts.models import Account
from server.imports import queries, service
from server.kit.spreadsheets import harmless
from tests.server.accounts.importing.conftest import checked, codes, outcomes


def test_identical_rows_are_counted_not_listed_and_the_first_is_taken(session: Session, tmp_path: Path) -> None:
    run = checked(session, tmp_path, "name,city\n" + "Same AG,Vaduz\n" * 20_000 + "Other AG,Vaduz\n")
    assert (run.counts["create"], run.counts["error"]) == (2, 19_999)
    kinds = [(kind.level, kind.code, kind.rows, kind.row_numbers) for kind in queries.kinds(session, run.id)]
    assert kinds == [("error", "repeated_row", 19_999, [3, 4, 5, 6, 7, 8, 9, 10])]
    assert [one.message for one in queries.kinds(session, run.id)[0].told] == ["The row repeats row 2 cell by cell."]


def test_empty_rows_count_for_nothing(session: Session, tmp_path: Path) -> None:
    run = checked(session, tmp_path, "name,city\n\n,\n  ,  \nA AG,Vaduz\n,\n")
    assert (run.row_count, run.counts["create"]) == (1, 1)


def test_what_a_spreadsheet_ate_is_named(session: Session, tmp_path: Path) -> None:
    rows = "A,4.23E+09,,\nB,Mai 71,,\nC,########,#####,\nD,2371212.0,,\nE,,,45292\nF,,,02. Mrz\n"
    run = checked(session, tmp_path, f"name,phone,umsatz,letzter besuch\n{rows}", country="LI")
    assert {number: [one for one in found if one != "no_address"] for number, found in codes(session, run).items()} == {
        2: ["eaten_by_spreadsheet"],
        3: ["looks_like_date"],
        4: ["eaten_by_spreadsheet", "eaten_by_spreadsheet"],
        5: [],
        6: [],
        7: ["not_a_day"],
    }
    values = {number: row.values for number, row in outcomes(session, run).items()}
    assert (values[5]["phone"], values[5]["phone_e164"]) == ("2371212", "+4232371212")
    assert values[6]["last_visit_on"] == "2024-01-01"
    assert run.counts["create"] == 6


def test_a_row_that_looks_like_another_under_a_second_number_names_it(session: Session, tmp_path: Path) -> None:
    rows = (
        "1,Amann AG,Städtle 1,9490,+423 237 12 12",
        "2,Beck AG,Städtle 2,9490,+423 237 12 13",
        "3,AMANN  AG,Staedtle 1,9490,",
        "4,Beck AG,Landstrasse 9,9490,00423 237 12 13",
        "5,Beck AG,Landstrasse 9,9494,00423 237 12 13",
        "1,Amann AG,Städtle 1,9490,",
    )
    run = checked(session, tmp_path, "number,name,strasse,plz,phone\n" + "\n".join(rows) + "\n", country="LI")
    messages = {row.row_no: [one["message"] for one in row.problems] for row in outcomes(session, run).values()}
    assert messages == {
        2: [],
        3: [],
        4: ["Row 2 of the file has the same name and address; is it the same account?"],
        5: ["Row 3 of the file has the same name, place and phone; is it the same account?"],
        6: [],  # a branch elsewhere under the same phone
        7: ["Row 2 of the file means the same record."],
    }
    assert (run.counts["create"], run.counts["warnings"], run.counts["error"]) == (5, 2, 1)


def test_empty_rows_between_others_are_counted_and_left_out(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,city\nA,Vaduz\n\n,\nB,Schaan\n\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    assert (run.row_count, run.empty_rows) == (2, 2)


def test_long_fields_emoji_and_right_to_left_text_go_through_or_are_named(session: Session, tmp_path: Path) -> None:
    long = f"🍺 Bräu,Vaduz,{'x' * 10_000}\n{'y' * 10_000},Vaduz,\n"
    rows = f"{long}شركة القهوة,Vaduz,\n\u202eBA\u202c,Vaduz,\nN\x00UL,Vaduz,\n"
    run = checked(session, tmp_path, f"name,city,street\n{rows}")
    found = {number: [one for one in found if one != "no_street"] for number, found in codes(session, run).items()}
    assert found == {2: ["not_accepted"], 3: ["not_accepted"], 4: [], 5: ["mended"], 6: ["mended"]}
    names = [row.values.get("name") for row in outcomes(session, run).values()]
    assert names == ["🍺 Bräu", None, "شركة القهوة", "BA", "NUL"]
    service.apply(session, TARGET, run)
    assert len(session.scalars(select(Account)).all()) == 4


def test_a_number_that_another_account_has_is_an_error_of_the_row(session: Session, tmp_path: Path) -> None:
    service.apply(session, TARGET, checked(session, tmp_path, "number,name,city\n1,A,Vaduz\n"))
    run = checked(session, tmp_path, "number,name,city\n1,B,Vaduz\n2,C,Vaduz\n2,D,Vaduz\n", key="name")
    messages = {row.row_no: [one["message"] for one in row.problems] for row in outcomes(session, run).values()}
    assert messages == {2: ["“A” has the number 1 already."], 3: [], 4: ["Row 3 of the file brings the same number."]}
    service.apply(session, TARGET, run)
    assert run.counts["create"] == 1


def test_formulas_are_neutralised_and_phone_numbers_stay_readable(admin_client: TestClient) -> None:
    content = "name,phone,city\n,+423 237 12 12,=1+1\n,-2+3+cmd,@x\n"
    run = admin_client.post("/api/v1/imports", files={"file": ("list.csv", content.encode())}).json()
    path = f"/api/v1/imports/{run['id']}"
    admin_client.post(f"{path}/mapping", json={"mapping": run["mapping"]})
    report = admin_client.get(f"{path}/errors.csv").content.decode("utf-8-sig")
    assert [row[3:] for row in csv.reader(io.StringIO(report))][1:] == [
        ["", "+423 237 12 12", "'=1+1"],
        ["", "'-2+3+cmd", "'@x"],
    ]
    assert [harmless(text) for text in ("+4232371212", "-12.5", "+1-2", "+423/1")] == [
        "+4232371212", "-12.5", "'+1-2", "'+423/1",
    ]  # fmt: skip
    assert harmless("\x0b=1+1") == "'=1+1"


def test_cells_that_a_spreadsheet_has_eaten_are_left_out_or_told(session: Session, tmp_path: Path) -> None:
    rows = "A,keine,Mrz 14,94.90\nB,,1/2,9490\nC,,14-Mar,94.9\nD,,Marktgasse 14,9490\nE,,Im Mai 14,9490\n"
    run = checked(session, tmp_path, f"name,phone,street,postcode\n{rows}", country="LI")
    assert codes(session, run) == {
        2: ["decimals", "looks_like_date", "not_accepted"],
        3: ["looks_like_date"],
        4: ["eaten_by_spreadsheet", "looks_like_date", "no_address"],
        5: [],
        6: [],
    }
    found = outcomes(session, run)
    assert found[2].values == {"name": "A", "postcode": "9490", "country": "LI"}
    assert found[3].values["street"] == "1/2"
