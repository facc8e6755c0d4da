"""Changes of territories as they go over the wire."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from fastapi import Request, Response
from shapely.geometry import mapping
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from server.auth.access import Scope
from server.auth.models import User
from server.balance.drafts import Change
from server.balance.moves import Effects
from server.balance.saving import Stale, effects_of
from server.balance.schemas import ChangeRead, EffectsRead, FactRead, HistoryRead, PartRead
from server.balance.service import standing
from server.kit.errors import WaymarkError
from server.territories.models import ChangeState, Territory, TerritoryChange, TerritoryChangePart

MONEY = ("value", "potential")
"""Left out for roles that may not see an account's value or potential."""
KEPT: Mapping[str, Literal["name", "colour", "parent"]] = {"name": "name", "colour": "colour", "parent_id": "parent"}
"""What the history keeps of a territory beside its area and its people, and how the wire calls it."""
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
    rows = session.execute(statement).all()
    named = facts_of(session, [row.id for row, *_ in rows])
    return [
        HistoryRead(
            id=row.id,
            kind=row.kind,
            why=row.why,
            state=row.state,
            apply_on=row.apply_on,
            trouble=told.get("trouble", ""),
            by=who,
            at=row.at,
            undone_by=undone,
            undone_at=row.undone_at,
            territories=areas or [],
            accounts=told.get("accounts", 0),
            hours=told.get("hours", 0.0),
            people=told.get("people", []),
            facts=named.get(row.id, []),
        )
        for row, who, undone, areas in rows
        for told in [of_now(session, row) if row.state == ChangeState.WAITING else row.effects]
    ]


def facts_of(session: Session, change_ids: Sequence[UUID]) -> dict[UUID, list[FactRead]]:
    """What some changes made of the names, colours and regions of territories, by change."""
    before, after = TerritoryChangePart.before, TerritoryChangePart.after
    pairs = [(before[key].astext, after[key].astext) for key in KEPT]
    differ = or_(*(one.is_distinct_from(other) for one, other in pairs))
    parts = (
        select(TerritoryChangePart.change_id, TerritoryChangePart.territory_id, before, after)
        .where(
            TerritoryChangePart.change_id.in_(change_ids), pairs[0][0].is_not(None), pairs[0][1].is_not(None), differ
        )
        .order_by(TerritoryChangePart.territory_id)
    )
    names = {str(row[0]): row[1] for row in session.execute(select(Territory.id, Territory.name))}
    found: dict[UUID, list[FactRead]] = {}
    for change_id, territory_id, was, now in session.execute(parts):
        for key, field in KEPT.items():
            then, since = (names.get(one[key]) if field == "parent" else one[key] for one in (was, now))
            if was[key] != now[key]:
                fact = FactRead(territory_id=territory_id, name=now["name"], field=field, before=then, after=since)
                found.setdefault(change_id, []).append(fact)
    return found


def of_now(session: Session, waiting: TerritoryChange) -> dict[str, Any]:
    """What a change that waits for its day would move as it is now, and why it will not be done."""
    change, trouble = standing(session, waiting)
    return (effects_of(session, change).wire() if change else {}) | {"trouble": trouble}
