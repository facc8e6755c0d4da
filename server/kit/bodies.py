"""How much a request may bring along: refused before it fills the memory, whoever sends it."""

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
    limits
        Beginnings of paths with the bytes that are allowed there; elsewhere it is `MAX_BODY`.
    """

    def __init__(self, app: ASGIApp, limits: dict[str, int]) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a counted body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = next((size for start, size in self.limits.items() if scope["path"].startswith(start)), MAX_BODY)
        left = limit

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise BodyTooLarge(
                    f"The request is larger than {limit // 1_000_000:,} MB.", help="Send it in smaller pieces."
                )
            return message

        await self.app(scope, counted, send)
