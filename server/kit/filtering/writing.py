"""Writes a filter's tree as text: the one canonical form, which reads back as the same tree."""

import re
from datetime import date
from decimal import Decimal

from geo.types import LonLat
from server.kit.filtering.nodes import (
    Aggregate,
    All,
    AnyOf,
    Between,
    Comparison,
    Emptiness,
    Inside,
    Membership,
    Moment,
    Named,
    Near,
    Node,
    Not,
    Period,
    Place,
    Reach,
    Related,
    Scalar,
    Span,
    Unit,
    Value,
    Visited,
    Within,
)

WORDS = {"~": "contains", "!~": "not contains", "^": "starts with", "!^": "not starts with"}
RESERVED = {
    "and", "or", "not", "in", "is", "empty", "with", "where", "over", "this", "last", "next", "today", "yesterday",
    "tomorrow", "start", "end", "account",
}  # fmt: skip
PLAIN = re.compile(r"[^\W\d][\w.-]*")


def write(node: Node) -> str:
    """The text of a tree."""
    match node:
        case All(children):
            return " and ".join(bracketed(child, isinstance(child, All | AnyOf)) for child in children)
        case AnyOf(children):
            return " or ".join(bracketed(child, isinstance(child, AnyOf)) for child in children)
        case Not(child):
            return negated(child)
        case Comparison(name, operator, value):
            return f"{name} {WORDS.get(operator, operator)} {scalar(value.value)}"
        case Between(name, low, high):
            return f"{name} between {scalar(low.value)} and {scalar(high.value)}"
        case Membership(name, values):
            return f"{name} in ({', '.join(scalar(value.value) for value in values)})"
        case Emptiness(name):
            return f"{name} is empty"
        case Related(name, child):
            return f"{name} with ({write(child)})"
        case Aggregate():
            return aggregate(node)
        case Visited(since):
            return f"visited since {scalar(since.value) if isinstance(since, Value) else span(since)}"
        case Reach(minutes, place):
            return f"within {minutes:g} minutes of {where(place)}"
        case Near(metres, place):
            far = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
            return f"within {far} of {where(place)}"
        case Inside(ring):
            return f"in polygon ({', '.join(f'{degrees(lon)} {degrees(lat)}' for lon, lat in ring)})"
        case Within(kind, name):
            return f"in {kind} {quoted(name)}"


def bracketed(node: Node, needed: bool) -> str:
    """A child, in brackets where it binds less than what surrounds it."""
    return f"({write(node)})" if needed else write(node)


def negated(child: Node) -> str:
    """A negation, where there is one in the shape that people write."""
    match child:
        case Emptiness(name):
            return f"{name} is not empty"
        case Membership(name, values):
            return f"{name} not in ({', '.join(scalar(value.value) for value in values)})"
        case Between(name, low, high):
            return f"{name} not between {scalar(low.value)} and {scalar(high.value)}"
    return f"not {bracketed(child, isinstance(child, All | AnyOf))}"


def aggregate(node: Aggregate) -> str:
    """`orders.sum(amount where state = paid) over 24 months > 5000`."""
    inside = " ".join(part for part in (node.field, node.where and f"where {write(node.where)}") if part)
    over = ""
    if node.over is not None:
        over = f" over {scalar(node.over) if isinstance(node.over, Period) else span(node.over)}"
    return f"{node.relation}.{node.function}({inside}){over} {node.operator} {scalar(node.value.value)}"


def scalar(value: Scalar) -> str:
    """A value."""
    match value:
        case Decimal():
            return format(value, "f")
        case Moment():
            return moment(value)
        case Period(which, amount, unit):
            return f"{which} {one(unit)}" if amount == 1 else f"{which} {amount} {unit}"
        case date():
            return value.isoformat()
    return value if PLAIN.fullmatch(value) and value.lower() not in RESERVED else quoted(value)


def moment(value: Moment) -> str:
    """A day relative to today."""
    start = "today" if value.anchor == "today" else f"{value.anchor} {one(value.of)}"
    if not value.amount:
        return start
    sign = "+" if value.amount > 0 else "-"
    return f"{start} {sign} {span(Span(abs(value.amount), value.unit))}"


def span(value: Span) -> str:
    """A number and its unit."""
    return f"{value.amount} {one(value.unit) if abs(value.amount) == 1 else value.unit}"


def one(unit: Unit) -> str:
    """The unit in the singular."""
    return unit.removesuffix("s")


def quoted(text: str) -> str:
    """A text in quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def where(place: Place) -> str:
    """A point, a named place or an account."""
    if isinstance(place, LonLat):
        return f"{degrees(place.lon)}, {degrees(place.lat)}"
    return quoted(place.name) if isinstance(place, Named) and place.kind == "place" else f"account {quoted(place.name)}"


def degrees(value: float) -> str:
    """Degrees, to a centimetre and without idle zeros."""
    return f"{value:.7f}".rstrip("0").rstrip(".") or "0"
