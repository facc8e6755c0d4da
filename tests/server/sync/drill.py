"""A restore drill (`make drill`): a dump is put back while phones hold acknowledged work that it does not know.

The database is dumped with `pg_dump` and read into a new one with `pg_restore`, as an operator does it. The phones say
hello, send their journals again, and the invariants are asked. JOURNALS=N changes how many phones there are. The last
line says journals, ops, violations.
"""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from server.kit.database import engine, transaction
from server.kit.postgres import find
from server.sync.pulling import epochs
from tests.server.sync.backups import Backups
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.fuzz import cluster, prepared
from tests.server.sync.schedule import ACCOUNTS, Fuzz, Schedule

JOURNALS = int(os.environ.get("JOURNALS", "50"))
SAVED = 3
"""So many things does each rep save before the dump, and as many after it."""
REPS_DO = ("a_rep_edits", "a_rep_changes_tags", "a_rep_visits", "a_rep_takes_a_photo")


class Company(Schedule):
    """As many reps as there are journals, in two territories."""

    def prepare(self) -> None:
        """Phones that have synced once."""
        for number in range(ACCOUNTS):
            self.accounts.append(self.world.account(f"A{number}", ("west", "east")[number % 2], phone="p", tags=["t"]))
        for number in range(JOURNALS):
            login = f"rep{number}"
            self.world.user(login)
            self.world.grant(login, ("west", "east")[number % 2])
            self.phones[login] = FieldPhone(self.world, login, self.folder / login, Network(self.world.client))
            self.phones[login].sync()

    def work(self) -> None:
        """Everybody saves something, and all of it is acknowledged."""
        everybody = self.phones
        for login, phone in everybody.items():
            self.phones = {login: phone}
            for _ in range(SAVED):
                getattr(self, self.rng.choice(REPS_DO))()
            self.note()
            phone.sync()
        self.phones = everybody


def dump(database: Engine, into: Path) -> None:
    """Write a dump of a database."""
    program = find().bindir / "pg_dump"
    subprocess.run([program, "--format=custom", f"--file={into}", libpq(database)], check=True)


def put_back(database: Engine, dumped: Path) -> None:
    """The database is gone; a new one of its name is read from the dump, and a server starts on it."""
    engine().dispose()
    name = database.url.database
    admin = create_engine(database.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
        connection.execute(text(f"create database {name} template template0"))
    admin.dispose()
    program = find().bindir / "pg_restore"
    subprocess.run([program, "--no-owner", "--exit-on-error", f"--dbname={libpq(database)}", dumped], check=True)
    with transaction() as session:
        epochs.guard(session)


def libpq(database: Engine) -> str:
    """The address of a database for PostgreSQL's own programs."""
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)


def drill(fuzz: Fuzz, folder: Path) -> tuple[int, list[str]]:
    """The ops that were saved, and what they violate at the end."""
    fuzz.be_quick()
    company = Company(fuzz.company(), fuzz.database, folder, Backups(fuzz.database.url), random.Random(1))
    try:
        company.prepare()
        company.work()
        dump(fuzz.database, folder / "waymark.dump")
        company.work()
        put_back(fuzz.database, folder / "waymark.dump")
        company.settle()
        return len(company.ledger), list(company.violations())
    except AssertionError as error:
        return len(company.ledger), [str(error)]
    finally:
        company.clear()


def main() -> int:
    """One drill on a database server of its own."""
    with (
        cluster(),
        tempfile.TemporaryDirectory(prefix="waymark-drill-") as folder,
        prepared(f"drill_{os.getpid()}") as fuzz,
    ):
        ops, violations = drill(fuzz, Path(folder))
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    sys.stdout.write(f"{JOURNALS} journals, {ops} ops, {len(violations)} violations\n")
    return 1 if violations or not ops else 0


if __name__ == "__main__":
    sys.exit(main())
