"""Files in which phones hand over what they could not send: sealed for this company's server, read part by part.

The file is a zip: `README.txt` in plain words, `key.json`, `ops.sealed`, one part for each photo, and `aside.sealed`
with the bytes of entries that the phone cannot read any more, where it has such. Parts are sealed with AES-256-GCM
under a key that only our own private key gives back (X25519, HKDF-SHA256); it is derived from the secret of the
database, so that it is the same after a restore.
"""

import base64
import binascii
import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.files import store
from server.kit.errors import Invalid
from server.sync.models import SyncMeta
from server.sync.protocol import wire

FORMAT = "waymark-unsent-1"
MOST_HEAD_BYTES, MOST_OPS_BYTES = 4_000, 64_000_000
NONCE = 12
SEAL = 16
TORN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, OSError, EOFError)
"""What reading a damaged zip can end with."""


class NotAnExport(Invalid):
    """A file that is no export, is damaged, or is sealed for somebody else."""

    code = "not_an_export"


class Head(BaseModel):
    """`key.json`: whose server can open the file, and with what."""

    model_config = ConfigDict(extra="ignore")

    format: str
    server: str
    key: str


class Picture(BaseModel):
    """A photo that lies in the file."""

    model_config = ConfigDict(extra="ignore")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Contents(BaseModel):
    """`ops.sealed`, opened."""

    model_config = ConfigDict(extra="ignore")

    device: UUID
    made_at: str
    ops: list[dict[str, Any]]
    photos: list[Picture]
    signature: str


class Aside(BaseModel):
    """`aside.sealed`, opened: entries that the phone cannot read any more, as they lie there."""

    model_config = ConfigDict(extra="ignore")

    entries: list[dict[str, Any]]
    signature: str


@dataclass(frozen=True)
class Export:
    """An opened file."""

    contents: Contents
    parts: zipfile.ZipFile
    cipher: AESGCM
    aside: Aside | None = None

    def proof(self) -> bytes:
        """What the phone has signed."""
        photos = [one.sha256 for one in self.contents.photos]
        said = wire.canonical({"ops": self.contents.ops, "photos": photos})
        return f"{FORMAT}\n{self.contents.device}\n{hashlib.sha256(said.encode()).hexdigest()}".encode()

    def proof_of_aside(self) -> bytes:
        """What the phone has signed of entries that it cannot read."""
        said = wire.canonical(self.aside.entries if self.aside else [])
        return f"{FORMAT} aside\n{self.contents.device}\n{hashlib.sha256(said.encode()).hexdigest()}".encode()

    def photo(self, sha256: str) -> bytes:
        """The content of a photo; refuses one that is missing or is not what its name says."""
        content = part(self.parts, self.cipher, f"photos/{sha256}", store.limit())
        if hashlib.sha256(content).hexdigest() != sha256:
            raise damaged()
        return content


def damaged() -> NotAnExport:
    """What is said of a file that did not come whole."""
    return NotAnExport("The file is damaged or was cut on its way.", help="Export it on the phone again.", field="file")


def own_key(secret: bytes) -> X25519PrivateKey:
    """The key that opens what phones sealed for this company."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=FORMAT.encode()).derive(secret)
    return X25519PrivateKey.from_private_bytes(derived)


def told(secret: bytes) -> str:
    """The public part, for phones: base64 of 32 bytes."""
    return base64.b64encode(own_key(secret).public_key().public_bytes_raw()).decode()


def name_of(public: bytes) -> str:
    """How a key is called, so that a foreign file is known as one."""
    return hashlib.sha256(public).hexdigest()[:16]


def content_key(shared: bytes, ephemeral: bytes, public: bytes) -> bytes:
    """The key of one file; 32 bytes."""
    return HKDF(algorithm=SHA256(), length=32, salt=ephemeral + public, info=FORMAT.encode()).derive(shared)


def opened(session: Session, file: IO[bytes]) -> Export:
    """Open a file; refuses what is no export, is damaged, or was sealed for another company's server."""
    secret = session.scalars(select(SyncMeta.secret)).one()
    try:
        parts = zipfile.ZipFile(file)
        if parts.getinfo("key.json").file_size > MOST_HEAD_BYTES:
            raise ValueError
        head = Head.model_validate_json(parts.read("key.json"))
    except (KeyError, ValidationError, *TORN) as error:
        raise NotAnExport(
            "The file is no export of a phone, or was cut on its way.",
            help="Choose the file as the phone made it, or export it there again.",
            field="file",
        ) from error
    if head.format != FORMAT:
        raise NotAnExport(
            f"The file has the format “{head.format}”, which this server does not know.",
            help="Update the server.",
            field="file",
        )
    cipher = cipher_of(own_key(secret), head)
    raw = part(parts, cipher, "ops.sealed", MOST_OPS_BYTES)
    torn = part(parts, cipher, "aside.sealed", MOST_OPS_BYTES) if "aside.sealed" in parts.namelist() else None
    try:
        contents = Contents.model_validate(json.loads(raw, parse_constant=refuse_constant))
        kept = None if torn is None else Aside.model_validate(json.loads(torn, parse_constant=refuse_constant))
    except (ValidationError, ValueError, RecursionError) as error:
        raise damaged() from error
    return Export(contents, parts, cipher, kept)


def refuse_constant(name: str) -> None:
    """NaN and infinities are no JSON."""
    raise ValueError(name)


def cipher_of(own: X25519PrivateKey, head: Head) -> AESGCM:
    """What opens the parts of a file; refuses one for another server."""
    public = own.public_key().public_bytes_raw()
    if head.server != name_of(public):
        raise NotAnExport(
            "The file is sealed for the server of another company.",
            help="Take it in where its phone is signed in.",
            field="file",
        )
    try:
        ephemeral = base64.b64decode(head.key, validate=True)
        shared = own.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    except (binascii.Error, ValueError) as error:
        raise damaged() from error
    return AESGCM(content_key(shared, ephemeral, public))


def part(parts: zipfile.ZipFile, cipher: AESGCM, name: str, most: int) -> bytes:
    """One part, opened; refuses one that is missing, changed, or larger than such a part can be."""
    try:
        if parts.getinfo(name).file_size > most + NONCE + SEAL:
            raise damaged()
        sealed = parts.read(name)
        return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
    except (KeyError, InvalidTag, *TORN) as error:
        raise damaged() from error
