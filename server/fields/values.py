"""What each kind of custom field accepts, and how its values are stored, shown and written into files."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Protocol

from server.fields.models import CustomField, FieldKind
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.records.currencies import rounded
from server.records.merging import Json
from server.records.values import MOST_DECIMALS, currency, day, email, phone_e164, plain, website, worded

YES = {"true", "yes", "ja", "oui", "si", "sì", "1", "x", "on", "wahr"}
NO = {"false", "no", "nein", "non", "0", "off", "falsch"}
TEXT_LIMIT, LONG_LIMIT = 500, 20_000
MOST = Decimal("999999999999.99")


@dataclass(frozen=True)
class Choice:
    """One value that can be chosen."""

    value: str
    label: str
    archived: bool = False
    """Not offered any more; stays where it stands."""


@dataclass(frozen=True)
class Shape:
    """What a value may be: of a custom field or of a question in a form."""

    kind: FieldKind
    label: str
    choices: Sequence[Choice] = ()
    unit: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    pattern: str | None = None
    names: Mapping[str, Choice] = field(init=False, repr=False)
    """The choices by value and by label, in small letters."""

    def __post_init__(self) -> None:
        by_label = {one.label.casefold(): one for one in self.choices}
        object.__setattr__(self, "names", by_label | {one.value.casefold(): one for one in self.choices})


def shape_of(custom: CustomField) -> Shape:
    """What the values of a custom field may be."""
    return Shape(
        FieldKind(custom.kind),
        custom.label,
        choices=[Choice(one["value"], one["label"], bool(one.get("archived"))) for one in custom.choices],
        unit=custom.unit,
        minimum=custom.minimum,
        maximum=custom.maximum,
        pattern=custom.pattern,
    )


def accepted(shape: Shape, value: object) -> Json:
    """The value as it is stored; None for nothing. Refuses what the kind, the range or the pattern does not allow."""
    if value is None or (isinstance(value, str) and not value.strip()) or value == []:
        return None
    return ACCEPT[shape.kind](shape, value)


def short(shape: Shape, value: object) -> Json:
    """A line of text."""
    return fitting(shape, plain(worded(value), TEXT_LIMIT))


def long(shape: Shape, value: object) -> Json:
    """Text of several lines."""
    return fitting(shape, plain(worded(value), LONG_LIMIT, lines=True))


def fitting(shape: Shape, written: str | None) -> str | None:
    """The text, when it matches the field's pattern."""
    if written is not None and shape.pattern and not re.fullmatch(shape.pattern, written):
        raise Invalid(f"“{written[:100]}” does not have the expected form", help=f"It must match {shape.pattern}.")
    return written


def decimal(value: object, example: str) -> Decimal:
    """A number as people write it."""
    if isinstance(value, bool):
        raise Invalid("is not a number", help=f"Write it like {example}.")
    written = re.sub(r"(?<=\d)['’\s](?=\d)", "", str(value).strip())
    if "." in written and "," in written:  # what stands last is the point
        apart, point = sorted(".,", key=written.rfind)
        if re.fullmatch(rf"-?[1-9]\d{{0,2}}(\{apart}\d{{3}})+\{point}\d+", written):
            written = written.replace(apart, "")
    if re.fullmatch(r"-?\d+,\d+", written):
        written = written.replace(",", ".")
    try:
        number = Decimal(written)
    except InvalidOperation as error:
        raise Invalid(f"“{plain(value, 500)}” is not a number", help=f"Write it like {example}.") from error
    if not number.is_finite() or abs(number) > MOST:
        raise Invalid(f"{number} cannot be", help=f"Numbers go to {MOST:,}.")
    return number


def in_range(shape: Shape, number: Decimal) -> None:
    """Refuse a number outside the field's range."""
    unit = f" {shape.unit}" if shape.unit else ""
    if shape.minimum is not None and number < shape.minimum:
        raise Invalid(f"{number:f}{unit} is too little", help=f"At least {shape.minimum:f}{unit}.")
    if shape.maximum is not None and number > shape.maximum:
        raise Invalid(f"{number:f}{unit} is too much", help=f"At most {shape.maximum:f}{unit}.")


def number(shape: Shape, value: object) -> Json:
    """A number in the field's range."""
    found = decimal(value, "12.5")
    in_range(shape, found)
    return int(found) if found == found.to_integral_value() else float(found)


def money(shape: Shape, value: object) -> Json:
    """An amount with its currency: `{"amount": "12.50", "currency": "EUR"}`, or a number in the field's currency."""
    usual = shape.unit or settings().currency
    if isinstance(value, Mapping):
        amount, code = value.get("amount"), value.get("currency") or usual
        if amount is None or str(amount).strip() == "":
            return None
    else:
        written = str(value).strip()
        match = re.fullmatch(r"([A-Za-z]{3})\s*(.+)|(.+?)\s*([A-Za-z]{3})", written)
        amount = (match[2] or match[3]) if match else written
        code = (match[1] or match[4]) if match else usual
    code = currency(code)
    found = rounded(decimal(amount, "12.50"), code)
    in_range(shape, found)
    return {"amount": str(found), "currency": code}


def on_day(_shape: Shape, value: object) -> Json:
    """A day."""
    if match := re.fullmatch(r"\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\s*", str(value)):
        value = f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}"
    found = day(value if isinstance(value, date) else str(value).strip()[:10])
    return found.isoformat() if found else None


def yes_or_no(_shape: Shape, value: object) -> Json:
    """Yes or no."""
    written = str(value).strip().casefold()
    if written not in YES | NO:
        raise Invalid(f"“{plain(value, 500)}” is neither yes nor no", help="Write yes or no.")
    return written in YES


