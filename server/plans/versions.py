"""The history of a plan: every state it had, who made it, and the way back."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.board import Board
from routing.plan import Plan as Answer
from server.kit import clock
from server.plans.models import Plan, PlanVersion


class Kind(StrEnum):
    """What made a version."""

    COMPUTED = "computed"
    COPIED = "copied"
    PLACED = "placed"
    MOVED = "moved"
    TAKEN_OUT = "taken_out"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    ADDED = "added"
    DROPPED = "dropped"
    WENT_BACK = "went_back"


def latest(session: Session, plan_id: UUID) -> PlanVersion | None:
    """The state in which a plan is; None for plans without a history."""
    statement = select(PlanVersion).where(PlanVersion.plan_id == plan_id).order_by(PlanVersion.number.desc()).limit(1)
    return session.scalars(statement).one_or_none()


def numbered(session: Session, plan_id: UUID, number: int) -> PlanVersion | None:
    """One version of a plan."""
    return session.scalars(
        select(PlanVersion).where(PlanVersion.plan_id == plan_id, PlanVersion.number == number)
    ).one_or_none()


def since(session: Session, plan_id: UUID, number: int = 0) -> list[PlanVersion]:
    """The versions of a plan after one of them, the latest first."""
    statement = select(PlanVersion).where(PlanVersion.plan_id == plan_id, PlanVersion.number > number)
    return list(session.scalars(statement.order_by(PlanVersion.number.desc())))


def steps(session: Session, plan_id: UUID) -> tuple[int | None, int | None]:
    """To which versions undo and redo lead; None where there is nothing to undo or redo."""
    rows = session.execute(
        select(PlanVersion.number, PlanVersion.goes_back_to)
        .where(PlanVersion.plan_id == plan_id)
        .order_by(PlanVersion.number)
    ).all()
    stands: dict[int, int] = {}  # version -> the version whose board it shows
    parent: dict[int, int | None] = {}  # version that brought something new -> the one before it
    shown: int | None = None
    for number, goes_back_to in rows:
        if goes_back_to is None:
            parent[number], stands[number] = shown, number
        else:
            stands[number] = stands[goes_back_to]
        shown = stands[number]
    if shown is None:
        return None, None
    went_back = rows[-1].goes_back_to is not None
    later = [number for number, before in parent.items() if before == shown] if went_back else []
    return parent[shown], max(later, default=None)


def add(
    session: Session,
    plan: Plan,
    kind: Kind,
    board: Board,
    *,
    made_by: UUID | None,
    detail: Mapping[str, Any] | None = None,
    goes_back_to: int | None = None,
    request: UUID | None = None,
) -> PlanVersion:
    """Write down a new state of a plan."""
    before = latest(session, plan.id)
    version = PlanVersion(
        plan_id=plan.id,
        number=before.number + 1 if before else 1,
        made_by=made_by,
        made_at=clock.now(),
        kind=kind,
        detail=dict(detail or {}),
        board=written(board),
        summary=dict(plan.summary or {}),
        goes_back_to=goes_back_to,
        request=request,
    )
    session.add(version)
    session.flush()
    return version


def add_computed(session: Session, plan: Plan, answer: Answer) -> PlanVersion:
    """Write down what the planner found; what people fixed before stays fixed."""
    before = latest(session, plan.id)
    fixed = read(before.board) if before else Board({})
    board = Board(
        routes=answer.orders(),
        starts={k: s for k, s in fixed.starts.items() if k in fixed.pins or fixed.at.get(k) in fixed.locks},
        pins=fixed.pins,
        locks=fixed.locks,
        added=fixed.added,
        out=fixed.out,
    )
    return add(session, plan, Kind.COMPUTED, board, made_by=None)


def written(board: Board) -> dict[str, Any]:
    """A board as it is stored."""
    return {
        "routes": {rep_day: list(order) for rep_day, order in board.routes.items()},
        "starts": dict(board.starts),
        "pins": sorted(board.pins),
        "locks": sorted(board.locks),
        "added": list(board.added),
        "out": sorted(board.out),
    }


def read(stored: Mapping[str, Any]) -> Board:
    """A stored board."""
    return Board(
        routes={rep_day: tuple(order) for rep_day, order in stored["routes"].items()},
        starts=stored["starts"],
        pins=frozenset(stored["pins"]),
        locks=frozenset(stored["locks"]),
        added=tuple(stored["added"]),
        out=frozenset(stored["out"]),
    )
