"""What spreadsheets make of the cells that we write."""

import re

HARMLESS = re.compile(r"[+-]\d[\d.,]*|[+-][\d\s()./-]*\s[\d\s()./-]*")
"""A number, or a phone number in groups: a spreadsheet computes nothing from it and shows it as it is written."""


def harmless[T](value: T) -> T | str:
    """A cell that no spreadsheet takes for a formula: text beginning with = + - @ gets an apostrophe in front."""
    if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") and not HARMLESS.fullmatch(value):
        return "'" + value
    return value
