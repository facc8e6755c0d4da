"""How likely two accounts are the same: one model for the check of a new account and for the whole company.

Pure: values in, values out. The coefficients stand in `resemblance.json`; `benchmarks/duplicates/refit.py` fits them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise, takewhile

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from geo.distance import haversine_m
from geo.geocode.confidence import Model
from geo.geocode.normalise import StreetName
from server.accounts.duplicates.traits import Traits, data

FEATURES = (
    "bias", "name_low", "name_high", "glued", "evidence", "other_words", "other_word", "strangers", "numbers_differ",
    "phone_same",
    "phone_differs", "email_same", "email_differs", "domain_same", "domain_differs", "address_same", "address_shared",
    "number_differs", "street_differs", "no_street", "postcode_differs", "city_differs", "close", "near", "away",
    "no_distance", "name_and_phone", "name_and_address", "name_and_near", "name_and_domain", "name_elsewhere",
    "phone_and_place",
)  # fmt: skip
"""Names of the model's inputs, in order; each is between 0 and 1, and none depends on which account comes first."""

ALIKE = 0.72
"""Two words are the same up to a slip from this likeness upwards."""

SURE = 11
"""Letters from which a word with one slip is the same word for sure: shorter ones are often other first names."""

FEW = 1000
"""Words are never thought more common than in a company of this size."""


@dataclass(frozen=True, slots=True)
class Commonness:
    """How many accounts share a key of `keys_of`."""

    accounts: int
    counts: Mapping[str, int]

    def weight(self, token: str) -> float:
        """How telling a word is, 0.05 to 1: one that nobody else uses weighs 1."""
        size = max(self.accounts, FEW)
        count = min(max(1, self.counts.get("n:" + token, 1)), size)
        return max(0.05, 1 - math.log(count) / math.log(size))

    def share(self, key: str) -> float:
        """1 for a value that at most two accounts have, less the more share it."""
        return 1 / max(1, self.counts.get(key, 2) - 1)


NOBODY_ELSE = Commonness(0, {})


@dataclass(frozen=True, slots=True)
class Signs:
    """What people are told of two accounts that resemble each other."""

    name: float
    """Likeness of the names, 0 to 1."""
    same_phone: bool
    same_email: bool
    same_domain: bool
    same_address: bool
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class Resemblance(Signs):
    """What speaks for and against two accounts being one."""

    features: tuple[float, ...]
    apart: tuple[str, ...] = ()
    """What tells them apart for sure, whatever the likeness; see `told_apart`."""

    def contradictions(self) -> list[str]:
        """The fields that say something else on both sides."""
        against = dict(zip(FEATURES, self.features, strict=True))
        names = {
            "other_words": "name", "numbers_differ": "name", "phone_differs": "phone", "email_differs": "email",
            "number_differs": "address", "street_differs": "address", "postcode_differs": "postcode",
        }  # fmt: skip
        found = [label for name, label in names.items() if against[name] > 0.3]
        return list(dict.fromkeys([*found, *self.apart]))


@cache
def shipped() -> Model:
    """The coefficients that ship with the room; a feature without one weighs nothing."""
    weights = data()["weights"]
    assert isinstance(weights, Mapping)
    return Model(tuple(float(weights.get(name, 0.0)) for name in FEATURES))


def keys_of(one: Traits) -> set[str]:
    """The blocks an account is in: only accounts that share a block, or a neighbourhood, are compared at all."""
    keys = {"n:" + token for token in one.tokens if len(token) > 1}
    keys |= {"d:" + domain for domain in one.domains}
    if one.phone:
        keys.add("p:" + one.phone)
    if one.email:
        keys.add("e:" + one.email)
    keys |= address_keys(one)
    places = [place for place in (one.postcode, one.city) if place]
    if one.point is not None:
        places.append(f"{math.floor(one.point.lon * 20)}/{math.floor(one.point.lat * 20)}")
    for skeleton in {skeleton for token in one.tokens if len(skeleton := bones(token)) > 2}:
        keys |= {f"k:{skeleton}|{place}" for place in places}
    if one.tokens:
        keys.add("s:" + "".join(sorted(one.glued)))
        keys |= {f"f:{one.glued[:5]}|{place}" for place in places}
    return keys


def address_keys(one: Traits) -> set[str]:
    """The keys that stand for one house."""
    if one.street is None or not one.house:
        return set()
    return {f"a:{one.street.core}|{one.house}|{place}" for place in (one.postcode, one.city) if place}


@lru_cache(maxsize=100_000)
def bones(token: str) -> str:
    """A word without what slips change most: its vowels and doubled letters."""
    kept = token[0]
    for letter in token[1:]:
        if letter not in "aeiouyh" and letter != kept[-1]:
            kept += letter
    return kept[:6]


