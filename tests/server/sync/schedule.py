"""Schedules of everything that goes wrong, and the invariants that hold all the same.

The server is the real application on a real database; the phones are real. Messages are lost, repeated and delayed,
apps are killed between and within their transactions, caches are lost, clocks jump, phones are cloned, colleagues edit,
move, merge, delete and hand over, some with transactions that stay open, and the whole database is put back to an
earlier backup. Hypothesis chooses what happens and shortens what went wrong (`Faults`).
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, text

from mobile.field.store import reserve
from mobile.field.store.outbox import Op
from mobile.field.sync import hello
from server.kit.database import transaction
from server.sync.calling import transactions
from server.sync.pulling import epochs
from tests.server.sync import happenings, invariants
from tests.server.sync.at_the_door import Door
from tests.server.sync.backups import Backups
from tests.server.sync.company import DEFINED, KINDS, OWN, REPS
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.world import RECORDS, WORKS_ALWAYS, World, found

ACCOUNTS = 3
STEPS = 12
ROUNDS = 8
"""So many times may all phones sync until nothing moves any more."""


def refuse(violations: list[str]) -> None:
    """Fail with the invariants that do not hold."""
    if violations:
        raise AssertionError("\n".join(violations))


@dataclass
class Schedule(happenings.OnThePhones, happenings.InTheOffice, happenings.ToTheServer):
    """One run."""

    ledger: dict[str, Op] = field(default_factory=dict)

    def prepare(self) -> None:
        """A handful of accounts, visits and phones that have synced once."""
        for number in range(ACCOUNTS):
            self.accounts.append(self.world.account(f"A{number}", ("west", "east")[number % 2], phone="p", tags=["t"]))
            self.people.append(self.world.person(self.accounts[-1]))
            self.world.visit(self.accounts[-1], REPS[number % 2])
        for kind in ("account", "site", "contact"):
            for key in OWN:
                self.world.sql(DEFINED, object=kind, key=key, kind=KINDS[key])
        self.world.sql(WORKS_ALWAYS)
        self.world.sql(RECORDS)
        for login in REPS:
            phone = FieldPhone(self.world, login, self.folder / login, Network(self.world.client))
            self.phones[login] = phone
            phone.sync()

    def happen(self, name: str, seed_of_step: int) -> None:
        """One thing that happens; often somebody saves something before it, and a phone syncs after it."""
        self.rng = random.Random(seed_of_step)
        for phone in self.phones.values():
            phone.network.rng = self.rng
        if self.rng.random() < 0.4:
            self.rng.choice(
                (self.a_rep_edits, self.a_rep_visits, self.a_rep_fills_in_own_fields, self.a_rep_edits_a_person)
            )()
        getattr(self, name)()
        self.note()
        if self.rng.random() < 0.25:
            self.a_phone_syncs()

    def note(self) -> None:
        """Write down what was saved for good on any phone, for the reckoning at the end; it is shown there already."""
        for phone in self.phones.values():
            for op in phone.store.outbox.ops():
                self.ledger[op.op_id] = op
            refuse(invariants.hidden(phone))

    def synced(self, phone: FieldPhone) -> None:
        """One sync. Once it went through, nothing is on the phone that its user may not see."""
        report = phone.sync()
        if report is not None and report.ok and not report.upgrade:
            refuse(invariants.leaked(phone))

    def settle(self) -> None:
        """Everything is committed and delivered, the network is well, every phone syncs until nothing moves."""
        self.end_open_ones(committed=True)
        self.world.sql("update device set state = 'active'")
        for phone in self.phones.values():
            phone.network.deliver_late()
            phone.page_rows, phone.schema = 50, hello.SCHEMA
            phone.restart()
        for _ in range(ROUNDS):
            if not any([self.moves(login, phone) for login, phone in self.phones.items()]):
                self.note()
                return
        raise AssertionError("I7: the phones do not come to rest")

    def moves(self, login: str, phone: FieldPhone) -> bool:
        """Whether a phone had anything to send or to take, or had to sign in."""
        report = phone.sync()
        assert report is not None, f"{login} was killed"
        if report.code in ("login_required", "device_forked", "token_reused", "not_a_device"):
            return True
        assert report.ok, f"I7: {login} cannot sync: {report.code} {report.detail}"
        assert report.photo_error is None, f"I7: the photos of {login} do not arrive: {report.photo_error}"
        return bool(report.rows or report.results or report.requeued or report.parked or report.photos)

    def violations(self) -> Iterator[str]:
        """The invariants that do not hold."""
        yield from invariants.lost_ops(self.ledger, self.phones)
        yield from invariants.without_content(self.ledger, self.phones)
        yield from invariants.wrongly_recorded(self.ledger)
        yield from invariants.diverged(self.phones)
        yield from invariants.ill()

    def clear(self) -> None:
        """Leave nothing behind."""
        self.end_open_ones()
        for phone in self.phones.values():
            phone.close()
        self.backups.forget()


RULES = tuple(
    name
    for part in (happenings.OnThePhones, happenings.InTheOffice, happenings.ToTheServer)
    for name in vars(part)
    if not name.startswith("_") and name != "synced"
)
"""Everything that may happen."""

OURS = """
    select oid::regclass from pg_class
    where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relispartition
      and relname not in ('spatial_ref_sys', 'alembic_version', 'sync_meta', 'picklist')
"""
EACH_FULL = f"""
    for name in {OURS} loop
        execute format('select exists (select from %s)', name) into is_full;
        if is_full then
            execute format('{{work}}', name);
        end if;
    end loop;
"""
"""Something with each table that has rows; most of the two hundred have none."""
EMPTY = f"""
do $$ declare name regclass; is_full boolean; begin
    {EACH_FULL.format(work="delete from %s")}
    update sync_meta set durable_at = null, declared = '{{}}';
