"""A file of named arrays that is mapped, not loaded: opening it costs nothing, and processes share its pages."""

import json
import mmap
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = b"waymark\x01"
PART = ".part"
"""How a file that is being written ends; what a killed writer leaves behind."""
_READ_ONLY = 0o400
"""Nobody writes into a file that processes have mapped: one that is cut short under them kills them."""
_ALIGNED = 64
_FIXED = len(MAGIC) + 16

Array = NDArray[Any]


class Broken(ValueError):
    """A file that is not what was written: cut off, of another kind, or of another content."""


class Arrays(Mapping[str, Array]):
    """The arrays of a file or of bytes, read only.

    Parameters
    ----------
    buffer : bytes or mmap
        What `pack` or `write` produced.
    identity : str
        What was said when it was written.

    Raises
    ------
    Broken
        When the buffer is not whole, or says another identity.
    """

    def __init__(self, buffer: bytes | mmap.mmap, identity: str) -> None:
        header, start = _header(buffer)
        if header["identity"] != identity:
            raise Broken("the content is another one")
        self._buffer = buffer
        self._sections: dict[str, tuple[str, int, int]] = {
            name: (kind, start + offset, count) for name, (kind, offset, count) in header["sections"].items()
        }

    def __getitem__(self, name: str) -> Array:
        kind, offset, count = self._sections[name]
        return np.frombuffer(self._buffer, dtype=kind, count=count, offset=offset)

    def raw(self, name: str) -> tuple[bytes | mmap.mmap, int]:
        """The buffer, and where in it an array begins: for slices that are copied at once."""
        return self._buffer, self._sections[name][1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sections)

    def __len__(self) -> int:
        return len(self._sections)


def _header(buffer: bytes | mmap.mmap) -> tuple[dict[str, Any], int]:
    """The table of contents, and where the arrays begin."""
    if len(buffer) < _FIXED or bytes(buffer[: len(MAGIC)]) != MAGIC:
        raise Broken("not an index file of this version")
    size, length, check = (int(n) for n in np.frombuffer(buffer, "<u8,<u4,<u4", 1, len(MAGIC))[0])
    text = bytes(buffer[_FIXED : _FIXED + length])
    if len(text) != length or zlib.crc32(text) != check:
        raise Broken("the header is damaged")
    if size != len(buffer):
        raise Broken(f"{len(buffer):,} bytes of {size:,}")
    header: dict[str, Any] = json.loads(text)
    start = _up(_FIXED + length)
    with memoryview(buffer) as whole, whole[start:] as body:
        if zlib.crc32(body) != header.get("check"):
            raise Broken("the content is damaged")
    return header, start


def _up(offset: int) -> int:
    return -(-offset // _ALIGNED) * _ALIGNED


def _pieces(arrays: Mapping[str, Array], identity: str) -> Iterator[bytes | memoryview]:
    sections: dict[str, tuple[str, int, int]] = {}
    end = 0
    for name, array in arrays.items():
        sections[name] = (array.dtype.str, end, array.size)
        end = _up(end + array.nbytes)
    body = 0
    for array in arrays.values():
        for piece in _body(array):
            body = zlib.crc32(piece, body)
    text = json.dumps({"identity": identity, "sections": sections, "check": body}).encode()
    start = _up(_FIXED + len(text))
    yield MAGIC + (start + end).to_bytes(8, "little")
    yield len(text).to_bytes(4, "little") + zlib.crc32(text).to_bytes(4, "little")
    yield text + bytes(start - _FIXED - len(text))
    for array in arrays.values():
        yield from _body(array)


def _body(array: Array) -> Iterator[bytes | memoryview]:
    if array.size:
        yield np.ascontiguousarray(array).view(np.uint8).data
    yield bytes(_up(array.nbytes) - array.nbytes)


def pack(arrays: Mapping[str, Array], identity: str = "") -> bytes:
    """The bytes of a file, for an index that lives in memory only."""
    return b"".join(_pieces(arrays, identity))


def write(path: Path, arrays: Mapping[str, Array], identity: str) -> None:
    """Write a file that appears under its name only when it is whole and on the disk.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written; nothing is left behind.
    """
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _copy(arrays, identity, file)
            os.fchmod(file.fileno(), _READ_ONLY)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        Path(part).unlink(missing_ok=True)


def _copy(arrays: Mapping[str, Array], identity: str, file: BinaryIO) -> None:
    for piece in _pieces(arrays, identity):
        file.write(piece)


def read(path: Path, identity: str) -> Arrays:
    """Map a file.

    Raises
    ------
    FileNotFoundError
        When there is none.
    Broken
        When it is not whole, or says another identity.
    """
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise Broken("the file is empty")
        return Arrays(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), identity)
