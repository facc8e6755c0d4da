"""Every route says who may call it.

The harm: in one admired product an export route was added in a hurry and answered anybody for a year. A route that
declares nothing looks finished, passes its tests, and is open.
"""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from server.auth.access import Public, Requires
from tests.application import routes


def calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for child in dependant.dependencies:
        yield from calls(child)


def declared(route: APIRoute) -> list[object]:
    return [call for call in calls(route.dependant) if isinstance(call, Requires | Public)]


def test_every_route_declares_what_it_requires() -> None:
    found = routes()
    assert len(found) > 50
    silent = [f"{sorted(route.methods)} {route.path}" for route in found if not declared(route)]
    assert silent == []


def test_a_route_without_a_declaration_would_be_found() -> None:
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/open")
    def nobody_thought_of_rights() -> None: ...

    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert declared(route) == []


def test_a_permission_that_does_not_exist_cannot_be_required() -> None:
    with pytest.raises(ValueError, match="unknown permission"):
        Requires("accounts:raed")
