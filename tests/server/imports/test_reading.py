"""Files of every make become tables, or an error that says what to do."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.imports import delimited, guessing
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
