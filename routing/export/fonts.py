"""Fonts for the printed sheet: Roboto for Latin, Greek and Cyrillic, DejaVu Sans for what Roboto lacks.

Both are free (Apache 2.0; Bitstream Vera licence) and come with packages that Waymark needs anyway.
"""

import importlib.util
import itertools
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from routing.export.wording import printable

REGULAR, BOLD = "Waymark", "Waymark-Bold"
_FALLBACK, _FALLBACK_BOLD = "Waymark-Wide", "Waymark-Wide-Bold"
_FILES = {
    REGULAR: ("kivy", "data/fonts/Roboto-Regular.ttf"),
    BOLD: ("kivy", "data/fonts/Roboto-Bold.ttf"),
    _FALLBACK: ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf"),
    _FALLBACK_BOLD: ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf"),
}


@cache
def register() -> None:
    """Make the fonts known to reportlab, once per process.

    Raises
    ------
    FileNotFoundError
        When a package that brings a font is missing.
    """
    rl_config.useA85 = 0  # streams are stored as they are compressed: a fifth smaller, and no loop over their bytes
    for name, (package, path) in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(_package(package) / path)))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def runs(text: str, bold: bool = False) -> list[tuple[str, str]]:
    """The text cut into (font, piece) so that every character that some font has is drawn with one that has it."""
    register()
    first, second = (BOLD, _FALLBACK_BOLD) if bold else (REGULAR, _FALLBACK)
    known = _characters(first)
    pieces = itertools.groupby(text, key=lambda character: ord(character) in known or character.isspace())
    return [(first if is_known else second, "".join(piece)) for is_known, piece in pieces]


def markup(text: str, bold: bool = False) -> str:
    """The text for a reportlab paragraph: escaped, with fonts where the usual one lacks a character."""
    pieces = []
    for name, piece in runs(printable(" ".join(text.split())), bold):
        safe = escape(piece)
        pieces.append(safe if name == REGULAR else f'<font name="{name}">{safe}</font>')
    return "".join(pieces)


def width(text: str, size: float, bold: bool = False) -> float:
    """Length of the text in points."""
    return float(sum(pdfmetrics.stringWidth(piece, name, size) for name, piece in runs(text, bold)))


@cache
def _characters(name: str) -> frozenset[int]:
    font = pdfmetrics.getFont(name)
    if not isinstance(font, TTFont):
        raise TypeError(f"{name} is not a TrueType font")
    return frozenset(font.face.charToGlyph)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {name}, which brings a font, is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
