"""A received text file read in another way: other letters, other cells. The file is kept as it came for it."""

import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.imports.errors import NotReady
from server.imports.models import WORKING, ImportPiece, ImportRun, State
from server.kit.database import copy_rows
from server.kit.errors import Invalid

ENCODINGS = {
    "cp1252": "Western Europe (Windows-1252)",
    "cp1250": "Central Europe (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1257": "Baltic (Windows-1257)",
    "iso8859_2": "Central Europe (ISO 8859-2)",
    "iso8859_15": "Western Europe (ISO 8859-15)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "cp850": "Western Europe (DOS 850)",
    "cp852": "Central Europe (DOS 852)",
    "mac_roman": "Western Europe (Macintosh)",
}
"""What a text file can be read in, with the name that people choose by."""
DELIMITERS = {"semicolon": ";", "comma": ",", "tab": "\t", "bar": "|"}
"""What can separate the cells of a text file, by the name that people choose by."""
CHOSEN = ("encoding", "delimiter")
"""Options of an import that say how its file is read, when somebody has chosen it."""

PIECE = 1 << 20


def is_unicode(encoding: str | None) -> bool:
    """Whether a file tells its letters itself."""
    return (encoding or "utf-8").startswith("utf")


def can_be_reread(run: ImportRun) -> bool:
    """Whether it is text that was not imported."""
    return run.format == "csv" and run.state not in (*WORKING, State.DONE, State.UNDONE)


def encodings_of(run: ImportRun) -> Mapping[str, str]:
    """What the file can be read in; nothing where there is no choice, for Unicode tells itself."""
    return ENCODINGS if can_be_reread(run) and not is_unicode(run.encoding) else {}


def delimiter_of(name: str) -> str:
    """The sign that a name means. Refuses names that are not offered."""
    if name not in DELIMITERS:
        raise Invalid(
            f"“{name[:40]}” is no delimiter that can be chosen.",
            help="One of: " + ", ".join(DELIMITERS) + ".",
            field="delimiter",
        )
    return DELIMITERS[name]


def require_choice(run: ImportRun, encoding: str | None) -> None:
    """Refuse encodings that are not offered, files that have none to choose, and imports that are done."""
    if encoding is not None and encoding not in ENCODINGS:
        raise Invalid(
            f"“{encoding[:40]}” is no encoding that can be chosen.",
            help="One of: " + ", ".join(ENCODINGS) + ".",
            field="encoding",
        )
    if encoding is not None and not encodings_of(run):
        raise NotReady(
            "This file cannot be read in another encoding.",
            help="Only text that is not Unicode has one to choose, and only before it is imported.",
        )
    if not can_be_reread(run):
        raise NotReady(
            "This file cannot be read with another delimiter.",
            help="Only text has one to choose, and only before it is imported.",
        )


def keep(session: Session, run: ImportRun, path: Path) -> None:
    """Keep a file as it came, until it is imported."""

    def pieces() -> Iterator[tuple[object, ...]]:
        with path.open("rb") as file:
            place = 0
            while piece := file.read(PIECE):
                yield run.id, place, zlib.compress(piece, 1)
                place += 1

    copy_rows(session, ImportPiece.__tablename__, ("run_id", "place", "packed"), pieces())


def forget(session: Session, run: ImportRun) -> None:
    """It is imported: the file is not read again."""
    session.execute(delete(ImportPiece).where(ImportPiece.run_id == run.id))


@contextmanager
def as_it_came(session: Session, run: ImportRun) -> Iterator[Path]:
    """The file, on disk for a while. Refuses one that was received before files were kept."""
    with tempfile.NamedTemporaryFile(prefix="waymark-reread-") as copy:
        packed = select(ImportPiece.packed).where(ImportPiece.run_id == run.id).order_by(ImportPiece.place)
        for piece in session.scalars(packed.execution_options(yield_per=4)):
            copy.write(zlib.decompress(piece))
        copy.flush()
        if not copy.tell():
            raise NotReady("This file was not kept.", help="Upload it again to read it in another way.")
        yield Path(copy.name)
