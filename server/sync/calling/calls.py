"""How a phone's call comes to its handler: what the route declares is done by hand, as phones call all day long.

The framework's own way of solving dependencies took longer than the handlers. What a route says of itself, to the
documentation and to those who look after rights, stays in its signature.
"""

from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from inspect import signature
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from server.sync.calling.admission import taking_turn, turn
from server.sync.calling.phones import PhoneRequires, body_of


class PhoneRoute(APIRoute):
    """A route whose handler takes who calls and the message, and nothing else; others are as everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        calls = [one.call for one in self.dependant.dependencies]
        requires = next((one for one in calls if isinstance(one, PhoneRequires)), None)
        if requires is None or {*signature(self.endpoint).parameters} != {"scope", "body"}:
            return super().get_route_handler()
        reads, handler = turn in calls, self.endpoint

        async def handle(request: Request) -> Response:
            async with taking_turn(request) if reads else nullcontext():
                scope = await requires(request)
                body = await body_of(request)
                answer: Response = await run_in_threadpool(handler, scope, body)
                return answer

        return handle
