"""Reads of nights: the latest ones, and one with its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.queries import visible_users
from server.kit.errors import NotFound
from server.plans.models import Plan, PlanState, Route
from server.plans.night_models import NightPart, NightRun, PartState


@dataclass(frozen=True)
class RepNight:
    """What a night did for one rep."""

    rep_id: UUID
    name: str
    login: str
    days: int
    """Days with a route."""
    has_files: bool


@dataclass(frozen=True)
class PartView:
    """A part with its plan and its reps, as far as somebody may see them."""

    part: NightPart
    plan: Plan | None
    reps: tuple[RepNight, ...]

    @property
    def summary(self) -> dict[str, int]:
        """The plan's figures."""
        return (self.plan.summary if self.plan else None) or {}


@dataclass(frozen=True)
class NightView:
    """A night in full."""

    run: NightRun
    parts: tuple[PartView, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many parts are in which state."""
        return {state.value: sum(view.part.state == state for view in self.parts) for state in PartState}

    @property
    def is_under_way(self) -> bool:
        """Whether some part waits or is computed."""
        return bool(self.counts[PartState.QUEUED] or self.counts[PartState.RUNNING])


def nights(session: Session, limit: int = 20) -> Sequence[NightRun]:
    """The latest nights."""
    statement = select(NightRun).order_by(NightRun.created_at.desc(), NightRun.id.desc())
    return session.scalars(statement.limit(limit)).all()


def night(session: Session, scope: Scope, run_id: UUID) -> NightView:
    """One night with the parts in which somebody may see a rep."""
    run = session.get(NightRun, run_id)
    if run is None:
        raise NotFound("There is no such night.")
    people = visible_users(scope.user_id, scope.team_ids, scope.level("planning:read"))
    seen = {person.id: person for person in session.scalars(people)}
    parts = [part for part in run.parts if set(part.rep_ids) & seen.keys()]
    plans = {
        plan.id: plan
        for plan in session.scalars(select(Plan).where(Plan.id.in_([p.plan_id for p in parts if p.plan_id])))
    }
    routes: dict[UUID, int] = {}
    for rep_id in session.scalars(
        select(Route.rep_id)
        .join(Plan)
        .where(Route.plan_id.in_(list(plans)), Plan.state.in_((PlanState.READY, PlanState.PUBLISHED)))
    ):
        routes[rep_id] = routes.get(rep_id, 0) + 1
    return NightView(
        run,
        tuple(
            PartView(
                part,
                plans.get(part.plan_id) if part.plan_id else None,
                tuple(
                    RepNight(rep.id, rep.name, rep.login, routes.get(rep.id, 0), rep.login in part.files)
                    for rep_id in part.rep_ids
                    if (rep := seen.get(rep_id))
                ),
            )
            for part in parts
        ),
    )
