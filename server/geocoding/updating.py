"""What differs between two versions of a source, and what an answer of an earlier version has not seen.

The built rows are compared by their content, because they are what answers are made of. Each version of the index
names the changes since the one before; whoever keeps answers derives from them which ones to ask for again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from server.geocoding import queries
from server.geocoding.models import Change, Source, Version
from server.kit import clock
from server.kit.locks import one_at_a_time

MOST_LISTED = 20_000
"""A source with more streets that nothing came before is not listed street by street: everything is asked again."""
SETTLED = timedelta(hours=1)
"""An answer on its way when the index changed has been stored by then."""

_PLACES_OF = """
    left join lateral (
        select string_agg(p.name, '|' order by p.name) as names from geocoding_place p
        where p.source_id = r.source_id and p.position = any(r.places)
    ) around on true
"""
_STREETS = """
    select r.source_id, lower(r.name) || '|' || lower(r.city) as key,
           array[cast(r.name as text)] || r.other_names as names,
           r.city, r.postcodes, coalesce(houses.spots, r.point) as spots,
           md5(concat_ws('|', r.name, r.other_names, r.city, r.country, r.postcodes, r.is_place, r.extent_m,
                         r.point::text, around.names, houses.content)) as content
    from geocoding_street r
    left join (
        select source_id, street, ST_Collect(point) as spots,
               md5(string_agg(number || '|' || postcode || '|' || point::text, ','
                              order by number, postcode, point::text)) as content
        from geocoding_address where source_id = any(:both) group by source_id, street
    ) houses on houses.source_id = r.source_id and houses.street = r.position
    {around}
    where r.source_id = any(:both)
"""
_NUMBERS = """
    select s.source_id, concat_ws('|', lower(s.name), lower(s.city), a.number) as key, null::text[] as names,
           s.city, null::text[] as postcodes, a.point as spots, md5(a.postcode || a.point::text) as content
    from geocoding_address a join geocoding_street s on s.source_id = a.source_id and s.position = a.street
    where a.source_id = any(:both)
"""
_PLACES = """
    select r.source_id, lower(r.name) || '|' || r.kind as key, array[cast(r.name as text)] || r.other_names as names,
           r.name as city, array[]::text[] as postcodes, r.point as spots,
           md5(concat_ws('|', r.name, r.other_names, r.country, case when r.kind <> 'postal' then
               concat_ws('|', round(ST_X(r.point)::numeric, 2), round(ST_Y(r.point)::numeric, 2),
                         round(ln(r.extent_m + 1000)::numeric, 1)) end)) as content
    from geocoding_place r where r.source_id = any(:both)
"""
_POIS = """
    select r.source_id, lower(r.name) || '|' || lower(r.city) as key,
           array[cast(r.name as text)] || r.other_names as names,
           r.city, array[cast(r.postcode as text)] as postcodes, r.point as spots,
           md5(concat_ws('|', r.name, r.other_names, r.street, r.number, r.postcode, r.city, r.point::text,
                         around.names)) as content
    from geocoding_poi r {around} where r.source_id = any(:both)
"""
_DIFFERENCES = """
    with content as (
        select key, content,
               count(*) filter (where source_id = :new) - count(*) filter (where source_id = :old) as more,
               string_agg(array_to_string(names, chr(31)), chr(31)) as names, min(city) as city,
               string_agg(array_to_string(postcodes, chr(31)), chr(31)) as postcodes, ST_Collect(spots) as spots
        from ({rows}) found group by key, content
    ),
    differing as (
        select coalesce(sum(more) filter (where more > 0), 0) as come,
               coalesce(-sum(more) filter (where more < 0), 0) as gone,
               string_to_array(string_agg(names, chr(31)), chr(31)) as names, min(city) as city,
               string_to_array(string_agg(postcodes, chr(31)), chr(31)) as postcodes,
               ST_CollectionExtract(ST_Collect(spots) filter (where more > 0), 1) as after,
               ST_CollectionExtract(ST_Collect(spots) filter (where more < 0), 1) as before
        from content where more <> 0 group by key
    )
"""
_COUNTED = """
    select coalesce(sum(greatest(come - gone, 0)), 0), coalesce(sum(least(come, gone)), 0),
           coalesce(sum(greatest(gone - come, 0)), 0)
    from differing
"""
_LISTED = """
    , noted as (
        insert into geocoding_change (batch, kind, change, names, city, postcodes, spots)
        select :batch, :kind, case when gone = 0 then 'added' when come = 0 then 'removed' else 'changed' end,
               array(select distinct n from unnest(names) n where n <> ''), city,
               array(select distinct p from unnest(postcodes) p where p <> ''),
               case when before is null then after when after is null then before
                    when ST_IsEmpty(ST_SymDifference(before, after)) then after
                    else ST_SymDifference(before, after) end
        from differing returning 1
    )
