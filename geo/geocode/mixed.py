"""Two streets of one town written as one: `Goethe Schillerstrasse`, `Bahnhofhauptstrasse`."""

from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz.distance import OSA

from geo.geocode.index import Index
from geo.geocode.likeness import means
from geo.geocode.matching import Match
from geo.geocode.normalise import from_words, may_be_type, type_edits
from geo.geocode.numbers import parse_number
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
    reading = match.reading
    if not (reading.left_over or reading.has_type or reading.words[0] in vocabulary().front or _is_longer(match)):
        return False
    runs = [(words, *run) for words in segments if (run := _run(words, reading.words))]
    return bool(runs) and all(
        any(
            _is_of_another(word, match, index)
            for word in (*_strays(words[begin:end], match), *_figures(words, begin, end, match))
        )
        for words, begin, end in runs
    )


def is_beginning(match: Match, index: Index) -> bool:
    """Whether all that was read is a type, or one word that other streets of the town begin with too: `Carrera 27`.

    Parameters
    ----------
    match : Match
        The street that is taken to be meant; one of just that name is none of these.
    index : Index
        Tells the words of the town's streets.
    """
    words, names = match.reading.words, match.street.names
    if len(words) > 1 or not match.cost or any(name.rest == words for name in names):  # but for its type
        return False
    if not any(_goes_on(name.words, words) for name in names):
        return False
    places = match.street.own_places or match.street.places
    return _is_kind(words[0]) or any(
        street != match.street.id and any(_goes_on(name.words, words) for name in index.names(street))
        for place in places
        for street in index.place_block(place).containing(words[0], _LOOK_AT)
    )


def _goes_on(name: Words, words: Words) -> bool:
    return len(name) > 1 and name[:1] == words


def _is_longer(match: Match) -> bool:
    """Whether so much more was written than a name of the street has that it may hold another word."""
    size = len("".join(match.reading.words))
    return match.cost > 0 and any(size >= len(name.glued) + _SHORTEST for name in match.street.names)


def _run(words: Words, street: Words) -> tuple[int, int] | None:
    """Where the words around a street's stand, up to the next figure or legal form; None without it in the stretch."""
    size = len(street)
    begin = next((at for at in range(len(words) - size + 1) if words[at : at + size] == street), -1)
    if begin < 0:
        return None
    end, legal = begin + size, vocabulary().legal
    while begin and words[begin - 1].isalpha() and words[begin - 1] not in legal:
        begin -= 1
    while end < len(words) and words[end].isalpha():
        end += 1
    return begin, end


def _figures(words: Words, begin: int, end: int, match: Match) -> Iterator[str]:
    """Figures beside the run that are neither the house's nor the last: `28` of `28 Themistokleous 15`."""
    number = match.reading.number
    if number is not None and end < len(words):
        for word in (*words[max(begin - 1, 0) : begin], *words[end:-1][:1]):
            figure = parse_number(word)
            if figure is not None and figure.base != number.base:
                yield word


def _strays(run: Words, match: Match) -> Iterator[str]:
    """The words, or their parts, that the street's names do not explain."""
    table, names, asked = vocabulary(), match.street.names, match.reading.words
    own = {word for name in names for word in (*name.words, *name.rest)}
    if not match.cost:
        own.update(asked)
    strange = [word for word in run if word not in own and len(word) >= _SHORTEST and word not in table.little]
    if not strange:
        return
    written = sum(map(_is_kind, run))
    explained = () if written > 1 else set(asked).difference(from_words(asked).rest)
    known = {word for word in own if not _is_kind(word) and word not in table.little}
    types = frozenset().union(*(name.types for name in names))
    for word in strange:
        if word in explained:
            continue
        yield from _glued(word, own)
        is_type = not written and may_be_type(word) and type_edits(word, types) is not None
        if not is_type and word not in table.unit and word not in table.number and not _is_own(word, known):
            yield word


def _is_kind(word: str) -> bool:
    """Whether it is a type, in front or behind."""
    return word in vocabulary().front or word in vocabulary().behind


def _glued(word: str, own: Iterable[str]) -> Iterator[str]:
    """What is glued to a word of the name."""
    for one in own:
        if len(one) > _SHORTEST and len(word) >= len(one) + _SHORTEST:
            parts = (word.removesuffix(one), word.removeprefix(one))
            yield from (part for part in parts if part != word and part not in own)


def _is_own(word: str, own: Iterable[str]) -> bool:
    """Whether it is a word of the name, abbreviated or misspelt; a type that both end with makes none alike."""
    cut = from_words((word,)).rest[0]
    return any(means(word, one) or OSA.normalized_similarity(cut, _cut(one, cut != word)) >= _MISSPELT for one in own)


def _cut(word: str, is_cut: bool) -> str:
    return from_words((word,)).rest[0] if is_cut else word


def _is_of_another(word: str, match: Match, index: Index) -> bool:
    """Whether it is a word, with or without its type, of another street of the town; of a type the whole name."""
    cut, is_type = from_words((word,)).rest[0], _is_kind(word)
    for place in match.street.own_places or match.street.places:
        for street in index.place_block(place).containing(cut, _LOOK_AT):
            if street == match.street.id:
                continue
            for name in index.names(street):
                if is_type and (word,) in (name.words, name.rest):
                    return True
                if not is_type and (word in name.words or word in name.rest or cut in name.rest):
                    return True
    return False
