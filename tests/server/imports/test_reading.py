"""Files of every make become tables, or an error that says what to do."""

import csv
import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from server.accounts.importing.target import COLUMNS as ACCOUNT_COLUMNS
from server.imports import delimited, guessing, workbook
from server.imports.errors import BadFile
from server.imports.reading import Table, open_table
from server.imports.targets import Column

KNOWN = {"name", "city", "firma", "ort"}


def table(path: Path, content: bytes | str, encoding: str = "utf-8") -> Table:
    path = path / "list.csv"
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return open_table(path, knows=lambda title: title.lower() in KNOWN)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "mac_roman"])
def test_any_encoding_is_read_with_or_without_a_mark(tmp_path: Path, encoding: str) -> None:
    text = "name;city\nMüller Getränke;Zürich\nBäckerei Größe;Genève\n" * 20
    rows = list(table(tmp_path, text.encode(encoding)).rows)
    assert rows[0].cells == ["Müller Getränke", "Zürich"]
    assert rows[1].cells == ["Bäckerei Größe", "Genève"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_of_two_encodings_in_one_file_are_both_read_and_the_fewer_say_so(
    tmp_path: Path, mark: bytes, end: bytes
) -> None:
    lines = [b"name;city", "Müller;Zürich".encode(), "Größe;Genève".encode("cp1252"), "Käser;Rüti".encode(), b"A;B"]
    found = list(table(tmp_path, mark + end.join(lines) + end).rows)
    assert [row.cells for row in found] == [["Müller", "Zürich"], ["Größe", "Genève"], ["Käser", "Rüti"], ["A", "B"]]
    assert [row.encoding for row in found] == [None, "cp1252", None, None]
    lines[3] = "Käser;Rüti".encode("cp1252")
    found = list(table(tmp_path, mark + end.join(lines) + end).rows)
    assert [row.cells[0] for row in found] == ["Müller", "Größe", "Käser", "A"]
    assert [row.encoding for row in found] == (
        ["utf-8", None, None, None] if not mark else [None, "cp1252", "cp1252", None]
    )
    lines[1] = b"Beck;Vaduz"
    assert not any(row.encoding for row in table(tmp_path, end.join(lines)).rows), "all in one"


def test_two_quotation_marks_that_are_never_closed_do_not_make_one_row_of_two(tmp_path: Path) -> None:
    content = 'name;street;city\n"Firma A;Weg 1;Vaduz\n"Firma B;Weg 2;Triesen\n"Beck\n& Co";Weg 3;Ruggell\n'
    first, second, whole = table(tmp_path, content).rows
    assert first.problem
    assert second.problem
    assert (first.number, second.number) == (2, 3)
    assert (whole.cells, whole.problem) == (["Beck\n& Co", "Weg 3", "Ruggell"], None)


def test_a_line_of_any_letters_comes_through_beside_lines_of_another_encoding(tmp_path: Path) -> None:
    letters = bytes(sorted(set(range(0xA0, 0x100)) - {0xAD})).decode("cp1252")
    content = "name;city\n" + "".join(f"{letter}a;{letter}\n" for letter in letters)
    mixed = content.encode() + content.partition("\n")[2].encode("cp1252")
    rows = [row.cells for row in table(tmp_path, mixed).rows]
    assert rows[: len(letters)] == rows[len(letters) :] == [[f"{one}a".strip(), one.strip()] for one in letters]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_delimiter_and_line_end_is_read(tmp_path: Path, delimiter: str, line_end: str) -> None:
    lines = ["name", "city"], ["A, B; C", "Vaduz"], ["D", "Schaan"]
    text = line_end.join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    found = table(tmp_path, text)
    assert found.header == ["name", "city"]
    assert [row.cells for row in found.rows] == [["A, B; C", "Vaduz"], ["D", "Schaan"]]


ROWS = [f"{number},Name {number},Vaduz" for number in range(1, 41)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "ends",
    [
        ["\n"] * 10 + ["\r"],
        ["\r\n"] + ["\r"] * 40,
        ["\r\n"] * 20 + ["\r"] * 20,
        ["\r\r\n"],
        ["\r"],
        ["\r", "\n", "\r\n"],
    ],
)
def test_a_file_that_mixes_line_ends_loses_no_row(tmp_path: Path, ends: list[str], encoding: str) -> None:
    lines = ["number,name,city", *ROWS]
    content = "".join(line + ends[place % len(ends)] for place, line in enumerate(lines))
    found = list(table(tmp_path, content, encoding).rows)
    assert [row.cells for row in found] == [line.split(",") for line in ROWS]
    assert [(row.problem, row.note) for row in found] == [(None, None)] * 40
    assert [row.number for row in found] == [*range(2, 42)]


def test_a_carriage_return_in_a_cell_without_quotation_marks_drops_no_cell(tmp_path: Path) -> None:
    content = 'name,note,city\nA,one\rtwo,Vaduz\nB,"three\rfour",Schaan\nC,five,Bern\r\nD,six\rseven\reight,Triesen\n'
    found = list(table(tmp_path, content).rows)
    assert [row.cells for row in found] == [
        ["A", "one two", "Vaduz"], ["B", "three\rfour", "Schaan"], ["C", "five", "Bern"],
        ["D", "six seven eight", "Triesen"],
    ]  # fmt: skip
    assert [bool(row.note) for row in found] == [True, False, False, True]


def test_parts_between_carriage_returns_that_are_no_rows_are_named(tmp_path: Path) -> None:
    found = list(table(tmp_path, "name,note,city\nA,one,Vaduz\rB,two\rthree,Schaan\rC,four,Balzers\nD,,Vaduz\n").rows)
    assert [(row.cells[0], bool(row.problem)) for row in found] == [
        ("A", False), ("B", True), ("three", True), ("C", False), ("D", False),
    ]  # fmt: skip


def test_titles_above_the_header_are_skipped_and_rows_count_as_in_a_spreadsheet(tmp_path: Path) -> None:
    found = table(tmp_path, "Customer list 2026\n\nName;City\nA;Vaduz\n;\nB;Schaan\n")
    assert found.header == ["Name", "City"]
    assert [(row.number, row.cells) for row in found.rows] == [(4, ["A", "Vaduz"]), (6, ["B", "Schaan"])]


def test_a_file_without_header_gets_columns_by_letter(tmp_path: Path) -> None:
    found = table(tmp_path, "Beck AG;9490;a@b.li\nMeier AG;9494;c@d.li\n")
    assert found.header == ["Column A", "Column B", "Column C"]
    assert len(list(found.rows)) == 2


def test_control_characters_do_not_get_through(tmp_path: Path) -> None:
    assert [row.cells for row in table(tmp_path, "name;city\nA\x07B;V\x1faduz\n").rows] == [["AB", "Vaduz"]]


cell = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85"), max_size=12
)


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=8))
def test_what_a_spreadsheet_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=";", quoting=csv.QUOTE_ALL).writerows([("name", "city", "ort"), *rows])
    path = tmp_path_factory.mktemp("csv") / "list.csv"
    path.write_text(stream.getvalue(), "utf-8", newline="")
    found = list(delimited.records(path, delimited.dialect_of(path)))
    assert [tuple(record.cells) for record in found[1:]] == rows


