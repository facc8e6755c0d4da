"""Address to point and back: one class, the same rules for one question and for a million."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import batched, chain, islice

from geo.distance import haversine_m
from geo.geocode.businesses import find_business, is_business
from geo.geocode.collecting import uncollected
from geo.geocode.columns import exchanged
from geo.geocode.confidence import Features, Model, probability, shipped
from geo.geocode.index import Index
from geo.geocode.matching import Match, Matcher, Where, is_another_type, is_here, is_other_by_figures
from geo.geocode.mixed import is_beginning, is_mixed
from geo.geocode.normalise import from_words, may_be_type
from geo.geocode.numbers import parse_number
from geo.geocode.parsing import Parsed, parse
from geo.geocode.plain import Plain
from geo.geocode.ranking import Ranking, is_another, means_city, second, torn, with_rivals
from geo.geocode.readings import Words
from geo.geocode.types import THRESHOLD, AddressQuery, Answer, Candidate, Reason
from geo.types import Grade, LonLat

_CHUNK = 2_000
_MANY_PLACES = 4
"""Of more places of one name those count that lie in the postcode."""
_AS_LIKE = 0.08
"""Places whose names are less like what was written than the best one's by so little may be meant as well."""
_NO_NUMBER = 0.95
"""A street without a number is never meant more surely."""
_NOT_SURE = 0.5
"""What is said at most where another column may hold the street."""
_AS_SURE = 0.02
"""A business that is less sure than a street by so little is meant all the same."""


