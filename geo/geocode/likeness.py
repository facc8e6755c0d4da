"""How like two street names are, in the ways people change them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA

from geo.geocode.normalise import StreetName, abbreviates, type_edits
from geo.geocode.vocabulary import vocabulary

_OTHER_FIGURES = 3
"""Names with other figures (`1203 Sokak` and `1205 Sokak`) or directions (`King Street East` and `West`) differ by so
many letters more: they are other streets."""
_NUMBER_WORD = 0.6
"""A figure that is part of a name tells it from others as much as most of its letters do."""
_LITTLE = 0.04
"""Other articles or prepositions; no name with words abbreviated or left out costs less."""

_ABBREVIATED = 0.12
"""Words abbreviated, or written out."""


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
        edits, length, little, abbreviated, missing, type_missing, type_differs = self
        return (
            edits / length
            + _LITTLE * little
            + _ABBREVIATED * abbreviated
            + 0.5 * missing
            + 0.06 * type_missing
            + 0.1 * type_differs
        )


_SAME = Likeness()


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
    if asked is known[0]:  # written as it is: both are remembered
        return _SAME
    best = _compare(asked, known[0], place_words)
    if len(known) == 1:
        return best
    least = best.cost
    for name in known[1:]:
        if least == 0:
            break
        other = _compare(asked, name, place_words)
        cost = other.cost
        if cost < least:
            best, least = other, cost
    return best


def _compare(asked: StreetName, known: StreetName, place_words: frozenset[str]) -> Likeness:
    lacks = bool(asked.types) != bool(known.types)
    differs = bool(asked.types and known.types) and asked.types.isdisjoint(known.types)
    length = max(len(asked.core), len(known.core), 1)
    if asked.figures != known.figures:
        return _least(_letters(asked, known, length, lacks, differs), asked, known, length, lacks, differs, place_words)
    if asked.core == known.core or asked.plain == known.plain:
        return Likeness(0, length, False, False, 0.0, lacks, differs)
    if asked.glued == known.glued:
        return Likeness(0, length)
    if asked.glued in (known.core, known.plain) or known.glued in (asked.core, asked.plain):
        return Likeness(0, length, type_missing=True)
    in_type = _cut_type_edits(asked, known)
    if in_type == 0:
        return Likeness(0, length)
    if (asked.bare == known.bare or asked.bare_plain == known.bare_plain) and not asked.bare.isdecimal():
        return Likeness(0, length, True, False, 0.0, lacks, differs)
    best = _letters(asked, known, length, lacks, differs)
    if in_type is not None and in_type / len(known.glued) < best.cost:
        best = Likeness(in_type, len(known.glued))
    return _least(best, asked, known, length, lacks, differs, place_words)


def _least(
    best: Likeness,
    asked: StreetName,
    known: StreetName,
    length: int,
    lacks: bool,
    differs: bool,
    place_words: frozenset[str],
) -> Likeness:
    """The kindest of a comparison by letters and those by words."""
    least = best.cost
    for other in _shortened(asked, known, length, lacks, differs, place_words, least) if least > _LITTLE else ():
        cost = other.cost
        if cost < least:
            best, least = other, cost
    return best


def _shortened(
    asked: StreetName,
    known: StreetName,
    length: int,
    lacks: bool,
    differs: bool,
    place_words: frozenset[str],
    least: float,
) -> Iterator[Likeness]:
    """The name with its words abbreviated, where that may cost less than `least`, and with words left out."""
    written, has_type = _without_cut_type(asked, known) if least > _ABBREVIATED else ((), False)
    if _is_abbreviated(written, known.rest, (3 if len(known.words) == 1 else 2) if has_type else 0):
        yield Likeness(0, length, False, True, 0.0, lacks and not has_type, differs and not has_type)
    omitted = _left_out(asked, known)
    if omitted:
        share = 0.0 if place_words.issuperset(omitted) else len("".join(omitted)) / max(1, len(known.bare))
        if any(word.isdecimal() for word in omitted):
            share = max(share, _NUMBER_WORD)
        yield Likeness(0, length, True, False, min(1.0, share), lacks, differs)


def _cut_type_edits(asked: StreetName, known: StreetName) -> int | None:
    """Letters wrong in `backofenga` for Backofengasse or `sherwood raod` for Sherwood Road; None for other names."""
    if asked.types & known.types or not known.types:
        return None
    for core in dict.fromkeys((asked.glued, asked.core, asked.plain)):  # as it is written first
        for start in dict.fromkeys((known.core, known.plain)):
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


def _letters(asked: StreetName, known: StreetName, length: int, lacks: bool, differs: bool) -> Likeness:
    """Letters that differ: between the names as they are and shortened, or with their types glued on."""
    edits = OSA.distance(asked.core, known.core)
    if len(known.plain) > len(known.core) or len(asked.plain) > len(asked.core):
        edits = min(edits, OSA.distance(asked.plain, known.plain))
    has_little = asked.bare != asked.core or known.bare != known.core
    bare = OSA.distance(asked.bare, known.bare) + 1 if has_little else edits + 1
    other = _OTHER_FIGURES if asked.figures != known.figures or _is_opposite(asked, known) else 0
    plain = Likeness(min(edits, bare) + other, length, bare < edits, False, 0.0, lacks, differs)
    if lacks:
        joined = min(OSA.distance(asked.glued, known.core), OSA.distance(asked.core, known.glued)) + other
        if joined < plain.edits:
            plain = Likeness(joined, max(length, len(known.core)), False, False, 0.0, lacks, differs)
    elif not differs:
        return plain
    if abs(len(asked.glued) - len(known.glued)) > 4 * max(1, edits) or min(len(asked.core), len(known.core)) < 2:
        return plain
    edits = OSA.distance(asked.glued, known.glued)
    for kind in known.types:
        edits = min(edits, OSA.distance(asked.glued, known.core + kind))
    with_type = Likeness(edits + other, max(len(asked.glued), len(known.glued)))
    return with_type if with_type.cost < plain.cost else plain


def _is_opposite(asked: StreetName, known: StreetName) -> bool:
    """Whether both names hold points of the compass, and others."""
    return bool(asked.directions and known.directions) and asked.directions != known.directions


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
        while k < len(known) and not means(word, known[k]):
            if known[k] not in little:
                return False
            k += 1
        if k == len(known):
            return False
        if word == known[k]:
            whole += len(word)
        else:
            longest = max(longest, min(len(word), len(known[k])))
        k += 1
    return k == len(known) and (whole >= 4 or (len(known) == 1 and longest <= initials))


def means(a: str, b: str) -> bool:
    """Whether two words are the same, or one is short for the other."""
    if a == b or a[0] != b[0] or a[0].isdecimal():
        return a == b
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
