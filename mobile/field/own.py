"""The company's own fields: which there are, what their values may be by the server's rules, and how they are told.

A value is named `custom.<key>` in an entry and in a conflict; in a row all of them lie together under `custom`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from mobile.field import forms
from mobile.field.capture import edit
from mobile.field.limits import LEAST_DIGITS, PATTERNS, Fault, Unfit
from mobile.field.rows import docs
from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.outbox import Op
from mobile.field.store.overlay import CUSTOM

LENGTHS = {"text": 500, "long_text": 20_000, "url": 500, "mail": 254, "phone": 60}
"""Characters of each kind of text."""
FINEST = 12
"""So many digits after the point are sent of an amount; the server rounds to those of the currency."""
NOTHING: tuple[object, ...] = (None, "", [])
AT_ONCE = 50
"""So many fields go into one entry."""
DIALLED = re.compile(r"[\d\s()/.+-]{4,}")
AMOUNT = re.compile(r"([A-Za-z]{3})\s*(.+)|(.+?)\s*([A-Za-z]{3})")

TOLD = 60
"""So many characters of what does not fit are told."""
type Called = Callable[[str], str]
"""How a label of the company's is told."""


class Words(Protocol):
    """How values are written in a language."""

    language: str

    def __call__(self, key: str, **values: object) -> str: ...

    def own(self, text: str) -> str: ...

    def money(self, amount: object, currency: str) -> str: ...

    def number(self, n: float) -> str: ...


def fields_of(store: Store, kind: str) -> list[Json]:
    """The fields of accounts, sites or contacts, in the company's order; archived ones are not shown any more."""
    known = [d for d in docs(store, "custom_field") if d["object"] == kind and not d.get("archived")]
    return sorted(known, key=lambda one: (one.get("section") or "", one.get("position") or 0, one["label"]))


def filled(store: Store, kind: str, row: Json, words: Words) -> list[tuple[str, str]]:
    """The fields of a row that hold something, as label and words."""
    values = row.get("custom") or {}
    known = [one for one in fields_of(store, kind) if values.get(one["key"]) not in (None, "", [])]
    return [(words.own(one["label"]), in_words(words, one, values[one["key"]])) for one in known]


def named(store: Store, kind: str, name: str) -> Json | None:
    """The field that is meant by `custom.<key>`; None for one of Waymark's own, or that this phone does not know."""
    key = name.removeprefix(CUSTOM)
    known = docs(store, "custom_field") if key != name else []
    return next((one for one in known if (one["object"], one["key"]) == (kind, key)), None)


def in_words(words: Words, field: Json | None, value: Any) -> str:
    """A value, whatever it is: the office may have made another kind of the field since, or taken it away (None)."""
    field = field or {}
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if isinstance(value, list):
        return ", ".join(in_words(words, field, one) for one in value)
    if isinstance(value, dict):
        amount = forms.decimal(value.get("amount"))
        if amount is None or abs(amount) > forms.MOST:
            return ", ".join(f"{name}: {one}" for name, one in value.items())
        return words.money(amount, str(value.get("currency") or "")).strip()
    labels = {one["value"]: words.own(one["label"]) for one in field.get("choices") or ()}
    if isinstance(value, str):
        day = forms.day(value) if field.get("kind") == "date" else None
        told = labels.get(value, value) if day is None else _told(words, day)
    else:
        told = words.number(value) if isinstance(value, int | float) else str(value)
    return f"{told} {words.own(field['unit'])}" if field.get("unit") and field["kind"] == "number" else str(told)


def _told(words: Words, day: date) -> str:
    """A day as forms take it."""
    return f"{day.day}.{day.month}.{day.year}" if words.language == "de" else day.isoformat()


def _written(value: Any) -> str:
    """A stored value that is no choice, as it is typed."""
    if isinstance(value, dict):
        return " ".join(_figure(str(value[key])) for key in ("amount", "currency") if value.get(key))
    return "" if value is None else _figure(str(value)) if isinstance(value, int | float) else str(value)


