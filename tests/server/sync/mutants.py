"""Deliberate mistakes in sync, each of which the schedules must find (`make mutants-sync`).

A mutant is a patch for one run, in this file and nowhere else. A line each; ends with an error when one survives.
ONLY=word chooses, SCHEDULES=N says after how many schedules one counts as a survivor.
"""

import multiprocessing
import os
import random
import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from mobile.field.store import outbox, overlay
from mobile.field.store import store as phone_store
from mobile.field.sync import hello, pull
from server.accounts import service as accounts
from server.kit.database import engine
from server.sync import buckets, cursors, epochs, push
from server.sync import pull as server_pull
from tests.server.sync.fuzz import cluster, prepared
from tests.server.sync.schedule import RULES, STEPS, Fuzz

MAX = int(os.environ.get("SCHEDULES", "1000"))


def database(change: str, function: str, old: str, new: str) -> None:
    """Change a function of the database."""
    with engine().begin() as connection:
        body: str = connection.execute(text(f"select pg_get_functiondef('{function}'::regproc)")).scalar_one()
        assert old in body, change
        connection.exec_driver_sql(body.replace(old, new).replace("%", "%%"))


def sequence_cursor() -> None:
    """What is new is what has a higher number than the last one seen, open transactions or not."""
    server_pull.FEED = server_pull.FEED.replace(
        "and not pg_visible_in_snapshot(i.txid, cast(:seen as pg_snapshot))",
        "and i.txid >= pg_snapshot_xmax(cast(:seen as pg_snapshot))",
    )


def no_receipt() -> None:
    """An op is done again each time it arrives."""

    def forgetful(session: Any, batch: Any, op: Any) -> Any:
        result, row = push.settle(session, batch, op)
        return push.with_row(session, batch, result, row)

    push.take = forgetful


def receipt_beside_the_effect() -> None:
    """The answer is kept although the op's effect is not."""
    real = push.settle

    def settle(session: Any, batch: Any, op: Any) -> Any:
        result, effect = real(session, batch, op)
        if result.status == "applied" and op.n % 5 == 0:
            session.execute(text("delete from visit_event where id = :id"), {"id": op.body["id"]})
        return result, effect

    push.settle = settle


def no_epoch() -> None:
    """Every incarnation of the database is the same."""
    epochs.computed = lambda session: ("same", {})


def epoch_of_the_database_alone() -> None:
    """The epoch is what a restore brings back."""
    epochs.IDENTITY = "select m.db_uuid::text, m.declared from sync_meta m"


def journal_pruned_at_the_answer() -> None:
    """The phone forgets an op as soon as it is answered."""
    real = outbox.Outbox.acknowledge

    def acknowledge(self: Any, n: int, status: str, result: Any) -> None:
        real(self, n, status, result)
        self.db.execute(
            "delete from op where n=? and state in ('applied','merged') and n<(select max(n) from op)", (n,)
        )

    outbox.Outbox.acknowledge = acknowledge  # type: ignore[method-assign]


def replay_only_in_another_epoch() -> None:
    """Lost ops are sent again only when the phone remembers another epoch."""
    real = hello.align

    def align(store: Any, reply: Any) -> int:
        if store.outbox.meta.get("epoch") in (None, reply.epoch):
            store.outbox.align = lambda last_n: 0
        return real(store, reply)

    hello.align = align
    from mobile.field.sync import run

    run.align = align  # type: ignore[attr-defined]


def no_gap_check() -> None:
    """An op may jump over those before it."""
    push.check_numbers = lambda session, device, sent: None


def no_leaving_of_buckets() -> None:
    """Who loses a row is not told."""
    database("R", "sync_stamp", "i.op = 'P'\n", "i.op = 'X'\n")


def children_stay_behind() -> None:
    """Sites and visits do not go with their account."""
    database(
        "children", "sync_children", "perform sync_stamp(12", "perform 1 where false; return; perform sync_stamp(12"
    )


