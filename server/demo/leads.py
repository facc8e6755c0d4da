"""Two years of leads for the made-up company: seasons, towns, won and lost ones, and a few that wait. Seeded."""

import math
import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.auth.models import TeamMember, User
from server.demo.company import invented_name, plain
from server.kit import clock
from server.kit.settings import settings
from server.leads import forms, placing, scoring, surroundings, training
from server.leads.models import Lead, LeadAssignment, LeadSignal, LeadSource, LeadState, LeadTraits, LostReason
from server.leads.rule_models import LeadPoints, LeadRule
from server.territories import queries as territories

MANY, DAYS = 320, 730
SEASON = (0.7, 0.9, 1.3, 1.4, 1.2, 0.9, 0.5, 0.6, 1.2, 1.4, 1.3, 0.6)
"""How many leads come in by month, against the average."""
SOURCES = {
    LeadSource.FORM: 42,
    LeadSource.PHONE: 16,
    LeadSource.MAP: 14,
    LeadSource.REFERRAL: 12,
    LeadSource.FAIR: 10,
    LeadSource.IMPORT: 6,
}
PEOPLE = "Eva Marxer|Jon Beck|Lea Hilti|Urs Ospelt|Pia Frick|Max Nigg|Ida Vogt|Tom Wanger|Rut Kaiser|Leo Ritter"
MESSAGES = (
    "Please send me your price list.",
    "We are opening a second shop in spring and look for a supplier. Could somebody come by next week?",
    "How fast do you deliver?",
    "We are not happy with our present supplier and would like an offer for a year.",
    None,
)
CALLS = ("Called, left a message.", "Talked about volumes.", "Wants a visit.", "Asks for an offer.")
POINTS = (
    ("Recommended by a customer", "source = referral", 25),
    ("Left a phone number", "phone is not empty", 15),
    ("Three customers or more within 2 km", "customers_2km >= 3", 20),
    ("Expects to buy for more than 10,000 a year", "value > 10000", 20),
    ("More than half an hour from the rep's base", "drive_min > 30", -15),
    ("Bought in a list", "source = import", -10),
)
FORM = {
    "name": "Website: talk to us",
    "title": "Talk to us",
    "fields": [
        {"name": name, "is_required": name in ("company", "emails")}
        for name in ("company", "person", "emails", "phones", "street", "city", "message")
    ],
    "consent_text": "You may contact me about my request.",
    "thanks": "Thank you. We will call you within a day.",
    "campaign": "website",
}
ADDRESSES = text(
    """
    select a.street || ' ' || a.number, a.postcode, a.city, st_x(a.point), st_y(a.point)
    from region_address a where a.region_id = :region and a.street <> '' and a.city <> '' and not a.is_place
    order by md5(a.source_id || 'leads') limit :many
    """
)
NEAREST = text(
    """
    select distinct on (l.id) l.id, a.id, a.name, s.street, s.postcode, s.city, s.country, s.id
    from lead l join site s on s.is_main and s.deleted_at is null and s.pin is not null
    join account a on a.id = s.account_id and a.deleted_at is null
    where l.id = any(:ids) order by l.id, s.pin <-> l.pin, a.id
    """
)


@dataclass
class Stage:
    """What the generator works with."""

    chance: random.Random
    now: datetime
    reps: dict[UUID, list[UUID]]
    """The reps of each territory."""


def make(session: Session, region_id: UUID, today: date) -> int:
    """Two years of leads with their signals, owners and outcomes, rules and a trained model; gives how many."""
    if session.scalar(select(Lead.id).limit(1)) is not None:
        return 0
    members: dict[UUID, list[UUID]] = {}
    for member in territories.members_on(session, today):
        members.setdefault(member.territory_id, []).append(member.user_id)
    stage = Stage(random.Random(31), clock.now(), members)
    form_id = rules(session)
    made = come_in(session, stage, region_id, form_id, today)
    placing.align(session, [lead.id for lead in made])
    for lead in made:
        session.refresh(lead)
    ids = [lead.id for lead in made]
    surroundings.measure(session, ids, as_of=stage.now)
    give_away(session, stage, made)
    surroundings.measure_drives(session, made)
    decide(session, stage, made)
    happened(session, stage, made)
    scoring.score(session, made)
    training.train(session)
    return len(made)


def rules(session: Session) -> UUID:
    """A form, what earns points, and a rule of the manager's."""
    for sentence, condition, points in POINTS:
        session.add(LeadPoints(sentence=sentence, condition=condition, points=points))
    team = session.scalars(select(TeamMember.team_id).order_by(TeamMember.team_id).limit(1)).first()
    if team is not None:
        session.add(
            LeadRule(
                position=1,
                name="From outside the country",
                condition="country is not empty and country != LI",
                target="team",
                target_id=team,
            )
        )
    return forms.create(session, FORM | {"language": settings().language}).id


def come_in(session: Session, stage: Stage, region_id: UUID, form_id: UUID, today: date) -> list[Lead]:
    """The leads as they came in, oldest first."""
    addresses = session.execute(ADDRESSES, {"region": region_id, "many": MANY}).all()
    taken: set[str] = set()
    found = [lead_of(stage, address, form_id, today, taken) for address in addresses]
    found.sort(key=lambda lead: lead.created_at)
    session.add_all(found)
    session.flush()
    return found


