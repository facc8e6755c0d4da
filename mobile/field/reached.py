"""Who is behind a name or a phone number: the people and the numbers of all accounts, gathered a few rows at a time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mobile.field import records, zones
from mobile.field.rows import stream
from mobile.field.store import Store
from mobile.field.store.folding import fold, matches

A_FRAME = 300
"""Rows that are read before the next frame is drawn: some milliseconds on a slow phone."""
LEAST_LETTERS, LEAST_DIGITS = 3, 4
"""With less than that everybody is meant."""


@dataclass(frozen=True)
class Reached:
    """Somebody, or a number, at an account."""

    account_id: str
    name: str
    """Empty: the number is the account's own."""
    folded: str
    numbers: tuple[str, ...]


class People:
    """Everybody by whom an account is found; `go_on` reads until `is_whole`."""

    def __init__(self, store: Store) -> None:
        self._store, self._found = store, list[Reached]()
        self._steps = self._gather()
        self.is_whole = False

    def go_on(self, rows: int = A_FRAME) -> None:
        """Read so many rows more."""
        self.is_whole = sum(1 for _ in islice(self._steps, rows)) < rows

    def at(self, text: str, words: list[tuple[str, ...]]) -> dict[str, str]:
        """The accounts at which somebody is called, or a number holds, what was typed, and who or which."""
        digits = spelled(text) if re.fullmatch(r"[\d\s+/().-]+", text) else ""
        if len(digits) >= LEAST_DIGITS:
            hits = ((one, number) for one in self._found for number in one.numbers if digits in spelled(number))
            return {one.account_id: f"{one.name}, {number}".removeprefix(", ") for one, number in hits}
        if len(fold(text)) < LEAST_LETTERS:
            return {}
        return {one.account_id: one.name for one in self._found if one.name and matches(words, one.folded)}

    def _gather(self) -> Iterator[None]:
        today, places = zones.today(self._store.outbox).isoformat(), dict[str, list[str]]()
        for place in stream(self._store, "contact_account"):
            if not (place.get("until") and place["until"] < today):
                places.setdefault(place["contact_id"], []).append(place["account_id"])
            yield
        for contact in stream(self._store, "contact"):
            name, numbers = records.name_of(contact), records.phones_of(contact)
            for account_id in places.get(contact["id"]) or filter(None, [contact.get("account_id")]):
                self._found.append(Reached(account_id, name, fold(name), numbers))
            yield
        for account in stream(self._store, "account"):
            if account.get("phone"):
                self._found.append(Reached(account["id"], "", "", (str(account["phone"]),)))
            yield


def spelled(number: str) -> str:
    """A number's digits without what is dialled before them: what is typed of it, and what is kept, are both so."""
    return re.sub(r"\D", "", number).lstrip("0")


def dialled(number: str) -> str:
    """The address at which a phone calls a number (RFC 3966): as it is dialled, without what only helps the eye."""
    abroad = number.strip().startswith("+")
    plain = re.sub(r"\(0\)", "", number) if abroad else number
    return "tel:" + "+" * abroad + re.sub(r"[^\d*#,;]", "", plain)
