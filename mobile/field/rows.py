"""Rows of the cache as the rep sees them."""

import json

from mobile.field.store import Store
from mobile.field.store.canonical import Json


def docs(store: Store, e: str, account_id: str | None = None) -> list[Json]:
    """All rows of an entity, or those at one account."""
    if account_id is None:
        found = store.cache.db.execute("select doc from row where e=? order by sort, id", (e,))
    else:
        sql = "select doc from row indexed by row_account where account_id=? and e=? order by id"
        found = store.cache.db.execute(sql, (account_id, e))
    return [json.loads(row[0]) for row in found]
