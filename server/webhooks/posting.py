"""One POST to an address that an admin has named; redirects are not followed, the answer's body is not looked at."""

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from server.kit.errors import Invalid
from server.kit.outside import connected, within

TIMEOUT_S = 15
LONGEST_S = 60
"""A peer that answers letter by letter is given up after so long."""


class NotPosted(Exception):
    """Nobody answered."""


def address(url: str) -> SplitResult:
    """The parts of an address; refuses what cannot be posted to."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise _no_address(url) from error
    is_plain = url.strip().isascii() and url.strip().isprintable() and " " not in url.strip()
    if not is_plain or parts.scheme not in ("http", "https") or not parts.hostname or parts.username or port == 0:
        raise _no_address(url)
    return parts


def _no_address(url: str) -> Invalid:
    return Invalid(f"“{url}” is not an address to post to.", help="For example: https://example.com/hook", field="url")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post a body; returns the status.

    Raises
    ------
    NotPosted
        When nobody answers, in words.
    """
    parts = address(url)
    host, secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    link = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        link.sock = connected(host, port, TIMEOUT_S, secure=secure)
        with within(link.sock, LONGEST_S):
            link.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
            return link.getresponse().status
    except ssl.SSLError as error:
        raise NotPosted(f"{host} does not prove who it is: {error.reason or error}.") from error
    except Invalid as error:
        raise NotPosted(f"{error.message} {error.help}".strip()) from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotPosted(f"{host}:{port} does not answer ({why}).") from error
    finally:
        link.close()
