"""What a picture of a code says: read by ZXing, in Java on a phone and in C++ on a desktop."""

import importlib
from pathlib import Path
from typing import Any

from PIL import Image

from mobile.device.android import java

SIDE = 1_200
"""Enough for a code that fills a fifth of the picture."""


def grey(picture: Path) -> Image.Image:
    """A picture without its colours, small enough to be looked through quickly."""
    with Image.open(picture) as opened:
        opened.draft("L", (SIDE, SIDE))
        shown = opened.convert("L")
    shown.thumbnail((SIDE, SIDE))
    return shown


class DesktopCodes:
    """ZXing in C++, which has no recipe for phones."""

    def read(self, picture: Path) -> str | None:
        found: list[Any] = importlib.import_module("zxingcpp").read_barcodes(grey(picture))
        return str(found[0].text) if found else None


class AndroidCodes:
    """ZXing's Java library, which the build takes along."""

    def read(self, picture: Path) -> str | None:
        shown = grey(picture)
        source = java("com.google.zxing.PlanarYUVLuminanceSource")(
            shown.tobytes(), shown.width, shown.height, 0, 0, shown.width, shown.height, False
        )
        bits = java("com.google.zxing.BinaryBitmap")(java("com.google.zxing.common.HybridBinarizer")(source))
        nothing_found = importlib.import_module("jnius").JavaException
        try:
            return str(java("com.google.zxing.qrcode.QRCodeReader")().decode(bits).getText())
        except nothing_found:
            return None