def _figure(text: str) -> str:
    """Digits that every language reads as the same number: "1.2340" of 1.234."""
    return f"{text}0" if forms.decimal(text) is not None and forms.is_ambiguous(text) else text


def shown(field: Json, value: Any) -> Any:
    """A stored value as a form has it: chosen, or as it is written; nothing where it is of a kind that the field had
    before and cannot stand there."""
    if field["kind"] == "choices":
        is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
        return list(value) if is_list else []
    if field["kind"] in ("choice", "flag"):
        return value if isinstance(value, str if field["kind"] == "choice" else bool) else None
    return "" if isinstance(value, bool | list) else _written(value)


def typed(field: Json | None, value: Any) -> Any:
    """A value that was refused, as a form had it; as it is where the field cannot hold it any more."""
    held = None if field is None else shown(field, value)
    return value if field is None or (held in NOTHING and value not in NOTHING) else held


def holds(field: Json, given: Any) -> bool:
    """Whether what was typed or chosen is of a field's kind, which may have been another one then."""
    if given is None:
        return True
    if field["kind"] == "flag":
        return isinstance(given, bool)
    if field["kind"] not in ("choice", "choices"):
        return isinstance(given, str)
    known = [one["value"] for one in field.get("choices") or ()]
    several = field["kind"] == "choices"
    return isinstance(given, list if several else str) and all(one in known for one in (given if several else [given]))


def is_gone(field: Json | None, value: Any) -> bool:
    """Whether a choice is none of its field any more, or one among several is: the server takes neither."""
    if field is None or field["kind"] not in ("choice", "choices"):
        return False
    return any(isinstance(one, str) and not holds(field | {"kind": "choice"}, one) for one in _each(value))


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def left_over(kinds: Mapping[str, forms.VisitType], kind_id: str | None, answers: Json, said: Json) -> list[str]:
    """The keys of answers that neither the chosen kind of visit nor the one to which they were given asks any more, or
    asks otherwise; `said` tells of each to which it was given (`forms.said`), else that is the chosen one."""

    def is_asked(key: str, kind_id: str | None) -> bool:
        kind = kinds.get(kind_id or "")
        questions = kind.questions if kind else ()
        return any(one["key"] == key and holds(one, typed(one, answers[key])) for one in questions)

    given_to = {key: one.kind_id for key in answers if (one := forms.told_then(said, key, answers[key]))}
    return [
        key
        for key, value in answers.items()
        if value not in NOTHING and not is_asked(key, kind_id) and not is_asked(key, given_to.get(key))
    ]


def offered(field: Json, value: Any) -> Json:
    """A field as a form asks it: of choices that were taken out only what stands there already."""
    held = value if isinstance(value, list) else [value]
    choices = [one for one in field.get("choices") or () if not one.get("archived") or one["value"] in held]
    return field | {"choices": choices}


def changes(
    fields: Sequence[Json], held: Json, typed: Mapping[str, Any], called: Called = str, language: str = ""
) -> Json:
    """What was typed in a language where it differs from what a row holds, by `custom.<key>` and as the server stores
    it.

    Raises Unfit with every field whose value the server would not take.
    """
    found, faults = Json(), list[Fault]()
    for field in fields:
        key = field["key"]
        if key not in typed or typed[key] == shown(field, held.get(key)):
            continue
        try:
            found[CUSTOM + key] = accepted(field, typed[key], called, language)
        except Unfit as unfit:
            faults += unfit.faults
    if faults:
        raise Unfit(*faults)
    return found


def change(store: Store, e: str, row_id: str, values: Json, seen: tuple[int, Json]) -> list[Op]:
    """Save own fields of a row as it was `seen`, in entries of their own: a field that the office has changed or taken
    away meanwhile keeps nothing else from being taken."""
    names = list(values)
    parts = ({name: values[name] for name in names[at : at + AT_ONCE]} for at in range(0, len(names), AT_ONCE))
    return [op for part in parts if (op := edit(store, e, row_id, part, seen)) is not None]


