"""The same said twice at the same moment is done once: intervals, calendars of holidays, days of the company."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from server.accounts import cadence
from server.accounts.cadence import Interval
from server.closures import service as closures
from tests.server.at_once import overlapping


@pytest.mark.parametrize(
    "click",
    [
        lambda session: cadence.set_interval(session, None, "A", Interval(21, 0.1)),
        lambda session: closures.keep_calendar(session, "LI"),
        lambda session: closures.set_company_day(session, date(2030, 1, 2), "Outing"),
    ],
    ids=["interval", "calendar", "company_day"],
)
def test_a_double_click_is_done_once(empty_database: Any, click: Callable[[Session], Any]) -> None:
    came = overlapping(click, click)
    assert not isinstance(came, Exception), came
