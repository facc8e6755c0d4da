"""Who gets a lead: the known account's owner, else the first rule that fits, then room, then whose turn it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.duplicates.search import REFUSED
from server.accounts.fields import INTERVAL_DAYS
from server.accounts.models import Account, Site
from server.auth.access import system_scope
from server.auth.models import RepProfile, Role, TeamMember, User
from server.closures.queries import days_off
from server.kit import clock
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.leads import queries
from server.leads.models import OPEN, Lead, LeadAssignment
from server.leads.resembling import like_accounts
from server.leads.rule_models import LeadPolicy, LeadRule
from server.leads.telling import tell
from server.territories.models import Territory, TerritoryMember

Step = dict[str, Any]
BAND = 0.1
"""Reps whose burden differs by less have equal room."""


@dataclass(frozen=True)
class Burden:
    """How much somebody has to do."""

    user_id: UUID
    name: str
    open: int = 0
    """Open leads."""
    hours: float = 0.0
    """Hours of visits a week that the intervals of their accounts ask for."""
    able: float = 40.0
    """Hours a week that they work."""
    last_at: datetime | None = None
    """When the rules gave them a lead last."""

    def share(self, most: int) -> float:
        """Burden of leads and visits together; 2 is full in both."""
        return self.open / most + self.hours / max(self.able, 1.0)


@dataclass(frozen=True)
class Choice:
    """Who gets a lead, and why."""

    user_id: UUID | None
    steps: list[Step] = field(default_factory=list)
    rule_id: UUID | None = None


def most_open(session: Session) -> int:
    """How many open leads a rep works at once."""
    policy = session.get(LeadPolicy, True)
    return policy.most_open if policy else 30


def assign(session: Session, lead: Lead) -> Choice:
    """Give a lead to somebody by the rules, and write down why; one that has an owner keeps it.

    Leads are assigned one after the other, so that two at the same moment do not go to the same rep.
    """
    if lead.owner_id is not None:
        return Choice(lead.owner_id)
    one_at_a_time(session, "leads.assign")
    today = clock.today(settings().zone)
    choice = chosen(session, lead, today)
    last = session.scalars(
        select(LeadAssignment).where(LeadAssignment.lead_id == lead.id).order_by(LeadAssignment.id.desc()).limit(1)
    ).first()
    if choice.user_id is None and last is not None and last.because == choice.steps:
        return choice  # asked again, and nothing has changed
    session.add(
        LeadAssignment(lead_id=lead.id, user_id=choice.user_id, rule_id=choice.rule_id, because=choice.steps, by=None)
    )
    if choice.user_id is not None:
        lead.owner_id, lead.assigned_at = choice.user_id, clock.now()
    session.flush()
    if choice.user_id is not None:
        tell(session, lead, choice.steps)
    return choice


def chosen(session: Session, lead: Lead, today: date) -> Choice:
    """Who should get a lead on a day."""
    known = owner_of_account(session, lead)
    if known is not None:
        return known
    tried: list[Step] = []
    rules = session.scalars(
        select(LeadRule).where(LeadRule.deleted_at.is_(None), LeadRule.is_on).order_by(LeadRule.position, LeadRule.id)
    )
    for rule in [*rules, None]:
        if rule is not None and not fits(session, rule, lead):
            continue
        steps: list[Step] = [] if rule is None else [{"code": "rule", "rule": rule.name}]
        people, more = target_of(session, rule, lead, today)
        if people:
            user_id, why = among(session, people, today)
        else:
            user_id, why = None, [{"code": "nobody"}] if not more or more[-1]["code"] == "territory" else []
        if user_id is not None:
            return Choice(user_id, [*steps, *more, *why], rule.id if rule else None)
        tried = [*steps, *more, *why]
    return Choice(None, tried)


def owner_of_account(session: Session, lead: Lead) -> Choice | None:
    """The owner of the account that the lead looks like."""
    for one in like_accounts(session, lead, limit=1):
        account = session.get(Account, one.account_id)
        owner = session.get(User, account.owner_id) if account and account.owner_id else None
        if one.score >= REFUSED and owner is not None and owner.active:
            return Choice(owner.id, [{"code": "account", "account": one.name}])
    return None


def fits(session: Session, rule: LeadRule, lead: Lead) -> bool:
    """Whether a rule's condition holds for a lead."""
    if not rule.condition.strip():
        return True
    condition = queries.condition(session, system_scope(), rule.condition)
    return session.scalar(select(Lead.id).where(Lead.id == lead.id, condition)) is not None


