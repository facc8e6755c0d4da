"""A newer extract leaves what it changes of the prospects, so that density follows it by the changes alone; changed
accounts are noted by themselves, since a site that another transaction is still writing is seen by no trigger."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None

NOTED_ACCOUNT = """
create or replace function account_note_changed() returns trigger language plpgsql as $$
begin
    with changed as materialized (
        select id,
               (now.status, now.account_class, now.owner_id, now.territory_id,
                now.deleted_at is null, now.merged_into is null)
                   is distinct from (was.status, was.account_class, was.owner_id, was.territory_id,
                   was.deleted_at is null, was.merged_into is null) as tally,
               'customer' in (now.status, was.status)
               and (now.status, now.name, now.kind, now.yearly_value, now.currency,
                    now.deleted_at is null, now.merged_into is null)
                   is distinct from (was.status, was.name, was.kind, was.yearly_value, was.currency,
                   was.deleted_at is null, was.merged_into is null) as density
        from come now full join gone was using (id)
    ),
    noted as (
        insert into account_changed (site_id, account_id)
        select site.id, null from changed join site on site.account_id = changed.id
        where tally and site.pin is not null
        union all
        select null, id from changed where tally
    )
    insert into density_changed (account_id) select id from changed where density;
    return null;
end $$
"""
NOTES = ("account_changed", "density_changed")


def upgrade() -> None:
    """Make room for what newer extracts change, and for accounts among the notes."""
    op.create_table(
        "prospect_changed",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("region", sa.String(), nullable=False, comment="Name of the region."),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("was_kind", sa.String(), nullable=True, comment="Null: it is new."),
        sa.Column("was_cell", sa.BigInteger(), nullable=True, comment="H3 cell of resolution 10."),
        sa.Column("name", sa.String(), nullable=True, comment="As it is now; null: it is gone."),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("cell", sa.BigInteger(), nullable=True),
        sa.Column("pin", Geometry("POINT", srid=4326, spatial_index=False), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prospect_changed")),
    )
    op.add_column(
        "region",
        sa.Column(
            "replaced", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'::uuid[]"), nullable=False,
            comment="Older versions in whose place it came; what that changed is in prospect_changed.",
        ),
    )  # fmt: skip
    op.add_column(
        "density_state",
        sa.Column("currency", sa.String(), nullable=True, comment="The company's when values were learned."),
    )
    op.alter_column(
        "density_state",
        "offered",
        comment="What the prospects for phones were picked from: rates, territories and regions.",
        existing_comment="What the prospects for phones were picked from: rates and territories.",
    )
    for table in NOTES:
        op.alter_column(table, "site_id", nullable=True)
        op.add_column(
            table, sa.Column("account_id", sa.Uuid(), nullable=True, comment="Whose sites, all that there are by then.")
        )
    op.execute(NOTED_ACCOUNT)
