"""The words for kinds of firms: how people call them, which kind a word means, and which a firm's own name tells of.

A kind is a tag of OpenStreetMap such as `shop=bakery`. The table beside this module has for each its English word, its
German one, and other words by which such firms go; where two kinds share a word, the first one has it.
"""

import json
import re
from functools import lru_cache
from importlib import resources

from geo.geocode.vocabulary import fold, words
from geo.osm.tags import POI_KEYS

LANGUAGES = ("en", "de")
SHORTEST = 5
"""Letters of a word that is looked for in names; shorter ones stand in other words too."""
GENERAL = frozenset(
    """office=company office=association office=government office=administrative office=research office=religion
    office=financial office=foundation shop=trade shop=craft shop=ticket shop=rental shop=charity shop=art shop=gift
    healthcare=alternative healthcare=centre healthcare=nurse amenity=studio amenity=parking amenity=school
    amenity=college leisure=dance club=social club=music club=culture club=sport industrial=depot""".split()
)
"""Kinds whose words stand in the names of all sorts of firms."""
SURNAMES = frozenset("backer baecker fleischer maler metzger schreiner tischler zimmermann gartner arzt".split())
"""Words that in a name are more often whose firm it is."""
_TAG = re.compile(rf"({'|'.join(POI_KEYS)})=[a-z0-9][a-z0-9_:;.-]{{0,59}}")


@lru_cache
def table() -> dict[str, tuple[str, ...]]:
    """Words by kind: English, German, others."""
    read = json.loads((resources.files("server.regions") / "firms.json").read_text("utf-8"))
    return {kind: tuple(all_words) for kind, all_words in read.items()}


def word(kind: str, language: str) -> str:
    """A kind as people call it: “Bakery” for `shop=bakery`; of several the first; one without a word, as tagged."""
    if known := table().get(kind) or table().get(kind.partition(";")[0]):
        return known[LANGUAGES.index(language)]
    plain = kind.partition("=")[2].partition(";")[0].replace("_", " ").strip() or kind
    return plain[:1].upper() + plain[1:]


def written(kind: str, language: str) -> str:
    """A kind as a form shows it: its word where that means this kind again, else its tag."""
    known = word(kind, language)
    return known if kind_of(known) == kind else kind


def offered(language: str) -> list[str]:
    """The words to choose a kind from, each once, in their order."""
    return sorted({written(kind, language) for kind in table()}, key=lambda one: (fold(one), one))


@lru_cache
def every_word() -> tuple[str, ...]:
    """The words of all languages and the tags, each once, in their order: what somebody may write for a kind."""
    known = {*table(), *(one for language in LANGUAGES for one in offered(language))}
    return tuple(sorted(known, key=lambda one: (fold(one), one)))


def _key(written: str) -> str:
    return " ".join(words(fold(written)))


@lru_cache
def _by_word() -> dict[str, str]:
    found: dict[str, str] = {}
    for place in range(max(map(len, table().values()))):
        for kind, known in table().items():
            if place < len(known):
                found.setdefault(_key(known[place]), kind)
    return found


@lru_cache
def _in_names() -> dict[str, str]:
    telling = {
        one: kind for one, kind in _by_word().items() if len(one) >= SHORTEST and " " not in one and one not in SURNAMES
    }
    return {one: kind for one, kind in telling.items() if kind not in GENERAL and not kind.endswith("=yes")}


def kind_of(written: str) -> str | None:
    """The kind that a tag or a word in any language of the table means, or None."""
    if "=" not in written:
        return _by_word().get(_key(written))
    tag = written.strip().lower()
    return tag if _TAG.fullmatch(tag) else None


def kind_in(name: str) -> str | None:
    """The kind that the name of a firm tells of: “Dorfbäckerei Hoop” is a bakery; None where it tells nothing.

    Of several words the first one counts; a word also counts where it ends a longer one, as German puts them together.
    """
    telling = _in_names()
    for part in words(fold(name)):
        for start in range(len(part) - SHORTEST + 1):
            if (kind := telling.get(part[start:])) is not None:
                return kind
    return None
