"""What somebody does with territories, thought through to drafts: nothing is written here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any
from uuid import UUID

from shapely.errors import ShapelyError
from shapely.geometry import LineString, MultiPolygon, mapping, shape
from sqlalchemy.orm import Session

from geo import territories as shapes
from server.balance import places, schemas
from server.balance.drafts import Change, Draft, area_of, draft_of, giving_way, new, worked
from server.balance.files import Outline
from server.balance.notes import alone, at_work, leaving, of_file, regions, shared
from server.balance.people import called
from server.balance.saving import gone, parts_of
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.settings import settings
from server.territories import members, queries
from server.territories import service as territories
from server.territories.models import ChangeState, Territory, TerritoryChange

LATEST = timedelta(days=730)
"""Nobody plans who works where for later than that; a typed year of four nines would never take effect."""


def planned(session: Session, operation: schemas.Operation, day: date | None = None) -> Change:
    """The drafts of an operation that is done on a day, today when left out. Refuses what cannot be drawn, by name."""
    plan = PLANS[type(operation)]
    change: Change = plan(session, operation)
    day = day or clock.today(settings().zone)
    return replace(change, notes=(*change.notes, *alone(change.drafts, day), *regions(session, change.drafts, day)))


def outline(geojson: dict[str, Any], name: str) -> tuple[MultiPolygon, list[str]]:
    """A drawn outline as it can be stored, and what was mended."""
    return territories.tidied_area(territories.geometry_of(geojson, name=name), name=name)


def create(session: Session, wish: schemas.Create) -> Change:
    """A new territory; neighbours give way when that is wished."""
    if wish.area is not None:
        area, notes = outline(wish.area, wish.name)
    else:
        chosen = {"admin_area_ids": wish.admin_area_ids, "codes": wish.postcodes}
        area, notes = places.area_of_places(session, name=wish.name, **chosen), []  # type: ignore[arg-type]
    draft = new(session, wish.name, area, colour=wish.colour, parent_id=wish.parent_id)
    draft = crewed(session, draft, wish.members, wish.valid_from)
    parent = [wish.parent_id] if wish.parent_id else []
    others = giving_way(session, area, but=parent) if wish.others_give_way else []
    return Change("create", (draft, *others), tuple(notes))


def reshape(session: Session, wish: schemas.Reshape) -> Change:
    """Another outline or name; neighbours give way when that is wished."""
    row = known(session, wish.territory_id, seen=wish.rev)
    sent = wish.model_fields_set
    area, notes = area_of(row), list[str]()
    if wish.area is not None:
        area, notes = outline(wish.area, row.name)
    if "parent_id" in sent:
        territories.check_parent(session, row.id, wish.parent_id)
    draft = Draft(
        row.id,
        row.name if wish.name is None else territories.checked_name(session, wish.name, row.id),
        row.colour if wish.colour is None else territories.checked_colour(wish.colour),
        wish.parent_id if "parent_id" in sent else row.parent_id,
        area,
        rev=wish.rev,
    )
    gives = wish.others_give_way and wish.area is not None
    below = [one.id for one in queries.active(session) if row.id in territories.ancestors(session, [one.id])]
    others = giving_way(session, area, but=[row.id, *below]) if gives else []
    kind = "reshape" if wish.area is not None else "rename"
    return Change(kind, (draft, *others), tuple(notes), frozenset({row.id}))


def give(session: Session, wish: schemas.Give) -> Change:
    """Some ground goes to one territory; all others that are worked give it up."""
    ground, notes = outline(wish.ground, "the ground")
    if wish.to_id is None:
        leaves = queries.leaves(session)
        if not leaves:
            raise Invalid("There is no territory to give it to.", field="to_id")
        to = leaves[shapes.nearest(ground, [area_of(row) for row in leaves])]
    else:
        to = known(session, wish.to_id, seen=wish.revs.get(wish.to_id))
    taker = draft_of(to, shapes.together([area_of(to), ground]), rev=wish.revs.get(to.id))
    others = [
        Draft(d.id, d.name, d.colour, d.parent_id, d.area, rev=wish.revs.get(d.id))
        for d in giving_way(session, ground, but=[to.id])
    ]
    return Change("give", (taker, *others), tuple(notes), frozenset({to.id}))


def split(session: Session, wish: schemas.Split) -> Change:
    """A territory in two. Refuses a line that does not cut it."""
    row = known(session, wish.territory_id, seen=wish.rev)
    try:
        line = shape(wish.line)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise Invalid("The line is not a GeoJSON LineString.", field="line") from error
    sides = shapes.split(area_of(row), line) if isinstance(line, LineString) and line.length > 0 else None
    if sides is None:
        raise Invalid(
            f"The line does not cut “{row.name}” in two.", help="Draw it from one edge across to another.", field="line"
        )
    left, right = sides
    other = new(session, wish.name, right, parent_id=row.parent_id)
    other = crewed(session, other, wish.members, wish.valid_from)
    return Change("split", (draft_of(row, left, rev=wish.rev), other), asked=frozenset({row.id}))


def merge(session: Session, wish: schemas.Merge) -> Change:
    """Several territories become one, and the people of all of them work it; says who that is."""
    ids = list(dict.fromkeys(wish.territory_ids))
    rows = [known(session, territory_id) for territory_id in ids]
    if len(rows) < 2:
        raise Invalid("Choose at least two territories to merge.", field="territory_ids")
    first, rest = rows[0], rows[1:]
    above = territories.ancestors(session, ids) & set(ids)
    if above:
        raise Conflict("A sales region cannot be merged with what lies below it.", field="territory_ids")
    name = territories.checked_name(session, wish.name, first.id) if wish.name else first.name
    area = shapes.together([area_of(row) for row in rows])
    gone = [draft_of(row, None, rev=wish.revs.get(row.id)) for row in rest]
    day, rest_ids = first_day(wish.valid_from), {row.id for row in rest}
    were = members.spans_of(session, first.id)
    coming = [one for one in queries.memberships(session) if one.territory_id in rest_ids and not one.has_left]
    people = members.along(were, (members.Span(one.user_id, one.valid_from, one.valid_to) for one in coming), day)
    draft = draft_of(first, area, rev=wish.revs.get(first.id), name=name)
    if people != were:
        draft = replace(draft, people=people)
    notes = at_work(session, name, people, day)
    return Change("merge", (draft, *gone, *orphans(session, rest, first.id)), tuple(notes), frozenset(ids))


def staff(session: Session, wish: schemas.Members) -> Change:
    """Other people work a territory for some days. Refuses days that are over, and people who cannot sign in."""
    row = known(session, wish.territory_id, seen=wish.rev)
    day = first_day(wish.valid_from)
    if wish.valid_to is not None and wish.valid_to <= day:
        raise Invalid("The last day lies before the first.", help="Leave it empty, or choose later.", field="valid_to")
    members.check_people(session, wish.members)
    spans = members.staffed(members.spans_of(session, row.id), wish.members, day, wish.valid_to)
    draft = replace(draft_of(row, area_of(row), rev=wish.rev), people=spans)
    asked = wish.model_dump(mode="json") | {"valid_from": day.isoformat()}
    return Change("members", (draft,), asked=frozenset({row.id}), wish=asked)


def first_day(day: date | None, *, field: str = "valid_from") -> date:
    """From when on people work a territory, or ground changes hands; refuses days that are over or too far off."""
    today = clock.today(settings().zone)
    day = day or today
    if day < today:
        raise Invalid("Choose today or a day to come: what is over stays in the history.", field=field)
    if day > today + LATEST:
        raise Invalid("That day is too far off.", help="Choose a day within the next two years.", field=field)
    return day


def crewed(session: Session, draft: Draft, user_ids: Sequence[UUID], day: date | None) -> Draft:
    """A new territory with the people who work it from a day on. Refuses people who cannot sign in."""
    if not user_ids:
        return draft
    members.check_people(session, user_ids)
    return replace(draft, people=members.staffed((), user_ids, first_day(day)))


def delete(session: Session, wish: schemas.Delete) -> Change:
    """A territory is taken away; what lies below it moves up."""
    row = known(session, wish.territory_id)
    drafts = (draft_of(row, None, rev=wish.rev), *orphans(session, [row], row.parent_id))
    return Change("delete", drafts, tuple(leaving(session, row)), frozenset({row.id}))


def kept(session: Session, wish: schemas.Kept) -> Change:
    """A version that came too late, or one that waits for its day, on top of the present state."""
    change = session.get(TerritoryChange, wish.change_id)
    if change is None or change.state not in (ChangeState.KEPT, ChangeState.WAITING):
        raise NotFound("No such change is kept.")
    if change.effects.get("wish") is not None:
        asked = as_now(session, schemas.OPERATIONS.validate_python(change.effects["wish"]))
        again: Change = PLANS[type(asked)](session, asked)
        return again
    return Change(change.kind, tuple(drafts_of(session, change.id)), tuple(change.effects.get("notes", ())))


def as_now(session: Session, operation: schemas.Operation) -> schemas.Operation:
    """The same as if it were asked for now: on the territories as they are, from today on at the earliest."""
    today = clock.today(settings().zone)
    if isinstance(operation, schemas.Staffed | schemas.Merge | schemas.Members) and operation.valid_from is not None:
        operation = operation.model_copy(update={"valid_from": max(operation.valid_from, today)})
    match operation:
        case schemas.Members():
            return operation.model_copy(update={"rev": None})
        case schemas.Give() | schemas.Merge():
            return operation.model_copy(update={"revs": {row.id: row.rev for row in queries.active(session)}})
        case schemas.Reshape() | schemas.Split() | schemas.Delete():
            row = known(session, operation.territory_id)
            return operation.model_copy(update={"rev": row.rev})
    return operation


def revisions(operation: schemas.Operation) -> Mapping[UUID, int]:
    """The revisions of territories that whoever asked for it had seen."""
    if isinstance(operation, schemas.Give | schemas.Merge):
        return operation.revs
    seen = getattr(operation, "rev", None)
    return {} if seen is None else {operation.territory_id: seen}  # type: ignore[attr-defined]


def imported(
    session: Session, outlines: Sequence[Outline], *, replaces: bool, user_ids: Sequence[UUID] = (),
    crews: Mapping[str, Sequence[UUID]] | None = None, day: date | None = None,
) -> Change:  # fmt: skip
    """The areas of a file: new territories, and new outlines of those whose name is known, when that is wished.

    Some people work all of the new ones from a day on; with `crews` others work those of these names, and when neither
    is said those whom the file names. Refuses names that no new area has.
    """
    known_names = {row.name: row for row in queries.active(session)}
    named = called(session, {who for one in outlines for who in one.people})
    drafts: dict[str, Draft] = {}
    notes: list[str] = []
    for one in outlines:
        area, mended = territories.tidied_area(one.geometry, name=one.name)
        notes += [*one.notes, *mended]
        if one.name in drafts:
            raise Conflict(f"There are two areas “{one.name}” in the file.", help="Name every area differently.")
        row = known_names.get(one.name)
        if row is not None and replaces:
            drafts[one.name] = draft_of(row, area)
            if one.people:
                who = ", ".join(one.people)
                notes.append(f"“{one.name}” keeps its people; those of the file are left out: {who}.")
        else:
            taken = [draft.colour for draft in drafts.values()]
            draft = new(session, one.name, area, colour=one.colour, taken=taken)
            chosen = (crews or {}).get(one.name, user_ids or None)
            if chosen is None:
                chosen = [named[who.lower()][0] for who in one.people if len(named[who.lower()]) == 1]
                notes += of_file(one, named)
            drafts[one.name] = crewed(session, draft, chosen, day)
    for name in crews or {}:
        if name not in drafts or not drafts[name].is_new:
            raise Invalid(f"The file has no new area “{name}”.", help="Look at it again.", field="crews")
    ids = {name: row.id for name, row in known_names.items()} | {name: draft.id for name, draft in drafts.items()}
    placed = (
        replace(drafts[one.name], parent_id=ids[one.parent])
        if one.parent in ids and one.parent != one.name and drafts[one.name].is_new
        else drafts[one.name]
        for one in outlines
    )
    today = clock.today(settings().zone)
    whole = parents_first({draft.id: draft for draft in placed})
    notes += [*places.far_off(session, [(one.name, one.area) for one in whole if one.area is not None])]
    notes += [*alone(whole, today), *regions(session, whole, today)]
    return Change("import", whole, (*notes, *shared(session, whole)))


def parents_first(drafts: Mapping[UUID, Draft]) -> tuple[Draft, ...]:
    """Drafts in an order in which each finds its parent; refuses a circle of parents, by name."""
    above = {id: {up for up in [draft.parent_id] if up in drafts} for id, draft in drafts.items()}
    try:
        return tuple(drafts[id] for id in TopologicalSorter(above).static_order() if id is not None)
    except CycleError as error:
        circle = " → ".join(f"“{drafts[id].name}”" for id in error.args[1])
        raise Conflict(
            f"In the file, these lie below each other in a circle: {circle}.", help="Give one of them another parent."
        ) from error


def drafts_of(session: Session, change_id: UUID) -> Iterable[Draft]:
    """How a kept change wanted its territories."""
    for part in parts_of(session, change_id):
        row = session.get(Territory, part.territory_id)
        is_gone = row is None or row.deleted_at is not None
        facts = part.after or part.before
        if facts is None or (is_gone and part.area_after is None):
            continue
        parent = UUID(facts["parent_id"]) if facts["parent_id"] else None
        area = None if part.area_after is None else shapes.polygons(territories.shape_of(part.area_after))
        name = territories.checked_name(session, facts["name"], part.territory_id)
        people = tuple(members.Span.read(one) for one in facts["people"]) if "people" in facts else None
        if people is not None and not is_gone:  # of several that became one: nobody who works there now is sent away
            people = members.along(members.spans_of(session, part.territory_id), people, date.min)
        yield Draft(part.territory_id, name, facts["colour"], parent, area, is_new=is_gone, people=people)


def orphans(session: Session, gone: Iterable[Territory], parent_id: UUID | None) -> list[Draft]:
    """The territories below those that go, with another parent."""
    ids = {row.id for row in gone}
    below = [row for row in queries.active(session) if row.parent_id in ids and row.id not in ids]
    return [Draft(row.id, row.name, row.colour, parent_id, area_of(row)) for row in below]


def known(session: Session, territory_id: UUID, *, seen: int | None = None) -> Territory:
    """A territory that is there, or that was when its revision was seen: what was drawn on it is kept, not lost."""
    row = session.get(Territory, territory_id)
    if row is None or (row.deleted_at is not None and seen is None):
        raise gone(session, row)
    return row


PLANS: Mapping[type[schemas.Operation], Callable[[Session, Any], Change]] = {
    schemas.Create: create,
    schemas.Reshape: reshape,
    schemas.Give: give,
    schemas.Split: split,
    schemas.Merge: merge,
    schemas.Members: staff,
    schemas.Delete: delete,
    schemas.Kept: kept,
}


def troubles(session: Session) -> list[schemas.TroubleRead]:
    """Gaps and overlaps between the territories that are worked, the largest first."""
    in_hand = worked(session)
    rows, areas = [row for row, _ in in_hand], [area for _, area in in_hand]
    found = [
        schemas.TroubleRead(
            kind="overlap",
            square_km=shapes.square_km(one.area),
            between=[rows[one.one].id, rows[one.other].id],
            area=mapping(one.area),
        )
        for one in shapes.overlaps(areas)
    ]
    tops = [area_of(row) for row in queries.active(session) if row.id not in {one.id for one in rows}]
    for gap in shapes.gaps(areas, within=shapes.together(tops) if tops else None):
        close = [k for k, area in enumerate(areas) if area.distance(gap) < 1e-6]
        best = shapes.nearest(gap, areas)
        order = [best, *(k for k in close if k != best)]
        found.append(
            schemas.TroubleRead(
                kind="gap", square_km=shapes.square_km(gap), between=[rows[k].id for k in order], area=mapping(gap)
            )
        )
    return sorted(found, key=lambda one: -one.square_km)
