"""How many requests one process works on at a time; the others stand in line, without a thread or a connection.

Many at once share one interpreter and few processors: each takes longer, costs more, and has a connection of its own
that must learn every statement's plan. At 50 mixed requests a second that made one a fifth dearer (`benchmarks/scale`).
"""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_ONCE = 2
"""Requests of one process that are worked on."""
PATIENCE_S = 0.25
"""A request that takes longer keeps its thread but no longer its place: an export holds nobody up."""
PAST = ("/static/", "/sync/v1/", "/att/v1/")
"""Beginnings of paths that stand in no line: files, and phones, which have an order of their own."""
BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS")


class Line:
    """Middleware that lets so many requests in at a time, first come, first served.

    A request has a place from when its body is there until its answer begins: a slow line holds nobody up.
    """

    def __init__(self, app: ASGIApp, at_once: int = AT_ONCE, patience_s: float = PATIENCE_S) -> None:
        self.app, self.at_once, self.patience_s = app, at_once, patience_s
        self.places = WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request when it is its turn."""
        if scope["type"] != "http" or scope["path"].startswith(PAST):
            await self.app(scope, receive, send)
            return
        leave: Callable[[], None] | None = None

        async def received() -> Message:
            nonlocal leave
            message = await receive()
            if leave is None and message["type"] == "http.request" and not message.get("more_body", False):
                leave = await self._entered()
            return message

        async def sent(message: Message) -> None:
            if leave is not None:
                leave()
            await send(message)

        try:
            if scope["method"] in BODILESS:
                leave = await self._entered()
            await self.app(scope, received, sent)
        finally:
            if leave is not None:
                leave()

    async def _entered(self) -> Callable[[], None]:
        """Wait for a place; what gives it back, once."""
        loop = asyncio.get_running_loop()
        place = self.places.setdefault(loop, asyncio.Semaphore(self.at_once))
        await place.acquire()
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                late.cancel()
                place.release()

        late = loop.call_later(self.patience_s, leave)
        return leave
