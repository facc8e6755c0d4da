"""How like two street names are, in the ways people change them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from geo.geocode.normalise import StreetName, abbreviates, is_type_word
from geo.geocode.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class Likeness:
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


def likeness(asked: StreetName, known: Sequence[StreetName]) -> Likeness:
    """The kindest comparison of a written name with the names of a street."""
    return min((_compare(asked, name) for name in known), key=lambda x: x.cost)


def _compare(asked: StreetName, known: StreetName) -> Likeness:
    missing = not asked.types or not known.types
    differs = not missing and not asked.types & known.types
    neither = not asked.types and not known.types
    flags = {"type_missing": missing and not neither, "type_differs": differs}
    length = max(len(asked.core), len(known.core), 1)
    if asked.core == known.core or asked.keys[1:2] == known.keys[:1]:
        return Likeness(length=length, **flags)
    if asked.glued == known.glued:
        return Likeness(length=length)
    if _is_cut_type(asked, known):
        return Likeness(length=length)
    if asked.bare == known.bare or asked.keys[-1] == known.keys[-1]:
        return Likeness(length=length, little=True, **flags)
    found = [_letters(asked, known, length, flags)]
    if _is_abbreviated(asked.rest, known.rest):
        found.append(Likeness(length=length, abbreviated=True, **flags))
    left_out = _left_out(asked, known)
    if left_out:
        found.append(Likeness(length=length, missing=left_out, **flags))
    return min(found, key=lambda x: x.cost)


def _is_cut_type(asked: StreetName, known: StreetName) -> bool:
    """`backofenga` for Backofengasse, `lonnrotink` for Lönnrotinkatu, `sherwood raod` for Sherwood Road."""
    if asked.types & known.types or not known.types:
        return False
    for core in {asked.core, asked.glued}:
        if len(core) > len(known.core) > 2 and core.startswith(known.core):
            return is_type_word(core[len(known.core) :], known.types)
    return False


def _letters(asked: StreetName, known: StreetName, length: int, flags: dict[str, bool]) -> Likeness:
    edits = min(OSA.distance(asked.core, known.core), OSA.distance(asked.bare, known.bare) + 1)
    plain = Likeness(edits=edits, length=length, **flags)
    if not flags["type_missing"] and not flags["type_differs"]:
        return plain
    glued = [known.glued, *(known.core + t for t in known.types)] if known.types else [known.glued]
    written = asked.glued
    if abs(len(written) - len(known.glued)) > 4 * max(1, edits):
        return plain
    whole = min(OSA.distance(written, g) for g in glued)
    joined = Likeness(edits=whole, length=max(len(written), len(known.glued)))
    return min(plain, joined, key=lambda x: x.cost)


def _is_abbreviated(asked: Sequence[str], known: Sequence[str]) -> bool:
    """Word by word, one is the other or short for it; known words may be skipped when they are little."""
    if not asked or not known:
        return False
    little = vocabulary().little
    k = 0
    letters = whole = 0
    for word in asked:
        while k < len(known) and not _means(word, known[k]) and known[k] in little:
            k += 1
        if k == len(known) or not _means(word, known[k]):
            return False
        if word == known[k]:
            whole += len(word)
        letters += len(word)
        k += 1
    return k == len(known) and (whole >= 4 or letters >= 6)


def _means(a: str, b: str) -> bool:
    if a == b:
        return True
    short, long = (a, b) if len(a) < len(b) else (b, a)
    if long.startswith(short):
        return True
    return 2 <= len(short) <= 4 and abbreviates(short, long)


def _left_out(asked: StreetName, known: StreetName) -> float:
    """Share of letters left out when all asked words occur in order among the known ones, else 0."""
    if len(asked.rest) >= len(known.rest) or len(asked.bare) < 4:
        return 0.0
    words = iter(known.rest)
    if not all(w in words for w in asked.rest):
        return 0.0
    return 1 - len(asked.bare) / max(len(known.bare), 1) if len(known.bare) > len(asked.bare) else 0.0
