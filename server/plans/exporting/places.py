"""Places on other machines, and how their keys are shown; the program that goes there is loaded when it is needed."""

import base64
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where files go on another machine."""

    host: str
    port: int
    username: str
    folder: str
    secret: str
    """A password, or a private key in PEM."""
    host_key: str
    """`<type> <base64>`, as in known_hosts; empty: nobody has trusted it yet."""


def fingerprint(host_key: str) -> str:
    """A key as `ssh-keygen -lf` shows it: `ssh-ed25519 SHA256:...`."""
    kind, _, encoded = host_key.partition(" ")
    digest = hashlib.sha256(base64.b64decode(encoded)).digest()
    return f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
