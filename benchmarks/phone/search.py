"""Typing in the phone's search with 5,000 accounts and 10,000 people in sealed files: the slowest key, hits and slips
alike, the time to build the index, and what reading the people takes. `python -m benchmarks.phone.search`
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
GIVEN = ("Eva", "Anna", "Jürg", "Marko", "Sibylle", "Olena", "Tiago", "Françoise")
TYPED = (
    "eva kuhn4711",
    "3784627",
    "+41 (0)44",
    "muller sonne",
    "mueler",
    "schwetzignen krone",
    "großmann",
    "xylophon",
    "gärtnerei kuhn heidelberg",
    "k4711",
)


def fill(store: Store) -> None:
    """Accounts with a site and two people each."""
    dice = random.Random(5)
    with store.page():
        for n in range(ACCOUNTS):
            account, site = str(uuid.UUID(int=n)), str(uuid.UUID(int=ACCOUNTS + n))
            name = f"{dice.choice(FIRST)} {dice.choice(SECOND)} {n}"
            doc = {"id": account, "name": name, "number": f"K{n}", "status": "customer", "tags": []}
            store.cache.put_base("account", account, 1, doc)
            place = {"id": site, "account_id": account, "is_main": True, "city": dice.choice(TOWNS)}
            store.cache.put_base("site", site, 1, place | {"lon": 8.6, "lat": 49.4})
            for one in (2 * n, 2 * n + 1):
                person, at = (str(uuid.UUID(int=(k * ACCOUNTS) + one)) for k in (4, 8))
                called = {"first_name": dice.choice(GIVEN), "last_name": f"{dice.choice(SECOND)}{one}"}
                number = f"+423 {dice.randrange(10**6, 10**7)}"
                store.cache.put_base("contact", person, 1, {"id": person, **called, "phones": [{"value": number}]})
                place = {"id": at, "account_id": account, "contact_id": person, "roles": []}
                store.cache.put_base("contact_account", at, 1, place)


def main() -> int:
    """Type, letter by letter; fails when a key takes longer than the goal in CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "user", seals_of(FileSecrets(Path(folder) / "secrets.json"), "user"))
        fill(store)
        began = time.process_time()
        index = AccountIndex(store)
        built, frames, longest = time.process_time() - began, 0, 0.0
        while not index.people.is_whole:
            began = time.process_time()
            index.people.go_on()
            frames, longest = frames + 1, max(longest, time.process_time() - began)
        slowest, keys = (0.0, 0.0, ""), 0
        for text in TYPED:
            for end in range(1, len(text) + 1):
                wall, began = time.perf_counter(), time.process_time()
                index.hits(text[:end])
                spent = (time.process_time() - began) * 1000
                slowest = max(slowest, (spent, (time.perf_counter() - wall) * 1000, text[:end]))
                keys += 1
        store.close()
    cpu, wall_ms, typed = slowest
    sys.stdout.write(f"{ACCOUNTS} accounts: index {built * 1000:.0f} ms CPU; its people are read in {frames} frames, ")
    sys.stdout.write(f"the longest {longest * 1000:.1f} ms CPU; {keys} keys, the slowest ({typed!r}) ")
    sys.stdout.write(f"{cpu:.1f} ms CPU, {wall_ms:.1f} ms wall; goal {GOAL_MS:.0f} ms\n")
    return 0 if cpu < GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
