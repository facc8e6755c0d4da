"""The words of a filter, each with the place where it begins."""

import re
from typing import NamedTuple

from server.kit.filtering.nodes import FilterError, Unit


class Token(NamedTuple):
    """One word of the text."""

    kind: str
    """`date`, `measure` (30d, 20min), `number`, `text`, `operator`, `mark`, `word` or `end`."""
    text: str
    position: int


TOKEN = re.compile(
    r"""\s*(?:(?P<date>\d{4}-\d{2}-\d{2})\b
    |(?P<measure>-?\d+(?:\.\d+)?(?:days?|weeks?|months?|years?|minutes?|min|km|d|w|m|q|y))(?![\w.])
    |(?P<number>-?\d+(?:\.\d+)?)(?![\w.])
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<operator><=|>=|!=|!~|=|<|>|~)
    |(?P<mark>[(),+-])
    |(?P<today>(?:today|yesterday|tomorrow|week|month|quarter|year)(?=\s*[+-]\s*\d))
    |(?P<word>[^\W\d][\w.-]*))""",
    re.VERBOSE | re.IGNORECASE,
)

UNITS: dict[str, Unit] = {
    "d": "days", "day": "days", "days": "days", "w": "weeks", "week": "weeks", "weeks": "weeks",
    "m": "months", "month": "months", "months": "months", "q": "quarters", "quarter": "quarters",
    "quarters": "quarters", "y": "years", "year": "years", "years": "years",
}  # fmt: skip


def tokens(text: str) -> list[Token]:
    """Cut the text into words."""
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise FilterError(
                f"“{text[start : start + 10]}” is not understood",
                start,
                help="A quotation mark is not closed." if text[start] in "\"'" else "",
            )
        kind = match.lastgroup
        found.append(Token("word" if kind == "today" else kind, match.group(kind), match.start(kind)))
        position = match.end()
    found.append(Token("end", "", len(text)))
    return found


def plain(text: str) -> str:
    """A text in quotes without them."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])
