"""One spelling of a JSON value, so that two machines hash it alike."""

import hashlib
import json
from typing import Any

Json = dict[str, Any]


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, real characters; refuses NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> bytes:
    """The hash of the text's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8")).digest()
