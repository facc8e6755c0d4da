"""Sentences that were put together in English, stored or just refused, as their reader speaks.

Each is a text of the catalogue with its gaps filled in: the text is found again, the values are read back out of it,
and the translation is filled with them. So every row stored before has its words too, and no table holds a language.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from server.kit.phrases import Pattern, patterns

LONGEST = 2000
"""Longer sentences hold somebody's own text for the most part, and stay as they are."""

AT_ONCE = 4
"""A sentence goes over at most so many full stops."""

WORDS = frozenset({"label", "problem", "trouble", "help", "there"})
"""Gaps that hold words of ours; the others hold values."""

LISTS = frozenset({"changes", "where"})
"""Gaps that hold several of them, with commas and semicolons between."""

DAY = re.compile(r"(\d\d) ([A-Z][a-z]+) (\d{4})")
NUMBER = re.compile(r"\d{1,3}(,\d{3})*(\.\d+)?")


class Wording:
    """The sentences of one language."""

    def __init__(self, texts: Mapping[str, str], *, has_comma: bool) -> None:
        self.texts = texts
        self.patterns = patterns(text for text in texts if not text.endswith("|1"))
        self.beginning = lru_cache(maxsize=500)(self.that_begin)
        self.has_comma = has_comma
        self.said = lru_cache(maxsize=4000)(self.word)

    def word(self, sentences: str) -> str:
        """Sentences in this language, line by line; one that the catalogue does not know stays as it is."""
        if not self.texts or len(sentences) > LONGEST:
            return sentences
        return "\n".join(self.line(line) for line in sentences.split("\n"))

    def line(self, line: str) -> str:
        """One line, sentence by sentence; a full stop within a value does not end one."""
        parts, said = re.split(r"(?<=[.?!]) (?=\S)", line), list[str]()
        while parts:
            tried = ((many, self.known(" ".join(parts[:many]))) for many in range(1, min(len(parts), AT_ONCE) + 1))
            many, known = next((one for one in tried if one[1] is not None), (1, None))
            said.append(parts[0] if known is None else known)
            parts = parts[many:]
        return " ".join(said)

    def known(self, sentence: str) -> str | None:
        """A sentence that the catalogue knows, with its values."""
        if (exact := self.texts.get(sentence)) is not None:
            return exact
        for pattern in self.beginning(sentence[:1]):
            if (values := pattern.read(sentence)) is not None:
                filled = {gap: self.value(pattern, gap, value) for gap, value in values.items()}
                one = f"{pattern.text}|1" if values.get("n") == "1" else pattern.text
                return self.texts.get(one, self.texts[pattern.text]).format(**filled)
        label, _, problem = sentence.partition(": ")
        if label in self.texts and (known := self.known(problem.rstrip("."))) is not None:
            return f"{self.texts[label]}: {known}{'.' * problem.endswith('.')}"
        if (known := self.texts.get(problem)) is not None:  # what is told of somebody, by name
            return f"{label}: {known}"
        return None

    def that_begin(self, sign: str) -> list[Pattern]:
        """The patterns that can begin with a sign."""
        return [one for one in self.patterns if one.between[0][:1] in ("", sign)]

    def value(self, pattern: Pattern, gap: str, value: str) -> str:
        """A value as it is read here: words are said, numbers and days are written as this language does."""
        if gap in WORDS:
            return self.line(value)
        if gap in LISTS:
            return "".join(self.line(part) for part in re.split(r"(; |, (?=\d))", value))
        if (day := DAY.fullmatch(value)) and day[2] in self.texts and not pattern.quotes(gap):
            return f"{int(day[1])}. {self.texts[day[2]]} {day[3]}"
        if self.has_comma and not pattern.quotes(gap) and NUMBER.fullmatch(value):
            return value.translate(str.maketrans(",.", ".,"))
        return value
