"""What a mail address is, and how connections to mail servers are protected."""

import contextlib
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from uuid import UUID

from server.kit.errors import Invalid

_TAG = re.compile(r"\+w([0-9a-f]{32})@")
SECURITIES = ("tls", "starttls", "none")
_HOST = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*")
LONGEST_HOST = 253
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+|[^\s@<>,;\"]+@localhost")


def address(text: str, field: str = "to") -> str:
    """A mail address; refuses what is none."""
    found = text.strip()
    if not _ADDRESS.fullmatch(found) or not found.isascii():
        raise Invalid(f"“{text}” is not a mail address.", help="For example: rita@example.com", field=field)
    return found


def tagged(address: str, tag: UUID) -> str:
    """The same mailbox with a tag that an answer brings back: `sales+w0199...@example.com`."""
    name, _, host = address.partition("@")
    return f"{name}+w{tag.hex}@{host}"


def tags_in(addresses: Iterable[str]) -> list[UUID]:
    """The tags that some addresses bring back."""
    found = (_TAG.search(one.lower()) for one in addresses)
    return [UUID(one[1]) for one in found if one]


def host_name(written: str, example: str) -> str:
    """The name or number of a mail server, without the dot of the root and without an IPv6 number's brackets.

    Refuses an empty one, web addresses, blanks, signs that no name has, and parts longer than 63 (RFC 1035).
    """
    host = written.strip()
    number = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(number))
    host = host.removesuffix(".")
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host) or not _is_encodable(host):
        raise Invalid(
            "The server's name is missing or cannot be one.",
            help=f"Letters, digits, dots and hyphens only, without https:// and port; for example {example}.",
            field="host",
        )
    return host


def _is_encodable(host: str) -> bool:
    """Whether a name travels as it is written: no full-width letters, no part that DNS has no room for."""
    try:
        return bool(host.encode("idna")) and unicodedata.normalize("NFKC", host) == host
    except UnicodeError:
        return False
