"""The contract of the protocol as one JSON Schema document, written from what the server itself uses.

After a change: `python -m server.sync.contract > tests/contract/schema.json`.
"""

import json
import sys
from typing import Any

from pydantic import TypeAdapter

from server.sync.protocol import wire
from server.sync.pulling.documents import DOCUMENTS

MESSAGES: dict[str, type[wire.Message]] = {
    "hello-request": wire.HelloRequest,
    "hello-reply": wire.HelloReply,
    "push-request": wire.PushRequest,
    "push-reply": wire.PushReply,
    "pull-request": wire.PullRequest,
    "pull-reply": wire.PullReply,
    "digest-request": wire.DigestRequest,
    "digest-reply": wire.DigestReply,
    "blob-request": wire.BlobRequest,
    "blob-reply": wire.BlobReply,
    "quarantine-request": wire.QuarantineRequest,
    "quarantine-reply": wire.QuarantineReply,
    "wiped-request": wire.WipedRequest,
}
"""Every message by its name; golden messages begin with it."""


def schema() -> dict[str, Any]:
    """The JSON Schema of every message, op and row document."""
    named: dict[str, TypeAdapter[Any]] = {
        **{f"message {name}": TypeAdapter(kind) for name, kind in MESSAGES.items()},
        "op": TypeAdapter(wire.AnyOp),
        **{f"row {name}": TypeAdapter(kind) for name, kind in DOCUMENTS.items()},
    }
    references, document = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in named.items()], title="Waymark sync, protocol 1"
    )
    parts = {name: references[name, "validation"] for name in named}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | document | {"parts": parts}


def text() -> str:
    """The document as it is stored."""
    return json.dumps(schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
