"""The language tables as look-ups; all languages at once, because no address says which one it is in."""

import html
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

_SPECIAL = str.maketrans(
    {
        "ß": "ss", "æ": "a", "ø": "o", "œ": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
        "ħ": "h", "ŧ": "t", "ŋ": "n", "ə": "a",
        "’": "'", "`": "'", "´": "'", "º": "o", "°": "o", "ª": "a", "–": "-", "—": "-", "‐": "-", "‑": "-",
        "\u00a0": " ", "\u200b": "",
    }
)  # fmt: skip
_WINDOWS = {ord(char): at for at in range(0x80, 0xA0) if (char := bytes([at]).decode("cp1252", "ignore"))}
"""What bytes are as letters of Windows."""
_SWALLOWED = 6
"""A glued type longer than this is also known without its first `e`: folding swallows it after a vowel."""
_ENTITY = re.compile(r"&#?\w{2,8};")
_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Reduce writing to what does not vary: lower case, no accents, `ae oe ue aa` as `a o u a`.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Punctuation and spaces are kept. `fold(fold(x)) == fold(x)`.
    """
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
        text = "".join([c for c in text if not unicodedata.combining(c)]).translate(_SPECIAL).lower()
    if "e" in text or "aa" in text:
        text = _contract(text)
    return text


def _contract(text: str) -> str:
    """Apply the digraphs until nothing changes, so that folding twice is folding once."""
    while True:
        shorter = text.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("aa", "a")
        if shorter == text:
            return text
        text = shorter


def decoded(text: str) -> str:
    """The same text when it was read in the wrong encoding or not at all: `StraÃŸe` and `Stra&szlig;e` are Straße."""
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if text.isascii():
        return text
    try:
        return text.translate(_WINDOWS).encode("latin-1").decode()
    except UnicodeError:
        return text


def words(folded: str) -> list[str]:
    """Letter-or-digit runs of a folded text."""
    if is_simple(folded):  # most are, and need no pattern
        return folded.split()
    return _WORD.findall(folded)


def is_simple(text: str) -> bool:
    """Whether there is nothing but letters, figures and blanks."""
    return text.replace(" ", "").isalnum()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Folded tables of all languages."""

    front: Mapping[str, frozenset[str]]
    """Type word before the name (one or two words joined) -> canonical types."""
    behind: Mapping[str, frozenset[str]]
    """Type word after the name, as a word of its own -> canonical types."""
    joined: Mapping[str, frozenset[str]]
    """Type glued to the end of the name (three letters or more) -> canonical types."""
    little: frozenset[str]
    """Articles and prepositions."""
    short: Mapping[str, str]
    """Word of a street name -> its short form."""
    short_forms: frozenset[str]
    """All short forms."""
    abbreviations: frozenset[str]
    """Everything that words of street names are shortened to."""
    compass: frozenset[str]
    """Short forms of the points of the compass."""
    number: frozenset[str]
    """Words that announce a house number."""
    house: frozenset[str]
    """Words for a house."""
    state: frozenset[str]
    """Words of the official names of countries beside the name itself: `fürstentum`."""
    unit: frozenset[str]
    """Words that announce a floor, door, box or person."""
    legal: frozenset[str]
    """Legal forms of companies."""
    countries: Mapping[str, str]
    """Country name or code without spaces -> two-letter code."""


def _glued(text: str) -> str:
    return "".join(words(fold(text.replace("_", " "))))


def _types(tables: Iterable[Mapping[str, list[str]]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for table in tables:
        for canonical, variants in table.items():
            key = _glued(canonical)
            for written in (canonical, *variants):
                found.setdefault(_glued(written), set()).add(key)
    return {written: frozenset(types) for written, types in found.items()}


def _shortened(languages: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    short: dict[str, str] = {}
    for language in languages:
        for long, variants in language.get("compass", {}).items():
            short.setdefault(_glued(long), variants[0])
        for long, variants in language.get("short", {}).items():
            forms = [_glued(v) for v in variants]
            if forms and len(forms[0]) > 1:
                for written in (_glued(long), *(f for f in forms[1:] if len(f) > 2)):
                    short.setdefault(written, forms[0])
    return {long: form for long, form in short.items() if form not in short}


@cache
def vocabulary() -> Vocabulary:
    """Read the tables that ship with the package."""
    data = resources.files("geo.geocode") / "data"
    languages = list(tomllib.loads((data / "languages.toml").read_text("utf-8")).values())
    countries: dict[str, str] = {}
    named: dict[str, list[str]] = json.loads((data / "countries.json").read_text("utf-8"))
    for code, names in named.items():
        for name in names:
            countries.setdefault(_glued(name), code)
    for code in named:
        countries[code.lower()] = code
    short = _shortened(languages)
    behind = _types(t for x in languages for t in (x.get("behind", {}), x.get("joined", {})))
    joined = _types(x.get("joined", {}) for x in languages)
    joined |= {word[1:]: types for word, types in joined.items() if word[0] == "e" and len(word) > _SWALLOWED}

    def listed(table: str) -> frozenset[str]:
        return frozenset(_glued(w) for x in languages for w in x.get(table, ()))

    return Vocabulary(
        front=_types(x.get("front", {}) for x in languages),
        behind={w: t for w, t in behind.items() if len(w) > 1},
        joined={w: t for w, t in joined.items() if len(w) > 2},
        little=listed("little"),
        short=short,
        short_forms=frozenset(short.values()),
        abbreviations=frozenset(_glued(v) for x in languages for some in x.get("short", {}).values() for v in some),
        compass=frozenset(v[0] for x in languages for v in x.get("compass", {}).values()),
        number=listed("number"),
        house=listed("house"),
        state=frozenset(w for x in languages for several in x.get("state", ()) for w in words(fold(several))),
        unit=listed("unit"),
        legal=listed("legal"),
        countries=countries,
    )
