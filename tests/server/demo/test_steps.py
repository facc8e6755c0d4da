"""Steps of the demonstration that must not depend on how much there is to do."""

from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from server.demo import steps


def test_a_day_without_routes_has_no_files_and_is_no_error(empty_database: Engine, tmp_path: Path) -> None:
    exported = steps.export_days(date(2026, 11, 23), 5, tmp_path)
    assert exported == steps.Exported([], 0)
