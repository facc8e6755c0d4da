"""Proposals of better pins, on phones too; coordinates out of files get their own grade."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None

# A proposal reaches the phone of the one who made it.
BUCKETS = """
create function sync_buckets_pin_proposal(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query
    select p.id, sync_bucket('user', p.proposed_by::text) from pin_proposal p
    where p.id = any(ids) and p.deleted_at is null and p.proposed_by is not null
      and (p.state = 'open' or coalesce(p.decided_at, p.proposed_at) >= current_date - interval '90 days');
end $$
"""

GIVEN = """
update site set grade = 'given' where grade is null and pin is not null and provider = 'import'
"""


# The customers are counted anew at the next refresh: in parts, where their place is unsure.
RECOUNT = "truncate density_customer, density_cell, density_state"


def upgrade() -> None:
    """Create the table of proposals, name what is known of imported coordinates, count unsure customers in parts."""
    op.create_table(
        "pin_proposal",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
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
        sa.Column(
            "moved_m", sa.Double(), nullable=True, comment="From the pin of that moment; null when there was none."
        ),
        sa.Column(
            "grade",
            sa.String(),
            nullable=False,
            comment="What the pin becomes when accepted: manual or gps_confirmed.",
        ),
        sa.Column("uncertainty_m", sa.Double(), nullable=False, comment="How far off the proposed pin may be."),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True, comment="Null: the check-ins."),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False, comment="When it was made, on the phone."),
        sa.Column(
            "accuracy_m", sa.Double(), nullable=True, comment="Of the GPS fix at the proposal, or of the fixes' middle."
        ),
        sa.Column(
            "stood_m", sa.Double(), nullable=True, comment="From the GPS fix of who proposed to the proposed pin."
        ),
        sa.Column(
            "mock",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The phone said the fix was made up.",
        ),
        sa.Column("fixes", sa.Integer(), nullable=True, comment="How many check-ins agree."),
        sa.Column("spread_m", sa.Double(), nullable=True, comment="How far these lie around their middle."),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True, comment="Why it was refused."),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('open', 'accepted', 'refused', 'withdrawn')", name="ck_pin_proposal_state"),
        sa.CheckConstraint("origin in ('rep', 'checkins')", name="ck_pin_proposal_origin"),
        sa.CheckConstraint("state <> 'refused' or answer is not null", name="ck_pin_proposal_answer"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_pin_proposal_site_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_pin_proposal_account_id"),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name="fk_pin_proposal_proposed_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name="fk_pin_proposal_decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_pin_proposal"),
    )
    op.create_index("ix_pin_proposal_account_id", "pin_proposal", ["account_id"], unique=False)
    op.create_index("ix_pin_proposal_proposed_by", "pin_proposal", ["proposed_by"], unique=False)
    op.create_index("ix_pin_proposal_site_id", "pin_proposal", ["site_id"], unique=False)
    op.create_index(
        "ix_pin_proposal_open",
        "pin_proposal",
        ["proposed_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.execute("select records_attach('pin_proposal')")
    op.execute(BUCKETS)
    op.execute("select sync_attach('pin_proposal', 'sync_touch', '13, pin_proposal')")
    op.add_column(
        "stop",
        sa.Column(
            "entry",
            geoalchemy2.types.Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
            comment="Where the car stops; null when the drive is estimated.",
        ),
    )
    op.add_column("stop", sa.Column("walk_m", sa.Double(), nullable=True, comment="From there to the pin."))
    op.add_column(
        "stop",
        sa.Column(
            "cautions",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="server.plans.entry: what to know of the place.",
        ),
    )
    op.execute(GIVEN)
    op.execute(RECOUNT)
    op.drop_column("density_customer", "cell")
    op.add_column(
        "density_customer",
        sa.Column(
            "cells",
            sa.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="H3 cells in which it may lie (geo.density.spread).",
        ),
    )
    op.add_column(
        "density_customer",
        sa.Column("parts", sa.ARRAY(sa.SmallInteger()), nullable=False, comment="Hundredths of it in each of these."),
    )
    op.alter_column(
        "density_cell",
        "customers",
        type_=sa.Numeric(12, 2),
        comment="A customer whose place is unsure counts in parts; they add up to whole ones.",
    )
    op.alter_column("site", "grade", comment="geo.types.Grade; null while there is no pin.")
    op.alter_column("site", "provider", comment="Who placed the pin: a geocoder, `import`, `hand` or `checkins`.")
