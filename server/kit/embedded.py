"""The embedded database: a private PostgreSQL cluster with PostGIS that belongs to one home.

It has no TCP port; who may connect is decided by the socket's folder, which only the cluster's user can enter.
Started as root it runs as `postgres` (else `nobody`), because PostgreSQL refuses to run as root. Where that user cannot
reach the home (mode 0700), the cluster stands in the system's state folder and the home holds a note that says where.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from server.kit.cluster import SYSTEM_STATE, Cluster, reason
from server.kit.postgres import DatabaseUnavailable

__all__ = ["SYSTEM_STATE", "DatabaseUnavailable", "Status", "ensure", "revive", "status", "stop"]


@dataclass(frozen=True)
class Status:
    """What is known about a home's cluster."""

    running: bool
    """Whether it answers."""
    data_dir: Path
    """Where its files are, or would be."""
    socket_dir: Path
    """Folder of its socket."""
    pid: int | None
    """Process id of the running server."""
    version: str | None
    """Its version when it runs, else that of its files; None before the first start."""
    url: str | None
    """SQLAlchemy URL while it runs."""


def ensure(home: Path) -> str:
    """Create, adopt or start the cluster of `home`; returns the SQLAlchemy URL of its database.

    Any number of processes may call it at once. Raises `DatabaseUnavailable` with the remedy when PostgreSQL or PostGIS
    is missing, or the folder cannot be used.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home) as lock:
            cluster = Cluster.of(home, settle=True)
            if not (cluster.data_dir / "PG_VERSION").exists():
                cluster.create(lock)
            if not cluster.answers():
                cluster.start()
            cluster.provide_database()
            return cluster.url()
    except OSError as error:
        raise DatabaseUnavailable(
            f"The database of {home} cannot be used: {error.strerror or error} ({error.filename or home}).",
            help="Check free space and permissions, or point WAYMARK_HOME to another folder.",
        ) from error
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(
            f"The database of {home} turned us away: {reason(str(error))}",
            help="Try again; when it lasts, restart it: waymark db stop, then waymark db start.",
        ) from error


def revive(home: Path) -> bool:
    """Start the cluster of `home` again when it died; one that was stopped stays down. Returns whether it runs."""
    cluster = Cluster.of(home)
    if not cluster.left_its_lock():
        return False
    ensure(home)
    return True


def stop(home: Path) -> None:
    """Stop the cluster of `home`, ending its connections; nothing happens when it is not running."""
    if home.is_dir():
        with _alone(home):
            Cluster.of(home).stop()


def status(home: Path) -> Status:
    """What is known about the cluster of `home`; changes nothing."""
    cluster = Cluster.of(home)
    running = cluster.answers()
    version_file = cluster.data_dir / "PG_VERSION"
    version = version_file.read_text().strip() if version_file.exists() else None
    return Status(
        running=running,
        data_dir=cluster.data_dir,
        socket_dir=cluster.live_socket_dir() if running else cluster.socket_dir,
        pid=cluster.pid() if running else None,
        version=str(cluster.ask("show server_version")) if running else version,
        url=cluster.url() if running else None,
    )


@contextmanager
def _alone(home: Path) -> Iterator[int]:
    """One process at a time may create, start or stop; gives the lock's file descriptor."""
    with (home / "database.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()
