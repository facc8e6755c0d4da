"""What a camera wrote into a picture (where it was taken, when, by whose device) is left out; no pixel is touched.

A JPEG is a row of segments (ITU-T T.81, B.1.1), a PNG a row of chunks (W3C PNG, 5), a WebP a RIFF file (RFC 9649) and
a GIF a row of blocks (GIF89a). Only what is needed to draw the picture goes on: how it is turned and its colours stay.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from server.files.sniffing import orientation_of

JPEG_KEPT = ((0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))
"""Application segments that say how colours are meant."""
PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs acTL fcTL fdAT".split()
)
WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
GIF_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
"""Application blocks: how often a film runs, and colours."""
MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""The end of a JPEG's coded data: a marker that is no restart."""
HAS_EXIF, HAS_XMP = 0x08, 0x04


class NotWhole(Exception):
    """A picture whose parts do not follow each other as they should."""


def stripped(path: Path, media_type: str) -> bytes:
    """The bytes of a picture (JPEG, PNG, WebP, GIF) without a camera's or a program's notes and without what follows
    its end. Raises `NotWhole` when its parts cannot be told apart."""
    content, turned = path.read_bytes(), orientation_of(path)
    notes = struct.pack("<2sHIHHHII", b"II", 42, 8, 1, 0x0112, 3, 1, turned) + bytes(4) if turned != 1 else b""
    try:
        parts = {"image/jpeg": jpeg, "image/png": png, "image/webp": webp, "image/gif": gif}[media_type](content, notes)
        return b"".join(parts)
    except (struct.error, IndexError) as error:
        raise NotWhole from error


def jpeg(content: bytes, notes: bytes) -> Iterator[bytes]:
    """The segments of a JPEG; how it is turned stands behind the first one."""
    yield content[:2]
    at, waiting = 2, struct.pack(">HH", 0xFFE1, len(notes) + 8) + b"Exif\0\0" + notes if notes else b""
    while True:
        while content[at : at + 2] == b"\xff\xff":
            at += 1
        (mark, kind) = content[at], content[at + 1]
        if mark != 0xFF:
            raise NotWhole
        if kind != 0xE0:
            yield waiting
            waiting = b""
        if kind == 0xD9:
            yield content[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", content, at + 2)
        end, begins = at + 2 + length, content[at + 4 : at + 16]
        if end > len(content) or length < 2:
            raise NotWhole
        notable = kind == 0xFE or 0xE0 <= kind <= 0xEF
        if not notable or any(kind == known and begins.startswith(name) for known, name in JPEG_KEPT):
            yield content[at:end]
        if kind == 0xDA:
            found = MARKER.search(content, end)
            if found is None:  # cut off within its pixels, as viewers show it
                yield content[end:]
                return
            yield content[end : found.start()]
            end = found.start()
        at = end


def png(content: bytes, notes: bytes) -> Iterator[bytes]:
    """The chunks of a PNG; how it is turned stands behind its head."""
    yield content[:8]
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise NotWhole
        if kind in PNG_KEPT:
            yield content[at:end]
        if kind == b"IHDR" and notes:
            yield struct.pack(">I", len(notes)) + b"eXIf" + notes + struct.pack(">I", zlib.crc32(b"eXIf" + notes))
        at = end


def webp(content: bytes, notes: bytes) -> Iterator[bytes]:
    """The chunks of a WebP, its length and its marks of what it holds; how it is turned comes last."""
    (length,) = struct.unpack_from("<I", content, 4)
    if length + 8 > len(content):
        raise NotWhole
    parts, at, is_extended = [], 12, False
    while at < length + 8:
        kind, size = struct.unpack_from("<4sI", content, at)
        end = at + 8 + size + size % 2
        if end > length + 8 + 1:
            raise NotWhole
        if kind == b"VP8X":
            is_extended = True
            marks = content[at + 8] & ~(HAS_EXIF | HAS_XMP) | (HAS_EXIF if notes else 0)
            parts.append(content[at : at + 8] + bytes([marks]) + content[at + 9 : end])
        elif kind in WEBP_KEPT:
            parts.append(content[at:end])
        at = end
    if notes and is_extended:
        parts.append(struct.pack("<4sI", b"EXIF", len(notes)) + notes)
    yield struct.pack("<4sI4s", b"RIFF", 4 + sum(map(len, parts)), b"WEBP")
    yield from parts


def gif(content: bytes, _notes: bytes) -> Iterator[bytes]:
    """The blocks of a GIF without its comments."""
    at = 13 + table_of(content[10])
    yield content[:at]
    while content[at] != 0x3B:
        begin, kind = at, content[at]
        if kind == 0x21:
            label, at = content[at + 1], at + 2
        elif kind == 0x2C:
            label, at = 0, at + 11 + table_of(content[at + 9])
        else:
            raise NotWhole
        name = content[at + 1 : at + 12]
        while content[at]:
            at += 1 + content[at]
        at += 1
        if label not in (0xFE, 0xFF) or (label == 0xFF and name in GIF_KEPT):
            yield content[begin:at]
    yield b"\x3b"


def table_of(packed: int) -> int:
    """Bytes of a table of colours, told by its flags."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
