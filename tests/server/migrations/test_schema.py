"""The migrations make exactly the tables that the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, make_url, text

from server import migrations
from server.migrations.tables import metadata, ours


def test_there_is_one_head_and_files_are_named_after_their_revision() -> None:
    scripts = ScriptDirectory.from_config(migrations.config())
    assert scripts.get_heads() == [migrations.known()[-1]]
    assert sorted(script.revision for script in scripts.walk_revisions()) == migrations.known()


def test_models_and_migrated_schema_are_the_same(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    assert migrations.upgrade(engine) is False


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    import pytest

    url = make_url(database_url)
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("drop database if exists newer with (force)"))
        connection.execute(text("create database newer"))
    newer = create_engine(url.set(database="newer"))
    with newer.begin() as connection:
        connection.execute(text("create table alembic_version (version_num varchar(32) primary key)"))
        connection.execute(text("insert into alembic_version values ('9999')"))
    with pytest.raises(migrations.SchemaProblem, match="9999"):
        migrations.upgrade(newer)
    newer.dispose()
    admin.dispose()


def test_no_trigger_compares_each_new_row_of_a_statement_with_each_old_one(engine: Engine) -> None:
    # The undo of an import took minutes: the planner took the old and new rows for one row each, and joined by a loop.
    joins = text(
        "select proname from pg_proc where prorettype = 'trigger'::regtype"
        " and prosrc ~ '(?<!full )join (old_rows|before|gone)'"
    )
    with engine.connect() as connection:
        assert connection.scalars(joins).all() == []