def target_of(session: Session, rule: LeadRule | None, lead: Lead, today: date) -> tuple[list[UUID], list[Step]]:
    """The people whom a rule names; without a rule those of the covering territory."""
    target = "covering" if rule is None else rule.target
    if target == "person" and rule is not None:
        person = session.get(User, rule.target_id)
        if person is None or not person.active or person.deleted_at is not None:
            return [], [{"code": "inactive"}]
        return [person.id], [{"code": "person", "who": person.name}]
    if target == "team" and rule is not None:
        members = select(TeamMember.user_id).where(TeamMember.team_id == rule.target_id)
        return working(session, User.id.in_(members), User.role == Role.REP), []
    territory_id = lead.territory_id if target == "covering" or rule is None else rule.target_id
    territory = session.get(Territory, territory_id) if territory_id else None
    if territory is None:
        return [], [{"code": "nowhere" if lead.pin is not None else "unplaced"}]
    return people_of(session, territory, today), [{"code": "territory", "territory": territory.name}]


def people_of(session: Session, territory: Territory, today: date) -> list[UUID]:
    """The people who work a territory on a day; where nobody does, those of the sales region above it."""
    members = select(TerritoryMember.user_id).where(
        TerritoryMember.territory_id == territory.id,
        TerritoryMember.valid_from <= today,
        func.coalesce(TerritoryMember.valid_to, date.max) > today,
    )
    found = working(session, User.id.in_(members))
    parent = session.get(Territory, territory.parent_id) if territory.parent_id and not found else None
    return people_of(session, parent, today) if parent is not None else found


def working(session: Session, *conditions: Any) -> list[UUID]:
    """The people under some conditions who can sign in."""
    return list(
        session.scalars(
            select(User.id).where(User.active, User.deleted_at.is_(None), *conditions).order_by(User.name, User.id)
        )
    )


def among(session: Session, people: Sequence[UUID], today: date) -> tuple[UUID | None, list[Step]]:
    """Of some people the one with the most room; among equals whoever waited longest."""
    steps: list[Step] = []
    most, off = most_open(session), days_off(session, people, today, today)
    burdens = burdens_of(session, people)
    here = [one for one in burdens if off.of_rep(one.user_id, today) is None]
    if here and len(here) < len(burdens):
        steps.append({"code": "away", "names": named(one for one in burdens if one not in here)})
    here = here or burdens
    free = [one for one in here if one.open < most]
    if not free:
        steps.append({"code": "all_full", "most": most})
    elif len(free) < len(here):
        steps.append({"code": "full", "most": most, "names": named(one for one in here if one not in free)})
    free = free or here
    least = min(one.share(most) for one in free)
    equal = sorted(
        (one for one in free if one.share(most) < least + BAND),
        key=lambda one: (one.last_at is not None, one.last_at or clock.now(), str(one.user_id)),
    )
    best = equal[0]
    if len(free) == 1:
        steps.append({"code": "only", "who": best.name})
    elif len(equal) > 1:
        steps.append({"code": "turn", "n": len(equal), "who": best.name})
    else:
        facts = {"open": best.open, "hours": round(best.hours), "able": round(best.able)}
        steps.append({"code": "most_room", "who": best.name, "n": len(free), **facts})
    return best.user_id, steps


def named(people: Iterable[Burden]) -> str:
    """Some people's names."""
    return ", ".join(one.name for one in people)


def burdens_of(session: Session, people: Sequence[UUID]) -> list[Burden]:
    """How much each of some people has to do."""
    leads = dict(
        session.execute(
            select(Lead.owner_id, func.count())
            .where(Lead.owner_id.in_(people), Lead.state.in_(OPEN), Lead.deleted_at.is_(None))
            .group_by(Lead.owner_id)
        )
        .tuples()
        .all()
    )
    visits = dict(
        session.execute(
            select(Account.owner_id, func.sum(Site.service_s * 7.0 / INTERVAL_DAYS) / 3600)
            .join(Site, (Site.account_id == Account.id) & Site.is_main & Site.deleted_at.is_(None))
            .where(Account.owner_id.in_(people), Account.deleted_at.is_(None), Account.merged_into.is_(None))
            .group_by(Account.owner_id)
        )
        .tuples()
        .all()
    )
    turns = dict(
        session.execute(
            select(LeadAssignment.user_id, func.max(LeadAssignment.at))
            .where(LeadAssignment.user_id.in_(people), LeadAssignment.by.is_(None))
            .group_by(LeadAssignment.user_id)
        )
        .tuples()
        .all()
    )
    rows = session.execute(
        select(User, RepProfile).outerjoin(RepProfile, RepProfile.user_id == User.id).where(User.id.in_(people))
    )
    found = [
        Burden(
            user.id,
            user.name,
            leads.get(user.id, 0),
            float(visits.get(user.id) or 0),
            hours(profile),
            turns.get(user.id),
        )
        for user, profile in rows
    ]
    return sorted(found, key=lambda one: (one.name, str(one.user_id)))


def hours(profile: RepProfile | None) -> float:
    """How many hours a week somebody works."""
    if profile is None:
        return 40.0
    day_s = seconds(profile.shift_end) - seconds(profile.shift_start)
    return max(0, day_s - (profile.break_s if profile.break_earliest else 0)) * len(profile.weekdays) / 3600


def seconds(at: time) -> int:
    """Seconds since midnight."""
    return at.hour * 3600 + at.minute * 60 + at.second