def accepted(field: Json, given: Any, called: Called = str, language: str = "") -> Any:
    """A value as the server stores it, of what was typed in a language; None for nothing. Raises Unfit, with the
    field's label, for what it would not take."""
    kind, written = field["kind"], given.strip() if isinstance(given, str) else given

    def unfit(code: str, **values: object) -> Unfit:
        told = {"value": str(written)[:TOLD], **values}
        return Unfit(Fault(CUSTOM + field["key"], code, told, called(field["label"])))

    if written in NOTHING:
        if field.get("required"):
            raise unfit("missing")
        return None
    if not holds(field, given):
        raise unfit("other_kind")
    if kind in ("number", "money"):
        return (_number if kind == "number" else _money)(field, written, unfit, language)
    if kind == "date":
        day = forms.day(written)
        if day is None:
            raise unfit("no_date")
        return day.isoformat()
    if kind == "choices":
        return [one["value"] for one in field.get("choices") or () if one["value"] in written]
    return _text(field, written, unfit) if kind in LENGTHS else written


def _number(field: Json, written: str, unfit: Callable[..., Unfit], language: str) -> int | float:
    number = _decimal(field, written, unfit, language)
    return int(number) if number == number.to_integral_value() else float(number)


def _money(field: Json, written: str, unfit: Callable[..., Unfit], language: str) -> Json:
    """An amount; without a currency of its own it is in the field's, else in the company's, which the server knows."""
    match = AMOUNT.fullmatch(written)
    amount = (match[2] or match[3]) if match else written
    currency = (match[1] or match[4]) if match else field.get("unit")
    number = _decimal(field, amount, unfit, language)
    if int(number.as_tuple().exponent) < -FINEST:
        number = round(number, FINEST)  # else 1e-99999 is written with so many digits
    return {"amount": f"{number:f}"} | ({"currency": currency.upper()} if currency else {})


def _decimal(field: Json, written: str, unfit: Callable[..., Unfit], language: str) -> Decimal:
    number = None if written[-1:].isalpha() else forms.decimal(written, language)
    if number is None:
        raise unfit("no_number")
    unit = f" {field['unit']}" if field.get("unit") else ""
    least, most = _limit(field.get("minimum")), _limit(field.get("maximum"))
    for code, limits, is_beyond in (
        ("too_little", (least, -forms.MOST), Decimal.__lt__),
        ("too_much", (most, forms.MOST), Decimal.__gt__),
    ):
        for limit in limits:
            if limit is not None and is_beyond(number, limit):
                raise unfit(code, value=f"{written[:TOLD]}{unit}", limit=f"{forms.figure(limit, language)}{unit}")
    return number


def _limit(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None


def _text(field: Json, written: str, unfit: Callable[..., Unfit]) -> str:
    kind = field["kind"]
    text = written if kind == "long_text" else " ".join(written.split())
    if len(text) > LENGTHS[kind]:
        raise unfit("too_long", most=LENGTHS[kind], length=len(text))
    if kind == "mail":
        text = text.removeprefix("mailto:")
    if kind == "url" and not re.match(r"[a-z][a-z0-9+.-]*:", text, re.IGNORECASE):
        text = f"https://{text}"
    shape = PATTERNS.get({"mail": "email", "url": "website"}.get(kind, ""))
    if shape is not None and not shape.fullmatch(text):
        raise unfit("no_email" if kind == "mail" else "no_website")
    if kind == "phone" and not DIALLED.fullmatch(text):
        is_abroad = text.startswith(("+", "00", "tel:")) and sum(map(str.isdigit, text)) >= LEAST_DIGITS
        if not is_abroad:
            raise unfit("no_phone")
    if kind != "phone" and field.get("pattern") and not _fits(field["pattern"], text):
        raise unfit("not_as_expected", pattern=field["pattern"])
    return text


def _fits(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return True  # the server knows what it means
