"""Reads the values of a filter: numbers, texts, days, periods and spans."""

from datetime import date
from decimal import Decimal
from typing import cast

from geo.types import LonLat
from server.kit.filtering.nodes import FilterError, Inside, Moment, Period, Span, Unit, Value, Which
from server.kit.filtering.tokens import UNITS, Token, plain, tokens

MAX_AMOUNT = 100_000
MAX_CORNERS = 500


class Reader:
    """A finger on the words of one filter."""

    def __init__(self, text: str) -> None:
        self.words = tokens(text)
        self.index = 0

    @property
    def word(self) -> Token:
        """The word under the reader's finger."""
        return self.words[self.index]

    def next(self) -> Token:
        """Read one word; the end stays where it is."""
        token = self.words[self.index]
        self.index = min(self.index + 1, len(self.words) - 1)
        return token

    def is_keyword(self, *keywords: str) -> bool:
        """Whether the next word is one of these keywords or marks."""
        return self.word.kind in ("word", "mark") and self.word.text.lower() in keywords

    def is_sign(self, sign: str) -> bool:
        """Whether the next word is this operator."""
        return self.word.kind == "operator" and self.word.text == sign

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

    def value(self) -> Value:
        """One value."""
        if self.is_keyword("this", "last", "next") and self.period_follows():
            position = self.word.position
            return Value(self.period(), position)
        token = self.next()
        match token.kind:
            case "number":
                return Value(Decimal(token.text), token.position)
            case "text":
                return Value(plain(token.text), token.position)
            case "date":
                try:
                    return Value(date.fromisoformat(token.text), token.position)
                except ValueError as error:
                    raise FilterError(f"“{token.text}” is not a date", token.position) from error
            case "word":
                return Value(self.moment(token) or token.text, token.position)
            case "measure":
                return Value(token.text, token.position)
        raise FilterError("expected a value", token.position, help="Put text with spaces into quotes.")

    def name(self) -> str:
        """The name of something, in quotes or as one word."""
        token = self.next()
        if token.kind not in ("text", "word", "number", "measure"):
            raise FilterError("expected a name", token.position, help='Put names into quotes, as in "North".')
        return plain(token.text) if token.kind == "text" else token.text

    def period_follows(self) -> bool:
        """Whether `this`, `last` or `next` begins a period and is not a plain word."""
        after = self.words[self.index + 1]
        return after.kind in ("number", "measure") or (after.kind == "word" and after.text.lower() in UNITS)

    def moment(self, token: Token) -> Moment | None:
        """The day that a word begins, if it begins one."""
        word = token.text.lower()
        if word in ("start", "end") and self.is_keyword("of"):
            self.next()
            unit = self.next()
            if unit.text.lower() not in UNITS or UNITS[unit.text.lower()] == "days":
                raise FilterError("expected week, month, quarter or year", unit.position)
            amount, by = self.offset()
            return Moment(amount, by, "start of" if word == "start" else "end of", UNITS[unit.text.lower()])
        if word not in ("today", "yesterday", "tomorrow"):
            return None
        amount, by = self.offset()
        extra = {"today": 0, "yesterday": -1, "tomorrow": 1}[word]
        if extra and amount and by != "days":
            raise FilterError(f"count from today instead of “{word}”", token.position)
        return Moment(amount + extra, by if amount else "days")

    def offset(self) -> tuple[int, Unit]:
        """What follows a day: `- 30 days`, `+2w`. The sign may stick to the number."""
        if self.word.kind in ("number", "measure") and self.word.text.startswith("-"):
            span = self.span()
            return span.amount, span.unit
        if not self.is_keyword("+", "-"):
            return 0, "days"
        sign = 1 if self.next().text == "+" else -1
        span = self.span()
        return sign * span.amount, span.unit

    def span(self) -> Span:
        """A number and a unit, in one word or two."""
        token = self.next()
        digits = token.text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        unit = token.text[len(digits) :] if token.kind == "measure" else self.next().text
        if token.kind not in ("number", "measure") or "." in digits or abs(int(digits)) > MAX_AMOUNT:
            raise FilterError("expected a whole number", token.position, help="For example 30 days")
        if unit.lower() not in UNITS:
            raise FilterError(
                "expected days, weeks, months, quarters or years", token.position, help="For example 30 days"
            )
        return Span(int(digits), UNITS[unit.lower()])

    def period(self) -> Period:
        """What `this`, `last` or `next` begins."""
        first = self.next()
        which = cast(Which, first.text.lower())
        if self.word.kind not in ("number", "measure"):
            unit = self.next()
            if unit.text.lower() not in UNITS:
                raise FilterError("expected day, week, month, quarter or year", unit.position)
            return Period(which, 1, UNITS[unit.text.lower()])
        span = self.span()
        if which == "this" or span.amount < 1:
            raise FilterError(
                "expected last or next with a number from 1", first.position, help="For example last 3 months"
            )
        return Period(which, span.amount, span.unit)

    def number(self) -> float:
        """A plain number."""
        token = self.next()
        if token.kind != "number":
            raise FilterError("expected a number", token.position, help="For example within 20 minutes of 9.52, 47.14")
        return float(token.text)

    def point(self, separator: str) -> LonLat:
        """Longitude, then latitude."""
        at = self.word.position
        lon = self.number()
        if separator:
            self.need(separator)
        try:
            return LonLat.checked(lon, self.number())
        except ValueError as error:
            raise FilterError(str(error), at, help="Longitude first: 9.52, 47.14") from error

    def polygon(self, position: int) -> Inside:
        """The corners after `in polygon`."""
        self.need("(")
        ring = [self.point("")]
        while self.skip(","):
            ring.append(self.point(""))
        self.need(")")
        if ring[0] == ring[-1] and len(ring) > 1:
            ring.pop()
        if not 3 <= len(ring) <= MAX_CORNERS:
            raise FilterError(
                f"a polygon has 3 to {MAX_CORNERS} corners", position, help="For example in polygon (9 47, 10 47, 9 48)"
            )
        return Inside(tuple(ring), position)
