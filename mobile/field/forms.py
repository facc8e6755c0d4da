"""The questions of a visit type: which are asked, given the answers so far, and what is still missing. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from mobile.field.rows import docs
from mobile.field.store import Store
from mobile.field.store.canonical import Json

MOST = Decimal("999999999999.99")
"""Beyond it the server takes no number."""


@dataclass(frozen=True)
class VisitType:
    """A kind of visit with its questions as this phone has them."""

    id: str
    name: str
    version_id: str | None
    questions: tuple[Json, ...]


@dataclass(frozen=True)
class Told:
    """An answer as it was told when it was given: the office may change or take away its question afterwards."""

    value: Any
    label: str
    """Of the question."""
    words: str
    kind_id: str | None
    """Of the visit."""
    kind: str
    """What that kind was called."""


def told_then(said: Mapping[str, Sequence[Any]], key: str, value: Any) -> Told | None:
    """How an answer was told when it was given, of what a draft holds by keys; None where that was another answer."""
    told = Told(*said[key]) if key in said else None
    return told if told is not None and told.value == value else None


FIGURES = ("number", "money")
FAULTS = ("no_number", "no_day", "too_large")
"""What is wrong with an answer that does not fit."""
"""Kinds whose answers are numbers, typed as text."""


def visit_types(store: Store) -> list[VisitType]:
    """The kinds of visits that are offered, in the company's order."""
    found = [doc for doc in docs(store, "visit_type") if not doc.get("archived")]
    found.sort(key=lambda doc: (doc.get("position") or 0, doc["name"]))
    return [VisitType(d["id"], d["name"], d.get("form_version_id"), tuple(d.get("questions") or ())) for d in found]


def asked(questions: Sequence[Json], answers: Mapping[str, Any]) -> list[Json]:
    """The questions that are asked, in order; one that hangs on an earlier answer only when that was given."""
    shown: list[Json] = []
    given: dict[str, Any] = {}
    for one in questions:
        if not _is_asked(one, given):
            continue
        shown.append(one)
        given[one["key"]] = answers.get(one["key"])
    return shown


def _is_asked(question: Json, given: Mapping[str, Any]) -> bool:
    if not question.get("asked_if"):
        return True
    answer = given.get(question["asked_if"])
    if answer in (None, "", []):
        return False
    held = answer if isinstance(answer, list) else [answer]
    wanted = question.get("asked_if_is") or []
    return not wanted or any(one in wanted for one in held)


def answers_to(questions: Sequence[Json], typed: Mapping[str, Any], language: str = "") -> dict[str, Any]:
    """The answers to the questions that are asked, as they are sent: figures typed in a language as all read them."""
    given = {one["key"]: (one["kind"], typed.get(one["key"])) for one in asked(questions, typed)}
    return {
        key: _plainly(value, language) if kind in FIGURES else value
        for key, (kind, value) in given.items()
        if value not in (None, "", [])
    }


def _plainly(text: Any, language: str) -> Any:
    number = decimal(text, language)
    if number is None or number == decimal(text):
        return text
    currency = re.search(r"\s*[A-Za-z]{3}$", str(text).strip())
    return f"{number:f}{currency[0] if currency else ''}"


def missing(questions: Sequence[Json], typed: Mapping[str, Any]) -> list[Json]:
    """The required questions without an answer."""
    return [one for one in asked(questions, typed) if one.get("required") and typed.get(one["key"]) in (None, "", [])]


def unfit(questions: Sequence[Json], typed: Mapping[str, Any], why: str = "") -> list[Json]:
    """The questions whose answer is no number or no day although it has to be one, or a number that is too large: all
    of them, or those with one of the FAULTS."""
    faults = (why,) if why else FAULTS
    return [
        one
        for one in asked(questions, typed)
        if typed.get(one["key"]) not in (None, "", []) and _fault(one["kind"], typed[one["key"]]) in faults
    ]


def _fault(kind: str, value: Any) -> str:
    if kind in FIGURES:
        number = decimal(value)
        return "no_number" if number is None else "too_large" if abs(number) > MOST else ""
    return "no_day" if kind == "date" and day(value) is None else ""


def figure(number: Decimal, language: str) -> str:
    """A number as people of a language write it: "1,234.5" or "1.234,5"."""
    text = f"{number:,f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text


def decimal(value: object, language: str = "") -> Decimal | None:
    """A number as people write it, with a point or a comma and thousands set apart; None when it is none. "1.234" and
    "1,234" are read as the language writes them, without one with the sign as its point; all else reads in one way."""
    text = re.sub(r"(?<=\d)['’\s](?=\d)", "", str(value).strip())
    text = re.sub(r"\s*[A-Za-z]{3}$", "", text)
    point = max(".,", key=text.rfind) if "." in text and "," in text else {"de": ",", "en": "."}.get(language)
    if point:
        apart = "," if point == "." else "."
        if re.fullmatch(rf"-?[1-9]\d{{0,2}}(\{apart}\d{{3}})+(\{point}\d+)?", text):
            text = text.replace(apart, "")
    if re.fullmatch(r"-?\d+,\d+", text):
        text = text.replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def is_ambiguous(text: str) -> bool:
    """Whether another language reads another number, as in "1.234"."""
    return decimal(text, "en") != decimal(text, "de")


MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "de": ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
}
"""What the app calls the months, by language; the first three letters tell each."""


def day(value: object) -> date | None:
    """A day as people write it, and as the app does: 2026-12-04, 4.12.2026, 4 Dec 2026 or "Fr 4. Dez. 2026"; None when
    it is none."""
    text = str(value).strip()
    match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    named = re.fullmatch(r"(?:[^\W\d]+[.,]*\s+)?(\d{1,2})\.?\s*([^\W\d]{3,})\.?,?\s+(\d{4})", text)
    try:
        if named:
            months = (month for names in MONTHS.values() for month in enumerate(names, 1))
            month = next((number for number, name in months if name[:3].casefold() == named[2][:3].casefold()), 0)
            return date(int(named[3]), month, int(named[1]))
        return date(int(match[3]), int(match[2]), int(match[1])) if match else date.fromisoformat(text)
    except ValueError:
        return None
