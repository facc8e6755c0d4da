"""Accounts are counted beforehand, by the cells of the map's tiles; triggers note whose counts have changed."""

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0074"
branch_labels = None
depends_on = None

# The square of a tile in which a point lies, 24 levels deep (2.4 m): the bits of column and row by turns, so that the
# squares within a larger one are a range. A point on the pole has none.
SPREAD = """
create function tile_bits(v bigint) returns bigint language plpgsql immutable strict parallel safe as $$
begin
    v := (v | (v << 16)) & 281470681808895;
    v := (v | (v << 8)) & 71777214294589695;
    v := (v | (v << 4)) & 1085102592571150095;
    v := (v | (v << 2)) & 3689348814741910323;
    return (v | (v << 1)) & 6148914691236517205;
end $$
"""
SQUARE = """
create function tile_square(at geometry, out square bigint, out x integer, out y integer)
language plpgsql immutable strict parallel safe as $$
declare
    lat float8 := radians(ST_Y(at));
begin
    if abs(ST_Y(at)) > 85.06 then return; end if;
    x := least(16777215, floor((ST_X(at) + 180) / 360 * 16777216));
    y := least(16777215, greatest(0, floor((1 - ln(tan(lat) + 1 / cos(lat)) / pi()) / 2 * 16777216)));
    square := tile_bits(x) | (tile_bits(y) << 1);
end $$
"""
TRIGGERS = (
    """
    create function site_note_come() returns trigger language plpgsql as $$
    begin
        insert into account_changed (site_id) select id from come where pin is not null;
        return null;
    end $$
    """,
    """
    create function site_note_moved() returns trigger language plpgsql as $$
    begin
        insert into account_changed (site_id)
        select id from come now full join gone was using (id)
        where (now.pin::bytea, now.deleted_at is null, now.account_id, now.territory_id)
            is distinct from (was.pin::bytea, was.deleted_at is null, was.account_id, was.territory_id);
        return null;
    end $$
    """,
    """
    create function site_note_gone() returns trigger language plpgsql as $$
    begin
        insert into account_changed (site_id) select id from gone where pin is not null;
        return null;
    end $$
    """,
    """
    create function account_note_changed() returns trigger language plpgsql as $$
    begin
        insert into account_changed (site_id)
        select site.id from come now full join gone was using (id) join site on site.account_id = now.id
        where site.pin is not null
          and (now.status, now.account_class, now.owner_id, now.territory_id,
               now.deleted_at is null, now.merged_into is null)
            is distinct from (was.status, was.account_class, was.owner_id, was.territory_id,
               was.deleted_at is null, was.merged_into is null);
        return null;
    end $$
    """,
    "create trigger site_noted_come after insert on site"
    " referencing new table as come for each statement execute function site_note_come()",
    "create trigger site_noted_moved after update on site"
    " referencing old table as gone new table as come for each statement execute function site_note_moved()",
    "create trigger site_noted_gone after delete on site"
    " referencing old table as gone for each statement execute function site_note_gone()",
    "create trigger account_noted_changed after update on account"
    " referencing old table as gone new table as come for each statement execute function account_note_changed()",
)
PARTS = ("status", "account_class", "owner_id", "territory_id")


def upgrade() -> None:
    """Create what is kept, and note every site: the job counts them within a minute."""
    op.create_table(
        "account_spot",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("square", sa.BigInteger(), nullable=False, comment="Of the finest level: see tile_square."),
        sa.Column("x", sa.Integer(), nullable=False, comment="Column of the square."),
        sa.Column("y", sa.Integer(), nullable=False, comment="Row of the square, from the north."),
        *_parts(),
        sa.Column("site_territory_id", sa.Uuid(), nullable=True, comment="The site's own."),
        sa.PrimaryKeyConstraint("site_id", name="pk_account_spot"),
    )
    op.create_index("ix_account_spot_square", "account_spot", ["square"])
    op.create_index("ix_account_spot_account_id", "account_spot", ["account_id"])
    op.create_index(
        "ix_account_spot_elsewhere",
        "account_spot",
        ["site_territory_id"],
        postgresql_where=sa.text("site_territory_id is distinct from territory_id"),
    )
    op.create_table(
        "account_tally",
        sa.Column("level", sa.SmallInteger(), nullable=False, comment="2^level squares along the world."),
        sa.Column("square", sa.BigInteger(), nullable=False),
        *_parts(),
        sa.Column("sites", sa.Integer(), nullable=False),
        sa.Column("x", sa.BigInteger(), nullable=False, comment="Sum of their columns in the finest level."),
        sa.Column("y", sa.BigInteger(), nullable=False, comment="Sum of their rows."),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_tally"),
    )
    op.create_index(
        "uq_account_tally",
        "account_tally",
        ["level", "square", *PARTS],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_account_tally_empty", "account_tally", ["level"], postgresql_where=sa.text("sites = 0"))
    op.create_table(
        "account_changed",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_changed"),
    )
    for statement in (SPREAD, SQUARE, *TRIGGERS):
        op.execute(statement)
    op.execute("insert into account_changed (site_id) select id from site where pin is not null")


def _parts() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("account_class", sa.String(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
    )
