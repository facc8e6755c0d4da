"""What the order history feeds: an account's yearly value, its call interval, and the wish for a visit."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.demands import service as demands
from server.demands.models import DemandOrigin
from server.demands.service import Wanted
from server.orders.models import Habit, Kind, Order

LEAST_ORDERS = 4
"""So many orders make a habit: three gaps between them."""
LATE = Decimal("1.5")
"""So many usual gaps after the last order a visit is wanted."""
LOST = Decimal(6)
"""After so many it is no habit any more."""
AN_HOUR_S = 3600

RHYTHM = """
    with days as (
        select distinct account_surviving(account_id) as account_id, day from sales_order
        where kind = 'order' and number is not null and state not in ('draft', 'cancelled') and deleted_at is null
          and day between cast(:today as date) - interval '3 years' and :today and {which}
    ), gaps as (
        select account_id, day, day - lag(day) over (partition by account_id order by day) as gap from days
    )
    select account_id, count(*) as orders, max(day) as last_day,
           round(percentile_cont(0.5) within group (order by gap))::int as gap
    from gaps group by account_id having count(*) >= :least
"""
"""How often accounts order: the median of the days between two order days, of the last three years."""

VALUE = text(
    """
    update account a set yearly_value = coalesce(o.value, 0)
    from order_habit h
    left join lateral (
        select round(sum(s.net), 2) as value from sales_order s
        where account_surviving(s.account_id) = h.account_id and s.deleted_at is null and s.number is not null
          and s.kind in ('order', 'credit') and s.state not in ('draft', 'cancelled')
          and s.currency = (select currency from account where id = h.account_id)
          and s.day > cast(:today as date) - interval '12 months' and s.day <= :today
    ) o on true
    where h.value_follows and h.deleted_at is null and a.id = h.account_id and a.deleted_at is null
      and a.yearly_value is distinct from coalesce(o.value, 0)
    """
)
"""The sum of twelve months in the account's own currency: other currencies are not guessed at."""


@dataclass(frozen=True)
class Rhythm:
    """How often an account orders."""

    orders: int
    last_day: date
    gap_days: int
    """The median of the days between two orders."""

    def since(self, today: date) -> int:
        """Days since the last order."""
        return (today - self.last_day).days

    def is_late(self, today: date) -> bool:
        """Whether an order stays away: later than usual, but the habit is not over."""
        return self.gap_days > 0 and LATE < Decimal(self.since(today)) / self.gap_days <= LOST


def rhythm_of(session: Session, account_id: UUID, today: date) -> Rhythm | None:
    """How often an account orders, once it has ordered often enough; the median gap is a suggested call interval."""
    which = "account_surviving(account_id) = :account"
    row = session.execute(
        text(RHYTHM.format(which=which)), {"today": today, "least": LEAST_ORDERS, "account": account_id}
    ).first()
    return Rhythm(row.orders, row.last_day, row.gap) if row else None


def follow_values(session: Session, today: date) -> int:
    """Write the yearly value of accounts whose value follows their orders; gives how many changed."""
    result = session.execute(VALUE, {"today": today})
    session.expire_all()
    return int(getattr(result, "rowcount", 0))


def ask_for_visits(session: Session, today: date) -> int:
    """Want a visit at every account whose usual order stays away, once for each last order; gives how many."""
    silent = set(session.scalars(select(Habit.account_id).where(Habit.asks_for_visits.is_(False))))
    rows = session.execute(text(RHYTHM.format(which="true")), {"today": today, "least": LEAST_ORDERS}).all()
    asked = 0
    for row in rows:
        rhythm = Rhythm(row.orders, row.last_day, row.gap)
        if row.account_id in silent or not rhythm.is_late(today):
            continue
        demands.ask(session, wanted(row.account_id, rhythm))
        asked += 1
    return asked


def wanted(account_id: UUID, rhythm: Rhythm) -> Wanted:
    """The visit that is wanted because an order stays away. Its words stay the same from night to night."""
    last = f"{rhythm.last_day.day} {rhythm.last_day:%b %Y}"
    return Wanted(
        account_id=account_id,
        origin=DemandOrigin.ORDER,
        origin_key=key(account_id, rhythm.last_day),
        sentence=f"Usually orders every {rhythm.gap_days} days, the last time on {last}.",
        prize_s=2 * AN_HOUR_S,
    )


def key(account_id: UUID, last_day: date) -> str:
    """What a demand is known by: an account waits once after each order."""
    return f"{account_id}:{last_day.isoformat()}"


def settle(session: Session, order: Order) -> None:
    """An order has come in: the visit that was wanted because none came is wanted no more."""
    before = (
        select(Order.day)
        .where(
            Order.account_id == order.account_id,
            Order.kind == Kind.ORDER,
            Order.id != order.id,
            Order.number.is_not(None),
            Order.deleted_at.is_(None),
        )
        .order_by(Order.day.desc())
        .limit(1)
    )
    last_day = session.scalar(before)
    if last_day is not None:
        demands.withdraw(session, DemandOrigin.ORDER, key(order.account_id, last_day))


def habit_of(session: Session, account_id: UUID) -> Habit:
    """What an account's orders may change by themselves."""
    habit = session.scalars(select(Habit).where(Habit.account_id == account_id)).first()
    return habit or Habit(account_id=account_id, value_follows=False, asks_for_visits=True)


def set_habit(session: Session, account_id: UUID, *, value_follows: bool, asks_for_visits: bool) -> Habit:
    """Say what an account's orders may change by themselves."""
    habit = habit_of(session, account_id)
    session.add(habit)
    habit.value_follows, habit.asks_for_visits = value_follows, asks_for_visits
    session.flush()
    return habit
