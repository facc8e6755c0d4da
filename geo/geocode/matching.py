"""The cascade: which streets may be meant."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from geo.geocode.along import Placed
from geo.geocode.blocks import Block
from geo.geocode.confidence import FEATURES, Features
from geo.geocode.index import NOBODY, Index, Named, Street
from geo.geocode.likeness import Likeness, likeness
from geo.geocode.names import postcode_key
from geo.geocode.normalise import StreetName, from_words, may_be_type, type_edits
from geo.geocode.parsing import Parsed
from geo.geocode.readings import Reading, Words, is_figures, readings
from geo.geocode.vocabulary import vocabulary

CLOSE = 0.15
"""A cost of likeness at which readings that leave words over are not tried any more."""
_UNLIKE = 0.55
"""A cost of likeness from which on names have nothing to do with each other."""
_NEAR = 0.58
"""Least similarity of keys that is looked at closely."""
_LONGEST_TYPE = 10
_FEW_LETTERS = 3
"""So short a name beside a type says little: it may be an article that belongs to the name (`Tke Square`)."""
_MAX_READINGS = 60
_WIDE_READINGS = 3
"""So many readings are looked for anywhere, when nothing in the written place is like them."""
_LOOK_CLOSELY = 8
_AROUND = 0.6
"""A written place is one around the street at least so surely."""
_AGREES = FEATURES.index("postcode_agrees")


@dataclass(slots=True)
class Where:
    """The place part of a question, looked up."""

    postcodes: Words
    """Keys that the postcode may mean."""
    known_postcode: str
    """The one of them that the index knows, or empty."""
    places: dict[int, float]
    """Place -> how surely it is meant, 0 to 1."""
    has_city: bool
    """Whether any place was written."""
    other_country: bool
    """A country was written, and it is not covered."""
    words: frozenset[str] = frozenset()
    """All words of the written places."""

    @property
    def is_empty(self) -> bool:
        """Neither postcode nor city was written."""
        return not self.postcodes and not self.has_city


@dataclass(slots=True)
class Match:
    """A street that may be meant, by one reading."""

    street: Street
    """The street."""
    reading: Reading
    """How the text was read."""
    like: Likeness
    """How like the names are."""
    cost: float
    """The cost of that likeness."""
    agrees_postcode: float = 0.0
    """Whether the written postcode is one of the street's; a half when the very house has another."""
    city: float = 0.0
    """How surely the written city is where the street is."""
    own_city: bool = False
    """The written city is the one that its addresses write, not only one around it."""
    placed: Placed | None = None
    """Where the number is; None when none was asked, the street has none, or it was not looked up."""
    is_placed: bool = False
    """Whether the number was looked up."""
    overruled: bool = False
    """Another street of exactly this name, or of all the words, is where the address says."""
    head: Features = ()
    """Those inputs of the confidence model that the name and the place give."""
    features: Features = ()
    """All of them, rivals left out, once the number was looked up."""
    score: float = 0.0
    """Log-odds by what is known of it."""

    @property
    def by_main_name(self) -> bool:
        """Whether the words are the street's main name; breaks ties with streets that have it as another name."""
        return from_words(self.reading.words).core == self.street.names[0].core


@dataclass(slots=True)
class Found:
    """Streets that may be meant."""

    matches: dict[tuple[int, int | None], Match] = field(default_factory=dict)
    """The best match per street and leading figure of the house number."""
    elsewhere: list[tuple[Reading, StreetName, int]] = field(default_factory=list)
    """Streets of exactly the name that are not where the address says: not compared while they cannot matter."""
    compared: dict[tuple[Words, int], "Compared | None"] = field(default_factory=dict)
    """What is known of a street for some words, whatever the number; None when the names have nothing in common."""


class Compared(NamedTuple):
    """A street beside what was written, its number left out."""

    street: Street
    """The street."""
    like: Likeness
    """How like the names are."""
    cost: float
    """The cost of that likeness."""
    agrees_postcode: float
    """Whether the written postcode is one of the street's."""
    city: float
    """How surely the written city is where the street is."""
    own_city: bool
    """The written city is the one that its addresses write."""


