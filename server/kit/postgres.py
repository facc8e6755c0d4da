"""What this machine offers to run PostgreSQL with: its programs, and the user they run as."""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from server.kit.errors import Unavailable

OLDEST_POSTGRESQL = 15
OLDEST_POSTGIS = (3, 3)
INSTALL = (
    "Run `make setup`, or install PostgreSQL 15 or newer with PostGIS 3.3 or newer "
    "(Debian and Ubuntu: apt-get install postgresql postgresql-postgis; macOS: brew install postgis; "
    "Fedora: dnf install postgresql-server postgis), or point WAYMARK_DATABASE_URL to another server."
)

_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's own packages on Fedora and RHEL
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/local/pgsql/bin",
    "/usr/bin",
)
_SHARES = ("share/postgresql", "share/postgresql@{major}", "share", "share/pgsql")
_PROGRAMS = ("initdb", "pg_ctl", "postgres")


class DatabaseUnavailable(Unavailable):
    """There is no database to work with."""

    code = "database_unavailable"


@dataclass(frozen=True)
class Installation:
    """One PostgreSQL on this machine."""

    bindir: Path
    """Folder of initdb, pg_ctl and postgres."""
    version: str
    """As the server names itself, e.g. ``15.18``."""
    postgis: tuple[int, ...] | None
    """Version of the PostGIS that belongs to it, None when there is none."""

    @property
    def major(self) -> int:
        """The number that must agree with a cluster's."""
        return int(self.version.split(".")[0])


