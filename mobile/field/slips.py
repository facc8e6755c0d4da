"""Slips of the finger: words one letter away from what was typed (left out, doubled, changed, swapped). Pure."""

from collections.abc import Mapping

LEAST = 4
"""Shorter words are taken as they are typed: at three letters everything is near everything."""


class Vocabulary:
    """The words of some texts, by which a text is found although a word was mistyped."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._words = {key: frozenset(folded.split()) for key, folded in texts.items()}
        self._known = frozenset().union(*self._words.values())

    def nearly(self, query_words: list[tuple[str, ...]]) -> set[str]:
        """The keys of the texts of which some word begins like each word typed, give or take one slip."""
        found = set(self._words)
        for spellings in query_words:
            hits = {word for word in self._known if any(_begins(one, word) for one in spellings)}
            found = {key for key in found if not hits.isdisjoint(self._words[key])} if hits else set()
        return found


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
