"""Seeded schedules of everything that goes wrong, and the invariants that hold all the same.

The server is the real application on a real database; the phones are real. Messages are lost, repeated and delayed,
apps are killed between and within their transactions, caches are lost, colleagues edit, move, delete and hand over,
some with transactions that stay open, and the whole database is put back to an earlier backup.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from mobile.field import capture
from server.accounts.models import Account, Site
from server.accounts.queries import within_reach
from server.activities.models import Visit
from server.auth.access import scope_of, system_scope
from server.auth.models import User
from server.kit.database import engine, transaction
from server.sync import doctor, entities
from tests.server.sync.field_phone import FieldPhone, Killed, Network
from tests.server.sync.world import World

FIELDS = ("phone", "website", "note")
AREAS = ("west", "east", None)
REPS = ("rita", "otto")


@dataclass
class Backups:
    """Copies of the whole database, by copying its files."""

    url: Any
    taken: list[str] = field(default_factory=list)

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
            connection.execute(text(f"create database {name} template {self.url.database}"))
        self.taken.append(name)

    def restore(self, name: str) -> None:
        """Put the database back to a backup. Nobody tells the program."""
        with self.elsewhere() as connection:
            connection.execute(text(f"drop database {self.url.database} with (force)"))
            connection.execute(text(f"create database {self.url.database} template {name}"))

    def forget(self) -> None:
        """Drop the copies."""
        with self.elsewhere() as connection:
            for name in self.taken:
                connection.execute(text(f"drop database if exists {name} with (force)"))


@dataclass
class Schedule:
    """One run."""

    world: World
    database: Engine
    folder: Path
    seed: int
    steps: int = 45
    rng: random.Random = field(init=False)
    phones: dict[str, FieldPhone] = field(default_factory=dict)
    open_ones: list[Connection] = field(default_factory=list)
    accounts: list[UUID] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def run(self) -> list[str]:
        """Run it; returns the invariants that were violated."""
        self.rng = random.Random(self.seed)
        self.backups = Backups(self.database.url)
        try:
            self.prepare()
            backup, restore = sorted(self.rng.sample(range(5, self.steps - 5), 2))
            for number in range(self.steps):
                self.step()
                if self.seed % 2 and number == backup:
                    self.a_backup_is_taken()
                if self.seed % 2 and number == restore:
                    self.the_database_is_restored()
            self.settle()
            return [*self.lost_ops(), *self.diverged(), *self.ill()]
        finally:
            for phone in self.phones.values():
                phone.close()
            self.end_open_ones()
            self.backups.forget()

    def prepare(self) -> None:
        """A handful of accounts, visits and phones."""
        for number in range(5):
            area = self.rng.choice(AREAS[:2])
            self.accounts.append(self.world.account(f"A{number}", area, phone="p", tags=["t"]))
            self.world.visit(self.accounts[-1], self.rng.choice(REPS))
        for login in REPS:
            network = Network(self.world.client, random.Random(self.rng.random()), loss=0.25, kills=0.06)
            self.phones[login] = FieldPhone(self.world, login, self.folder / login, network)

    def step(self) -> None:
        """One thing that happens."""
        happenings: list[tuple[int, Callable[[], None]]] = [
            (22, self.phone_edits),
            (14, self.phone_visits),
            (3, self.phone_sends_poison),
            (12, self.somebody_edits),
            (7, self.somebody_moves_an_account),
            (4, self.somebody_deletes_or_brings_back),
            (5, self.somebody_hands_over),
            (5, self.an_open_transaction_ends),
            (2, self.a_cache_is_lost),
            (3, self.late_copies_arrive),
            (26, self.a_phone_syncs),
        ]
        weights = [weight for weight, _ in happenings]
        (_, happen) = self.rng.choices(happenings, weights)[0]
        self.counts[happen.__name__] = self.counts.get(happen.__name__, 0) + 1
        happen()

    # the phones

    def phone(self) -> FieldPhone:
        return self.phones[self.rng.choice(REPS)]

    def phone_edits(self) -> None:
        phone = self.phone()
        held = phone.shown("account")
        if not held:
            return
        account = self.rng.choice(held)
        if self.rng.random() < 0.25:
            tag = f"t{self.rng.randint(0, 3)}"
            capture.change_tags(phone.store, account, **{self.rng.choice(("add", "remove")): [tag]})
        else:
            phone.edit("account", account, **{self.rng.choice(FIELDS): f"f{self.rng.randint(0, 9999)}"})

    def phone_visits(self) -> None:
        phone = self.phone()
        visits = phone.shown("visit")
        held = phone.shown("account")
        if not held:
            return
        visit = self.rng.choice(visits) if visits and self.rng.random() < 0.6 else None
        state = self.rng.choice(("en_route", "checked_in", "done", "missed"))
        phone.event(self.rng.choice(held), state, visit, f"n{self.rng.randint(0, 9999)}")

    def phone_sends_poison(self) -> None:
        phone = self.phone()
        if self.rng.random() < 0.5:
            phone.event(str(UUID(int=self.rng.getrandbits(128))), "done")
        elif held := phone.shown("account"):
            phone.edit("account", self.rng.choice(held), email="no address at all")

    def a_phone_syncs(self) -> None:
        phone = self.phone()
        self.break_off_within_a_page(phone)
        before = set(self.open_ones)
        report = phone.sync()
        if report is not None and report.ok and before == set(self.open_ones):
            reach = self.reach(phone)
            for account in phone.held("account"):
                if account not in reach and account not in self.needed(phone):
                    raise AssertionError(f"I4: {account} is on the phone of somebody who may not see it")

    def break_off_within_a_page(self, phone: FieldPhone) -> None:
        """Now and then the app dies in the middle of a page's transaction."""
        if self.rng.random() < 0.15:
            cache = phone.store.cache

            def die(*_: Any) -> None:
                raise Killed

            cache.advance = die  # type: ignore[method-assign]

    def a_cache_is_lost(self) -> None:
        self.phone().store.rebuild_cache()

    def late_copies_arrive(self) -> None:
        self.phone().network.deliver_late()

    # the colleagues

    def by_hand(self, statement: str, **values: Any) -> None:
        """A statement of somebody else; its transaction may stay open. One that meets a lock is given up."""
        connection = self.database.connect()
        try:
            connection.execute(text("set lock_timeout = '10ms'"))
            connection.execute(text(statement), values)
        except OperationalError:
            connection.close()
            return
        if self.rng.random() < 0.4 and len(self.open_ones) < 3:
            self.open_ones.append(connection)
        else:
            connection.commit()
            connection.close()

    def somebody_edits(self) -> None:
        name = self.rng.choice(FIELDS)
        value = f"w{self.rng.randint(0, 9999)}"
        self.by_hand(f"update account set {name} = :value where id = :id", value=value, id=self.an_account())

    def somebody_moves_an_account(self) -> None:
        area = self.rng.choice(AREAS)
        values = {"area": self.world.territories[area] if area else None, "id": self.an_account()}
        self.by_hand("update site set territory_id = :area where account_id = :id", **values)
        self.by_hand("update account set territory_id = :area where id = :id", **values)

    def somebody_deletes_or_brings_back(self) -> None:
        self.by_hand(
            "update account set deleted_at = case when deleted_at is null then now() end where id = :id",
            id=self.an_account(),
        )

    def somebody_hands_over(self) -> None:
        login, area = self.rng.choice(REPS), self.rng.choice(AREAS[:2])
        held = self.world.sql(
            "select 1 from territory_member where user_id = :u and territory_id = :t and valid_to is null",
            u=self.world.users[login],
            t=self.world.territories[str(area)],
        )
        (self.world.revoke if held else self.world.grant)(login, str(area))

    def an_account(self) -> UUID:
        return self.rng.choice(self.accounts)

    def an_open_transaction_ends(self) -> None:
        if self.open_ones:
            connection = self.open_ones.pop(self.rng.randrange(len(self.open_ones)))
            if self.rng.random() < 0.8:
                connection.commit()
            connection.close()

    def end_open_ones(self) -> None:
        for connection in self.open_ones:
            connection.close()
        self.open_ones = []

    def a_backup_is_taken(self) -> None:
        self.end_open_ones()
        self.backups.take()

    def the_database_is_restored(self) -> None:
        if self.backups.taken:
            self.end_open_ones()
            self.backups.restore(self.rng.choice(self.backups.taken))

    # the end

    def settle(self) -> None:
        """Everything is committed and delivered, the network is well, every phone syncs until nothing waits."""
        for connection in self.open_ones:
            connection.commit()
        self.end_open_ones()
        for phone in self.phones.values():
            phone.network.deliver_late()
            phone.network.loss = phone.network.kills = 0.0
            phone.restart()
        for _ in range(3):
            for login, phone in self.phones.items():
                report = phone.sync()
                assert report is not None
                assert report.ok, f"I7: {login} cannot sync: {report.code} {report.detail}"

    # what must hold

    def reach(self, phone: FieldPhone) -> set[str]:
        """The accounts that the pages would show to the phone's user, now."""
        with transaction() as session:
            user = session.get_one(User, UUID(phone.user_id))
            scope = scope_of(session, user, source="sync")
            found = session.scalars(select(Account.id).where(within_reach(scope), Account.deleted_at.is_(None)))
            return {str(row_id) for row_id in found}

    def needed(self, phone: FieldPhone) -> set[str]:
        """Rows that are kept because unsent work refers to them."""
        ops = phone.store.showing()
        return {op.body["d"]["account_id"] if op.kind == "create" else op.row_id for op in ops}

    def lost_ops(self) -> Iterator[str]:
        """I1, I2, I5: each op has one answer and one effect; no value has vanished."""
        with transaction() as session:
            for login, phone in self.phones.items():
                for op in phone.store.outbox.ops():
                    yield from (f"{login} op {op.n}: {wrong}" for wrong in wrong_with(session, op))
            twice = "select count(*) from visit where 'unplanned' = any(flags)"
            unplanned = session.execute(text(twice)).scalar_one()
            events = session.execute(text("select count(*) from visit_event")).scalar_one()
        sent = [op for phone in self.phones.values() for op in phone.store.outbox.ops() if op.kind == "create"]
        applied = [op for op in sent if op.state == "applied"]
        if events != len(applied):
            yield f"I2: {len(applied)} visit events were taken, {events} are there"
        if unplanned > len({op.body["d"]["visit_id"] for op in applied}):
            yield "I2: a visit exists twice"

    def diverged(self) -> Iterator[str]:
        """I3, I4: a phone holds exactly the rows that its user may see, as they are."""
        for login, phone in self.phones.items():
            reach = self.reach(phone)
            with transaction() as session:
                expected = expected_rows(session, reach, UUID(phone.user_id))
            for entity, rows in expected.items():
                held = phone.held(entity)
                for row_id in held.keys() ^ rows.keys():
                    where = "is on" if row_id in held else "is missing from"
                    yield f"I3: {entity} {row_id} {where} the phone of {login}"
                yield from (
                    f"I3: {entity} {row_id} differs on the phone of {login}: {held[row_id]} {rows[row_id]}"
                    for row_id in held.keys() & rows.keys()
                    if held[row_id] != rows[row_id]
                )

    def ill(self) -> Iterator[str]:
        """The doctor finds nothing."""
        with transaction() as session:
            for finding in doctor.examine(session):
                if finding.count:
                    yield f"doctor: {finding.count} {finding.question}"


