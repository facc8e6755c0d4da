"""One PostgreSQL cluster: its place, its files, its server process. `embedded` is the door to it."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from sqlalchemy import URL

from server.kit import postgres
from server.kit.postgres import DatabaseUnavailable, ServerUser

DATABASE = "waymark"
SYSTEM_STATE = Path("/var/lib/waymark")
SECONDS_TO_START = 60
SECONDS_TO_STOP = 60

_PORT = 5432  # names the socket file, nothing listens on it
_SOCKET_FOLDER_LIMIT = 107 - len(f"/.s.PGSQL.{_PORT}.lock")
_PLAIN = re.compile(r"[\w./@+-]+", re.ASCII)
_LOG_LIMIT = 16_000_000
_NOTE = "database.at"
_IN_BETWEEN = re.compile(r"starting up|recovery|shutting down|not yet accepting")

TUNING = {
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "lz4",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",  # helpers of one question take the cores from all the others
    "jit": "off",
}
"""What every figure in `benchmarks/` was measured with; the compose file starts its database with the same."""
_SETTINGS = """\
# Written by Waymark at every start; changes belong into postgresql.conf below the include.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 100
{tuning}
fsync = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
"""


def buffers(memory_bytes: int) -> str:
    """How much of a machine's memory the database keeps pages in: what it was measured with, at most a quarter."""
    return TUNING["shared_buffers"] if memory_bytes >= 4 << 30 else f"{memory_bytes >> 22}MB"