def is_worth_comparing(one: Traits, other: Traits) -> bool:
    """Whether two accounts share more than a word: a cheap look that spares most comparisons."""
    if (one.phone and one.phone == other.phone) or (one.email and one.email == other.email):
        return True
    if one.domains & other.domains or address_keys(one) & address_keys(other):
        return True
    names = " ".join(one.tokens), " ".join(other.tokens)
    if fuzz.ratio(one.glued, other.glued) >= 70 or fuzz.token_set_ratio(*names) >= 95:
        return True
    likeness: float = fuzz.token_sort_ratio(*names)
    return likeness >= 75


def compare(one: Traits, other: Traits, common: Commonness = NOBODY_ELSE) -> Resemblance:
    """What speaks for and against two accounts being one; the same in either order."""
    named = names_compared(*without_place(one, other), common)
    place = places_compared(one, other, common)
    distance_m = None if one.point is None or other.point is None else haversine_m(one.point, other.point)
    same_phone = one.phone is not None and one.phone == other.phone
    same_email = one.email is not None and one.email == other.email
    shared = one.domains & other.domains
    phone = common.share(f"p:{one.phone}") if same_phone else 0.0
    domain = max((common.share("d:" + name) for name in shared), default=0.0)
    near = 0.0 if distance_m is None else math.exp(-distance_m / 250)
    here = max(near, place["address_same"])
    close = 0.0 if distance_m is None else math.exp(-distance_m / 40)
    if one.is_exact and other.is_exact:  # at one door another street is a slip, or the other side of the corner
        place |= {key: place[key] * (1 - close) for key in ("street_differs", "number_differs")}
    name = named["name_low"]
    away = 0.0 if distance_m is None else min(1.0, math.log1p(distance_m / 300) / math.log1p(100))
    values = {
        "bias": 1.0,
        "phone_same": phone,
        "phone_differs": float(bool(one.phone and other.phone) and not same_phone),
        "email_same": common.share(f"e:{one.email}") if same_email else 0.0,
        "email_differs": float(bool(one.email and other.email) and not same_email and not shared),
        "domain_same": domain,
        "domain_differs": float(bool(one.domains and other.domains) and not shared),
        "close": close,
        "near": near,
        "away": away,
        "no_distance": float(distance_m is None),
        "name_and_phone": name * phone,
        "name_and_address": name * place["address_same"],
        "name_and_near": name * near,
        "name_and_domain": name * domain,
        "name_elsewhere": name * max(place["street_differs"], place["number_differs"]) * away,
        "phone_and_place": phone * here,
    }
    values |= named | place
    return Resemblance(
        (named["name_low"] + named["name_high"]) / 2,
        same_phone,
        same_email,
        bool(shared),
        place["address_same"] > 0.5,
        distance_m,
        tuple(values[feature] for feature in FEATURES),
        told_apart(one, other),
    )


def told_apart(one: Traits, other: Traits) -> tuple[str, ...]:
    """The fields by which two of nearly one name are told apart: a person may say that they are one, no rule does.

    Another legal form; another figure, Roman number, letter, senior or junior; other words on both sides (Maria and
    Mario, Halle and Lager) unless both are long and a slip apart; another number of the company's own list.
    """
    found = []
    first, second = (set(side) for side in without_place(one, other))
    if one.glued != other.glued:
        left, right = first - second, second - first
        slips = {a: b for a in left for b in right if min(len(a), len(b)) >= SURE and OSA.distance(a, b) == 1}
        if left - slips.keys() and right - set(slips.values()):
            found.append("name")
    if one.marks != other.marks:
        found.append("name")
    if one.forms and other.forms and one.forms != other.forms:
        found.append("legal form")
    if one.number and other.number and one.number != other.number:
        found.append("number")
    return tuple(dict.fromkeys(found))


def reasons(found: "Signs") -> list[str]:
    """Why two accounts may be the same, for people."""
    said = [f"name {found.name:.0%} alike"] if found.name >= 0.5 else []
    said += ["same phone number"] if found.same_phone else []
    said += ["same e-mail address"] if found.same_email else []
    said += ["same website or mail domain"] if found.same_domain and not found.same_email else []
    said += ["same address"] if found.same_address else []
    if found.distance_m is not None:
        said.append(
            f"{found.distance_m:,.0f} m apart"
            if found.distance_m < 10_000
            else f"{found.distance_m / 1000:,.0f} km apart"
        )
    return said


def likelihood(found: Resemblance, model: Model | None = None) -> float:
    """How likely the two are one, 0 to 1."""
    return round((model or shipped()).confidence(found.features), 4)


