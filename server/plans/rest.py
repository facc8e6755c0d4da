"""Computing the rest of a plan anew, on the basis that it shares with the plan before."""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from routing.again import plan_rest
from routing.board import Board, bound
from routing.budget import Budget
from routing.check import verify
from routing.found import Tell
from routing.plan import Plan as Answer
from routing.solve import UnlawfulPlan, solve
from routing.types import Problem
from server.kit.errors import Invalid
from server.plans import adjusting, basis, versions
from server.plans.computing import Computed, Journey
from server.plans.models import Plan
from server.roads import service as roads


@dataclass(frozen=True)
class Rest:
    """What stands, and what it stands on."""

    basis: basis.Basis
    problem: Problem
    board: Board
    journey: Journey


def prepare(session: Session, plan: Plan) -> Rest:
    """The board that the plan was asked for with. Refuses plans whose basis is lost."""
    found, version = basis.load(session, plan.id), versions.numbered(session, plan.id, 1)
    if found is None or version is None:
        raise Invalid("The plan has lost what it was to be computed from.", help="Plan these days anew.")
    board = versions.read(version.board)
    journey = Journey(roads.engine(session, found.blueprint.points), found.matrix)
    return Rest(found, adjusting.problem_of(found, board), board, journey)


def work_out(plan: Plan, rest: Rest, tell: Tell) -> Computed:
    """Plan the rest within the plan's budget; an unlawful answer goes no further."""

    def search(free: Problem) -> Answer:
        budget = Budget(seconds=plan.seconds, steps=plan.steps)
        start = {k: [v for v in order if v in free.visit_index] for k, order in rest.board.routes.items()}
        start = {k: order for k, order in start.items() if k in free.rep_day_index}
        return solve(free, engine=plan.engine, seed=plan.seed, budget=budget, progress=tell, start=start)

    answer = plan_rest(rest.problem, rest.board, search)
    fixed = bound(rest.problem, replace(rest.board, routes=answer.orders()))
    report = verify(fixed, answer)
    if not report.lawful:
        raise UnlawfulPlan("; ".join(str(violation) for violation in report.violations[:5]))
    return Computed(rest.basis.blueprint, fixed, answer, report, rest.journey)
