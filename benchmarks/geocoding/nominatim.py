"""The same questions to Nominatim on the same extract: accuracy beside accuracy, and the ratio of throughput.

    python benchmarks/geocoding/nominatim.py [--folder FOLDER] [--every 5] [--keep]

Nominatim is GPL and stays a process of its own: it is installed from PyPI into an environment under FOLDER (outside
this repository), on a private PostgreSQL cluster there, and imports Liechtenstein by osm2pgsql. Without the programs it
needs, the script says how to get them. Special phrases, Wikipedia's importance and TIGER data are left out: they come
from the network, and a question about an address does not need them.

Processor time is measured on both sides: the client's and that of its PostgreSQL; ours is one process with the index
in memory. A hundred other questions come first on both sides. `--every` asks only every n-th question of both.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from places import INPUT_COLUMNS, PLACES, geocoder, truth
from unseen import HEAD, judged, line, write

from geo.geocode.types import AddressQuery

REQUIREMENTS = ("nominatim-db==5.3.*", "nominatim-api==5.3.*", "psycopg[binary]")
CLIENT = Path(__file__).with_name("nominatim_client.py")
TICKS = os.sysconf("SC_CLK_TCK")


def missing() -> str:
    """What to install, in words; empty when everything is there."""
    if shutil.which("osm2pgsql") is None:
        return "osm2pgsql is not installed: apt-get install osm2pgsql"
    if _binaries() is None:
        return "PostgreSQL with PostGIS is not installed: apt-get install postgresql postgresql-postgis"
    if not PLACES[0].source.exists() or not PLACES[0].questions.exists():
        return f"there are no questions under {PLACES[0].questions.parent}"
    return ""


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    beside = shutil.which("initdb")
    return found[-1].parent if found else Path(beside).parent if beside else None


class Peer:
    """Nominatim with its environment and its cluster in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bin = _binaries() or Path()
        self._python = folder / "venv" / "bin" / "python"
        self._sockets, self._data = folder / "sockets", folder / "data"
        self.project = folder / "project"

    def _environment(self) -> dict[str, str]:
        own = {
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "NOMINATIM_DATABASE_DSN": f"pgsql:dbname=nominatim;host={self._sockets};user=postgres",
            "NOMINATIM_DATABASE_WEBUSER": "reader",
            "NOMINATIM_IMPORT_STYLE": "full",
        }
        return {**os.environ, **own}

    def _as_postgres(self, *command: object) -> None:
        """Run one of PostgreSQL's programs, which refuse to run as root."""
        drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        subprocess.run([*drop, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        """Install, create and start what is not there yet."""
        if not self._python.exists():
            subprocess.run([sys.executable, "-m", "venv", self.folder / "venv"], check=True)
            subprocess.run([self._python, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
        for path in (self._sockets, self.project):
            path.mkdir(parents=True, exist_ok=True)
        if not self._data.exists():
            self._data.mkdir()
            if os.geteuid() == 0:
                shutil.chown(self._data, "postgres")
                shutil.chown(self._sockets, "postgres")
            self._as_postgres(
                self._bin / "initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
                "--locale=C.UTF-8",
            )  # fmt: skip
        settings = f"-k {self._sockets} -h '' -c fsync=off -c jit=off -c autovacuum=off -c shared_buffers=256MB"
        self._as_postgres(
            self._bin / "pg_ctl", "-D", self._data, "-w", "-o", settings, "-l", self._data / "log", "start"
        )

    def load(self, extract: Path) -> float:
        """Import an extract unless that was done before; returns the seconds it took."""
        done = self.folder / "imported"
        if done.exists():
            return float(done.read_text())
        for statement in ("drop database if exists nominatim", 'drop role if exists "reader"', 'create user "reader"'):
            self._as_postgres(self._bin / "psql", "-h", self._sockets, "-U", "postgres", "-q", "-c", statement)
        start = time.perf_counter()
        subprocess.run(
            [
                self._python.with_name("nominatim"), "import", "--osm-file", extract, "--threads", "1", "--no-updates",
                "--project-dir", self.project,
            ],
            check=True, env=self._environment(), cwd=self.project, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        done.write_text(f"{time.perf_counter() - start:.1f}")
        return float(done.read_text())

    def ask(self, questions: Path, answers: Path) -> float:
        """Answer a file; returns the seconds of processor time of the client and of PostgreSQL."""
        before = self._server_s()
        command = [self._python, CLIENT, self.project, questions, answers]
        said = subprocess.run(command, check=True, env=self._environment(), capture_output=True, text=True)
        return float(said.stdout.split()[-1]) + self._server_s() - before

    def _server_s(self) -> float:
        """Processor time of the cluster's server process and all its children, finished ones included."""
        server = int((self._data / "postmaster.pid").read_text().split()[0])
        total = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(path.parent.name) == server:
                total += sum(int(fields[at]) for at in (11, 12, 13, 14))
            elif int(fields[1]) == server:
                total += sum(int(fields[at]) for at in (11, 12))
        return total / TICKS

    def stop(self) -> None:
        """Stop the cluster."""
        if (self._data / "postmaster.pid").exists():
            self._as_postgres(self._bin / "pg_ctl", "-D", self._data, "-m", "fast", "stop")


def ours(rows: Sequence[dict[str, str]], others: Sequence[dict[str, str]], folder: Path) -> tuple[str, float]:
    """Our row of the table, and seconds of processor time for all questions in one batch; others warm up."""
    asked = geocoder(PLACES[0])
    questions, warm = (
        [AddressQuery(**{column: row[column] for column in INPUT_COLUMNS}) for row in some] for some in (rows, others)
    )
    list(asked.locate_many(warm))
    start = time.process_time()
    found = list(asked.locate_many(questions))
    seconds = time.process_time() - start
    return line("Waymark", judged(*write(folder, "ours", rows, found))[0]), seconds


def theirs(
    peer: Peer, rows: Sequence[dict[str, str]], others: Sequence[dict[str, str]], folder: Path
) -> tuple[str, float]:
    """Nominatim's row of the table, and seconds of processor time; others warm its database up."""
    answers = folder / "theirs.out.csv"
    for name, some in (("warm", others), ("questions", rows)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            out = csv.DictWriter(file, ("id", *INPUT_COLUMNS), extrasaction="ignore")
            out.writeheader()
            out.writerows(some)
        seconds = peer.ask(folder / f"{name}.csv", answers)
    return line("Nominatim, careful client", judged(folder / "ours.csv", answers)[0]), seconds


def main() -> None:
    """Set up, ask both, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "waymark-nominatim")
    parser.add_argument("--every", type=int, default=5, help="ask every n-th question")
    parser.add_argument("--keep", action="store_true", help="leave the installation for the next run")
    options = parser.parse_args()
    if reason := missing():
        sys.exit(reason)
    options.folder.mkdir(parents=True, exist_ok=True)
    options.folder.chmod(0o755)
    peer = Peer(options.folder)
    try:
        peer.start()
        print(f"Nominatim imported {PLACES[0].source.name} in {peer.load(PLACES[0].source):.0f} s")
        everything = [row for row in truth(PLACES[0]) if row["form"] != "point"]
        rows, others = everything[:: options.every], everything[1 :: options.every][:100]
        with tempfile.TemporaryDirectory() as scratch:
            (mine, mine_s), (other, other_s) = (ask(Path(scratch)) for ask in (
                lambda folder: ours(rows, others, folder), lambda folder: theirs(peer, rows, others, folder)
            ))  # fmt: skip
        print(HEAD, "|---|---|---|---|---|---|---|---|", mine, other, sep="\n")
        rates = f"{len(rows) / mine_s:,.0f} and {len(rows) / other_s:,.0f} rows/s of processor time"
        print(f"{len(rows):,} questions: {rates},")
        print(f"a ratio of {other_s / mine_s:.0f}")
    finally:
        peer.stop()
        if not options.keep:
            shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
