"""What spreadsheets make of the cells that we write."""

import re

HARMLESS = re.compile(r"[+-]\d[\d.,]*|[+-][\d\s()./-]*\s[\d\s()./-]*")
"""A number, or a phone number in groups: a spreadsheet computes nothing from it and shows it as it is written."""

_UNHEARD_OF = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Control characters that no XLSX may hold."""


def harmless[T](value: T) -> T | str:
    """A cell that no spreadsheet takes for a formula: text beginning with = + - @ gets an apostrophe in front.

    Control characters that no file of theirs may hold are left out.
    """
    if not isinstance(value, str):
        return value
    text = _UNHEARD_OF.sub("", value)
    return "'" + text if text[:1] in tuple("=+-@\t\r") and not HARMLESS.fullmatch(text) else text


NOTHING = {"", "-", "--", "n/a", "na", "null", "none", "nan", "k.a.", "#n/a", "#nv", "#ref!", "#value!", "#wert!", "?"}
"""What files write for nothing, in small letters."""


def unquoted(cell: str) -> str:
    """Without the apostrophe that our own export puts before what looks like a formula."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell
