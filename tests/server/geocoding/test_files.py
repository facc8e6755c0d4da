"""Lists of addresses in, results out."""

import csv
import gzip
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from server.geocoding import commands, files
from server.geocoding.errors import BadFile

HEADER = "LON,LAT,NUMBER,STREET,CITY,POSTCODE,ID\n"
ROWS = "".join(f"-76.7,{39.2 + n / 5000:.5f},{n},Mill Road,Catonsville,21228,b{n}\n" for n in range(1, 41))


@pytest.fixture
def cli() -> typer.Typer:
    app = typer.Typer()
    app.command("geocode")(commands.geocode)
    app.add_typer(commands.addresses, name="addresses")
    return app


def add(cli: typer.Typer, path: Path) -> None:
    arguments = ["addresses", "add", str(path), "--country", "US", "--name", "county", "--source", "The County"]
    outcome = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0
    assert "40 addresses on 1 street" in outcome.output


def test_a_list_is_geocoded_from_file_to_file(empty_database: Engine, cli: typer.Typer, tmp_path: Path) -> None:
    source = tmp_path / "county.csv.gz"
    source.write_bytes(gzip.compress((HEADER + ROWS).encode()))
    add(cli, source)
    asked, found = tmp_path / "in.csv", tmp_path / "out.csv"
    asked.write_text(
        "id;street;postcode;city\nA;7 Mill Rd;21228;Catonsville\nB;Plutonium Road 3;21228;Catonsville\nC;;;\n"
    )
    outcome = CliRunner().invoke(cli, ["geocode", str(asked), str(found)], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert "The County" in outcome.output
    rows = list(csv.DictReader(found.open()))
    assert list(rows[0]) == list(files.RESULT_COLUMNS)
    assert [row["id"] for row in rows] == ["A", "B", "C"]
    assert (rows[0]["street"], rows[0]["number"], rows[0]["grade"], rows[0]["reason"]) == (
        "Mill Road", "7", "rooftop", "exact",
    )  # fmt: skip
    assert float(rows[0]["confidence"]) >= 0.8 > float(rows[1]["confidence"])
    assert rows[2]["reason"] == "empty"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "county.csv.gz", "in.csv", "out.csv", "out.csv.sources.txt",
    ]  # fmt: skip
    assert (tmp_path / "out.csv.sources.txt").read_text() == "The County\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\x00\x01\x02\x00binary", "not a text file"),
        (b"colour,weight\nred,3\n", "must name the columns"),
        (b"street,city\nMill Road 1,Catonsville\nMill Road 2,Catonsville,extra\n", "line 3: 3 cells"),
    ],
)
def test_a_bad_list_is_refused_by_name_and_nothing_is_written(
    empty_database: Engine, cli: typer.Typer, tmp_path: Path, content: bytes, message: str
) -> None:
    source = tmp_path / "county.csv"
    source.write_text(HEADER + ROWS)
    add(cli, source)
    asked, found = tmp_path / "in.csv", tmp_path / "out.csv"
    asked.write_bytes(content)
    found.write_text("yesterday's results")
    with pytest.raises(BadFile, match=message) as error:
        CliRunner().invoke(cli, ["geocode", str(asked), str(found)], catch_exceptions=False)
    assert "in.csv" in error.value.message
    assert found.read_text() == "yesterday's results"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["county.csv", "in.csv", "out.csv"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_lists_of_any_encoding_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "in.csv"
    rows = "".join(f"{n};Bäckerei Müller;Hauptstraße {n};Köln\n" for n in range(30))
    path.write_text("id;name;street;city\n" + rows, encoding=encoding)
    with files.table(path, files.QUESTION_COLUMNS) as found:
        asked = list(files.questions(found))
    assert len(asked) == 30
    assert asked[3][0] == "3"
    assert (asked[3][1].street, asked[3][1].city) == ("Hauptstraße 3", "Köln")


def test_a_damaged_packed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "county.csv.gz"
    path.write_bytes(gzip.compress((HEADER + ROWS * 50).encode())[:-200])
    with pytest.raises(BadFile, match="damaged"), files.table(path, ("lon",)) as rows:
        list(rows)


def test_texts_from_sources_never_become_a_formula() -> None:
    from geo.geocode.types import Answer

    cells = files.result("x", Answer(None, street="=HYPERLINK(1)", city="@home"))
    assert cells[3:7] == ["'=HYPERLINK(1)", "", "", "'@home"]