class Geocoder:
    """Answers questions about addresses from an index.

    Parameters
    ----------
    index : Index
        The world.
    model : Model, optional
        Confidence coefficients; those shipped by default.
    """

    def __init__(self, index: Index, model: Model | None = None) -> None:
        self._index = index
        self._model = model or shipped()
        self._matcher = Matcher(index)
        self._plain = Plain(index, self._matcher, self._model)
        self._places = lru_cache(20_000)(self._find_places)
        self._wheres = lru_cache(20_000)(self._where)

    @property
    def version(self) -> str:
        """Version of the index."""
        return self._index.version

    def locate(self, query: AddressQuery) -> Answer:
        """Find one address."""
        answer = self._locate(query)
        return answer if _is_sure_of_house(answer) else self._exchanged(query, answer)[1]

    def locate_many(self, queries: Iterable[AddressQuery]) -> Iterator[Answer]:
        """Find many addresses; answers come in the order of the questions, equal questions are asked once."""
        for chunk in batched(queries, _CHUNK):
            first: dict[AddressQuery, int] = {}
            at = [first.setdefault(query, len(first)) for query in chunk]
            with uncollected:
                answers = [self.locate(query) for query in first]
            yield from (answers[position] for position in at)

    def reverse(self, point: LonLat) -> Answer:
        """The address nearest to a point."""
        near = self._index.nearest_house(point)
        if near is None:
            return Answer(None, region_version=self._index.version)
        street = self._index.street(near[0])
        house = self._index.houses(near[0])[near[1]]
        return Answer(
            house.point, street.name, house.number.text, house.postcode or street.postcode, street.city,
            street.country, Grade.ROOFTOP, round(near[2], 1), 1.0 if near[2] <= 200 else 0.5, Reason.REVERSE,
            region_version=self._index.version,
        )  # fmt: skip

    def evidence(self, query: AddressQuery) -> tuple[Features, Answer]:
        """The features behind an answer, for fitting the model; no features when no street was found."""
        parsed, where = self._read(query)
        ranked = self._ranked(parsed, where)
        answer = self._decide(query, parsed, where, ranked)
        if not ranked or answer.reason is Reason.POI:
            return (), answer
        return with_rivals(ranked), answer

    def reading(self, query: AddressQuery) -> tuple[AddressQuery, Parsed, list[Match], Answer]:
        """The question, its columns exchanged where it was read so; how it was taken apart; the streets it may mean,
        best first; and the answer.
        """
        parsed, where = self._read(query)
        ranked = self._ranked(parsed, where)
        answer = self._decide(query, parsed, where, ranked)
        if not _is_sure_of_house(answer):
            read, answer = self._exchanged(query, answer)
            if read is not query:
                query, (parsed, where) = read, self._read(read)
                ranked = self._ranked(parsed, where)
        return query, parsed, list(ranked), answer

    def _locate(self, query: AddressQuery, *, is_name: bool = False) -> Answer:
        """The answer to a question as its columns are; `is_name`: the street's was that of names."""
        parsed, where = self._read(query)
        parsed.is_name = is_name
        answer = self._at_once(query, parsed, where)
        return answer or self._decide(query, parsed, where, self._ranked(parsed, where))

    def _exchanged(self, query: AddressQuery, answer: Answer) -> tuple[AddressQuery, Answer]:
        """The one reading of the columns that makes a street sure; else what says most, and never surely.

        What holds a house's number and is no street that is known is not answered with the town as if it were.
        """
        has_street = answer.is_confident and answer.reason is not Reason.PLACE_ONLY
        columns = [found for found in exchanged(query, self._index) if not (has_street and found[0] == "name")]
        others = [(q, self._locate(q, is_name=column == "name")) for column, q in columns]
        sure = [pair for pair in others if _is_sure_of_house(pair[1])]
        if len(sure) == 1:
            return sure[0]
        if has_street or not others:
            return query, answer
        unsure = [(q, replace(a, confidence=min(a.confidence, _NOT_SURE))) for q, a in ((query, answer), *others)]
        return max(unsure, key=lambda pair: (bool(pair[1].candidates), pair[1].point is not None, pair[1].confidence))

    def _read(self, query: AddressQuery) -> tuple[Parsed, Where]:
        parsed = parse(query, self._index)
        return parsed, self._wheres(parsed.postcodes, tuple(parsed.cities), tuple(parsed.countries))

    def _ranked(self, parsed: Parsed, where: Where) -> Ranking:
        return Ranking(self._matcher.candidates(parsed, where), where, self._matcher, self._model)

    def _at_once(self, query: AddressQuery, parsed: Parsed, where: Where) -> Answer | None:
        """What `_decide` will say, where a single look-up tells; None when it does not."""
        match = self._plain.match(parsed.segments, where)
        if match is not None:
            confidence, reason = veto(match, where, probability(match.score))
            return self._answer(match, confidence, reason, ()) if confidence >= THRESHOLD else None
        if query.street.strip() or parsed.has_figures or not is_business(self._index, parsed):
            return None
        business = find_business(self._index, parsed, where)
        return business if business is not None and business.confidence >= _NO_NUMBER - _AS_SURE else None

    def _where(self, postcodes: Words, cities: tuple[Words, ...], countries: tuple[str, ...]) -> Where:
        known = next((c for c in postcodes if self._index.knows_postcode(c)), "")
        places: dict[int, float] = {}
        for words in cities:
            for place, sure in self._places(words).items():
                places[place] = max(sure, places.get(place, 0.0))
        if known and len(places) > _MANY_PLACES:
            there = self._index.places_in(known)
            places = {place: sure for place, sure in places.items() if place in there} or places
        covered = self._index.countries
        elsewhere = bool(countries) and bool(covered) and covered.isdisjoint(countries)
        written = frozenset(w for words in cities for w in words)
        return Where(postcodes, known, places, bool(cities), elsewhere, written)

    def _find_places(self, words: Words) -> dict[int, float]:
        """Places that a stretch may name: exactly, as part of the words, or misspelt."""
        key = "".join(words)
        exact = self._index.places_named(key)
        if exact:
            return dict.fromkeys(exact, 1.0)
        for size in range(len(words) - 1, 0, -1):
            for start in range(len(words) - size + 1):
                part = "".join(words[start : start + size])
                exact = self._index.places_named(part) if len(part) > 2 else ()
                if exact:
                    return dict.fromkeys(exact, 0.95)
        if len(key) < 4:
            return {}
        longer = self._index.places_beginning(key, 5)
        if longer:
            return dict.fromkeys(longer, 0.85)
        like = list(self._index.places_like(key, 0.6 if len(key) > 4 else 0.7, 3, _AS_LIKE))
        if len(words) > 1 and len(words[0]) > 4:
            like += self._index.places_like(words[0], 0.8, 3, _AS_LIKE)
        best = max((score for score, _ in like), default=0.0)
        return {p: round(score, 2) for score, places in like if score >= best - _AS_LIKE for p in places}

    def _decide(self, query: AddressQuery, parsed: Parsed, where: Where, ranked: Ranking) -> Answer:
        if not any((query.name, query.street, query.postcode, query.city, query.query)):
            return Answer(None, reason=Reason.EMPTY, region_version=self._index.version)
        answer = self._best(ranked, parsed, where) if ranked else None
        numbered = bool(ranked) and ranked.best.reading.number is not None
        if not query.street.strip() and (answer is None or not answer.is_confident or not numbered):
            floor = 0.95 if numbered and ranked.best.cost < 0.3 else 0.0
            may_be = not floor or is_business(self._index, parsed)  # so surely means only its very name
            business = find_business(self._index, parsed, where) if may_be else None
            if business is not None and business.confidence >= max(
                floor, answer.confidence - _AS_SURE if answer else 0.0
            ):
                return business
        if answer is None or (answer.confidence < 0.02 and is_hardly_like(ranked.best, where)):
            place = self._place_only(parsed, where)
            if place is not None and answer is not None:
                return replace(place, candidates=answer.candidates)
            return place or answer or Answer(None, region_version=self._index.version)
        return answer

    def _best(self, ranked: Ranking, parsed: Parsed, where: Where) -> Answer:
        best = ranked.best
        confidence = self._model.confidence(with_rivals(ranked))
        confidence, reason = veto(best, where, confidence)
        other = torn(ranked)
        spare = best.reading.number is None and parsed.has_figures_beside(best.reading.words)
        spare = spare or (lacks_type(best) and (parsed.is_name or not all(map(may_be_type, best.reading.left_over))))
        if other is not None or is_another(ranked) or spare or self._is_mixed(best, parsed, confidence):
            confidence = min(confidence, 0.6)
        if confidence >= THRESHOLD:
            return self._answer(best, confidence, reason, ())
        first = other if other is not None and means_city(other, best) else best
        top: list[Candidate] = []
        for match in chain((first,), ranked):
            is_first = match is best or match is other
            sure = confidence if is_first else min(confidence, self._model.confidence(second(match)))
            candidate = _candidate(match, sure)
            if all(haversine_m(c.point, candidate.point) > 20 for c in top):
                top.append(candidate)
            if len(top) == 3:
                break
        if reason in (Reason.EXACT, Reason.CORRECTED, Reason.NEARBY_NUMBER, Reason.NO_NUMBER):
            rivals = any(True for _ in islice(ranked.above(best.score - 1), 1, 2))
            reason = Reason.AMBIGUOUS if rivals else Reason.UNSURE
        return self._answer(first, confidence, reason, tuple(top))

    def _is_mixed(self, best: Match, parsed: Parsed, confidence: float) -> bool:
        """Whether words may be another street's than the best one's; asked only where it would be sure."""
        if confidence < THRESHOLD:
            return False
        return is_mixed(best, parsed.segments, self._index) or is_beginning(best, self._index)

    def _answer(self, match: Match, confidence: float, reason: Reason, top: tuple[Candidate, ...]) -> Answer:
        return Answer(*_told(match), round(confidence, 4), reason, candidates=top, region_version=self._index.version)

    def _place_only(self, parsed: Parsed, where: Where) -> Answer | None:
        if not where.places:
            return None
        place_id, sure = max(where.places.items(), key=lambda x: x[1])
        place = self._index.place(place_id)
        asked_more = any(any(w[0].isdecimal() for w in s) for s in parsed.segments) or bool(parsed.segments)
        confidence = 0.1 if asked_more or where.other_country else round(0.9 * sure, 3)
        return Answer(
            place.point, "", "", "", place.name, place.country, Grade.LOCALITY, place.extent_m, confidence,
            Reason.PLACE_ONLY, region_version=self._index.version,
        )  # fmt: skip


