"""Extensions: PostGIS, trigrams, accents, and GiST over plain types."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the extensions and the accent-free lower case that searches use."""
    for extension in ("postgis", "pg_trgm", "unaccent", "btree_gist", "fuzzystrmatch"):
        op.execute(f"create extension if not exists {extension}")
    op.execute(
        """
        create function search_text(value text) returns text language sql immutable parallel safe
        return lower(public.unaccent('public.unaccent', replace(coalesce(value, ''), 'ß', 'ss')))
        """
    )
