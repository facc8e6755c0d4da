"""JSON API of changes of territories: preview, save, history, undo, gaps and overlaps, ready-made areas."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from server.auth.access import Scope, requires
from server.balance import coming, editing, places, reading, saving, service
from server.balance.coming import Coming
from server.balance.schemas import ChangeRead, ChangeWrite, HistoryRead, MembershipRead, TroubleRead
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid
from server.kit.paging import Page
from server.kit.settings import settings
from server.territories import queries

router = APIRouter(prefix="/api/v1", tags=["territories"])

ReadTerritories = Annotated[Scope, requires("territories:read")]
WriteTerritories = Annotated[Scope, requires("territories:write")]


@router.post("/territory-changes", status_code=201, response_model=ChangeRead)
def change_territories(
    body: ChangeWrite, scope: WriteTerritories, session: Db, request: Request, response: Response
) -> object:
    """Draw, reshape, split, merge, give or take away territories; with `preview` only say what that moves.

    A change drawn on an older state is refused with 412, and kept in the history.
    With `apply_on` nothing moves before the morning of that day.
    """
    today = clock.today(settings().zone)
    if body.apply_on is not None and body.apply_on < today:
        raise Invalid("That day has passed.", help="Choose today or a day to come.", field="apply_on")
    later = body.apply_on if body.apply_on != today else None
    if body.preview:
        change, effects = service.preview(session, body.operation, later)
        response.status_code = 200
        return reading.change_read(session, scope, change, effects).model_copy(update={"apply_on": later})
    if later:
        change, made = service.apply_later(session, body.operation, later, why=body.why)
        told = reading.told(scope, made.effects)
        return ChangeRead(id=made.id, kind=made.kind, apply_on=later, notes=list(change.notes), effects=told)
    change, made, stale = service.apply(session, body.operation, why=body.why)
    if stale is not None:
        return reading.refused(request, stale, made)
    told = reading.told(scope, made.effects)
    return ChangeRead(id=made.id, kind=made.kind, notes=list(change.notes), effects=told)


@router.get("/territory-changes")
def list_changes(
    scope: ReadTerritories,
    session: Db,
    territory_id: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[HistoryRead]:
    """The latest changes: who, when, why, and what they moved."""
    return Page(items=reading.history(session, territory_id=territory_id, limit=limit))


@router.get("/territory-changes/coming")
def list_coming(scope: ReadTerritories, session: Db) -> Page[Coming]:
    """What waits for its day, balances too, with the accounts of the caller that it moves as it is now: the first 500
    of each, class A first."""
    return Page(items=coming.seen_by(session, scope))


@router.post("/territory-changes/{change_id}/undo", status_code=204)
def undo_change(change_id: UUID, scope: WriteTerritories, session: Db) -> None:
    """Put the territories of a change back exactly as they were; refused while a later change lies on top."""
    saving.undo(session, change_id)


@router.delete("/territory-changes/{change_id}", status_code=204)
def drop_change(change_id: UUID, scope: WriteTerritories, session: Db) -> None:
    """Let go of a version that was kept because it came too late, or call off a change that waits for its day."""
    saving.drop(session, change_id)


@router.get("/territory-troubles")
def list_troubles(scope: ReadTerritories, session: Db) -> Page[TroubleRead]:
    """Gaps and overlaps between the territories that are worked; `give` mends one."""
    return Page(items=editing.troubles(session))


@router.get("/territory-postcodes")
def list_postcodes(scope: WriteTerritories, session: Db) -> Page[str]:
    """The postcodes that territories can be made of."""
    return Page(items=places.postcodes(session))


@router.get("/territories/{territory_id}/members")
def list_members(territory_id: UUID, scope: ReadTerritories, session: Db) -> Page[MembershipRead]:
    """Everybody who works, worked or will work a territory, with the days."""
    editing.known(session, territory_id)
    rows = [one for one in queries.memberships(session) if one.territory_id == territory_id]
    return Page(
        items=[
            MembershipRead(
                user_id=row.user_id,
                name=row.name,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                has_left=row.has_left,
            )
            for row in rows
        ]
    )
