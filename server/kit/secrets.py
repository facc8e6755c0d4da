"""Secrets that must be used again (passwords of other servers): sealed in the database, never shown.

The key is the setting `secret_key` or, without one, a file of the home that is made on first use. A copy of the
database alone gives nothing away.
"""

import base64
import hashlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from server.kit.errors import Unavailable
from server.kit.settings import settings


class WrongKey(Unavailable):
    """A secret was sealed with another key."""

    code = "wrong_secret_key"


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return _fernet().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret for use. Refuses what was sealed with another key."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise WrongKey(
            "A stored password cannot be read with this machine's key.",
            help="Give every machine the same WAYMARK_SECRET_KEY (or secret.key in its home), or enter it anew.",
        ) from error


def _fernet() -> Fernet:
    given = settings().secret_key
    if given is not None:
        return Fernet(base64.urlsafe_b64encode(hashlib.sha256(given.get_secret_value().encode()).digest()))
    return Fernet(_own_key(settings().folder() / "secret.key"))


def _own_key(path: Path) -> bytes:
    """The key of this home; the first who asks makes it, whoever comes at the same moment takes that one."""
    if not path.exists():
        fresh = path.with_name(f".secret.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(Fernet.generate_key())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
