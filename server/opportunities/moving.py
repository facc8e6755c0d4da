"""A deal moves from stage to stage: what it must have to get there, and when two people move it at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Invalid, PreconditionFailed
from server.opportunities import pipelines, service
from server.opportunities.models import ChoiceKind, Opportunity, Stage, StageChange, State
from server.opportunities.values import DEAL


class FieldsMissing(Invalid):
    """A stage wants to know more than the deal says."""

    code: ClassVar[str] = "fields_missing"


class MovedMeanwhile(PreconditionFailed):
    """Somebody else moved the same deal to another stage."""

    code: ClassVar[str] = "moved_meanwhile"


@dataclass(frozen=True)
class Moved:
    """What came of a move."""

    deal: Opportunity
    stage: Stage
    before: Stage
    notes: tuple[Mapping[str, str], ...] = ()


def move(
    session: Session,
    scope: Scope,
    deal_id: UUID,
    stage_id: UUID,
    base_rev: int,
    changes: Mapping[str, Any] | None = None,
) -> Moved:
    """Move a deal to a stage, with fields that the stage asks for; closing says why it was won or lost.

    Refuses when fields are missing, names them, and when somebody else moved the deal since `base_rev`.
    """
    deal = service.find(session, scope, deal_id)
    scope.need_changes("opportunity", changes or {})
    before = session.get_one(Stage, deal.stage_id)
    target = pipelines.find_stage(session, stage_id)
    if base_rev < deal.frev.get("stage_id", 1) and deal.stage_id != target.id:
        raise moved_meanwhile(session, deal, before)
    applied = service.merged(session, deal, base_rev, changes or {})
    state = State.WON if target.is_won else State.LOST if target.is_lost else State.OPEN
    check_reason(session, state, applied)
    missing = missing_fields(session, deal, target, applied)
    if missing:
        labels = ", ".join(DEAL[name].label for name in missing)
        raise FieldsMissing(
            f"“{target.name}” wants to know: {labels}.",
            help="Fill these in; the deal then moves.",
            missing=missing,
            field=missing[0],
            stage={"id": str(target.id), "name": target.name},
        )
    moves = target.id != deal.stage_id
    deal_was_open = deal.state == State.OPEN
    if moves and state is not State.OPEN and deal_was_open:
        deal.state = state  # what closes a deal needs no next step
        deal.closed_at = clock.now()
    notes = service.write(session, scope, deal, applied)
    if moves:
        go(session, scope, deal, before, target, state)
    return Moved(service.written(session, deal), target, before, notes)


def go(session: Session, scope: Scope, deal: Opportunity, before: Stage, target: Stage, state: State) -> None:
    """Write a step down and stand in the new stage."""
    now = clock.now()
    session.add(service.step(deal, before, target, scope, now))
    deal.stage_id, deal.pipeline_id, deal.stage_since = target.id, target.pipeline_id, now
    if state is State.OPEN:
        deal.state, deal.closed_at, deal.reason = state, None, None
        service.need_next_step({"next_step": deal.next_step, "next_step_on": deal.next_step_on})
    else:
        deal.state, deal.closed_at = state, now


def missing_fields(session: Session, deal: Opportunity, target: Stage, applied: Mapping[str, Any]) -> list[str]:
    """The fields that a stage wants and the deal, with what is sent along, does not have."""
    wanted = list(target.required)
    if target.is_won or target.is_lost:
        same_outcome = deal.stage_id == target.id
        wanted += [] if same_outcome and deal.reason else ["reason"]
    else:
        wanted += ["next_step", "next_step_on"]
    after = {name: applied.get(name, getattr(deal, name)) for name in dict.fromkeys(wanted)}
    if (target.is_won or target.is_lost) and "reason" not in applied and deal.stage_id != target.id:
        after["reason"] = None  # the reason of an earlier outcome does not explain this one
    return [name for name, value in after.items() if value is None or value in ("", [])]


def check_reason(session: Session, state: State, applied: Mapping[str, Any]) -> None:
    """Refuse a reason that is not on the list of its outcome."""
    if applied.get("reason") is not None and state is not State.OPEN:
        kind = ChoiceKind.WIN_REASON if state is State.WON else ChoiceKind.LOSS_REASON
        service.check_words(session, "reason", kind, [applied["reason"]])


def moved_meanwhile(session: Session, deal: Opportunity, now_in: Stage) -> MovedMeanwhile:
    """The refusal of a second move, with where the deal stands and who put it there."""
    last = session.execute(
        select(User.name, StageChange.at)
        .select_from(StageChange)
        .outerjoin(User, User.id == StageChange.by)
        .where(StageChange.opportunity_id == deal.id)
        .order_by(StageChange.at.desc(), StageChange.id.desc())
        .limit(1)
    ).one_or_none()
    who = (last[0] if last else None) or "Somebody else"
    return MovedMeanwhile(
        f"{who} moved “{deal.name}” to “{now_in.name}” in between.",
        help="Look at it there, then move it again if it should.",
        rev=deal.rev,
        stage={"id": str(now_in.id), "name": now_in.name},
        by=who,
    )
