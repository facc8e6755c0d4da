"""A damaged outbox goes to the server as it is, and so do single entries that cannot be read any more: what could be
read was saved already, somebody may read more.

Entries in it are sealed, and the key stays on the phone: times, kinds and order are plain, the rest needs the phone.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

from mobile.field.store import Store
from mobile.field.store.canonical import Json, canonical
from mobile.field.sync.api import Api

MOST_BYTES = 20_000_000


def damaged(store: Store) -> Iterator[Path]:
    """The files that were set aside and that the server does not have yet."""
    for path in sorted(store.folder.glob("outbox.db.damaged-*")):
        if not path.name.endswith(("-wal", ".sent", ".too-large")):
            yield path


def send(store: Store, api: Api) -> int:
    """Send what was set aside; each stays here under another name. Returns how many files went."""
    gone = 0
    for path in damaged(store):
        packed = gzip.compress(path.read_bytes(), compresslevel=5, mtime=0)
        went = len(packed) <= MOST_BYTES
        if went:
            _upload(api, packed)
            gone += 1
        path.replace(path.with_name(path.name + (".sent" if went else ".too-large")))
    if entries := store.outbox.aside.unsent():
        _upload(api, of_entries(entries))
        store.outbox.aside.sent(entries)
    return gone


def of_entries(entries: list[Json]) -> bytes:
    """Single entries as one file."""
    return gzip.compress(canonical(entries).encode("utf-8"), compresslevel=5, mtime=0)


def _upload(api: Api, packed: bytes) -> None:
    api.send("POST", "/sync/v1/rescue", packed, {"Content-Type": "application/octet-stream"})
