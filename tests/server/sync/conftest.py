"""A company of two reps, their manager and two territories, with real commits."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from server.auth.models import Role
from tests.server.sync.world import World

PICKLIST = """
insert into picklist (id, name, values)
values (gen_random_uuid(), 'visit_outcome', '[{"value": "order", "label": "Order"}]')
on conflict do nothing
"""


@pytest.fixture
def world(app: FastAPI, empty_database: Engine) -> Iterator[World]:
    """Rita works the west, Otto the east; Mona leads both."""
    with TestClient(app, raise_server_exceptions=False) as client:
        world = World(client)
        with empty_database.begin() as connection:
            connection.execute(text(PICKLIST))
        for login in ("rita", "otto"):
            world.user(login)
        world.user("mona", Role.MANAGER)
        world.team("team", ("rita", "otto", "mona"))
        world.territory("west", 9.0)
        world.territory("east", 9.5)
        world.grant("rita", "west")
        world.grant("otto", "east")
        yield world
