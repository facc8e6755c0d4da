"""Device keys on a desktop: P-256 by `cryptography`, kept in a private folder.

A stand-in for Android's Keystore: the private key is a file only this system user can read, not
hardware that never gives it away.
"""

import base64
import uuid
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mobile.field.home import write_whole


class FileKeys:
    """Key pairs as files of mode 0600."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        alias = uuid.uuid4().hex
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_whole(self._path(alias), pem.decode("ascii"))
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return alias, base64.b64encode(public).decode("ascii")

    def sign(self, alias: str, message: bytes) -> str:
        key = serialization.load_pem_private_key(self._path(alias).read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._path(alias)} does not hold an elliptic-curve key")
        return base64.b64encode(key.sign(message, ec.ECDSA(hashes.SHA256()))).decode("ascii")

    def destroy(self, alias: str) -> None:
        self._path(alias).unlink(missing_ok=True)

    def _path(self, alias: str) -> Path:
        return self._folder / f"{alias}.pem"
