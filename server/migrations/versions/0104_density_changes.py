"""Density notes what has changed: the customers to count again, and the differences of its counts since they were
summed up, so that a refresh costs what has changed and not what there is."""

import sqlalchemy as sa
from alembic import op

revision = "0104"
down_revision = "0103"
branch_labels = None
depends_on = None

ZERO = sa.text("0")
INTERVAL = ("penetration", "low", "high")

NOTED_COME = """
create or replace function site_note_come() returns trigger language plpgsql as $$
begin
    insert into account_changed (site_id) select id from come where pin is not null;
    insert into density_changed (site_id) select id from come where pin is not null;
    return null;
end $$
"""
NOTED_MOVED = """
create or replace function site_note_moved() returns trigger language plpgsql as $$
begin
    with moved as materialized (
        select id,
               (now.pin::bytea, now.deleted_at is null, now.account_id, now.territory_id)
                   is distinct from (was.pin::bytea, was.deleted_at is null, was.account_id, was.territory_id) as tally,
               (now.pin::bytea, now.deleted_at is null, now.account_id, now.is_main, now.uncertainty_m)
                   is distinct from (was.pin::bytea, was.deleted_at is null, was.account_id, was.is_main,
                       was.uncertainty_m) as density
        from come now full join gone was using (id)
    ),
    noted as (insert into account_changed (site_id) select id from moved where tally)
    insert into density_changed (site_id) select id from moved where density;
    return null;
end $$
"""
NOTED_GONE = """
create or replace function site_note_gone() returns trigger language plpgsql as $$
begin
    insert into account_changed (site_id) select id from gone where pin is not null;
    insert into density_changed (site_id) select id from gone where pin is not null;
    return null;
end $$
"""
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
    sites as materialized (
        select site.id, tally, density from changed join site on site.account_id = changed.id
        where (tally or density) and site.pin is not null
    ),
    noted as (insert into account_changed (site_id) select id from sites where tally)
    insert into density_changed (site_id) select id from sites where density;
    return null;
end $$
"""

COUNTS = """
create view density_count_now as
select cell, trade_id, prospects, customers from density_count
union all
select cell, trade_id, prospects, customers from density_count_change
"""
# z² = 2.7055 of the 90 % Wilson interval, as in `counting.Z2`.
CELLS = """
create view density_cell_now as
select cell, resolution, territory_id, geom, prospects, customers, share as penetration,
       greatest(0, (share + 2.7055434540954106 / (2 * n) - root) / (1 + 2.7055434540954106 / n)) as low,
       least(1, (share + 2.7055434540954106 / (2 * n) + root) / (1 + 2.7055434540954106 / n)) as high,
       expected, variance, value
from (
    select *, sqrt(2.7055434540954106 * (share * (1 - share) + 2.7055434540954106 / (4 * n)) / n) as root
    from (
        select *, customers::float8 / n as share
        from (
            select *, (prospects + customers)::float8 as n
            from (
                select c.cell, c.resolution, c.territory_id, c.geom,
                       c.prospects + coalesce(d.prospects, 0) as prospects,
                       (c.customers + coalesce(d.customers, 0))::numeric(12, 2) as customers,
                       greatest(0, c.expected + coalesce(d.expected, 0)) as expected,
                       greatest(0, c.variance + coalesce(d.variance, 0)) as variance,
                       greatest(0, c.value + coalesce(d.value, 0)) as value
                from density_cell c left join density_cell_change d on d.cell = c.cell
                where c.prospects + coalesce(d.prospects, 0) > 0 or c.customers + coalesce(d.customers, 0) > 0
            ) sums
        ) firms
    ) shares
) roots
"""

# As `counting.CUSTOMERS` does it: what was counted stays counted, unless it changes.
MARKED = """
    update density_customer counted
    set rev = hashtextextended(concat_ws('/', a.id, a.kind, a.yearly_value, a.currency, s.pin::text, s.uncertainty_m,
        s.is_main, a.name), 0)
    from site s join account a on a.id = s.account_id
    where s.id = counted.site_id and counted.rev = hashtextextended(concat_ws('/', a.id, a.rev, s.rev), 0)
"""


def upgrade() -> None:
    """Make room for differences; what was counted stays, and the learning that is due compares all customers once."""
    op.create_table(
        "density_changed",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_density_changed")),
    )
    for statement in (NOTED_COME, NOTED_MOVED, NOTED_GONE, NOTED_ACCOUNT):
        op.execute(statement)
    op.create_table(
        "density_count_change",
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False, comment="H3 index."),
        sa.Column(
            "trade_id", sa.SmallInteger(), autoincrement=False, nullable=False,
            comment="Kind; 0: customers of no known kind.",
        ),
        sa.Column("prospects", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Numeric(12, 2), nullable=False),
        sa.PrimaryKeyConstraint("cell", "trade_id", name=op.f("pk_density_count_change")),
    )  # fmt: skip
    op.create_table(
        "density_cell_change",
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False, comment="H3 index."),
        sa.Column("prospects", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Numeric(12, 2), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("variance", sa.Float(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("cell", name=op.f("pk_density_cell_change")),
    )
    for table in ("density_count_change", "density_cell_change"):
        op.execute(f"alter table {table} set (fillfactor = 80)")  # updates stay in their page
    for column in INTERVAL:
        op.drop_column("density_cell", column)
    op.execute(COUNTS)
    op.execute(CELLS)
    op.drop_constraint("fk_density_customer_site_id", "density_customer")
    op.add_column(
        "density_customer",
        sa.Column(
            "worth", sa.Float(), nullable=True,
            comment="Of a main site: yearly value of its account, where that is in the company's currency.",
        ),
    )  # fmt: skip
    for name, kind, comment in (
        ("worth_sum", sa.Float(), "Yearly values of the customers that have one, together."),
        ("worth_count", sa.Integer(), "So many have one."),
    ):
        op.add_column(
            "density_state", sa.Column(name, kind, server_default=ZERO, nullable=False, comment=comment)
        )  # fmt: skip
    op.alter_column(
        "density_customer", "rev",
        comment="Of what decides how it is counted, when it was counted.",
        existing_comment="Revisions of site and account together when it was counted.",
    )  # fmt: skip
    op.alter_column(
        "density_state", "inputs",
        comment="The regions that were counted.",
        existing_comment="Fingerprint of regions, accounts and sites.",
    )  # fmt: skip
    op.execute(MARKED)
    op.execute("update density_state set inputs = split_part(inputs, ' ', 1), learned_at = null")
