"""The accounts that some reps work: who goes there, how often, from which site, and when a visit is due."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import cadence
from server.accounts import queries as accounts
from server.accounts.cadence import Interval
from server.accounts.models import Account, AccountRep, PinState, Site
from server.activities.models import Visit, VisitState
from server.auth.access import Scope
from server.territories.queries import members_on, of_members

YEAR = 365
BASE_PRIZE_S = {"A": 10_800, "B": 5_400, "C": 2_700, None: 1_800}
"""What a visit that is just due is worth, in seconds of driving, by class."""


@dataclass(frozen=True)
class Worked:
    """An account that some of the reps work."""

    account: Account
    reps: frozenset[UUID]
    """Who of them may go."""
    lead: UUID
    """Whose work it counts as."""
    site: Site | None
    point: LonLat | None
    interval: Interval | None
    """None: visited on demand only."""
    usual: UUID | None = None
    """Of several who may go, the one whom the customer asked for, else knows: its owner, else whoever came most."""

    @property
    def is_preferred(self) -> bool:
        """Whether the customer asked for the usual rep."""
        return self.usual is not None and self.usual == self.account.preferred_rep_id

    def wait_days(self, stretch: float) -> int:
        """Days between two visits when all intervals are lengthened by a factor."""
        assert self.interval is not None
        return max(1, round(self.interval.days * stretch))

    def early_days(self, stretch: float) -> int:
        """Days by which a visit may come early."""
        assert self.interval is not None
        return math.floor(self.wait_days(stretch) * self.interval.tolerance)

    def gap_days(self, stretch: float) -> int:
        """Least days between two visits."""
        assert self.interval is not None
        return max(1, math.ceil(self.wait_days(stretch) * (1 - self.interval.tolerance)))

    def due_on(self, stretch: float = 1.0) -> date:
        """The day on which the interval runs out; one that was never visited is due since it is known."""
        last = self.account.last_visit_on
        return self.account.created_at.date() if last is None else last + timedelta(days=self.wait_days(stretch))


def worked(
    session: Session, scope: Scope, rep_ids: Sequence[UUID], day: date, other_rep_ids: Iterable[UUID] = ()
) -> list[Worked]:
    """The accounts that the reps work on a day, in a fixed order; what others lead is left to them."""
    chosen = _theirs(session, scope, rep_ids, day)
    going = _reps_of(session, chosen, {*rep_ids, *other_rep_ids}, day)
    wanted = set(rep_ids)
    mine = [a for a in chosen if a.id in going and going[a.id][0] in wanted]
    sites = _main_sites(session, [account.id for account in mine])
    known = _usual(session, [account for account in mine if len(going[account.id]) > 1], going, day)
    rules = cadence.rules(session)
    found = []
    for account in mine:
        reps = going[account.id]
        site, point = sites.get(account.id, (None, None))
        usual = known.get(account.id)
        found.append(Worked(account, frozenset(reps) & wanted, reps[0], site, point, rules.of(account), usual))
    return found


def _usual(
    session: Session, shared: Sequence[Account], going: Mapping[UUID, Sequence[UUID]], day: date
) -> dict[UUID, UUID]:
    """The rep whom each of these accounts asked for, else knows; nobody where none owns it and none came in a year."""
    owned = {account.id: account.owner_id for account in shared if account.owner_id}
    owned |= {account.id: rep for account in shared if (rep := account.preferred_rep_id) in going[account.id] and rep}
    nobodys = [account.id for account in shared if account.id not in owned]
    base = select(Account.id.label("account"), Account.id.label("member")).where(Account.id.in_(nobodys))
    family = base.cte("family", recursive=True)
    family = family.union(select(family.c.account, Account.id).join(family, Account.merged_into == family.c.member))
    often = (
        select(family.c.account, Visit.rep_id)
        .join(Visit, Visit.account_id == family.c.member)
        .where(Visit.state == VisitState.DONE, Visit.deleted_at.is_(None))
        .where(Visit.day.between(day - timedelta(days=YEAR), day))
        .group_by(family.c.account, Visit.rep_id)
        .order_by(func.count(), Visit.rep_id.desc())
    )
    most = {account_id: rep_id for account_id, rep_id in session.execute(often)} if nobodys else {}
    return most | owned  # who came most stands last and stays


def worth_s(account: Account, overdue_days: int, interval_days: int) -> int:
    """What a visit is worth in seconds of driving.

    The class sets the base; value and potential raise it by half for each power of ten above 1,000 a year, and
    lateness in proportion to the interval, at most threefold. Coming early is worth a little less.
    """
    base = BASE_PRIZE_S.get(account.account_class, BASE_PRIZE_S[None])
    yearly = max(account.yearly_value or Decimal(0), account.yearly_potential or Decimal(0))
    size = 1 + max(0.0, math.log10(max(float(yearly), 1.0)) - 3) / 2
    urgency = min(3.0, max(0.5, 1 + overdue_days / interval_days))
    return round(base * size * urgency)


def _theirs(session: Session, scope: Scope, rep_ids: Sequence[UUID], day: date) -> list[Account]:
    assigned = select(AccountRep.account_id).where(AccountRep.user_id.in_(rep_ids))
    nobodys = Account.owner_id.is_(None) & Account.territory_id.in_(of_members(rep_ids, day))
    mine = Account.owner_id.in_(rep_ids) | Account.id.in_(assigned) | nobodys
    visible = accounts.visible_to(scope).order_by(None).where(mine)
    return list(session.scalars(visible.order_by(Account.id)))


def _reps_of(
    session: Session, chosen: Sequence[Account], rep_ids: set[UUID], day: date
) -> dict[UUID, tuple[UUID, ...]]:
    """Which of the reps may visit each account, the leading one first.

    These are its owner and those assigned; without an owner, its territory's. The owner leads; else whoever works the
    fewest territories, so that a rep shared between several leads nothing that another one can.
    """
    assigned: dict[UUID, set[UUID]] = {}
    for account_id, user_id in session.execute(
        select(AccountRep.account_id, AccountRep.user_id).where(AccountRep.user_id.in_(rep_ids))
    ):
        assigned.setdefault(account_id, set()).add(user_id)
    members: dict[UUID, set[UUID]] = {}
    territories: Counter[UUID] = Counter()
    for member in members_on(session, day):
        members.setdefault(member.territory_id, set()).add(member.user_id)
        territories[member.user_id] += 1
    found = {}
    for account in chosen:
        owner = account.owner_id
        first = {owner} if owner else members.get(account.territory_id or UUID(int=0), set())
        reps = {r for r in (*first, *assigned.get(account.id, ())) if r in rep_ids}
        if reps:
            found[account.id] = tuple(sorted(reps, key=lambda r: (r != owner, r not in first, territories[r], r)))
    return found


def _main_sites(session: Session, account_ids: Sequence[UUID]) -> Mapping[UUID, tuple[Site, LonLat | None]]:
    """The site where each account is visited: the main one, else the first."""
    rows = session.execute(
        select(Site, ST_X(Site.pin), ST_Y(Site.pin))
        .where(Site.account_id.in_(account_ids), Site.deleted_at.is_(None))
        .order_by(Site.account_id, Site.is_main, Site.id.desc())
    )
    return {site.account_id: (site, pin(site, lon, lat)) for site, lon, lat in rows}  # the last one stays: the main


def sites_with_pins(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, tuple[Site, LonLat | None]]:
    """Some sites with their points."""
    rows = session.execute(
        select(Site, ST_X(Site.pin), ST_Y(Site.pin)).where(Site.id.in_(list(site_ids)), Site.deleted_at.is_(None))
    )
    return {site.id: (site, pin(site, lon, lat)) for site, lon, lat in rows}


def pin(site: Site, lon: float | None, lat: float | None) -> LonLat | None:
    """Where a site is; None when the geocoder has failed."""
    if lon is None or lat is None or site.pin_state == PinState.FAILED:
        return None
    return LonLat(lon, lat)
