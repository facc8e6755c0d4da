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
from server.sync import aside, buckets

TOMBSTONES = timedelta(days=180)

AGED = """
select sync_stamp(12::smallint, 'visit', 'visit', array(
    select v.id from visit v
    where v.day < current_date - interval '13 months'
      and exists (select from sync_item i where i.e = 12 and i.id = v.id and i.op = 'P')
    order by v.day limit 5000)),
sync_stamp(13::smallint, 'pin_proposal', 'pin_proposal', array(
    select p.id from pin_proposal p
    where p.state <> 'open' and coalesce(p.decided_at, p.proposed_at) < current_date - interval '90 days'
      and exists (select from sync_item i where i.e = 13 and i.id = p.id and i.op = 'P')
    order by p.id limit 5000)),
sync_stamp(18::smallint, 'activity', 'activity', array(
    select a.id from activity a
    where a.state <> 'open' and a.at < current_date - interval '90 days'
      and exists (select from sync_item i where i.e = 18 and i.id = a.id and i.op = 'P')
    order by a.id limit 5000)),
sync_stamp(19::smallint, 'order', 'sales_order', array(
    select o.id from sales_order o
    where o.day < current_date - interval '13 months'
      and exists (select from sync_item i where i.e = 19 and i.id = o.id and i.op = 'P')
    order by o.id limit 5000)),
sync_stamp(23::smallint, 'attachment', 'attachment', array(
    select a.id from attachment a
    where a.taken_at < current_date - interval '13 months'
      and exists (select from sync_item i where i.e = 23 and i.id = a.id and i.op = 'P')
    order by a.id limit 5000)),
sync_stamp(26::smallint, 'note', 'note', array(
    select n.id from note n
    where n.written_at < current_date - interval '13 months'
      and exists (select from sync_item i where i.e = 26 and i.id = n.id and i.op = 'P')
    order by n.id limit 5000)),
sync_stamp(27::smallint, 'mail', 'activity', array(
    select a.id from activity a
    where a.kind = 'mail' and a.at < current_date - interval '13 months'
      and exists (select from sync_item i where i.e = 27 and i.id = a.id and i.op = 'P')
    order by a.id limit 5000)),
sync_stamp(28::smallint, 'stage_change', 'deal_step', array(
    select c.id from stage_change c
    where c.at < current_date - interval '13 months'
      and exists (select from sync_item i where i.e = 28 and i.id = c.id and i.op = 'P')
    order by c.id limit 5000)),
sync_stamp(24::smallint, 'track', 'track', array(
    select t.id from track t
    where t.day < current_date - 7
      and exists (select from sync_item i where i.e = 24 and i.id = t.id and i.op = 'P')
    order by t.id limit 5000)),
sync_stamp(20::smallint, 'route', 'route', array_agg(r.id)),
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
    session.execute(text(AGED))
    session.execute(text(MARK), {"now": now})
    session.execute(text(ASIDE), {"now": now, "days": rules.rules(session).tracks_days})
    forgotten: Any = session.execute(text(FORGET), {"limit": now - TOMBSTONES})
    buckets.count(session)
    aside.forget(session)
    return int(forgotten.rowcount)
