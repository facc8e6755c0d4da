"""Grammar of the filter language: text -> tree, with positions in its errors.

filter     = both { "or" both }
both       = unary { "and" unary }
unary      = "not" unary | "(" filter ")" | condition
condition  = field ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~") value
           | field ["not"] ("contains" | "starts with") value
           | field ["not"] "in" ( "(" value { "," value } ")" | period )
           | field ["not"] "between" value "and" value
           | field "is" ["not"] "empty"
           | relation "with" "(" filter ")"
           | relation "." function "(" [field] ["where" filter] ")" ["over" (span | period)] comparison
           | ["not"] "visited" "since" (span | value)
           | "within" number ("minutes" | "m" | "km") "of" place
           | "in" ("territory" | "segment") value | "in polygon" "(" lon lat { "," lon lat } ")"
function   = "count" | "sum" | "avg" | "min" | "max"
place      = lon "," lat | text | "account" value
value      = number | 'text' | "text" | word | date | moment | period
moment     = ("today" | "yesterday" | "tomorrow" | ("start" | "end") "of" unit) [("+" | "-") span]
period     = ("this" | "last" | "next") [number] unit
span       = number unit                                                 e.g. 30 days, 30d, 2 quarters
"""

import re
from typing import get_args

from server.kit.filtering.nodes import (
    Aggregate,
    All,
    AnyOf,
    Between,
    Comparison,
    Emptiness,
    FilterError,
    Function,
    Membership,
    Node,
    Not,
    Operator,
    Period,
    Related,
    Span,
    Value,
    Visited,
    Within,
)
from server.kit.filtering.places import places
from server.kit.filtering.tokens import Token
from server.kit.filtering.values import Reader

MAX_LENGTH = 4000
MAX_DEPTH = 40
MAX_CONDITIONS = 100

SIGNS: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "~": "~", "!~": "!~"}
FUNCTIONS: dict[str, Function] = {name: name for name in get_args(Function)}


class Parser(Reader):
    """Recursive descent over the words of one filter."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.conditions = 0

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
                return self.closed()
            self.conditions += 1
            if self.conditions > MAX_CONDITIONS:
                raise FilterError(f"the filter has more than {MAX_CONDITIONS} conditions", self.word.position)
            return self.condition()
        finally:
            self.depth -= 1

    def closed(self) -> Node:
        """A filter up to its closing bracket."""
        inside = self.either()
        self.need(")")
        return inside

    def condition(self) -> Node:
        """A field and what is asked of it, or a place."""
        first = self.next()
        if first.kind != "word":
            raise FilterError("expected the name of a field", first.position, help="For example class = A")
        name = first.text.lower()
        if name == "within" and self.word.kind in ("number", "measure"):
            return places(self, first.position)
        if name == "in" and self.is_keyword("territory", "segment"):
            kind = "territory" if self.next().text.lower() == "territory" else "segment"
            return Within("territory" if kind == "territory" else "segment", self.name(), first.position)
        if name == "in" and self.skip("polygon"):
            return self.polygon(first.position)
        if name == "visited" and self.skip("since"):
            since = self.span() if self.word.kind in ("number", "measure") else self.value()
            return Visited(since, first.position)
        relation, _, last = name.rpartition(".")
        if relation and last in FUNCTIONS and self.is_keyword("("):
            return self.aggregate(relation, FUNCTIONS[last], first.position)
        if self.skip("with"):
            self.need("(")
            return Related(name, self.closed(), first.position)
        return self.asked(name, first)

    def asked(self, name: str, first: Token) -> Node:
        """What is asked of a field."""
        if self.skip("is"):
            negated = self.skip("not")
            self.need("empty")
            empty = Emptiness(name, first.position)
            return Not(empty) if negated else empty
        negated = self.skip("not")
        if self.skip("in"):
            if self.is_keyword("this", "last", "next"):
                return Comparison(name, "!=" if negated else "=", self.value(), first.position)
            members = Membership(name, self.members(), first.position)
            return Not(members) if negated else members
        if self.skip("between"):
            low = self.value()
            self.need("and")
            between = Between(name, low, self.value(), first.position)
            return Not(between) if negated else between
        if self.skip("contains"):
            return Comparison(name, "!~" if negated else "~", self.value(), first.position)
        if self.skip("starts"):
            self.need("with")
            return Comparison(name, "!^" if negated else "^", self.value(), first.position)
        if negated or self.word.kind != "operator":
            raise FilterError(
                "expected =, !=, <, <=, >, >=, contains, starts with, between, in (...) or is empty",
                self.word.position,
                help=example(name),
            )
        sign, at = SIGNS[self.next().text], self.word
        value = self.value()
        if at.kind == "word" and self.is_sign("="):
            end = self.words[self.index + 1]
            written = f"{at.text}={end.text}" if end.kind != "end" else f"{at.text}="
            help = f'Write {name} = "{written}", or the word that people use for it.'
            raise FilterError(f"“{written}” needs quotes", at.position, help=help)
        return Comparison(name, sign, value, first.position)

    def aggregate(self, relation: str, function: Function, position: int) -> Aggregate:
        """What follows `orders.sum`."""
        self.need("(")
        field, where = None, None
        if self.word.kind == "word" and not self.is_keyword("where"):
            field = self.next().text.lower()
        if self.skip("where"):
            where = self.either()
        self.need(")")
        if function == "count" and field is not None:
            raise FilterError("count counts rows, not a field", position, help=f"For example {relation}.count() > 3")
        if function != "count" and field is None:
            raise FilterError(
                f"{function} needs a field", position, help=f"For example {relation}.{function}(amount) > 100"
            )
        over: Span | Period | None = None
        if self.skip("over"):
            over = self.period() if self.is_keyword("this", "last", "next") else self.span()
        sign = self.next()
        if sign.kind != "operator" or sign.text in ("~", "!~"):
            raise FilterError(
                "expected =, !=, <, <=, > or >=", sign.position, help=f"For example {relation}.{function}(...) > 3"
            )
        return Aggregate(relation, function, field, where, over, SIGNS[sign.text], self.value(), position)

    def members(self) -> tuple[Value, ...]:
        """The values of `in (...)`."""
        self.need("(")
        values = [self.value()]
        while self.skip(","):
            values.append(self.value())
        self.need(")")
        return tuple(values)


def example(name: str) -> str:
    """How a condition on a field is written; of `orders.count`, what was meant is asked of all orders."""
    relation, _, function = name.rpartition(".")
    if not relation or function not in FUNCTIONS:
        return f"For example {name} = value"
    return f"For example {relation}.{function}({'' if function == 'count' else 'amount'}) over 12 months > 3"


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
        one = parser.word
        known = re.sub(r"\W", "", one.text)
        raise FilterError(
            f"“{one.text}” is one word too many" if known else f"“{one.text}” is not expected here",
            one.position,
            help="Join conditions with and, or; put text with spaces into quotes.",
        )
    return tree
