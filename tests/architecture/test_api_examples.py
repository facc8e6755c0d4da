"""Every JSON body of the API is shown with an example that the route would understand.

The harm: whoever connects a program copies the example, and if it is wrong, their first request is refused and their
first impression is made.
"""

from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter

from server.app import create_app

APP = create_app()
DOCUMENT = APP.openapi()


def bodies() -> list[tuple[str, str, APIRoute]]:
    """Path, method and route of everything that takes a JSON body."""
    found = []
    for context in iter_route_contexts(APP.routes):
        route = context.route
        if not isinstance(route, APIRoute) or route.body_field is None:
            continue
        for method in sorted(route.methods):
            operation: dict[str, Any] = DOCUMENT["paths"].get(route.path_format, {}).get(method.lower(), {})
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                found.append((route.path_format, method.lower(), route))
    return found


@pytest.mark.parametrize(("path", "method", "route"), bodies(), ids=lambda one: one if isinstance(one, str) else "")
def test_a_body_has_an_example_that_is_understood(path: str, method: str, route: APIRoute) -> None:
    content = DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"]
    example = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
    assert route.body_field is not None
    assert TypeAdapter(route.body_field.field_info.annotation).validate_python(example) is not None


def test_there_are_bodies_to_look_at() -> None:
    assert len(bodies()) > 50
