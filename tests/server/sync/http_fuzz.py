"""Phones and server over HTTP, through a faulty proxy, while workers and the database are killed (`make fuzz-http`).

Two worker processes serve the real application on a database that waits for its disk. Each kill happens at a named
place (`mortal_server.POINTS`); after some of them everything comes to rest and the invariants are asked. KILLS=N
changes how many, FIRST=N the number of the first. The last line says kills, ops, photos, lost, doubled.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from mobile.field.sync.transport import HttpTransport
from server import migrations
from server.kit import database, embedded
from server.kit.settings import settings
from tests.server.sync.backups import Backups
from tests.server.sync.faulty_proxy import FaultyProxy
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.mortal_server import POINTS
from tests.server.sync.schedule import ACCOUNTS, Fuzz, Schedule

KILLS = int(os.environ.get("KILLS", "1000"))
FIRST = int(os.environ.get("FIRST", "0"))
CHAPTER = 18
"""So many kills make a story of one company, with a restore from a backup in its midst."""
ATTEMPTS = 12
DATABASE = 0.25
"""So many of the kills hit the database."""
FAULTY = 0.3
DEAD = "The database does not answer."

REPS_DO = ("a_rep_edits", "a_rep_changes_tags", "a_rep_visits", "a_rep_takes_a_photo", "a_rep_sends_poison")


class Wire(Network):
    """The way of the real app: HTTP, through the proxy."""

    def __init__(self, proxy: FaultyProxy) -> None:
        super().__init__(client=None)  # type: ignore[arg-type] nothing goes past HTTP
        transport = HttpTransport(f"http://127.0.0.1:{proxy.port}", timeout_s=60)
        self.open = transport.open  # type: ignore[method-assign]


@dataclass
class Story(Schedule):
    """One company between its founding and the reckoning."""

    proxy: FaultyProxy = field(default_factory=lambda: FaultyProxy(0))
    mortal: Path = Path()
    kills: int = 0
    signed_in_again: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """A handful of accounts, and phones that have synced once."""
        self.proxy.faulty = 0.0
        for number in range(ACCOUNTS):
            self.accounts.append(self.world.account(f"A{number}", ("west", "east")[number % 2], phone="p", tags=["t"]))
        for login in ("rita", "otto"):
            self.phones[login] = FieldPhone(self.world, login, self.folder / login, Wire(self.proxy))
            self.phones[login].sync()

    def kill(self, number: int) -> None:
        """End a worker or the database at the next place, while somebody syncs."""
        self.rng = self.proxy.rng = random.Random(number)
        victim = "database" if self.rng.random() < DATABASE else "worker"
        place = POINTS[number % len(POINTS)]
        (self.mortal / "armed").write_text(f"{place}\n{victim}")
        for attempt in range(ATTEMPTS):
            self.happen(self.rng.choice(REPS_DO), self.rng.randrange(2**16))
            self.proxy.faulty = FAULTY if attempt < ATTEMPTS // 2 else 0.0
            for login, phone in self.phones.items():
                phone.event(str(self.accounts[0]), "done", None, f"{number}")
                phone.photo(str(self.accounts[0]))
                if "refresh" in place:
                    self.a_token_expires_of(phone)
                self.note()
                self.syncs(login, phone)
            if (self.mortal / "fired").exists():
                (self.mortal / "fired").unlink()
                self.kills += 1
                return
        raise AssertionError(f"“{place}” was never reached")

    def a_token_expires_of(self, phone: FieldPhone) -> None:
        """A phone's next request is refused until it has refreshed; not when the database is just being killed."""
        statement = "update device_token set access_expires_at = now() - interval '1 minute' where device_id = :id"
        with suppress(OperationalError):
            self.world.sql(statement, id=phone.device_id)

    def syncs(self, login: str, phone: FieldPhone) -> None:
        """One sync over the faulty network. Nothing that happens to it may cost a rep the sign-in, but for a restore:
        the database has forgotten the tokens that it gave out since the backup."""
        device = phone.device_id
        self.synced(phone)
        if phone.device_id != device and not self.backups.restored:
            self.signed_in_again.append(f"{login} had to sign in again")

    def synced(self, phone: FieldPhone) -> None:
        """One sync; what the phone may hold is asked at the end. Signing in anew asks the database from here as well,
        by connections that may have died with it."""
        try:
            phone.sync()
        except OperationalError:
            self.database.dispose()
            phone.sync()

    def moves(self, login: str, phone: FieldPhone) -> bool:
        """A worker whose database was killed within the last second finds its connections dead once and says that it
        is busy; the app tries again, and so does this. Whoever stays busy does not come to rest."""
        try:
            return super().moves(login, phone)
        except AssertionError as error:
            if DEAD not in str(error):
                raise
            return True

    def disconnect(self) -> None:
        """Nobody is connected, for a copy of the database."""
        with self.database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            ended = "select pg_terminate_backend(pid) from pg_stat_activity"
            others = "where datname = current_database() and pid <> pg_backend_pid()"
            connection.execute(text(f"{ended} {others}"))


