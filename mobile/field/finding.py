"""The accounts as a list: search as one types, what is overdue."""

from dataclasses import dataclass
from datetime import date

from mobile.field import zones
from mobile.field.reached import People
from mobile.field.rows import docs
from mobile.field.slips import Vocabulary
from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.folding import fold, matches, variants


@dataclass(frozen=True)
class AccountLine:
    """One account in the list."""

    id: str
    name: str
    account_class: str | None
    status: str
    city: str
    lon: float | None
    lat: float | None
    uncertainty_m: float | None
    leaving: bool
    is_unplaced: bool
    """Whether its pin is still to come."""
    overdue_days: int | None
    """Days since a visit is due; negative while there is time, None where nothing says when."""

    @property
    def overdue(self) -> bool:
        return self.overdue_days is not None and self.overdue_days > 0


@dataclass(frozen=True)
class Hit:
    """An account that was found, and by what, where that is not seen of it: a street, a person, a number."""

    line: AccountLine
    by: str = ""


def waits_for_pin(site: Json) -> bool:
    """Whether a site, or an account founded here by its address, has yet to hear from the server where it is."""
    return site.get("lat") is None and not site.get("geocode_reason")


def is_new(account: Json) -> bool:
    """Whether an account was founded on this phone and is not with the server yet."""
    return "proposed_at" in account


def last_visits(store: Store) -> dict[str, str]:
    """The latest day on which each account was visited, as far as this phone knows."""
    sql = (
        "select account_id, max(sort) from row where e='visit' and json_extract(opened(doc),'$.state')='done'"
        " group by account_id"
    )
    return dict(store.cache.db.execute(sql).fetchall())


INTERVALS = {"A": 14, "B": 28, "C": 84}
"""Days between two visits by class, where neither the account, its owner nor the company says otherwise."""


class Cadences:
    """How often accounts are visited; the rule of the server's `accounts.fields`."""

    def __init__(self, store: Store) -> None:
        self._set = {
            (one["user_id"], one["account_class"]): int(one["interval_days"]) for one in docs(store, "cadence")
        }

    def interval_days(self, account: Json) -> int | None:
        """Days between two visits of an account; None: it is visited on demand only."""
        kind, owner = account.get("account_class"), account.get("owner_id")
        said = (account.get("interval_days"), self._set.get((owner, kind)), self._set.get((None, kind)))
        return next((int(days) for days in said if days), INTERVALS.get(str(kind)))

    def overdue_days(self, account: Json, last_visit: str | None, today: date) -> int | None:
        """Days since the account's next visit is due, negative while there is time; None where nothing says when.

        `last_visit` is the latest day that this phone knows of; what the server says may be later, or long ago. One
        that was never visited is due since it is known.
        """
        days, last = self.interval_days(account), max(last_visit or "", account.get("last_visit_on") or "")
        since = last or account.get("created_on")
        if days is None or not since:
            return None
        return (today - date.fromisoformat(since)).days - (days if last else 0)


@dataclass(frozen=True)
class _Kept:
    """An account and the folded words by which it is found: those one sees of it, these and its street, and all."""

    line: AccountLine
    street: str
    number: str
    seen: str
    placed: str
    folded: str

    def aside(self, words: list[tuple[str, ...]]) -> str:
        """By which of what is not seen of it some words find it."""
        return self.street if matches(words, self.placed) else self.number


class AccountIndex:
    """All accounts in memory for search as one types; 5,000 names are scanned in milliseconds."""

    def __init__(self, store: Store) -> None:
        visited, today, cadences = last_visits(store), zones.today(store.outbox), Cadences(store)
        held = {r[0] for r in store.cache.db.execute("select id from membership where e='account'")}
        sites: dict[str, Json] = {}
        for site in docs(store, "site"):
            if site.get("is_main") or site["account_id"] not in sites:
                sites[site["account_id"]] = site
        self._kept = {
            account["id"]: _line(
                account,
                sites.get(account["id"], account),  # a new one says itself where it is, until it comes back with a site
                account["id"] not in held and not is_new(account),
                cadences.overdue_days(account, visited.get(account["id"]), today),
            )
            for account in docs(store, "account")
            if not account.get("merged_into")
        }

        self._vocabulary: Vocabulary | None = None
        self.people = People(store)
        """Whom `hits` knows beside the accounts; read on until it is whole."""

    def __len__(self) -> int:
        return len(self._kept)

    def search(self, text: str = "") -> list[AccountLine]:
        """Accounts whose name, city, street or number hold words beginning like each word typed; where none does, those
        that are a slip of the finger away."""
        words = _words(text)
        return [kept.line for kept in self._exact(words)] or self._near(words)

    def hits(self, text: str) -> list[Hit]:
        """What a rep finds who types, the best first: accounts by what is seen of them, by their street or number, by
        their people and phone numbers; where there is none, those that are a slip of the finger away."""
        words = _words(text)
        exact = self._exact(words)
        seen = {kept.line.id: Hit(kept.line) for kept in exact if matches(words, kept.seen)}
        aside = {kept.line.id: Hit(kept.line, kept.aside(words)) for kept in exact if kept.line.id not in seen}
        called = self.people.at(text, words).items()
        reached = {key: Hit(self._kept[key].line, who) for key, who in called if key in self._kept}
        found = seen | aside | {key: hit for key, hit in reached.items() if key not in seen and key not in aside}
        return list(found.values()) or [Hit(line) for line in self._near(words)]

    def _exact(self, words: list[tuple[str, ...]]) -> list[_Kept]:
        return [kept for kept in self._kept.values() if matches(words, kept.folded)]

    def _near(self, words: list[tuple[str, ...]]) -> list[AccountLine]:
        if self._vocabulary is None:
            self._vocabulary = Vocabulary({key: kept.folded for key, kept in self._kept.items()})
        near = self._vocabulary.nearly(words)
        return [kept.line for key, kept in self._kept.items() if key in near]


def _words(text: str) -> list[tuple[str, ...]]:
    return [variants(word) for word in text.split() if fold(word)]


def _line(account: Json, site: Json, leaving: bool, overdue: int | None) -> _Kept:
    line = AccountLine(
        id=account["id"],
        name=str(account.get("name") or ""),
        account_class=account.get("account_class"),
        status=str(account.get("status") or ""),
        city=str(site.get("city") or ""),
        lon=site.get("lon"),
        lat=site.get("lat"),
        uncertainty_m=site.get("uncertainty_m"),
        leaving=leaving,
        is_unplaced=waits_for_pin(site),
        overdue_days=overdue,
    )
    street, number = str(site.get("street") or ""), str(account.get("number") or "")
    seen = fold(f"{line.name} {line.city}")
    placed = f"{seen} {fold(street)}"
    return _Kept(line, street, number, seen, placed, f"{placed} {fold(number)}")
