"""What the server takes at most: the phone refuses more at once, in words, while the rep still has it before them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mobile.field import hours
from mobile.field.store.canonical import Json

CREATED: Mapping[str, Mapping[str, int]] = {
    "visit_event": {"note": 20_000, "signature.name": 200},
    "pin_proposal": {"note": 2000},
    "order": {"note": 5000, "lines.text": 500},
    "activity": {"subject": 300, "note": 20_000},
    "lead": {"company": 200, "person": 200, "phone": 60, "email": 200, "note": 5000},
    "account": {"name": 300, "phone": 60, "note": 5000, "street": 200, "postcode": 20, "city": 200, "tags": 60},
    "contact": {"first_name": 120, "last_name": 120, "title": 160, "phones.value": 60, "mails.value": 200},
}
"""Characters of what a rep writes into something new."""
EDITED: Mapping[str, Mapping[str, int]] = {
    "account": {"name": 300, "phone": 60, "email": 254, "website": 500, "note": 20_000, "tags": 60},
    "site": {"name": 300, "street": 300, "postcode": 20, "city": 200, "country": 100, "opening_hours": 500},
    "activity": {"subject": 300, "note": 20_000},
    "contact": {"first_name": 120, "last_name": 120, "title": 160, "phones.value": 60, "mails.value": 254},
}
"""Characters of a field that a rep changes."""
ITEMS: Mapping[str, int] = {"tags": 20, "lines": 200}
"""How many there may be of something."""
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "email": re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.[^\s@<>(),;:\".]{2,}"),
    "website": re.compile(r"https?://[^\s/?#\"<>]+\.[^\s\"<>]+", re.IGNORECASE),
}
"""How an edited field is written."""
LEAST_DIGITS = 3
"""With fewer it is no number of a person's phone."""


@dataclass(frozen=True)
class Fault:
    """Which field does not fit, why (a code of the texts) and with what."""

    field: str
    code: str
    values: Mapping[str, object]
    called: str = ""
    """How the company calls a field of its own."""


class Unfit(ValueError):
    """The server would not take it: nothing was saved. Says every field that does not fit."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{one.field}: {one.code} {dict(one.values)}" for one in faults))
        self.faults = faults


def all_or_none(*acts: Callable[[], object]) -> None:
    """Do several things that are saved together; raises Unfit with what does not fit of any of them."""
    faults: list[Fault] = []
    for act in acts:
        try:
            act()
        except Unfit as unfit:
            faults += unfit.faults
    _refuse(faults)


def _refuse(faults: Iterable[Fault]) -> None:
    if found := tuple(faults):
        raise Unfit(*found)


def created(e: str, values: Json) -> Json:
    """The values of something new as they may be saved; raises Unfit."""
    fitting: Json = written(values)
    too_many = [
        Fault(name, "too_many", {"most": most}) for name, most in ITEMS.items() if len(fitting.get(name) or ()) > most
    ]
    _refuse([*_faults(e, fitting, CREATED), *too_many])
    return fitting


def edited(e: str, fields: Mapping[str, Sequence[Any]]) -> Json:
    """Changed fields, each with its old and its new value, as they may be saved; raises Unfit."""
    fitting: Json = {name: [old, written(new)] for name, (old, new) in fields.items()}
    _refuse(_faults(e, {name: new for name, (_, new) in fitting.items()}, EDITED))
    return fitting


def elements(e: str, name: str, values: Sequence[str]) -> list[str]:
    """What is added to a set or taken out of it, as it may be saved; raises Unfit."""
    fitting = [text for one in values if (text := written(one).strip())]
    _refuse(_faults(e, {name: fitting}, EDITED))
    return fitting


def _faults(e: str, values: Json, limits: Mapping[str, Mapping[str, int]]) -> Iterator[Fault]:
    """What of some values is too long or not written as the server wants it, each field once."""
    for path, most in limits.get(e, {}).items():
        name = path.partition(".")[0]
        for text in _at(values, path.split(".")):
            code = _misspelt(e, name, text) if len(text) <= most else "too_long"
            if code:
                yield Fault(name, code, {"most": most, "length": len(text), "value": text[:60]})
                break


def _misspelt(e: str, name: str, text: str) -> str | None:
    """The code of what is wrong with how a field is written; None where nothing is."""
    bare = text.strip().removeprefix("mailto:")
    if not bare:
        return None
    if name == "opening_hours":
        return None if hours.is_understood(bare) else "no_hours"
    if (e, name) == ("contact", "phones"):
        return None if sum(map(str.isdigit, bare)) >= LEAST_DIGITS else "no_phone"
    kind = {"mails": "email"}.get(name, name) if e in ("account", "contact") else ""
    if kind == "website" and not re.match(r"[a-z][a-z0-9+.-]*:", bare, re.IGNORECASE):
        bare = f"https://{bare}"
    return f"no_{kind}" if kind in PATTERNS and not PATTERNS[kind].fullmatch(bare) else None


def _at(value: Any, path: Sequence[str]) -> Iterator[str]:
    """The texts at a path; of a list, those of each of its items."""
    if isinstance(value, list):
        for one in value:
            yield from _at(one, path)
    elif isinstance(value, dict) and path:
        yield from _at(value.get(path[0]), path[1:])
    elif isinstance(value, str):
        yield value


def written(value: Any) -> Any:
    """A value without halves of characters, which some keyboards leave behind and nobody can send."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: written(one) for key, one in value.items()}
    return [written(one) for one in value] if isinstance(value, list) else value
