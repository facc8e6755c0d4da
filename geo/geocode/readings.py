"""Every way to read a stretch of words as a street with a house number."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from geo.geocode.numbers import HouseNumber
from geo.geocode.vocabulary import vocabulary

SUFFIX_WORDS = frozenset({"bis", "ter", "quater"})
"""What may follow a house number as a word."""
_LONGEST_NAME = 8

Words = tuple[str, ...]


class Reading(NamedTuple):
    """One way to read a stretch of text as a street with a number."""

    words: Words
    """The street's words."""
    number: HouseNumber | None
    """None when read without a number."""
    left_over: Words
    """Words right beside the street that this reading does not explain."""
    has_type: bool = False
    """A word beside the street was read as its type, cut short or misspelt."""


def readings(words: Words) -> Iterator[Reading]:
    """Every sensible way to read a stretch as street and number, the fullest first.

    Parameters
    ----------
    words : tuple of str
        A stretch from `segments`.

    Yields
    ------
    Reading
        The number before or after the street; windows that leave out words at the far end follow the
        full one; the last is the reading without a number. The number of a flat or office is none of them.
    """
    yield from _readings(words)
    yield from _behind_house(words)


def _readings(words: Words) -> Iterator[Reading]:
    words = _behind_unit(words)
    number_at = _numbers(words)
    for cut in range(_LONGEST_NAME):
        for i in reversed(number_at):
            yield from _number_after(words, i, cut)
        for i in number_at:
            yield from _number_before(words, i, cut)
        if cut >= len(words) - 1:
            break
    if not number_at or len(words) > len(number_at):
        yield Reading(without_units(words), None, ())


def _announces_unit(words: Words, at: int) -> bool:
    """Whether a word announces a floor or flat, and no type of street (`pl`, `st`) or number (`čp.`) as well."""
    table, word = vocabulary(), words[at]
    return word in table.unit and word not in table.front and word not in table.behind and word not in table.number


def _behind_house(words: Words) -> Iterator[Reading]:
    """The same without a word for a house before the last figure: the only one (`Hauptstrasse Haus 40`, `House 60 Main
    Street`), or the number behind a street with figures (`L 15 Haus 80`)."""
    house = vocabulary().house
    at = [n for n, word in enumerate(words) if word.isdecimal()] if not house.isdisjoint(words) else []
    behind = next((n for n in at if n and words[n - 1] in house), 0)
    if not behind or len(words) == 2:
        return
    without = (*words[: behind - 1], *words[behind:])
    if len(at) == 1:
        yield from _readings(without)
    else:
        yield from _number_after(without, behind - 1, 0)


def _behind_unit(words: Words) -> Words:
    """What follows a flat or office that an address begins with (`Flat 3 22 Abbey Street`, `Lot 4 60 Main Street`)."""
    begins = len(words) > 2 and words[1].isdecimal()
    begins = begins and (_announces_unit(words, 0) or (words[2].isdecimal() and words[0] in vocabulary().unit))
    named = begins and any(word.isalpha() and len(word) > 1 and word not in SUFFIX_WORDS for word in words[2:])
    return words[2:] if named else words


def _numbers(words: Words) -> list[int]:
    """Where a house number may stand: not the number of a flat behind it (`54 suite 4`)."""
    found: list[int] = []
    for at, word in enumerate(words):
        if word.isdecimal() and len(word) <= 6 and not (found and _announces_unit(words, at - 1)):
            found.append(at)
    return found


def _number_after(words: Words, i: int, cut: int) -> Iterator[Reading]:
    end = i
    announcing = vocabulary().number
    while end > 1 and words[end - 1] in announcing:
        end -= 2 if end > 2 and words[end - 2] + words[end - 1] in announcing else 1
    if cut >= end:
        return
    tail = []
    for word in words[i + 1 : i + 4]:
        if not (word.isdecimal() or len(word) == 1 or word in SUFFIX_WORDS):
            break
        tail.append(word)
    for last in (end,) if end == i else (end, i):
        yield Reading(words[cut:last], _number(words[i], tail), _beside(words[:cut], words[cut:last]))


def _beside(left: Words, street: Words) -> Words:
    """Words before a street that may belong to its name: not those that a legal form or a type in front cuts off.

    What is short for a word of names (`gen.`, `kg.`) is no legal form for sure.
    """
    table = vocabulary()
    last = left[-1] if left else ""
    is_legal = last in table.legal and last not in table.abbreviations
    if left and (is_legal or (len(street) > 1 and len(street[0]) > 2 and street[0] in table.front)):
        return ()
    return left


def _number_before(words: Words, i: int, cut: int) -> Iterator[Reading]:
    table = vocabulary()
    if i + 1 >= len(words) or (i > 2 and not table.number.issuperset(words[:i])):
        return
    before = tuple(
        [
            w
            for at, w in enumerate(words[:i])
            if w not in table.number and w not in table.unit and not (w.isdecimal() and _is_apart(words, at))
        ]
    )
    for start, tail in _starts(words, i):
        whole = words[start:]
        without = without_units(whole)
        for rest in (whole,) if without == whole else (without, whole):
            if cut < len(rest) and not (before and is_figures(rest[: len(rest) - cut])):
                end = len(rest) - cut
                left = rest[end:]
                if left and (left[0].isdecimal() or "".join(left[:2]) in table.unit or left[0] in table.unit):
                    left = ()
                yield Reading(rest[:end], _number(words[i], words[i + 1 : tail]), before + left)