class Matcher:
    """Finds candidate streets through an index.

    Parameters
    ----------
    index : Index
        The world.
    """

    def __init__(self, index: Index) -> None:
        self._index = index

    def candidates(self, parsed: Parsed, where: Where) -> Found:
        """Streets that may be meant: exact, then near in the block of postcode and city, then anywhere."""
        found = Found()
        exact = False
        fuller: list[Reading] = []
        for words in parsed.segments:
            hit = False
            for n, reading in enumerate(readings(words)):
                if n >= _MAX_READINGS or (hit and reading.left_over):
                    break
                agreed = self._exact(reading, where, found, hit)
                hit = hit or (agreed and not reading.left_over)
                if not exact and len(reading.left_over) <= 2:
                    fuller.append(reading)
            exact = exact or hit
        if not exact:
            self.look_elsewhere(found, where)
            self._near([reading for reading in fuller if not announces(reading.words)], where, found)
        return found

    def look_elsewhere(self, found: Found, where: Where) -> list[Match]:
        """Compare with the streets of exactly the name that are elsewhere; the matches that this adds."""
        before = len(found.matches)
        for reading, asked, street in found.elsewhere:
            self._file(reading, asked, street, where, found)
        found.elsewhere.clear()
        return list(found.matches.values())[before:]

    def _exact(self, reading: Reading, where: Where, found: Found, hit: bool) -> bool:
        """File streets of exactly this name; true when one agrees with the place.

        Without any, and while no other reading hit one, those with their type cut short.
        """
        asked = from_words(reading.words)
        here: dict[int, None] = {}
        elsewhere: dict[int, None] = {}
        for key in asked.keys:
            named = self._index.streets_named(key, where.postcodes, where.places)
            if named is not NOBODY:
                here.update(dict.fromkeys(named.here))
                elsewhere.update(dict.fromkeys(named.elsewhere))
        if not here and not elsewhere:
            if hit:
                return False
            whole = (
                []
                if asked.glued in asked.keys
                else [self._index.streets_named(asked.glued, where.postcodes, where.places)]
            )
            for named in (*whole, *self._cut_types(asked, where)):
                here.update(dict.fromkeys(named.here))
                elsewhere.update(dict.fromkeys(named.elsewhere))
        if len(here) + len(elsewhere) > _LOOK_CLOSELY and here:
            elsewhere.clear()
        agreed = False
        for street in islice(here, 4 * _LOOK_CLOSELY):
            match = self._file(reading, asked, street, where, found)
            if match is not None and match.cost == 0:
                agreed = agreed or match.agrees_postcode > 0 or match.city >= 0.7
        found.elsewhere += [(reading, asked, street) for street in islice(elsewhere, 4 * _LOOK_CLOSELY)]
        return agreed

    def _cut_types(self, asked: StreetName, where: Where) -> Iterator[Named]:
        """Streets whose name the asked one begins with, when the rest is a shortened or misspelt type."""
        for core in dict.fromkeys((asked.core, asked.glued)):
            for begun in self._index.streets_begun_with(core, max(2, len(core) - _LONGEST_TYPE)):
                rest = core[len(begun) :]
                if may_be_type(rest):
                    named = self._index.streets_named(begun, where.postcodes, where.places)
                    yield Named(
                        [s for s in named.here if self._may_end(s, rest)],
                        [s for s in named.elsewhere if self._may_end(s, rest)],
                    )

    def _may_end(self, street: int, rest: str) -> bool:
        """Whether a text is the street's type, cut short or misspelt."""
        return any([type_edits(rest, name.types) is not None for name in self._index.names(street)])

    def _near(self, fuller: Sequence[Reading], where: Where, found: Found) -> None:
        """File similar streets of the place; then, when none is close, similar ones anywhere."""
        if self._near_in_place(fuller, where, found) <= 0.25:
            return
        whole = [r for r in fuller if not r.left_over] or list(fuller)
        if not where.is_empty:
            whole = [r for r in whole if not figures_of(r)] or whole
        for reading in whole[:_WIDE_READINGS]:
            asked = from_words(reading.words)
            if len(asked.core) >= 4:
                for street in self._index.streets_like(asked.core, _LOOK_CLOSELY):
                    self._file(reading, asked, street, where, found)

    def _near_in_place(self, fuller: Sequence[Reading], where: Where, found: Found) -> float:
        """File similar streets of the place; the least cost of likeness.

        Once a street of the postcode and the written city is close, no further block is read. Words are not read with
        the house's number as part of the name where no name has such a figure.
        """
        blocks = self._blocks(where)
        opened: list[Block] = []
        best = 1.0
        known: dict[tuple[Words, Block], Iterable[int]] = {}
        numbered = any(reading.number is not None for reading in fuller)
        for reading in sorted(fuller, key=lambda r: (len(r.left_over), r.number is None)):
            if best <= CLOSE and (reading.left_over or reading.number is None):
                break
            asked = from_words(reading.words)
            figures = figures_of(reading) if numbered else ()
            for at, read in enumerate(blocks):
                if at == len(opened):
                    opened.append(read())
                block = opened[at]
                if figures and not any(map(block.holds, figures)):
                    continue
                if (reading.words, block) not in known:
                    known[reading.words, block] = self._in_block(asked, block)
                for street in known[reading.words, block]:
                    match = self._file(reading, asked, street, where, found)
                    if match is None:
                        continue
                    best = min(best, match.cost)
                    if match.cost <= CLOSE and match.agrees_postcode > 0 and match.own_city:
                        del blocks[at + 1 :]
        return best

    def _blocks(self, where: Where) -> list[Callable[[], Block]]:
        """The streets of the postcode, then those of each place: these are read only when nothing before is close."""
        sure = [place for place, share in where.places.items() if share >= 0.7]
        blocks = [partial(self._index.postcode_block, where.known_postcode)] if where.known_postcode else []
        return [*blocks, *(partial(self._index.place_block, place) for place in sure)]

    def _in_block(self, asked: StreetName, block: Block) -> Iterable[int]:
        streets: dict[int, None] = {}
        glued = asked.glued if asked.glued in asked.keys or len(asked.core) <= _FEW_LETTERS else ""
        for key in dict.fromkeys((asked.core, asked.bare, glued)):
            if len(key) > 2:
                streets.update(dict.fromkeys(s for _, s in block.like(key, _NEAR, _LOOK_CLOSELY)))
        tellers = [w for w in asked.rest if len(w) > 3 and w not in vocabulary().little]
        if tellers:
            teller = max(tellers, key=len)
            streets.update(dict.fromkeys(block.containing(teller[:-1] if len(teller) > 4 else teller, 24)))
        if len(asked.core) <= _FEW_LETTERS and asked.types:
            streets.update(dict.fromkeys(self._beginning(asked, block)))
        return streets

    def _beginning(self, asked: StreetName, block: Block) -> Iterable[int]:
        """Streets of the asked type whose name begins with the few letters asked (`et.espl.`)."""
        begun = block.containing(f"^{asked.core}", 100)
        return (s for s in begun if any(n.types & asked.types for n in self._index.street(s).names))

    def _file(self, reading: Reading, asked: StreetName, street_id: int, where: Where, found: Found) -> Match | None:
        """Compare, and keep the better reading of a street; None when the names have nothing to do with each other."""
        known = (reading.words, street_id)
        if known in found.compared:
            compared = found.compared[known]
        else:
            compared = found.compared[known] = self.compare(asked, street_id, where)
        if compared is None:
            return None
        street = compared.street
        if reading.left_over:
            types = [w for w in reading.left_over if may_be_type(w) and self._may_end(street_id, w)]
            if types:
                left = tuple([w for w in reading.left_over if w not in types])
                reading = Reading(reading.words, reading.number, left, True)
        _, like, cost, agrees, city, own_city = compared
        match = Match(street, reading, like, cost, agrees, city, own_city)
        key = (street_id, None if reading.number is None else reading.number.base)
        old = found.matches.get(key)
        if old is None or _better(match, old):
            found.matches[key] = match
        return match

    def compare(self, asked: StreetName, street_id: int, where: Where) -> Compared | None:
        """Compare names and place of a street with what was written; None when it is another name altogether."""
        like = likeness(asked, self._index.names(street_id), where.words)
        cost = like.cost
        if cost > _UNLIKE:
            return None
        street = self._index.street(street_id)
        agrees = 1.0 if where.postcodes and not street.postcodes.isdisjoint(where.postcodes) else 0.0
        city, own_city = 0.0, False
        if not street.places.isdisjoint(where.places):
            for place, sure in where.places.items():
                if sure > city and place in street.places:
                    city = sure
                own_city = own_city or (sure >= 0.6 and place in street.own_places)
        return Compared(street, like, cost, agrees, city, own_city)

    def place(self, match: Match, where: Where) -> None:
        """Look the number of a match up."""
        match.is_placed = True
        number = match.reading.number
        if number is None:
            return
        agreed = [code for code in where.postcodes if code in match.street.postcodes]
        match.placed = self._index.houses(match.street.id).place(number, agreed[0] if agreed else "")
        code = match.placed.postcode if match.placed is not None else ""
        if match.agrees_postcode and code and postcode_key(code) not in where.postcodes:
            match.agrees_postcode = 0.5
            match.head = (*match.head[:_AGREES], 0.5, *match.head[_AGREES + 1 :])


