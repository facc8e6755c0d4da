"""Values of two records of one kind that stay both: texts below each other, lists behind each other."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from server.records.editing import CUSTOM


def both_texts(column: str) -> Callable[[Any, Any], str | None]:
    """Puts two texts below each other, once where they are the same."""

    def put(winner: Any, loser: Any) -> str | None:
        texts = [one for one in (getattr(winner, column), getattr(loser, column)) if one]
        return "\n\n".join(dict.fromkeys(texts)) or None

    return put


def both_lists(column: str, most: int | None = None) -> Callable[[Any, Any], list[Any]]:
    """Puts two lists of words, or of labelled ones, together: the winner's first, each once, no more than may be."""

    def put(winner: Any, loser: Any) -> list[Any]:
        known = {folded(one) for one in getattr(winner, column)}
        joined = [*getattr(winner, column), *(one for one in getattr(loser, column) if folded(one) not in known)]
        return joined[:most]

    return put


def both_own(winner: Any, loser: Any) -> dict[str, Any]:
    """The company's own fields of both; where both have a value, the winner's."""
    empty: tuple[object, ...] = (None, "", [])
    return dict(loser.custom) | {key: value for key, value in winner.custom.items() if value not in empty}


def named(columns: Iterable[str], *rows: Any) -> set[str]:
    """Columns by the names that rights go by: of the company's own fields, all that the rows hold."""
    names = set(columns)
    return names - {"custom"} | {CUSTOM + key for row in rows for key in row.custom} if "custom" in names else names


def word(one: Any) -> str:
    """An entry of a list as text: a word, or what a label stands at."""
    return str(one["value"]) if isinstance(one, Mapping) else str(one)


def folded(one: Any) -> str:
    """By what two entries of lists are the same."""
    return word(one).casefold()


def own_given_back(winner: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Give the winner its own fields from before, each by itself; returns whether one was edited since, and stays."""
    held, stays = dict(winner.custom), False
    for key in before.keys() | after.keys():
        if before.get(key) == after.get(key):
            continue
        if held.get(key) != after.get(key):
            stays = True
        elif key in before:
            held[key] = before[key]
        else:
            held.pop(key, None)
    winner.custom = held
    return stays