COLUMNS = (
    Column("name", "Name", ("firma", "company")),
    Column("postcode", "Postcode", ("plz",), lambda value: value.isdigit() and len(value) == 4),
    Column("email", "E-mail", ("mail",), lambda value: "@" in value),
)


def test_columns_are_guessed_by_title_slip_and_values() -> None:
    header = ["FIRMA", "P.L.Z.", "whatever", "other"]
    samples = [["A", "9490", "a@b.li", "x"], ["B", "9494", "", "y"]]
    assert guessing.guess(header, samples, COLUMNS) == {"0": "name", "1": "postcode", "2": "email"}
    assert guessing.guess(["Compnay", "mail", "E-Mail"], [["A", "", ""]], COLUMNS) == {"0": "name", "1": "email"}
    columns = (
        Column("number", "Number", ("nr",)),
        Column("street", "Street"),
        Column("house", "House", behind=("street", frozenset({"nr"}))),
    )
    for header in (["Nr", "Street", "Nr."], ["Street", "Nr."], ["Nr"]):
        wanted = {"Nr": "number", "Street": "street", "Nr.": "house"}
        assert guessing.guess(header, [["", "", ""]], columns) == {str(k): wanted[t] for k, t in enumerate(header)}


def test_a_cell_of_any_length_is_read(tmp_path: Path) -> None:
    rows = list(table(tmp_path, f"name;city\n{'x' * 300_000};Vaduz\nA;Schaan\n").rows)
    assert [(len(row.cells[0]), row.cells[1]) for row in rows] == [(300_000, "Vaduz"), (1, "Schaan")]


