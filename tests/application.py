"""The application, put together once for a whole process: that takes seconds."""

from functools import cache

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from server.app import create_app


@cache
def application() -> FastAPI:
    """The one whose transaction tests replace by their own, and whose routes they look at."""
    return create_app()


@cache
def served() -> FastAPI:
    """The one that listens on ports; nothing in it is replaced."""
    return create_app()


def routes() -> list[APIRoute]:
    """Every path operation."""
    found = (context.route for context in iter_route_contexts(application().routes))
    return [route for route in found if isinstance(route, APIRoute)]
