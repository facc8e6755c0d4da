"""Public holidays by country and part of it. Pure: the rules come with the `holidays` library."""

from datetime import date
from functools import lru_cache

import holidays

from server.kit.errors import Invalid

FIRST_YEAR, LAST_YEAR = 1970, 2199


@lru_cache(maxsize=1)
def countries() -> dict[str, tuple[str, ...]]:
    """The countries whose holidays are known, with their parts."""
    return {code: tuple(parts) for code, parts in sorted(holidays.list_supported_countries().items()) if len(code) == 2}


def check_place(country: str, part: str) -> None:
    """Refuse a country or a part of it whose holidays are not known."""
    if country not in countries():
        raise Invalid(
            f"No holidays are known for “{country}”.",
            help="Give a country as two letters, such as LI, AT or DE.",
            field="country",
        )
    if part and part not in countries()[country]:
        known = ", ".join(countries()[country]) or "none"
        raise Invalid(f"{country} has no part “{part}”.", help=f"Known are: {known}.", field="part")


@lru_cache(maxsize=512)
def of_year(country: str, part: str, year: int) -> dict[date, str]:
    """The public holidays of a year with their names; empty for years that no calendar holds."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return {}
    found = holidays.country_holidays(country, subdiv=part or None, years=year)
    return dict(sorted(found.items()))


def name_of(country: str, part: str, day: date) -> str | None:
    """The holiday that a day is, or None."""
    return of_year(country, part, day.year).get(day)