def is_figures(words: Words) -> bool:
    """Whether there are no letters in a name."""
    return all(map(str.isdecimal, words))


def _is_apart(words: Words, at: int) -> bool:
    """Whether a figure belongs to no word before it: it is first, follows another one, or is announced."""
    table = vocabulary()
    before = words[at - 1] if at else ""
    return not before.isalpha() or before in table.number or before in table.unit


def _starts(words: Words, i: int) -> list[tuple[int, int]]:
    """Where the street may begin behind a number in front, and where what belongs to the number ends.

    At once, after its suffix or second number, or after a flat or floor (`54 suite 4 Main Street`).
    """
    starts = [(i + 1, i + 1)]
    while len(starts) < 3 and starts[-1][0] + 1 < len(words):
        follower = words[starts[-1][0]]
        if not (follower.isdecimal() or len(follower) == 1 or follower in SUFFIX_WORDS):
            break
        starts.append((starts[-1][0] + 1, starts[-1][0] + 1))
    for at, _ in starts:
        behind = _end_of_unit(words, at)
        if at < behind < len(words):
            return [*starts, (behind, at)]
    return starts


def _end_of_unit(words: Words, at: int) -> int:
    """Where a flat or floor of one or two words and its number ends; the same place when there is none."""
    if at + 1 < len(words) and "".join(words[at : at + 2]) in vocabulary().unit:
        return at + 2
    if at >= len(words) or not _announces_unit(words, at):
        return at
    return at + 2 if at + 1 < len(words) and words[at + 1].isdecimal() else at + 1


def is_floor(words: Words) -> bool:
    """Whether a stretch is nothing but a floor (`2nd floor`, `3 og`, `top floor`): its figure is no house's number."""
    floor = words[1:] if words[0][0].isdecimal() else words
    return len("".join(floor)) > 1 and len(floor) < 3 and "".join(floor) in vocabulary().unit


def _is_flat(words: Words) -> bool:
    return len(words) == 2 and words[1].isdecimal() and _announces_unit(words, 0)


def without_units(words: Words) -> Words:
    """Cut a stretch where a floor, box or person begins, but not at its very first word."""
    units = vocabulary().unit
    for i in range(1, len(words)):
        if words[i] in units and (i + 1 == len(words) or words[i + 1][0].isdecimal()):
            return words[:i]
    return words


def _number(base: str, tail: Sequence[str]) -> HouseNumber:
    text = base + "".join([f"-{t}" if t.isdecimal() else t for t in tail]) if tail else base
    return HouseNumber(int(base), tuple(tail), text)


def with_joined_numbers(found: Sequence[Words]) -> list[Words]:
    """Put a number that a comma cut off back beside its neighbours; both ways when both are possible."""
    if len(found) == 1:
        return list(found)
    result: list[Words] = []
    numbered: list[Words] = []
    floors = [
        words
        for at, words in enumerate(found)
        if is_floor(words) or (at and only_number(found[at - 1]) and _is_flat(words))  # `21B, appt 4, Main Street`
    ]
    if floors and len(floors) < len(found):
        return [*with_joined_numbers([words for words in found if words not in floors]), *floors]
    for at, words in enumerate(found):
        bare = without_units(words)
        if len(words) == len(bare) + 2 and only_number(bare):  # `60A bureau 200, Queen Street`
            words = bare
        alone = only_number(words)
        if at > 0 and _starts_with_number(words):
            cut = not found[at - 1][-1].isdecimal() or len(found[at - 1]) > 2
            if cut or alone:  # `L 15, 40`
                (result if alone and cut else numbered).append(found[at - 1] + words)
        if alone and at and only_number(found[at - 1]):  # a flat: `29/A / 4, Ilica`
            result += [found[at - 1] + words + found[at + 1]] if at + 1 < len(found) else []
        elif alone and at + 1 < len(found):  # a stretch with a number of its own is read with that one first
            (numbered if has_number(found[at + 1]) else result).append(words + found[at + 1])
        if not alone:
            result.append(words)
    return result + numbered or list(found)


def _starts_with_number(words: Words) -> bool:
    behind = words[_announced(words) :]
    return bool(behind) and behind[0].isdecimal()


def _announced(words: Words) -> int:
    """How many words in front announce a number: one, or two that are one in the tables (`hs nr`)."""
    table = vocabulary()
    if "".join(words[:2]) in table.number:
        return 2
    return int(words[0] in table.number or words[0] in table.house)


def only_number(words: Words) -> bool:
    rest = words[_announced(words) :]
    return bool(rest) and rest[0].isdecimal() and all(w.isdecimal() or len(w) == 1 or w in SUFFIX_WORDS for w in rest)


def has_number(words: Words) -> bool:
    return any([w[0].isdecimal() for w in words])
