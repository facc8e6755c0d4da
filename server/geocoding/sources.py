"""Address files as sources: added, replaced by a newer one, taken out of the index and brought back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from geo.geocode.building import build
from geo.geocode.names import country_code
from server.geocoding import addressfiles, service, updating
from server.geocoding.addressfiles import Tally, Tell
from server.geocoding.errors import BadFile, LosesMuch, NoSuchSource
from server.geocoding.models import Source
from server.kit import clock
from server.kit.errors import Conflict, Invalid
from server.kit.locks import one_at_a_time

KEPT = timedelta(days=30)
"""How long a source that was taken out or replaced can be brought back."""
MOST_LOST = 1 / 3
"""A newer file that lacks a larger share of the house numbers is cut off, or its columns are exchanged."""


@dataclass(frozen=True)
class Wish:
    """What somebody says about an address file."""

    name: str
    """A file of the same name is replaced."""
    country: str
    """By code or name."""
    origin: str
    """Who is to be credited."""
    licence: str = ""
    replace_all: bool = False
    """Take a newer file also when it lacks much of the older one."""

    def checked(self) -> "Wish":
        """The wish with its country as a code; refuses what cannot be."""
        code = country_code(self.country)
        if not code:
            raise Invalid(
                f"“{self.country}” is not a country.", help="Give a two-letter code, for example US.", field="country"
            )
        for field, value in (("name", self.name), ("source", self.origin)):
            if not value.strip() or len(value) > 200:
                raise Invalid(f"The {field} has 1 to 200 characters.", field=field)
        name, origin, licence = self.name.strip(), self.origin.strip(), self.licence.strip()[:200]
        return replace(self, name=name, country=code, origin=origin, licence=licence)


@dataclass(frozen=True)
class Added:
    """What became of an address file."""

    source: Source
    tally: Tally
    is_known: bool
    """The very same addresses were there already; nothing was read."""


def add(
    session: Session, paths: Sequence[Path], wish: Wish, *, names: Sequence[str] = (), tell: Tell | None = None
) -> Added:
    """Add the addresses of some files as one source; the source of the same name is replaced, all or nothing.

    The replaced one can be brought back for a while. Refuses files without a usable row, files whose points lie
    somewhere else than they were said to, and those that lack much of what they replace unless that is wanted.
    """
    wish = wish.checked()
    one_at_a_time(session, f"addresses:{wish.name}")
    print_ = f"{addressfiles.fingerprint(paths, wish.country)[:12]}/{service.FORMAT}"
    old = session.scalars(_named(wish.name).with_for_update()).first()
    if old is not None and old.fingerprint == print_ and old.country == wish.country:
        old.origin, old.licence, old.attribution = wish.origin, wish.licence, [credit(wish)]
        return Added(old, Tally(), is_known=True)
    tally = Tally()
    content = build(addressfiles.addresses(paths, wish.country, tally, tell, names))
    if not content.streets:
        raise BadFile(
            "No row has a house number that can be understood.", help="NUMBER holds numbers such as 12 or 12a."
        )
    if old is not None:
        old.removed_at = clock.now()
        session.flush()
    source = Source(
        name=wish.name, country=wish.country, origin=wish.origin, licence=wish.licence, attribution=[credit(wish)],
        fingerprint=print_, left_out=tally.record(),
    )  # fmt: skip
    service.write(session, source, content)
    updating.note_changes(session, old.id if old is not None else None, source)
    if old is not None and not wish.replace_all:
        _judge(old, source)
    updating.settle(session)
    return Added(source, tally, is_known=False)


def _judge(old: Source, new: Source) -> None:
    """Refuse a file that lacks much of the one that it would replace."""
    gone = new.changes["numbers"].get("removed", 0)
    if gone > MOST_LOST * old.addresses:
        come = new.changes["streets"].get("added", 0)
        raise LosesMuch(
            f"{gone:,} of the {old.addresses:,} house numbers of “{new.name}” are not in the newer file;"
            f" {come:,} of its {new.streets:,} streets are new.",
            help="It may be cut off, or its columns exchanged. If it is right, choose “Replace all” (--replace-all).",
        )


def credit(wish: Wish) -> str:
    """The line that is printed wherever results leave."""
    return f"{wish.origin} ({wish.licence})" if wish.licence else wish.origin


def remove(session: Session, name: str) -> Source:
    """Take an address file out of the index; it can be brought back for a while. Refuses an unknown name."""
    one_at_a_time(session, f"addresses:{name}")
    source = session.scalars(_named(name).with_for_update()).first()
    if source is None:
        raise NoSuchSource(f"There is no address file “{name}”.", help="See “waymark addresses list”.")
    updating.note_removal(session, source)
    source.removed_at = clock.now()
    session.flush()
    updating.settle(session)
    return source


def restore(session: Session, source: Source) -> Source:
    """Bring an address file back that was taken out or replaced; one of its name that is there now goes in its place.

    Refuses one that is in the index.
    """
    one_at_a_time(session, f"addresses:{source.name}")
    session.refresh(source)
    if source.removed_at is None:
        raise Conflict(f"The address file “{source.name}” is in the index.", help="No older one is kept.")
    present = session.scalars(_named(source.name).with_for_update()).first()
    if present is None:
        updating.note_removal(session, source)
    else:
        present.removed_at = clock.now()
        session.flush()
        updating.note_return(session, present.id, source)
    source.removed_at = None
    session.flush()
    updating.settle(session)
    return source


def to_restore(session: Session, name: str) -> Source:
    """The address file of a name that was taken out or replaced last; refuses when none is kept."""
    statement = select(Source).where(Source.region_id.is_(None), Source.name == name, Source.removed_at.is_not(None))
    source = session.scalars(statement.order_by(Source.removed_at.desc(), Source.id.desc())).first()
    if source is None:
        raise NoSuchSource(f"No address file “{name}” was taken out.", help="Add it again: waymark addresses add.")
    return source


def clear(session: Session) -> None:
    """Delete what was taken out or replaced long ago, and the changes that everybody has followed up."""
    session.execute(delete(Source).where(Source.removed_at < clock.now() - KEPT))
    updating.forget(session)


def by_id(session: Session, source_id: UUID) -> Source:
    """An address file, in the index or taken out; refuses an unknown one."""
    source = session.get(Source, source_id)
    if source is None or source.region_id is not None:
        raise NoSuchSource("There is no such address file.")
    return source


def _named(name: str) -> Select[Source]:
    return select(Source).where(Source.region_id.is_(None), Source.name == name, Source.removed_at.is_(None))
