"""Changes of territories as they go over the wire."""

from typing import Any
from uuid import UUID

from fastapi import Request, Response
from shapely.geometry import mapping
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from server.auth.access import Scope
from server.auth.models import User
from server.balance.drafts import Change
from server.balance.moves import Effects
from server.balance.saving import Stale
from server.balance.schemas import ChangeRead, EffectsRead, HistoryRead, PartRead
from server.balance.service import standing
from server.kit.errors import WaymarkError
from server.territories.models import ChangeState, TerritoryChange, TerritoryChangePart

MONEY = ("value", "potential")
"""Left out for roles that may not see an account's value or potential."""
SHOWN = 0.0001
"""Degrees, about ten metres: outlines on a map need no more corners."""


def change_read(
    session: Session, scope: Scope, change: Change, effects: Effects, change_id: UUID | None = None
) -> ChangeRead:
    """A change with what it moves and how its territories look afterwards."""
    parts = [
        PartRead(
            territory_id=draft.id,
            name=draft.name,
            colour=draft.colour,
            is_new=draft.is_new,
            is_gone=draft.area is None,
            members=[one.user_id for one in draft.people or ()] if draft.is_new else [],
            area=None if draft.area is None else mapping(draft.area.simplify(SHOWN)),
        )
        for draft in change.drafts
    ]
    return ChangeRead(
        id=change_id, kind=change.kind, notes=list(change.notes), effects=told(scope, effects.wire()), parts=parts
    )


def refused(request: Request, stale: Stale, kept: TerritoryChange) -> Response:
    """The refusal of a change that came too late, with where it is kept and, of people, theirs beside one's own.

    Answered as if it had been raised, in the reader's language; raised, it would take back what was kept.
    """
    more = {"change_id": str(kept.id), "people": kept.effects.get("people", [])}
    stale.details = {**stale.details, **more}
    answer: Response = request.app.exception_handlers[WaymarkError](request, stale)
    return answer


def told(scope: Scope, effects: dict[str, Any]) -> EffectsRead:
    """Effects without the amounts that a role may not see."""
    read = EffectsRead.model_validate(effects)
    for name in MONEY:
        if not scope.sees("account", f"yearly_{name}"):
            for row in (read, *read.moves, *read.totals):
                for key in (name, f"{name}_before", f"{name}_after"):
                    if hasattr(row, key):
                        setattr(row, key, 0.0)
    return read


def measures(scope: Scope, facts: dict[str, Any]) -> dict[str, Any]:
    """Measures of a scenario without the amounts that a role may not see."""
    hidden = [name for name in MONEY if not scope.sees("account", f"yearly_{name}")]
    return facts | {n: [0.0] * len(facts[n]) for n in hidden} | {f"{n}_spread": 0.0 for n in hidden}


def history(session: Session, *, territory_id: UUID | None = None, limit: int = 50) -> list[HistoryRead]:
    """The latest changes, of one territory or of all."""
    by, undone_by = aliased(User), aliased(User)
    names = func.coalesce(TerritoryChangePart.after["name"].astext, TerritoryChangePart.before["name"].astext)
    touched = (
        select(func.array_agg(names.op("order by")(names)))
        .where(TerritoryChangePart.change_id == TerritoryChange.id)
        .scalar_subquery()
    )
    statement = (
        select(TerritoryChange, by.name, undone_by.name, touched)
        .outerjoin(by, by.id == TerritoryChange.actor_id)
        .outerjoin(undone_by, undone_by.id == TerritoryChange.undone_by)
        .order_by(TerritoryChange.at.desc(), TerritoryChange.id.desc())
        .limit(limit)
    )
    if territory_id is not None:
        part = select(TerritoryChangePart.change_id).where(TerritoryChangePart.territory_id == territory_id)
        statement = statement.where(TerritoryChange.id.in_(part))
    return [
        HistoryRead(
            id=row.id,
            kind=row.kind,
            why=row.why,
            state=row.state,
            apply_on=row.apply_on,
            trouble=facts.get("trouble", ""),
            by=who,
            at=row.at,
            undone_by=undone,
            undone_at=row.undone_at,
            territories=areas or [],
            accounts=facts.get("accounts", 0),
            hours=facts.get("hours", 0.0),
            people=facts.get("people", []),
        )
        for row, who, undone, areas in session.execute(statement).all()
        for facts in [of_now(session, row) if row.state == ChangeState.WAITING else row.effects]
    ]


def of_now(session: Session, waiting: TerritoryChange) -> dict[str, Any]:
    """What a change that waits for its day would move as it is now, and why it will not be done."""
    moved, trouble = standing(session, waiting)
    return (moved.wire() if moved else {}) | {"trouble": trouble}