OVERWRITTEN = """
select 1 from field_history mine
where mine.op_id = :op and mine.field = :name and coalesce(mine.old, 'null') <> cast(:old as jsonb)
  and not exists (select from field_conflict c where c.op_id = mine.op_id and c.field = mine.field)
  and exists (select from field_history other
              where other.entity = mine.entity and other.row_id = mine.row_id and other.field = mine.field
                and other.rev > :base and other.rev < mine.rev)
"""
"""A value that came after the one the phone saw, and that the phone's change replaced as if nobody had."""


def wrong_with(session: Session, op: Any) -> Iterator[str]:
    """What is wrong with an op after everything has settled."""
    receipts = session.execute(
        text("select status, body is not null from sync_receipt where op_id = :id"), {"id": op.op_id}
    ).all()
    if len(receipts) != 1:
        yield f"I1: has {len(receipts)} answers"
        return
    (status, has_body) = receipts[0]
    if status != op.state:
        yield f"I1: {op.state} on the phone, {status} on the server"
    if status in ("rejected", "deferred", "conflict") and not has_body:
        yield f"I1: {status} without its content"
    if op.kind == "create" and status == "applied":
        found = session.execute(text("select 1 from visit_event where id = :id"), {"id": op.row_id}).all()
        if not found:
            yield "I1: the visit event is not there"
    if op.kind == "patch" and status != "rejected":
        for name, (old, new) in op.body["f"].items():
            values = {"op": op.op_id, "name": name, "old": json.dumps(old), "base": op.body["base_rev"]}
            if session.execute(text(OVERWRITTEN), values).all():
                yield f"I5: {name} of somebody else was overwritten without a conflict"
            kept = session.execute(
                text(
                    "select 1 from field_history where op_id = :op and field = :name"
                    " union all select 1 from field_conflict where op_id = :op and field = :name"
                    " union all select 1 from field_history where row_id = :row and field = :name"
                    "   and new = cast(:new as jsonb)"
                ),
                {"op": op.op_id, "name": name, "row": op.row_id, "new": json.dumps(new)},
            ).all()
            if not kept:
                yield f"I5: the value of {name} has vanished"


def expected_rows(session: Session, reach: set[str], user_id: UUID) -> dict[str, dict[str, Any]]:
    """What a rep's phone holds, told by the rules of the pages and not by the tables of sync."""
    accounts = [UUID(row_id) for row_id in reach]
    sites = session.scalars(select(Site.id).where(Site.account_id.in_(accounts), Site.deleted_at.is_(None))).all()
    visits = session.scalars(select(Visit.id).where(Visit.account_id.in_(accounts) | (Visit.rep_id == user_id))).all()
    found = {}
    for name, ids in (("account", accounts), ("site", sites), ("visit", visits)):
        rows = entities.rows(session, system_scope(), entities.BY_NAME[name], ids)
        found[name] = {str(row_id): (row.rev, row.json()) for row_id, row in rows.items()}
    return found
