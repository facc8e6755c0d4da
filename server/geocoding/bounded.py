"""Questions to a server elsewhere that end: an answer takes no longer, and is no longer, than it may be."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from threading import Timer
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, ProxyHandler, build_opener

from geopy.adapters import URLLibAdapter
from geopy.exc import GeocoderServiceError

LONGEST_S = 20.0
"""For a whole answer; the time-out of geopy is one for each piece of it."""
LARGEST = 2_000_000
"""Bytes of an answer."""


class Http(HTTPHandler):
    """Opens http:// by connections of a kind."""

    def __init__(self, kind: type[HTTPConnection]) -> None:
        super().__init__()
        self.kind = kind

    def http_open(self, request: Any) -> Any:
        """The answer to a request."""
        return self.do_open(self.kind, request)


class Https(HTTPSHandler):
    """Opens https:// by connections of a kind."""

    def __init__(self, kind: type[HTTPConnection], context: Any) -> None:
        super().__init__(context=context)
        self.kind, self.context = kind, context

    def https_open(self, request: Any) -> Any:
        """The answer to a request."""
        return self.do_open(self.kind, request, context=self.context)


def holding(kind: Any, hold: Callable[[socket.socket], None]) -> Any:
    """A kind of connection that hands its socket out as soon as it is there."""

    class Held(kind):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            hold(self.sock)

    return Held


class BoundedAdapter(URLLibAdapter):  # type: ignore[misc]
    """One request at a time; the connection is cut off when its time is over."""

    def __init__(self, *, proxies: Any, ssl_context: Any) -> None:
        super().__init__(proxies=proxies, ssl_context=ssl_context)
        self.held: list[socket.socket] = []
        plain, secure = (holding(kind, self.hold) for kind in (HTTPConnection, HTTPSConnection))
        opened = build_opener(Http(plain), Https(secure, ssl_context), ProxyHandler(proxies))
        self.urlopen = opened.open

    def hold(self, connection: socket.socket) -> None:
        """Keep a second handle of a connection: the first may be wrapped, or waits for the peer."""
        self.held.append(socket.socket(fileno=os.dup(connection.fileno())))

    def cut(self) -> None:
        """End what is still open, for whoever reads from it."""
        for one in self.held:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def get_text(self, url: str, *, timeout: float, headers: Any) -> str:
        """The answer as text; refuses one that takes too long or is too long."""
        bell = Timer(LONGEST_S, self.cut)
        bell.daemon = True
        bell.start()
        try:
            text: str = super().get_text(url, timeout=timeout, headers=headers)
            return text
        finally:
            bell.cancel()
            bell.join()
            for one in self.held:
                one.close()
            self.held.clear()

    def _decode_page(self, page: Any) -> str:
        content: bytes = page.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise GeocoderServiceError("The answer is too long")
        return content.decode(page.headers.get_content_charset() or "utf-8")
