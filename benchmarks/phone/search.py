"""Typing in the phone's search with 5,000 accounts in sealed files: the slowest key, hits and slips alike, and the time
to build the index. `python -m benchmarks.phone.search`
"""

import random
import sys
import tempfile
import time
import uuid
from pathlib import Path

from mobile.device.desktop import FileSecrets
from mobile.device.sealing import seals_of
from mobile.field.finding import AccountIndex
from mobile.field.store import Store

ACCOUNTS = 5_000
GOAL_MS = 50.0
FIRST = ("Müller", "Näscher", "Bäckerei", "Metzgerei", "Gärtnerei", "Gasthaus", "Autohaus", "Elektro", "Schreinerei")
SECOND = ("Sonne", "Krone", "Adler", "Huber", "Schäfer", "Weiß", "Großmann", "Öhler", "Kühn", "Lindner", "Brücke")
TOWNS = ("Vaduz", "Schaan", "Heidelberg", "Neckargemünd", "Eppelheim", "Leimen", "Schwetzingen")
TYPED = ("muller sonne", "mueler", "schwetzignen krone", "großmann", "xylophon", "gärtnerei kuhn heidelberg", "k4711")


def fill(store: Store) -> None:
    """Accounts with a site each."""
    dice = random.Random(5)
    with store.page():
        for n in range(ACCOUNTS):
            account, site = str(uuid.UUID(int=n)), str(uuid.UUID(int=ACCOUNTS + n))
            name = f"{dice.choice(FIRST)} {dice.choice(SECOND)} {n}"
            doc = {"id": account, "name": name, "number": f"K{n}", "status": "customer", "tags": []}
            store.cache.put_base("account", account, 1, doc)
            place = {"id": site, "account_id": account, "is_main": True, "city": dice.choice(TOWNS)}
            store.cache.put_base("site", site, 1, place | {"lon": 8.6, "lat": 49.4})


def main() -> int:
    """Type, letter by letter; fails when a key takes longer than the goal in CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "user", seals_of(FileSecrets(Path(folder) / "secrets.json"), "user"))
        fill(store)
        began = time.process_time()
        index = AccountIndex(store)
        built = time.process_time() - began
        slowest, keys = (0.0, 0.0, ""), 0
        for text in TYPED:
            for end in range(1, len(text) + 1):
                wall, began = time.perf_counter(), time.process_time()
                index.search(text[:end])
                spent = (time.process_time() - began) * 1000
                slowest = max(slowest, (spent, (time.perf_counter() - wall) * 1000, text[:end]))
                keys += 1
        store.close()
    cpu, wall_ms, typed = slowest
    sys.stdout.write(f"{ACCOUNTS} accounts: index {built * 1000:.0f} ms CPU; {keys} keys, the slowest ({typed!r}) ")
    sys.stdout.write(f"{cpu:.1f} ms CPU, {wall_ms:.1f} ms wall; goal {GOAL_MS:.0f} ms\n")
    return 0 if cpu < GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
