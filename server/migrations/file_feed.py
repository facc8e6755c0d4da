"""Photos and files reach phones with the account they are at (used by migration 0061)."""

from server.migrations import sales_feed
from server.migrations.sales_feed import buckets

BUCKETS = buckets(
    "attachment",
    """
    select r.id, i.bucket_id from attachment r
    join sync_item i on i.e = 10 and i.id = account_surviving(r.account_id) and i.op = 'P'
    where r.id = any(ids) and r.deleted_at is null and r.taken_at >= current_date - interval '13 months'""",
)

MARK = "    perform sync_stamp(14::smallint, 'contact', 'contact',"
CHILDREN = sales_feed.CHILDREN.replace(
    MARK,
    """    perform sync_stamp(23::smallint, 'attachment', 'attachment',
                       array(select r.id from attachment r where r.account_id = any(families)));
"""
    + MARK,
)

ATTACHED = "select sync_attach('attachment', 'sync_touch', '23, attachment, account')"

FUNCTIONS = (BUCKETS, CHILDREN, ATTACHED)
