"""Every change of areas, members and dates passes through here, so that no account stands in a stale territory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from shapely.geometry import MultiPolygon
from sqlalchemy.orm import Session

from server.auth.access import scope_of
from server.auth.models import User
from server.balance import places as ready_made
from server.balance import saving, schemas
from server.balance.drafts import Change, Draft, area_of, draft_of, new
from server.balance.editing import as_now, first_day, imported, orphans, planned, revisions
from server.balance.files import Outline
from server.balance.moves import Effects
from server.kit import clock
from server.kit.errors import Conflict, Invalid, WaymarkError
from server.kit.settings import settings
from server.records.service import Actor, acting
from server.territories import service as territories
from server.territories.members import check_people, staffed
from server.territories.models import ChangeState, Territory, TerritoryChange


def area_from(session: Session, *, name: str, geojson: dict[str, Any] | None, places: list[int]) -> MultiPolygon:
    """The area of a new territory: as drawn, or the union of admin areas. Refuses when there is neither."""
    if geojson is not None:
        return territories.area_of(geojson, name=name)
    return ready_made.admin_union(session, places, name=name)


def preview(session: Session, operation: schemas.Operation, day: date | None = None) -> tuple[Change, Effects]:
    """What an operation would do and move, today or on a day to come; nothing is changed."""
    change = planned(session, from_day(operation, day) if day else operation, day)
    return change, saving.effects_of(session, change)


def apply(
    session: Session, operation: schemas.Operation, *, why: str = "", waited: TerritoryChange | None = None
) -> tuple[Change, TerritoryChange, saving.Stale | None]:
    """Do it. Where somebody else was first, the version is kept instead, and the refusal comes with it.

    What `waited` for its day keeps its id: whoever set the day can still undo it by that.
    """
    saving.lock(session)
    change = planned(session, operation)
    if isinstance(operation, schemas.Kept):
        why = why or session.get_one(TerritoryChange, operation.change_id).why
    try:
        made = saving.save(session, change, why=why, waited=waited)
    except saving.Stale as stale:
        return change, saving.keep(session, change, why=why, waited=waited), stale
    if isinstance(operation, schemas.Kept):
        saving.drop(session, operation.change_id)
    return change, made, None


def apply_later(
    session: Session, operation: schemas.Operation, day: date, *, why: str = ""
) -> tuple[Change, TerritoryChange]:
    """Have a job apply it on the morning of a day to come; nothing moves before. Refuses what it would refuse now."""
    saving.lock(session)
    waited = None
    if isinstance(operation, schemas.Kept):
        waited = session.get(TerritoryChange, operation.change_id, with_for_update=True, populate_existing=True)
        if waited is not None and waited.state == ChangeState.WAITING:  # it is set anew, and stays the same change
            operation = as_now(session, schemas.OPERATIONS.validate_python(waited.effects["wish"]))
            why = why or waited.why
    if isinstance(operation, schemas.Members | schemas.Kept):
        raise Invalid("This cannot wait for a day.", help="People have days of their own.", field="apply_on")
    wish = operation.model_dump(mode="json")
    if saving.waits(session, wish, but=waited):
        raise Conflict("The same change waits already.", help="Call that one off first.", field="apply_on")
    change = planned(session, from_day(operation, day), day)
    return change, saving.wait(session, change, day, wish, why=why, waited=waited)


def standing(session: Session, waiting: TerritoryChange) -> tuple[Change | None, str]:
    """What a change that waits for its day would do as it is now, None: it cannot be done; and why it will not be
    done on its day, in words. Nothing is changed.
    """
    day = max(waiting.apply_on or date.min, clock.today(settings().zone))
    operation = schemas.OPERATIONS.validate_python(waiting.effects["wish"])
    problem, change, seen = "", None, revisions(operation)
    try:
        change = planned(session, from_day(as_now(session, operation), day), day)
        in_hand = {draft.id for draft in change.drafts if draft.rev is not None}
    except WaymarkError as error:
        in_hand, problem = {part.territory_id for part in saving.parts_of(session, waiting.id)}, error.message
    since = saving.overtaken(session, {id: rev for id, rev in seen.items() if id in in_hand})
    return change, " ".join(filter(None, (since, problem)))


def from_day(operation: schemas.Operation, day: date) -> schemas.Operation:
    """The same with people who begin on a day, or later where that was said. Refuses a day too far off."""
    first_day(day, field="apply_on")
    if not isinstance(operation, schemas.Merge | schemas.Staffed):
        return operation
    if isinstance(operation, schemas.Staffed) and not operation.members:
        return operation
    return operation.model_copy(update={"valid_from": max(day, operation.valid_from or day)})


def apply_due(session: Session, change_id: UUID, today: date) -> None:
    """Apply what waited for its day, as whoever set the day; where somebody else was first, it is kept and they are
    told. It stays the same change.
    """
    waiting = session.get(TerritoryChange, change_id, with_for_update=True, populate_existing=True)
    if waiting is None or waiting.state != ChangeState.WAITING:
        return  # called off meanwhile
    operation = schemas.OPERATIONS.validate_python(waiting.effects["wish"])
    acting_for(session, waiting.actor_id)
    _, made, stale = apply(session, from_day(operation, today), why=waiting.why, waited=waiting)
    if stale is not None:
        saving.fail(session, made.id, f"{stale.message} {stale.help}")


def acting_for(session: Session, user_id: UUID | None) -> None:
    """Go on as whoever set the day. Refuses somebody who was locked or may not change territories any more."""
    setter = session.get(User, user_id) if user_id else None
    if setter is not None:
        may = setter.active and scope_of(session, setter, source="job").may("territories:write")
        if not may:
            raise Conflict(f"{setter.name}, who set the day, may not change territories any more.", help="Set it anew.")
    acting(session, Actor(user_id=user_id, source="job"))


def save_import(
    session: Session, outlines: Sequence[Outline], *, replaces: bool, why: str = "", user_ids: Sequence[UUID] = (),
    crews: Mapping[str, Sequence[UUID]] | None = None, day: date | None = None,
) -> TerritoryChange:  # fmt: skip
    """Add the territories of a file, all or none; who works the new ones, all or each, from a day on."""
    saving.lock(session)
    change = imported(session, outlines, replaces=replaces, user_ids=user_ids, crews=crews, day=day)
    return saving.save(session, change, why=why)


def create(
    session: Session,
    *,
    name: str,
    area: MultiPolygon,
    members: list[UUID],
    day: date,
    colour: str | None = None,
    parent_id: UUID | None = None,
) -> Territory:
    """Add a territory, give it its people and move the accounts inside it there."""
    saving.lock(session)
    check_people(session, members)
    draft = new(session, name, area, colour=colour, parent_id=parent_id)
    people = staffed((), members, day) if members else None
    saving.save(session, Change("create", (replace(draft, people=people),)))
    return territories.find(session, draft.id)


def change(session: Session, territory_id: UUID, changes: dict[str, Any]) -> Territory:
    """Change a territory; accounts move with its area."""
    saving.lock(session)
    row = territories.find(session, territory_id)
    if "parent_id" in changes:
        territories.check_parent(session, territory_id, changes["parent_id"])
    draft = Draft(
        row.id,
        territories.checked_name(session, changes["name"], row.id) if changes.get("name") is not None else row.name,
        territories.checked_colour(changes["colour"]) if changes.get("colour") is not None else row.colour,
        changes.get("parent_id", row.parent_id),
        area_of(row) if changes.get("area") is None else changes["area"],
    )
    saving.save(session, Change("reshape" if changes.get("area") is not None else "rename", (draft,)))
    return territories.find(session, territory_id)


def delete(session: Session, territory_id: UUID) -> None:
    """Take a territory away; its accounts go to whichever territory covers them now, or to none."""
    saving.lock(session)
    row = territories.find(session, territory_id)
    saving.save(session, Change("delete", (draft_of(row, None), *orphans(session, [row], row.parent_id))))
