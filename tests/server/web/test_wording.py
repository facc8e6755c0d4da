"""What was put together in English, stored or just refused, reads in the language of whoever looks at it."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.exchange.kinds import KINDS
from server.kit import validation
from server.kit.filtering import FilterError, parse
from server.kit.filtering.compiler import unknown
from server.kit.filtering.fields import NEEDED
from server.kit.filtering.guard import TooSlow
from server.kit.ids import uuid7
from server.sync.protocol.reasons import REASONS
from server.web.language import Language, catalogue

SERVER = Path(__file__).parents[3] / "server"
ROOMS = sorted(path.name for path in SERVER.iterdir() if path.is_dir() and any(path.rglob("*.py")))
"""Every room, for whoever asks may read a page."""

UNREAD = ("sync/", "kit/etags.py", "kit/settings.py", "auth/tokens.py")
"""Read by programs, or by whoever starts the server; `commands.py` is read in a terminal."""

TAKES_WORDS = {"warn", "refuse", "convert", "Problem"} | {
    "Invalid", "BadRequest", "NotFound", "Conflict", "Gone", "Forbidden", "BadFile", "ChooseLayer", "FileTooLarge",
    "NotReady", "PreconditionFailed", "FilterError", "unknown", "no_such", "TooExpensive",
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


def calls(path: Path, names: set[str]) -> Iterator[ast.Call]:
    """The calls in a file by which something is refused or warned of."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in names:
            yield call


def sentences(path: Path) -> Iterator[str]:
    """What a file refuses or warns of, and the way out."""
    for call in calls(path, TAKES_WORDS):
        helps = [given.value for given in call.keywords if given.arg == "help"]
        yield from (
            text for given in [*call.args, *helps] for text in written(given) if " " in text and has_words(text)
        )


def has_words(text: str) -> bool:
    """Whether more than gaps follow a label."""
    return re.search("[a-z]{2}", text.partition(": ")[2] or text) is not None


def is_read(path: Path) -> bool:
    """Whether people read on a page what a file says."""
    return path.name != "commands.py" and not path.relative_to(SERVER).as_posix().startswith(UNREAD)


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_refuses_or_warns_of_is_said_in_german(room: str) -> None:
    files = [path for path in sorted((SERVER / room).rglob("*.py")) if is_read(path)]
    said = {text for path in files for text in sentences(path)}
    assert {text for text in said if DE.said(text) == text} == set()


def test_whatever_the_filter_language_refuses_is_said_in_german_with_its_place() -> None:
    rooms = [*sorted((SERVER / "kit" / "filtering").glob("*.py")), SERVER / "accounts" / "around.py"]
    rooms += sorted((SERVER / "segments").glob("*.py"))
    refused = {text.format(field="value") for text, _ in NEEDED.values()}
    for path in rooms:
        refused |= {
            text for call in calls(path, {"FilterError", "unknown", "no_such"}) for text in written(call.args[0])
        }
    assert len(refused) > 45
    said = {text: DE.said(FilterError(text, 4000).message) for text in refused}
    assert {text: german for text, german in said.items() if german != f"{DE.said(text)} (bei Zeichen 4001)"} == {}
    assert {text for text in refused if DE.said(text) == text} == set()


def test_what_is_refused_of_a_filter_keeps_what_was_written_and_names_the_way_out() -> None:
    with pytest.raises(FilterError) as caught:
        parse("kind = shop=bakery")
    assert DE.said(caught.value.message) == "«shop=bakery» braucht Anführungszeichen (bei Zeichen 8)"
    assert DE.said(caught.value.help).startswith('Schreiben Sie kind = "shop=bakery" oder')
    with pytest.raises(FilterError) as caught:
        parse("within 2000 minutes of Vaduz")
    assert DE.said(caught.value.message) == "2000 liegt nicht zwischen 0 und 120 Minuten (bei Zeichen 1)"
    meant = unknown("there is no field “cty”", "cty", ["city", "class"], 3)
    assert DE.said(f"{meant.message}. {meant.help}") == "Es gibt kein Feld «cty» (bei Zeichen 4). Meinten Sie «city»?"
    stranger = unknown("there is no field “x”", "x", ["city", "class"], 0)
    assert DE.said(stranger.help) == "Bekannt: city, class."
    for wished in ("", "name ~ «a»"):
        slow = TooSlow(wished, 8)
        assert "abgebrochen" in DE.said(slow.message)
        assert DE.said(slow.help) != slow.help
    helps = {help for _, help in NEEDED.values() if help}
    assert {help for help in helps if DE.said(help) == help} == set()


