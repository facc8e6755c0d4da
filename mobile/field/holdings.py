"""What lies on this phone, in numbers: rows by kind and octets; and what is too much for it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.outbox import Outbox

GROUPS = {
    "account": "accounts", "site": "accounts", "custom_field": "accounts", "territory": "accounts",
    "cadence": "accounts",
    "contact": "people", "contact_account": "people",
    "visit": "visits", "visit_type": "visits", "pin_proposal": "visits",
    "route": "plans", "stop": "plans",
    "activity": "activities", "ticket": "tickets", "opportunity": "deals", "order": "orders", "lead": "leads",
    "prospect": "firms",
    "note": "activities", "mail": "activities", "stage_change": "deals",
    "track": "tracks", "product": "catalogue", "price_list": "catalogue", "price_list_use": "catalogue",
}  # fmt: skip
"""Which kinds of rows are told as one; every other is told among the rest."""
COUNTED = {
    "accounts": "account", "people": "contact", "visits": "visit", "plans": "route", "catalogue": "product",
    "tracks": "track",
}  # fmt: skip
"""What is counted in a group of several kinds."""
REST = "other"
SAID = "holding"
MERGED = "merged"


@dataclass(frozen=True)
class Holding:
    """One kind of what is on this phone."""

    kind: str
    count: int
    octets: int


def rows(store: Store) -> list[Holding]:
    """Rows by kind, what takes most first."""
    sql = "select e, count(*), sum(length(base) + length(doc)) from row group by e"
    counts: dict[str, int] = {}
    octets: dict[str, int] = {}
    for e, count, size in store.cache.db.execute(sql):
        group = GROUPS.get(e, REST)
        if COUNTED.get(group, e) == e or group == REST:
            counts[group] = counts.get(group, 0) + count
        octets[group] = octets.get(group, 0) + int(size or 0)
    found = [Holding(group, counts.get(group, 0), size) for group, size in octets.items()]
    return sorted(found, key=lambda one: (-one.octets, one.kind))


def everything(store: Store, packs: Iterable[Path]) -> list[Holding]:
    """Rows, photos, maps, and the journal of unsent work."""
    kept = [*store.outbox.blobs.files(), *_files(store.folder / "fetched")]
    maps = [path for path in packs if path.is_file()]
    journal = [path for path in store.folder.glob("outbox.*") if path.is_file()]
    return [
        *rows(store),
        _of_files("photos", kept),
        _of_files("map", maps),
        Holding("journal", len(store.outbox.ops()), sum(path.stat().st_size for path in journal)),
    ]


def heard(outbox: Outbox, said: Json | None) -> None:
    """What the server said that this phone is given; None: it knows no ceiling."""
    outbox.meta.set(SAID, None if said is None else json.dumps(said))


def too_much(outbox: Outbox) -> Json | None:
    """What the server gives this phone and what it leaves out, as it came; None when nothing is left out."""
    said = outbox.meta.read(SAID, lambda text: dict(json.loads(text))) or {}
    return said if said.get("left_out") or said.get("further") else None


def merged(outbox: Outbox, told: Json | None) -> None:
    """Of the accounts that the server was asked about, into which some were merged, by their ids."""
    outbox.meta.set(MERGED, json.dumps(told) if told else None)


def standing(outbox: Outbox, account_id: str) -> str:
    """The account, or the one into which it was merged, as far as the server said."""
    return str((outbox.meta.read(MERGED, lambda text: dict(json.loads(text))) or {}).get(account_id, account_id))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _of_files(kind: str, paths: Iterable[Path]) -> Holding:
    sizes = [path.stat().st_size for path in paths if path.is_file()]
    return Holding(kind, len(sizes), sum(sizes))
