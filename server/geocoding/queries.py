"""Reads of the address index, each set-based."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import shapely
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from geo.geocode.content import HouseRow, PlaceRow, PoiRow, StreetRow
from geo.osm.records import AddressPoint, Place, Poi, StreetLine
from geo.types import BBox, LonLat
from server.geocoding.models import RemoteDay, Source, StreetEntry
from server.geocoding.providers import PROVIDERS
from server.regions.models import Region, State

_FETCH = 5_000

_PLACES = """
    select name, other_names, kind, country, extent_m, ST_X(point) lon, ST_Y(point) lat
    from geocoding_place where source_id = :source order by position
"""
_STREETS = """
    select s.name, s.other_names, s.city, s.country, s.postcodes, s.places, s.extent_m, s.is_place,
           ST_X(s.point) lon, ST_Y(s.point) lat, h.numbers, h.codes, h.lons, h.lats
    from geocoding_street s
    cross join lateral (
        select coalesce(array_agg(number order by position), '{}') as numbers,
               coalesce(array_agg(postcode order by position), '{}') as codes,
               coalesce(array_agg(ST_X(point) order by position), '{}') as lons,
               coalesce(array_agg(ST_Y(point) order by position), '{}') as lats
        from geocoding_address where source_id = s.source_id and street = s.position
    ) h
    where s.source_id = :source order by s.position
"""
_POIS = """
    select name, other_names, street, number, postcode, city, places, ST_X(point) lon, ST_Y(point) lat
    from geocoding_poi where source_id = :source order by position
"""
_FRINGE = 0.05
"""A country with a smaller share of a source's streets, beside the one that has most, is only its edge."""
_MAPPED = """
    select upper(country) from (
        select source_id, country, count(*) as streets, max(count(*)) over (partition by source_id) as most
        from geocoding_street where source_id = any(:ids) and country <> '' group by source_id, country
    ) counted where streets >= :share * most
    union
    select upper(c.country) from geocoding_source s join region_place c on c.region_id = s.region_id
    where s.id = any(:ids) and c.kind = 'country' and c.country <> '' and c.area is not null
"""
_mapped: dict[str, Any] = {}
"""The countries of the version of the index that was asked about last."""
_REACHES = """
    select exists (
        select from geocoding_address
        where source_id = :source and point && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
    )
"""


def served(session: Session) -> Sequence[Source]:
    """The sources in service: address files, and indexes of regions that are in service."""
    statement = (
        select(Source)
        .outerjoin(Region, Region.id == Source.region_id)
        .where((Source.region_id.is_(None)) | (Region.state == State.READY), Source.removed_at.is_(None))
        .order_by(Source.id)
    )
    return session.scalars(statement).all()


def towns(session: Session) -> Sequence[tuple[str, str]]:
    """The towns of all streets in service with their countries, each once."""
    known = select(StreetEntry.city, StreetEntry.country).distinct()
    chosen = known.where(StreetEntry.source_id.in_([one.id for one in served(session)]))
    return session.execute(chosen).tuples().all()


def mapped_countries(session: Session) -> frozenset[str]:
    """The countries that the sources in service show, in two capitals; empty when their streets name none.

    One of which an extract has but a few streets, because it ends behind the border, is not among them.
    """
    sources = served(session)
    version = version_of(sources)
    if _mapped.get("version") != version:
        found = session.scalars(text(_MAPPED), {"ids": [one.id for one in sources], "share": _FRINGE})
        _mapped.update(version=version, countries=frozenset(found))
    countries: frozenset[str] = _mapped["countries"]
    return countries


def all_sources(session: Session) -> Sequence[Source]:
    """All sources, in service or not."""
    return session.scalars(select(Source)).all()


def version_of(sources: Iterable[Source]) -> str:
    """The version of the index that these sources make."""
    marks = "|".join(f"{source.id} {source.fingerprint}" for source in sources)
    return hashlib.sha256(marks.encode()).hexdigest()[:12]


def files(session: Session) -> Sequence[Source]:
    """The address files, by name."""
    in_index = Source.region_id.is_(None) & Source.removed_at.is_(None)
    return session.scalars(select(Source).where(in_index).order_by(Source.name)).all()


def removed_files(session: Session) -> Sequence[Source]:
    """The address files that can be brought back, the latest first."""
    gone = Source.region_id.is_(None) & Source.removed_at.is_not(None)
    return session.scalars(select(Source).where(gone).order_by(Source.removed_at.desc())).all()


def of_region(session: Session, name: str) -> Source | None:
    """The source of the region in service under a name."""
    statement = select(Source).join(Region, Region.id == Source.region_id)
    return session.scalars(statement.where(Region.name == name, Region.state == State.READY)).first()


def of_regions(session: Session) -> dict[UUID, Source]:
    """The sources of all regions by the region's id."""
    found = session.scalars(select(Source).where(Source.region_id.is_not(None)))
    return {source.region_id: source for source in found if source.region_id is not None}