"""
_NOTED = {"streets": ("street", _STREETS), "places": ("place", _PLACES), "pois": ("poi", _POIS)}


@dataclass(frozen=True)
class Unseen:
    """What an answer of an earlier version does not know yet."""

    is_everything: bool
    """The changes are not known in full."""
    batches: tuple[UUID, ...]
    """Of `geocoding_change`."""


def note_changes(session: Session, old: UUID | None, new: Source) -> None:
    """Note what a source changes compared with the one that it takes over from (None: it is all new)."""
    session.flush()
    session.execute(delete(Change).where(Change.batch == new.id))
    new.replaces = old
    if old is None and new.streets > MOST_LISTED:
        new.changes = {"unlisted": True, "streets": {"added": new.streets}, "numbers": {"added": new.addresses}}
        return
    new.changes = _note(session, old or UUID(int=0), new.id, batch=new.id)


def note_removal(session: Session, source: Source) -> None:
    """Note that everything of a source goes (or, when it is brought back, comes)."""
    batch = removal(source.id)
    session.execute(delete(Change).where(Change.batch == batch))
    if source.streets <= MOST_LISTED:
        _note(session, source.id, UUID(int=0), batch=batch)


def note_return(session: Session, present: UUID, older: Source) -> None:
    """Note what differs when a source that was replaced takes the place of the present one again."""
    older.replaces = present
    older.changes = _note(session, present, older.id, batch=removal(older.id))


def removal(source: UUID) -> UUID:
    """The batch of changes under which a source goes."""
    return uuid5(source, "removed")


def _note(session: Session, old: UUID, new: UUID, *, batch: UUID) -> dict[str, Any]:
    for table in ("place", "street", "address", "poi"):
        session.execute(text(f"analyze geocoding_{table}"))
    values = {"old": old, "new": new, "both": [old, new], "batch": batch}
    found: dict[str, Any] = {}
    for name, (kind, rows) in _NOTED.items():
        found[name] = _differing(session, rows, _LISTED, {**values, "kind": kind})
    found["numbers"] = _differing(session, _NUMBERS, "", values)
    return found


def _differing(session: Session, rows: str, also: str, values: dict[str, Any]) -> dict[str, int]:
    statement = "".join((_DIFFERENCES, also, _COUNTED)).format(rows=rows.format(around=_PLACES_OF))
    counts = session.execute(text(statement), values).one()
    return {name: int(n) for name, n in zip(("added", "changed", "removed"), counts, strict=True) if n}


def settle(session: Session) -> Version | None:
    """The version of the index in service, written down with its changes when it is new; None without any source."""
    one_at_a_time(session, "version of the address index")
    sources = queries.served(session)
    if not sources:
        return None
    version = queries.version_of(sources)
    last = session.scalars(select(Version).order_by(Version.number.desc()).limit(1)).first()
    if last is not None and last.version == version:
        return last
    known, batches = last is not None, []
    before = set(last.sources) if last is not None else set()
    come = [source for source in sources if source.id not in before]
    for source in come:
        brought_back = _is_noted(session, removal(source.id))
        known = known and (brought_back or (source.changes != {} and not source.changes.get("unlisted")))
        batches += [source.id, *([removal(source.id)] if brought_back else [])]
    for gone in before - {source.id for source in sources} - {source.replaces for source in come}:
        known = known and _is_noted(session, removal(gone))
        batches.append(removal(gone))
    row = Version(version=version, sources=[s.id for s in sources], batches=batches, is_all_new=not known)
    session.add(row)
    session.flush()
    return row


def unseen(session: Session, version: str, current: Version) -> Unseen:
    """What an answer of some version does not know of the current one; changes that were followed up are left out."""
    seen = session.scalar(select(func.max(Version.number)).where(Version.version == version))
    done = session.scalar(select(func.max(Version.number)).where(is_settled()))
    since = max((n for n in (seen, done) if n is not None), default=None)
    if since is None:
        return Unseen(True, ())
    later = session.scalars(select(Version).where(Version.number > since, Version.number <= current.number)).all()
    batches = tuple(dict.fromkeys(batch for row in later for batch in row.batches))
    return Unseen(any(row.is_all_new for row in later), batches)


def names_in(session: Session, batches: Sequence[UUID]) -> Sequence[str]:
    """Every name of what changed, each once."""
    return session.scalars(select(func.unnest(Change.names)).where(Change.batch.in_(batches)).distinct()).all()


def is_settled() -> Any:
    """The condition that a version has been followed up, and that no older answer was on its way any more."""
    return Version.checked_at > Version.created_at + SETTLED


def followed_up(current: Version) -> None:
    """Note that every kept answer that the current version concerns was asked for again."""
    current.checked_at = clock.now()


def forget(session: Session) -> int:
    """Drop the changes that everybody has followed up; returns how many."""
    done = session.scalar(select(func.max(Version.number)).where(is_settled())) or 0
    old = select(func.unnest(Version.batches)).where(Version.number <= done)
    kept = select(func.unnest(Version.batches)).where(Version.number > done)
    gone = session.execute(
        delete(Change).where(Change.batch.in_(old), Change.batch.not_in(kept)).returning(Change.id)
    ).all()
    return len(gone)


def _is_noted(session: Session, batch: UUID) -> bool:
    return session.scalars(select(Change.id).where(Change.batch == batch).limit(1)).first() is not None
