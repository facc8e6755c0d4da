"""The rules of segments: saving, freezing, adding and removing members, deleting what nothing uses."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from server.accounts.editing import changed_meanwhile, require_revision
from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.filtering import FilterError, compile_filter, parse, write
from server.kit.filtering.nodes import Node, Within, walk
from server.records import queries as records
from server.records.merging import Current, Delta, Rules, merge
from server.segments import counting, queries
from server.segments.models import SavedView, Segment, SegmentMember, Sharing

EDITABLE = ("name", "note", "filter", "sharing")
MERGING = Rules()
LONGEST_NAME = 80


class NameTaken(Conflict):
    """Names are what filters use, so there is one segment of each."""

    code: ClassVar[str] = "segment_name_taken"


class InUse(Conflict):
    """Something else is built on the segment."""

    code: ClassVar[str] = "segment_in_use"


def create(
    session: Session,
    scope: Scope,
    *,
    subject: str,
    name: str,
    filter: str | None,
    is_static: bool = False,
    sharing: str = Sharing.PRIVATE,
    note: str | None = None,
    members: Iterable[UUID] = (),
) -> Segment:
    """Save a filter as a segment; a static one keeps the members of this moment and those given.

    Refuses a filter that is wrong, a name that is taken and a kind that the person may not read.
    """
    scope.need(queries.subject_of(subject).permission)
    if not is_static and not (filter or "").strip():
        raise Invalid("A segment that follows its filter needs one.", help="Or make it static.", field="filter")
    segment = Segment(
        subject=subject,
        name=named(session, subject, name),
        note=note,
        filter=canonical(session, scope, subject, filter) if filter and filter.strip() else None,
        is_static=is_static,
        owner_id=scope.user_id,
        sharing=known_sharing(sharing),
    )
    session.add(segment)
    session.flush()
    if is_static:
        if segment.filter:
            found = filtered(session, scope, subject, segment.filter)
            columns = found.add_columns(literal(segment.id).label("segment_id"))
            session.execute(insert(SegmentMember).from_select(["row_id", "segment_id"], columns))
        change_members(session, scope, segment, add=members)
    counting.count(session, scope, segment)
    return segment


def filtered(session: Session, scope: Scope, subject: str, filter: str) -> Any:
    """Selects the ids of the objects that somebody sees and a filter leaves."""
    kind = queries.subject_of(subject)
    found = compile_filter(parse(filter), kind.language(session, scope))
    return kind.visible(scope).where(found).with_only_columns(kind.key)


def named(session: Session, subject: str, name: str, segment: Segment | None = None) -> str:
    """A name as it is stored; refuses none, one that is too long, one that is taken."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= LONGEST_NAME:
        raise Invalid(f"A name has 1 to {LONGEST_NAME} characters.", field="name")
    other = queries.named(session, subject, cleaned)
    if other is not None and other is not segment:
        raise NameTaken(f"There is a segment “{cleaned}” already.", help="Choose another name.", field="name")
    return cleaned


def known_sharing(sharing: str) -> str:
    """Who sees it; refuses anything else."""
    if sharing not in tuple(Sharing):
        raise Invalid(f"“{sharing}” is no way to share.", help="private, team or all.", field="sharing")
    return sharing


def canonical(session: Session, scope: Scope, subject: str, filter: str, segment: Segment | None = None) -> str:
    """A filter in its one form; refuses one that is wrong or that comes round to the segment itself."""
    tree = parse(filter)
    kind = queries.subject_of(subject)
    compile_filter(tree, kind.language(session, scope))
    if segment is not None:
        refuse_circle(session, segment, tree)
    return write(tree)


def refuse_circle(session: Session, segment: Segment, tree: Node) -> None:
    """Follow the segments that a filter uses; none may be the segment that it is for."""
    waiting, seen = list(used_in(tree)), set()
    while waiting:
        within = waiting.pop()
        below = queries.named(session, segment.subject, within.name)
        if below is None or below.id in seen:
            continue
        if below.id == segment.id:
            raise FilterError(f"segment “{segment.name}” would contain itself", within.position)
        seen.add(below.id)
        if below.filter and not below.is_static:
            waiting += used_in(parse(below.filter))


def used_in(tree: Node) -> list[Within]:
    """The segments that a filter names."""
    return [node for node in walk(tree) if isinstance(node, Within) and node.kind == "segment"]


