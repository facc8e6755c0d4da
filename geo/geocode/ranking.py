"""The streets that may be meant, best first: their features, their order, and what the others say about the best."""

import math
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush

from rapidfuzz.distance import OSA

from geo.distance import haversine_m
from geo.geocode.confidence import FEATURES, Features, Model
from geo.geocode.matching import CLOSE, Found, Match, Matcher, Where, is_here, rank
from geo.geocode.readings import Reading
from geo.types import LonLat

_SAME_SPOT_M = 150.0
RIVAL_SCALE = 4.0
"""A score that is lower by so much or more says nothing against the best."""
_AS_LIKE = 0.02
"""Names whose costs of likeness differ by less are as like."""
SLACK = 1e-6
"""What a score may gain by rounding: a match that is not placed yet comes first by so much."""
_HERE = (0.0,) * 9
_NOT_ASKED = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
"""What the number says of a match: that it is there, or that none was asked for."""

_Key = tuple[float, bool, int]
_ELSEWHERE = -1


class Ranking:
    """Matches, best first; numbers are looked up only on streets that may come next, and streets elsewhere only then.

    A number can only lower a score (the model's signs), so a street whose score without it is lower than another's
    with it need not be asked.

    Parameters
    ----------
    found : Found
        The streets that may be meant.
    where : Where
        The place part of the question.
    matcher : Matcher
        Looks at streets elsewhere, places the numbers.
    model : Model
        Orders the matches.
    """

    def __init__(self, found: Found, where: Where, matcher: Matcher, model: Model) -> None:
        self._found, self._where, self._matcher, self._model = found, where, matcher, model
        self._matches: list[Match] = []
        self._done: list[Match] = []
        self._waiting: list[_Key] = []
        matches = _without_shadows(found.matches.values())
        here = [m for m in matches if not m.reading.left_over and is_here(m, where)]
        self._clean = any(map(_is_clean, here))
        self._fuller = {m.reading.words for m in here if m.cost <= CLOSE and m.reading.number is not None}
        self._take(matches)
        if found.elsewhere:
            best = model.score(elsewhere(bool(where.postcodes), where.has_city))
            heappush(self._waiting, (-best - SLACK, False, _ELSEWHERE))

    def _take(self, matches: Iterable[Match]) -> None:
        for match in matches:
            match.overruled = (self._clean and not _is_clean(match)) or self._is_part(match.reading)
            match.head = name_and_place(match, self._where)
            match.score = self._model.score(features_of(match))
            heappush(self._waiting, (-match.score - SLACK, False, len(self._matches)))
            self._matches.append(match)

    def _is_part(self, reading: Reading) -> bool:
        """Whether with the words that it leaves over a name is another one here, misspelt (`Untee Pradafant`)."""
        left, words = reading.left_over, reading.words
        return bool(left and self._fuller) and not self._fuller.isdisjoint((left + words, words + left))

    def __bool__(self) -> bool:
        return bool(self._matches)

    def __iter__(self) -> Iterator[Match]:
        return self.above(-math.inf)

    @property
    def best(self) -> Match:
        """The first one."""
        return self._done[0] if self._done else next(iter(self))

    @property
    def known(self) -> Sequence[Match]:
        """All that were looked at, in no order."""
        return self._matches

    def above(self, least: float) -> Iterator[Match]:
        """Those of a score above one, best first."""
        at = 0
        while at < len(self._done) or self._advance(least):
            if self._done[at].score <= least:
                return
            yield self._done[at]
            at += 1

    def _advance(self, least: float) -> bool:
        """Bring the next one into its place; false when there is none above a score."""
        waiting = self._waiting
        while waiting and -waiting[0][0] > least:
            at = heappop(waiting)[2]
            if at == _ELSEWHERE:
                self._take(_without_shadows(self._matcher.look_elsewhere(self._found, self._where)))
                continue
            match = self._matches[at]
            if not match.features:
                self.point(match)
                match.features = features_of(match)
                match.score = self._model.score(match.features)
                key = (-round(match.score, 6), not match.by_main_name, at)
                if waiting and key > waiting[0]:
                    heappush(waiting, key)
                    continue
            self._done.append(match)
            return True
        return False

    def point(self, match: Match) -> LonLat:
        """Where a match is, its number looked up."""
        if not match.is_placed:
            self._matcher.place(match, self._where)
        return match.street.point if match.placed is None else match.placed.point


def _is_clean(match: Match) -> bool:
    return match.cost == 0 and not match.reading.left_over


def _without_shadows(matches: Iterable[Match]) -> list[Match]:
    """Leave out readings without a number where the same street was read as well with one."""
    everything = list(matches)
    numbered: dict[int, float] = {}
    for match in everything:
        if match.reading.number is not None:
            numbered[match.street.id] = min(rank(match), numbered.get(match.street.id, 9.0))
    return [m for m in everything if m.reading.number is not None or rank(m) < numbered.get(m.street.id, 9.0) - 0.3]