def _is_sure_of_house(answer: Answer) -> bool:
    """Whether nothing else need be tried: a house, or a business, is found surely."""
    return answer.is_confident and answer.reason not in (Reason.PLACE_ONLY, Reason.NO_NUMBER)


def lacks_type(match: Match) -> bool:
    """Whether a name was written without the type that the street has: in a company's name that is no street's."""
    return match.like.type_missing and not match.reading.has_type and not from_words(match.reading.words).types


def is_hardly_like(match: Match, where: Where) -> bool:
    """Whether a match is hardly like what was asked for: another name, or a similar one in another place."""
    return match.cost > 0.4 or (match.like.edits > 0 and bool(where.places) and not is_here(match, where))


def veto(match: Match, where: Where, confidence: float) -> tuple[float, Reason]:
    """What can never be confident, whatever the model says, and the reason code."""
    if where.other_country and not (match.own_city and match.agrees_postcode > 0):
        return min(confidence, 0.3), Reason.OTHER_COUNTRY
    if not is_here(match, where) and not where.is_empty:
        return min(confidence, 0.5), Reason.PLACE_CONTRADICTS
    if is_other_by_figures(match) or is_another_type(match, where):
        return min(confidence, 0.6), Reason.UNSURE
    placed = match.placed
    if placed is not None and placed.fit == "far":
        return min(confidence, 0.6), Reason.NUMBER_OUT_OF_RANGE
    if placed is None:
        asked = match.reading.number is not None
        return min(confidence, 0.6 if asked else _NO_NUMBER), Reason.NO_NUMBER
    if is_letter_or_figure(match):
        confidence = min(confidence, 0.6)
    if placed.fit != "exact":
        return confidence, Reason.NEARBY_NUMBER
    clean = match.cost == 0 and not match.reading.left_over and not is_misread(match)
    return confidence, Reason.EXACT if clean else Reason.CORRECTED


