"""The rules of geocoding: each source has its index, replaced in one piece; questions are asked of all of them."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from geo.geocode.building import build
from geo.geocode.content import Content
from geo.geocode.geocoder import Geocoder
from geo.geocode.joint import joint
from geo.geocode.types import THRESHOLD, AddressQuery, Answer, Reason
from geo.geocode.vocabulary import fold, vocabulary, words
from geo.types import LonLat
from server.geocoding import indexes, queries
from server.geocoding.errors import NoAddresses
from server.geocoding.models import Source
from server.kit.database import copy_rows
from server.regions.queries import region_by_id

__all__ = ["THRESHOLD", "build_index", "locate", "locate_many", "pinned_many", "reverse", "write"]

_BATCH = 2_000
FORMAT = 2
"""Counts changes of how rows are written; part of every version, so that an old index is not taken for a new one."""


def build_index(session: Session, region_id: UUID) -> Source:
    """Build the address index of a region from its rows; an index the region already has is replaced."""
    region = region_by_id(session, region_id)
    content = build(
        queries.region_addresses(session, region_id),
        queries.region_streets(session, region_id),
        queries.region_places(session, region_id),
        queries.region_pois(session, region_id),
    )
    session.execute(delete(Source).where(Source.region_id == region_id))
    source = Source(
        region_id=region_id,
        name=region.name,
        country="",
        origin=region.source,
        licence=region.licence,
        attribution=region.attribution,
        fingerprint=f"{region.sha12}/{FORMAT}",
    )
    return write(session, source, content)


def write(session: Session, source: Source, content: Content) -> Source:
    """Write a source's rows by COPY, and its file of this machine."""
    source.streets = len(content.streets)
    source.addresses = sum(len(street.houses) for street in content.streets)
    session.add(source)
    session.flush()
    for table, columns, rows in _tables(content):
        numbered = ((source.id, at, *row) for at, row in enumerate(rows))
        copy_rows(session, table, ("source_id", "position", *columns), numbered)
    indexes.keep(source, content)
    return source


def _tables(content: Content) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[object]]]]:
    yield (
        "geocoding_place",
        ("name", "other_names", "kind", "country", "extent_m", "point"),
        ((p.name, list(p.other_names), p.kind, p.country, p.extent_m, _wkt(p.point)) for p in content.places),
    )
    yield (
        "geocoding_street",
        ("name", "other_names", "city", "country", "postcodes", "places", "extent_m", "is_place", "point"),
        (
            (
                s.name, list(s.other_names), s.city, s.country, list(s.postcodes), list(s.places), s.extent_m,
                s.is_place, _wkt(s.point),
            )
            for s in content.streets
        ),
    )  # fmt: skip
    yield (
        "geocoding_address",
        ("street", "number", "postcode", "point"),
        ((at, h.number, h.postcode, _wkt(h.point)) for at, s in enumerate(content.streets) for h in s.houses),
    )
    yield (
        "geocoding_poi",
        ("name", "other_names", "street", "number", "postcode", "city", "places", "point"),
        (
            (p.name, list(p.other_names), p.street, p.number, p.postcode, p.city, list(p.places), _wkt(p.point))
            for p in content.pois
        ),
    )


def _wkt(point: LonLat) -> str:
    return f"SRID=4326;POINT({point.lon} {point.lat})"


_lock = threading.Lock()
_current: Geocoder | None = None


def geocoder(session: Session) -> Geocoder:
    """The geocoder over everything in service; when that has changed, its files are opened anew."""
    global _current
    sources = queries.served(session)
    if not sources:
        raise NoAddresses("There are no addresses to search in.", help="Add a region: waymark region add FILE.osm.pbf")
    version = queries.version_of(sources)
    with _lock:
        if _current is None or _current.version != version:
            _current = Geocoder(joint(indexes.opened(session, sources), version))
            indexes.clear(queries.all_sources(session))
        return _current


def locate(session: Session, query: AddressQuery) -> Answer:
    """Find where an address is; a question that is `lat,lon` is asked in reverse."""
    return next(stream(session, [query]))


def locate_many(session: Session, asked: Iterable[AddressQuery]) -> list[Answer]:
    """Find where many addresses are, in the order of the questions."""
    return list(stream(session, asked))


def pinned_many(session: Session, asked: Sequence[AddressQuery]) -> list[Answer]:
    """Like `locate_many`, for pins: what is not sure and lies in another country than the address names, of which
    there is no map, is no place to put one. Its candidates stay, to choose from by hand."""
    mapped = queries.mapped_countries(session)
    known = vocabulary().countries

    def pinned(query: AddressQuery, answer: Answer) -> Answer:
        country = known.get("".join(words(fold(query.country)))) if query.country and mapped else None
        if country is None or country in mapped or answer.is_confident or answer.country.upper() == country:
            return answer
        return Answer(
            None,
            confidence=answer.confidence,
            reason=answer.reason if answer.reason in (Reason.EMPTY, Reason.REVERSE) else Reason.OTHER_COUNTRY,
            candidates=answer.candidates,
            region_version=answer.region_version,
        )

    return [pinned(query, answer) for query, answer in zip(asked, stream(session, asked), strict=True)]


def stream(session: Session, asked: Iterable[AddressQuery]) -> Iterator[Answer]:
    """Like `locate_many`, answer by answer; a question that is a point is asked in reverse."""
    found = geocoder(session)
    for batch in batched(asked, _BATCH):
        points = {at: point for at, query in enumerate(batch) if (point := point_of(query)) is not None}
        forwards = found.locate_many(query for at, query in enumerate(batch) if at not in points)
        for at in range(len(batch)):
            yield found.reverse(points[at]) if at in points else next(forwards)


def point_of(query: AddressQuery) -> LonLat | None:
    """The point of a question that is `lat,lon`, else None."""
    parts = query.query.split(",")
    if len(parts) != 2 or query.street or query.city or query.postcode:
        return None
    try:
        return LonLat.checked(float(parts[1]), float(parts[0]))
    except ValueError:
        return None


def reverse(session: Session, point: LonLat) -> Answer:
    """Find the address nearest to a point."""
    return geocoder(session).reverse(point)
