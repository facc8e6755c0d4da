"""AES-256-GCM by `cryptography`, which has a recipe for Android and is the phone's only library for secrets.

Row by row and file by file instead of a database that is sealed as a whole: python-for-android has no recipe for
SQLCipher, and search must stay quick; the names of accounts are opened once into memory. Ids, days, numbers of rows and
sizes of files are not secret.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mobile.field.ports import Secrets
from mobile.field.store.sealing import MARK, Seals, Unreadable

NONCE = 12
KINDS = ("outbox", "cache")


class AesSealer:
    """One key; a fresh nonce for every content."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return MARK + nonce + self._cipher.encrypt(nonce, plain, MARK)

    def open(self, sealed: bytes) -> bytes:
        if not sealed.startswith(MARK):
            return sealed
        at = len(MARK) + NONCE
        try:
            return self._cipher.decrypt(sealed[len(MARK) : at], sealed[at:], MARK)
        except InvalidTag as error:
            raise Unreadable("this was sealed with another key, or is damaged") from error


def _name(kind: str, user_id: str) -> str:
    return f"seal-{kind}-{user_id}"


def seals_of(secrets: Secrets, user_id: str) -> Seals:
    """The keys of a user on this phone; 256 random bits each, made when they are first asked for."""
    return Seals(*(AesSealer(_key(secrets, _name(kind, user_id))) for kind in KINDS))


def _key(secrets: Secrets, name: str) -> bytes:
    kept = secrets.get(name)
    if kept is None:
        kept = base64.b64encode(AESGCM.generate_key(256)).decode("ascii")
        secrets.put(name, kept)
    return base64.b64decode(kept)


def destroy(secrets: Secrets, user_id: str, *kinds: str) -> None:
    """Without its key a content is noise, at once and for good, wherever copies of it lie."""
    for kind in kinds or KINDS:
        secrets.delete(_name(kind, user_id))
