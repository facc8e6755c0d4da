"""How like two street names are, in the ways people change them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA

from geo.geocode.normalise import StreetName, abbreviates, type_edits
from geo.geocode.vocabulary import vocabulary

_FIGURES = re.compile(r"\d+")
_OTHER_FIGURES = 3
"""Names with other figures (`1203 Sokak` and `1205 Sokak`) differ by so many letters more: they are other streets."""
_NUMBER_WORD = 0.6
"""A figure that is part of a name tells it from others as much as most of its letters do."""


class Likeness(NamedTuple):
    """What differs between a written street name and a known one."""

    edits: int = 0
    """Letters missing, added, changed or swapped."""
    length: int = 1
    """Letters of the longer name."""
    little: bool = False
    """Articles or prepositions differ."""
    abbreviated: bool = False
    """Words are abbreviated (`V. D. Alighieri`)."""
    missing: float = 0.0
    """Share of the known name's letters that was left out, 0 to 1."""
    type_missing: bool = False
    """One of the two has no type word."""
    type_differs: bool = False
    """Both have type words, and they disagree."""

    @property
    def cost(self) -> float:
        """A quick order of likeness, 0 for the same; only for choosing which to look at closely."""
        return (
            self.edits / self.length
            + 0.04 * self.little
            + 0.12 * self.abbreviated
            + 0.5 * self.missing
            + 0.06 * self.type_missing
            + 0.1 * self.type_differs
        )


def likeness(asked: StreetName, known: Sequence[StreetName], place_words: frozenset[str] = frozenset()) -> Likeness:
    """The kindest comparison of a written name with the names of a street.

    Parameters
    ----------
    asked : StreetName
        As written in the address.
    known : sequence of StreetName
        All names of one street.
    place_words : frozenset of str
        Words of the written place: they may be left out of the street (`Via Roma, Spinetta` for
        `Via Roma di Spinetta`).
    """
    best = _compare(asked, known[0], place_words)
    for name in known[1:]:
        if best.cost == 0:
            break
        other = _compare(asked, name, place_words)
        if other.cost < best.cost:
            best = other
    return best


def _compare(asked: StreetName, known: StreetName, place_words: frozenset[str]) -> Likeness:
    missing = not asked.types or not known.types
    differs = not missing and not asked.types & known.types
    neither = not asked.types and not known.types
    flags = {"type_missing": missing and not neither, "type_differs": differs}
    length = max(len(asked.core), len(known.core), 1)
    if asked.core == known.core or "".join(asked.rest) == "".join(known.rest):
        return Likeness(length=length, **flags)
    if asked.glued == known.glued:
        return Likeness(length=length)
    if asked.glued == known.core or known.glued == asked.core:
        return Likeness(length=length, type_missing=True)
    in_type = _cut_type_edits(asked, known)
    if in_type == 0:
        return Likeness(length=length)
    if asked.bare == known.bare or asked.bare_plain == known.bare_plain:
        return Likeness(length=length, little=True, **flags)
    found = [_letters(asked, known, length, flags)]
    if in_type is not None:
        found.append(Likeness(edits=in_type, length=len(known.glued)))
    written, has_type = _without_cut_type(asked, known)
    if _is_abbreviated(written, known.rest, (3 if len(known.words) == 1 else 2) if has_type else 0):
        flags = {"type_missing": False, "type_differs": False} if has_type else flags
        found.append(Likeness(length=length, abbreviated=True, **flags))
    omitted = _left_out(asked, known)
    if omitted:
        share = 0.0 if place_words.issuperset(omitted) else len("".join(omitted)) / max(1, len(known.bare))
        if any(word.isdecimal() for word in omitted):
            share = max(share, _NUMBER_WORD)
        found.append(Likeness(length=length, little=True, missing=min(1.0, share), **flags))
    return min(found, key=lambda x: x.cost)


