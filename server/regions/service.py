"""The rules of regions: an extract is registered, loaded, packed, and published when everything above is built."""

import re
import shutil
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geo.madeup import GENERATOR
from geo.osm.extract import ATTRIBUTION, LICENCE, ExtractError
from geo.osm.reader import Progress
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.ids import uuid7
from server.kit.locks import is_first, one_at_a_time
from server.regions import loading, packing
from server.regions.errors import BadExtract, BeingBuilt, NoSuchRegion, Overtaken
from server.regions.models import Region, Stage, State
from server.regions.queries import region_by_id

_SUFFIX = re.compile(r"(-latest|-\d{6})?(\.osm)?\.pbf$", re.IGNORECASE)


SERVED = "served regions"
"""Whoever counts what the served regions hold, and whoever is about to serve others, does so one after the other."""
MOST_REPLACED = 20

_NOTE_CHANGED = text(
    """
    insert into prospect_changed (region, prospect_id, was_kind, was_cell, name, kind, cell, pin)
    select :region, coalesce(now.id, was.id), was.kind, was.cell, now.name, now.kind, now.cell, now.pin
    from (select * from prospect where region_id = :old) was
    full join (select * from prospect where region_id = :new) now on now.id = was.id
    where (was.name, was.kind, was.cell, was.pin::bytea) is distinct from (now.name, now.kind, now.cell, now.pin::bytea)
    order by coalesce(now.cell, was.cell)
    """
)


def name_of(path: Path) -> str:
    """The name that a region gets from its file: `liechtenstein-latest.osm.pbf` is `liechtenstein`."""
    return _SUFFIX.sub("", path.name) or path.name


def register(session: Session, name: str, sha256: str, source: str) -> Region:
    """Note that an extract is to become a region; the same extract under the same name is registered once.

    One whose build was killed and is taken up again is the latest extract of the name.
    """
    name = name.strip()
    if not name or len(name) > 80:
        raise Invalid("A region's name has 1 to 80 characters.", field="name")
    version = select(func.coalesce(func.max(Region.version), 0) + 1).where(Region.name == name).scalar_subquery()
    statement = insert(Region).values(
        id=uuid7(),
        name=name,
        sha256=sha256,
        version=version,
        source=source,
        licence=LICENCE,
        attribution=[ATTRIBUTION],
    )
    session.execute(statement.on_conflict_do_nothing())
    region = session.scalars(select(Region).where(Region.name == name, Region.sha256 == sha256)).one()
    latest = session.scalar(select(func.max(Region.version)).where(Region.name == name)) or 0
    if region.state == State.BUILDING and region.version < latest:
        region.version = latest + 1
    return region


def keep_extract(region: Region, path: Path) -> None:
    """Keep our own copy of the extract, because the road graph is built from it later."""
    target = region.extract
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    shutil.copyfile(path, unfinished)
    unfinished.replace(target)


def load(session: Session, region_id: UUID, path: Path, progress: Progress | None = None) -> None:
    """Read the extract into the tables, all or nothing; refuses a broken one, and a second reader at the same time."""
    region = _locked(session, region_id)
    if region.stage != Stage.REGISTERED:
        return
    try:
        reader, counts = loading.load(session, region_id, path, progress)
        bbox = reader.bbox
    except ExtractError as error:
        raise BadExtract(str(error), help=error.help) from error
    region.bbox = list(bbox)
    region.data_date = reader.survey.data_date
    region.country = reader.survey.country
    if reader.survey.generator == GENERATOR:
        region.licence, region.attribution = "no rights reserved", ["Made-up data"]
    region.counts = dict(counts)
    region.stage = Stage.LOADED
    session.flush()
    for table in loading.COLUMNS:
        session.execute(text(f"analyze {table}"))


def forget(session: Session, region_id: UUID) -> None:
    """Drop a region whose extract turned out to be unusable."""
    session.execute(delete(Region).where(Region.id == region_id, Region.stage == Stage.REGISTERED))


def pack(session: Session, region_id: UUID, progress: Progress | None = None) -> None:
    """Write the phone's map pack of a loaded region."""
    region = _locked(session, region_id)
    if region.stage == Stage.REGISTERED or (region.stage == Stage.PACKED and region.map_pack.exists()):
        return
    region.pack_sha256, region.pack_size = packing.write_pack(session, region, progress)
    region.stage = Stage.PACKED


def publish(session: Session, region_id: UUID) -> list[Region]:
    """Put a region into service in place of the older one of its name; returns what it replaced, for clearing up.

    Refuses when an extract that was added later serves already; what others are building stays. What that
    changes of the prospects is noted, so that nobody needs to count the others again.
    """
    region = _locked(session, region_id)
    if region.state == State.READY:
        return []
    if region.stage != Stage.PACKED:
        raise Invalid(f"Region {region.name} is not built yet; it stands at “{region.stage}”.")
    one_at_a_time(session, f"publish region:{region.name}")
    serving = select(Region).where(Region.name == region.name, Region.state == State.READY)
    older = session.scalars(serving).one_or_none()
    if older is not None:
        if older.version > region.version:
            raise Overtaken(
                f"A newer extract of {region.name} ({older.source}) was added meanwhile and stays; {region.source} is"
                " not put into service.",
                help="Add the older one again if you want it all the same.",
            )
        session.execute(text("set local work_mem = '256MB'"))
        session.execute(_NOTE_CHANGED, {"region": region.name, "old": older.id, "new": region_id})
        region.replaced = [*older.replaced, older.id][-MOST_REPLACED:]
        session.execute(delete(Region).where(Region.id == older.id))
    one_at_a_time(session, SERVED)
    region.state, region.ready_at = State.READY, clock.now()
    session.flush()
    return [older] if older is not None else []


def drop_unfinished(session: Session, name: str) -> list[Region]:
    """Drop what was begun of a name and never published; returns it for clearing up."""
    unfinished = list(session.scalars(select(Region).where(Region.name == name, Region.state == State.BUILDING)))
    session.execute(delete(Region).where(Region.id.in_([region.id for region in unfinished])))
    return unfinished


def remove(session: Session, name: str) -> list[Region]:
    """Take a region and everything that came from its extract out of the database; refuses an unknown name."""
    regions = list(session.scalars(select(Region).where(Region.name == name)))
    if not regions:
        raise NoSuchRegion(f"There is no region “{name}”.", help="See “waymark region list”.")
    session.execute(delete(Region).where(Region.name == name))
    one_at_a_time(session, SERVED)
    return regions


def clear_files(session: Session, gone: list[Region]) -> None:
    """Delete the files of regions that are gone, unless another region was built from the same extract."""
    for region in gone:
        if not session.scalar(select(func.count()).where(Region.sha256 == region.sha256)):
            shutil.rmtree(region.extract.parent, ignore_errors=True)
            region.map_pack.unlink(missing_ok=True)


def _locked(session: Session, region_id: UUID) -> Region:
    """The region, with the right to build it until the transaction ends."""
    region = region_by_id(session, region_id)
    if not is_first(session, f"region:{region_id}"):
        raise BeingBuilt(f"Region {region.name} is being built by another process.", help="Wait until it is done.")
    session.refresh(region)
    return region
