"""The way that a rep really went, where the company records it: off until somebody says so."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

# A track reaches the phones of the rep who went it, for a week.
BUCKETS = """
create function sync_buckets_track(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query
    select t.id, sync_bucket('user', t.rep_id::text) from track t
    where t.id = any(ids) and t.deleted_at is null and t.day >= current_date - 7;
end $$
"""


def upgrade() -> None:
    """Make room for tracks and for what the company says of them."""
    op.add_column(
        "phone_rules",
        sa.Column(
            "tracks_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when phones record the way of their reps; null: they do not.",
        ),
    )
    op.add_column(
        "phone_rules",
        sa.Column(
            "tracks_days",
            sa.SmallInteger(),
            server_default=sa.text("30"),
            nullable=False,
            comment="After so many days a way is deleted.",
        ),
    )
    op.create_check_constraint("ck_phone_rules_tracks_days", "phone_rules", "tracks_days between 1 and 365")
    op.create_table(
        "track",
        sa.Column("rep_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="In the rep's time zone."),
        sa.Column("zone", sa.String(), nullable=False, comment="IANA time zone."),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "starts_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Of the first fix, or of the pause or its end.",
        ),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False, comment="Of the last fix."),
        sa.Column(
            "fixes",
            postgresql.JSONB(),
            nullable=False,
            comment="By time, each with at (UTC), lon, lat (degrees) and accuracy_m; empty for a pause and its end.",
        ),
        sa.Column(
            "way",
            geoalchemy2.types.Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
            comment="The fixes as a line, simplified to 10 m; null where there are none.",
        ),
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
        sa.CheckConstraint("kind in ('way', 'pause', 'resume')", name="ck_track_kind"),
        sa.CheckConstraint("(kind = 'way') = (way is not null)", name="ck_track_way"),
        sa.ForeignKeyConstraint(["rep_id"], ["app_user.id"], name="fk_track_rep_id"),
        sa.PrimaryKeyConstraint("id", name="pk_track"),
    )
    op.create_index("ix_track_rep_day", "track", ["rep_id", "day"], unique=False)
    op.create_index("ix_track_day", "track", ["day"], unique=False)
    op.execute("select records_attach('track')")
    op.execute(BUCKETS)
    op.execute("select sync_attach('track', 'sync_touch', '24, track')")