def memory() -> int:
    """The machine's memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cluster:
    """One cluster's place and user."""

    data_dir: Path
    user: ServerUser

    @classmethod
    def of(cls, home: Path, *, settle: bool = False) -> "Cluster":
        """Where the home's cluster is, or would be; with `settle` the choice is written down."""
        home = home.resolve()
        inside = home / "database"
        note = home / _NOTE
        if note.exists():
            data_dir = _noted_place(note, home)
            return cls(data_dir, ServerUser.for_cluster(data_dir))
        user = ServerUser.for_cluster(inside if inside.exists() else None)
        nearest = next(folder for folder in (home, *home.parents) if folder.exists())
        if user.reaches(nearest):
            return cls(inside, user)
        if inside.exists():
            raise DatabaseUnavailable(
                f"The database's user {user.name} can no longer reach {inside}.",
                help=f"Let others pass through its parent folders again (chmod o+x {home}).",
            )
        outside = _free_state_folder(home) / "database"
        if settle:
            outside.parent.mkdir(parents=True)
            note.write_text(f"{outside}\n{home}\n")
        return cls(outside, user)

    @property
    def socket_dir(self) -> Path:
        """Beside the data; in the temporary folder when that path is too long or odd for a socket."""
        beside = self.data_dir.with_name("socket")
        if len(os.fsencode(beside)) <= _SOCKET_FOLDER_LIMIT and _PLAIN.fullmatch(str(beside)):
            return beside
        return Path(tempfile.gettempdir()) / f"waymark-{_digest(self.data_dir)}"

    def create(self, lock: int) -> None:
        """Make the files of a new cluster: in a folder aside that takes its name only when complete.

        initdb holds the lock too: when we are killed, the next one waits until it has ended.
        """
        installation = postgres.find()
        staging = self.data_dir.with_name("database.unfinished")
        shutil.rmtree(staging, ignore_errors=True)
        self.user.make_private(staging)
        command: list[str | Path] = [
            installation.bindir / "initdb",
            "-D",
            staging,
            "-U",
            DATABASE,
            "--auth=trust",
            "--encoding=UTF8",
        ]
        locale = "en_US.UTF-8" if os.uname().sysname == "Darwin" else "C.UTF-8"
        by_language = ["--locale-provider=icu", "--icu-locale=und"]
        try:
            made = self.user.run(*command, f"--locale={locale}", *by_language, timeout=300, keep=lock)
            if made.returncode and "ICU" in made.stderr:
                made = self.user.run(*command, f"--locale={locale}", timeout=300, keep=lock)
            if made.returncode:
                raise DatabaseUnavailable(
                    f"PostgreSQL could not create its database in {self.data_dir}: {reason(made.stderr)}",
                    help="Check free space and permissions, or point WAYMARK_HOME to another folder.",
                )
            with (staging / "postgresql.conf").open("a") as configuration:
                configuration.write("\ninclude_if_exists = 'waymark.conf'\n")
            if self.data_dir.exists():
                self.data_dir.rmdir()  # an empty folder left by hand; anything in it is an error
            staging.rename(self.data_dir)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        installation = postgres.find(major=int((self.data_dir / "PG_VERSION").read_text()))
        if self.pid() is not None:
            self.stop()  # it runs but nobody can reach it: its socket folder was swept away
        self.user.make_private(self.socket_dir)
        # Ten times as quick as PostgreSQL's own: of a page that is changed for the first time, all of it is written.
        able = self.user.run(
            installation.bindir / "postgres", "-D", self.data_dir, "-C", "wal_compression",
            "-c", f"wal_compression={TUNING['wal_compression']}",
            timeout=30,
        )  # fmt: skip
        able_to = "on" if able.returncode else TUNING["wal_compression"]
        tuning = TUNING | {"wal_compression": able_to, "shared_buffers": buffers(memory())}
        lines = "\n".join(f"{name} = {value}" for name, value in tuning.items())
        settings = _SETTINGS.format(port=_PORT, socket_dir=self.socket_dir, tuning=lines)
        self._write("waymark.conf", settings)
        log = self.data_dir / "server.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            if self.answers():
                return  # a start whose caller was killed went on without it
            self._clear_leftovers()
            before = log.stat().st_size if log.exists() else 0
            done = self._control(installation, "start", "-w", "-t", str(SECONDS_TO_START), "-l", log)
            if done.returncode == 0 and self.answers():
                return
            said = log.read_bytes()[before:].decode(errors="replace") if log.exists() else done.stderr
            ending = "still in use" in said or "already exists" in said  # a killed server is not quite gone
            if not ending or time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"The database in {self.data_dir} did not start: {reason(said or done.stderr)}",
                    help=f"The whole story is in {log}.",
                )
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the server, ending its connections."""
        if self.pid() is None:
            return
        installation = postgres.find(major=int((self.data_dir / "PG_VERSION").read_text()))
        done = self._control(installation, "stop", "-m", "fast", "-w", "-t", str(SECONDS_TO_STOP))
        if done.returncode and self.pid() is not None:
            raise DatabaseUnavailable(
                f"The database in {self.data_dir} did not stop: {reason(done.stderr)}",
                help=f"The whole story is in {self.data_dir / 'server.log'}.",
            )

    def pid(self) -> int | None:
        """Process id of the running server."""
        lines = self._pid_file()
        if lines and lines[0].isdigit() and _runs_in(int(lines[0]), self.data_dir):
            return int(lines[0])
        return None

    def left_its_lock(self) -> bool:
        """Whether the lock of a server is there: it runs, or it ended without being stopped."""
        return bool(self._pid_file())

    def live_socket_dir(self) -> Path:
        """Where the running server listens; it may have been started with another temporary folder."""
        lines = self._pid_file()
        return Path(lines[4]) if len(lines) > 4 and lines[4] else self.socket_dir

    def answers(self) -> bool:
        """Whether the server is there; waits while it is starting up or recovering."""
        deadline = time.monotonic() + SECONDS_TO_START
        while self.pid() is not None:
            try:
                self.ask("select 1")
            except psycopg.OperationalError as error:
                if "FATAL" in str(error) and not _IN_BETWEEN.search(str(error)):
                    return True  # it is there and says no: too many connections, say
                if self._is_ready() and "FATAL" not in str(error):
                    return False
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.05)
            else:
                return True
        return False

    def ask(self, question: LiteralString) -> object:
        """One value from the server's own database."""
        with self._connect() as connection:
            row = connection.execute(question).fetchone()
        return row[0] if row else None

    def provide_database(self) -> None:
        """The database is there and PostGIS could be put into it."""
        with self._connect() as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
            if not found:
                postgis = connection.execute(
                    "select default_version from pg_available_extensions where name = 'postgis'"
                ).fetchone()
                if not postgis or postgres.parse_version(postgis[0]) < postgres.OLDEST_POSTGIS:
                    seen = f"only PostGIS {postgis[0]}" if postgis else "no PostGIS"
                    raise DatabaseUnavailable(f"The PostgreSQL found has {seen}.", help=postgres.INSTALL)
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    # one whose caller was killed may finish just now
                    connection.execute(f"create database {DATABASE}")

    def url(self) -> str:
        """SQLAlchemy URL of the application's database."""
        where = {"host": str(self.live_socket_dir()), "port": str(_PORT)}
        return URL.create("postgresql+psycopg", DATABASE, database=DATABASE, query=where).render_as_string()

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.live_socket_dir()),
            port=_PORT,
            user=DATABASE,
            dbname="postgres",
            connect_timeout=10,
            autocommit=True,
        )

    def _control(self, installation: postgres.Installation, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        program = installation.bindir / "pg_ctl"
        return self.user.run(program, "-D", self.data_dir, *arguments, timeout=SECONDS_TO_START + 60)

    def _pid_file(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _is_ready(self) -> bool:
        lines = self._pid_file()
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _clear_leftovers(self) -> None:
        """Remove a dead server's lock files: the number in them may belong to another program by now.

        While any of its processes live they stay, because they protect the data.
        """
        if not _anybody_in(self.data_dir):
            self.data_dir.joinpath("postmaster.pid").unlink(missing_ok=True)
            for leftover in self.socket_dir.glob(".s.PGSQL.*"):
                leftover.unlink()

    def _write(self, name: str, text: str) -> None:
        path = self.data_dir / name
        path.unlink(missing_ok=True)
        with path.open("x") as file:  # never through a link: we may be root in another user's folder
            file.write(text)
        if os.geteuid() != self.user.uid:
            os.chown(path, self.user.uid, self.user.gid)


def _noted_place(note: Path, home: Path) -> Path:
    lines = note.read_text().splitlines()
    if len(lines) != 2 or lines[1] != str(home):
        raise DatabaseUnavailable(
            f"{home} was moved or copied from {lines[1] if len(lines) > 1 else 'elsewhere'}; "
            f"its database stands in {lines[0] if lines else 'an unknown place'}.",
            help=f"Move it back. If it moved for good, write its new path into the second line of {note}; "
            "to begin with an empty database, delete that file.",
        )
    return Path(lines[0])


def _free_state_folder(home: Path) -> Path:
    """A folder of the system's state that no other home has, nor an earlier one at the same path."""
    folder = SYSTEM_STATE / _digest(home)
    number = 2
    while folder.exists():
        folder = SYSTEM_STATE / f"{_digest(home)}-{number}"
        number += 1
    return folder


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _runs_in(pid: int, data_dir: Path) -> bool:
    """Whether the process is a PostgreSQL of this folder: a number alone may have passed to another program."""
    if Path("/proc/self").exists():
        with suppress(OSError):
            return Path(os.readlink(f"/proc/{pid}/cwd")) == data_dir.resolve()
        return False
    command = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- a number
    return "postgres" in shown.stdout and str(data_dir) in shown.stdout


def _anybody_in(data_dir: Path) -> bool:
    """Whether processes of a killed server are still there; where that cannot be seen, yes."""
    if not Path("/proc/self").exists():
        return True
    return any(entry.name.isdigit() and _runs_in(int(entry.name), data_dir) for entry in Path("/proc").glob("[0-9]*"))


def reason(text: str) -> str:
    """The line of a program's output that tells why."""
    lines = [line for line in text.splitlines() if line.strip()]
    causes = [line for line in lines if re.search(r"no space|denied|quota|read-only", line, re.IGNORECASE)]
    telling = [line for line in lines if re.search(r"error|fatal|panic", line, re.IGNORECASE)]
    return (causes or telling or lines or ["no reason given"])[-1].strip()