def test_what_files_are_recognised_by_and_their_columns_are_said_in_german(session: Session) -> None:
    told = [kind.target(session) for kind in KINDS.values()]
    labels = {label for one in told for label in one.keys.values()} | {c.label for one in told for c in one.columns}
    assert {label for label in labels if DE.t(label) == label} <= {"Name", "Person", "Status", "Text", "Website"}


def test_why_a_phone_was_refused_is_said_in_german() -> None:
    def plain(text: str) -> str:
        return re.sub(r"{\w+}", "{}", text)

    known = {plain(text) for text in catalogue("de")}
    read_so = re.compile(r"Write it like |.*: is missing\.$")
    unsaid = {text for text in REASONS.values() if plain(text) not in known and not read_so.match(text)}
    assert {text for text in unsaid if plain(text).removeprefix("{}: ").rstrip(".") not in known} == set()
    assert DE.said("Points: 5,000 points is too much.") == "Punkte: 5,000 points ist zu viel."
    told = "Mara: No mail server is set up. An admin does that under Integrations."
    assert DE.said(told) == "Mara: Es ist kein Mailserver eingerichtet. Das macht ein Admin unter Integrationen."
    assert DE.said("“Grinder G 5” (7) is sold no more.") == "«Grinder G 5» (7) wird nicht mehr verkauft."


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


def test_a_day_is_written_as_its_reader_writes_it() -> None:
    read = "Last visit: “03/04/2026” is read as 03 March 2026."
    assert DE.said(read) == "Letzter Besuch: «03/04/2026» wird als 3. März 2026 gelesen."
    assert EN.said(read) == read


def test_words_within_a_sentence_are_said_too() -> None:
    status = "Status: “gone?” is none of prospect, customer, former; left out."
    assert DE.said(status) == "Status: «gone?» ist weder Interessent noch Kunde noch ehemalig; weggelassen."
    mail = "E-mail: “kein-mail” is not an e-mail address; left out."
    assert DE.said(mail) == "E-Mail: «kein-mail» ist keine E-Mail-Adresse; weggelassen."
    assert DE.said("Name: 10,000 characters are too many.") == "Name: 10.000 Zeichen sind zu viele."
    assert DE.said("Name: is missing. Every account needs a name.") == "Name: fehlt. Jedes Konto braucht einen Namen."


def test_a_script_of_a_page_is_refused_in_the_language_of_the_page_and_a_program_in_english(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("mona", Role.MANAGER))
    unknown, spoken = f"/api/v1/accounts/{uuid7()}", {"accept": "application/json", "accept-language": "de"}
    assert browser.get(unknown, headers=spoken).json()["detail"] == "There is no such account."
    assert (
        browser.get(unknown, headers=spoken | {"x-csrf-token": "-"}).json()["detail"] == "Dieses Konto gibt es nicht."
    )
    misfit = "/api/v1/accounts?limit=many"
    refused = browser.get(misfit, headers=spoken).json()
    assert (refused["detail"], refused["code"]) == ("Limit: a whole number is needed.", "invalid")
    assert refused["errors"] == [{"field": "limit", "where": "query", "message": "a whole number is needed."}]
    said = browser.get(misfit, headers=spoken | {"x-csrf-token": "-"}).json()["detail"]
    assert said == "Limit: hier braucht es eine ganze Zahl."


def test_what_is_wrong_with_the_shape_of_a_request_is_said_in_words_of_ours_and_in_german() -> None:
    class Line(BaseModel):
        quantity: int
        price: Decimal = Field(ge=0, max_digits=4)
        day: date
        unit: Literal["piece", "box"] = "piece"

    given = {"quantity": "two", "price": -1, "day": "soon", "unit": "crate"}
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(list[Line]).validate_python([given])
    items = [{**item, "loc": ("body", *item["loc"])} for item in refused.value.errors()]
    said = [f"{validation.label(item['loc'])}: {validation.problem(item)}" for item in items]
    assert said == [
        "1 quantity: a whole number is needed.",
        "1 price: 0 or more is needed.",
        "1 day: a day is needed, as in 2026-11-27.",
        "1 unit: one of these is needed: 'piece' or 'box'.",
    ]
    german = "1 quantity: hier braucht es eine ganze Zahl. 1 price: hier braucht es 0 oder mehr."
    assert DE.said(" ".join(said[:2])) == german
    assert {text for text in validation.SAID.values() if "{label}: " + text not in catalogue("de")} == set()
