"""Every JSON body of the API is shown with an example that the route would understand.

The harm: whoever connects a program copies the example, and if it is wrong, their first request is refused and their
first impression is made.
"""

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from server.auth.access import Public
from tests.application import application, routes
from tests.architecture.test_access import declared


def bodies() -> Iterator[tuple[str, APIRoute, dict[str, Any]]]:
    """What takes a JSON body: its name, its route, and what is said of the body."""
    paths = application().openapi()["paths"]
    for route in routes():
        for method in sorted(route.methods):
            operation: dict[str, Any] = paths.get(route.path_format, {}).get(method.lower(), {})
            content = operation.get("requestBody", {}).get("content", {})
            if route.body_field is not None and "application/json" in content:
                yield f"{method} {route.path_format}", route, content["application/json"]


def test_a_body_has_an_example_that_is_understood() -> None:
    seen, faults = 0, []
    for name, route, content in bodies():
        seen += 1
        try:
            example = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
            TypeAdapter(route.body_field.field_info.annotation).validate_python(example)  # type: ignore[union-attr]
        except (KeyError, ValidationError) as fault:
            faults.append(f"{name}: {fault!r}")
    assert seen > 50
    assert not faults, "\n".join(faults)


def test_the_description_says_how_a_token_is_sent_and_what_is_answered() -> None:
    document = application().openapi()
    schemes = document["components"]["securitySchemes"]
    assert {name: (one["type"], one["scheme"]) for name, one in schemes.items()} == {
        "bearer": ("http", "bearer"),
        "device": ("http", "bearer"),
    }
    assert document["paths"]["/api/v1/accounts"]["get"]["security"] == [{"bearer": []}]
    assert document["paths"]["/sync/v1/pull"]["post"]["security"] == [{"device": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    mapping = document["paths"]["/api/v1/imports/{run_id}/mapping"]["post"]
    assert mapping["requestBody"]["content"]["application/json"]["example"]["mapping"]["1"] == "name"
    for path in ("/api/v1/geocode", "/api/v1/review", "/api/v1/duplicates", "/api/v1/imports"):
        assert document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"]


def test_an_operation_without_a_sign_in_says_so_and_only_where_the_route_is_open() -> None:
    """A generator of clients takes a missing scheme for a mistake, and an empty one for a promise."""
    described = application().openapi()["paths"]
    for route in routes():
        for method in route.methods:
            operation = described.get(route.path_format, {}).get(method.lower())
            if operation is not None:
                is_open = any(isinstance(one, Public) for one in declared(route))
                assert (operation["security"] == []) == is_open, f"{method} {route.path_format}"
