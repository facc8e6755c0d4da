"""What an account's orders say: revenue by month, what it buys most, what similar accounts buy that it does not."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.auth.access import Scope
from server.orders import queries
from server.orders.models import Order

MONTHS = 24
ALIKE = 2
"""So many products in common make two accounts similar."""

OF_US = """
    select o.id, o.kind, o.day, o.currency, o.net, account_surviving(o.account_id) as account_id
    from sales_order o where o.deleted_at is null and o.number is not null and o.kind in ('order', 'credit')
      and o.state <> 'cancelled' and o.day > cast(:today as date) - interval '24 months' and o.day <= :today
"""

BY_MONTH = text(
    f"""
    select o.currency, date_trunc('month', o.day)::date as month, sum(o.net) as net from ({OF_US}) o
    where o.account_id = :account group by 1, 2 order by 1, 2
    """  # noqa: S608 (constants of this module)
)

TOP = text(
    f"""
    select p.id as product_id, p.number, p.name, o.currency, sum(l.quantity) as quantity, min(l.unit) as unit,
           sum(l.amount) as amount, max(o.day) as last_day, count(distinct o.id) as orders
    from ({OF_US}) o join order_line l on l.order_id = o.id and l.deleted_at is null
    join product w on w.id = l.product_id join product p on p.id = coalesce(w.merged_into, w.id)
    where o.account_id = :account group by 1, 2, 3, 4 order by amount desc, p.number limit :limit
    """  # noqa: S608 (constants of this module)
)

# Accounts that have bought at least two of the products that this one has bought; of what they buy beside, what most
# of them buy.
MISSING = text(
    f"""
    with bought as (
        select distinct o.account_id, coalesce(p.merged_into, p.id) as product_id from ({OF_US}) o
        join order_line l on l.order_id = o.id and l.deleted_at is null
        join product p on p.id = l.product_id
        where o.kind = 'order'
    ), ours as (select product_id from bought where account_id = :account),
    alike as (
        select b.account_id from bought b join ours using (product_id) where b.account_id <> :account
        group by b.account_id having count(*) >= :alike
    )
    select p.id, p.number, p.name, count(*) as buyers, (select count(*) from alike) as of
    from bought b join alike using (account_id)
    join product p on p.id = b.product_id and p.deleted_at is null and p.is_active
    where b.product_id not in (select product_id from ours)
    group by p.id, p.number, p.name order by buyers desc, p.number limit :limit
    """  # noqa: S608 (constants of this module)
)


@dataclass(frozen=True)
class Month:
    """What was sold in a month."""

    first_day: date
    net: Decimal


@dataclass(frozen=True)
class Bought:
    """A product that an account buys."""

    product_id: UUID
    number: str
    name: str
    currency: str
    quantity: Decimal
    unit: str
    amount: Decimal
    last_day: date
    orders: int


@dataclass(frozen=True)
class Missing:
    """A product that similar accounts buy and this one does not."""

    product_id: UUID
    number: str
    name: str
    buyers: int
    similar: int
    """So many accounts share two products or more with this one."""


@dataclass(frozen=True)
class Insights:
    """What an account's orders of two years say."""

    currency: str
    months: list[Month]
    """Every month, also those without an order, in the currency that most was sold in."""
    other_currencies: list[str]
    top: list[Bought]
    missing: list[Missing]


def insights(session: Session, account_id: UUID, today: date, *, limit: int = 5) -> Insights:
    """What an account's orders say; whoever sees the account's orders may read it."""
    asked = {"account": account_id, "today": today}
    by_currency: dict[str, dict[date, Decimal]] = {}
    for currency, month, net in session.execute(BY_MONTH, asked):
        by_currency.setdefault(currency, {})[month] = net
    known = sorted(by_currency, key=lambda one: -sum(by_currency[one].values()))
    months = by_currency[known[0]] if known else {}
    return Insights(
        currency=known[0] if known else "",
        months=[Month(first, months.get(first, Decimal(0))) for first in last_months(today)],
        other_currencies=known[1:],
        top=[Bought(*row) for row in session.execute(TOP, asked | {"limit": limit})],
        missing=[Missing(*row) for row in session.execute(MISSING, asked | {"limit": limit, "alike": ALIKE})],
    )


def last_months(today: date) -> list[date]:
    """The first days of the last two years' months, this one last."""
    index = today.year * 12 + today.month - 1
    return [date(one // 12, one % 12 + 1, 1) for one in range(index - MONTHS + 1, index + 1)]


def latest(session: Session, scope: Scope, account_id: UUID, limit: int = 6) -> list[Order]:
    """The latest documents of an account that somebody may see."""
    statement = queries.visible_to(scope, few=True).where(Order.account_id.in_(accounts.family(account_id)))
    return list(session.scalars(statement.order_by(Order.day.desc(), Order.id.desc()).limit(limit)))
