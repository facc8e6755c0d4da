"""How fast a lead is with its rep, and what the score is worth, on the made-up company.

    .venv/bin/python -m benchmarks.leads.run [--leads 40]

Starts a database of its own in a temporary folder and one worker; the market is that of `server.demo.leads`.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="waymark-bench-leads-"))
HOME.chmod(0o755)
os.environ["WAYMARK_HOME"] = str(HOME)

from shapely.geometry import MultiPolygon, box  # noqa: E402
from sqlalchemy import select  # noqa: E402

from geo.types import LonLat  # noqa: E402
from server import migrations  # noqa: E402
from server.auth.models import Role  # noqa: E402
from server.auth.service import create_user, set_working_day  # noqa: E402
from server.demo.leads import odds  # noqa: E402
from server.kit import clock, embedded  # noqa: E402
from server.kit.database import engine, transaction  # noqa: E402
from server.leads import learning, taking  # noqa: E402
from server.leads.learning import FEATURES, Quality, Sample  # noqa: E402
from server.leads.models import Lead, LeadSource  # noqa: E402
from server.leads.rule_models import LeadPoints  # noqa: E402
from server.leads.taking import NewLead  # noqa: E402
from server.territories import service as territories  # noqa: E402


def company() -> None:
    """Four reps in two territories, and a rule for points."""
    with transaction() as session:
        for k, name in enumerate(("West", "East")):
            area = MultiPolygon([box(9 + k / 2, 47, 9.5 + k / 2, 47.5)])
            territory = territories.create(session, name=name, area=area)
            reps = [create_user(session, login=f"rep{k}{n}", name=f"Rep {k}{n}", role=Role.REP) for n in range(2)]
            for rep in reps:
                set_working_day(session, rep.id, {"home": (9.25 + k / 2, 47.2), "home_name": "Base"})
            members = [rep.id for rep in reps]
            territories.set_members(session, territory.id, members, day=clock.now().date())
        session.add(LeadPoints(sentence="Has a phone", condition="phone is not empty", points=20))


def intake(count: int) -> dict[str, float]:
    """Seconds from a lead's coming in until it is committed with an owner and a score, one after the other."""
    chance, waited, last = random.Random(1), [], None
    for k in range(count):
        at = LonLat(chance.uniform(9.01, 9.99), chance.uniform(47.01, 47.49))
        fields = {"company": f"Firm {chance.random():.9f} {k}", "emails": [f"a@firm{k}.example"]}
        began = time.perf_counter()
        with transaction() as session:
            last = taking.take_in(session, NewLead(fields, LeadSource.FORM, at=at)).lead.id
        while True:
            with transaction() as session:
                done = session.execute(select(Lead.owner_id, Lead.score).where(Lead.id == last)).one()
            if done.owner_id is not None and done.score is not None:
                break
            if time.perf_counter() - began > 180:
                raise SystemExit("The worker does not assign.")
        waited.append(time.perf_counter() - began)
    waited.sort()
    return {
        "leads": count,
        "median_s": round(statistics.median(waited), 3),
        "p95_s": round(waited[int(count * 0.95) - 1], 3),
        "worst_s": round(waited[-1], 3),
    }


def market(count: int, seed: int) -> list[Sample]:
    """Leads of the made-up market, with what became of them."""
    chance, found, start = random.Random(seed), [], datetime(2024, 1, 1, tzinfo=UTC)
    for k in range(count):
        values: dict[str, float | None] = dict.fromkeys(FEATURES, 0.0)
        source = chance.choices(("form", "map", "referral", "fair", "import", ""), (42, 14, 12, 10, 6, 16))[0]
        near = chance.choice((1, 5, 12, 25, 40))
        values |= {
            "customers_2km": near,
            "customers_10km": near * 3 + chance.randrange(10),
            "prospects_1km": chance.randrange(40),
            "drive_min": chance.uniform(2, 45),
            "has_phone": float(chance.random() < 0.65),
            "words": float(chance.randrange(30)),
            "value": chance.choice((None, chance.lognormvariate(8.9, 0.8))),
        }
        if source:
            values[f"from_{source}"] = 1.0
        points = 25 * (source == "referral") + 15 * bool(values["has_phone"]) + 20 * (near >= 3)
        points -= 15 * ((values["drive_min"] or 0) > 30) + 10 * (source == "import")
        created = start + timedelta(hours=k * 17_520 / count)
        decided = created + timedelta(days=3 + chance.expovariate(1 / 18))
        won = chance.random() < learning.logistic(odds(values))
        found.append(Sample(values, created, decided, won, points))
    return found


def quality(count: int) -> dict[str, object]:
    """The model against the rule points and the base rate, on leads that came in after it was trained."""
    samples = market(count, seed=1)
    began = time.perf_counter()
    found, _model = learning.tried(samples, learning.cut_of(samples))
    seconds = time.perf_counter() - began
    if not isinstance(found, Quality):
        return {"leads": count, "says": learning.in_words(found)}
    ideal = [one for one in samples if one.created_at >= learning.cut_of(samples)]
    import numpy as np

    truth = np.array([float(one.won) for one in ideal])
    best = learning.auc(np.array([odds(dict(one.values)) for one in ideal]), truth)
    return {
        "leads": count,
        "tried_on": found.tried,
        "base_rate": round(found.base_rate, 3),
        "auc_model": round(found.auc, 3),
        "auc_points": round(found.auc_points, 3),
        "auc_of_the_true_chance": round(best, 3),
        "brier_model": round(found.brier, 4),
        "brier_base_rate": round(found.brier_base, 4),
        "worst_bin": round(max(abs(one.predicted - one.found) for one in found.calibration), 3),
        "training_s": round(seconds, 2),
    }


def main() -> None:
    """Run both and print the figures as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--leads", type=int, default=40, help="Leads that come in one after the other.")
    asked = options.parse_args()
    embedded.ensure(HOME)
    migrations.upgrade(engine())
    company()
    worker = subprocess.Popen([sys.executable, "-m", "server.cli", "worker"], stderr=subprocess.DEVNULL)
    try:
        intake(1)  # the worker starts
        figures = {"intake": intake(asked.leads), "score": [quality(count) for count in (150, 600, 3000)]}
    finally:
        worker.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(20)
        engine().dispose()
        embedded.stop(HOME)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
