"""Grammar of the filter language: text -> tree, with positions in its errors.

filter     = either
either     = both { "or" both }
both       = unary { "and" unary }
unary      = "not" unary | "(" either ")" | condition
condition  = field ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~") value
           | field ["not"] "in" "(" value { "," value } ")"
           | field "is" ["not"] "empty"
           | "within" number ("minutes" | "minute" | "min") "of" number "," number
value      = number | 'text' | "text" | word | date
date       = YYYY-MM-DD | "today" [("+" | "-") number ("days" | "weeks" | "months")]
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Literal, NamedTuple, get_args

from geo.types import LonLat
from server.kit.errors import WaymarkError

MAX_LENGTH = 4000
MAX_DEPTH = 40
LONGEST_REACH_MIN = 120

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~"]
Unit = Literal["days", "weeks", "months"]


class FilterError(WaymarkError):
    """The filter's text is wrong; `position` counts characters from 0."""

    code = "filter_invalid"
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, message: str, position: int, *, help: str = "") -> None:
        super().__init__(f"{message} (at character {position + 1})", help=help, position=position)
        self.position = position


@dataclass(frozen=True, slots=True)
class Today:
    """A date relative to today."""

    amount: int = 0
    unit: Unit = "days"


type Scalar = Decimal | str | date | Today