def scope_remembered() -> None:
    """Rights are those of the first time somebody came."""
    real, known = buckets.subscriptions, {}

    def subscriptions(session: Any, scope: Any) -> Any:
        return known.setdefault(scope.device_id, real(session, scope))

    buckets.subscriptions = subscriptions


def last_writer_wins() -> None:
    """An edit replaces whatever is there."""
    real = accounts.patch

    def patch(session: Any, scope: Any, row_id: Any, base: int, deltas: Any, actor: Any) -> Any:
        return real(session, scope, row_id, 1_000_000, deltas, actor)

    accounts.patch = patch


def op_changed_after_sending() -> None:
    """What was sent is not what is sent again."""
    real = outbox.Outbox.next_batch

    def next_batch(self: Any, limit: int, max_bytes: int) -> Any:
        for op in self.ops(["sent"]):
            self.db.execute("update op set body=replace(body, '\"wall\"', '\"wa11\"') where n=?", (op.n,))
        return real(self, limit, max_bytes)

    outbox.Outbox.next_batch = next_batch  # type: ignore[method-assign]


def cursor_before_rows() -> None:
    """The place in the feed is kept before its rows are."""
    pull._take_row = lambda store, change: False if random.Random(change.id).random() < 0.2 else TAKE_ROW(store, change)


TAKE_ROW = pull._take_row


def overlay_dropped_at_sending() -> None:
    """A row without its bucket goes although unsent work refers to it."""
    phone_store.Store.showing = lambda self: []  # type: ignore[method-assign]
    overlay.references = lambda body: set()


def batch_without_savepoints() -> None:
    """One bad op takes those before it along."""
    real = push.settle

    def settle(session: Any, batch: Any, op: Any) -> Any:
        result, effect = real(session, batch, op)
        if result.status == "rejected":
            session.rollback()
        return result, effect

    push.settle = settle


def late_snapshot() -> None:
    """The rows are read first, the moment they stand for is taken afterwards: both need not be one."""
    real = cursors.Position.done

    def done(self: Any, target: str) -> Any:
        low, high, _ = target.split(":")
        return real(self, f"{high}:{high}:" if low != high else target)

    cursors.Position.done = done  # type: ignore[method-assign]


MUTANTS: tuple[Callable[[], None], ...] = (
    sequence_cursor,
    late_snapshot,
    no_receipt,
    receipt_beside_the_effect,
    no_epoch,
    epoch_of_the_database_alone,
    journal_pruned_at_the_answer,
    replay_only_in_another_epoch,
    no_gap_check,
    no_leaving_of_buckets,
    children_stay_behind,
    scope_remembered,
    last_writer_wins,
    op_changed_after_sending,
    cursor_before_rows,
    overlay_dropped_at_sending,
    batch_without_savepoints,
)


def caught(fuzz: Fuzz) -> str | None:
    """What the first schedule that finds a mistake says."""
    for number in range(MAX):
        rng = random.Random(number)
        steps = [(rng.choice(RULES), rng.randrange(2**16)) for _ in range(STEPS)]
        fuzz.schedules += 1
        try:
            found = fuzz.replay(steps)
        except Exception as error:  # noqa: BLE001 a crash is a mistake found
            found = [f"{type(error).__name__}: {error}"]
        if found:
            return found[0].splitlines()[0][:90]
    return None


def attempt(index: int) -> tuple[str, int, str | None]:
    """One mutant, in a process of its own."""
    with prepared(f"mutant_{index}") as fuzz:
        MUTANTS[index]()
        found = caught(fuzz)
    return MUTANTS[index].__name__, fuzz.schedules, found


def main() -> int:
    only = os.environ.get("ONLY", "")
    chosen = [index for index, mutant in enumerate(MUTANTS) if only in mutant.__name__]
    survivors = 0
    with cluster(), multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
        for name, schedules, found in pool.imap(attempt, chosen):
            survivors += found is None
            said = f"caught after {schedules:4d}: {found}" if found else f"SURVIVED {schedules} schedules"
            sys.stdout.write(f"{name:30s} {said}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} mutants, {survivors} survivors\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
