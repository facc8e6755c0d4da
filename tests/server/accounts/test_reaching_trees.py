"""Over chance trees of territories, pages, phones and the market map agree on whose accounts somebody reaches."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon, box
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import reach
from server.accounts.models import Account, AccountRep, Site
from server.auth.access import scope_of
from server.auth.models import Role, Team, TeamMember, User
from server.auth.roles import Level
from server.density import reach as market
from server.kit import clock
from server.sync.pulling import buckets
from server.territories.models import Territory, TerritoryMember

ZONE = "Europe/Vaduz"


@dataclass(frozen=True)
class Company:
    """People, territories of which some are deleted, and who works which today."""

    people: Sequence[User]
    territories: Sequence[Territory]
    teams: dict[UUID, set[UUID]]
    works: Sequence[tuple[UUID, UUID]]
    """Territory and person."""

    def reached(self, person: User, level: Level) -> set[UUID]:
        """The territories that a level gives a person, spelled out one by one."""
        alive = {one.id: one for one in self.territories if one.deleted_at is None}
        if level <= Level.OWN or level >= Level.ALL:
            return set(alive) if level >= Level.ALL else set()
        mates = {person.id} if level == Level.TERRITORY else {person.id}.union(*self.teams_of(person))
        ours = {area for area, who in self.works if who in mates and area in alive}
        if level == Level.TERRITORY:
            return ours
        active = {one.id for one in self.people if one.active}
        worked = {area for area, who in self.works if who in active and area in alive}
        region = {key: one.parent_id or one.id for key, one in alive.items()}
        own_regions, worked_regions = {region[one] for one in ours}, {region[one] for one in worked}
        idle = {one for one in alive if one not in worked}
        ours |= {one for one in idle if region[one] in own_regions or region[one] not in worked_regions}
        beside = {one for one in alive if region[one] in own_regions} if level == Level.REGION else set()
        return ours | beside

    def teams_of(self, person: User) -> list[set[UUID]]:
        """The members of each of somebody's teams."""
        return [members for members in self.teams.values() if person.id in members]


def founded(session: Session, chance: random.Random, today: date) -> Company:
    """A company by chance, with accounts."""
    people = [
        User(login=f"u{i}", name=f"U{i}", role=Role.REP.value, zone=ZONE, active=i < 2 or chance.random() < 0.75)
        for i in range(6)
    ]
    session.add_all(people)
    session.flush()
    grounds: list[Territory] = []
    for i in range(chance.randint(1, 8)):
        square = from_shape(MultiPolygon([box(9 + i / 10, 47, 9.1 + i / 10, 47.1)]), srid=4326)
        parent = chance.choice(grounds).id if grounds and chance.random() < 0.65 else None
        grounds.append(Territory(name=f"T{i}", colour="#0072B2", area=square, parent_id=parent))
        session.add(grounds[-1])
        session.flush()
    works = []
    for one in grounds:
        one.deleted_at = clock.now() if chance.random() < 0.15 else None
        for who in chance.sample(people, chance.choice((0, 0, 1, 1, 2))):
            first = today + timedelta(days=chance.choice((-30, -1, 0, 1)))
            end = chance.choice((None, None, first + timedelta(days=chance.choice((1, 30)))))
            session.add(TerritoryMember(territory_id=one.id, user_id=who.id, valid_from=first, valid_to=end))
            if first <= today and (end is None or end > today):
                works.append((one.id, who.id))
    teams = {}
    for name in ("red", "blue"):
        team = Team(name=name)
        session.add(team)
        session.flush()
        teams[team.id] = {one.id for one in people if chance.random() < 0.4}
        session.add_all(TeamMember(team_id=team.id, user_id=one) for one in teams[team.id])
    for i in range(15):
        account = Account(
            name=f"A{i}",
            owner_id=chance.choice([None, *(one.id for one in people)]),
            territory_id=chance.choice([None, *(one.id for one in grounds)]),
            deleted_at=clock.now() if chance.random() < 0.1 else None,
        )
        session.add(account)
        session.flush()
        elsewhere = chance.choice([None, account.territory_id, *(one.id for one in grounds)])
        session.add(Site(account_id=account.id, is_main=True, city="T", territory_id=elsewhere))
        if chance.random() < 0.2:
            session.add(AccountRep(account_id=account.id, user_id=chance.choice(people).id))
    session.flush()
    session.expire_all()
    return Company(people, grounds, teams, works)


@pytest.mark.parametrize("seed", range(3))
def test_pages_phones_and_the_market_reach_the_same_territories(session: Session, seed: int) -> None:
    today = clock.today(ZONE)
    company = founded(session, random.Random(seed), today)
    for person in (one for one in company.people if one.active):
        base = scope_of(session, person, source="web")
        for level in Level:
            scope = replace(base, levels={**base.levels, "accounts:read": level})
            expected, areas = company.reached(person, level), buckets.areas_of(level)
            on_phones = set() if areas is None else set(session.scalars(areas, buckets.reader(scope)))
            assert on_phones == expected, (person.login, level)
            seen = market.of(session, scope)
            if level == Level.NONE or level >= Level.ALL:
                continue
            one_by_one = set(session.scalars(select(Account.id).where(reach.LIVING, reach.within_reach(scope))))
            assert set(session.scalars(reach.reached_ids(scope, "accounts:read"))) == one_by_one
            if level > Level.OWN and not seen.everywhere:
                assert set(seen.territories) == expected, (person.login, level)