@pytest.mark.parametrize("cell", ['<c r="XFD1048576"/>', '<c t="n" r="XFD1048576"/>', "<x:c s='1'  r = 'xfd1048576'/>"])
def test_a_stray_cell_far_away_is_found_however_it_is_written(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/elsewhere/one.xml", f'<sheetData><row><c r="A1"/>{cell}</row></sheetData>')
    with pytest.raises(BadFile, match="column 16,384 and row 1,048,576"):
        open_table(path, knows=lambda title: title.lower() in KNOWN)


def workbook_of(path: Path, rows: str, name: str = "xl/worksheets/sheet1.xml") -> Path:
    """A workbook with one sheet of these rows."""
    path = path / "list.xlsx"
    book = Workbook()
    book.active.append(["name", "city"])
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one).decode() for one in archive.namelist()}
    sheet = parts.pop("xl/worksheets/sheet1.xml").replace("</sheetData>", f"{rows}</sheetData>")
    rels = parts.pop("xl/_rels/workbook.xml.rels").replace("/xl/worksheets/sheet1.xml", f"/{name}")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in (parts | {name: sheet, "xl/_rels/workbook.xml.rels": rels}).items():
            archive.writestr(one, content)
    return path


FAR = '<c r="C99999999" t="inlineStr"><is><t>A</t></is></c>'


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ('<row r="4000000000"><c t="inlineStr"><is><t>A</t></is></c></row>', "xl/worksheets/sheet1.xml"),
        (f'<row r="3">{FAR}</row>', "xl/worksheets/sheet1.xml"),
        (f'<row r="3">{FAR.replace("r=", "x='" + "1" * 250 + "' r=")}</row>', "xl/worksheets/sheet1.xml"),
        (f'<row r="3">{FAR.replace("C99999999", "ZZZZ99999999999")}</row>', "xl/worksheets/sheet1.xml"),
        (f'<row r="3">{FAR}</row>', "xl/media/sheet1.xml"),
    ],
)
def test_a_small_workbook_that_asks_for_all_memory_is_refused(tmp_path: Path, rows: str, name: str) -> None:
    """The process that served the upload was killed by it."""
    with pytest.raises(BadFile) as refused:
        open_table(workbook_of(tmp_path, rows, name), knows=lambda title: title in KNOWN)
    assert "stray cells" in str(refused.value.help)


def test_a_workbook_is_not_read_for_longer_than_it_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SECONDS", 1)
    far = FAR.replace("r=", "x='" + "1" * 250 + "' r=").replace("C99999999", "ZZZZZ3")
    with pytest.raises(BadFile, match="or 1 s to read"):
        open_table(workbook_of(tmp_path, f'<row r="3">{far}</row>'), knows=lambda title: title in KNOWN)


@pytest.mark.parametrize("parts", [1, 3])
def test_a_cell_of_many_megabytes_in_a_workbook_is_refused(tmp_path: Path, parts: int) -> None:
    cell = f"<is>{f'<r><t>{"A" * (2_100_000 // parts)}</t></r>' * parts}</is>"
    with pytest.raises(BadFile, match="holds more than 1"):
        open_table(
            workbook_of(tmp_path, f'<row r="2"><c r="A2" t="inlineStr">{cell}</c></row>'),
            knows=lambda title: title in KNOWN,
        )


def test_a_workbook_that_is_not_read_to_its_end_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook_of(tmp_path, '<row><c t="inlineStr"><is><t>A</t></is></c></row>' * 20_000)
    started: list[subprocess.Popen[str]] = []

    class Noted(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    found = open_table(path, knows=lambda title: title in KNOWN)
    assert next(found.rows).cells[0] == "A"
    assert started[0].returncode is None
    del found
    assert started[0].returncode is not None


@pytest.mark.parametrize(
    ("header", "row", "wanted"),
    [
        (["Firma", "Breite", "Länge"], ["A", "47,14", "9,52"], {"0": "name", "1": "lat", "2": "lon"}),
        (["Firma", "x", "y"], ["A", "9.52", "47.14"], {"0": "name", "1": "lon", "2": "lat"}),
        (["Firma", "p1", "p2"], ["A", "47.141234", "9.521234"], {"0": "name", "1": "lat", "2": "lon"}),
        (["Firma", "p1", "p2"], ["A", "-122.41941", "37.77493"], {"0": "name", "1": "lon", "2": "lat"}),
        (["Firma", "Breite", "Länge"], ["A", "120000", "800 mm"], {"0": "name"}),
        (["Firma", "netto", "brutto"], ["A", "47,14", "52,80"], {"0": "name"}),
    ],
)
def test_degrees_side_by_side_are_coordinates(header: list[str], row: list[str], wanted: dict[str, str]) -> None:
    assert guessing.guess(header, [row] * 3, ACCOUNT_COLUMNS) == wanted
