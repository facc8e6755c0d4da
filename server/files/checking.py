"""Which files are taken as a photo: a real picture that a machine can open without harm."""

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from server.files.sniffing import MOST_PIXELS, PICTURES, opened, sniff
from server.kit.errors import Invalid

CALLED_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})


class NotAPicture(Invalid):
    """Something else that is called a picture."""

    code = "not_a_picture"


class PictureTooLarge(Invalid):
    """A picture that would fill the memory of whoever opens it."""

    code = "picture_too_large"


def check(path: Path, name: str, *, photo: bool = False) -> None:
    """Refuse a picture with too many pixels, and what is called a picture or sent as one and is none."""
    called = photo or Path(name).suffix.lower() in CALLED_PICTURES
    kind = sniff(path, name)
    if kind.media_type in PICTURES or not called:
        return
    need_openable(path, name)
    raise NotAPicture(
        f"“{name}” is called a picture, but is {kind.media_type}.",
        help="Send the picture itself, or call the file what it is.",
        field="file",
    )


def need_openable(path: Path, name: str) -> None:
    """Refuse a picture with more pixels than anybody should open; says how many it may have."""
    if is_bomb(path):
        raise PictureTooLarge(
            f"“{name}” has more than {MOST_PIXELS // 1_000_000} million pixels.", help="Make it smaller.", field="file"
        )


def is_bomb(path: Path) -> bool:
    """Whether a picture has more pixels than anybody should open."""
    try:
        with opened(path) as picture:
            return picture.width * picture.height > MOST_PIXELS
    except Image.DecompressionBombError:
        return True
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return False
