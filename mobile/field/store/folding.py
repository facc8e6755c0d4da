"""Search that forgives accents and case: "muller" finds "Müller GmbH"."""

import unicodedata

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ł": "l", "þ": "th", "ı": "i"})


def fold(text: str) -> str:
    """Lower case without accents, punctuation as single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def variants(text: str) -> tuple[str, ...]:
    """The folded text, and the spelling with written-out umlauts ("mueller" also finds "Müller")."""
    folded = fold(text)
    short = folded.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    return (folded,) if short == folded else (folded, short)


def matches(query_words: list[tuple[str, ...]], folded: str) -> bool:
    """Whether each word of the query begins a word of the text, or a number inside it."""
    padded = " " + folded
    return all(any(f" {spelling}" in padded for spelling in word) for word in query_words)
