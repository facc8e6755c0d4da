"""The model: never trained on the future, its reasons add up, its chances come true, silent until it knows."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.leads import learning, scoring, training
from server.leads.learning import FEATURES, Missing, Model, Sample
from server.leads.models import Lead, LeadTraits
from server.leads.rule_models import LeadModel

START = datetime(2025, 1, 1, tzinfo=UTC)


def world(n: int, seed: int = 1) -> list[Sample]:
    """Leads that are won more often near other customers and with a phone number, by a known chance."""
    chance, found = random.Random(seed), []
    for k in range(n):
        values: dict[str, float | None] = dict.fromkeys(FEATURES, 0.0)
        near, phone = chance.randrange(0, 20), float(chance.random() < 0.5)
        values |= {"customers_2km": near, "has_phone": phone, "drive_min": chance.choice((None, 5.0, 40.0))}
        odds = -2.5 + 0.9 * learning.transformed("customers_2km", near) + 1.2 * phone  # type: ignore[operator]
        created = START + timedelta(hours=6 * k)
        found.append(
            Sample(
                values,
                created,
                created + timedelta(days=chance.randrange(1, 30)),
                chance.random() < learning.logistic(odds),
            )
        )
    return found


def test_it_is_silent_until_enough_is_decided_and_says_what_is_missing() -> None:
    assert learning.missing(world(23)) == Missing(23, 60, "decided")
    assert learning.in_words(learning.missing(world(23))) == "23 of 60 decided leads."
    lost = [Sample(one.values, one.created_at, one.decided_at, False) for one in world(80)]
    assert learning.missing(lost) == Missing(0, 15, "won")


def test_a_label_that_is_decided_after_the_cut_changes_nothing() -> None:
    samples = world(300)
    cut = learning.cut_of(samples)
    model = learning.trained_before(samples, cut)
    flipped = [
        one if one.decided_at < cut else Sample(one.values, one.created_at, one.decided_at, not one.won)
        for one in samples
    ]
    assert isinstance(model, Model)
    assert learning.trained_before(flipped, cut) == model
    before = [
        Sample(one.values, one.created_at, one.decided_at, not one.won) if one.decided_at < cut else one
        for one in samples
    ]
    assert learning.trained_before(before, cut) != model


def test_it_is_tried_only_on_leads_that_came_after_everything_it_learned_from() -> None:
    samples = world(300)
    cut = learning.cut_of(samples)
    quality, model = learning.tried(samples, cut)
    assert isinstance(quality, learning.Quality)
    assert model == learning.trained_before(samples, cut)
    assert quality.tried == sum(one.created_at >= cut for one in samples)


@given(st.integers(0, 299), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_the_reasons_add_up_to_the_score(which: int, seed: int) -> None:
    samples = world(300, seed=seed)
    model = MODELS.setdefault(seed, learning.fit(samples))
    values = samples[which].values
    odds = model.intercept + sum(model.shares(values).values())
    assert learning.logistic(odds) == pytest.approx(model.chance(values), abs=1e-12)


MODELS: dict[int, Model] = {}


def test_its_chances_come_true_on_leads_that_it_has_not_seen() -> None:
    quality, _model = learning.tried(world(3000), learning.cut_of(world(3000)))
    assert isinstance(quality, learning.Quality)
    assert quality.auc > 0.65
    assert quality.brier < quality.brier_base
    for one in quality.calibration:
        assert abs(one.predicted - one.found) < 0.15


def test_it_is_the_same_every_time_and_survives_being_written_down() -> None:
    model = learning.fit(world(200))
    assert learning.fit(world(200)) == model
    import json

    assert Model.of(json.loads(json.dumps(model.document()))) == model


def test_its_auc_is_that_of_scikit_learn() -> None:
    import numpy as np
    from sklearn.metrics import roc_auc_score

    chance = np.random.default_rng(1)
    truth, scores = chance.integers(0, 2, 200).astype(float), chance.integers(0, 9, 200).astype(float)
    assert learning.auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores))


def test_training_scores_the_open_leads_with_reasons_in_words(session: Any, rita: Any, make_lead: Any) -> None:
    from server.leads.wording import reasons

    for k, one in enumerate(world(300)):
        lead = Lead(company=f"Firm {k}", state="disqualified", reason="no_need", decided_at=one.decided_at)
        lead.created_at = one.created_at
        if one.won:
            lead.reason, lead.state, lead.account_id = None, "converted", _account(session)
        session.add(lead)
        session.flush()
        session.add(LeadTraits(lead_id=lead.id, values=dict(one.values)))
    session.flush()
    opened = make_lead("New AG", (9.2, 47.1), phones=["+423 237 12 12"])
    assert opened.chance is None
    found = training.train(session)
    assert found.model is not None
    assert found.model.is_used
    session.refresh(opened)
    assert opened.chance is not None
    assert opened.score == round(opened.chance * 100)
    assert "+ Gave a phone number" in reasons(opened.score_reasons[:3])
    assert scoring.used_model(session).id == found.model.id  # type: ignore[union-attr]


def _account(session: Any) -> Any:
    from sqlalchemy import select

    from server.accounts.models import Account

    known = session.scalars(select(Account.id)).first()
    if known is None:
        account = Account(name="Everybody")
        session.add(account)
        session.flush()
        known = account.id
    return known


def test_a_model_that_is_no_better_than_guessing_is_not_used(session: Any) -> None:
    chance = random.Random(3)
    noise = [Sample(one.values, one.created_at, one.decided_at, chance.random() < 0.5) for one in world(300)]
    quality, _model = learning.tried(noise, learning.cut_of(noise))
    assert isinstance(quality, learning.Quality)
    kept = training.kept(noise, quality, cut_at=START)
    assert isinstance(kept, LeadModel)
    assert not kept.is_used


def test_without_enough_the_page_and_the_api_say_so(admin_client: Any) -> None:
    assert admin_client.post("/api/v1/lead-model/train").json()["says"] == "0 of 60 decided leads."
