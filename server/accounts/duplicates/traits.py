"""What of an account is compared with others: its name without what varies, its contacts, its place. Pure."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import md5
from importlib import resources
from urllib.parse import urlsplit

from geo.geocode.normalise import StreetName, street_name
from geo.geocode.vocabulary import fold, vocabulary, words
from geo.types import LonLat

MARK = re.compile(r".*\d.*|[ivx]{1,5}|[^\W\d_]")
"""A word that tells one of several from the others: with a figure, a Roman number, a letter alone."""

GENERATIONS = {"sen": "senior", "snr": "senior", "sr": "senior", "senior": "senior"} | dict.fromkeys(
    ("jun", "jnr", "jr", "junior"), "junior"
)
ALSO_WRITTEN = {"limited": "ltd", "corporation": "corp", "gesmbh": "gmbh", "mbh": "gmbh", "aktiebolag": "ab"}
NO_FORM = {"co", "cie", "company", "soc"}
"""Words beside a legal form that say nothing of it."""

DOOR_M = 50.0
"""A pin that is at most so far off stands at a door."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What of an account is compared."""

    tokens: tuple[str, ...]
    """The folded words of its name without legal forms and articles."""
    phone: str | None = None
    """In E.164."""
    email: str | None = None
    domains: frozenset[str] = frozenset()
    """Of its website and its e-mail address, without those that anybody can have."""
    street: StreetName | None = None
    house: str = ""
    """House number with its suffix."""
    postcode: str = ""
    city: str = ""
    point: LonLat | None = None
    is_exact: bool = False
    """Whether the point is that of a door, not that of a street or a town."""
    forms: frozenset[str] = frozenset()
    """The legal forms in its name."""
    marks: frozenset[str] = frozenset()
    """Figures, Roman numbers, letters alone, and senior or junior in its name."""
    number: str | None = None
    """That of the company's own list."""

    @property
    def glued(self) -> str:
        """The name without spaces."""
        return "".join(self.tokens)

    def print(self) -> str:
        """Changes when something material changes; a pin counts only where there is no street."""
        place: object = (self.street.core, self.house) if self.street else None
        if place is None and self.point is not None:
            place = (round(self.point.lon, 3), round(self.point.lat, 3))
        whole = (sorted(self.tokens), self.phone, self.email, sorted(self.domains), place, self.postcode, self.city)
        return md5(repr(whole).encode(), usedforsecurity=False).hexdigest()


def traits(
    name: str,
    *,
    phone: str | None = None,
    email: str | None = None,
    website: str | None = None,
    street: str | None = None,
    postcode: str | None = None,
    city: str | None = None,
    point: LonLat | None = None,
    uncertainty_m: float | None = None,
    number: str | None = None,
) -> Traits:
    """What of an account is compared, from its fields as they are stored."""
    road, house = taken_apart(street or "")
    tokens, forms, marks = dissected(name)
    return Traits(
        tokens=tokens,
        phone=phone,
        email=email.lower() if email else None,
        domains=domains_of(email, website),
        street=road,
        house=house,
        postcode="".join(words((postcode or "").lower())),
        city="".join(words(fold(city or ""))),
        point=point,
        is_exact=point is not None and uncertainty_m is not None and uncertainty_m <= DOOR_M,
        forms=forms,
        marks=marks,
        number=number,
    )


def essence(name: str) -> tuple[str, ...]:
    """The words of a name that tell it from others; all of them when nothing else is left."""
    return dissected(name)[0]


@lru_cache(maxsize=100_000)
def dissected(name: str) -> tuple[tuple[str, ...], frozenset[str], frozenset[str]]:
    """The essence of a name, its legal forms, and its marks."""
    parts = words(fold(name.replace("'", "")))
    little = vocabulary().little
    kept: list[str] = []
    forms, marks, at = set(), set(), 0
    while at < len(parts):
        size = next((n for n in range(5, 0, -1) if is_form(parts[at : at + n], n)), 0)
        glued = "".join(parts[at : at + max(1, size)])
        kept += [] if size else [glued]
        if size < 2 and (glued in GENERATIONS or MARK.fullmatch(glued)):
            marks.add(GENERATIONS.get(glued, glued))
        elif size and glued not in little and glued not in NO_FORM:
            forms.add(ALSO_WRITTEN.get(glued, glued))
        at += size or 1
    return tuple((kept or parts)[:12]), frozenset(forms), frozenset(marks)


def is_form(parts: list[str], size: int) -> bool:
    """Whether words are a legal form or an article; letters with dots count as one word."""
    known = vocabulary()
    if len(parts) < size or (size > 1 and min(map(len, parts)) > 2):
        return False
    glued = "".join(parts)
    return glued in known.legal or (size == 1 and glued in known.little)


@lru_cache(maxsize=100_000)
def taken_apart(street: str) -> tuple[StreetName | None, str]:
    """A street's name without its type's spelling, and the house number with what belongs to it."""
    parts = street.replace(",", " ").split()
    numbers = [part.strip(".").lower() for part in parts if part[0].isdigit()]
    if len(parts) > 1 and numbers and len(parts[-1]) == 1 and parts[-1].isalpha():
        numbers.append(parts.pop().lower())
    name = " ".join(part for part in parts if not part[0].isdigit())
    return (street_name(name) if name else None), "-".join("-".join(words(number)) for number in numbers)


@cache
def data() -> Mapping[str, Mapping[str, float] | list[str]]:
    """The coefficients and tables that ship with the room."""
    text = (resources.files("server.accounts.duplicates") / "resemblance.json").read_text("utf-8")
    loaded: dict[str, Mapping[str, float] | list[str]] = json.loads(text)
    return loaded


@cache
def free_mail() -> frozenset[str]:
    """Domains where anybody can have an address."""
    return frozenset(str(one) for one in data()["free_mail"])


def domains_of(email: str | None, website: str | None) -> frozenset[str]:
    """The domains that an account calls its own."""
    found = set()
    if email and "@" in email:
        found.add(email.rsplit("@", 1)[1].lower())
    if website:
        with suppress(ValueError):
            found.add((urlsplit(website).hostname or "").removeprefix("www."))
    return frozenset(one for one in found if one and one not in free_mail())
