"""What a file is, told by its first bytes; what its sender calls it counts for nothing."""

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypisom", "video/mp4"),
    (4, b"ftypmp42", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
"""What a ZIP file is that is called like this; harmless to believe, because all of them are only handed out to save."""

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show in a page of ours; everything else is saved, never opened here."""

MOST_PIXELS = 100_000_000
SMALL = (480, 480)


@dataclass(frozen=True)
class Kind:
    """What a file is."""

    media_type: str
    width: int | None = None
    height: int | None = None


def sniff(path: Path, name: str) -> Kind:
    """What a file is; a picture also with its size as it is looked at."""
    with path.open("rb") as file:
        head = file.read(4096)
    media_type = next((kind for at, magic, kind in MAGIC if head[at : at + len(magic)] == magic), None)
    if media_type in PICTURES:
        return measured(path, media_type)
    if media_type == "application/zip":
        return Kind(OFFICE.get(Path(name).suffix.lower(), media_type))
    return Kind(media_type or ("text/plain" if is_text(head) else "application/octet-stream"))


def is_text(head: bytes) -> bool:
    """Whether a file begins like a text."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # a letter may be cut at the end
            return False
    return b"\x00" not in head


def measured(path: Path, media_type: str) -> Kind:
    """A picture with its size; what only pretends to be one is no picture."""
    try:
        with opened(path) as picture:
            width, height = picture.size
            turned = is_turned(picture)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return Kind("application/octet-stream")
    if width * height > MOST_PIXELS:
        return Kind("application/octet-stream")
    return Kind(media_type, *((height, width) if turned else (width, height)))


def opened(path: Path) -> Image.Image:
    """A picture whose head is read; Pillow's own warning is not heard, because `MOST_PIXELS` is the limit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


DAMAGED = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, struct.error)
"""What Pillow raises of a camera's notes that are not whole."""


def is_turned(picture: Image.Image) -> bool:
    """Whether a camera was held on its side."""
    return turn_of(picture) in (5, 6, 7, 8)


def turn_of(picture: Image.Image) -> int:
    """How a picture is turned, 1 (upright) to 8 as in EXIF; damaged notes say nothing."""
    try:
        turn = picture.getexif().get(0x0112, 1)
    except DAMAGED:
        return 1
    return turn if turn in range(1, 9) else 1


def orientation_of(path: Path) -> int:
    """How the picture in a file is turned, 1 to 8."""
    with opened(path) as picture:
        return turn_of(picture)


def upright_of(picture: Image.Image) -> Image.Image:
    """A picture as it is looked at; one whose camera's notes are damaged stays as it lies."""
    try:
        return ImageOps.exif_transpose(picture)
    except DAMAGED:
        return picture


def draw_small(path: Path, target: Path) -> bool:
    """Draw a small picture of a large one, upright and without what a camera wrote into it; False when that fails."""
    try:
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(path) as picture,
        ):
            if picture.width * picture.height > MOST_PIXELS:
                return False
            picture.draft("RGB", SMALL)
            upright = upright_of(picture)
            upright.thumbnail(SMALL)
            has_holes = upright.mode in ("RGBA", "LA", "P")
            upright.convert("RGBA" if has_holes else "RGB").save(target, "WEBP", quality=80)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    return True
