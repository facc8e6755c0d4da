"""Two streets of one town written as one: `Goethe Schillerstrasse`, `Bahnhofhauptstrasse`."""

from collections.abc import Iterator, Sequence

from rapidfuzz.distance import OSA

from geo.geocode.index import Index
from geo.geocode.likeness import means
from geo.geocode.matching import Match
from geo.geocode.normalise import from_words, may_be_type, type_edits
from geo.geocode.readings import Words
from geo.geocode.vocabulary import vocabulary

_SHORTEST = 3
"""A word of so many letters may tell a street from others."""
_MISSPELT = 0.6
"""A word that is like one of the name so much is that one."""
_LOOK_AT = 100
"""So many streets that hold the letters of a word are looked at."""


def is_mixed(match: Match, segments: Sequence[Words], index: Index) -> bool:
    """Whether a word beside or in what was read as the street belongs to another street of that town.

    Parameters
    ----------
    match : Match
        The street that is taken to be meant, and how the text was read.
    segments : sequence of tuple of str
        The stretches of the address; what a comma cuts off is no part of the name.
    index : Index
        Tells the words of the town's streets.
    """
    runs = [run for run in (_run(words, match.reading.words) for words in segments) if run]
    return bool(runs) and all(any(_is_of_another(word, match, index) for word in _strays(run, match)) for run in runs)


def _run(words: Words, street: Words) -> Words:
    """The words around a street's, up to the next figure or legal form; nothing when it is not in the stretch."""
    size = len(street)
    begin = next((at for at in range(len(words) - size + 1) if words[at : at + size] == street), -1)
    if begin < 0:
        return ()
    end, legal = begin + size, vocabulary().legal
    while begin and words[begin - 1].isalpha() and words[begin - 1] not in legal:
        begin -= 1
    while end < len(words) and words[end].isalpha():
        end += 1
    return words[begin:end]


def _strays(run: Words, match: Match) -> Iterator[str]:
    """The words, or their parts, that the street's names do not explain."""
    table, names = vocabulary(), match.street.names
    own = {word for name in names for word in (*name.words, *name.rest)}
    types = frozenset().union(*(name.types for name in names))
    for word in run:
        if word in own or len(word) < _SHORTEST or not word.isalpha():
            continue
        if word in table.front or word in table.behind or word in table.unit or word in table.number:
            continue
        if word in table.little or any(means(word, one) for one in own):
            continue
        if any(OSA.normalized_similarity(word, one) >= _MISSPELT for one in own):
            yield from _glued(word, own)
        elif not (may_be_type(word) and type_edits(word, types) is not None):
            yield word
            yield from _glued(word, own)


def _glued(word: str, own: set[str]) -> Iterator[str]:
    """What is glued to a word of the name."""
    for one in own:
        if len(one) > _SHORTEST and len(word) >= len(one) + _SHORTEST:
            if word.endswith(one):
                yield word.removesuffix(one)
            if word.startswith(one):
                yield word.removeprefix(one)


def _is_of_another(word: str, match: Match, index: Index) -> bool:
    """Whether it is a word, with or without its type, of another street of the town."""
    cut = from_words((word,)).rest[0]
    for place in match.street.own_places or match.street.places:
        for street in index.place_block(place).containing(cut, _LOOK_AT):
            if street != match.street.id and any(
                word in name.words or cut in name.rest for name in index.names(street)
            ):
                return True
    return False
