"""A street's name taken apart: the same function for the index's side and the question's side."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.geocode.vocabulary import fold, vocabulary, words

_DOTTED = re.compile(r"\b([a-z])\.\s?([a-z]{1,3})\b")
_FIGURES = re.compile(r"\d+")
_MIN_REST = 3
_NOWHERE: frozenset[str] = frozenset()
_LONGEST_TAIL = 11
_TWO_EDITS = 8
"""A type of so many letters may be misspelt by two."""


@dataclass(slots=True)
class StreetName:
    """What of a street's name identifies it, and what people change about it."""

    words: tuple[str, ...]
    """All folded words."""
    rest: tuple[str, ...]
    """The words without the type; the last may be cut (`bahnhof` of `bahnhofstrasse`)."""
    types: frozenset[str]
    """Canonical type words it may mean; empty when it has none."""
    core: str
    """`rest` with its words shortened and glued: the name's main key."""
    bare: str
    """`core` without articles and prepositions."""
    bare_plain: str
    """`bare` with its words unshortened."""
    glued: str
    """All words glued, as written."""
    keys: tuple[str, ...]
    """Every key under which the name is filed, the main one first."""
    plain: str
    """`rest` glued, its words unshortened."""
    figures: tuple[str, ...]
    """All figures in it, word by word: `1 7` is not `17`."""
    directions: frozenset[str]
    """Points of the compass in it, in their short forms."""


@lru_cache(maxsize=200_000)
def street_name(text: str) -> StreetName:
    """Take a street's name apart.

    Parameters
    ----------
    text : str
        A name without house number, as written (`Via D. Alighieri`, `Hopfen Str.`).

    Returns
    -------
    StreetName
        Equal for all spellings that differ by case, accents, spaces, hyphens and known abbreviations
        in `core`; taking the glued words apart again gives the same `glued`.
    """
    return from_words(street_words(fold(text)))


def street_words(folded: str) -> tuple[str, ...]:
    """Words of a folded name; a dotted type such as `p.za` or `v.le` counts as one word."""
    if "." in folded:
        front = vocabulary().front
        folded = _DOTTED.sub(lambda m: m[1] + m[2] if m[1] + m[2] in front else m[0], folded)
    return tuple(words(folded))


@lru_cache(maxsize=200_000)
def from_words(parts: tuple[str, ...]) -> StreetName:
    """Build the name from folded words; see `street_name`."""
    table = vocabulary()
    types, rest, is_glued = _cut_type(parts)
    if table.little.issuperset(rest) and table.short_forms.isdisjoint(rest) and not _says_enough(parts, rest):
        types, rest, is_glued = frozenset(), parts, False
    short = [table.short.get(w, w) for w in rest]
    core = bare = "".join(short)
    plain = bare_plain = "".join(rest)
    if not table.little.isdisjoint(rest):
        bare = "".join([w for w, full in zip(short, rest, strict=True) if full not in table.little]) or core
        bare_plain = "".join([w for w in rest if w not in table.little]) or plain
    glued = "".join(parts)
    keys = tuple(filter(None, dict.fromkeys((core, plain, bare, bare_plain, glued if is_glued else ""))))
    figures = () if core.isalpha() else tuple([f.lstrip("0") for w in short for f in _FIGURES.findall(w)])
    directions = _NOWHERE if table.compass.isdisjoint(short) else table.compass.intersection(short)
    return StreetName(parts, rest, types, core, bare, bare_plain, glued, keys, plain, figures, directions)


def _says_enough(parts: tuple[str, ...], rest: tuple[str, ...]) -> bool:
    """Whether little words are a name: behind a type (`Triq is-Sur`), not before it (`Im Winkel`), and initials."""
    behind = bool(rest) and parts[-len(rest) :] == rest
    return (behind and len("".join(rest)) > _MIN_REST) or (len(rest) == 1 and len(rest[0]) == 1)


