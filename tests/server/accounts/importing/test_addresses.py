"""Addresses of a file: countries, postcodes, exchanged columns and points that do not fit them."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts.importing.target import TARGET
from server.accounts.models import Site
from server.imports import queries, service
from server.kit.errors import WaymarkError
from tests.server.accounts.importing.conftest import checked, codes, outcomes
from tests.server.accounts.reviewing.detecting import add_country


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


@pytest.mark.parametrize(("street", "number", "kept"), [("1. Mai", "", "1. Mai"), ("8 Mar", "5", "8 Mar 5")])
def test_a_street_that_is_called_by_a_day_is_kept_and_told(
    session: Session, tmp_path: Path, street: str, number: str, kept: str
) -> None:
    rows = f"name,street,house_number,postcode\nA,{street},{number},9490\n"
    run = checked(session, tmp_path, rows, country="LI")
    assert codes(session, run)[2] == ["looks_like_date"]
    assert outcomes(session, run)[2].values["street"] == kept
