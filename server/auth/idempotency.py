"""Idempotency keys: a program that is not sure whether its request arrived sends it again, and nothing happens twice.

A `POST` with the header `Idempotency-Key` is claimed in the transaction that does its work: what is rolled back leaves
no claim, what is committed is never done again. A second request with the same key that comes at the same moment waits
for the first; then it gets the first one's answer. The same key with another body or address is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from server.auth.models import IdempotentAnswer
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import BadRequest, Conflict, WaymarkError

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
LONGEST_KEY = 200
LARGEST_ANSWER = 2_000_000
STATE = "idempotency"
KEPT_HEADERS = ("content-type", "etag", "location")


class KeyReused(Conflict):
    """A key that belongs to another request."""

    code: ClassVar[str] = "idempotency_key_reused"


class AnswerLost(Conflict):
    """The request was done, its answer was not kept."""

    code: ClassVar[str] = "idempotency_answer_lost"


class AnsweredBefore(WaymarkError):
    """The request was done before; `answer` is what was answered."""

    def __init__(self, answer: Response) -> None:
        super().__init__("The request was answered before.")
        self.answer = answer


class Keyed:
    """Middleware that reads the body of requests with a key, and keeps what is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        key = _key_of(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False) and message["type"] == "http.request"
        kind = dict(scope["headers"]).get(b"content-type", b"")
        claim: dict[str, Any] = {"key": key, "hash": hashlib.sha256(kind + b"\n" + body).digest()}
        scope.setdefault("state", {})[STATE] = claim
        is_read, status, headers, chunks = False, 0, dict[str, str](), list[bytes]()

        async def read_again() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send_and_keep(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers.update({n.decode(): v.decode() for n, v in message["headers"] if n.decode() in KEPT_HEADERS})
            elif message["type"] == "http.response.body":
                chunks.append(message.get("body", b""))
                if not message.get("more_body", False) and "user_id" in claim:
                    await run_in_threadpool(_keep, claim, status, headers, b"".join(chunks))
            await send(message)

        await self.app(scope, read_again, send_and_keep)


def _key_of(scope: ASGIScope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith("/api/v1/"):
        return None
    found = dict(scope["headers"]).get(HEADER.lower().encode())
    return None if found is None else found.decode("latin-1")


def claim(request: Request, session: Session, user_id: UUID) -> None:
    """Claim the request's key, in the transaction that does its work; nothing without a key.

    Raises
    ------
    AnsweredBefore
        When the same request was done before.
    """
    wanted = request.scope.get("state", {}).get(STATE)
    if wanted is None or "user_id" in wanted:
        return
    key = wanted["key"].strip()
    if not key or len(key) > LONGEST_KEY:
        raise BadRequest(f"{HEADER} has 1 to {LONGEST_KEY} characters.", help="Send a UUID, a new one per request.")
    route = f"{request.method} {request.url.path}"
    table = IdempotentAnswer
    old = delete(table).where(table.user_id == user_id, table.key == key, table.at < clock.now() - KEPT)
    session.execute(old)
    values = {"user_id": user_id, "key": key, "route": route, "body_hash": wanted["hash"]}
    fresh = insert(table).values(values).on_conflict_do_nothing(index_elements=["user_id", "key"])
    if session.scalars(fresh.returning(table.key)).one_or_none() is not None:
        wanted["user_id"] = user_id
        return
    known = session.scalars(
        select(table).where(table.user_id == user_id, table.key == key).execution_options(populate_existing=True)
    ).one()
    if (known.route, known.body_hash) != (route, wanted["hash"]):
        raise KeyReused(
            f"The key “{key}” belongs to another request ({known.route}).", help="Take a new key for a new request."
        )
    if known.status is None:
        raise AnswerLost(
            "This request has been done, but its answer is not there (any more).",
            help="Read what it has made instead of sending it again; or try again in a moment.",
            after_s=1,
        )
    headers = {**(known.headers or {}), "Idempotency-Replayed": "true"}
    raise AnsweredBefore(Response(known.body or b"", known.status, headers))


def _keep(claim: Mapping[str, Any], status: int, headers: dict[str, str], body: bytes) -> None:
    """Keep an answer beside its claim; a refusal has left no claim behind, so nothing is kept of it."""
    if len(body) > LARGEST_ANSWER:
        return
    table = IdempotentAnswer
    mine = (table.user_id == claim["user_id"], table.key == claim["key"].strip(), table.status.is_(None))
    with transaction() as session:
        session.execute(
            update(table)
            .where(*mine)
            .values(status=status, headers=headers, body=body)
            .execution_options(synchronize_session=False)
        )


def forget(session: Session) -> None:
    """Take away answers that are older than a day."""
    session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.at < clock.now() - KEPT))


def documented(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the header at every `POST` of the API."""
    parameter = {
        "name": HEADER,
        "in": "header",
        "required": False,
        "schema": {"type": "string", "maxLength": LONGEST_KEY},
        "description": "A key of your own, new for each request. The same request with the same key within 24 hours is"
        " done once and answered the same; another one with the same key is refused (409).",
        "example": "5f0c3a52-7a3e-4d0e-9a53-1d4f1a2b3c4d",
    }
    for path, methods in schema["paths"].items():
        if path.startswith("/api/v1/") and "post" in methods:
            methods["post"].setdefault("parameters", []).append(json.loads(json.dumps(parameter)))
    return schema