def figures_of(reading: Reading) -> Words:
    """The figures that are part of the name where a reading takes none for the house's number."""
    return () if reading.number is not None else tuple([w for w in reading.words if w.isdecimal()])


def is_other_by_figures(match: Match) -> bool:
    """Whether figures are part of a name, written or known, and make it another one.

    They are not the same in any name of the street; or they are, and tell it from others only by its type, which is
    another one or is not explained: `71st Avenue` is not 71st Road, and `K 7` not Calle 7.
    """
    asked = from_words(match.reading.words)
    if not asked.figures and not match.cost:
        return False
    if all(name.figures != asked.figures for name in match.street.names):
        return True
    if match.like.type_differs:
        compass, short = vocabulary().compass, vocabulary().short
        return bool(asked.figures) and all([w[0].isdecimal() or short.get(w, w) in compass for w in asked.rest])
    reading = match.reading
    return is_figures(reading.words) and (bool(reading.left_over) or (match.cost > 0 and not reading.has_type))


def is_another_type(match: Match, where: Where) -> bool:
    """Whether the type is another one, and anything else contradicts as well: the postcode, the city or the number."""
    if not match.like.type_differs:
        return False
    house = match.reading.number is None or (match.placed is not None and match.placed.fit == "exact")
    place = (match.agrees_postcode > 0 or not where.postcodes) and (match.city >= _AROUND or not where.has_city)
    return not (house and place)


def announces(words: Words) -> bool:
    """Whether words only announce a number, floor or door, and name no street."""
    table = vocabulary()
    return all(word in table.unit or word in table.number for word in words)


def is_here(match: Match, where: Where) -> bool:
    """Whether the written postcode or city agrees with the street.

    A place around the street (its municipality, the next village) is not enough against the postcode.
    """
    if match.agrees_postcode > 0:
        return True
    return match.own_city or (match.city >= _AROUND and not (where.postcodes and match.street.postcodes))


def rank(match: Match) -> float:
    """A quick order of the readings of one street, the best lowest."""
    return match.cost + 0.2 * min(2, len(match.reading.left_over))


def _better(new: Match, old: Match) -> bool:
    return rank(new) < rank(old)
