"""What stands in the calendar with a beginning has an end."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

# As the service fills it: the effort, or a quarter of an hour for a call and half an hour for the rest.
FILL = """
update activity set ends_at = starts_at + case when is_all_day then interval '1 day'
    when effort_s > 0 then make_interval(secs => effort_s)
    when kind = 'call' then interval '15 minutes' else interval '30 minutes' end
where starts_at is not null and ends_at is null
"""


def upgrade() -> None:
    """Give the open ones their end, and keep it so."""
    op.execute(
        "alter table activity add constraint ck_activity_ends"
        " check (starts_at is null or ends_at is not null) not valid"
    )
    op.execute(FILL)
    op.execute("alter table activity validate constraint ck_activity_ends")
