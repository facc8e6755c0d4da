"""Slips of the finger: words one letter away from what was typed (left out, doubled, changed, swapped). Pure."""

from functools import lru_cache

LEAST = 4
"""Shorter words are taken as they are typed: at three letters everything is near everything."""


def nearly(query_words: list[tuple[str, ...]], folded: str) -> bool:
    """Whether each word typed is at most one slip away from how a word of the text begins."""
    text_words = folded.split()
    return all(any(_begins(one, word) for one in spellings for word in text_words) for spellings in query_words)


@lru_cache(maxsize=65_536)
def _begins(typed: str, word: str) -> bool:
    """Whether the word begins with the typed one, give or take one slip; the first letter or the second has to fit."""
    if word.startswith(typed):
        return True
    if len(typed) < LEAST or len(word) < len(typed) - 1 or typed[0] not in word[:2]:
        return False
    same = 0
    while same < len(typed) and same < len(word) and typed[same] == word[same]:
        same += 1
    rest, there = typed[same:], word[same:]
    return (
        there.startswith(rest[1:])  # one too many
        or there[1:].startswith(rest)  # one left out
        or there[1:].startswith(rest[1:])  # another letter
        or (len(rest) > 1 and there.startswith(rest[1] + rest[0] + rest[2:]))  # two swapped
    )
