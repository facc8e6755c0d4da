"""Trains the model of leads: every night, on what is decided; stored as numbers, with its quality on unseen leads."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.kit import clock
from server.leads import learning, scoring
from server.leads.learning import Missing, Quality, Sample
from server.leads.models import Lead, LeadState, LeadTraits, LostReason
from server.leads.rule_models import LeadModel

SAYS_NOTHING = (LostReason.DUPLICATE, LostReason.SPAM)
"""Reasons that say nothing about the chance of a real lead."""


@dataclass(frozen=True)
class Training:
    """What came of it."""

    model: LeadModel | None
    missing: Missing | None = None
    """What was too little."""


def samples(session: Session) -> list[Sample]:
    """Every decided lead of the last years, as it was when it came in."""
    now = clock.now()
    rows = session.execute(
        select(LeadTraits.values, Lead.created_at, Lead.decided_at, Lead.state, Lead.points)
        .join(Lead, Lead.id == LeadTraits.lead_id)
        .where(
            Lead.deleted_at.is_(None),
            Lead.decided_at.is_not(None),
            Lead.created_at >= learning.window(now),
            Lead.reason.is_(None) | Lead.reason.not_in(SAYS_NOTHING),
        )
        .order_by(Lead.created_at, Lead.id)
    )
    return [
        Sample(values, created, decided or created, state == LeadState.CONVERTED, points or 0)
        for values, created, decided, state, points in rows
    ]


def train(session: Session) -> Training:
    """Train a model, try it on later leads, and score the open leads with it when it is better than guessing."""
    known = samples(session)
    lacking = learning.missing(known)
    if lacking is not None:
        return Training(None, lacking)
    cut = learning.cut_of(known)
    quality, _tried = learning.tried(known, cut)
    if isinstance(quality, Missing):
        return Training(None, quality)
    stored = kept(known, quality, cut_at=cut)
    session.add(stored)
    session.flush()
    scoring.score_open(session)
    return Training(stored)


def kept(known: Sequence[Sample], quality: Quality, *, cut_at: object) -> LeadModel:
    """The model of everything decided until now, with the quality of its like that was tried."""
    model = learning.fit(sorted(known, key=lambda one: (one.created_at, one.decided_at)))
    return LeadModel(
        is_used=quality.auc >= learning.BETTER_THAN_GUESSING and quality.brier < quality.brier_base,
        first_at=known[0].created_at,
        last_at=max(one.decided_at for one in known),
        cut_at=cut_at,
        samples=len(known),
        wins=sum(one.won for one in known),
        coefficients=model.document(),
        quality=quality.document(),
    )


def state(session: Session) -> Training:
    """The model in use, or what is missing for one."""
    used = scoring.used_model(session)
    if used is not None:
        return Training(used)
    known = samples(session)
    lacking = learning.missing(known)
    if lacking is None:
        quality, _model = learning.tried(known, learning.cut_of(known))
        lacking = quality if isinstance(quality, Missing) else None
    return Training(None, lacking)


def models(session: Session, limit: int = 30) -> Sequence[LeadModel]:
    """The models so far, the latest first."""
    return session.scalars(select(LeadModel).order_by(LeadModel.id.desc()).limit(limit)).all()
