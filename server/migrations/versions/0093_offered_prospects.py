"""Prospects of open data that reach phones: the best of each territory."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None

# A bucket of its own for each territory: old phones are not offered it.
BUCKETS = """
create function sync_buckets_prospect(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query
    select p.id, sync_bucket('prospects', coalesce(p.territory_id::text, 'nobody')) from offered_prospect p
    where p.id = any(ids) and p.deleted_at is null;
end $$
"""


def upgrade() -> None:
    """Make room for the prospects that phones hold."""
    op.add_column(
        "density_state",
        sa.Column(
            "offered",
            sa.String(),
            server_default=sa.text("''"),
            nullable=False,
            comment="What the prospects for phones were picked from: rates and territories.",
        ),
    )
    op.create_table(
        "offered_prospect",
        sa.Column("id", sa.Uuid(), nullable=False, comment="Of the prospect."),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="`shop=bakery`"),
        sa.Column("kind_words", postgresql.JSONB(), nullable=False, comment="What people call the kind, by language."),
        sa.Column("street", sa.String(), nullable=True),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("opening_hours", sa.String(), nullable=True),
        sa.Column("credit", sa.String(), nullable=False, comment="Whose data it is."),
        sa.Column(
            "pin",
            geoalchemy2.types.Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("territory_id", sa.Uuid(), nullable=True, comment="Null: ground that no territory covers."),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="It is a customer or a lead now, or others are better.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_offered_prospect"),
    )
    op.create_index("ix_offered_prospect_territory_id", "offered_prospect", ["territory_id"], unique=False)
    op.execute(BUCKETS)
    op.execute("select sync_attach('offered_prospect', 'sync_touch', '25, prospect')")