def without_place(one: Traits, other: Traits) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of both names without the city, which some people add; all of them when nothing else is left."""
    cities = {city for city in (one.city, other.city) if city}
    first, second = (tuple(token for token in side.tokens if token not in cities) for side in (one, other))
    return first or one.tokens, second or other.tokens


def names_compared(one: tuple[str, ...], other: tuple[str, ...], common: Commonness) -> dict[str, float]:
    """How the words of two names match, each word weighing what it tells."""
    low, strength, left, strangers = covered(one, other, common)
    high, other_strength, other_left, other_strangers = covered(other, one, common)
    digits, other_digits = ({t for t in side if t.isdigit()} for side in (one, other))
    glued = "".join(one), "".join(other)
    ratio = max(fuzz.ratio(*glued), fuzz.ratio(" ".join(sorted(one)), " ".join(sorted(other)))) / 100
    return {
        "name_low": min(low, high),
        "name_high": max(low, high),
        "glued": max(0.0, (ratio - 0.5) / 0.5),
        "evidence": min(1.0, (strength + other_strength) / 4),
        "other_words": min(1.0, min(left, other_left)),
        "other_word": min(1.0, max(left, other_left)),
        "strangers": float(min(strangers, other_strangers) > 0),
        "numbers_differ": float(digits != other_digits),
    }


def covered(one: tuple[str, ...], other: tuple[str, ...], common: Commonness) -> tuple[float, float, float, int]:
    """How much of a name is found in another: share, weight found and not found, how many words are not found."""
    found = total = 0.0
    strangers = 0
    for token in one:
        weight, likeness = common.weight(token), best(token, other)
        total += weight
        found += weight * likeness
        strangers += likeness < 0.5
    return (found / total if total else 0.0), found, total - found, strangers


def best(token: str, others: tuple[str, ...]) -> float:
    """How well a word is found among others; glued words and first letters count too."""
    if token in others:
        return 1.0
    found = max((word_likeness(*sorted((token, other))) for other in others), default=0.0)
    if found < 0.9 and len(token) > 4:
        glued = [first + second for first, second in pairwise(others)]
        found = max([found, *(word_likeness(*sorted((token, other))) for other in glued)])
        if any(len(other) > len(token) + 2 and token in other for other in others):
            found = max(found, 0.85)
    return found


@lru_cache(maxsize=500_000)
def word_likeness(one: str, other: str) -> float:
    """How alike two words are: slips cost, a shortened word costs a little, others are strangers."""
    short, long = sorted((one, other), key=len)
    if not short or short.isdigit() or long.isdigit():
        return float(short == long)
    if len(short) < len(long) and long.startswith(short):
        return {1: 0.5, 2: 0.6}.get(len(short), 0.85)
    if len(short) >= 3 and short[0] == long[0] and len(short) <= 5 and len(long) >= len(short) + 3:
        rest = iter(long)
        if all(letter in rest for letter in short):
            return 0.7
    likeness = OSA.normalized_similarity(short, long)
    return float(likeness) if likeness >= ALIKE else 0.0


def places_compared(one: Traits, other: Traits, common: Commonness) -> dict[str, float]:
    """How two addresses agree and contradict."""
    values = dict.fromkeys(
        ("address_same", "address_shared", "number_differs", "street_differs", "no_street"),
        0.0,
    )
    values["postcode_differs"] = float(bool(one.postcode and other.postcode) and one.postcode != other.postcode)
    cities = one.city, other.city
    values["city_differs"] = float(all(cities) and fuzz.ratio(*cities) < 75 and not one_begins(*cities))
    if one.street is None or other.street is None:
        return values | {"no_street": 1.0}
    street, house = street_likeness(one.street, other.street), house_likeness(one.house, other.house)
    elsewhere = values["postcode_differs"] and values["city_differs"]
    values["street_differs"] = 1 - street
    values["number_differs"] = street * float(house == 0)
    values["address_same"] = street * house * (0.2 if elsewhere else 1.0)
    if one.house == other.house:
        sharers = max((common.counts.get(key, 2) for key in address_keys(one) | address_keys(other)), default=2)
        values["address_shared"] = street * (1 - 1 / max(1, sharers - 1))
    return values


def street_likeness(one: StreetName, other: StreetName) -> float:
    """How surely two street names are one up to abbreviations and slips, 0 to 1."""
    if one.core == other.core or one.glued == other.glued:
        return 1.0
    slips = OSA.normalized_similarity(one.glued, other.glued)
    likeness = max(float(slips), fuzz.ratio(one.glued, other.glued) / 100, fuzz.ratio(one.core, other.core) / 100)
    return max(0.0, min(1.0, (likeness - 0.65) / 0.2))


def house_likeness(one: str, other: str) -> float:
    """Whether two house numbers may be one: the same, another suffix or the first of a range, or none given."""
    if one == other:
        return 1.0 if one else 0.5
    if not one or not other:
        return 0.4
    bases = tuple("".join(takewhile(str.isdigit, number)) for number in (one, other))
    return 0.6 if bases[0] == bases[1] else 0.0


def one_begins(one: str, other: str) -> bool:
    """Whether one city is the other with something behind it."""
    return one.startswith(other) or other.startswith(one)