def attributions(session: Session) -> list[str]:
    """What must be printed wherever results leave, each once."""
    lines = {line for source in served(session) for line in source.attribution}
    return sorted(lines.union(remote_credits(session)))


def credits_beside(session: Session, around: BBox | None = None) -> list[str]:
    """What must be printed besides the regions' own lines: address files (of a box), geocoders elsewhere."""
    lines = {line for source in files(session) for line in source.attribution if _reaches(session, source.id, around)}
    return sorted(lines.union(remote_credits(session)))


def remote_credits(session: Session) -> list[str]:
    """The lines of geocoders elsewhere that have answered something."""
    used = session.scalars(select(RemoteDay.provider).where(RemoteDay.answered > 0).distinct())
    return [PROVIDERS[key].credit for key in used if key in PROVIDERS]


def _reaches(session: Session, source: UUID, around: BBox | None) -> bool:
    """Whether a source has a house in a box."""
    return around is None or bool(session.execute(text(_REACHES), {"source": source, **around._asdict()}).scalar_one())


def places(session: Session, source: UUID) -> Iterator[PlaceRow]:
    """The places of a source in their order."""
    for r in _rows(session, _PLACES, source=source):
        yield PlaceRow(r.name, tuple(r.other_names), r.kind, r.country, LonLat(r.lon, r.lat), r.extent_m)


def streets(session: Session, source: UUID) -> Iterator[StreetRow]:
    """The streets of a source with their houses, in their order."""
    for r in _rows(session, _STREETS, source=source):
        houses = (
            HouseRow(number, LonLat(lon, lat), code)
            for number, code, lon, lat in zip(r.numbers, r.codes, r.lons, r.lats, strict=True)
        )
        yield StreetRow(
            r.name, tuple(r.other_names), r.city, r.country, tuple(r.postcodes), tuple(r.places),
            LonLat(r.lon, r.lat), r.extent_m, r.is_place, tuple(houses),
        )  # fmt: skip


def pois(session: Session, source: UUID) -> Iterator[PoiRow]:
    """The businesses of a source in their order."""
    for r in _rows(session, _POIS, source=source):
        yield PoiRow(
            r.name, tuple(r.other_names), LonLat(r.lon, r.lat), r.street, r.number, r.postcode, r.city, tuple(r.places)
        )


def region_addresses(session: Session, region: UUID) -> Iterator[AddressPoint]:
    """House numbers of a region as they were mapped."""
    statement = """select source_id, number, street, postcode, city, country, is_place, ST_X(point) lon, ST_Y(point) lat
                   from region_address where region_id = :region"""
    for r in _rows(session, statement, region=region):
        yield AddressPoint(
            r.source_id, r.number, r.street, r.postcode, r.city, r.country, LonLat(r.lon, r.lat), r.is_place
        )


def region_streets(session: Session, region: UUID) -> Iterator[StreetLine]:
    """Named ways of a region."""
    statement = (
        "select source_id, name, names, ST_AsBinary(line) line from region_street where region_id = :region order by id"
    )
    for r in _rows(session, statement, region=region):
        line = tuple(LonLat(lon, lat) for lon, lat in shapely.get_coordinates(shapely.from_wkb(bytes(r.line))).tolist())
        yield StreetLine(r.source_id, r.name, r.names, line)


def region_places(session: Session, region: UUID) -> Iterator[Place]:
    """Places of a region with their outlines."""
    statement = """select source_id, kind, name, names, country, admin_level, postcode,
                   ST_X(point) lon, ST_Y(point) lat, ST_AsBinary(area) area
                   from region_place where region_id = :region order by id"""
    for r in _rows(session, statement, region=region):
        area = shapely.from_wkb(bytes(r.area)) if r.area is not None else None
        yield Place(
            r.source_id, r.kind, r.name, r.names, LonLat(r.lon, r.lat), r.country, r.admin_level, r.postcode, area
        )


def region_pois(session: Session, region: UUID) -> Iterator[Poi]:
    """Named things of a region."""
    statement = """select source_id, name, names, kind, street, number, postcode, city, ST_X(point) lon, ST_Y(point) lat
                   from region_poi where region_id = :region order by id"""
    for r in _rows(session, statement, region=region):
        tags = {
            "addr:street": r.street, "addr:housenumber": r.number, "addr:postcode": r.postcode, "addr:city": r.city,
        }  # fmt: skip
        yield Poi(r.source_id, r.name, r.names, r.kind, LonLat(r.lon, r.lat), tags)


def _rows(session: Session, statement: str, **values: Any) -> Iterator[Row[Any]]:
    """Rows as the database finds them: a country does not fit into memory."""
    result = session.execute(text(statement), values, execution_options={"stream_results": True})
    while chunk := result.fetchmany(_FETCH):
        yield from chunk
