"""Calls of the server: JSON, gzip both ways with a cap, errors by name, one refresh when a token has expired."""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mobile.field.store.canonical import Json, canonical
from mobile.field.sync.problems import TokenExpired, problem
from mobile.field.sync.transport import Reply, Request, Transport, Unreachable

MAX_REPLY_BYTES = 16 * 1024 * 1024
GZIP_FROM_BYTES = 512


class Api:
    """The server as seen by one phone."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.access_token: str | None = None
        self.refresh: Callable[[], None] | None = None

    def call(self, method: str, path: str, message: Json | None = None, *, signed_in: bool = True) -> Json:
        """Send a message and return the answer; raises a Problem or Unreachable."""
        headers, body = _packed(message)
        return self._with_token(lambda: self._once(Request(method, path, headers, body), signed_in), signed_in)

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, signed_in: bool = True) -> Json:
        """Send bytes as they are and return the answer."""
        return self._with_token(lambda: self._once(Request(method, path, headers, body), signed_in), signed_in)

    def fetch(self, path: str) -> bytes:
        """The bytes at an address."""
        return self._with_token(lambda: self._bytes(path), True)

    def headers(self) -> dict[str, str]:
        """What every call after sign-in carries."""
        return {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}

    def _with_token[T](self, once: Callable[[], T], signed_in: bool) -> T:
        """Do it, and once more with a fresh token when the old one has expired."""
        try:
            return once()
        except TokenExpired:
            if not signed_in or self.refresh is None:
                raise
            self.refresh()
            return once()

    def _once(self, request: Request, signed_in: bool) -> Json:
        common = {"Accept": "application/json", "Accept-Encoding": "gzip"} | (self.headers() if signed_in else {})
        with self.transport.open(replace(request, headers=common | dict(request.headers))) as reply:
            answer = read_json(reply)
            if reply.status >= 400:
                raise problem(reply.status, answer, reply.headers.get("retry-after"))
        return answer

    def _bytes(self, path: str) -> bytes:
        with self.transport.open(Request("GET", path, self.headers())) as reply:
            if reply.status >= 400:
                raise problem(reply.status, read_json(reply), reply.headers.get("retry-after"))
            content = reply.body.read(MAX_REPLY_BYTES + 1)
        if len(content) > MAX_REPLY_BYTES:
            raise Unreachable("the answer is larger than this phone accepts")
        return content


def _packed(message: Json | None) -> tuple[dict[str, str], bytes]:
    """A message as it travels, and what is said of it."""
    body = b"" if message is None else canonical(message).encode("utf-8")
    headers = {"Content-Type": "application/json"} if body else {}
    if len(body) > GZIP_FROM_BYTES:
        body = gzip.compress(body, compresslevel=5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return headers, body


def read_json(reply: Reply) -> Json:
    """The body as an object; a cut or foreign body on success counts as no answer."""
    try:
        raw = reply.body.read(MAX_REPLY_BYTES + 1)
        if reply.headers.get("content-encoding") == "gzip":
            raw = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(MAX_REPLY_BYTES + 1)
        if len(raw) > MAX_REPLY_BYTES:
            raise Unreachable("the answer is larger than this phone accepts")
        value: Any = json.loads(raw) if raw else {}
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        if reply.status >= 400:
            return {}
        raise Unreachable(f"the answer broke off: {error}") from error
    return value if isinstance(value, dict) else {}
