"""Rows of the cache as the rep sees them."""

import json
from collections.abc import Iterator

from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.folding import fold


def docs(store: Store, e: str, account_id: str | None = None) -> list[Json]:
    """All rows of an entity, or those at one account."""
    if account_id is None:
        found = store.cache.db.execute("select opened(doc) from row where e=? order by sort, id", (e,))
    else:
        sql = "select opened(doc) from row indexed by row_account where account_id=? and e=? order by id"
        found = store.cache.db.execute(sql, (account_id, e))
    rows: list[Json] = [json.loads(row[0]) for row in found]
    if account_id is None and e not in ("stop", "visit", "route"):
        rows.sort(key=lambda doc: fold(str(doc.get("name") or "")))  # names are sealed; SQL does not know their order
    return rows


def stream(store: Store, e: str, at_once: int = 100) -> Iterator[Json]:
    """All rows of an entity one after the other, by their ids; between two of them the store may change."""
    sql, after = "select id, opened(doc) from row where e=? and id>? order by id limit ?", ""
    while found := store.cache.db.execute(sql, (e, after, at_once)).fetchall():
        after = found[-1][0]
        yield from (json.loads(doc) for _, doc in found)
