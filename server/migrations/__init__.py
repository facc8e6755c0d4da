"""The schema's history: Alembic revisions, one per change, and `upgrade`, which brings a database up to date."""

from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.errors import Error as DatabaseError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from server.kit.errors import Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

MIN_POSTGIS = (3, 3)
LOCK = 0x77617971
HERE = Path(__file__).parent


class SchemaProblem(Unavailable):
    """The database cannot be brought up to date."""

    code = "schema_problem"


def config() -> "Config":
    """Alembic's configuration; there is no alembic.ini. Alembic is loaded only when there is something to do."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(HERE).replace("%", "%%"))
    return settings


def known() -> list[str]:
    """The revisions of this program in order: a file is named after its revision."""
    return sorted(path.name.partition("_")[0] for path in (HERE / "versions").glob("[0-9]*_*.py"))


def current(connection: Connection) -> str | None:
    """The revision at which a database stands; None when it is empty."""
    if connection.execute(text("select to_regclass('alembic_version')")).scalar_one() is None:
        return None
    revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()
    return revision


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
    newest = known()[-1]
    with engine.connect() as connection:
        if current(connection) == newest:
            return False
    from alembic import command

    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
        before = current(connection)
        if before is not None and before not in known():
            raise SchemaProblem(
                f"The database stands at revision {before}, which this version of Waymark does not know.",
                help="Start the newer version that wrote it.",
            )
        if before == newest:
            return False
        if before is None:
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
