"""What sync does by itself each night: what is old leaves the phones, old tombstones are forgotten, buckets are
counted, photos of exports go that nothing waits for."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.phones import rules
from server.sync.pulling import buckets
from server.sync.pushing import aside

TOMBSTONES = timedelta(days=180)

YEAR = "current_date - interval '13 months'"
QUARTER = "current_date - interval '90 days'"
TOO_OLD = (
    (12, "visit", "visit", "visit", f"r.day < {YEAR}"),
    (
        13, "pin_proposal", "pin_proposal", "pin_proposal",
        f"r.state <> 'open' and coalesce(r.decided_at, r.proposed_at) < {QUARTER}",
    ),
    (18, "activity", "activity", "activity", f"r.state <> 'open' and r.at < {QUARTER}"),
    (19, "order", "sales_order", "sales_order", f"r.day < {YEAR}"),
    (23, "attachment", "attachment", "attachment", f"r.taken_at < {YEAR}"),
    (24, "track", "track", "track", "r.day < current_date - 7"),
    (26, "note", "note", "note", f"r.written_at < {YEAR}"),
    (27, "mail", "activity", "activity", f"r.kind = 'mail' and r.at < {YEAR}"),
    (28, "stage_change", "deal_step", "stage_change", f"r.at < {YEAR}"),
)  # fmt: skip
"""Code and name of an entity, the table that is stamped, the one that is looked through, and what is too old there."""
AGED = "select {together}".format(
    together=",\n".join(
        f"sync_stamp({code}::smallint, '{name}', '{stamped}', array(select r.id from {table} r where {old}"  # noqa: S608
        f" and exists (select from sync_item i where i.e = {code} and i.id = r.id and i.op = 'P')"
        " order by r.id limit 5000))"
        for code, name, stamped, table, old in TOO_OLD
    )
)
ROUTES = """
select sync_stamp(20::smallint, 'route', 'route', array_agg(r.id)),
sync_stamp(21::smallint, 'stop', 'stop', array(
    select s.id from stop s where s.route_id = any(array_agg(r.id))))
from route r
where r.day < current_date - interval '31 days'
  and exists (select from sync_item i where i.e = 20 and i.id = r.id and i.op = 'P')
"""
MARK = """
insert into sync_horizon (at, txid) values (:now, pg_snapshot_xmin(pg_current_snapshot())) on conflict do nothing
"""
FORGET = """
delete from sync_item i using (select txid from sync_horizon where at < :limit order by at desc limit 1) old
where i.op <> 'P' and i.txid < old.txid
"""
# What a retired phone sent of its rep's way is no longer kept than any other way.
ASIDE = """
delete from quarantined_op q
where q.body ->> 'e' = 'track'
  and (q.state <> 'waiting' or q.received_at < cast(:now as timestamptz) - cast(:days as int) * interval '1 day')
"""


@queue.periodic(cron="17 2 * * *")
@queue.task(name="sync.tidy", queue="default", queueing_lock="sync.tidy")
def tidy_nightly(timestamp: int) -> None:
    """Tidy up at night."""
    del timestamp
    with transaction() as session:
        tidy(session)


def tidy(session: Session) -> int:
    """Let old visits, proposals and routes leave the phones, forget tombstones that every cursor has passed, and count
    what phones are given by.

    Returns how many tombstones were forgotten.
    """
    now = clock.now()
    for statement in (AGED, ROUTES):
        session.execute(text(statement))
    session.execute(text(MARK), {"now": now})
    session.execute(text(ASIDE), {"now": now, "days": rules.rules(session).tracks_days})
    forgotten: Any = session.execute(text(FORGET), {"limit": now - TOMBSTONES})
    buckets.count(session)
    aside.forget(session)
    return int(forgotten.rowcount)
