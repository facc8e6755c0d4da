"""AES-256-GCM by `cryptography`, which has a recipe for Android and is the phone's only library for secrets.

Row by row and file by file instead of a database that is sealed as a whole: python-for-android has no recipe for
SQLCipher, and search must stay quick; the names of accounts are opened once into memory. Ids, days, numbers of rows and
sizes of files are not secret.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mobile.field.ports import Envelope, Secrets
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


def outbox_sealer(secrets: Secrets, user_id: str) -> AesSealer:
    """The key of a user's journal alone."""
    return AesSealer(_key(secrets, _name("outbox", user_id)))


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


class ServerEnvelope:
    """Seals the parts of one file so that the company's server alone can open them; not even this phone can."""

    def __init__(self, server_key: str, format_: str) -> None:
        server = base64.b64decode(server_key)
        once = X25519PrivateKey.generate()
        public = once.public_key().public_bytes_raw()
        shared = once.exchange(X25519PublicKey.from_public_bytes(server))
        key = HKDF(algorithm=SHA256(), length=32, salt=public + server, info=format_.encode("ascii")).derive(shared)
        self._cipher = AESGCM(key)
        self.head = {
            "format": format_,
            "server": hashlib.sha256(server).hexdigest()[:16],
            "key": base64.b64encode(public).decode("ascii"),
        }

    def seal(self, name: str, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, name.encode("utf-8"))


def envelope(server_key: str, format_: str) -> Envelope:
    """A fresh envelope for a server's key; base64 of 32 bytes."""
    return ServerEnvelope(server_key, format_)
