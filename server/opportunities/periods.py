"""Months and quarters of the forecast. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from server.opportunities.forecast_models import Span


@dataclass(frozen=True, order=True)
class Period:
    """A month or a quarter."""

    first: date
    span: Span

    @property
    def end(self) -> date:
        """The first day after it."""
        return _moved(self.first, 1 if self.span is Span.MONTH else 3)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    @property
    def name(self) -> str:
        """`2026-11` or `2026 Q4`."""
        quarter = f"{self.first.year} Q{(self.first.month + 2) // 3}"
        return quarter if self.span is Span.QUARTER else f"{self.first:%Y-%m}"

    def shifted(self, by: int) -> "Period":
        """The period so many before or after this one."""
        return Period(_moved(self.first, by * (1 if self.span is Span.MONTH else 3)), self.span)


def around(day: date, span: Span) -> Period:
    """The period in which a day lies."""
    month = day.month if span is Span.MONTH else (day.month - 1) // 3 * 3 + 1
    return Period(date(day.year, month, 1), span)


def _moved(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)
