"""The cascade: which streets may be meant, and how well each fits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from geo.geocode.blocks import Block
from geo.geocode.confidence import Features, Model
from geo.geocode.index import Index, Street
from geo.geocode.likeness import Likeness, likeness
from geo.geocode.names import postcode_key
from geo.geocode.normalise import StreetName, from_words, type_edits
from geo.geocode.numbers import Placed
from geo.geocode.parsing import Parsed
from geo.geocode.readings import Reading, Words, readings
from geo.geocode.vocabulary import vocabulary

_CLOSE = 0.15
"""A cost of likeness at which readings that leave words over are not tried any more."""
_UNLIKE = 0.55
"""A cost of likeness from which on names have nothing to do with each other."""
_NEAR = 0.58
"""Least similarity of keys that is looked at closely."""
_LONGEST_TYPE = 10
_MAX_READINGS = 60
_WIDE_READINGS = 3
"""So many readings are looked for anywhere, when nothing in the written place is like them."""
_LOOK_CLOSELY = 8


@dataclass(frozen=True, slots=True)
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
    agrees_postcode: float = 0.0
    """Whether the written postcode is one of the street's; a half when the very house has another."""
    city: float = 0.0
    """How surely the written city is where the street is."""
    own_city: bool = False
    """The written city is the one that its addresses write, not only one around it."""
    placed: Placed | None = None
    """Where the number is; None when none was asked or the street has none."""
    features: Features = ()
    """Inputs of the confidence model, rivals left out."""
    score: float = 0.0
    """Log-odds by those features."""

    @property
    def by_main_name(self) -> bool:
        """Whether the words are the street's main name; breaks ties with streets that have it as another name."""
        return from_words(self.reading.words).core == self.street.names[0].core


Found = dict[tuple[int, int | None], Match]
"""The best match per street and leading figure of the house number."""


class Matcher:
    """Finds candidate streets through an index.

    Parameters
    ----------
    index : Index
        The world.
    model : Model
        Orders candidates.
    """

    def __init__(self, index: Index, model: Model) -> None:
        self._index = index
        self._model = model

    def candidates(self, parsed: Parsed, where: Where) -> list[Match]:
        """Streets that may be meant: exact, then near in the block of postcode and city, then anywhere."""
        found: Found = {}
        exact = False
        fuller: list[Reading] = []
        for words in parsed.segments:
            hit = False
            for n, reading in enumerate(readings(words)):
                if n >= _MAX_READINGS or (hit and reading.left_over):
                    break
                agreed = self._exact(reading, where, found)
                hit = hit or (agreed and not reading.left_over)
                if len(reading.left_over) <= 2 and not announces(reading.words):
                    fuller.append(reading)
            exact = exact or hit
        if not exact:
            self._near(fuller, where, found)
        return list(found.values())

    def _exact(self, reading: Reading, where: Where, found: Found) -> bool:
        """File streets of exactly this name, or with its type cut short; true when one agrees with the place."""
        asked = from_words(reading.words)
        streets: dict[int, None] = {}
        for key in asked.keys:
            streets.update(dict.fromkeys(self._index.streets_named(key, where.known_postcode, where.places)))
        if not streets:
            streets.update(dict.fromkeys(self._cut_types(asked, where)))
        agreed = False
        for street in self._plausible(streets, where):
            match = self._file(reading, asked, street, where, found)
            agreed = agreed or ((match.agrees_postcode > 0 or match.city >= 0.7) and match.like.cost == 0)
        return agreed

    def _cut_types(self, asked: StreetName, where: Where) -> Iterable[int]:
        """Streets whose name the asked one begins with, when the rest is a shortened or misspelt type."""
        for core in {asked.core, asked.glued}:
            for size in range(1, min(_LONGEST_TYPE, len(core) - 2) + 1):
                for street in self._index.streets_named(core[:-size], where.known_postcode, where.places):
                    if any(
                        type_edits(core[-size:], name.types) is not None for name in self._index.street(street).names
                    ):
                        yield street

    def _plausible(self, streets: Iterable[int], where: Where) -> list[int]:
        """Of many streets of one name those that agree with the place, else a handful."""
        everything = list(streets)
        if len(everything) <= _LOOK_CLOSELY:
            return everything
        here = [s for s in everything if self._agrees(self._index.street(s), where)]
        return (here or everything)[: 4 * _LOOK_CLOSELY]

    def _agrees(self, street: Street, where: Where) -> bool:
        return where.known_postcode in street.postcodes or any(p in street.places for p in where.places)

    def _near(self, fuller: Sequence[Reading], where: Where, found: Found) -> None:
        """File similar streets of the place; then, when none is close, similar ones anywhere."""
        blocks = self._blocks(where)
        best = 1.0
        known: dict[Words, Iterable[int]] = {}
        for reading in sorted(fuller, key=lambda r: (len(r.left_over), r.number is None)):
            if best <= _CLOSE and (reading.left_over or reading.number is None):
                break
            asked = from_words(reading.words)
            if reading.words not in known:
                known[reading.words] = self._in_blocks(asked, blocks)
            for street in known[reading.words]:
                best = min(best, self._file(reading, asked, street, where, found).like.cost)
        if best <= 0.25:
            return
        whole = [r for r in fuller if not r.left_over]
        for reading in (whole or fuller)[:_WIDE_READINGS]:
            asked = from_words(reading.words)
            if len(asked.core) >= 4:
                for street in self._index.streets_like(asked.core, _LOOK_CLOSELY):
                    self._file(reading, asked, street, where, found)

    def _blocks(self, where: Where) -> list[Block]:
        blocks = [self._index.place_block(p) for p, sure in where.places.items() if sure >= 0.7]
        if where.known_postcode:
            blocks.append(self._index.postcode_block(where.known_postcode))
        return [b for b in blocks if len(b)]

    def _in_blocks(self, asked: StreetName, blocks: Sequence[Block]) -> Iterable[int]:
        streets: dict[int, None] = {}
        glued = asked.glued if asked.glued in asked.keys else ""
        keys = [k for k in dict.fromkeys((asked.core, asked.bare, glued)) if len(k) > 2]
        tellers = [w for w in asked.rest if len(w) > 3 and w not in vocabulary().little]
        for block in blocks:
            for key in keys:
                streets.update(dict.fromkeys(s for _, s in block.like(key, _NEAR, _LOOK_CLOSELY)))
            if tellers:
                teller = max(tellers, key=len)
                streets.update(dict.fromkeys(block.containing(teller[:-1] if len(teller) > 4 else teller, 24)))
            if len(asked.core) <= 3 and asked.types:
                streets.update(dict.fromkeys(self._beginning(asked, block)))
        return streets

    def _beginning(self, asked: StreetName, block: Block) -> Iterable[int]:
        """Streets of the asked type whose name begins with the few letters asked (`et.espl.`)."""
        begun = block.containing(f"^{asked.core}", 100)
        return (s for s in begun if any(n.types & asked.types for n in self._index.street(s).names))

    def _file(self, reading: Reading, asked: StreetName, street_id: int, where: Where, found: Found) -> Match:
        """Compare, and keep the better reading of a street."""
        street = self._index.street(street_id)
        left = tuple(w for w in reading.left_over if not any(type_edits(w, n.types) is not None for n in street.names))
        if len(left) < len(reading.left_over):
            reading = Reading(reading.words, reading.number, left)
        match = Match(street, reading, likeness(asked, street.names, where.words))
        match.agrees_postcode = float(any(code in street.postcodes for code in where.postcodes))
        match.city = max((sure for p, sure in where.places.items() if p in street.places), default=0.0)
        match.own_city = any(sure >= 0.6 and p in street.own_places for p, sure in where.places.items())
        if match.like.cost > _UNLIKE:
            return match
        key = (street_id, None if reading.number is None else reading.number.base)
        old = found.get(key)
        if old is None or _better(match, old):
            found[key] = match
        return match

    def finish(self, matches: Iterable[Match], where: Where) -> list[Match]:
        """Place the numbers and order by score; house numbers must have been prepared."""
        done = []
        for match in _without_shadows(matches):
            number = match.reading.number
            if number is not None:
                wanted = next((c for c in where.postcodes if c in match.street.postcodes), "")
                match.placed = self._index.houses(match.street.id).place(number, wanted)
                code = match.placed.postcode if match.placed is not None else ""
                if match.agrees_postcode and code and postcode_key(code) not in where.postcodes:
                    match.agrees_postcode = 0.5
            done.append(match)
        clean = any(m.like.cost == 0 and not m.reading.left_over and is_here(m, where) for m in done)
        for match in done:
            overruled = clean and (match.like.cost > 0 or bool(match.reading.left_over))
            match.features = features(match, where, overruled)
            match.score = self._model.score(match.features)
        return sorted(done, key=lambda m: (-round(m.score, 6), not m.by_main_name))


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
    return match.own_city or (match.city >= 0.6 and not (where.postcodes and match.street.postcodes))


