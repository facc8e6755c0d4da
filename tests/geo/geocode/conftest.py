"""One geocoder per town, built once."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from geo.geocode.geocoder import Geocoder

sys.path.insert(0, str(Path(__file__).parent))
from worlds import EVERYWHERE, world


@cache
def _town(country: str) -> Geocoder:
    return world(EVERYWHERE[country], country)


@pytest.fixture(scope="session")
def town() -> Callable[[str], Geocoder]:
    return _town
