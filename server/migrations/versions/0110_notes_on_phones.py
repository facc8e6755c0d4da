"""Notes of the last thirteen months reach phones with their account: what colleagues wrote is read before a visit."""

from alembic import op

from server.migrations import file_feed
from server.migrations.sales_feed import buckets

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None

BUCKETS = buckets(
    "note",
    """
    select r.id, i.bucket_id from note r
    join sync_item i on i.e = 10 and i.id = account_surviving(r.account_id) and i.op = 'P'
    where r.id = any(ids) and r.deleted_at is null and r.written_at >= current_date - interval '13 months'""",
)
CHILDREN = file_feed.CHILDREN.replace(
    file_feed.MARK,
    """    perform sync_stamp(26::smallint, 'note', 'note',
                       array(select r.id from note r where r.account_id = any(families)));
"""
    + file_feed.MARK,
)


def upgrade() -> None:
    """Enter the notes into the buckets of their accounts, and keep them there."""
    op.execute(BUCKETS)
    op.execute(CHILDREN)
    op.execute("select sync_attach('note', 'sync_touch', '26, note, account')")
    op.execute(
        "select sync_stamp(26::smallint, 'note', 'note',"
        " array(select id from note where written_at >= current_date - interval '13 months'))"
    )


def downgrade() -> None:
    """Notes are in the office alone."""
    op.execute("delete from sync_item where e = 26")
    for what in ("insert", "update", "delete"):
        op.execute(f"drop trigger sync_{what} on note")
    op.execute(file_feed.CHILDREN)
    op.execute("drop function sync_buckets_note(uuid[])")
