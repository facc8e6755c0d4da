"""What `make demo` puts on the stage: the company with a past, a planned week, exports on disk, visits coming in."""

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import Fix, LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import pin_of
from server.accounts.reviewing import proposals
from server.activities.models import Outcome, Visit, VisitState
from server.activities.service import VisitReport, record_visit
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.queries import user_by_login
from server.demo import driven, people, sales, steps
from server.demo.check import wait_for_pins
from server.demo.processes import Api
from server.density import service as density
from server.kit import clock
from server.kit.database import transaction
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.records.service import Actor
from server.regions.models import Region

type Tell = Callable[[str], None]
PAST_DAYS = 60
METRE_IN_DEGREES = 1 / 111_195


def prepare(region_id: UUID, address: str, folder: Path | None, tell: Tell, customers: int = steps.CUSTOMERS) -> date:
    """Bring the company onto the stage, each part only when it is missing; gives the first planned day."""
    api = None
    with transaction() as session:
        region = session.get_one(Region, region_id)
        ids = people.hire(session)
        people.assign(session, region, ids)
        fresh = steps.accounts_of(session) == 0
    if fresh:
        api = Api(address, steps.token_of("admin"))
        tell("importing the customer list")
        with transaction() as session:
            content, _ = steps.customer_list(session, region_id, customers)
        steps.import_customers(api, content)
        tell("placing the customers on the map")
        wait_for_pins()
        tell("two months of visits")
        with transaction() as session:
            past_visits(session)
    tell("nine months of visits and routes")
    with transaction() as session:
        driven.drive(session, steps.today())
    sales.two_years(region_id, tell)
    tell("segments of everybody")
    sales.segments(Api(address, steps.token_of("mara")))
    tell("counting prospects and customers")
    with transaction() as session:
        density.refresh(session)
        planned = session.scalars(select(Visit.id).where(Visit.day >= steps.today()).limit(1)).one_or_none()
    if planned is None:
        api = api or Api(address, steps.token_of("admin"))
        tell("planning the week")
        steps.plan_week(api, [ids[login] for login in people.REPS], steps.today(), seconds=15)
        with transaction() as session:
            this_morning(session)
    tell("writing the exports")
    steps.export_days(steps.today(), steps.DAYS, folder)
    return steps.today()


def past_visits(session: Session, seed: int = 7) -> int:
    """Visits of the last two months, at the rhythm of each account's class; gives how many."""
    chance = random.Random(seed)
    zone = settings().zone
    count = 0
    statement = select(Account).where(Account.deleted_at.is_(None), Account.owner_id.is_not(None)).order_by(Account.id)
    for account in session.scalars(statement).all():
        interval = {"A": 14, "B": 28, "C": 84}.get(account.account_class or "C", 84)
        back = chance.randrange(1, interval + 20)
        while back <= PAST_DAYS and account.owner_id is not None:
            day = steps.today() - timedelta(days=back)
            day -= timedelta(days=max(0, day.weekday() - 4))  # nobody calls at weekends
            at = datetime.combine(day, time(chance.randrange(8, 16), chance.randrange(60)), ZoneInfo(zone))
            report_visit(session, chance, account, account.owner_id, day, at)
            count += 1
            back += interval + chance.randrange(-3, 4)
    return count


def report_visit(
    session: Session,
    chance: random.Random,
    account: Account,
    rep_id: UUID,
    day: date,
    at: datetime,
    visit_id: UUID | None = None,
) -> None:
    """Record a finished visit as a rep's phone would."""
    site = session.scalars(select(Site).where(Site.account_id == account.id, Site.is_main)).one_or_none()
    pin = pin_of(site) if site is not None else None
    report = VisitReport(
        event_id=uuid7(),
        visit_id=visit_id or uuid7(),
        account_id=account.id,
        rep_id=rep_id,
        state=VisitState.DONE,
        day=day,
        zone=settings().zone,
        occurred_at=at,
        outcome=chance.choices(list(Outcome), (30, 25, 25, 8, 12))[0],
        note=chance.choice(
            (None, None, "New buyer, asks for samples.", "Wants the new price list.", "Shelf is empty.")
        ),
        fix=Fix(near(chance, pin), chance.uniform(4, 30)) if pin is not None else None,
    )
    record_visit(session, report, Actor(user_id=rep_id, source="sync"))