def _rank(match: Match) -> float:
    return match.like.cost + 0.2 * min(2, len(match.reading.left_over))


def _better(new: Match, old: Match) -> bool:
    return _rank(new) < _rank(old)


def _without_shadows(matches: Iterable[Match]) -> list[Match]:
    """Leave out readings without a number where the same street was read as well with one."""
    everything = list(matches)
    numbered: dict[int, float] = {}
    for match in everything:
        if match.reading.number is not None:
            numbered[match.street.id] = min(_rank(match), numbered.get(match.street.id, 9.0))
    return [m for m in everything if m.reading.number is not None or _rank(m) < numbered.get(m.street.id, 9.0) - 0.3]


def features(match: Match, where: Where, overruled: bool) -> Features:
    """Inputs of the confidence model except those about rivals, which are zero here.

    `overruled` says that another street of exactly this name is where the address says.
    """
    like, placed, number = match.like, match.placed, match.reading.number
    fit = placed.fit if placed is not None else ""
    typed = like.edits > 0
    unclean = typed or like.type_differs or like.missing > 0 or bool(match.reading.left_over)
    return (
        1.0,
        min(1.0, like.edits / like.length),
        min(like.edits, 4) / 4,
        float(like.little),
        float(like.abbreviated),
        min(1.0, like.missing),
        float(like.type_missing),
        float(like.type_differs),
        min(sum(1 + w.isdecimal() for w in match.reading.left_over), 3) / 3,
        match.agrees_postcode,
        _near_postcode(match, where),
        float(bool(where.postcodes) and not match.agrees_postcode and bool(match.street.postcodes)),
        match.city,
        float(where.has_city and not match.own_city) * (1.0 if match.city < 0.5 else 0.5),
        float(not match.agrees_postcode and match.city < 0.5),
        float(fit == "base"),
        float(placed is not None and placed.is_cut and fit == "exact"),
        float(fit == "between"),
        float(fit == "beyond"),
        float(fit == "far"),
        float(number is not None and placed is None),
        float(number is None),
        min(1.0, (placed.uncertainty_m if placed is not None and fit != "exact" else 0.0) / 300),
        float(unclean and fit != "exact") if number is not None else 0.0,
        float(overruled),
        0.0,
    )


def _near_postcode(match: Match, where: Where) -> float:
    """Whether the written postcode is one figure away from the street's."""
    if match.agrees_postcode or not where.postcodes:
        return 0.0
    return float(any(OSA.distance(a, b) <= 1 for a in where.postcodes for b in match.street.postcodes))
