"""The accounts as a list: search as one types, what is overdue."""

from dataclasses import dataclass
from datetime import date

from mobile.field import zones
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


class AccountIndex:
    """All accounts in memory for search as one types; 5,000 names are scanned in milliseconds."""

    def __init__(self, store: Store) -> None:
        visited, today, cadences = last_visits(store), zones.today(store.outbox), Cadences(store)
        held = {r[0] for r in store.cache.db.execute("select id from membership where e='account'")}
        sites: dict[str, Json] = {}
        for site in docs(store, "site"):
            if site.get("is_main") or site["account_id"] not in sites:
                sites[site["account_id"]] = site
        self._lines = {
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

    def __len__(self) -> int:
        return len(self._lines)

    def search(self, text: str = "") -> list[AccountLine]:
        """Accounts whose name, city or number hold words beginning like each word typed; where none does, those that
        are a slip of the finger away."""
        words = [variants(word) for word in text.split() if fold(word)]
        exact = [line for line, folded in self._lines.values() if matches(words, folded)]
        if exact:
            return exact
        if self._vocabulary is None:
            self._vocabulary = Vocabulary({key: folded for key, (_line, folded) in self._lines.items()})
        near = self._vocabulary.nearly(words)
        return [line for key, (line, _folded) in self._lines.items() if key in near]


def _line(account: Json, site: Json, leaving: bool, overdue: int | None) -> tuple[AccountLine, str]:
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
    return line, fold(f"{line.name} {line.city} {site.get('street') or ''} {account.get('number') or ''}")
