"""What the phone's logic lacks and the device gives: keys, secrets, position, camera, network state."""

from pathlib import Path
from typing import Protocol

from mobile.field.checkin import Fix


class Keys(Protocol):
    """P-256 key pairs that never leave the device."""

    def create(self) -> tuple[str, str]:
        """Make a key pair; returns its alias and the public part (base64 of DER SubjectPublicKeyInfo)."""

    def sign(self, alias: str, message: bytes) -> str:
        """Base64 of the DER ECDSA-SHA256 signature."""

    def destroy(self, alias: str) -> None:
        """Make everything signed or wrapped with this key worthless."""


class Secrets(Protocol):
    """Small values that other apps cannot read."""

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, value: str) -> None: ...

    def delete(self, name: str) -> None: ...


class Position(Protocol):
    """The phone's place."""

    def fix(self) -> Fix | None:
        """The newest reading, or None when there is none."""

    def rest(self) -> None:
        """Nobody needs readings for now; asking for one takes them up again."""


class Network(Protocol):
    """What the system says about connections."""

    def connected(self) -> bool: ...

    def metered(self) -> bool: ...


class Camera(Protocol):
    """Takes a picture."""

    def take(self, into: Path) -> bool:
        """Write a JPEG; False when the rep gave up or there is no camera."""


class Codes(Protocol):
    """Reads the codes that machines draw for machines."""

    def read(self, picture: Path) -> str | None:
        """What the code in a picture says; None when there is none."""


class Pictures(Protocol):
    """Makes pictures smaller."""

    def shrink(self, source: Path, large: Path, small: Path) -> tuple[int, int]:
        """Write a picture of at most 1600 px and about 300 KB, upright, with no more than its time of what a camera
        wrote into it, and a small one of at most 20 KB; returns the width and height of the first."""


class Envelope(Protocol):
    """Seals parts of a file for the company's server."""

    @property
    def head(self) -> dict[str, str]:
        """What the server needs to open the parts; no secret."""

    def seal(self, name: str, plain: bytes) -> bytes:
        """One part, bound to its name."""


class Sharing(Protocol):
    """Hands a file to other apps and people."""

    def share(self, source: Path, title: str) -> str:
        """Put a copy where the rep can reach it and offer ways to send it; returns where it lies. Raises OSError."""
