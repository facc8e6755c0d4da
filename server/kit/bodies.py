"""How much a request may bring along: refused before it fills the memory, whoever sends it."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.kit.errors import TooLarge

MAX_BODY = 64_000_000
"""Bytes of a body whose route reads it as a whole."""


class BodyTooLarge(TooLarge):
    """A request that brings more than any route reads."""

    code = "too_big"


class BodyLimit:
    """Middleware that counts the bytes of every body.

    Parameters
    ----------
    answer
        Makes the refusal; what reads the body may take our error for one of its own and answer with another.
    limits
        Beginnings of paths with the bytes that are allowed there; elsewhere it is `MAX_BODY`.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Response], limits: dict[str, int]) -> None:
        self.app, self.answer, self.limits = app, answer, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a counted body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = next((size for start, size in self.limits.items() if scope["path"].startswith(start)), MAX_BODY)
        too_large = BodyTooLarge(
            f"The request is larger than {limit // 1_000_000:,} MB.", help="Send it in smaller pieces."
        )
        left, answered = limit, False

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise too_large
            return message

        async def send_unless_refused(message: Message) -> None:
            nonlocal answered
            if left >= 0 or answered:
                answered = True
                await send(message)

        try:
            await self.app(scope, counted, send_unless_refused)
        except BodyTooLarge as error:
            if error is not too_large:
                raise
        if left < 0 and not answered:
            await self.answer(Request(scope), too_large)(scope, receive, send)
