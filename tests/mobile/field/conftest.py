"""A store of its own, the next visit, and times in seconds."""

import pytest

from mobile.field.capture import VisitTarget
from mobile.field.store import Store
from tests.mobile.conftest import DAY, uid

H, M = 3600, 60
TARGET = VisitTarget(uid(1), uid(2), DAY, "Europe/Vaduz", uid(3))


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "user")
    yield store
    store.close()
