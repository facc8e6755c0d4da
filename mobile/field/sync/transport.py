"""The one way to the server: HTTP of the standard library behind a port that tests can make faulty."""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit


class Unreachable(Exception):
    """No answer: the outcome is unknown and the same request may be sent again."""


class Readable(Protocol):
    """A body that is read piece by piece."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Request:
    """One request to the server."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """The server's answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: Readable


class Transport(Protocol):
    """Carries a request; raises Unreachable whenever no whole answer came back."""

    def open(self, request: Request) -> AbstractContextManager[Reply]: ...


class BadAddress(ValueError):
    """The server's address cannot be used; says why."""


class HttpTransport:
    """Speaks HTTP/1.1 to one server, one connection per request."""

    def __init__(self, server: str, timeout_s: float = 30.0) -> None:
        why = f"{server!r} is not the address of a server; write https://name or http://name:port"
        try:
            parts = urlsplit(server if "//" in server else f"https://{server}")
            self._host, self._port = parts.hostname or "", parts.port
            self._prefix = parts.path.rstrip("/")
            http.client.HTTPConnection(self._host, self._port)  # which refuses some of what is no name
            is_named = bool(self._host.encode("idna") and (self._prefix or "/").encode("ascii"))
        except (ValueError, http.client.HTTPException) as error:
            raise BadAddress(why) from error
        if parts.scheme not in ("http", "https") or not is_named or len(server.split()) != 1:
            raise BadAddress(why)
        self._secure = parts.scheme == "https"
        self._timeout_s = timeout_s

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        connection = self._connection()
        try:
            connection.request(request.method, self._prefix + request.path, request.body or None, dict(request.headers))
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            yield Reply(answer.status, headers, answer)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self._host} did not answer: {error}") from error
        finally:
            connection.close()