def with_rivals(ranked: Ranking) -> Features:
    """Features of the best match with how close its runner-up at another spot comes."""
    best = ranked.best
    for match in ranked.above(best.score - RIVAL_SCALE):
        if match.street.id != best.street.id and haversine_m(ranked.point(best), ranked.point(match)) > _SAME_SPOT_M:
            return (*best.features[:-1], 1 - (best.score - match.score) / RIVAL_SCALE)
    return best.features


def second(match: Match) -> Features:
    """Features of a match that stands behind another one: the best is its rival."""
    return (*match.features[:-1], 1.0)


def torn(ranked: Ranking) -> Match | None:
    """The street of the other town when the postcode is one town's and the city another's, and both have it."""
    best = ranked.best
    if (best.agrees_postcode > 0) == best.own_city:
        return None
    rivals = (
        rival
        for rival in ranked.known
        if (rival.own_city if best.agrees_postcode > 0 else rival.agrees_postcode > 0)
        and rival.street.id != best.street.id
        and rival.cost <= best.cost + _AS_LIKE
        and len(rival.reading.left_over) <= len(best.reading.left_over)
        and haversine_m(ranked.point(best), ranked.point(rival)) > _SAME_SPOT_M
    )
    return max(rivals, key=lambda rival: rival.score, default=None)


def means_city(other: Match, best: Match) -> bool:
    """Whether of two streets the city's is meant rather than the postcode's: a whole name says more than some figures.

    The name stands there in full, and the number fits no worse.
    """
    fits = [match.placed.fit if match.placed is not None else "" for match in (other, best)]
    return best.agrees_postcode > 0 and other.city == 1 and (fits[0] == "exact" or fits[0] == fits[1])


def is_another(ranked: Ranking) -> bool:
    """Whether all the words are a street elsewhere, and the best match took only some of them."""
    best = ranked.best
    return bool(best.reading.left_over) and any(
        other.cost == 0 and not other.reading.left_over and len(other.reading.words) > len(best.reading.words)
        for other in ranked
        if other.reading.number is not None
    )


def features_of(match: Match) -> Features:
    """Inputs of the confidence model except those about rivals; before the number is looked up, as if it were there."""
    return (*match.head, *_number(match), float(match.overruled), 0.0)


def name_and_place(match: Match, where: Where) -> Features:
    edits, length, little, abbreviated, missing, type_missing, type_differs = match.like
    agrees, city, words = match.agrees_postcode, match.city, match.reading.left_over
    contradicts = not agrees and bool(where.postcodes)
    return (
        1.0,
        min(1.0, edits / length) if edits else 0.0,
        min(edits, 4) / 4 if edits else 0.0,
        1.0 if little else 0.0,
        1.0 if abbreviated else 0.0,
        min(1.0, missing) if missing else 0.0,
        1.0 if type_missing else 0.0,
        1.0 if type_differs else 0.0,
        min(sum([1 + w.isdecimal() for w in words]), 3) / 3 if words else 0.0,
        agrees,
        _near_postcode(match, where) if contradicts else 0.0,
        1.0 if contradicts and match.street.postcodes else 0.0,
        city,
        0.0 if match.own_city or not where.has_city else 1.0 if city < 0.5 else 0.5,
        1.0 if not agrees and city < 0.5 else 0.0,
    )


def _number(match: Match) -> Features:
    """What the number says."""
    if match.reading.number is None:
        return _NOT_ASKED
    placed, like = match.placed, match.like
    fit = "exact" if not match.is_placed else placed.fit if placed is not None else ""
    if fit == "exact" and not (placed is not None and placed.is_cut):
        return _HERE
    unclean = like.edits > 0 or like.type_differs or like.missing > 0 or bool(match.reading.left_over)
    return (
        float(fit == "base"),
        float(fit == "exact"),
        float(fit == "between"),
        float(fit == "beyond"),
        float(fit == "far"),
        float(not fit),
        0.0,
        min(1.0, (placed.uncertainty_m if placed is not None and fit != "exact" else 0.0) / 300),
        float(unclean and fit != "exact"),
    )


def _near_postcode(match: Match, where: Where) -> float:
    """Whether the written postcode is one figure away from the street's."""
    return float(any([OSA.distance(a, b) <= 1 for a in where.postcodes for b in match.street.postcodes]))


def elsewhere(postcode: bool, city: bool) -> Features:
    """The best that can be said of a street that is not where the address says, by what of that is written."""
    said = {"bias": 1.0, "postcode_near": float(postcode), "city_contradicts": float(city), "unplaced": 1.0}
    return tuple(said.get(name, 0.0) for name in FEATURES)
