"""Keys of places, postcodes, countries and companies."""

import re
from functools import lru_cache

from geo.geocode.vocabulary import fold, vocabulary, words

_DOTTED_INITIALS = re.compile(r"\b(?:[a-z][.\s/]\s?){1,3}[a-z]\b\.?")


def glued(text: str) -> str:
    """Folded letters and digits of a text."""
    return "".join(words(fold(text)))


def place_keys(name: str) -> tuple[str, ...]:
    """Keys of a place: the whole name, and the part before a bracket, hyphen, slash or comma."""
    whole = glued(name)
    parts = [glued(p) for p in re.split(r"[(/,]| - |-", name)]
    long_enough = [p for p in parts if len(p) > 3]
    return tuple(dict.fromkeys(k for k in (whole, *long_enough) if k))


@lru_cache(maxsize=50_000)
def postcode_key(text: str) -> str:
    """Letters and digits of a postcode in upper case."""
    return "".join(words(fold(text))).upper()


@lru_cache(maxsize=50_000)
def postcode_variants(text: str) -> tuple[str, ...]:
    """Keys a written postcode may mean: as it is, without country prefix, without ZIP+4."""
    parts = words(fold(text))
    found = ["".join(parts)]
    if len(parts) > 1 and parts[0].isalpha() and len(parts[0]) <= 3:
        parts = parts[1:]
        found.append("".join(parts))
    glue = found[-1]
    if len(glue) > 4 and glue[:1].isalpha() and glue.lstrip("abcdefghijklmnopqrstuvwxyz").isdecimal():
        found.append(glue.lstrip("abcdefghijklmnopqrstuvwxyz"))
    if len(parts) == 2 and len(parts[0]) == 5 and len(parts[1]) == 4:
        found.append(parts[0])
    if glue.isdecimal() and len(glue) == 9:
        found.append(glue[:5])
    if glue.isdecimal() and len(glue) in (3, 4):
        found.append("0" + glue)
    return tuple(dict.fromkeys(f.upper() for f in found if f))


@lru_cache(maxsize=10_000)
def country_code(text: str) -> str:
    """Two-letter code of a country however it is written (`FIN`, `Principality of Liechtenstein`); empty if none."""
    table = vocabulary().countries
    parts = words(fold(text))
    found = table.get("".join(parts), "")
    if not found:
        found = next((table[p] for p in reversed(parts) if len(p) > 3 and p in table), "")
    return found


@lru_cache(maxsize=100_000)
def company_words(name: str) -> tuple[str, ...]:
    """Words of a company's name without legal forms at its end or beginning."""
    folded = _DOTTED_INITIALS.sub(lambda m: _joined_legal(m[0]), fold(name).replace("&", " "))
    parts = words(folded)
    legal = vocabulary().legal
    while len(parts) > 1 and parts[-1] in legal:
        parts.pop()
    while len(parts) > 1 and parts[0] in legal and len(parts[0]) > 1:
        parts.pop(0)
    return tuple(parts)


def _joined_legal(initials: str) -> str:
    letters = "".join(words(initials))
    return f" {letters} " if letters in vocabulary().legal else initials


def company_keys(name: str) -> tuple[str, ...]:
    """Keys of a company: all its words, and those without legal forms, glued."""
    return tuple(dict.fromkeys(k for k in ("".join(company_words(name)), glued(name)) if k))
