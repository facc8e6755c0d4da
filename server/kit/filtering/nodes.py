"""The tree of a filter: what a text, the chips of a page and a program's JSON all become."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal

from geo.types import LonLat
from server.kit.errors import WaymarkError

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~", "^", "!^"]
"""`~` contains, `^` starts with; with `!` in front their negations."""
Unit = Literal["days", "weeks", "months", "quarters", "years"]
Anchor = Literal["today", "start of", "end of"]
Which = Literal["this", "last", "next"]
Function = Literal["count", "sum", "avg", "min", "max"]


class FilterError(WaymarkError):
    """The filter's text is wrong; `position` counts characters from 0."""

    code = "filter_invalid"
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, message: str, position: int, *, help: str = "", **details: Any) -> None:
        super().__init__(f"{message} (at character {position + 1})", help=help, position=position, **details)
        self.position = position


def somewhere() -> Any:
    """Where a node stands in the text; two nodes are the same wherever they stand."""
    return field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Moment:
    """A day relative to today: `today - 30 days`, `start of quarter`, `end of month + 1 week`."""

    amount: int = 0
    unit: Unit = "days"
    anchor: Anchor = "today"
    of: Unit = "days"
    """Whose start or end."""


@dataclass(frozen=True, slots=True)
class Period:
    """A run of days relative to today: `this month`, `last 3 weeks`, `next 7 days`."""

    which: Which
    amount: int
    unit: Unit


type Scalar = Decimal | str | date | Moment | Period


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it stands."""

    value: Scalar
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Named:
    """A place by its name, or the main site of an account by the account's number or name."""

    kind: Literal["place", "account"]
    name: str
    position: int = somewhere()


type Place = LonLat | Named


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field op value`."""

    field: str
    operator: Operator
    value: Value
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Between:
    """`field between low and high`, both included."""

    field: str
    low: Value
    high: Value
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Membership:
    """`field in (a, b)`."""

    field: str
    values: tuple[Value, ...]
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Emptiness:
    """`field is empty`; of a relation: there is none."""

    field: str
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Related:
    """`contact with (role = buyer and language = de)`: one row fulfils all of it."""

    relation: str
    child: "Node"
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`orders.sum(amount where state = paid) over 24 months > 5000`."""

    relation: str
    function: Function
    field: str | None
    where: "Node | None"
    over: Span | Period | None
    operator: Operator
    value: Value
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Visited:
    """`visited since 30 days` or `visited since 2026-01-01`."""

    since: Span | Value
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Reach:
    """`within 20 minutes of 9.52, 47.14`: longitude, then latitude; by car."""

    minutes: float
    place: Place
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Near:
    """`within 500 m of "Vaduz"`: as the crow flies."""

    metres: float
    place: Place
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Inside:
    """`in polygon (9.5 47.1, 9.6 47.1, 9.6 47.2)`."""

    ring: tuple[LonLat, ...]
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Within:
    """`in territory "North"`, `in segment "Best bakers"`."""

    kind: Literal["territory", "segment"]
    name: str
    position: int = somewhere()


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    child: "Node"


@dataclass(frozen=True, slots=True)
class All:
    """Every child holds."""

    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one child holds."""

    children: tuple["Node", ...]


type Spatial = Reach | Near | Inside | Within
type Node = (
    Comparison
    | Between
    | Membership
    | Emptiness
    | Related
    | Aggregate
    | Visited
    | Reach
    | Near
    | Inside
    | Within
    | Not
    | All
    | AnyOf
)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below one."""
    match node:
        case All(below) | AnyOf(below):
            return below
        case Not(child) | Related(_, child):
            return (child,)
        case Aggregate(where=where) if where is not None:
            return (where,)
    return ()


def walk(node: Node) -> list[Node]:
    """A node and all below it, from the left."""
    return [node, *(below for child in children(node) for below in walk(child))]
