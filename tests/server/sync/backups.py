"""Copies of the whole database, by copying its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, create_engine, text

from server.kit.database import engine


@dataclass
class Backups:
    """What may be put back."""

    url: Any
    taken: list[str] = field(default_factory=list)
    restored: int = 0

    @contextmanager
    def elsewhere(self) -> Iterator[Connection]:
        """A connection beside the database, while nobody uses it."""
        engine().dispose()
        admin = create_engine(self.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            yield connection
        admin.dispose()

    def take(self) -> None:
        """Copy the database as it is."""
        name = f"{self.url.database}_backup_{len(self.taken)}"
        with self.elsewhere() as connection:
            connection.execute(text(f"drop database if exists {name} with (force)"))
            connection.execute(text(f"create database {name} template {self.url.database} strategy file_copy"))
        self.taken.append(name)

    def restore(self, name: str) -> None:
        """Put the database back to a backup. Nobody tells the program."""
        with self.elsewhere() as connection:
            connection.execute(text(f"drop database {self.url.database} with (force)"))
            connection.execute(text(f"create database {self.url.database} template {name} strategy file_copy"))
        self.restored += 1

    def forget(self) -> None:
        """Drop the copies."""
        if not self.taken:
            return
        with self.elsewhere() as connection:
            for name in self.taken:
                connection.execute(text(f"drop database if exists {name} with (force)"))
        self.taken = []