end $$
"""
KEPT = f"""
do $$ declare name regclass; is_full boolean; begin
    drop schema if exists beginning cascade;
    create schema beginning;
    {EACH_FULL.format(work="create table beginning.%1$s as table public.%1$s")}
end $$
"""
PUT_BACK = """
do $$ declare name text; begin
    for name in select relname from pg_class where relkind = 'r' and relnamespace = 'beginning'::regnamespace loop
        execute format('insert into public.%I overriding system value table beginning.%I', name, name);
    end loop;
end $$
"""
PICKLISTS = "select sync_stamp(2::smallint, 'picklist', 'picklist', array(select id from picklist))"


@dataclass(frozen=True)
class Beginning:
    """The company that every schedule begins with, as its first one was made."""

    world: World
    accounts: tuple[UUID, ...]
    people: tuple[UUID, ...]
    phones: dict[str, FieldPhone]
    """They are not used themselves: schedules use their copies."""
    epoch: str


@dataclass
class Fuzz:
    """Runs schedules one after the other on one database, each in a company of its own."""

    database: Engine
    schedules: int = 0
    ops: int = 0
    hit: Counter[str] = field(default_factory=Counter)
    left: int | None = None
    """So many schedules of a run are still to come: Hypothesis tries an example or two beside those that it is asked
    for. None once one has failed, as it is then made shorter."""
    kept: Beginning | None = None
    files: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)

    def company(self) -> World:
        """A new company in an empty database; no trigger hears of the old one's end."""
        with self.silent() as connection:
            connection.execute(text(EMPTY))
            connection.execute(text(PICKLISTS))
        world = World(Door())  # type: ignore[arg-type]
        found(world)
        return world

    @contextmanager
    def silent(self) -> Iterator[Connection]:
        """A transaction that no trigger hears of."""
        with self.database.begin() as connection:
            connection.execute(text("set local session_replication_role = replica"))
            yield connection

    def begin(self, folder: Path) -> Schedule:
        """A schedule at its beginning. To put the company back costs a tenth of making it; another incarnation of the
        database needs another one, as its phones would have to begin anew.
        """
        with transaction() as session:
            epoch = epochs.current(session)
        if self.kept is None or self.kept.epoch != epoch:
            self.kept = self.made(epoch)
        else:
            with self.silent() as connection:
                connection.execute(text(EMPTY))
                connection.execute(text(PUT_BACK))
        schedule = Schedule(self.kept.world, self.database, folder, Backups(self.database.url))
        schedule.accounts, schedule.people = list(self.kept.accounts), list(self.kept.people)
        schedule.phones = {login: phone.copied(folder / login) for login, phone in self.kept.phones.items()}
        return schedule

    def made(self, epoch: str) -> Beginning:
        """The beginning of all schedules, and its rows."""
        folder = Path(tempfile.mkdtemp(dir=self.files.name))
        first = Schedule(self.company(), self.database, folder, Backups(self.database.url))
        first.prepare()
        for phone in first.phones.values():
            phone.close()
        with self.database.begin() as connection:
            connection.execute(text(KEPT))
        return Beginning(first.world, tuple(first.accounts), tuple(first.people), first.phones, epoch)

    def end(self) -> None:
        """Leave nothing of the beginning in the database and in files."""
        with self.database.begin() as connection:
            connection.execute(text("drop schema if exists beginning cascade"))
        self.kept = None
        self.files.cleanup()

    def tell(self, story: Callable[[Schedule], None]) -> list[str]:
        """Run a schedule that is written down; returns what it violates."""
        self.be_quick()
        with tempfile.TemporaryDirectory(prefix="waymark-fuzz-") as folder:
            schedule = self.begin(Path(folder))
            try:
                story(schedule)
                schedule.settle()
                return list(schedule.violations())
            except AssertionError as error:
                return [str(error)]
            finally:
                schedule.clear()

    def machine(self) -> type[RuleBasedStateMachine]:
        """The state machine: a rule for everything that may happen."""
        fuzz = self

        class Faults(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                self.idle = fuzz.left == 0
                if self.idle:
                    return
                self.folder = tempfile.TemporaryDirectory(prefix="waymark-fuzz-")
                self.schedule = fuzz.begin(Path(self.folder.name))

            def teardown(self) -> None:
                if self.idle:
                    return
                whole = False
                try:
                    self.schedule.settle()
                    refuse(list(self.schedule.violations()))
                    whole = True
                finally:
                    fuzz.left = fuzz.left - 1 if whole and fuzz.left else None
                    fuzz.schedules += 1
                    fuzz.ops += len(self.schedule.ledger)
                    self.schedule.clear()
                    self.folder.cleanup()

        for name in RULES:

            def happen(self: Any, step: int, name: str = name) -> None:
                if self.idle:
                    return
                fuzz.hit[name] += 1
                self.schedule.happen(name, step)

            happen.__name__ = name
            setattr(Faults, name, rule(step=st.integers(0, 2**16))(happen))
        return Faults

    @staticmethod
    def be_quick() -> None:
        """Nobody waits long for a lock, and no phone keeps megabytes back."""
        transactions.LOCK_TIMEOUT, reserve.RESERVE_BYTES = "10ms", 65_536

    def run(self, count: int, number: int, *, steps: int = STEPS, shorten: bool = True) -> None:
        """So many schedules; the same number makes the same ones. Fails with the shortest that violates anything."""
        self.be_quick()
        self.left = count
        phases = [Phase.generate, Phase.shrink] if shorten else [Phase.generate]
        chosen = settings(
            max_examples=count,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            verbosity=Verbosity.normal,
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(seed(number)(self.machine()), settings=chosen)
        finally:
            self.end()
