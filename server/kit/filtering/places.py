"""Reads `within … of …`: by car or as the crow flies, around a point, a named place or an account."""

from server.kit.filtering.nodes import FilterError, Named, Near, Place, Reach
from server.kit.filtering.tokens import plain
from server.kit.filtering.values import Reader

LONGEST_REACH_MIN = 120
LONGEST_M = 500_000
MINUTES = ("minutes", "minute", "min")
EXAMPLE = "within 20 minutes of 9.52, 47.14"


def places(reader: Reader, position: int) -> Reach | Near:
    """What follows `within`."""
    token = reader.next()
    digits = token.text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    amount = float(digits)
    unit = token.text[len(digits) :].lower()
    if not unit:
        unit = reader.word.text.lower()
        if unit not in (*MINUTES, "m", "metres", "meters", "km"):
            raise FilterError("expected minutes, m or km", reader.word.position, help=f"For example {EXAMPLE}")
        reader.next()
    if unit in MINUTES:
        if not 0 < amount <= LONGEST_REACH_MIN:
            raise FilterError(f"{amount:g} is not between 0 and {LONGEST_REACH_MIN} minutes", position)
        reader.need("of")
        return Reach(amount, place(reader), position)
    if unit not in ("m", "metres", "meters", "km"):
        raise FilterError("expected minutes, m or km", token.position, help=f"For example {EXAMPLE}")
    metres = round(amount * 1000, 3) if unit == "km" else amount
    if not 0 < metres <= LONGEST_M:
        raise FilterError(f"{amount:g} {unit} is not between 0 and {LONGEST_M // 1000} km", position)
    reader.need("of")
    return Near(metres, place(reader), position)


def place(reader: Reader) -> Place:
    """A point, a name in quotes, or an account."""
    token = reader.word
    if token.kind == "text":
        reader.next()
        return Named("place", plain(token.text), token.position)
    if reader.is_keyword("account"):
        reader.next()
        return Named("account", reader.name(), token.position)
    if token.kind == "word":
        raise FilterError(
            "expected a number or a name in quotes",
            token.position,
            help=f'For example {EXAMPLE}; within 5 km of "Vaduz"',
        )
    return reader.point(",")
