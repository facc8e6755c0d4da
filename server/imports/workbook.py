"""Workbooks (XLSX): looked at for what is plainly a bomb, then one sheet with data is read apart; see `sheets`."""

import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from server.imports import sheets
from server.imports.delimited import Record
from server.imports.errors import BadFile, ChooseLayer, FileTooLarge

MAX_CELLS = 30_000_000
MAX_MEMBERS = 10_000
CELL = re.compile(rb"""<(?:\w+:)?c\s[^<>]{0,200}?\br\s*=\s*["']([A-Za-z]{0,20})(\d{1,20})["']""")
"""A cell's place as tags usually say it; one that is written otherwise ends with the process that reads it."""

MEMORY = 4_000_000_000
"""Bytes that reading a workbook may take."""

SECONDS, BYTES_A_SECOND = 20, 2_000_000
"""Processor time that reading may take: so many seconds, and one for each so many bytes that are unpacked."""

LONGEST_TAG = 300
CHUNK = 1_000_000


def check_archive(path: Path, max_unpacked: int) -> int:
    """The bytes to which a workbook unpacks; reads every one to be sure. Refuses more than allowed, and stray cells."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_unpacked:
                raise too_large(max_unpacked)
            if any(member.filename == "xl/workbook.bin" for member in members):
                raise BadFile("The file is a binary workbook (XLSB).", help="Save it as XLSX or CSV.")
            if not any(member.filename.startswith("xl/") for member in members):
                raise BadFile("The file is an archive, not a workbook.", help="Upload the XLSX or CSV file inside it.")
            left = max_unpacked
            for member in members:
                left -= checked_member(archive, member, left, max_unpacked)
            return max_unpacked - left
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadFile(f"The workbook is damaged: {error}.", help="Save it again as XLSX, or as CSV.") from error


def checked_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, limit: int) -> int:
    """Unpack one member to nowhere; returns its size."""
    size, columns, rows, tail = 0, 0, 0, b""
    is_text = not member.filename.startswith(("xl/media/", "xl/sharedStrings"))  # a sheet may have any name
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > left:
                raise too_large(limit)
            if len(chunk) == CHUNK and b"<" not in chunk and member.filename.endswith(".xml"):
                raise BadFile(
                    f"A single cell of the workbook holds more than {CHUNK // 1_000_000} MB ({member.filename}).",
                    help="Empty it, or save the table as CSV.",
                )
            if is_text:
                for letters, row in CELL.findall(tail + chunk):
                    columns, rows = max(columns, column_number(letters)), max(rows, int(row))
                tail = chunk[-LONGEST_TAG:]
    if columns * rows > MAX_CELLS:
        raise BadFile(
            f"A sheet of the workbook reaches to column {columns:,} and row {rows:,}.",
            help="Delete the stray cells far away from the table, or save the table as CSV.",
        )
    return size


def too_large(limit: int) -> FileTooLarge:
    """The refusal of a bomb."""
    return FileTooLarge(
        f"The workbook unpacks to more than {limit // 1_000_000:,} MB.",
        help="Split it, or raise WAYMARK_MAX_UNPACKED_MB.",
    )


def column_number(letters: bytes) -> int:
    """`A` -> 1, `AA` -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + (letter & 0xDF) - 64
    return number


def records(path: Path, sheet_name: str | None, unpacked: int) -> tuple[str, Iterator[Record]]:
    """The chosen sheet and its rows, read in a process of its own that gets so much memory and time and no more.

    Refuses several sheets with data, an unknown sheet, and what would cost more. `unpacked`: bytes, for the time.
    """
    seconds = SECONDS + unpacked // BYTES_A_SECOND
    command = [sys.executable, "-I", sheets.__file__, str(path), str(MEMORY), str(seconds)]
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [*command, *([sheet_name] if sheet_name else [])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
    )
    found = answers(process, seconds)
    return str(next(found)), (Record(number, cells, note=note) for number, cells, note in found)


def answers(process: subprocess.Popen[str], seconds: int) -> Iterator[Any]:
    """What the process says, up to its end. Refuses what it refuses, and a workbook at which it dies."""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            said = json.loads(line) if line.endswith("\n") else {}  # cut short: it died while it wrote
            if said is None:
                return
            if isinstance(said, dict) and said.get("choices"):
                raise ChooseLayer(said["message"], help=said["help"], choices=said["choices"])
            if isinstance(said, dict) and said:
                raise BadFile(said["message"], help=said["help"])
            if said != {}:
                yield said
        raise BadFile(
            f"The workbook takes more than {MEMORY // 1_000_000:,} MB of memory or {seconds:,} s to read.",
            help="Delete the stray cells far away from the table, or save the table as CSV.",
        )
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
