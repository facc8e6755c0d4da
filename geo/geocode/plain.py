"""Addresses written plainly, one street with one number: answered from the exact join alone.

Most rows of a list are such. The street of that name where the address says is the answer, and nothing else is looked
at, when nothing else can change it: other readings leave words over, and streets that are named otherwise or lie
elsewhere stay further behind than a rival may.
"""

from functools import lru_cache

from geo.geocode.confidence import FEATURES, Features, Model
from geo.geocode.index import Index
from geo.geocode.matching import Match, Matcher, Where
from geo.geocode.normalise import StreetName, from_words
from geo.geocode.numbers import HouseNumber
from geo.geocode.ranking import RIVAL_SCALE, SLACK, elsewhere, features_of, name_and_place
from geo.geocode.readings import SUFFIX_WORDS, Reading, Words
from geo.geocode.vocabulary import vocabulary

_FEW = 4
"""Of more streets that are filed under the name where the address says, the cascade chooses."""
_SURE = 0.7
"""A written place means the street's at least so surely."""
_BEST = ("bias", "city_agrees", "overruled")


class Plain:
    """The exact join.

    Parameters
    ----------
    index : Index
        The world.
    matcher : Matcher
        Compares streets, looks numbers up.
    model : Model
        Says how far others stay behind.
    """

    def __init__(self, index: Index, matcher: Matcher, model: Model) -> None:
        self._index, self._matcher, self._model = index, matcher, model
        weights = dict(zip(FEATURES, model.weights, strict=True))
        agrees = max(weights["postcode_agrees"], weights["postcode_near"])
        self._overruled = sum(weights[name] for name in _BEST) + agrees
        self._at_house = lru_cache(200)(self._of_house)
        self._elsewhere = lru_cache(4)(lambda postcode, city: model.score(elsewhere(postcode, city)))

    def match(self, segments: list[Words], where: Where) -> Match | None:
        """The street that a plainly written address means; None when the whole cascade has to look."""
        reading = plain_reading(segments[0]) if len(segments) == 1 and not where.other_country else None
        if reading is None or self._is_name(segments[0]):
            return None
        match, is_alone = self._only(reading, from_words(reading.words), where)
        if match is None:
            return None
        self._matcher.place(match, where)
        placed = match.placed
        if placed is None or 0 < match.agrees_postcode < 1:
            return None
        if placed.fit == "exact" and not placed.is_cut:
            match.features, match.score = self._at_house(match.agrees_postcode, match.city)
        else:
            match.head = name_and_place(match, where)
            match.features = features_of(match)
            match.score = self._model.score(match.features)
        behind = self._elsewhere(bool(where.postcodes), where.has_city)
        if not is_alone:
            behind = max(behind, self._overruled)
        return match if match.score - RIVAL_SCALE > behind + SLACK else None

    def _of_house(self, agrees: float, city: float) -> tuple[Features, float]:
        """The features of the very street and house, where the address says, and their score."""
        unplaced = float(not agrees and city < 0.5)
        said = {"bias": 1.0, "postcode_agrees": agrees, "city_agrees": city, "unplaced": unplaced}
        features = tuple([said.get(name, 0.0) for name in FEATURES])
        return features, self._model.score(features)

    def _is_name(self, words: Words) -> bool:
        """Whether one word and the figures may together be a street's name."""
        if len(words) != 2:
            return False
        table, word = vocabulary(), words[0]
        if word.isdecimal() or word in table.front or word in table.short or word in table.little:
            return any(self._index.knows_street(key) for key in from_words(words).keys)
        return self._index.knows_street("".join(words))

    def _only(self, reading: Reading, asked: StreetName, where: Where) -> tuple[Match | None, bool]:
        """The only street of exactly the name where all of the address says, and whether no similar one is there."""
        named = self._index.streets_named
        here = {street: None for key in asked.keys for street in named(key, where.postcodes, where.places).here}
        if not 0 < len(here) <= _FEW:
            return None, False
        same = [found for street in here if (found := self._matcher.compare(asked, street, where)) and not found.cost]
        if len(same) != 1:
            return None, False
        found = same[0]
        agrees = (found.agrees_postcode > 0 or not where.postcodes) and (
            (found.own_city and found.city >= _SURE) or not where.has_city
        )
        return (Match(found.street, reading, *found[1:]) if agrees else None), len(here) == 1


def plain_reading(words: Words) -> Reading | None:
    """The first reading of some words where it is the only one that leaves none of them over, else None.

    Figures stand once, behind the name (with a letter at most) or before it; no word announces anything, and none may
    belong to a company.
    """
    figures = [n for n, word in enumerate(words) if not word.isalpha()]
    if len(figures) != 1:
        return None
    at = figures[0]
    number, behind = words[at], words[at + 1 :]
    if not number.isdecimal() or len(number) > 6:
        return None
    table = vocabulary()
    if not (table.unit.isdisjoint(words) and table.number.isdisjoint(words)):
        return None
    if at == 0:
        is_name = bool(behind) and len(behind[0]) > 1 and behind[0] not in SUFFIX_WORDS
        return Reading(behind, HouseNumber(int(number), (), number), ()) if is_name else None
    if len(behind) > 1 or (behind and len(behind[0]) > 1 and behind[0] not in SUFFIX_WORDS):
        return None
    if words[0] in table.legal or (at > 2 and len(words[1]) > 2 and words[1] in table.front):
        return None
    return Reading(words[:at], HouseNumber(int(number), behind, number + "".join(behind)), ())