class Value(NamedTuple):
    """A value and where it stands."""

    value: Scalar
    position: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field op value`."""

    field: str
    operator: Operator
    value: Value
    position: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`field in (a, b)`."""

    field: str
    values: tuple[Value, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Emptiness:
    """`field is empty`."""

    field: str
    position: int


@dataclass(frozen=True, slots=True)
class Reach:
    """`within 20 minutes of 9.52, 47.14`: longitude, then latitude."""

    minutes: float
    point: LonLat
    position: int


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


type Node = Comparison | Membership | Emptiness | Reach | Not | All | AnyOf


class Token(NamedTuple):
    """One word of the text."""

    kind: str
    text: str
    position: int


TOKEN = re.compile(
    r"""\s*(?:(?P<date>\d{4}-\d{2}-\d{2})\b
    |(?P<number>-?\d+(?:\.\d+)?)(?![\w.])
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<operator><=|>=|!=|!~|=|<|>|~)
    |(?P<mark>[(),+-])
    |(?P<word>[^\W\d][\w.-]*))""",
    re.VERBOSE,
)
UNITS: dict[str, Unit] = {
    "day": "days",
    "days": "days",
    "week": "weeks",
    "weeks": "weeks",
    "month": "months",
    "months": "months",
}


def tokens(text: str) -> list[Token]:
    """Cut the text into words."""
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise FilterError(f"“{text[start : start + 10]}” is not understood", start)
        kind = match.lastgroup
        found.append(Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    found.append(Token("end", "", len(text)))
    return found


class Parser:
    """Recursive descent over the words of one filter."""

    def __init__(self, text: str) -> None:
        self.words = tokens(text)
        self.index = 0
        self.depth = 0

    @property
    def word(self) -> Token:
        """The word under the reader's finger."""
        return self.words[self.index]

    def next(self) -> Token:
        """Read one word."""
        token = self.words[self.index]
        self.index += 1
        return token

    def is_keyword(self, *keywords: str) -> bool:
        """Whether the next word is one of these keywords or marks."""
        return self.word.kind in ("word", "mark") and self.word.text.lower() in keywords

    def skip(self, *keywords: str) -> bool:
        """Read one of these words if it comes next."""
        if self.is_keyword(*keywords):
            self.index += 1
            return True
        return False

    def need(self, mark: str) -> None:
        """Read this mark or word, or fail."""
        if not self.skip(mark):
            raise FilterError(f"expected “{mark}”", self.word.position)

    def either(self) -> Node:
        """`both { "or" both }`."""
        children = [self.both()]
        while self.skip("or"):
            children.append(self.both())
        return children[0] if len(children) == 1 else AnyOf(tuple(children))

    def both(self) -> Node:
        """`unary { "and" unary }`."""
        children = [self.unary()]
        while self.skip("and"):
            children.append(self.unary())
        return children[0] if len(children) == 1 else All(tuple(children))

    def unary(self) -> Node:
        """Negation, brackets or one condition."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FilterError("the filter is nested too deeply", self.word.position)
        try:
            if self.skip("not"):
                return Not(self.unary())
            if self.skip("("):
                inside = self.either()
                self.need(")")
                return inside
            return self.condition()
        finally:
            self.depth -= 1

    def condition(self) -> Node:
        """A field and what is asked of it."""
        field = self.next()
        if field.kind != "word":
            raise FilterError("expected the name of a field", field.position)
        name = field.text.lower()
        if name == "within" and self.word.kind == "number":
            return self.reach(field.position)
        if self.skip("is"):
            negated = self.skip("not")
            self.need("empty")
            empty = Emptiness(name, field.position)
            return Not(empty) if negated else empty
        negated = self.skip("not")
        if self.skip("in"):
            members = Membership(name, self.members(), field.position)
            return Not(members) if negated else members
        operator = self.next()
        if negated or operator.kind != "operator":
            raise FilterError(
                "expected =, !=, <, <=, >, >=, ~, in (...) or is empty", operator.position, help=f"e.g. {name} = value"
            )
        return Comparison(name, self.operator(operator), self.value(), field.position)

    def reach(self, position: int) -> Reach:
        """What follows `within`."""
        minutes = self.number()
        if not 0 < minutes <= LONGEST_REACH_MIN:
            raise FilterError(f"{minutes:g} minutes is not between 0 and {LONGEST_REACH_MIN}", position)
        if not self.skip("minutes", "minute", "min"):
            raise FilterError("expected minutes", self.word.position, help="within 20 minutes of 9.52, 47.14")
        self.need("of")
        at = self.word.position
        lon = self.number()
        self.need(",")
        try:
            return Reach(minutes, LonLat.checked(lon, self.number()), position)
        except ValueError as error:
            raise FilterError(str(error), at, help="Longitude first: within 20 minutes of 9.52, 47.14") from error

    def number(self) -> float:
        """A plain number."""
        token = self.next()
        if token.kind != "number":
            raise FilterError("expected a number", token.position, help="within 20 minutes of 9.52, 47.14")
        return float(token.text)

    def operator(self, token: Token) -> Operator:
        """The comparison a word stands for."""
        known: tuple[Operator, ...] = get_args(Operator)
        for operator in known:
            if token.text == operator:
                return operator
        raise FilterError("expected a comparison", token.position)

    def members(self) -> tuple[Value, ...]:
        """The values of `in (...)`."""
        self.need("(")
        values = [self.value()]
        while self.skip(","):
            values.append(self.value())
        self.need(")")
        return tuple(values)

    def value(self) -> Value:
        """One value."""
        token = self.next()
        if token.kind == "number":
            return Value(Decimal(token.text), token.position)
        if token.kind == "text":
            return Value(re.sub(r"\\(.)", r"\1", token.text[1:-1]), token.position)
        if token.kind == "date":
            try:
                return Value(date.fromisoformat(token.text), token.position)
            except ValueError as error:
                raise FilterError(f"“{token.text}” is not a date", token.position) from error
        if token.kind == "word" and token.text.lower() == "today":
            return Value(self.relative(), token.position)
        if token.kind == "word":
            return Value(token.text, token.position)
        raise FilterError("expected a value", token.position, help="Put text with spaces into quotes.")

    def relative(self) -> Today:
        """What follows `today`. The sign may stick to the number: `today -30 days`."""
        if self.word.kind == "number":
            sign = 1
        elif self.is_keyword("+", "-"):
            sign = 1 if self.next().text == "+" else -1
        else:
            return Today()
        amount, unit = self.next(), self.next()
        if amount.kind != "number" or "." in amount.text or abs(int(amount.text)) > 100_000:
            raise FilterError("expected a whole number", amount.position)
        if unit.text.lower() not in UNITS:
            raise FilterError("expected days, weeks or months", unit.position)
        return Today(sign * int(amount.text), UNITS[unit.text.lower()])


def parse(text: str) -> Node:
    """The tree of a filter.

    Raises
    ------
    FilterError
        When the text does not follow the grammar; says where.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"the filter is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    if not text.strip():
        raise FilterError("the filter is empty", 0, help="Leave the filter out to see everything.")
    parser = Parser(text)
    tree = parser.either()
    if parser.word.kind != "end":
        raise FilterError(f"“{parser.word.text}” is one word too many", parser.word.position, help="Join with and, or.")
    return tree