def near(chance: random.Random, pin: LonLat) -> LonLat:
    """A position near a pin, now and then far from it."""
    reach = (900 if chance.random() < 0.04 else 60) * METRE_IN_DEGREES
    return LonLat(pin.lon + chance.uniform(-reach, reach), pin.lat + chance.uniform(-reach, reach))


def this_morning(session: Session, seed: int = 11) -> None:
    """The first visits of today that are over by the clock, so that the manager's map has something coming in.

    At night and before the day begins there are none: nobody calls on customers outside working hours.
    """
    chance, now = random.Random(seed), clock.now()
    for login in people.REPS[:3]:
        rep = user_by_login(session, login)
        if rep is None:
            continue
        mine = select(Visit).where(
            Visit.rep_id == rep.id, Visit.day == steps.today(), Visit.state == VisitState.PLANNED
        )
        visits = session.scalars(mine.order_by(Visit.planned_start_at).limit(2)).all()
        for visit in visits:
            if visit.planned_end_at is None or visit.planned_end_at > now:
                break
            account = session.get_one(Account, visit.account_id)
            report_visit(session, chance, account, rep.id, visit.day, visit.planned_end_at, visit.id)
        if visits and login == people.REPS[0]:
            better_pin(session, rep, visits[0])


def better_pin(session: Session, rep: User, visit: Visit) -> None:
    """What a rep proposes who stood at the back door."""
    site = session.get(Site, visit.site_id) if visit.site_id else None
    pin = pin_of(site) if site is not None else None
    if site is None or pin is None:
        return
    door = LonLat(pin.lon + 70 * METRE_IN_DEGREES, pin.lat + 40 * METRE_IN_DEGREES)
    new = proposals.NewPin(door, "The entrance is behind the house.", Fix(door, 6.0, clock.now()))
    proposals.propose(session, scope_of(session, rep, source="sync"), site.id, new)


def welcome(address: str, first: date, exports: Path) -> str:
    """What to look at, and who can sign in."""
    with transaction() as session:
        users = session.scalars(select(User).where(User.role.in_(list(Role))))
        names = {user.login for user in users}
    lines = [f"  {one.login:<7} {one.name}, {one.role}" for one in people.PEOPLE if one.login in names]
    return "\n".join(
        (
            "",
            f"Waymark is running: {address}",
            "",
            f"Sign in with the password “{people.PASSWORD}” as",
            *lines,
            "",
            "Try first:",
            f"  1. as mara: Plans, the week from {first:%A, %d %B}: drag a stop, read why it is there",
            "  2. as mara: the plan’s “Left out”: why, and what would let it in; apply it and plan again",
            "  3. as mara: Plans, Running day: plan the rest anew; give a sick rep’s visits to others; take it back",
            "  4. as mara: an account, “Find a time”: times to offer, coloured by detour",
            "  5. as mara: the map: “Within a drive” of a point; Review: uncertain pins, repairs, address files",
            "  6. as admin: Import, with a list of your own; Duplicates: three pairs, side by side and on the map",
            "  7. as admin: Plans, Work and time, Nights, Days off, Rules; Integrations: mail, files, webhooks",
            "  8. as mara: Leads, a score and its reasons; Pipeline, drag a deal or look at it on the map; Forecast",
            "  9. as mara: an account: its timeline, orders, tickets, deals and people; Segments; Calendar, Tasks",
            "  10. as sina: Tickets, by what is due; “Request visit” puts one into the plan, with its reason",
            "  11. as milo: Contacts, who may be written to; as admin: Users, “View as” a rep",
            "  12. the phone: `make phone` in a second terminal, sign in as nora",
            f"  13. the exports: {exports}",
            "",
            "Ctrl-C stops it; `make demo` again goes on where it was.",
        )
    )