def _cut_type(parts: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...], bool]:
    """Find the type word: written out in front, before a direction (`King St W`), else the longest of in front, behind
    and glued on.

    The last value says that it was glued on.
    """
    table = vocabulary()
    nothing: frozenset[str] = frozenset()
    best = (0, nothing, parts)
    if len(parts) > 1:
        if parts[0] in table.front:
            best = (len(parts[0]), table.front[parts[0]], parts[1:])
        if best[0] >= _MIN_REST:
            return best[1], best[2], False
        if len(parts) > 2 and parts[-2] in table.behind and table.short.get(parts[-1], parts[-1]) in table.compass:
            return table.behind[parts[-2]], (*parts[:-2], parts[-1]), False
        if parts[-1] in table.behind and len(parts[-1]) >= best[0]:
            best = (len(parts[-1]), table.behind[parts[-1]], parts[:-1])
    last = parts[-1] if parts else ""
    for size in range(min(_LONGEST_TAIL, len(last) - 2), max(best[0], 2), -1):
        found = table.joined.get(last[-size:])
        if found is not None:
            return found, (*parts[:-1], last[:-size]), True
    if len(parts) > 2 and len(last) < _MIN_REST and parts[-2] + last in table.joined:
        return table.joined[parts[-2] + last], parts[:-2], False
    return best[1], best[2], False


@lru_cache(maxsize=50_000)
def type_edits(written: str, types: frozenset[str]) -> int | None:
    """How misspelt a piece is that means one of the types: 0 for `ga` (gasse), 1 for `srt` or `raod`, else None."""
    if not may_be_type(written):
        return None
    known = types | _written(types)
    if any(abbreviates(written, t) for t in known):
        return 0
    found = [OSA.distance(written, t) for t in known if len(written) > 2 and len(t) > 2]
    best = min(found, default=9)
    return best if best <= max(1, len(written) // 4) else None


@lru_cache(maxsize=50_000)
def may_be_type(written: str) -> bool:
    """Whether a piece may mean any type at all: false only where `type_edits` knows none, whatever the types."""
    if len(written) < _TWO_EDITS:
        near = _near_types()
        if written in near or not near.isdisjoint([written[:at] + written[at + 1 :] for at in range(len(written))]):
            return True
    elif process.extractOne(written, _long_types(), scorer=OSA.distance, score_cutoff=len(written) // 4):
        return True
    letters = set(written)
    begun = _type_words().get(written[:1], {})
    return any([abbreviates(written, word) for word, of_word in begun.items() if letters <= of_word])


@cache
def _near_types() -> frozenset[str]:
    """All words for types, and what is left of them without one of their letters."""
    everything = [word for some in _type_words().values() for word in some]
    return frozenset(word[:at] + word[at + 1 :] for word in everything for at in range(len(word) + 1))


@cache
def _long_types() -> Sequence[str]:
    """The words for types that something of eight letters or more may be meant for."""
    return [word for some in _type_words().values() for word in some if len(word) >= _TWO_EDITS - _TWO_EDITS // 4]


@cache
def _type_words() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """All words for types by their first letter, each with its letters."""
    table = vocabulary()
    found: dict[str, dict[str, frozenset[str]]] = {}
    for types in (table.front, table.behind, table.joined):
        for word in (*types, *(canonical for meant in types.values() for canonical in meant)):
            found.setdefault(word[:1], {})[word] = frozenset(word)
    return found


@lru_cache(maxsize=5_000)
def _written(types: frozenset[str]) -> frozenset[str]:
    table = vocabulary()
    return frozenset(w for t in (table.front, table.behind) for w, meant in t.items() if len(w) > 2 and meant & types)


def abbreviates(written: str, word: str) -> bool:
    """Whether the letters of `written` occur in order in `word`, beginning with the first (`gral` of `general`)."""
    if not written or len(written) > len(word) or written[0] != word[0]:
        return False
    letters = iter(word)
    return all(c in letters for c in written)
