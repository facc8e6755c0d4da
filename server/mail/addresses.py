"""What a mail address is, and how connections to mail servers are protected."""

import re

from server.kit.errors import Invalid

SECURITIES = ("tls", "starttls", "none")
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+|[^\s@<>,;\"]+@localhost")


def address(text: str, field: str = "to") -> str:
    """A mail address; refuses what is none."""
    found = text.strip()
    if not _ADDRESS.fullmatch(found) or not found.isascii():
        raise Invalid(f"“{text}” is not a mail address.", help="For example: rita@example.com", field=field)
    return found
