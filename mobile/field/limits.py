"""What the server takes at most: the phone refuses more at once, in words, while the rep still has it before them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mobile.field.store.canonical import Json

CREATED: Mapping[str, Mapping[str, int]] = {
    "visit_event": {"note": 20_000, "signature.name": 200},
    "pin_proposal": {"note": 2000},
    "order": {"note": 5000, "lines.text": 500},
    "activity": {"subject": 300, "note": 20_000},
    "lead": {"company": 200, "person": 200, "phone": 60, "email": 200, "note": 5000},
    "account": {"name": 300, "phone": 60, "note": 5000, "street": 200, "postcode": 20, "city": 200, "tags": 100},
}
"""Characters of what a rep writes into something new."""
EDITED: Mapping[str, Mapping[str, int]] = {
    "account": {"phone": 60, "email": 254, "website": 500, "note": 20_000},
    "site": {"opening_hours": 500},
    "activity": {"subject": 300, "note": 20_000},
}
"""Characters of a field that a rep changes."""
ITEMS: Mapping[str, int] = {"tags": 20, "lines": 200}
"""How many there may be of something."""
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "email": re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.[^\s@<>(),;:\".]{2,}"),
    "website": re.compile(r"https?://[^\s/?#\"<>]+\.[^\s\"<>]+", re.IGNORECASE),
}
"""How an edited field is written."""


class Unfit(ValueError):
    """The server would not take it: nothing was saved. Says which field, why (a code of the texts) and with what."""

    def __init__(self, field: str, code: str, **values: object) -> None:
        super().__init__(f"{field}: {code} {values}")
        self.field, self.code, self.values = field, code, values


def created(e: str, values: Json) -> Json:
    """The values of something new as they may be saved; raises Unfit."""
    fitting: Json = _written(values)
    for path, most in CREATED.get(e, {}).items():
        for text in _at(fitting, path.split(".")):
            _check_length(path, text, most)
    for name, most in ITEMS.items():
        if len(fitting.get(name) or ()) > most:
            raise Unfit(name, "too_many", most=most)
    return fitting


def edited(e: str, fields: Mapping[str, Sequence[Any]]) -> Json:
    """Changed fields, each with its old and its new value, as they may be saved; raises Unfit."""
    fitting: Json = {name: [old, _written(new)] for name, (old, new) in fields.items()}
    for name, most in EDITED.get(e, {}).items():
        new = fitting[name][1] if name in fitting else None
        if isinstance(new, str):
            _check_length(name, new, most)
            _check_spelling(name, new)
    return fitting


def _check_length(path: str, text: str, most: int) -> None:
    if len(text) > most:
        raise Unfit(path.partition(".")[0], "too_long", most=most, length=len(text))


def _check_spelling(name: str, text: str) -> None:
    bare = text.strip().removeprefix("mailto:")
    if name == "website" and not re.match(r"[a-z][a-z0-9+.-]*:", bare, re.IGNORECASE):
        bare = f"https://{bare}"
    if bare and name in PATTERNS and not PATTERNS[name].fullmatch(bare):
        raise Unfit(name, f"no_{name}", value=text[:60])


def _at(value: Any, path: Sequence[str]) -> Iterator[str]:
    """The texts at a path; of a list, those of each of its items."""
    if isinstance(value, list):
        for one in value:
            yield from _at(one, path)
    elif isinstance(value, dict) and path:
        yield from _at(value.get(path[0]), path[1:])
    elif isinstance(value, str):
        yield value


def _written(value: Any) -> Any:
    """A value without halves of characters, which some keyboards leave behind and nobody can send."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    return [_written(one) for one in value] if isinstance(value, list) else value
