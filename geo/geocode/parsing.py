"""From what somebody wrote to possible readings: street words, house number, postcode, places, country."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from geo.geocode.index import Index
from geo.geocode.names import country_code, postcode_variants
from geo.geocode.normalise import from_words, street_words
from geo.geocode.readings import SUFFIX_WORDS, Words, has_number, is_floor, only_number, readings, with_joined_numbers
from geo.geocode.types import AddressQuery
from geo.geocode.vocabulary import decoded, fold, is_simple, vocabulary

_BETWEEN = re.compile(
    r"(?:(?<=[^\W\d])|(?<=[^\W\d]\.))\s*\(([^()]*)\)(\s*\d+(?:[-/]\d+)?\s?[^\W\d]?\s*)(?=$|[,;|\n\r])"
    r"|(?:^|(?<=[,;|\n\r]))(\s*\d+(?:[-/]\d+)?\s?[^\W\d]?\s*)\(([^()]*)\)(?=\s*[^\W\d])"
)
"""A bracket between a street and its number: `Main Street (2nd floor) 60`, `60 (2nd floor) Main Street`."""
_FLAT = re.compile(r"\b(\d+\s?/\s?[^\W\d])\s?/\s?\d+(?=\s+[^\W\d]{2})")
"""House, letter and flat in front of a street: `29/A / 4 Main Street`."""
_SPLIT = re.compile(r"[,;|\n\r\t()]|\s[-–—/]\s|\s-(?=\D)")
_WIDE = re.compile(r"\s{2,}")
_SINGLE = re.compile(r"\S\s\S")
_ZIP4 = re.compile(r"\b(\d{5})-\d{4}\b")
_GLUED_NUMBER = re.compile(r"([^\W\d]+)(\d+(?:[^\W\d]|bis|ter|quater)?)")
_GLUED_LETTERS = 3
"""A word of fewer letters keeps the figures glued to it (`a4`), unless it announces a number (`n5`)."""
_SUFFIXED = re.compile(r"(\d+)([^\W\d]|bis|ter|quater)")
_SHORTEST_STREET = 4
"""A street in the column of cities has a key of so many letters at least."""
_MAX_TEXT = 400
_MAX_WORDS = 40


@dataclass(slots=True)
class Parsed:
    """An address taken apart as far as the index can tell."""

    segments: list[Words] = field(default_factory=list)
    """Stretches that may hold the street."""
    postcodes: Words = ()
    """Keys that the written postcode may mean; empty when none was written."""
    cities: list[Words] = field(default_factory=list)
    """Stretches that name a place."""
    countries: list[str] = field(default_factory=list)
    """Two-letter codes of the countries written."""
    names: list[Words] = field(default_factory=list)
    """Stretches that may be the name of a business."""
    is_name: bool = False
    """What is read as a street stands in the column of names."""

    @property
    def has_figures(self) -> bool:
        """Whether there may be a house number."""
        return any(word.isdecimal() for words in self.segments for word in words)

    def has_figures_beside(self, name: Words) -> bool:
        """Whether there are figures beside a street's name that may be its number: no floor's, box's or flat's."""
        return any(
            word.isdecimal() and word not in name and not (at and words[at - 1] in vocabulary().unit)
            for words in self.segments
            if not is_floor(words)
            for at, word in enumerate(words)
        )


@lru_cache(maxsize=20_000)
def segments(text: str) -> tuple[Words, ...]:
    """Cut a text where a comma, bracket or lonely dash stands, into folded words."""
    folded = fold(decoded(text[:_MAX_TEXT]))
    if is_simple(folded):
        return (_number_words(tuple(folded.split()))[:_MAX_WORDS],)
    if "(" in folded:
        folded = _BETWEEN.sub(lambda m: f"{m[4]},{m[3]} " if m[2] is None else f" {m[2]},{m[1]}", folded)
    if "/" in folded:
        folded = _FLAT.sub(r"\1", folded)
    found = [_number_words(street_words(part)) for part in _SPLIT.split(folded) if part]
    return tuple([words[:_MAX_WORDS] for words in found if words])


def _number_words(parts: Words) -> Words:
    """Split `17a` into number and suffix, and `gasse8` into name and number."""
    if "".join(parts).isalpha():
        return parts
    split: list[str] = []
    for word in parts:
        if word.isalpha() or word.isdecimal():
            split.append(word)
            continue
        glued = _GLUED_NUMBER.fullmatch(word)
        if glued is not None and _comes_apart(glued[1], bool(split)):
            split.append(glued[1])
            word = glued[2]
        suffixed = _SUFFIXED.fullmatch(word)
        split.extend(suffixed.groups() if suffixed else (word,))
    return tuple(split)


def _comes_apart(letters: str, is_inside: bool) -> bool:
    """Whether figures behind these letters are a house number: `gasse8`, `no5`, `György út10`, but not `a8`."""
    if len(letters) >= _GLUED_LETTERS or (is_inside and letters in vocabulary().behind):
        return True
    return letters in vocabulary().number and (is_inside or len(letters) > 1)


def parse(query: AddressQuery, index: Index) -> Parsed:
    """Take an address apart.

    Parameters
    ----------
    query : AddressQuery
        Fields, or a line in `query`, or both; the line is used when there is no street. A street without
        postcode and city is read as a line too: people put whole addresses into that column. With neither street
        nor line, a street with a number is looked for in the city.
    index : Index
        Tells which words are postcodes and places.

    Returns
    -------
    Parsed
        Only what the words and the index say; nothing is decided yet.
    """
    parsed = Parsed()
    if query.postcode.strip():
        parsed.postcodes = postcode_variants(query.postcode)
    no_line = not query.street.strip() and not query.query.strip()
    cities = segments(query.city)
    if no_line and any([_may_be_street(words, index, len(cities) > 1) for words in cities]):
        Line(query.city, index).into(parsed)
    else:
        for words in cities:
            _city_field(parsed, words, index)
    if query.country.strip():
        code = country_code(query.country)
        if code:
            parsed.countries.append(code)
    if query.street.strip() and (query.postcode.strip() or query.city.strip()):
        _street_field(parsed, query.street)
    elif query.street.strip() or query.query.strip():
        Line(query.street if query.street.strip() else query.query, index).into(parsed)
    if query.name.strip():
        parsed.names += segments(query.name)
    return parsed


def _may_be_street(words: Words, index: Index, is_apart: bool) -> bool:
    """Whether a stretch of another column is a street with its number: a known one, or any that a comma cuts off."""
    if not has_number(words) or not vocabulary().unit.isdisjoint(words):
        return False
    letters = tuple([word for word in words if word.isalpha()])
    if not letters or index.places_named("".join(letters)):
        return False
    if is_apart and not any(word.isdecimal() and index.knows_postcode(word) for word in words):
        return True
    return any(
        len(key) >= _SHORTEST_STREET and index.knows_street(key)
        for reading in readings(words)
        if reading.number is not None and not index.knows_postcode(str(reading.number.base))
        for key in from_words(reading.words).keys
    )


def _city_field(parsed: Parsed, words: Words, index: Index) -> None:
    kept = []
    for word in words:
        if word.isdecimal() and len(word) > 3 and not parsed.postcodes:
            parsed.postcodes = postcode_variants(word)
        elif not word.isdecimal():
            kept.append(word)
    if kept:
        parsed.cities.append(tuple(kept))


def _street_field(parsed: Parsed, text: str) -> None:
    found = segments(text)
    parsed.segments += with_joined_numbers(found)


def _is_of_number(word: str) -> bool:
    return word.isdecimal() or len(word) == 1 or word in SUFFIX_WORDS or word in vocabulary().number


class Line:
    """A one-line address: finds country, postcode and places by asking the index, leaves the rest as street."""

    def __init__(self, text: str, index: Index) -> None:
        text = text[:_MAX_TEXT]
        if "-" in text:
            text = _ZIP4.sub(r"\1", text)
        if "  " in text or not text.isprintable():
            text = _WIDE.sub("," if _SINGLE.search(text) and not _SPLIT.search(text) else " ", text)
        parts = [segments(part) for part in text.split(",")]
        self._found = [words for part in parts for words in part]
        self._whole = list(self._found)
        self._first = tuple(w for part in parts[:-1] for words in part for w in words)
        self._index = index
        self._roles: list[str] = ["" for _ in self._found]

    def into(self, parsed: Parsed) -> None:
        """Add what was found to `parsed`."""
        self._take_countries(parsed)
        self._take_postcode(parsed)
        if not parsed.postcodes:
            self._take_postcode_of_letters(parsed)
        if not parsed.postcodes:
            self._take_strange_postcode(parsed)
        self._take_places(parsed)
        free = [w for w, role in zip(self._found, self._roles, strict=True) if w and role != "place"]
        parsed.segments += with_joined_numbers(free) if free else []
        self._take_loose(parsed)
        parsed.names += [w for w, role in zip(self._whole, self._roles, strict=True) if role in ("", "loose")]
        if self._first not in ((), *parsed.names) and not self._places_at(self._first):
            parsed.names.append(self._first)
        if not parsed.names:
            parsed.names += self._whole[:1]

    def _take_countries(self, parsed: Parsed) -> None:
        """A country is the whole of a stretch, or the last words of the last one: streets are called after countries.

        Codes count only for covered countries, and never behind a number (`2/A`, `12 FL`).
        """
        for at in range(len(self._found) - 1, -1, -1):
            words = self._found[at]
            is_last = not any(self._found[at + 1 :])
            for size in range(min(4, len(words)), 0, -1):
                if size == len(words) and at == 0:
                    continue
                if size < len(words) and not is_last:
                    break
                code = self._country(words[-size:])
                if code and size < len(words) and self._is_street(words):
                    break
                if code and (len(words[-1]) > 3 or size == len(words) or words[-size - 1].isalpha()):
                    parsed.countries.append(code)
                    self._found[at] = words[:-size]
                    break
        kept = [at for at, words in enumerate(self._found) if words] or list(range(len(self._found)))
        self._found = [self._found[at] for at in kept]
        self._whole = [self._whole[at] for at in kept]
        self._roles = ["" for _ in kept]

    def _is_street(self, words: Words) -> bool:
        """Whether the words are the very name of a street, behind its number (`35 Rue Saint-Martin`)."""
        at = next((n for n, word in enumerate(words) if not _is_of_number(word)), len(words))
        return 0 < at < len(words) and any(self._index.knows_street(key) for key in from_words(words[at:]).keys)

    def _country(self, words: Words) -> str:
        key = "".join(words)
        code = vocabulary().countries.get(key, "")
        if len(key) > 3 or key in ("usa", "uk"):
            return code
        return code if len(key) > 1 and code in self._index.countries else ""

    def _take_postcode(self, parsed: Parsed) -> None:
        """The last stretch with a word that is a known postcode; its other words are a place or a street."""
        for at in range(len(self._found) - 1, -1, -1):
            words = self._found[at]
            for i in range(len(words) - 1, -1, -1):
                size = self._postcode_at(words, i)
                if size and not self._is_house_number(at, i):
                    longer = [at for at in (i - 2, i - 1) if at >= 0 and self._postcode_at(words, at) == i + size - at]
                    if longer:
                        i, size = longer[0], i + size - longer[0]
                    parsed.postcodes = postcode_variants("".join(words[i : i + size]))
                    before = words[: i - 1] if i and self._is_country_prefix(words[i - 1]) else words[:i]
                    self._split_at_postcode(parsed, at, before, words[i + size :])
                    return

    def _is_country_prefix(self, word: str) -> bool:
        """`fl` of `FL-9490`; also the `md` of `MD 21209`; of three letters only those of a covered country."""
        code = vocabulary().countries.get(word, "") if word.isalpha() and len(word) <= 3 else ""
        return bool(code) and (len(word) < 3 or code in self._index.countries)

    def _postcode_at(self, words: Words, i: int) -> int:
        """How many words from `i` on are a known postcode, 0 to 3: three where figures came off letters (`ST5 1RB`)."""
        if words[i] in vocabulary().number or words[i] in vocabulary().behind:
            three = words[i : i + 3]
            if len(three) == 3 and three[1].isdecimal() and self._index.knows_postcode("".join(three).upper()):
                return 3
        pair = words[i : i + 2]
        if len(pair) == 2 and not "".join(pair).isalpha() and self._index.knows_postcode("".join(pair).upper()):
            return 2
        if not words[i][-1].isdecimal() and not words[i][0].isdecimal():
            return 0
        return 1 if self._index.knows_postcode(words[i].upper()) else 0

    def _is_house_number(self, at: int, i: int) -> bool:
        """A number that leads the only stretch with numbers is a house number (`21220 Falls Road, Towson`)."""
        if i or len(self._found[at]) == 1:
            return False
        others = any(has_number(w) for k, w in enumerate(self._found) if k != at)
        return not others and not has_number(self._found[at][1:]) and not self._places_at(self._found[at][1:])

    def _split_at_postcode(self, parsed: Parsed, at: int, left: Words, right: Words) -> None:
        street = () if has_number(left) else self._street_behind(right)
        if street:  # `9490 Vaduz Austrasse 70`, `Vaduz 9490 Austrasse 70`
            parsed.cities += [words for words in (left, right[: -len(street)]) if words]
            self._found[at] = street
            self._roles[at] = "street"
            return
        if right:
            parsed.cities.append(right)
        if not left:
            self._roles[at] = "place"
        elif has_number(left) or (right and not self._places_at(left)):
            self._found[at] = left
            self._roles[at] = "street"
        else:
            parsed.cities.append(left)
            self._roles[at] = "place"

    def _street_behind(self, words: Words) -> Words:
        """A street with its number behind the place, if any, that follows a postcode."""
        if not has_number(words) or all(map(_is_of_number, words)):
            return ()
        size = next((n for n in range(min(5, len(words) - 1), 0, -1) if self._places_at(words[:n])), 0)
        street = words[size:]
        return street if has_number(street) and not all(map(_is_of_number, street)) else ()

    def _take_postcode_of_letters(self, parsed: Parsed) -> None:
        """A stretch behind the first is a known postcode without figures, or begins with one before a place."""
        for at in range(len(self._found) - 1, 0, -1):
            code, right = self._found[at][0], self._found[at][1:]
            is_place = self._places_at(right) if right else not self._places_at((code,))
            if code.isalpha() and is_place and self._index.knows_postcode(code.upper()):
                parsed.postcodes = postcode_variants(code)
                self._split_at_postcode(parsed, at, (), right)
                return

    def _take_strange_postcode(self, parsed: Parsed) -> None:
        """A stretch that begins with four figures or more, after one that has a number, names another place."""
        numbered = [at for at, words in enumerate(self._found) if has_number(words)]
        for at in reversed(numbered[1:]):
            words = self._found[at]
            figures = 0
            while figures < len(words) and words[figures].isdecimal():
                figures += 1
            code = "".join(words[:figures])
            if figures and len(code) > 3 and (figures == len(words) or words[figures].isalpha()):
                parsed.postcodes = postcode_variants(code)
                self._roles[at] = "place"
                if figures < len(words):
                    parsed.cities.append(words[figures:])
                return

    def _take_places(self, parsed: Parsed) -> None:
        """Stretches that are a place, and places written at the end or beginning of a numbered stretch."""
        for at, words in enumerate(self._found):
            if self._roles[at] == "place":
                continue
            if not has_number(words):
                if self._places_at(words):
                    parsed.cities.append(words)
                    self._roles[at] = "place" if at or len(self._found) > 1 else ""
                continue
            self._cut_place(parsed, at, words)

    def _cut_place(self, parsed: Parsed, at: int, words: Words) -> None:
        """Take a place off the end; behind a street that its number leads only when no other place is written."""
        numbers = [i for i, w in enumerate(words) if w[0].isdecimal()]
        leads = numbers[-1] < 2 and all(map(_is_of_number, words[: numbers[-1]]))
        if leads and at and self._places_at(words[numbers[-1] + 1 :]):  # `Put Gradine, 71 Sveti Ivan`
            parsed.segments.append(words)
            leads = False
        for size in range(min(5, len(words) - 1 - numbers[-1] - leads), 0, -1):
            if (not leads or not (parsed.cities or parsed.postcodes)) and self._places_at(words[-size:]):
                parsed.cities.append(words[-size:])
                self._found[at] = words[:-size]
                if leads:
                    parsed.segments.append(words)
                return

    def _take_loose(self, parsed: Parsed) -> None:
        """With no place found, wordy stretches may be a misspelt or unknown one: after the numbered one, else before.

        The stretch behind a number that stands alone in front is the street.
        """
        numbered = [at for at, words in enumerate(self._found) if has_number(words) and self._roles[at] != "place"]
        if not numbered or parsed.cities:
            return
        street = 1 if numbered[0] == 0 and only_number(self._found[0]) else -1
        wordy = [
            at
            for at, words in enumerate(self._found)
            if self._roles[at] == "" and not has_number(words) and at != street
        ]
        for at in [at for at in wordy if at > numbered[0]] or wordy:
            parsed.cities.append(self._found[at])
            self._roles[at] = "loose"

    def _places_at(self, words: Words) -> bool:
        return bool(words) and bool(self._index.places_named("".join(words)))