def one_of(shape: Shape, value: object) -> Json:
    """One of the field's choices, by value or label."""
    found = shape.names.get(str(value).strip().casefold())
    if found is None:
        offered = ", ".join(one.label for one in shape.choices if not one.archived)
        raise Invalid(f"“{plain(value, 500)}” cannot be chosen", help=f"One of: {offered}.")
    return found.value


def some_of(shape: Shape, value: object) -> Json:
    """Some of the field's choices, each once, in their order."""
    parts = re.split(r"[,;|]", value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | set):
        raise Invalid("needs a list of choices")
    chosen = {one_of(shape, part) for part in parts if str(part).strip()}
    return [one.value for one in shape.choices if one.value in chosen] or None


def dialled(_shape: Shape, value: object) -> Json:
    """A phone number, as it is written; refuses what nobody could dial."""
    written = plain(worded(value), 60)
    if written and phone_e164(written, None) is None and not re.fullmatch(r"[\d\s()/.+-]{4,}", written):
        raise Invalid(f"“{written}” is not a phone number", help="Write it like +423 237 12 12.")
    return written


ACCEPT: Mapping[FieldKind, Callable[[Shape, object], Json]] = {
    FieldKind.TEXT: short,
    FieldKind.LONG_TEXT: long,
    FieldKind.NUMBER: number,
    FieldKind.MONEY: money,
    FieldKind.DATE: on_day,
    FieldKind.FLAG: yes_or_no,
    FieldKind.CHOICE: one_of,
    FieldKind.CHOICES: some_of,
    FieldKind.URL: lambda shape, value: fitting(shape, website(value)),
    FieldKind.MAIL: lambda shape, value: fitting(shape, email(value)),
    FieldKind.PHONE: dialled,
}
"""The rule of each kind."""


class Speech(Protocol):
    """How parts of a value are said: by a page in a language, or plainly for files."""

    def t(self, text: str, /) -> str:
        """A word, or a label of the company's."""

    def gone(self, choice: str, /) -> str:
        """A choice that its field does not have any more."""

    def exact(self, value: Decimal, currency: str, /) -> str:
        """An amount."""

    def day(self, value: date, /) -> str:
        """A day."""

    def quantity(self, value: Decimal, unit: str | None, /) -> str:
        """A number with all its digits, and what it counts."""


class Plainly:
    """How files say values, so that an import reads them again."""

    def t(self, text: str, /) -> str:
        """The text itself."""
        return text

    def gone(self, choice: str, /) -> str:
        """The value itself."""
        return choice

    def exact(self, value: Decimal, currency: str, /) -> str:
        """12.50 EUR."""
        return f"{value} {currency}"

    def day(self, value: date, /) -> str:
        """2026-03-31."""
        return value.isoformat()

    def quantity(self, value: Decimal, _unit: str | None, /) -> str:
        """12.5, without its unit."""
        return f"{value:f}"


PLAINLY = Plainly()


def in_words(shape: Shape, value: Json, speech: Speech = PLAINLY) -> str | None:
    """A stored value as a page, a file or a line of history says it; None for nothing.

    Whatever the value is, it is said: one that was left from another kind of field, or that a phone made up, as it is.
    """
    if value is None or value == []:
        return None
    labels = {one.value: speech.t(one.label) for one in shape.choices}
    match shape.kind, value:
        case FieldKind.MONEY, {"amount": str() | int() | float()}:
            return as_it_is(value, speech, shape.unit)
        case FieldKind.NUMBER, int() | float() if (number := figure(value)) is not None:
            return speech.quantity(number, shape.unit)
        case FieldKind.DATE, str() if (found := a_day(value)) is not None:
            return speech.day(found)
        case FieldKind.CHOICE, str():
            return labels.get(value) or speech.gone(value)
        case FieldKind.CHOICES, list():
            return ", ".join(
                labels.get(one) or speech.gone(one) if isinstance(one, str) else as_it_is(one, speech) for one in value
            )
    return as_it_is(value, speech)


def is_gone(shape: Shape, value: Json) -> bool:
    """Whether a choice is none of its field any more, or one among several is: neither can be taken."""
    known = {one.value for one in shape.choices}
    several = value if isinstance(value, list) else [value]
    is_choice = shape.kind in (FieldKind.CHOICE, FieldKind.CHOICES)
    return is_choice and any(isinstance(one, str) and one not in known for one in several)


def as_it_is(value: Json, speech: Speech = PLAINLY, currency: str | None = None) -> str:
    """A value of which nobody knows what it should be: yes, no, numbers and amounts in words, the rest as it stands."""
    match value:
        case None:
            return "–"
        case bool():
            return speech.t("yes") if value else speech.t("no")
        case int() | float() if (number := figure(value)) is not None:
            return speech.quantity(number, None)
        case {"amount": amount, **rest} if (number := figure(amount)) is not None and rest.keys() <= {"currency"}:
            code = rest.get("currency") or currency or settings().currency
            return speech.exact(number, code) if isinstance(code, str) else f"{amount} {code}"
        case list():
            return ", ".join(as_json(one) if isinstance(one, list | dict) else as_it_is(one, speech) for one in value)
        case dict():
            return as_json(value)
    return str(value)


def as_json(value: Json) -> str:
    """A value within a value, as it is stored."""
    return json.dumps(value, ensure_ascii=False)


def figure(value: object) -> Decimal | None:
    """A stored number, where it is one that anybody could read."""
    try:
        number = None if isinstance(value, bool) else Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number is not None and number.is_finite() and is_readable(number) else None


def is_readable(number: Decimal) -> bool:
    """Whether a number is written with a few digits."""
    return abs(number) <= MOST and int(number.as_tuple().exponent) >= -MOST_DECIMALS


def a_day(value: str) -> date | None:
    """A stored day, where it is one."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
