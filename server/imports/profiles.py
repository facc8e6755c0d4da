"""What columns mean, remembered: by itself for the same header, or under a name that a person gives."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.imports.guessing import glued
from server.imports.models import ImportProfile, ImportRun
from server.imports.rereading import CHOSEN, can_be_reread, is_unicode
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7

LONGEST_NAME = 80
MOST_WAYS = 8
"""So many ways of reading are tried on a new file at most."""


def keys_of(header: Sequence[str]) -> list[str]:
    """The titles reduced to letters and digits; a second one of the same kind carries its count."""
    seen: Counter[str] = Counter()
    keys = []
    for title in header:
        key = glued(title)
        seen[key] += 1
        keys.append(f"{key} {seen[key]}" if seen[key] > 1 else key)
    return keys


def named(session: Session, kind: str) -> Sequence[ImportProfile]:
    """The profiles that people have named."""
    statement = select(ImportProfile).where(ImportProfile.kind == kind, ImportProfile.name.is_not(None))
    return session.scalars(statement.order_by(func.lower(ImportProfile.name))).all()


def fits(run: ImportRun, profile: ImportProfile) -> bool:
    """Whether a file has the columns that a profile names, or may have them once it is read as the profile does."""
    if {key for key, _ in profile.mapping} <= set(keys_of(run.header)):
        return True
    reading = chosen_of(profile.options)
    if is_unicode(run.encoding):
        reading.pop("encoding", None)
    return can_be_reread(run) and any(getattr(run, name) != way for name, way in reading.items())


def find(session: Session, kind: str, profile_id: UUID) -> ImportProfile:
    """A profile of this kind."""
    profile = session.get(ImportProfile, profile_id)
    if profile is None or profile.kind != kind:
        raise no_such_profile()
    return profile


def no_such_profile() -> NotFound:
    """The answer for unknown profiles."""
    return NotFound("There is no such profile.")


def by_name(session: Session, kind: str, name: str) -> ImportProfile:
    """A profile by its name; names those that there are when it is unknown."""
    for profile in named(session, kind):
        if profile.name == name:
            return profile
    names = ", ".join(f"“{one.name}”" for one in named(session, kind))
    raise NotFound(f"There is no profile “{name}”.", help=f"There are: {names}." if names else "None is saved yet.")


def for_header(session: Session, kind: str, header: Sequence[str]) -> ImportProfile | None:
    """The profile for a file with this header: one that a person has named, else what was last applied."""
    statement = select(ImportProfile).where(
        ImportProfile.kind == kind, ImportProfile.header == keys_of(header), ImportProfile.mapping != []
    )
    best = statement.order_by(ImportProfile.name.is_(None), ImportProfile.used_at.desc())
    return session.scalars(best.limit(1)).first()


def chosen_of(options: Mapping[str, Any]) -> dict[str, str]:
    """How a person chose to have a file read; nothing of what was guessed."""
    return {name: str(options[name]) for name in CHOSEN if options.get(name)}


def chosen_before(session: Session, kind: str) -> list[dict[str, str]]:
    """The ways in which people chose to have files read, the latest first."""
    columns = [ImportProfile.options[name].astext for name in CHOSEN]
    used = select(*columns).where(ImportProfile.kind == kind, func.coalesce(*columns).is_not(None)).group_by(*columns)
    found = session.execute(used.order_by(func.max(ImportProfile.used_at).desc()).limit(MOST_WAYS))
    return [chosen_of(dict(zip(CHOSEN, row, strict=True))) for row in found]


def use(run: ImportRun, profile: ImportProfile) -> None:
    """Give an import the meaning of its columns and the options from a profile."""
    fields = {key: field for key, field in profile.mapping}
    keys = keys_of(run.header)
    run.mapping = {str(place): fields[key] for place, key in enumerate(keys) if key in fields}
    unlike = {name: value for name, value in profile.options.items() if name not in CHOSEN}
    run.options = {**unlike, **chosen_of(run.options)}
    run.profile_id = profile.id


def remember(session: Session, run: ImportRun, *, name: str | None = None) -> None:
    """Keep what an import's columns mean: under a name when one is given, else for its header by itself."""
    keys = keys_of(run.header)
    values: dict[str, Any] = {
        "kind": run.kind,
        "header": keys,
        "mapping": [[keys[int(place)], field] for place, field in run.mapping.items()],
        "options": run.options,
        "actor": run.actor,
        "used_at": func.clock_timestamp(),
    }
    written = " ".join((name or "").split())
    if len(written) > LONGEST_NAME:
        raise Invalid(f"The name of a profile has at most {LONGEST_NAME} characters.", field="save_as")
    saved = save(session, values, name=written or None)
    if written:
        run.profile_id = saved


def save(session: Session, values: Mapping[str, Any], *, name: str | None) -> UUID:
    """Write a profile; one of the same name, or without a name for the same header, is replaced."""
    statement = insert(ImportProfile).values(id=uuid7(), name=name, **values)
    same = ["kind", "header"] if name is None else ["kind", "name"]
    where = ImportProfile.name.is_(None) if name is None else ImportProfile.name.is_not(None)
    changed = {column: statement.excluded[column] for column in ("header", "mapping", "options", "actor", "used_at")}
    kept = statement.on_conflict_do_update(index_elements=same, index_where=where, set_=changed)
    return session.scalars(kept.returning(ImportProfile.id)).one()


def forget(session: Session, kind: str, profile_id: UUID) -> None:
    """Delete a profile; imports that used it keep their columns."""
    session.delete(find(session, kind, profile_id))
    session.flush()
