"""Merges of contacts stand beside those of leads and products."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None

THERE = """
insert into record_merge (id, entity, winner_id, loser_id, merged_at, merged_by, fields, moved, undone_at, undone_by)
select id, 'contact', winner_id, loser_id, merged_at, merged_by,
       (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(fields) where key not like 'custom.%'),
       jsonb_build_object('places', (select coalesce(jsonb_agg(one->'id'), '[]') from jsonb_array_elements(links) one)),
       undone_at, undone_by
from contact_merge
"""
"""The company's own fields of a merge from before stay as they are when it is taken back."""

BACK = """
insert into contact_merge (id, winner_id, loser_id, merged_at, merged_by, fields, links, undone_at, undone_by)
select id, winner_id, loser_id, merged_at, merged_by, fields,
       (select coalesce(jsonb_agg(jsonb_build_object('id', one)), '[]')
        from jsonb_array_elements(coalesce(moved->'places', '[]')) one),
       undone_at, undone_by
from record_merge where entity = 'contact'
"""


def upgrade() -> None:
    """Take the merges over."""
    op.execute(THERE)
    op.drop_table("contact_merge")


def downgrade() -> None:
    """Give them a table of their own again."""
    op.create_table(
        "contact_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("winner_id", sa.Uuid(), nullable=False),
        sa.Column("loser_id", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=True),
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Field of the winner -> [before, after].",
        ),
        sa.Column(
            "links",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Places at accounts that the winner got.",
        ),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["loser_id"], ["contact.id"], name=op.f("fk_contact_merge_loser_id")),
        sa.ForeignKeyConstraint(["winner_id"], ["contact.id"], name=op.f("fk_contact_merge_winner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_merge")),
    )
    op.create_index(op.f("ix_contact_merge_loser_id"), "contact_merge", ["loser_id"])
    op.create_index(op.f("ix_contact_merge_winner_id"), "contact_merge", ["winner_id"])
    op.execute(BACK)
    op.execute("delete from record_merge where entity = 'contact'")
