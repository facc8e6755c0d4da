"""Sentences with gaps, found again in what was put together from them: the values are read back out of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

LETTERS = 4
"""A text with fewer letters outside its gaps would fit everything."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with gaps."""

    between: tuple[str, ...]
    """What stands before, between and after the gaps."""
    gaps: tuple[str, ...]
    text: str

    def read(self, sentence: str) -> dict[str, str] | None:
        """The values in the gaps, or None when it is not this text; linear in its length."""
        first, *middle, last = self.between
        if not (sentence.startswith(first) and sentence.endswith(last)) or len(sentence) <= len(first) + len(last):
            return None
        at, end, found = len(first), len(sentence) - len(last), dict[str, str]()
        for gap, follows in zip(self.gaps, (*middle, None), strict=True):
            until = end if follows is None else sentence.find(follows, at + 1, end)
            if until <= at or found.setdefault(gap, sentence[at:until]) != sentence[at:until]:
                return None
            at = until + len(follows or "")
        return found

    def is_clear(self, sentence: str) -> bool:
        """Whether a sentence that is this text can be read in one way only: no value holds what stands between two."""
        first, *middle, last = self.between
        within = sentence[len(first) : len(sentence) - len(last)]
        return all(within.count(one) == sum(other.count(one) for other in middle) for one in middle)

    def quotes(self, gap: str) -> bool:
        """Whether a gap holds what somebody wrote, letter by letter."""
        return self.between[self.gaps.index(gap)].endswith("“")


def patterns(texts: Iterable[str]) -> list[Pattern]:
    """The texts with gaps, the most telling first."""
    found = []
    for text in texts:
        parts = re.split(r"{(\w+)}", text)
        if len(parts) > 1 and len(re.findall(r"[^\W\d_]", "".join(parts[::2]))) >= LETTERS:
            found.append(Pattern(tuple(parts[::2]), tuple(parts[1::2]), text))
    return sorted(found, key=lambda one: (-sum(map(len, one.between)), one.text))
