"""Files as bad as they come: each fault has a named outcome, and the rest of the file goes on."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts.importing.target import TARGET
from server.accounts.models import Account, Site
from server.auth.models import User
from server.imports import profiles, queries, service
from server.imports.models import ImportOutcome, ImportRun
from server.kit.errors import WaymarkError
from server.kit.spreadsheets import harmless
from tests.server.accounts.reviewing.detecting import add_country


def checked(
    session: Session, tmp_path: Path, content: str | bytes, name: str = "list.csv", **options: Any
) -> ImportRun:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    service.configure(session, TARGET, run, run.mapping, run.options | options)
    service.check(session, TARGET, run)
    return run


def outcomes(session: Session, run: ImportRun) -> dict[int, ImportOutcome]:
    return {row.row_no: row for row in queries.outcomes(session, run.id)}


def codes(session: Session, run: ImportRun) -> dict[int, list[str]]:
    return {number: [one["code"] for one in row.problems] for number, row in outcomes(session, run).items()}


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


def test_figures_that_are_no_amount_are_an_error_of_their_row_and_say_how_to_mend_it(
    session: Session, tmp_path: Path
) -> None:
    cells = ('"0,1+0,2"', "0x10", "=1", "1e400", "-5", "viel", '"1,5 Mio"')
    rows = "".join(f"Firm {place},Vaduz,{cell}\n" for place, cell in enumerate(cells))
    run = checked(session, tmp_path, f"name,ort,umsatz\n{rows}")
    found = outcomes(session, run)
    assert [found[row].action for row in range(2, 9)] == ["error"] * 5 + ["create"] * 2
    assert found[2].problems[0]["message"] == (
        "Yearly value: “0,1+0,2” is no amount. Write one number from 0 to 999,999,999,999.99, such as 12500.00, or"
        " leave the cell empty."
    )
    assert [one["level"] for one in found[7].problems] == ["warning"], "a word holds no figure that could be lost"
    assert found[8].values["yearly_value"] == 1_500_000


def test_amounts_of_two_currencies_and_with_parts_of_a_cent_are_told(session: Session, tmp_path: Path) -> None:
    cells = ("5 eur usd", "1.23.456", "1,23,456", '"0,005"', "12500.0000000001", "CAD $ 7", "€ 9")
    rows = "".join(f"Firm {place};Vaduz;{cell};CHF\n" for place, cell in enumerate(cells))
    run = checked(session, tmp_path, f"name;ort;umsatz;währung\n{rows}")
    found = outcomes(session, run)
    assert [codes(session, run)[row] for row in range(2, 9)] == [
        ["two_currencies"], ["not_an_amount"], [], ["rounded"], [], ["other_currency"], ["other_currency"],
    ]  # fmt: skip
    assert [found[row].action for row in (2, 3)] == ["error"] * 2
    assert [found[row].values["yearly_value"] for row in range(4, 9)] == [123_456, 0.01, 12_500, 7, 9]
    assert [found[row].problems[0]["message"] for row in (2, 5, 8)] == [
        "Yearly value: “5 eur usd” names EUR and USD. Keep the currency that is meant.",
        "Yearly value: “0.005” has more decimals than CHF; taken as 0.01.",
        "Yearly value: “€ 9” names EUR, the row's currency is CHF; kept.",
    ]


def test_an_account_in_another_currency_than_the_imports_changes_once(session: Session, tmp_path: Path) -> None:
    first = "number;name;umsatz;währung\nK-1;Firm 1;1000;JPY\nK-2;Firm 2;1000;CHF\n"
    taken = checked(session, tmp_path, first)
    service.apply(session, TARGET, taken)
    for counts in ({"update": 2}, {"unchanged": 2}):
        again = checked(session, tmp_path, "number;name;umsatz\nK-1;Firm 1;1000.55\nK-2;Firm 2;1000.55\n")
        assert {
            name: n for name, n in again.counts.items() if name in ("create", "update", "unchanged") and n
        } == counts
        service.apply(session, TARGET, again)
    held = dict(session.execute(text("select currency, yearly_value from account")).all())
    assert {code: str(value) for code, value in held.items()} == {"JPY": "1001", "CHF": "1000.55"}


def test_an_amount_without_currency_keeps_the_decimals_of_the_account_that_it_is_about(
    session: Session, tmp_path: Path
) -> None:
    first = "number;name;umsatz;währung\nK-1;Firm 1;1;KWD\nK-2;Firm 2;1;JPY\nK-3;Firm 3;1;CHF\n"
    service.apply(session, TARGET, checked(session, tmp_path, first))
    rows = "K-1;Firm 1;1234.345\nK-2;Firm 2;1234.345\nK-3;Firm 3;1234.345\nK-4;Firm 4;1234.345\n"
    again = checked(session, tmp_path, f"number;name;umsatz\n{rows}")
    found = outcomes(session, again)
    assert {row.values["number"]: row.changes.get("yearly_value") for row in found.values()} == {
        "K-1": [1, 1234.345], "K-2": [1, 1234], "K-3": [1, 1234.35], "K-4": None,
    }  # fmt: skip
    assert [
        problem["message"] for row in found.values() for problem in row.problems if problem["code"] == "rounded"
    ] == [
        "Yearly value: “1234.345” has more decimals than JPY; taken as 1234.",
        "Yearly value: “1234.345” has more decimals than CHF; taken as 1234.35.",
        "Yearly value: “1234.345” has more decimals than EUR; taken as 1234.35.",
    ]
    service.apply(session, TARGET, again)
    held = dict(session.execute(text("select number, yearly_value from account")).all())
    assert {number: str(value) for number, value in held.items()} == {
        "K-1": "1234.345", "K-2": "1234", "K-3": "1234.35", "K-4": "1234.35",
    }  # fmt: skip
    assert checked(session, tmp_path, f"number;name;umsatz\n{rows}").counts["unchanged"] == 4


def test_a_country_in_small_letters_is_the_same_and_a_kind_of_problem_names_them_all(
    session: Session, tmp_path: Path
) -> None:
    add_country(session)
    session.execute(text("update region set country = 'XM'"))
    rows = "".join(f"Firm {at},X,{name}\n" for at, name in enumerate(("xm", "de", "Narnia", "Mordor", "Mordor")))
    run = checked(session, tmp_path, f"name,ort,land\n{rows}")
    assert [outcomes(session, run)[row].values["country"] for row in (2, 3)] == ["XM", "DE"]
    kinds = {kind.code: kind.countries for kind in queries.kinds(session, run.id)}
    assert kinds["unknown_country"] == ["Mordor", "Narnia"]


def test_countries_that_are_wrong_or_mixed_are_told_row_by_row(session: Session, tmp_path: Path) -> None:
    rows = "A,9490,Vaduz,FL,2371212\nB,80331,München,Deutschland,089 1234567\nC,80331,München,LI,\nD,1,X,Narnia,\n"
    run = checked(session, tmp_path, f"name,plz,ort,land,telefon\n{rows}")
    found = outcomes(session, run)
    assert [found[row].values.get("phone_e164") for row in (2, 3)] == ["+4232371212", "+49891234567"]
    assert codes(session, run) == {2: [], 3: [], 4: ["other_country"], 5: ["unknown_country"]}
    with pytest.raises(WaymarkError, match="no country that is known"):
        checked(session, tmp_path, "name\nA\n", country="Narnia")


def test_exchanged_columns_are_suggested_and_a_single_row_is_mended(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,plz,ort,lat,lon\nA,Vaduz,9490,99.5,47.1\nB,Schaan,9494,109.6,47.2\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    advice = TARGET.advice(session, queries.sample(session, run.id, 10), run.mapping)
    assert [one.message for one in advice] == [
        "Postcode and city look exchanged.", "Latitude and longitude look exchanged.",
    ]  # fmt: skip
    assert advice[0].mapping == {**run.mapping, "1": "city", "2": "postcode"}
    run = checked(session, tmp_path, "name,plz,ort\nA,9490,Vaduz\nB,Schaan,9494\n")
    assert codes(session, run) == {2: [], 3: ["swapped"]}
    assert outcomes(session, run)[3].values == {"name": "B", "postcode": "9494", "city": "Schaan"}
    assert TARGET.advice(session, queries.sample(session, run.id, 1), run.mapping) == []


def test_street_and_city_that_are_exchanged_are_suggested(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,strasse,ort\nA,Vaduz,Städtle 12a\nB,Schaan,\nC,Bad Ragaz,12 Main Street\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    (advice,) = TARGET.advice(session, queries.sample(session, run.id, 10), run.mapping)
    assert advice.message == "Street and city look exchanged."
    assert advice.mapping == {**run.mapping, "1": "city", "2": "street"}
    upright = [["A", "Städtle", "Paris 12"], ["B", "Städtle 4", "Wien"], ["C", "Landstrasse 1", "Linz"]]
    assert TARGET.advice(session, upright, run.mapping) == []


def test_addresses_that_look_odd_are_taken_and_told(session: Session, tmp_path: Path) -> None:
    rows = (
        "A,Vaduz,9490,Städtle 12a,LI",  # 2: street and city exchanged in one row
        "B,Rue Monge,75005,Paris 12,FR",  # 3: a district is no street
        "C,Städtle,9490,9490 Vaduz,LI",  # 4: nor is a postcode
        "D,Städtle 1,949,Vaduz,LI",  # 5: a digit is missing
        "E,Städtle 2,CH-9490,Vaduz,LI",  # 6: another country's prefix
        "F,Städtle 3,9494.0,Schaan,LI",  # 7: a spreadsheet took it for a number
        "G,,9490,Vaduz,LI",  # 8: no street
        "H,Städtle 5,,,LI",  # 9: no place
        "I,Städtle 6,FL-9490,Vaduz,LI",  # 10: as people write it
        "J,Landstrasse 1,67.0,Vaduz,LI",  # 11: eaten and wrong
    )
    run = checked(session, tmp_path, "name,strasse,plz,ort,land\n" + "\n".join(rows) + "\n")
    assert codes(session, run) == {
        2: ["street_and_city"], 3: [], 4: [], 5: ["other_country"], 6: ["other_prefix"], 7: ["decimals"],
        8: ["no_street"], 9: ["no_place"], 10: [], 11: ["decimals", "other_country"],
    }  # fmt: skip
    assert run.counts["create"] == len(rows), "every row goes in"
    values = {number: row.values for number, row in outcomes(session, run).items()}
    assert (values[2]["street"], values[2]["city"]) == ("Vaduz", "Städtle 12a"), "the review desk mends it on the map"
    assert values[7]["postcode"] == "9494"
    told = {(kind.field, kind.code): kind.row_numbers for kind in queries.kinds(session, run.id)}
    assert told["postcode", "decimals"] == [7, 11]
    run = checked(session, tmp_path, "name,plz,ort\nA,9490,Vaduz\n", country="LI")
    assert codes(session, run) == {2: []}, "nobody misses what the file has no column for"


def test_a_file_of_several_countries_is_told_row_by_row_where_there_is_no_map(session: Session, tmp_path: Path) -> None:
    add_country(session)
    rows = "A,Seestadt,DE\nB,Seestadt,Deutschland\nC,Wien,Österreich\nD,Bern,CH\nE,Bern,\nF,Graz,AT\n"
    run = checked(session, tmp_path, f"name,ort,land\n{rows}")
    told = [number for number, found in codes(session, run).items() if "no_map" in found]
    assert (told, run.counts["create"]) == ([4, 5, 7], 6)
    assert queries.countries(session, run.id) == [("AT", 2), ("DE", 2), ("CH", 1)]


def test_a_country_of_which_the_map_shows_the_edge_alone_has_no_map(session: Session, tmp_path: Path) -> None:
    source = add_country(session)
    more = """insert into geocoding_street
        (source_id, position, name, other_names, city, country, postcodes, places, extent_m, is_place, point)
        select :source, 1000 + n, 'Gasse ' || n, '{}', case n when 40 then 'Feldkirch' else 'Seestadt' end,
        case n when 40 then 'AT' else 'DE' end, '{}', '{}', 10, false, st_setsrid(st_makepoint(9.1, 47.1), 4326)
        from generate_series(1, 40) n"""
    session.execute(text(more), {"source": source.id})
    rows = "A,Wien,AT\nB,Feldkirch,AT\nC,Seestadt,AT\nD,Seestadt,DE\n"
    run = checked(session, tmp_path, f"name,ort,land\n{rows}")
    told = {number: row.problems[0]["message"] for number, row in outcomes(session, run).items() if row.problems}
    assert told == {
        2: "Country: there is no map of AT, so the row gets no pin; add a region.",
        4: "Country: there is no map of AT, but “Seestadt” is a town of the map; is the country right?",
    }


def test_a_country_in_doubt_pads_no_postcode_and_is_told_once(session: Session, tmp_path: Path) -> None:
    add_country(session)
    rows = "A,9493,Seestadt,FR\nB,9493,Paris,FR\n" + "".join(f"C{n},99999,Seestadt,DE\n" for n in range(60))
    run = checked(session, tmp_path, f"name,plz,ort,land\n{rows}")
    assert [outcomes(session, run)[number].values["postcode"] for number in (2, 3)] == ["9493", "09493"]
    assert codes(session, run)[3] == ["leading_zero", "no_map"]
    assert "rare_country" not in codes(session, run)[2]


def test_columns_exchanged_with_the_street_are_told(session: Session, tmp_path: Path) -> None:
    rows = (
        "A AG,9490,Städtle 20,Vaduz",  # 2: taken the other way round
        "Landstrasse 30,Swapped name AG,9490,Vaduz",  # 3: kept, and said
        "Café Landstrasse 30,Landstrasse 30,9490,Vaduz",  # 4: called by its address
        "B AG,2024-05-03,9490,Vaduz",  # 5: a date is no street
        "C AG,#REF!,#DIV/0!,#NAME?",  # 6: formulas that failed
        "D AG,Am Platz 3,9490,n/a",  # 7: nothing is nothing
    )
    run = checked(session, tmp_path, "name,strasse,plz,ort\n" + "\n".join(rows) + "\n", country="LI")
    assert codes(session, run) == {
        2: ["swapped"], 3: ["name_and_street"], 4: [], 5: ["looks_like_date"],
        6: ["eaten_by_spreadsheet", "eaten_by_spreadsheet", "eaten_by_spreadsheet", "no_address"], 7: [],
    }  # fmt: skip
    values = {number: row.values for number, row in outcomes(session, run).items()}
    assert (values[2]["street"], values[2]["postcode"]) == ("Städtle 20", "9490")
    assert "street" not in values[5]


def test_a_whole_address_in_the_street_lacks_no_city(session: Session, tmp_path: Path) -> None:
    rows = (
        'A AG,"Kirchstrasse 69,, 9490 Vaduz, Liechtenstein",,',
        'B AG,"Kirchstrasse 69",,',
        'C AG,"Kirchstrasse 69, 2. Stock",,',
    )
    run = checked(session, tmp_path, "name,strasse,plz,ort\n" + "\n".join(rows) + "\n", country="LI")
    assert codes(session, run) == {2: [], 3: ["no_place"], 4: ["no_place"]}


def test_countries_are_known_by_their_official_names(session: Session, tmp_path: Path) -> None:
    names = (
        "Fürstentum Liechtenstein",
        "Principality of Liechtenstein",
        "Czech Republic",
        "Republic of China",
        "Congo",
    )
    run = checked(session, tmp_path, "name,ort,land\n" + "".join(f"{one} AG,Vaduz,{one}\n" for one in names))
    assert [row.values["country"] for row in outcomes(session, run).values()] == ["LI", "LI", "CZ", "TW", "CG"]


def test_the_map_says_whether_street_and_city_are_exchanged(session: Session, tmp_path: Path) -> None:
    add_country(session)
    rows = (
        "A,Seestadt,10,Hauptstrasse",  # 2: the house number has a column of its own
        "B,Seestadt,,Hauptstrasse",  # 3: without one
        "C,Bergweg,,Seestadt 12",  # 4: a town of the map with a number is no street
        "D,Hauptstrasse,10,Seestadt",  # 5: as it should be
        "E,Seestadt,10,Seestadt",  # 6: a village that numbers its houses
        "F,Bergstadt,10,Hauptstrasse",  # 7: a town that the map does not know
    )
    run = checked(session, tmp_path, "name,strasse,hausnummer,ort\n" + "\n".join(rows) + "\n")
    told = {number: [one for one in found if one == "street_and_city"] for number, found in codes(session, run).items()}
    assert told == {2: ["street_and_city"], 3: ["street_and_city"], 4: [], 5: [], 6: [], 7: []}


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


def test_a_country_that_no_other_row_has_and_coordinates_elsewhere_are_told(session: Session, tmp_path: Path) -> None:
    add_country(session)
    home = [f"{n},Firm {n},DE,47.1,9.1{n:02}1" for n in range(60)]
    rows = [*home, "60,Wanderer,AT,48.2,16.37", "61,Abroad,DE,50.1,14.4", "62,Guest,AT,47.1,9.1"]
    run = checked(session, tmp_path, "number,name,land,lat,lon\n" + "\n".join(rows) + "\n")
    found = {number: found for number, found in codes(session, run).items() if found}
    assert found == {62: ["rare_country"], 63: ["pin_elsewhere"], 64: ["rare_country", "pin_elsewhere"]}
    (told,) = [one["message"] for one in outcomes(session, run)[64].problems if one["code"] == "pin_elsewhere"]
    assert told == "Country: the row says AT, its coordinates lie in DE; kept."
    assert run.counts["create"] == len(rows)


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


def test_points_of_a_geojson_become_pins(session: Session, tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Point", "coordinates": [lon, lat]}}
        for name, lon, lat in (("A", 9.5, 47.1), ("B", 200, 47.1))
    ]
    whole = json.dumps({"type": "FeatureCollection", "features": features})
    run = checked(session, tmp_path, whole[:-60] + " ", "list.geojson")
    assert codes(session, run) == {1: [], 2: ["unreadable"]}
    service.apply(session, TARGET, run)
    assert [(site.pin_state, site.provider) for site in session.scalars(select(Site))] == [("placed", "import")]


def test_areas_are_pins_inside_and_counted(session: Session, tmp_path: Path) -> None:
    corner = [[[0, 0], [9, 0], [9, 9], [8, 9], [8, 1], [0, 1], [0, 0]]]  # its middle is outside
    geometries = (
        {"type": "Polygon", "coordinates": corner},
        {"type": "MultiPolygon", "coordinates": [corner]},
        {"type": "Point", "coordinates": [9.5, 47.1]},
        {"type": "Polygon", "coordinates": []},
    )
    features = [
        {"type": "Feature", "properties": {"name": f"N{at}"}, "geometry": geometry}
        for at, geometry in enumerate(geometries)
    ]
    run = checked(session, tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), "list.geojson")
    assert codes(session, run) == {1: ["mended"], 2: ["mended"], 3: [], 4: ["no_address"]}
    assert queries.areas(session, run) == 2
    service.apply(session, TARGET, run)
    inside = text("select count(*) from site where st_covers(st_geomfromgeojson(:area), pin::geometry)")
    assert session.execute(inside, {"area": json.dumps(geometries[0])}).scalar_one() == 2


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


@pytest.mark.parametrize(("street", "number", "kept"), [("1. Mai", "", "1. Mai"), ("8 Mar", "5", "8 Mar 5")])
def test_a_street_that_is_called_by_a_day_is_kept_and_told(
    session: Session, tmp_path: Path, street: str, number: str, kept: str
) -> None:
    rows = f"name,street,house_number,postcode\nA,{street},{number},9490\n"
    run = checked(session, tmp_path, rows, country="LI")
    assert codes(session, run)[2] == ["looks_like_date"]
    assert outcomes(session, run)[2].values["street"] == kept


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
