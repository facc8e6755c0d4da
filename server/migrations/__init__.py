"""The schema's history: Alembic revisions, one per change, and `upgrade`, which brings a database up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import Error as DatabaseError
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from server.kit.errors import Unavailable

MIN_POSTGIS = (3, 3)
LOCK = 0x77617971


class SchemaProblem(Unavailable):
    """The database cannot be brought up to date."""

    code = "schema_problem"


def config() -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return settings


def head() -> str | None:
    """The newest revision."""
    return ScriptDirectory.from_config(config()).get_current_head()


def upgrade(engine: Engine) -> bool:
    """Bring the database up to date; two processes that start at once do it one after the other.

    Returns
    -------
    bool
        Whether anything had to be done.

    Raises
    ------
    SchemaProblem
        When PostGIS is missing or too old, or the database is newer than this program.
    """
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == head():
            return False
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
        current = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
        if current is not None and current not in known:
            raise SchemaProblem(
                f"The database stands at revision {current}, which this version of Waymark does not know.",
                help="Start the newer version that wrote it.",
            )
        if current == head():
            return False
        if current is None:
            _require_postgis(engine)
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
    return True


def _require_postgis(engine: Engine) -> None:
    """Make sure that the database has a PostGIS that is new enough."""
    try:
        with engine.begin() as connection:
            connection.execute(text("create extension if not exists postgis"))
            version: str = connection.execute(text("select postgis_lib_version()")).scalar_one()
    except (DBAPIError, DatabaseError) as error:
        raise SchemaProblem(
            "The database has no PostGIS, or its user may not create the extension.",
            help="Install PostGIS 3.3 or newer on the database server and run “create extension postgis” as its owner.",
        ) from error
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_POSTGIS:
        raise SchemaProblem(f"PostGIS {version} is too old.", help="Install PostGIS 3.3 or newer.")
