"""Two years of deals of the made-up company: seasons, won and lost, and what each Monday looked like. Seeded."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.demo.words import say
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.opportunities import pipelines, queries, rates
from server.opportunities.forecast_models import ForecastCall, ForecastNight, ForecastSnapshot, Quota
from server.opportunities.models import ChoiceKind, Opportunity, Stage, StageChange
from server.territories.models import Territory

DAYS = 730
SEASON = (0.7, 0.8, 1.2, 1.1, 1.0, 1.1, 0.6, 0.5, 1.1, 1.3, 1.3, 0.9)
"""How many deals begin in each month, against the mean."""
THINGS = (
    ("Coffee machines", 4200), ("Cooling room", 18500), ("Service contract", 2400), ("Cash desk system", 6900),
    ("Shelving", 3100), ("Packaging, yearly", 8200), ("Lighting", 5200), ("Delivery van wrap", 1800),
    ("Cleaning, yearly", 7400), ("Point of sale display", 1500), ("Energy check", 950), ("Oven", 12600),
)  # fmt: skip
COMPETITORS = ("Alpina Supply", "Rheintal Trade", "Bodensee Systems")
STEPS = (
    "Send the quote",
    "Call back",
    "Visit with samples",
    "Agree on delivery",
    "Meet the owner",
    "Clarify the budget",
)


@dataclass
class Life:
    """One deal from its first day on."""

    values: dict[str, Any]
    way: list[tuple[datetime, Stage]] = field(default_factory=list)
    """When it came to which stage."""
    dates: list[tuple[date, date]] = field(default_factory=list)
    """From which day on which close was expected."""
    territory_id: UUID | None = None

    def stage_on(self, day: date) -> Stage | None:
        """Where it stood at the beginning of a day; None before it began."""
        found = [stage for at, stage in self.way if at.date() < day]
        return found[-1] if found else None

    def close_on(self, day: date) -> date:
        """Which close was expected on a day."""
        return [close for since, close in self.dates if since <= day][-1]


def past_deals(session: Session, today: date, seed: int = 11) -> int:
    """Fill the pipeline; gives how many deals. Does nothing where there are deals already."""
    if session.scalar(select(Opportunity.id).limit(1)) is not None:
        return 0
    chance = random.Random(seed)
    if not queries.pipelines(session):
        pipelines.create_usual(session, say)
    for word in COMPETITORS:
        if word not in pipelines.choices(session, ChoiceKind.COMPETITOR):
            pipelines.add_choice(session, ChoiceKind.COMPETITOR, word)
    rates.set_rate(session, "CHF" if settings().currency != "CHF" else "EUR", today - timedelta(days=DAYS), "1.06")
    stages = {stage.name: stage for stage in queries.stages(session, queries.pipelines(session)[0].id)}
    skills = {
        name: chance.uniform(0.75, 1.25) for name in session.scalars(select(Territory.id).order_by(Territory.name))
    }
    found = select(Account).where(
        Account.deleted_at.is_(None), Account.merged_into.is_(None), Account.owner_id.is_not(None)
    )
    lives: list[Life] = []
    for account in session.scalars(found.order_by(Account.number, Account.id)):
        for _ in range({"A": 5, "B": 3, "C": 1}.get(account.account_class or "C", 1) + chance.randrange(2)):
            lives.append(life_of(chance, account, stages, today, skills.get(account.territory_id or UUID(int=0), 1.0)))
    write(session, lives)
    snapshots(session, lives, today)
    quotas(session, chance, lives, today)
    session.flush()
    return len(lives)


def began(chance: random.Random, today: date) -> date:
    """A day of the last two years; more of them in spring and autumn, and more lately."""
    while True:
        day = today - timedelta(days=int(DAYS * chance.random() ** 1.25) + 1)
        if chance.random() * 1.3 < SEASON[day.month - 1]:
            return day


def life_of(chance: random.Random, account: Account, stages: dict[str, Stage], today: date, skill: float) -> Life:
    """One deal with its way through the stages, up to today."""
    thing, price = chance.choice(THINGS)
    amount = Decimal(round(price * chance.lognormvariate(0, 0.45), -1)).quantize(Decimal("0.01"))
    at = datetime.combine(began(chance, today), time(chance.randrange(8, 17), chance.randrange(60)), UTC)
    expected = at.date() + timedelta(days=chance.randrange(30, 120))
    life = Life({}, territory_id=account.territory_id)
    life.dates.append((at.date(), expected))
    will_win = chance.random() < 0.42 * skill
    order = [stages[say(name)] for name in ("Qualify", "Needs", "Quote", "Negotiate")]
    last = len(order) if will_win else chance.choices((1, 2, 3, 4), (3, 3, 3, 2))[0]
    moment = at
    for stage in [*order[:last], stages[say("Won" if will_win else "Lost")]]:
        if moment.date() >= today:
            break
        life.way.append((moment, stage))
        moment += timedelta(days=chance.lognormvariate(2.75, 0.55), minutes=chance.randrange(600))
        while life.dates[-1][1] < moment.date() and chance.random() < 0.8:
            slip = life.dates[-1][1] + timedelta(days=chance.randrange(14, 60))
            life.dates.append((min(life.dates[-1][1], moment.date()), slip))
    life.dates = [one for one in life.dates if one[0] <= today] or life.dates[:1]
    now = life.way[-1][1]
    closed = now.is_won or now.is_lost
    words = (
        ("Price", "Quality", "Service", "Relationship")
        if now.is_won
        else ("Price", "Competitor", "No budget", "No decision")
    )
    close = life.way[-1][0].date() if closed else life.dates[-1][1]
    life.values = {
        "id": uuid7(),
        "name": say(thing),
        "account_id": account.id,
        "owner_id": account.owner_id,
        "pipeline_id": now.pipeline_id,
        "stage_id": now.id,
        "state": "won" if now.is_won else "lost" if now.is_lost else "open",
        "amount": amount,
        "currency": settings().currency
        if chance.random() < 0.93
        else ("CHF" if settings().currency != "CHF" else "EUR"),
        "close_on": close,
        "next_step": None if closed else say(chance.choice(STEPS)),
        "next_step_on": None if closed else today + timedelta(days=chance.randrange(-3, 14)),
        "competitors": [chance.choice(COMPETITORS)] if chance.random() < 0.45 else [],
        "source": say(chance.choice(pipelines.USUAL_CHOICES[ChoiceKind.SOURCE])),
        "reason": say(chance.choice(words)) if closed else None,
        "stage_since": life.way[-1][0],
        "closed_at": life.way[-1][0] if closed else None,
        "created_at": at,
    }
    return life


def write(session: Session, lives: Sequence[Life]) -> None:
    """The deals and the steps of their ways."""
    session.execute(insert(Opportunity), [life.values for life in lives])
    steps = []
    for life in lives:
        before: tuple[datetime, Stage] | None = None
        for at, stage in life.way:
            steps.append(
                {
                    "id": uuid7(),
                    "opportunity_id": life.values["id"],
                    "account_id": life.values["account_id"],
                    "from_stage_id": before[1].id if before else None,
                    "to_stage_id": stage.id,
                    "at": at,
                    "by": life.values["owner_id"],
                    "amount": life.values["amount"],
                    "currency": life.values["currency"],
                    "days_in_stage": Decimal((at - before[0]).total_seconds() / 86_400) if before else None,
                }
            )
            before = (at, stage)
    session.execute(insert(StageChange), steps)


def snapshots(session: Session, lives: Sequence[Life], today: date) -> None:
    """What the pipeline looked like each Monday, and on each of the last fourteen days."""
    days = {today - timedelta(days=back) for back in range(1, 15)}
    monday = today - timedelta(days=today.weekday())
    days |= {monday - timedelta(weeks=weeks) for weeks in range(1, 100)}
    for day in sorted(days):
        rows = []
        for life in lives:
            stage = life.stage_on(day)
            if stage is None or stage.is_won or stage.is_lost:
                continue
            kept = ("pipeline_id", "owner_id", "amount", "currency")
            rows.append(
                {
                    "day": day,
                    "opportunity_id": life.values["id"],
                    "stage_id": stage.id,
                    "territory_id": life.territory_id,
                    "probability": stage.probability,
                    "category": stage.category,
                    "close_on": life.close_on(day),
                    **{name: life.values[name] for name in kept},
                }
            )
        session.add(ForecastNight(day=day, taken_at=datetime.combine(day, time(0, 5), UTC), deals=len(rows)))
        session.flush()
        if rows:
            session.execute(insert(ForecastSnapshot), rows)


def quotas(session: Session, chance: random.Random, lives: Sequence[Life], today: date) -> None:
    """What each person should sell in this quarter and the next, and what they themselves say."""
    first = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    following = date(first.year + first.month // 10, (first.month + 2) % 12 + 1, 1)
    sold: dict[UUID, Decimal] = {}
    for life in lives:
        if life.values["state"] == "won":
            owner = life.values["owner_id"]
            sold[owner] = sold.get(owner, Decimal(0)) + life.values["amount"]
    for owner, amount in sold.items():
        mean = amount / 8
        for quarter in (first, following):
            session.add(Quota(user_id=owner, quarter=quarter, amount=round(mean * Decimal("1.15"), -3)))
        said = round(mean * Decimal(chance.uniform(0.85, 1.2)), -2)
        session.add(ForecastCall(user_id=owner, caller_id=owner, span="quarter", period=first, amount=said, note=None))
