"""The sync routes without HTTP around them: the same handlers, rights and errors, at a fraction of the time."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response
from sqlalchemy.exc import IntegrityError, OperationalError

from server.auth import routes as auth
from server.auth.access import Scope
from server.auth.schemas import Refresh
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.sync import routes
from server.sync.calling.phones import PhoneRequires, unpack
from server.sync.pushing import blob_routes

HANDLERS: dict[str, tuple[str, Callable[..., Response]]] = {
    "/sync/v1/hello": ("sync:read", routes.say_hello),
    "/sync/v1/push": ("sync:write", routes.push_ops),
    "/sync/v1/pull": ("sync:read", routes.pull_page),
}


@dataclass(frozen=True)
class Answer:
    """What an HTTP client would have got."""

    status_code: int
    content: bytes
    headers: dict[str, str]


def caller(requires: PhoneRequires, request: Request) -> Scope:
    """Who calls, without a thread for it."""
    return requires.known(request) or requires.sign_in(request)


class Door:
    """Stands in for the HTTP client of the application."""

    def request(self, method: str, path: str, *, headers: dict[str, str], content: bytes | None) -> Answer:
        """One request and its answer; what the application does not catch is a server error."""
        try:
            if path.startswith("/att/v1/"):
                return self.contents(method, path, headers, content or b"")
            return Answer(200, self.handled(method, path, headers, content or b""), {})
        except WaymarkError as error:
            return Answer(int(error.status), json.dumps(error.problem(), default=str).encode(), {})
        except (OperationalError, IntegrityError):
            return Answer(503, b'{"code": "busy"}', {})

    def contents(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """What is answered to a content or a piece of it."""
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        request = Request({"type": "http", "method": method, "path": path, "headers": lines, "client": None})
        scope, sha256 = caller(PhoneRequires("sync:write"), request), path.rpartition("/")[2]
        if method == "POST":
            answer = blob_routes.declare(sha256, scope, body)
        else:
            offset, checksum = int(headers["Upload-Offset"]), headers["Upload-Checksum"]
            answer = blob_routes.send_piece(sha256, scope, body, offset, checksum)
        return Answer(answer.status_code, bytes(answer.body), {})

    def handled(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """What the handler of a path answers."""
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        request = Request({"type": "http", "method": method, "path": path, "headers": lines, "client": None})
        plain = unpack(body) if headers.get("Content-Encoding") == "gzip" else body
        if path == "/api/v1/auth/refresh":
            with transaction() as session:
                pair = auth.refresh(Refresh.model_validate_json(plain), request, session)
            return pair.model_dump_json().encode()
        permission, handler = HANDLERS[path]
        return bytes(handler(caller(PhoneRequires(permission, only_token=True), request), plain).body)
