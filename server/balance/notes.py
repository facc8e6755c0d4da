"""What the author of a change of territories should know before it is saved, in words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from geo import territories as shapes
from server.balance.drafts import Draft, area_of, draft_of
from server.balance.files import Outline
from server.territories import queries
from server.territories.members import Span
from server.territories.models import Territory

HECTARE = 0.01
"""In km²; less is a sliver."""
MOST_TOLD = 10
"""Overlaps that are named one by one."""


def alone(drafts: Iterable[Draft], day: date) -> Iterable[str]:
    """Which new territories nobody works yet on the day on which the ground changes hands, in words."""
    for draft in drafts:
        first = min((one.valid_from for one in draft.people or ()), default=day)
        if draft.is_new and first > day:
            days = f"{day:%d %B %Y}", f"{first:%d %B %Y}"
            yield f"The ground changes hands on {days[0]}, but nobody works “{draft.name}” before {days[1]}."


def regions(session: Session, drafts: Iterable[Draft], day: date) -> Iterable[str]:
    """Which territories become a sales region when others come to lie below them, and who works what is left of them
    from a day on, in words.
    """
    drafts = list(drafts)
    leaves = {row.id: row for row in queries.leaves(session)}
    for id in dict.fromkeys(draft.parent_id for draft in drafts if draft.area is not None):
        row = leaves.get(id) if id else None
        below = [draft.area for draft in drafts if draft.parent_id == id and draft.area is not None]
        if row is None:
            continue
        left = shapes.square_km(shapes.without(area_of(row), shapes.together(below)))
        if left <= HECTARE:
            continue
        people = dict.fromkeys(
            one.name
            for one in queries.memberships(session)
            if one.territory_id == id and not one.has_left and (one.valid_to is None or one.valid_to > day)
        )
        if people:
            yield (
                f"“{row.name}” becomes a sales region: {', '.join(people)} go on working the {left:.2f} km² of it "
                "beside what lies below it."
            )
        else:
            yield (
                f"“{row.name}” becomes a sales region: nobody works the {left:.2f} km² of it beside what lies below "
                "it, which is told as a gap."
            )


def at_work(session: Session, name: str, spans: Iterable[Span], day: date) -> Iterable[str]:
    """Who works a territory from a day on, in words."""
    names = {one.user_id: one.name for one in queries.memberships(session) if not one.has_left}
    people = sorted({names[one.user_id] for one in spans if one.end > day and one.user_id in names})
    yield f"These people will work “{name}”: {', '.join(people)}." if people else f"Nobody will work “{name}” then."


def leaving(session: Session, row: Territory) -> Iterable[str]:
    """Who works a territory that goes, in words."""
    open_ends = [one for one in queries.memberships(session) if one.territory_id == row.id and one.valid_to is None]
    return [f"{one.name} works “{row.name}”, which goes: find another territory for them." for one in open_ends]


def of_file(one: Outline, named: Mapping[str, Sequence[UUID]]) -> Iterable[str]:
    """Who of those whom the file names will work an area, and who is not known, in words."""
    by_count: dict[int, list[str]] = {}
    for who in one.people:
        by_count.setdefault(min(len(named[who.lower()]), 2), []).append(who)
    for count, people in sorted(by_count.items(), reverse=True):
        who = ", ".join(people)
        if count == 1:
            yield f"As the file says, these will work “{one.name}”: {who}."
        elif count:
            yield f"For “{one.name}” the file names whom several are called: {who}. Choose who works there."
        else:
            yield f"For “{one.name}” the file names whom nobody is called: {who}. Choose who works there."


def shared(session: Session, drafts: Sequence[Draft]) -> Iterable[str]:
    """Which areas will lie over each other where people work, by name, the largest first."""
    fresh = {draft.id for draft in drafts}
    lying = [*drafts, *(draft_of(row, area_of(row)) for row in queries.active(session) if row.id not in fresh)]
    above = {one.parent_id for one in lying}
    leaves = [(one, one.area) for one in lying if one.id not in above and one.area is not None]
    found = [
        (leaves[pair.one][0], leaves[pair.other][0], shapes.square_km(pair.area))
        for pair in shapes.overlaps([area for _, area in leaves])
        if fresh & {leaves[pair.one][0].id, leaves[pair.other][0].id}
    ]
    for one, other, km2 in found[:MOST_TOLD]:
        yield f"“{one.name}” and “{other.name}” overlap by {km2:.2f} km²."
    if len(found) > MOST_TOLD:
        yield f"{len(found) - MOST_TOLD} more pairs overlap."
