"""A company of many reps on a real extract: territories side by side, homes and customers at real addresses. Seeded."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from shapely.geometry import MultiPolygon, box
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import wkt
from server.auth.models import Role
from server.auth.service import create_user, set_working_day
from server.demo.company import HOURS, invented_name
from server.kit.ids import uuid7
from server.territories import service as territories

REPS_A_TERRITORY = 5
ADDRESSES = text(
    "select st_x(point), st_y(point), coalesce(street, '') || ' ' || coalesce(number, ''), postcode, city"
    " from region_address where point is not null order by source_id"
)
type Address = tuple[float, float, str, str | None, str | None]


def found(session: Session, *, reps: int, accounts_a_rep: int, today: date, seed: int = 1) -> None:
    """An admin, the territories with their reps, and every rep's own accounts; four of ten are due this week."""
    chance = random.Random(seed)
    create_user(session, login="admin", name="Ada Admin", role=Role.ADMIN)
    addresses: list[Address] = [tuple(row) for row in session.execute(ADDRESSES)]  # type: ignore[misc]
    addresses.sort(key=lambda one: (one[1], one[0]))
    parts = max(1, round(reps / REPS_A_TERRITORY))
    taken: set[str] = set()
    for part in range(parts):
        band = addresses[part * len(addresses) // parts : (part + 1) * len(addresses) // parts]
        south, north = band[0][1], band[-1][1]
        area = MultiPolygon([box(-180 + 1e-3 * part, south, 180, max(north, south + 1e-6))])
        members = [hired(session, f"rep{part:02d}{k}", chance.choice(band)) for k in range(REPS_A_TERRITORY)]
        territory = territories.create(session, name=f"Band {part:02d}", area=area)
        territories.set_members(session, territory.id, members, day=date(2020, 1, 1))
        for rep_id in members:
            add_accounts(session, chance, band, rep_id, territory.id, accounts_a_rep, today, taken)


def hired(session: Session, login: str, home: Address) -> UUID:
    """A rep with a home."""
    user = create_user(session, login=login, name=login.title(), role=Role.REP)
    set_working_day(session, user.id, {"home": home[:2], "home_name": "Home"})
    return user.id


def add_accounts(
    session: Session,
    chance: random.Random,
    band: Sequence[Address],
    rep_id: UUID,
    territory_id: UUID,
    count: int,
    today: date,
    taken: set[str],
) -> None:
    """A rep's accounts, in all classes, visited some time ago."""
    rows: list[Account | Site] = []
    for _ in range(count):
        lon, lat, street, postcode, city = chance.choice(band)
        grade = chance.choices("ABC", (20, 40, 40))[0]
        last = today - timedelta(days=chance.randrange({"A": 16, "B": 34, "C": 120}[grade]))
        account = Account(
            id=uuid7(),
            name=f"{invented_name(chance, taken) if len(taken) < 2000 else 'Firma'} {len(rows)}-{rep_id.hex[-4:]}",
            account_class=grade,
            status="customer",
            owner_id=rep_id,
            territory_id=territory_id,
            yearly_value=round(chance.lognormvariate(9, 1), 2),
            last_visit_on=last,
        )
        site = Site(
            id=uuid7(),
            account_id=account.id,
            is_main=True,
            street=street.strip(),
            postcode=postcode,
            city=city,
            pin=wkt(LonLat(lon, lat)),
            pin_state=PinState.PLACED,
            grade="rooftop",
            uncertainty_m=10.0,
            opening_hours=chance.choice(HOURS) if chance.random() < 0.6 else None,
            service_s=chance.choice((1200, 1800, 2700)),
        )
        rows += [account, site]
    session.add_all(rows[0::2])
    session.flush()
    session.add_all(rows[1::2])
    session.flush()
