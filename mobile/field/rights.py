"""What the rep may change, as the server said at the last hello."""

import json

from mobile.field.store import Store
from mobile.field.store.outbox import Outbox

CLOSED = "closed"
ALWAYS = frozenset({"account.phone", "account.email", "account.website", "account.note", "account.tags"})
"""What servers take that say nothing of it."""
ALL_OF_IT = 5
"""From this schema on servers take addresses, own fields, and status, class and interval of accounts."""


def heard(outbox: Outbox, closed: list[str] | None) -> None:
    """Remember what is closed to the rep; None: the server does not say."""
    outbox.meta.set(CLOSED, None if closed is None else json.dumps(closed))


def is_closed(outbox: Outbox, kind: str, field: str) -> bool:
    """Whether the server said that a field is closed to the rep; one that they may not see is."""
    closed = _closed(outbox) or ()
    return kind in closed or f"{kind}.{field}" in closed


def _closed(outbox: Outbox) -> list[str] | None:
    return outbox.meta.read(CLOSED, lambda said: list(json.loads(said)))


def takes_all(store: Store) -> bool:
    """Whether the server takes what older ones refuse: addresses, own fields, status, class and interval."""
    return (store.cache.meta.read("schema", int) or 1) >= ALL_OF_IT


def may_change(outbox: Outbox, kind: str, field: str = "") -> bool:
    """Whether a field of an account or a contact may be changed; without a field: whether anything may, or be added."""
    if _closed(outbox) is None:
        return f"{kind}.{field}" in ALWAYS or (kind, field) == ("account", "")
    return not is_closed(outbox, kind, field)
