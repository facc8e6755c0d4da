"""Who lies around a place: customers, prospects, leads and firms of open data on this phone, and what a new lead may
double."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from mobile.field.checkin import distance_m
from mobile.field.finding import AccountIndex, AccountLine
from mobile.field.rows import docs
from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.folding import fold

LAYERS = ("customer", "prospect", "lead", "firm")
OVER = ("converted", "disqualified")
"""States in which nobody works on a lead any more."""
SAME_DOOR_M = 40.0
ALIKE_M = 1_000.0
SAME_NAME_M = 10_000.0
WHOLE = 0.75
"""What is typed is a whole name from so much of its letters on."""
LEGAL = frozenset("ag anstalt co est gmbh inc kg llc ltd ohg ug sa sarl se trust".split())
"""Words of a name that people leave out."""
SHORTEST = 3
"""So many letters say something of a name."""
MOST_ALIKE = 4


@dataclass(frozen=True)
class Somebody:
    """An account, a lead or a firm of open data with a place on the map."""

    layer: str
    """customer, prospect, lead or firm."""
    id: str
    name: str
    place: str
    account_class: str | None
    lon: float
    lat: float
    uncertainty_m: float
    overdue_days: int | None
    kind: str = ""
    """Of a firm: its kind as open data has it, `shop=bakery`."""
    kind_words: Json = field(default_factory=dict, compare=False)
    """What people call the kind, by language."""

    def kind_word(self, language: str) -> str:
        """The kind in a language, or as it is tagged."""
        return str(self.kind_words.get(language) or self.kind_words.get("en") or self.kind)


@dataclass(frozen=True)
class Near:
    """Somebody, and how far away: `inf` where that is not known."""

    who: Somebody
    distance_m: float


def lead_name(doc: Json) -> str:
    """What a lead is called: the company, or the person."""
    return str(doc.get("company") or doc.get("person") or "")


def leads(store: Store) -> list[Json]:
    """The leads on which somebody works, those of this phone among them."""
    return [doc for doc in docs(store, "lead") if doc.get("state") not in OVER]


def everybody(store: Store, index: AccountIndex) -> list[Somebody]:
    """Who can be put on the map: accounts as customers and prospects, and leads."""
    accounts = [
        Somebody(
            "prospect" if line.status == "prospect" else "customer", line.id, line.name, line.city,
            line.account_class, line.lon, line.lat, line.uncertainty_m or 0, line.overdue_days,
        )
        for line in index.search()
        if line.lon is not None and line.lat is not None
    ]  # fmt: skip
    known = [
        Somebody(
            "lead", doc["id"], lead_name(doc), str(doc.get("city") or ""), None, doc["lon"], doc["lat"],
            doc.get("uncertainty_m") or 0, None,
        )
        for doc in leads(store)
        if doc.get("lon") is not None and doc.get("lat") is not None
    ]  # fmt: skip
    return accounts + known + [firm(doc) for doc in firms(store)]


def with_place(store: Store, lead: Json, people: Iterable[Somebody]) -> Json:
    """A lead with its address; one that the office has not placed yet has that of the firm it was, else the town that
    lies around."""
    if lead.get("street") or lead.get("city") or lead.get("lat") is None:
        return lead
    was = store.cache.doc("prospect", str(lead.get("prospect_id"))) or {}
    known = {key: was[key] for key in ("street", "postcode", "city") if was.get(key)}
    return lead | (known or {"city": town_of(people, lead["lon"], lead["lat"])})


def firms(store: Store) -> list[Json]:
    """The prospects of open data on this phone, without those that this rep has made a lead of, sent or not."""
    taken = {op.body["d"].get("prospect_id") for op in store.outbox.ops() if op.e == "lead" and op.state != "rejected"}
    return [doc for doc in docs(store, "prospect") if doc["id"] not in taken]


def firm(doc: Json) -> Somebody:
    """A prospect of open data as somebody on the map."""
    return Somebody(
        "firm", doc["id"], str(doc["name"]), str(doc.get("city") or ""), None, doc["lon"], doc["lat"], 0, None,
        str(doc["kind"]), doc.get("kind_words") or {},
    )  # fmt: skip


def kinds(people: Iterable[Somebody]) -> list[tuple[str, Somebody]]:
    """The kinds of firms, the commonest first, each with one of them."""
    known = [one for one in people if one.kind]
    count = Counter(one.kind for one in known)
    first = {one.kind: one for one in reversed(known)}
    return sorted(first.items(), key=lambda pair: (-count[pair[0]], pair[0]))


def nearest(people: Iterable[Somebody], lon: float, lat: float, layers: Sequence[str] = LAYERS) -> list[Near]:
    """Those of the chosen layers, the nearest first."""
    found = [(distance_m(lon, lat, one.lon, one.lat), one) for one in people if one.layer in layers]
    return [Near(one, metres) for metres, one in sorted(found, key=lambda pair: (pair[0], pair[1].name))]


class Neighbours:
    """Whom somebody new may double: read once for a place, or for none, and asked at every key that is typed."""

    def __init__(self, store: Store, index: AccountIndex, lon: float | None, lat: float | None) -> None:
        self._index, people = index, everybody(store, index)
        self._has_place = lon is not None and lat is not None
        if lon is None or lat is None:
            placed = {one.id for one in people}
            people += [_without_place(line) for line in index.search() if line.id not in placed]
            self._near = [Near(one, inf) for one in sorted(people, key=lambda one: (one.layer, one.name))]
        else:
            self._near = [near for near in nearest(people, lon, lat) if near.distance_m <= SAME_NAME_M]
        self._folded = {near.who.id: fold(near.who.name) for near in self._near if near.who.layer in ("lead", "firm")}

    def alike(self, name: str, town: str = "") -> list[Near]:
        """Whoever is called like it within a kilometre, whoever has the very name within ten, and whoever stands at the
        same door. Of one without a place, whoever has the very name in its town, or in any where none is given."""
        words = [word for word in fold(name).split() if word not in LEGAL]
        core = " ".join(words)
        named = {line.id for line in self._index.search(core)} if len(core) >= SHORTEST else set()
        words = [word for word in words if len(word) >= SHORTEST]
        named |= {who for who, folded in self._folded.items() if _shares(words, folded)}
        typed = len(core.replace(" ", ""))

        def may_be(near: Near) -> bool:
            if near.who.id not in named:
                return near.distance_m <= SAME_DOOR_M
            is_whole = typed >= WHOLE * len(_core(near.who.name))
            if self._has_place:
                return near.distance_m <= (SAME_NAME_M if is_whole else ALIKE_M)
            return is_whole and _in_town(near.who.place, town)

        return sorted(filter(may_be, self._near), key=lambda near: near.who.id not in named)[:MOST_ALIKE]


def _without_place(line: AccountLine) -> Somebody:
    """An account that is not on the map."""
    layer = "prospect" if line.status == "prospect" else "customer"
    return Somebody(layer, line.id, line.name, line.city, line.account_class, 0, 0, 0, None)


def _in_town(place: str, town: str) -> bool:
    """Whether somebody may be in a town, as far as both are known."""
    here, there = fold(place), fold(town)
    return not here or not there or here in there or there in here


def town_of(people: Iterable[Somebody], lon: float, lat: float) -> str:
    """The town of whoever is nearest within a kilometre, as most people write it; empty where nobody gives one."""
    people = list(people)
    near = (n for n in nearest(people, lon, lat) if n.distance_m <= ALIKE_M and n.who.place)
    town = fold(next((n.who.place for n in near), ""))
    written = Counter(one.place for one in people if town and fold(one.place) == town)
    return written.most_common(1)[0][0] if written else ""


def _core(name: str) -> str:
    """The letters of a name without its legal form."""
    return "".join(word for word in fold(name).split() if word not in LEGAL)


def _shares(words: list[str], name: str) -> bool:
    """Whether a name has all the words that were typed, as far as they were typed."""
    held = name.split()
    return bool(words) and all(any(one.startswith(word) for one in held) for word in words)
