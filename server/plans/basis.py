"""What a plan was computed from, kept beside it: the board changes the plan on the same wishes and the same roads."""

import zlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from threading import Lock
from uuid import UUID

import numpy as np
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads.types import Matrix, RoadEngine
from routing.types import Problem
from server.kit import clock
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.plans.build import Blueprint
from server.plans.candidates import Candidate
from server.plans.models import Plan, PlanBasis
from server.plans.relaxing import with_bent_rules

SHAPE = TypeAdapter(Blueprint)
KEPT = 12
"""Plans that a process remembers."""
KEPT_DAYS = 60
"""How long after its first day a plan can still be looked at with its rules."""


@dataclass(frozen=True)
class Basis:
    """The wishes, the shifts and the roads of a plan."""

    blueprint: Blueprint
    matrix: Matrix
    problem: Problem
    stamp: UUID

    def candidate(self, key: str) -> Candidate:
        """The wish of that key (KeyError when there is none)."""
        return self.blueprint.candidates.placeable[self.problem.visit_index[key]]


_remembered: OrderedDict[UUID, Basis] = OrderedDict()
_alone = Lock()


def keep(session: Session, plan_id: UUID, blueprint: Blueprint, matrix: Matrix) -> None:
    """Write down what a plan was computed from, in the place of what was there; that of long past plans goes."""
    session.execute(delete(PlanBasis).where(PlanBasis.plan_id == plan_id))
    old = clock.today(settings().zone) - timedelta(days=KEPT_DAYS)
    past = select(PlanBasis.plan_id).join(Plan, Plan.id == PlanBasis.plan_id).where(Plan.first_day < old)
    past = past.with_for_update(skip_locked=True, of=PlanBasis)
    session.execute(delete(PlanBasis).where(PlanBasis.plan_id.in_(past)))
    session.add(PlanBasis(plan_id=plan_id, stamp=uuid7(), blueprint=_packed(blueprint), roads=_roads(matrix)))
    session.flush()


def load(session: Session, plan_id: UUID) -> Basis | None:
    """What a plan was computed from; None for plans of a program that did not keep it, or kept it in another shape."""
    stamp = session.scalar(select(PlanBasis.stamp).where(PlanBasis.plan_id == plan_id))
    if stamp is None:
        return None
    with _alone:
        if stamp in _remembered:
            _remembered.move_to_end(stamp)
            return _remembered[stamp]
    row = session.get_one(PlanBasis, plan_id, populate_existing=True)
    try:
        blueprint = SHAPE.validate_json(zlib.decompress(row.blueprint))
    except ValidationError:
        return None
    matrix = _matrix(row.roads)
    problem = with_bent_rules(blueprint.problem(matrix), session.get_one(Plan, plan_id).adjustments)
    found = Basis(blueprint, matrix, problem, stamp)
    with _alone:
        _remembered[stamp] = found
        while len(_remembered) > KEPT:
            _remembered.popitem(last=False)
    return found


def copy(session: Session, source: UUID, target: UUID) -> None:
    """Give a plan the basis of another one."""
    row = session.get_one(PlanBasis, source)
    session.add(PlanBasis(plan_id=target, stamp=uuid7(), blueprint=row.blueprint, roads=row.roads))
    session.flush()


def know(session: Session, plan_id: UUID, basis: Basis, candidate: Candidate, engine: RoadEngine) -> None:
    """Add a wish to a plan's basis, with the drives to and from its place.

    Raises `RoadsUnavailable` when the engine cannot be asked.
    """
    found = basis.blueprint.candidates
    blueprint = replace(basis.blueprint, candidates=replace(found, placeable=(*found.placeable, candidate)))
    matrix = basis.matrix
    if candidate.point not in blueprint.points:
        matrix = _with_place(matrix, blueprint.points, candidate.point, engine)
        blueprint = replace(blueprint, points=(*blueprint.points, candidate.point))
    values = {"stamp": uuid7(), "blueprint": _packed(blueprint), "roads": _roads(matrix)}
    session.execute(update(PlanBasis).where(PlanBasis.plan_id == plan_id).values(values))


def rewrite(session: Session, plan_id: UUID, blueprint: Blueprint) -> None:
    """Exchange the wishes of a plan's basis; the places stay."""
    values = {"stamp": uuid7(), "blueprint": _packed(blueprint)}
    session.execute(update(PlanBasis).where(PlanBasis.plan_id == plan_id).values(values))


def _with_place(matrix: Matrix, points: tuple[LonLat, ...], new: LonLat, engine: RoadEngine) -> Matrix:
    there, back = engine.matrix(points, [new]), engine.matrix([new], [*points, new])

    def grown(name: str) -> np.ndarray:
        return np.vstack([np.hstack([getattr(matrix, name), getattr(there, name)]), getattr(back, name)])

    snap = np.concatenate([matrix.snap_m, back.snap_m])
    return Matrix(seconds=grown("seconds"), metres=grown("metres"), snap_m=snap, estimated=grown("estimated"))


def _packed(blueprint: Blueprint) -> bytes:
    return zlib.compress(SHAPE.dump_json(blueprint), 1)


def _roads(matrix: Matrix) -> bytes:
    """The four arrays of a matrix as one compressed file of numpy's."""
    target = BytesIO()
    np.savez_compressed(
        target,
        seconds=matrix.seconds.astype(np.int32),
        metres=matrix.metres.astype(np.int32),
        snap_m=matrix.snap_m.astype(np.float32),
        estimated=matrix.estimated.astype(np.bool_),
    )
    return target.getvalue()


def _matrix(packed: bytes) -> Matrix:
    with np.load(BytesIO(packed), allow_pickle=False) as arrays:
        return Matrix(**{name: arrays[name] for name in ("seconds", "metres", "snap_m", "estimated")})
