"""The history tells pins that check-ins have placed from background work, so that no undo takes them away."""

from alembic import op

revision = "0122"
down_revision = "0121"
branch_labels = None
depends_on = None

TOLD = """
update field_history h set source = '{to}' from field_history p
where p.entity = 'site' and p.field = 'provider' and p.new = '"checkins"' and p.source = '{of}'
  and h.entity = 'site' and h.row_id = p.row_id and h.rev = p.rev and h.source = '{of}'
"""


def upgrade() -> None:
    """Of what is written so far the provider says whose work it was."""
    op.execute(TOLD.format(of="job", to="checkins"))


def downgrade() -> None:
    """Say `job` again."""
    op.execute("update field_history set source = 'job' where source = 'checkins'")
