"""The score of leads: the rules' points, and the chance that the model in use gives; both with their reasons."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.auth.access import system_scope
from server.leads import queries
from server.leads.learning import Model
from server.leads.models import OPEN, Lead, LeadTraits
from server.leads.rule_models import LeadModel, LeadPoints

TOP = 3
SHOWN = 8
"""Reasons that are kept for a lead's page; lists show the first three."""


def used_model(session: Session) -> LeadModel | None:
    """The model in use, if there is one."""
    latest = select(LeadModel).order_by(LeadModel.id.desc()).limit(1)
    found = session.scalars(latest).one_or_none()
    return found if found is not None and found.is_used else None


def rules(session: Session) -> Sequence[LeadPoints]:
    """The rules for points, the weightiest first."""
    statement = select(LeadPoints).where(LeadPoints.deleted_at.is_(None))
    return session.scalars(statement.order_by(func.abs(LeadPoints.points).desc(), LeadPoints.id)).all()


def score(session: Session, leads: Sequence[Lead]) -> None:
    """Score leads anew; each rule is asked once for all of them."""
    session.flush()
    ids = [lead.id for lead in leads]
    earned = points_of(session, ids)
    stored = used_model(session)
    model = Model.of(stored.coefficients) if stored else None
    values: Mapping[UUID, dict[str, float | None]] = dict(
        session.execute(select(LeadTraits.lead_id, LeadTraits.values).where(LeadTraits.lead_id.in_(ids))).tuples().all()
    )
    for lead in leads:
        by_rules = earned.get(lead.id, [])
        lead.points = sum(one["weight"] for one in by_rules)
        if model is not None and lead.id in values:
            lead.chance = round(model.chance(values[lead.id]), 4)
            lead.score = round(lead.chance * 100)
            lead.score_reasons = seen_by(model, values[lead.id])
        else:
            lead.chance = None
            lead.score = max(0, min(100, lead.points))
            lead.score_reasons = by_rules[:SHOWN]
    session.flush()


def points_of(session: Session, lead_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The rules that fit each lead, as reasons, the weightiest first."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    for rule in rules(session):
        if not rule.is_on:
            continue
        fits = select(Lead.id).where(Lead.id.in_(lead_ids), queries.condition(session, system_scope(), rule.condition))
        for lead_id in session.scalars(fits):
            found.setdefault(lead_id, []).append({"kind": "rule", "sentence": rule.sentence, "weight": rule.points})
    return found


def seen_by(model: Model, values: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """What moved the model's chance most, as reasons: weights in log odds, the strongest first."""
    shares = sorted(model.shares(values).items(), key=lambda item: (-abs(item[1]), item[0]))
    return [
        {"kind": "factor", "factor": name, "weight": round(share, 4), "value": shown(name, values.get(name))}
        for name, share in shares[:SHOWN]
        if abs(share) >= 0.01
    ]


def shown(name: str, value: float | None) -> float:
    """A value as people read it: shares in percent, nothing where nothing is known."""
    return 0.0 if value is None else round(value * 100 if name == "territory_share" else value, 1)


def score_open(session: Session, *, batch: int = 500) -> int:
    """Score every open lead anew, after rules or the model have changed; returns how many."""
    statement = select(Lead.id).where(Lead.state.in_(OPEN), Lead.deleted_at.is_(None)).order_by(Lead.id)
    ids = session.scalars(statement).all()
    for start in range(0, len(ids), batch):
        score(session, session.scalars(select(Lead).where(Lead.id.in_(ids[start : start + batch]))).all())
        session.flush()
    return len(ids)
