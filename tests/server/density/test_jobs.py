"""The jobs that keep the counts true run as often as you like."""

from sqlalchemy import Engine

from server.density import queries
from server.density.jobs import refresh_density, watch_density
from server.kit.database import transaction


def test_the_jobs_count_and_may_run_twice(empty_database: Engine) -> None:
    for _ in range(2):
        refresh_density.func()
        watch_density.func(timestamp=0)
    with transaction() as session:
        assert queries.totals(session).refreshed_at is not None