@dataclass(frozen=True)
class ServerUser:
    """Who runs the server's processes."""

    uid: int
    gid: int
    name: str

    @classmethod
    def for_cluster(cls, data_dir: Path | None) -> "ServerUser":
        """The owner of an existing cluster; for a new one ourselves, or when we are root `postgres`, else `nobody`."""
        try:
            me = pwd.getpwuid(os.geteuid())
        except KeyError:
            raise DatabaseUnavailable(
                f"PostgreSQL does not run as user {os.geteuid()}, which has no name on this machine.",
                help="Give it an entry in /etc/passwd, or point WAYMARK_DATABASE_URL to another server.",
            ) from None
        if data_dir is not None and data_dir.exists():
            owner = data_dir.stat().st_uid
            if owner != me.pw_uid and me.pw_uid != 0:
                raise DatabaseUnavailable(
                    f"The database in {data_dir} belongs to another user ({name_of(owner)}).",
                    help=f"Run Waymark as root or as {name_of(owner)}, or set WAYMARK_HOME to a folder of your own.",
                )
            if owner != 0:
                me = pwd.getpwuid(owner)
        if me.pw_uid == 0:
            names = [name for name in ("postgres", "nobody") if _exists(name)]
            if not names:
                raise DatabaseUnavailable(
                    "PostgreSQL does not run as root, and there is no user postgres or nobody.",
                    help="Create one (useradd --system postgres) or start Waymark as a normal user.",
                )
            me = pwd.getpwnam(names[0])
        return cls(me.pw_uid, me.pw_gid, me.pw_name)

    def run(self, *command: str | Path, timeout: float, keep: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, with nothing of our environment that could redirect it.

        `keep` is a file descriptor that stays open in it.
        """
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        me = os.geteuid() == self.uid
        return subprocess.run(  # noqa: S603 -- programs of this machine, never a person's text
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            env=environment | {"LC_ALL": "C"},
            user=None if me else self.uid,
            group=None if me else self.gid,
            extra_groups=None if me else [],
            pass_fds=() if keep is None else (keep,),
        )

    def reaches(self, folder: Path) -> bool:
        """Whether this user may enter the folder."""
        return self.run("test", "-x", folder, timeout=10).returncode == 0

    def make_private(self, folder: Path) -> None:
        """The folder exists, belongs to this user and is closed to everybody else."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
        if facts.st_uid not in (self.uid, os.geteuid()) or folder.is_symlink():
            raise DatabaseUnavailable(
                f"{folder} should be the database's private folder but belongs to {name_of(facts.st_uid)}.",
                help="Somebody else made it. Have it removed, or set WAYMARK_HOME to a short path.",
            )
        if facts.st_uid != self.uid:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


def find(major: int | None = None) -> Installation:
    """The newest PostgreSQL that has PostGIS; with `major`, the one that can open a cluster of that version."""
    found = list(_installations())
    fresh = [one for one in found if one.major >= OLDEST_POSTGRESQL]
    if not fresh:
        seen = f" Found only {', '.join(f'{one.version} in {one.bindir}' for one in found)}." if found else ""
        raise DatabaseUnavailable(f"PostgreSQL {OLDEST_POSTGRESQL} or newer is not installed.{seen}", help=INSTALL)
    fitting = [one for one in fresh if major in (None, one.major)]
    if not fitting:
        raise DatabaseUnavailable(
            f"The database was made by PostgreSQL {major}, which is no longer installed "
            f"(there is {', '.join(one.version for one in fresh)}).",
            help=f"Install PostgreSQL {major} again, or restore a backup into a new WAYMARK_HOME.",
        )
    able = [one for one in fitting if one.postgis and one.postgis >= OLDEST_POSTGIS]
    if not able:
        wanted = ".".join(map(str, OLDEST_POSTGIS))
        seen = ", ".join(
            f"PostgreSQL {one.version} has {'PostGIS ' + '.'.join(map(str, one.postgis)) if one.postgis else 'none'}"
            for one in fitting
        )
        raise DatabaseUnavailable(f"PostGIS {wanted} or newer is not installed: {seen}.", help=INSTALL)
    return max(able, key=lambda one: one.major)


def parse_version(text: str) -> tuple[int, ...]:
    """``'3.3.2dev'`` -> ``(3, 3, 2)``."""
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _installations() -> Iterator[Installation]:
    seen: set[Path] = set()
    for folder in _candidates():
        real = folder.resolve()
        if real in seen or not all(os.access(real / program, os.X_OK) for program in _PROGRAMS):
            continue
        seen.add(real)
        words = _says(real / "postgres", "--version").split()
        number = next((word for word in words if word[0].isdigit()), None)
        if number:
            major = int(re.match(r"\d+", number)[0])  # type: ignore[index]
            yield Installation(real, number, _postgis(real, major))


def _candidates() -> Iterator[Path]:
    if config := shutil.which("pg_config"):
        yield Path(_says(Path(config), "--bindir") or "/nonexistent")
    for pattern in _FOLDERS:
        yield from Path("/").glob(pattern[1:])
    yield from (Path(folder) for folder in os.get_exec_path() if folder)


def _postgis(bindir: Path, major: int) -> tuple[int, ...] | None:
    if (libraries := _says(bindir / "pg_config", "--pkglibdir")) and not any(Path(libraries).glob("postgis-*")):
        return None  # Debian leaves the scripts behind when the library goes
    shares = [bindir.parent / share.format(major=major) for share in _SHARES]
    shares.append(Path(f"/usr/share/postgresql/{major}"))
    if said := _says(bindir / "pg_config", "--sharedir"):
        shares.insert(0, Path(said))
    for share in shares:
        control = share / "extension" / "postgis.control"
        if control.is_file() and (line := re.search(r"default_version\s*=\s*'([^']+)'", control.read_text())):
            return parse_version(line[1])
    return None


def _says(program: Path, question: str) -> str:
    """A program's one-line answer; empty when it does not run (a pyenv-like shim, a wrapper without its target)."""
    try:
        answer = subprocess.run(  # noqa: S603 -- found by name in known folders
            [program, question], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _exists(name: str) -> bool:
    with suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


def name_of(uid: int) -> str:
    """The user's name for messages."""
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"user {uid}"
