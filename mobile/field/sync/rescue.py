"""A damaged outbox goes to the server as it is: what could be read of it was saved already, somebody may read more.

Entries in it are sealed, and the key stays on the phone: times, kinds and order are plain, the rest needs the phone.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

from mobile.field.store import Store
from mobile.field.sync.api import Api

MOST_BYTES = 20_000_000


def damaged(store: Store) -> Iterator[Path]:
    """The files that were set aside and that the server does not have yet."""
    for path in sorted(store.folder.glob("outbox.db.damaged-*")):
        if not path.name.endswith(("-wal", ".sent")):
            yield path


def send(store: Store, api: Api) -> int:
    """Send what was set aside; each stays here under another name. Returns how many went."""
    gone = 0
    for path in damaged(store):
        packed = gzip.compress(path.read_bytes(), compresslevel=5, mtime=0)
        if packed and len(packed) <= MOST_BYTES:
            api.send("POST", "/sync/v1/rescue", packed, {"Content-Type": "application/octet-stream"})
            gone += 1
        path.replace(path.with_name(path.name + ".sent"))
    return gone
