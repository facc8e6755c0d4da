"""The company that a schedule acts on: its phones, its database, and what is written into its fields."""

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.records.editing import CUSTOM
from tests.server.sync.backups import Backups
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.world import World

FIELDS: dict[str, Callable[[int], str]] = {
    "phone": lambda n: f"f  {n}", "website": lambda n: f"f{n}.li", "note": lambda n: f"fe\u0301{n} "
}  # fmt: skip
"""What is written into fields, as the server spells it otherwise."""
PLACE = ("street", "postcode", "city")
OWN: dict[str, Callable[[random.Random], Any]] = {
    "beds": lambda rng: rng.choice((None, rng.randint(0, 9999), f"{rng.randint(0, 9999)}.50")),
    "doors": lambda rng: rng.choice((None, ["side"], ["front", "side"])),
    "chain": lambda rng: rng.choice((None, f" c  {rng.randint(0, 9999)}")),
}
"""Fields of the company's own, and what is written into them."""
KINDS = {"beds": "number", "doors": "choices", "chain": "text"}
DEFINED = """
insert into custom_field (id, object, key, label, kind, choices) values (gen_random_uuid(), :object, :key, :key, :kind,
    '[{"value": "side", "label": "Side"}, {"value": "front", "label": "Front"}]')
"""


def spelled(name: str, value: Any) -> Any:
    """A value as the server stores it; one that it does not take as it is."""
    match name.removeprefix(CUSTOM), value:
        case "beds", str() if value[0].isdigit():
            return int(float(value)) if float(value).is_integer() else float(value)
        case "doors", list():
            return [one for one in ("side", "front") if one in value]
        case (("chain" | "phone"), str()):
            return " ".join(value.split())
        case "website", str() if value.endswith(".li"):
            return value if value.startswith("https://") else f"https://{value}"
        case "note", str():
            return unicodedata.normalize("NFC", value).strip()
        case _:
            return value


AREAS = ("west", "east", None)
REPS = ("rita", "otto")


@dataclass
class Company:
    """Everything that the rules act on."""

    world: World
    database: Engine
    folder: Path
    backups: Backups
    rng: random.Random = field(default_factory=random.Random)
    phones: dict[str, FieldPhone] = field(default_factory=dict)
    open_ones: list[Connection] = field(default_factory=list)
    accounts: list[UUID] = field(default_factory=list)
    people: list[UUID] = field(default_factory=list)

    def phone(self) -> FieldPhone:
        """Anybody's."""
        return self.phones[self.rng.choice(sorted(self.phones))]

    def an_account(self) -> UUID:
        """Any."""
        return self.rng.choice(self.accounts)

    def by_hand(self, statement: str, **values: Any) -> None:
        """A statement of somebody else; its transaction may stay open. One that meets a lock is given up."""
        connection = self.database.connect()
        try:
            connection.execute(text("set local lock_timeout = '10ms'"))
            connection.execute(text(statement), values)
        except OperationalError:
            connection.close()
            return
        if self.rng.random() < 0.4 and len(self.open_ones) < 3:
            self.open_ones.append(connection)
        else:
            connection.commit()
            connection.close()

    def on_the_pages(self, work: Callable[[Session], object]) -> None:
        """What somebody does by the rules of the pages; what they refuse, or what meets a lock, does not happen."""
        try:
            with transaction() as session:
                session.execute(text("set local lock_timeout = '10ms'"))
                work(session)
        except (WaymarkError, OperationalError):
            return

    def end_open_ones(self, *, committed: bool = False) -> None:
        """No transaction stays open."""
        for connection in self.open_ones:
            if committed:
                connection.commit()
            connection.close()
        self.open_ones = []
