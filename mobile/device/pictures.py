"""Pictures made smaller by Pillow, which has a recipe for Android and runs on a desktop alike."""

import io
from pathlib import Path

from PIL import Image, ImageOps

LARGE, SMALL = (1600, 1600), (240, 240)
LARGE_BYTES, SMALL_BYTES = 300_000, 20_000
QUALITIES = (85, 75, 65, 55, 45, 35)
TAKEN, ORIENTATION = 0x0132, 0x0112


class PillowPictures:
    """Shrinks photos to what a slow network carries."""

    def shrink(self, source: Path, large: Path, small: Path) -> tuple[int, int]:
        """Both pictures; where they were taken does not leave the phone with them."""
        with Image.open(source) as picture:
            taken = picture.getexif().get(TAKEN)
            picture.draft("RGB", LARGE)
            upright = ImageOps.exif_transpose(picture).convert("RGB")
        upright.thumbnail(LARGE)
        upright.info.clear()  # a comment, and in older Pillows XMP with the place, would be written with it
        exif = Image.Exif()
        if taken:
            exif[TAKEN] = taken
        large.write_bytes(_within(upright, LARGE_BYTES, exif))
        width, height = upright.size
        upright.thumbnail(SMALL)
        small.write_bytes(_within(upright, SMALL_BYTES, Image.Exif()))
        return width, height


def _within(picture: Image.Image, limit: int, exif: Image.Exif) -> bytes:
    """The picture as JPEG of as good a quality as fits; one that never fits is made smaller."""
    while True:
        for quality in QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, optimize=True, exif=exif)
            if buffer.tell() <= limit:
                return buffer.getvalue()
        picture = picture.resize((max(1, picture.width * 3 // 4), max(1, picture.height * 3 // 4)))
