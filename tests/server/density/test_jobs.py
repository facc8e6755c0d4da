"""The jobs that keep the counts true run as often as you like."""

from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine, text

from server.balance import service as balance
from server.density import queries
from server.density.jobs import refresh_density, watch_density, watch_territories
from server.kit.database import transaction
from server.kit.ids import uuid7
from server.territories import service as territories

FINEST = text("select territory_id from density_cell where resolution = (select max(resolution) from density_cell)")


def test_the_jobs_count_and_may_run_twice(empty_database: Engine) -> None:
    for _ in range(2):
        refresh_density.func()
        watch_density.func(timestamp=0)
    with transaction() as session:
        assert queries.totals(session).refreshed_at is not None


def test_one_connection_counts_differences_and_learns_anew(empty_database: Engine) -> None:
    """The driver prepares what it runs often: both ways leave a table of the same types to it."""
    empty_database.dispose()
    for number in range(9):
        with transaction() as session:
            if number == 8:
                session.execute(text("update density_state set learned_at = now() - interval '21 hours'"))
            one = {"account": uuid7(), "site": uuid7(), "name": f"Firm {number}", "lon": 9.5 + number / 100}
            session.execute(text("insert into account (id, name, status) values (:account, :name, 'customer')"), one)
            pin = "ST_SetSRID(ST_Point(:lon, 47.1), 4326)"
            session.execute(
                text(f"insert into site (id, account_id, is_main, pin) values (:site, :account, true, {pin})"), one
            )
        refresh_density.func()
    with transaction() as session:
        assert queries.totals(session).customers == 9


def test_ground_that_changed_hands_is_counted_at_the_next_look(empty_database: Engine) -> None:
    watch_territories.func(timestamp=0)
    with transaction() as session:
        one = {"account": uuid7(), "site": uuid7()}
        session.execute(text("insert into account (id, name, status) values (:account, 'Firm', 'customer')"), one)
        pin = "ST_SetSRID(ST_Point(9.5, 47.1), 4326)"
        session.execute(
            text(f"insert into site (id, account_id, is_main, pin) values (:site, :account, true, {pin})"), one
        )
    watch_territories.func(timestamp=0)
    with transaction() as session:
        assert queries.totals(session).refreshed_at is None, "no ground has moved: that waits for its turn"
    refresh_density.func()
    with transaction() as session:
        west = territories.create(session, name="West", area=MultiPolygon([box(9, 47, 10, 48)])).id
    watch_territories.func(timestamp=0)
    with transaction() as session:
        assert session.execute(FINEST).all() == [(west,)]
        balance.delete(session, west)
    watch_territories.func(timestamp=0)
    with transaction() as session:
        assert session.execute(FINEST).all() == [(None,)]