def edit(session: Session, scope: Scope, segment_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Segment:
    """Change a segment that was seen at a revision; what others changed meanwhile is merged, or refused by name."""
    segment = queries.find(session, scope, segment_id, to_change=True)
    current = {name: getattr(segment, name) for name in EDITABLE}
    seen = records.values_at(session, "segment", segment.id, base_rev, changes, current)
    deltas = {name: Delta(seen[name], value) for name, value in changes.items()}
    merged = merge(Current(current, segment.rev, segment.frev), base_rev, deltas, MERGING)
    if merged.clashes:
        raise changed_meanwhile(segment.name, segment.rev, merged.clashes)
    wanted: dict[str, Any] = dict(merged.apply)
    if "name" in wanted:
        wanted["name"] = renamed(session, segment, str(wanted["name"] or ""))
    if "sharing" in wanted:
        wanted["sharing"] = known_sharing(str(wanted["sharing"]))
    if "filter" in wanted:
        if segment.is_static:
            raise Invalid("A static segment has no filter to change.", help="Add or remove members.", field="filter")
        wanted["filter"] = canonical(session, scope, segment.subject, str(wanted["filter"] or ""), segment)
    for name, value in wanted.items():
        setattr(segment, name, value)
    session.flush()
    session.refresh(segment)
    if "filter" in wanted:
        counting.count_one(session, segment.id)
    return segment


def renamed(session: Session, segment: Segment, name: str) -> str:
    """A new name; refuses while filters elsewhere use the old one."""
    cleaned = named(session, segment.subject, name, segment)
    if cleaned.lower() != segment.name.lower():
        refuse_in_use(session, segment, "renamed")
    return cleaned


def change_members(
    session: Session, scope: Scope, segment: Segment, *, add: Iterable[UUID] = (), remove: Iterable[UUID] = ()
) -> int:
    """Put objects into a static segment and take others out; returns how many changed.

    Refuses a dynamic segment. Objects that the person may not see are passed over.
    """
    added, removed = list(add), list(remove)
    if not segment.is_static:
        raise Invalid("This segment follows its filter.", help="Freeze it into a static one to change it by hand.")
    subject, changed = queries.subject_of(segment.subject), 0
    if added:
        seen = subject.visible(scope).where(subject.key.in_(added)).with_only_columns(subject.key)
        rows = [{"segment_id": segment.id, "row_id": one} for one in session.scalars(seen)]
        if rows:
            written = upsert(SegmentMember).values(rows).on_conflict_do_nothing().returning(SegmentMember.row_id)
            changed += len(session.scalars(written).all())
    if removed:
        gone = sql_delete(SegmentMember).where(
            SegmentMember.segment_id == segment.id, SegmentMember.row_id.in_(removed)
        )
        changed += len(session.scalars(gone.returning(SegmentMember.row_id)).all())
    return changed


def freeze(session: Session, scope: Scope, segment_id: UUID, name: str) -> Segment:
    """A static copy with the members of this moment that the person sees."""
    segment = queries.find(session, scope, segment_id)
    found = list(session.scalars(queries.members(session, scope, segment)))
    return create(
        session, scope, subject=segment.subject, name=name, filter=None, is_static=True, members=found,
        note=segment.note,
    )  # fmt: skip


def delete(session: Session, scope: Scope, segment_id: UUID, base_rev: int) -> None:
    """Take a segment away; refuses while something uses it, and says what."""
    segment = queries.find(session, scope, segment_id, to_change=True)
    require_revision(segment.name, segment.id, segment.rev, base_rev)
    refuse_in_use(session, segment, "deleted")
    segment.deleted_at = clock.now()


def restore(session: Session, scope: Scope, segment_id: UUID) -> None:
    """Bring a deleted segment back. Refuses when its name is taken by now."""
    gone = queries.editable_by(scope, is_deleted=True).where(Segment.id == segment_id).with_for_update()
    segment = session.scalars(gone).one_or_none()
    if segment is None:
        raise NotFound("There is no such segment.", id=str(segment_id))
    named(session, segment.subject, segment.name, segment)
    segment.deleted_at = None
    session.flush()


def refuse_in_use(session: Session, segment: Segment, verb: str) -> None:
    """Refuse when a filter of another segment or of a view names the segment."""
    mentions = func.lower(Segment.filter).contains(segment.name.lower(), autoescape=True)
    others = select(Segment).where(Segment.deleted_at.is_(None), Segment.subject == segment.subject, mentions)
    views = select(SavedView).where(
        SavedView.deleted_at.is_(None),
        SavedView.subject == segment.subject,
        func.lower(SavedView.filter).contains(segment.name.lower(), autoescape=True),
    )
    where = [f"segment “{one.name}”" for one in session.scalars(others) if uses(one, segment)]
    where += [f"view “{one.name}”" for one in session.scalars(views) if uses(one, segment)]
    if where:
        raise InUse(
            f"“{segment.name}” cannot be {verb}: it is used in {', '.join(where)}.",
            help="Change those first.",
            used_in=where,
        )


def uses(other: Segment | SavedView, segment: Segment) -> bool:
    """Whether a filter names the segment."""
    if other.id == segment.id or not other.filter or (isinstance(other, Segment) and other.is_static):
        return False
    return any(one.name.strip().lower() == segment.name.lower() for one in used_in(parse(other.filter)))
