"""Many phones for many hours on real workers over HTTP (`make soak`): nobody diverges, and memory stays flat.

PHONES=1000 and HOURS=24 unless said otherwise. Reps save and sync, colleagues edit and move; at the end all phones come
to rest, each is compared row by row with what its user may see, and the memory of the workers with what it was in the
second quarter. The last line says phones, syncs, ops, violations and memory.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.server.sync.backups import Backups
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.http_fuzz import Run, Wire, company_server
from tests.server.sync.mortal_server import children_of
from tests.server.sync.schedule import Schedule

PHONES = int(os.environ.get("PHONES", "1000"))
HOURS = float(os.environ.get("HOURS", "24"))
FLAT = 0.05
LONG_ENOUGH_H = 1.0
"""A shorter run says what memory did and does not judge it: caches still fill."""
READ_EVERY_S = 10.0
ACCOUNTS = 40
HAPPENS = (
    "a_rep_edits", "a_rep_changes_tags", "a_rep_visits", "a_rep_takes_a_photo", "somebody_edits",
    "somebody_moves_an_account", "an_open_transaction_ends",
)  # fmt: skip


class Company(Schedule):
    """As many reps as there are phones, half of them in each territory."""

    syncs: int = 0

    def hire(self, run: Run) -> None:
        """Accounts, reps, and phones that have synced once."""
        self.rng = random.Random(1)
        for number in range(ACCOUNTS):
            self.accounts.append(self.world.account(f"A{number}", ("west", "east")[number % 2], phone="p", tags=["t"]))
        for number in range(PHONES):
            login = f"rep{number}"
            self.world.user(login)
            self.world.grant(login, ("west", "east")[number % 2])
            self.phones[login] = FieldPhone(self.world, login, self.folder / login, Wire(run.proxy))
            self.sync(self.phones[login])

    def sync(self, phone: FieldPhone) -> None:
        """One sync, counted."""
        phone.sync()
        self.syncs += 1

    def moment(self) -> None:
        """Something happens, often on a phone that syncs after it."""
        everybody, login = self.phones, self.rng.choice(list(self.phones))
        self.phones = {login: everybody[login]}
        getattr(self, self.rng.choice(HAPPENS))()
        self.note()
        self.phones = everybody
        self.sync(everybody[login])


def resident_mb() -> float:
    """What the workers hold in memory, together; pages that they share count for each."""
    mine = [pid for pid in children_of(os.getpid()) if b"mortal_server" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    workers = [pid for server in mine for pid in (server, *children_of(server))]
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in workers)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soaked(run: Run, company: Company) -> list[float]:
    """Let the hours pass; returns what memory was, every ten seconds."""
    began, readings = time.monotonic(), [resident_mb()]
    while (passed := time.monotonic() - began) < HOURS * 3600:
        company.moment()
        if passed >= len(readings) * READ_EVERY_S:
            readings.append(resident_mb())
            sys.stderr.write(f"\r{passed / 3600:.2f} h, {company.syncs} syncs, {readings[-1]:.0f} MB ")
            sys.stderr.flush()
    return [*readings, resident_mb()]


def growth(readings: list[float]) -> float:
    """How the last quarter lies above the second one, as a share of that."""
    quarter = max(1, len(readings) // 4)
    early = statistics.fmean(readings[quarter : 2 * quarter] or readings[:1])
    return statistics.fmean(readings[-quarter:]) / early - 1


def main() -> int:
    """Hire, soak, reckon."""
    with company_server() as run, tempfile.TemporaryDirectory(prefix="waymark-soak-") as folder:
        company = Company(run.fuzz.company(), run.fuzz.database, Path(folder), Backups(run.fuzz.database.url))
        try:
            company.hire(run)
            readings = soaked(run, company)
            company.settle()
            violations = list(company.violations())
        except AssertionError as error:
            readings, violations = [resident_mb()] * 4, [str(error)]
        finally:
            company.clear()
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    grown = growth(readings)
    told = f"{PHONES} phones, {company.syncs} syncs, {len(company.ledger)} ops, {len(violations)} violations"
    sys.stdout.write(f"{told}, memory {readings[-1]:.0f} MB ({grown:+.1%})\n")
    return 1 if violations or (HOURS >= LONG_ENOUGH_H and grown > FLAT) else 0


if __name__ == "__main__":
    sys.exit(main())