@dataclass
class Run:
    """Story after story on one pair of workers."""

    fuzz: Fuzz
    proxy: FaultyProxy
    mortal: Path
    kills: int = 0
    ops: int = 0
    photos: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    def chapter(self, first: int, count: int) -> None:
        """Some kills, a restore among them, and the reckoning."""
        with tempfile.TemporaryDirectory(prefix="waymark-http-") as folder:
            backups = Backups(self.fuzz.database.url)
            story = Story(self.fuzz.company(), self.fuzz.database, Path(folder), backups)
            story.proxy, story.mortal = self.proxy, self.mortal
            try:
                violations = self.told(story, first, count)
            except AssertionError as error:
                violations = [str(error)]
            finally:
                self.proxy.faulty = 0.0
                (self.mortal / "armed").unlink(missing_ok=True)
                story.clear()
        self.kills, self.ops = self.kills + story.kills, self.ops + len(story.ledger)
        self.photos += sum(op.e == "attachment" for op in story.ledger.values())
        for violation in violations:
            self.wrong[kind_of(violation)] += 1
            sys.stdout.write(f"kills {first} to {first + count - 1}: {violation}\n")

    @staticmethod
    def told(story: Story, first: int, count: int) -> list[str]:
        """What a story violates."""
        story.prepare()
        for number in range(first, first + count):
            if number == first + count // 3:
                story.disconnect()
                story.backups.take()
            if number == first + 2 * count // 3:
                embedded.ensure(settings().home)  # the kill before may have ended it
                story.backups.restore(story.backups.taken[-1])
            story.kill(number)
        story.proxy.faulty = 0.0
        embedded.ensure(settings().home)  # here too
        story.database.dispose()
        story.settle()
        return [*story.signed_in_again, *story.violations()]


def kind_of(violation: str) -> str:
    """What a violation counts as."""
    if "I2:" in violation:
        return "doubled"
    return "lost" if "I1:" in violation or "I13" in violation else "other"


@contextmanager
def company_server() -> Iterator[Run]:
    """A home with a database of its own that waits for its disk, two workers, and the proxy before them."""
    with tempfile.TemporaryDirectory(prefix="waymark-mortal-") as folder:
        home, mortal = Path(folder) / "home", Path(folder) / "mortal"
        Path(folder).chmod(0o755)
        mortal.mkdir()
        os.environ |= {"WAYMARK_HOME": str(home), "MORTAL": str(mortal), "WAYMARK_SYNC_READS_PER_MINUTE": "1000000"}
        os.environ.pop("WAYMARK_DATABASE_URL", None)
        settings.cache_clear()
        database.engine.cache_clear()
        migrations.upgrade(database.engine())
        command = [sys.executable, "-m", "tests.server.sync.mortal_server"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            proxy = FaultyProxy(int(server.stdout.readline()))
            proxy.start()
            yield Run(Fuzz(database.engine()), proxy, mortal)
            proxy.stop()
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait()
            database.engine().dispose()
            embedded.stop(home)


def main() -> int:
    with company_server() as run:
        for first in range(FIRST, FIRST + KILLS, CHAPTER):
            run.chapter(first, min(CHAPTER, FIRST + KILLS - first))
            sys.stderr.write(f"\r{run.kills} kills, {run.ops} ops, {run.wrong.total()} violations ")
            sys.stderr.flush()
        faults = ", ".join(f"{count} {name}" for name, count in run.proxy.happened.items())
    sys.stderr.write("\n")
    sys.stdout.write(f"On the way: {faults}\n")
    if run.wrong["other"]:
        sys.stdout.write(f"{run.wrong['other']} other violations\n")
    told = f"{run.kills} kills, {run.ops} ops, {run.photos} photos"
    sys.stdout.write(f"{told}, {run.wrong['lost']} lost, {run.wrong['doubled']} doubled\n")
    return 1 if run.wrong.total() or run.kills < KILLS else 0


if __name__ == "__main__":
    sys.exit(main())
