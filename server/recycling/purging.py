"""What is removed for good of leads, deals, orders, tickets, activities, the catalogue and segments, with what hangs on
each.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

AT_ONCE = 1000
"""So many of a kind are removed in one night."""

PURGING = text("select set_config('waymark.purging', :now, true)")
"""What is only ever added, such as a deal's way through its stages, goes by this alone."""

type Purge = Callable[[Session, datetime], int]

# Every text below is put together from the constants of this module, never from what somebody sends.

OLD = "select t.id from {table} t where t.deleted_at < :before and not ({kept}) limit {most} for update skip locked"
FORGET = "delete from field_history where entity = '{table}' and row_id = any(cast(:ids as uuid[]))"
HANGING = "select h.id from {table} h where h.{column} = any(cast(:ids as uuid[]))"
REMOVE = "delete from {table} where {column} = any(cast(:ids as uuid[]))"


def removes(
    table: str, *hanging: tuple[str, str], records: Sequence[tuple[str, str]] = (), kept: str = "false"
) -> Purge:
    """Removes rows of a table that were deleted before a moment.

    Parameters
    ----------
    hanging
        Tables and columns of what goes with a row.
    records
        The same for what has a history of its own.
    kept
        SQL over `t`: what something else still rests on; it stays in the bin.
    """

    def purge(session: Session, before: datetime) -> int:
        old = text(OLD.format(table=table, kept=kept, most=AT_ONCE))
        ids = list(session.scalars(old, {"before": before}))
        if not ids:
            return 0
        session.execute(PURGING, {"now": "on"})
        for name, column in records:
            below = list(session.scalars(text(HANGING.format(table=name, column=column)), {"ids": ids}))
            session.execute(text(FORGET.format(table=name)), {"ids": below})
        for name, column in (*hanging, *records):
            session.execute(text(REMOVE.format(table=name, column=column)), {"ids": ids})
        session.execute(text(FORGET.format(table=table)), {"ids": ids})
        session.execute(text(REMOVE.format(table=table, column="id")), {"ids": ids})
        session.execute(PURGING, {"now": "off"})
        return len(ids)

    return purge


leads = removes(
    "lead",
    ("record_merge", "winner_id"),
    records=(("lead", "merged_into"),),
    kept="t.merged_into is not null",
)
deals = removes(
    "opportunity",
    ("stage_change", "opportunity_id"),
    ("forecast_snapshot", "opportunity_id"),
    records=(("opportunity_line", "opportunity_id"),),
    kept="exists (select from sales_order o where o.opportunity_id = t.id and o.deleted_at is null)",
)
orders = removes(
    "sales_order",
    records=(("order_line", "order_id"),),
    kept="exists (select from sales_order o where t.id in (o.quote_id, o.credits_id))",
)
tickets = removes(
    "ticket",
    ("ticket_clock_event", "ticket_id"),
    ("ticket_message", "ticket_id"),
    kept="exists (select from ticket o where t.id in (o.merged_into, o.follows_id))",
)
activities = removes(
    "activity",
    kept="exists (select from activity o where o.series_id = t.id)"
    " or exists (select from caldav_item c where c.activity_id = t.id)"
    " or exists (select from inbox_mail i where i.activity_id = t.id)",
)
products = removes(
    "product",
    ("stock_level", "product_id"),
    records=(("price", "product_id"),),
    kept="t.merged_into is not null or exists (select from product o where t.id in (o.successor_id, o.merged_into))"
    " or exists (select from order_line l where l.product_id = t.id)"
    " or exists (select from opportunity_line l where l.product_id = t.id)",
)
price_lists = removes(
    "price_list",
    records=(("price", "price_list_id"), ("price_list_use", "price_list_id")),
    kept="exists (select from price_list o where o.base_id = t.id)",
)
segments = removes("segment", kept="exists (select from plan p where p.segment_id = t.id)")