def _cut_type_edits(asked: StreetName, known: StreetName) -> int | None:
    """Letters wrong in `backofenga` for Backofengasse or `sherwood raod` for Sherwood Road; None for other names."""
    if asked.types & known.types or not known.types:
        return None
    for core in {asked.core, "".join(asked.rest), asked.glued}:
        for start in {known.core, "".join(known.rest)}:
            if len(core) > len(start) > 1 and core.startswith(start):
                found = type_edits(core[len(start) :], known.types)
                if found is not None and len(start) > 1 + found:
                    return found
    return None


def _without_cut_type(asked: StreetName, known: StreetName) -> tuple[Sequence[str], bool]:
    """The asked words with a shortened type cut off the last (`vallg` of Vallgatan), and whether the types agree."""
    if asked.types & known.types:
        return asked.rest, True
    if known.types and asked.rest and known.rest:
        last, whole = asked.rest[-1], known.rest[-1]
        if len(last) > len(whole) > 2 and last.startswith(whole) and type_edits(last[len(whole) :], known.types) == 0:
            return (*asked.rest[:-1], whole), True
    return asked.rest, False


def _letters(asked: StreetName, known: StreetName, length: int, flags: dict[str, bool]) -> Likeness:
    """Letters that differ: between the names as they are and shortened, or with their types glued on."""
    written, whole = "".join(asked.rest), "".join(known.rest)
    edits = OSA.distance(asked.core, known.core)
    if len(whole) > len(known.core) or len(written) > len(asked.core):
        edits = min(edits, OSA.distance(written, whole))
    bare = OSA.distance(asked.bare, known.bare) + 1
    other = _OTHER_FIGURES if _figures(asked.glued) != _figures(known.glued) else 0
    plain = Likeness(edits=min(edits, bare) + other, length=length, little=bare < edits, **flags)
    if bool(asked.types) != bool(known.types):
        joined = min(OSA.distance(asked.glued, known.core), OSA.distance(asked.core, known.glued)) + other
        if joined < plain.edits:
            plain = Likeness(edits=joined, length=max(length, len(known.core)), **flags)
    if not flags["type_missing"] and not flags["type_differs"]:
        return plain
    glued = [known.glued, *(known.core + t for t in known.types)] if known.types else [known.glued]
    all_written = asked.glued
    if abs(len(all_written) - len(known.glued)) > 4 * max(1, edits) or min(len(asked.core), len(known.core)) < 2:
        return plain
    edits = min(OSA.distance(all_written, g) for g in glued) + other
    with_type = Likeness(edits=edits, length=max(len(all_written), len(known.glued)))
    return min(plain, with_type, key=lambda x: x.cost)


def _figures(glued: str) -> list[str]:
    return [] if glued.isalpha() else _FIGURES.findall(glued)


def _is_abbreviated(asked: Sequence[str], known: Sequence[str], initials: int) -> bool:
    """Word by word, one is the other or short for it; known words may be skipped when they are little.

    Without a whole word in common the known name must be one word, and no more than so many letters be written
    of it (`Et.espl.`, `L. Torg`).
    """
    if not asked or not known:
        return False
    little = vocabulary().little
    k = 0
    longest = whole = 0
    for word in asked:
        while k < len(known) and not _means(word, known[k]) and known[k] in little:
            k += 1
        if k == len(known) or not _means(word, known[k]):
            return False
        if word == known[k]:
            whole += len(word)
        else:
            longest = max(longest, min(len(word), len(known[k])))
        k += 1
    return k == len(known) and (whole >= 4 or (len(known) == 1 and longest <= initials))


def _means(a: str, b: str) -> bool:
    if a == b:
        return True
    short, long = (a, b) if len(a) < len(b) else (b, a)
    if long.startswith(short):
        return True
    return 2 <= len(short) <= 4 and abbreviates(short, long)


def _left_out(asked: StreetName, known: StreetName) -> list[str]:
    """The known words that were left out when all asked words occur in order among them, else nothing."""
    if len(asked.rest) >= len(known.rest) or len(asked.bare) < 3:
        return []
    left = list(asked.rest)
    omitted: list[str] = []
    for word in known.rest:
        if left and word == left[0]:
            left.pop(0)
        elif word not in vocabulary().little:
            omitted.append(word)
    return [] if left else omitted
