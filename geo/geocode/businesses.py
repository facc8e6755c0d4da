"""Businesses and facilities by name."""

from collections.abc import Iterable

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from geo.distance import haversine_m
from geo.geocode.index import Index, NamedPoint
from geo.geocode.matching import Where
from geo.geocode.names import company_words
from geo.geocode.parsing import Parsed
from geo.geocode.readings import Words
from geo.geocode.types import Answer, Candidate, Reason
from geo.types import Grade

_LEAST = 0.7
_SAME_SPOT_M = 300.0


def find_business(index: Index, parsed: Parsed, where: Where) -> Answer | None:
    """Find a business by its name and, when written, its place.

    Returns
    -------
    Answer or None
        None when no name is similar; several of one name far apart are never confident.
    """
    scored: dict[int, float] = {}
    for words in _names(parsed.names):
        asked = company_words(" ".join(words))
        for poi in _candidates(index, words, "".join(asked)):
            likeness = _likeness(words, asked, index.poi(poi))
            if likeness >= _LEAST:
                scored[poi] = max(scored.get(poi, 0.0), likeness)
    if not scored or where.other_country:
        return None
    ranked = sorted(((_confidence(s, index.poi(p), where), p) for p, s in scored.items()), reverse=True)
    confidence, best_id = ranked[0]
    best = index.poi(best_id)
    rivals = [c for c, p in ranked[1:] if haversine_m(index.poi(p).point, best.point) > _SAME_SPOT_M]
    if rivals and rivals[0] > confidence - 0.08:
        confidence = min(confidence, 0.6)
    top = tuple(_candidate(index.poi(p), c) for c, p in ranked[:3])
    return Answer(
        best.point, best.name, best.number, best.postcode, best.city, "", Grade.ROOFTOP, 25.0, round(confidence, 4),
        Reason.POI if confidence >= 0.8 or not rivals else Reason.AMBIGUOUS,
        candidates=() if confidence >= 0.8 else top, region_version=index.version,
    )  # fmt: skip


def is_business(index: Index, parsed: Parsed) -> bool:
    """Whether a stretch of an address is the very name of a business."""
    return any(
        index.pois_named("".join(words)) or index.pois_named("".join(company_words(" ".join(words))))
        for words in _names(parsed.names)
    )


def _names(stretches: list[Words]) -> Iterable[Words]:
    """Each stretch, and all together: names hold commas too."""
    yield from stretches[:4]
    if len(stretches) > 1:
        yield tuple(w for words in stretches[:4] for w in words)


def _candidates(index: Index, words: Words, key: str) -> Iterable[int]:
    found = dict.fromkeys(index.pois_named(key))
    found.update(dict.fromkeys(index.pois_named("".join(words))))
    return found or index.pois_like(key, 12)


def _likeness(words: Words, asked: Words, poi: NamedPoint) -> float:
    known = company_words(poi.name)
    a, b = "".join(asked), "".join(known)
    if a == b or "".join(words) == b:
        return 1.0
    letters = OSA.normalized_similarity(a, b)
    parts = fuzz.token_set_ratio(" ".join(asked), " ".join(known)) / 100
    covered = min(len(a), len(b)) / max(len(a), len(b), 1)
    return max(letters, parts * (0.75 + 0.2 * covered))


def _confidence(likeness: float, poi: NamedPoint, where: Where) -> float:
    """Name first; the place moves it, and a place that contradicts caps it."""
    city = max((sure for p, sure in where.places.items() if p in poi.places), default=0.0)
    base = 0.96 - 1.6 * (1 - likeness)
    if city >= 0.6:
        return min(0.97, max(0.0, base))
    if where.has_city:
        return min(0.6, max(0.0, base - 0.25))
    return max(0.0, base - 0.1)


def _candidate(poi: NamedPoint, confidence: float) -> Candidate:
    return Candidate(
        poi.point, poi.name, poi.number, poi.postcode, poi.city, "", Grade.ROOFTOP, 25.0, round(confidence, 4)
    )
