"""Which person stands for a merged one, for questions about what a phone wrote of them."""

from alembic import op

revision = "0119"
down_revision = "0118"
branch_labels = None
depends_on = None

SURVIVING = """
create function contact_surviving(person uuid) returns uuid language sql stable parallel safe as $$
    with recursive above as (
        select c.id, c.merged_into, 0 as step from contact c where c.id = person
        union all
        select c.id, c.merged_into, u.step + 1 from contact c join above u on c.id = u.merged_into where u.step < 100
    )
    select coalesce((select a.id from above a order by a.step desc limit 1), person)
$$
"""


def upgrade() -> None:
    """Create the function."""
    op.execute(SURVIVING)


def downgrade() -> None:
    """Drop it again."""
    op.execute("drop function contact_surviving(uuid)")
