"""What was put together in English, stored or just refused, reads in the language of whoever looks at it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.web.language import Language

SERVER = Path(__file__).parents[3] / "server"
ROOMS = (
    "imports", "accounts/importing", "accounts/duplicates", "accounts/reviewing", "accounts/values.py",
    "fields/values.py", "leads/importing", "products/importing", "geocoding/uploads.py", "geocoding/addressfiles.py",
    "geocoding/files.py",
)  # fmt: skip
"""Rooms whose sentences are stored with a file, a repair or a proposal, or come back from one."""

TAKES_WORDS = {"warn", "refuse", "convert", "Problem"} | {
    "Invalid", "BadRequest", "NotFound", "Conflict", "Gone", "Forbidden", "BadFile", "ChooseLayer", "FileTooLarge",
    "NotReady", "PreconditionFailed",
}  # fmt: skip
EN, DE = Language("en"), Language("de")


def written(node: ast.expr) -> Iterator[str]:
    """The sentences that an expression can be, with a number in each gap."""
    if isinstance(node, ast.IfExp):
        yield from written(node.body)
        yield from written(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)


def sentences(path: Path) -> Iterator[str]:
    """What a file refuses or warns of, and the way out."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in TAKES_WORDS:
            helps = [given.value for given in call.keywords if given.arg == "help"]
            yield from (
                text for given in [*call.args, *helps] for text in written(given) if " " in text and has_words(text)
            )


def has_words(text: str) -> bool:
    """Whether more than gaps follow a label."""
    return re.search("[a-z]{2}", text.partition(": ")[2] or text) is not None


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_says_of_a_file_or_a_decision_is_said_in_german(room: str) -> None:
    found = SERVER / room
    files = sorted(found.rglob("*.py")) if found.is_dir() else [found]
    said = {text for path in files for text in sentences(path)}
    assert {text for text in said if DE.said(text) == text} == set()


def test_values_come_back_out_of_a_stored_sentence() -> None:
    stored = (
        "1,284 addresses on 52 streets.\nSince the version before: 2 streets new, 1 changed; 14 house numbers gone."
    )
    assert DE.said(stored) == (
        "1.284 Adressen an 52 Strassen.\nSeit der vorigen Fassung: 2 Strassen neu, 1 geändert; 14 Hausnummern weg."
    )
    assert EN.said(stored) == stored


def test_what_somebody_wrote_stays_letter_by_letter() -> None:
    assert DE.said("“Dr. 1.5” has the number 12 already.") == "«Dr. 1.5» hat die Nummer 12 schon."
    assert DE.said("Rang 1.5 by the lake. Ring twice.") == "Rang 1.5 by the lake. Ring twice."


def test_words_within_a_sentence_are_said_too() -> None:
    status = "Status: “gone?” is none of prospect, customer, former; left out."
    assert DE.said(status) == "Status: «gone?» ist weder Interessent noch Kunde noch ehemalig; weggelassen."
    assert DE.said("Name: is missing. Every account needs a name.") == "Name: fehlt. Jedes Konto braucht einen Namen."