def is_misread(match: Match) -> bool:
    """Whether a letter of the number was read as a figure (`2O` as 20)."""
    number, placed = match.reading.number, match.placed
    if number is None or placed is None or not placed.is_cut or not number.tail:
        return False
    known = parse_number(placed.text)
    return known is not None and known.base != number.base and not number.tail[0].isdecimal()


def is_letter_or_figure(match: Match) -> bool:
    """Whether the number ends with an `o` or `l`, and no house has that letter, nor the figure that it may be."""
    number, placed = match.reading.number, match.placed
    if number is None or placed is None or number.tail not in (("o",), ("l",)):
        return False
    return (placed.fit != "exact" or placed.is_cut) and not is_misread(match)


def _candidate(match: Match, confidence: float) -> Candidate:
    return Candidate(*_told(match), round(confidence, 4))


def _told(match: Match) -> tuple[LonLat, str, str, str, str, str, Grade, float]:
    """What a candidate and an answer begin with, from the point to the uncertainty in metres."""
    street, placed = match.street, match.placed
    if placed is None:
        wide_m = round(max(30.0, street.extent_m), 1)
        return street.point, street.name, "", street.postcode, street.city, street.country, Grade.STREET, wide_m
    return (
        placed.point, street.name, placed.text, placed.postcode or street.postcode, street.city, street.country,
        placed.grade, placed.uncertainty_m,
    )  # fmt: skip
