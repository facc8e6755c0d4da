"""Tables of accounts."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


# Umlauts are written in two ways: Müller and Mueller are found by either.
SEARCH_WORDS = """
create function search_words(a text, b text, c text, d text) returns text language sql immutable parallel safe
return replace(replace(replace(
    search_text(coalesce(a, '') || ' ' || coalesce(b, '') || ' ' || coalesce(c, '') || ' ' || coalesce(d, '')),
    'ae', 'a'), 'oe', 'o'), 'ue', 'u')
"""


def upgrade() -> None:
    """Create the tables of accounts."""
    op.execute(SEARCH_WORDS)
    op.create_table(
        "account",
        sa.Column(
            "number", sa.String(), nullable=True, comment="The company's own key; what an import recognises it by."
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("account_class", sa.String(), nullable=True),
        sa.Column("status", sa.String(), server_default="prospect", nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "interval_days", sa.Integer(), nullable=True, comment="Days between visits; null: what the class says."
        ),
        sa.Column("yearly_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("yearly_potential", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column(
            "currency", sa.String(), server_default="EUR", nullable=False, comment="ISO 4217, of value and potential."
        ),
        sa.Column("phone", sa.String(), nullable=True, comment="As typed."),
        sa.Column("phone_e164", sa.String(), nullable=True, comment="Normalised; null when not understood."),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("website", sa.String(), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True, comment="The account that lives on after a merge."),
        sa.Column("territory_id", sa.Uuid(), nullable=True, comment="Of the main site, unless fixed."),
        sa.Column(
            "territory_is_fixed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Assigned by a person; a change of polygons leaves it.",
        ),
        sa.Column("last_visit_on", sa.Date(), nullable=True, comment="Day of the latest visit that took place."),
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
        sa.CheckConstraint("account_class in ('A', 'B', 'C')", name="ck_account_class"),
        sa.CheckConstraint("status in ('prospect', 'customer', 'former')", name="ck_account_status"),
        sa.CheckConstraint("interval_days > 0", name="ck_account_interval"),
        sa.CheckConstraint("length(currency) = 3", name="ck_account_currency"),
        sa.CheckConstraint("merged_into <> id", name="ck_account_merged_elsewhere"),
        sa.ForeignKeyConstraint(["merged_into"], ["account.id"], name="fk_account_merged_into"),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name="fk_account_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
    )
    op.create_index("ix_account_merged_into", "account", ["merged_into"], unique=False)
    op.create_index("ix_account_name", "account", [sa.literal_column("search_text(name)"), "id"], unique=False)
    op.create_index("ix_account_owner_id", "account", ["owner_id"], unique=False)
    op.create_index("ix_account_phone_e164", "account", ["phone_e164"], unique=False)
    op.create_index(
        "ix_account_search",
        "account",
        [sa.literal_column("search_words(name, number, phone_e164, email)").label("search")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_index("ix_account_tags", "account", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_account_territory_id", "account", ["territory_id"], unique=False)
    op.create_index(
        "uq_account_number", "account", ["number"], unique=True, postgresql_where=sa.text("deleted_at is null")
    )
    op.create_table(
        "account_rep",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_rep_account_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_account_rep_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "user_id", name="pk_account_rep"),
    )
    op.create_index("ix_account_rep_user_id", "account_rep", ["user_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=True, comment="Null for the only site of an account."),
        sa.Column("is_main", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("street", sa.String(), nullable=True, comment="With the house number, as people write it."),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column(
            "country", sa.String(), nullable=True, comment="As given; two capital letters when understood (ISO 3166-1)."
        ),
        sa.Column(
            "pin",
            geoalchemy2.types.Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("pin_state", sa.String(), server_default="pending", nullable=False),
        sa.Column(
            "grade",
            sa.String(),
            nullable=True,
            comment="geo.types.Grade; null when unknown (coordinates of an import).",
        ),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column(
            "geocode_reason", sa.String(), nullable=True, comment="Why the pin is where it is, or why there is none."
        ),
        sa.Column(
            "provider", sa.String(), nullable=True, comment="Who placed the pin: a geocoder, `import` or `hand`."
        ),
        sa.Column("region_version", sa.String(), nullable=True, comment="Address index that the geocoder used."),
        sa.Column("opening_hours", sa.String(), nullable=True, comment="OpenStreetMap syntax."),
        sa.Column(
            "service_s",
            sa.Integer(),
            server_default=sa.text("1800"),
            nullable=False,
            comment="Planned length of a visit.",
        ),
        sa.Column("territory_id", sa.Uuid(), nullable=True, comment="The polygon that covers the pin."),
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
        sa.CheckConstraint("pin_state in ('pending', 'placed', 'review', 'failed')", name="ck_site_pin_state"),
        sa.CheckConstraint("service_s between 0 and 86400", name="ck_site_service"),
        sa.CheckConstraint("uncertainty_m >= 0", name="ck_site_uncertainty"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_site_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
    )
    op.create_index("ix_site_account_id", "site", ["account_id"], unique=False)
    op.create_index(
        "ix_site_pending",
        "site",
        ["id"],
        unique=False,
        postgresql_where=sa.text("pin_state = 'pending' and deleted_at is null"),
    )
    op.create_index("ix_site_pin", "site", ["pin"], unique=False, postgresql_using="gist")
    op.create_index(
        "ix_site_search",
        "site",
        [sa.literal_column("search_words(name, street, postcode, city)").label("search")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_index("ix_site_territory_id", "site", ["territory_id"], unique=False)
    op.create_index(
        "uq_site_main", "site", ["account_id"], unique=True, postgresql_where=sa.text("is_main and deleted_at is null")
    )
    op.execute("select records_attach('account'), records_attach('site')")