def lead_of(stage: Stage, address: Any, form_id: UUID, today: date, taken: set[str]) -> Lead:
    """One lead at an address."""
    chance = stage.chance
    while True:
        day = today - timedelta(days=chance.randrange(DAYS))
        if chance.random() < SEASON[day.month - 1] / max(SEASON):
            break
    at = datetime.combine(day, time(chance.randrange(7, 20), chance.randrange(60)), ZoneInfo(settings().zone))
    source = chance.choices(list(SOURCES), list(SOURCES.values()))[0]
    company = invented_name(chance, taken)
    firm = plain(company)[:18]
    street, postcode, city, lon, lat = address
    lead = Lead(
        company=company, person=chance.choice(PEOPLE.split("|")), street=street, postcode=postcode, city=city,
        country="LI", source=source, message=chance.choice(MESSAGES), currency=settings().currency,
        form_id=form_id if source == LeadSource.FORM else None, created_at=min(at, stage.now),
        campaign=chance.choice(("spring", "website", None)) if source == LeadSource.FORM else None,
        utm={"utm_source": chance.choice(("newsletter", "search"))} if chance.random() < 0.3 else {},
        expected_value=round(chance.lognormvariate(8.9, 0.8)) if chance.random() < 0.7 else None,
    )  # fmt: skip
    lead.emails = [f"office@{firm}.example"] if chance.random() < 0.85 else []
    lead.phones = [f"+423 23{chance.randrange(10)} {chance.randrange(10, 99)} {chance.randrange(10, 99)}"]
    lead.phones = lead.phones if chance.random() < 0.65 else []
    lead.phones_e164 = [one.replace(" ", "") for one in lead.phones]
    if source == LeadSource.FORM:
        lead.consent_text, lead.consented_at = str(FORM["consent_text"]), lead.created_at
    placing.set_by_hand(lead, LonLat(lon, lat))
    lead.grade, lead.provider, lead.geocode_reason = "rooftop", "waymark", "exact"
    return lead


def give_away(session: Session, stage: Stage, leads: list[Lead]) -> None:
    """Each goes to one of those who work its ground, in turn."""
    turn: dict[UUID, int] = {}
    rows = []
    for lead in leads:
        people = stage.reps.get(lead.territory_id) if lead.territory_id else None
        if not people or stage.now - lead.created_at < timedelta(hours=3):
            continue
        turn[people[0]] = turn.get(people[0], 0) + 1
        lead.owner_id = people[turn[people[0]] % len(people)]
        lead.assigned_at = lead.created_at + timedelta(seconds=stage.chance.randrange(2, 8))
        name = session.get_one(User, lead.owner_id).name
        step = {"code": "turn", "n": len(people), "who": name} if len(people) > 1 else {"code": "only", "who": name}
        rows.append({"lead_id": lead.id, "at": lead.assigned_at, "user_id": lead.owner_id, "because": [step]})
    session.flush()
    if rows:
        session.execute(insert(LeadAssignment), rows)


def decide(session: Session, stage: Stage, leads: list[Lead]) -> None:
    """What became of each, by chances that the model can learn; the latest are still open."""
    traits = dict(session.execute(select(LeadTraits.lead_id, LeadTraits.values)).tuples().all())
    won = []
    for lead in leads:
        waits = timedelta(days=3 + stage.chance.expovariate(1 / 18))
        if lead.created_at + waits > stage.now:
            lead.state = stage.chance.choices((LeadState.NEW, LeadState.WORKING, LeadState.QUALIFIED), (3, 5, 2))[0]
            continue
        lead.decided_at = lead.created_at + waits
        if stage.chance.random() < 1 / (1 + math.exp(-odds(traits[lead.id]))):
            won.append(lead)
        else:
            lead.state = LeadState.DISQUALIFIED
            lead.reason = stage.chance.choices(list(LostReason)[:5], (4, 3, 3, 1, 4))[0]
    session.flush()
    become_accounts(session, won)


def odds(values: dict[str, float | None]) -> float:
    """The made-up market: neighbours, a recommendation and a phone number help, a long drive does not."""
    found = -4.7 + 0.9 * math.log1p(values.get("customers_2km") or 0) + 1.6 * (values.get("has_phone") or 0)
    found += 1.9 * (values.get("from_referral") or 0) + 0.5 * (values.get("from_fair") or 0)
    return found - 1.8 * (values.get("from_import") or 0) - 0.06 * (values.get("drive_min") or 20)


def become_accounts(session: Session, won: list[Lead]) -> None:
    """A won lead is the customer next to it, under the customer's name."""
    by_id = {lead.id: lead for lead in won}
    for row in session.execute(NEAREST, {"ids": list(by_id)}):
        lead = by_id[row[0]]
        lead.state, lead.account_id, lead.company = LeadState.CONVERTED, row[1], row[2]
        lead.street, lead.postcode, lead.city, lead.country = row[3:7]
    for lead in won:
        if lead.account_id is None:
            lead.state, lead.reason = LeadState.DISQUALIFIED, LostReason.NO_NEED
    session.flush()


def happened(session: Session, stage: Stage, leads: list[Lead]) -> None:
    """The first sign of each, and the calls that followed."""
    rows = []
    for lead in leads:
        kind = lead.source if lead.source in ("form", "import", "map") else "call"
        rows.append({"lead_id": lead.id, "at": lead.created_at, "kind": kind, "body": lead.message, "actor_id": None})
        at = lead.created_at
        for _ in range(stage.chance.randrange(4) if lead.owner_id else 0):
            at += timedelta(days=stage.chance.uniform(0.2, 6))
            body = stage.chance.choice(CALLS)
            if at < min(stage.now, lead.decided_at or stage.now):
                rows.append({"lead_id": lead.id, "at": at, "kind": "call", "body": body, "actor_id": lead.owner_id})
    session.execute(insert(LeadSignal), rows)
