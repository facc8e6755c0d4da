"""A company of two reps, their manager and two territories, with real commits."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.server.sync.world import World, found


@pytest.fixture
def world(app: FastAPI, empty_database: Engine) -> Iterator[World]:
    """Rita works the west, Otto the east; Mona leads both."""
    with TestClient(app, raise_server_exceptions=False) as client:
        world = World(client)
        found(world)
        yield world
