"""Phones hear how often accounts of a class are visited: without it they could not tell what is overdue."""

import sqlalchemy as sa
from alembic import op

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None

BUCKETS = """
create function sync_buckets_cadence(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query select c.id, sync_bucket('company', '') from cadence c where c.id = any(ids) and c.deleted_at is null;
end $$
"""


def upgrade() -> None:
    """One row for each interval that was set goes to every phone; a change is another row, never other accounts."""
    op.add_column(
        "cadence",
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
    )
    op.add_column("cadence", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(BUCKETS)
    op.execute("select sync_attach('cadence', 'sync_touch', '9, cadence')")
    op.execute("select sync_stamp(9::smallint, 'cadence', 'cadence', array(select id from cadence))")


def downgrade() -> None:
    """Phones hear nothing of it."""
    op.execute("delete from sync_item where e = 9")
    for what in ("insert", "update", "delete"):
        op.execute(f"drop trigger sync_{what} on cadence")
    op.execute("drop function sync_buckets_cadence(uuid[])")
    op.drop_column("cadence", "deleted_at")
    op.drop_column("cadence", "rev")
