"""Rooms are asked only about paths that begin as one of their own.

FastAPI asks every route of every room in turn: 2 to 6 ms of processor time for a page (`benchmarks/paths/run.py`).
"""

from fastapi import APIRouter
from starlette.routing import BaseRoute, Match
from starlette.types import Scope


class Signposted(APIRouter):
    """The routes of a room behind a signpost: how their paths begin, up to the first parameter."""

    def __init__(self, room: APIRouter) -> None:
        super().__init__()
        # included, they would be put together once more before the server is up: more than a second
        self.routes.extend(room.routes)
        self.begins = beginnings(room.routes)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether one of the routes matches; a path that begins like none of them is not looked at further."""
        if not scope["path"].startswith(self.begins) and not scope.get("root_path"):
            return Match.NONE, {}
        return super().matches(scope)


def beginnings(routes: list[BaseRoute]) -> tuple[str, ...]:
    """The fixed beginnings of paths, none of which another one begins with; everything, where a route has no path."""
    fixed = {getattr(route, "path", "").partition("{")[0] for route in routes}
    return tuple(sorted(one for one in fixed if not any(one != other and one.startswith(other) for other in fixed)))
