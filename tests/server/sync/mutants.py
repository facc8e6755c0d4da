"""Deliberate mistakes in sync, each of which the schedules must find (`make mutants-sync`).

A mutant is a patch for one run, in this file and nowhere else. Each meets the story that it cannot survive (`stories`),
and one that does survive it random schedules. A line each; ends with an error when one survives, or when a story fails
without a mistake. ONLY=word chooses, SCHEDULES=N says after how many random schedules one counts as a survivor,
CHANCE=N how many random schedules those meet that their story has caught.
"""

import contextlib
import multiprocessing
import os
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from mobile.field.store import blobs, outbox, overlay
from mobile.field.store import store as phone_store
from mobile.field.store.canonical import canonical, sha256
from mobile.field.sync import hello, pull, run
from server.accounts import service as accounts
from server.contacts import service as contacts
from server.kit import clock
from server.kit.database import engine
from server.sync.protocol.problems import Gap
from server.sync.pulling import buckets, cursors, epochs, feeding, glance
from server.sync.pulling import pull as server_pull
from server.sync.pushing import chains, push, receipts
from tests.server.sync import stories
from tests.server.sync.field_phone import Killed
from tests.server.sync.fuzz import WORKERS, cluster, prepared
from tests.server.sync.schedule import RULES, STEPS, Fuzz
from tests.server.sync.stories import Story

MAX = int(os.environ.get("SCHEDULES", "1000"))
CHANCE = int(os.environ.get("CHANCE", "0"))
"""So many random schedules may show how soon chance finds what a story has found."""

type Patch = pytest.MonkeyPatch


def database(change: str, function: str, old: str, new: str) -> None:
    """Change a function of the database."""
    with engine().begin() as connection:
        body: str = connection.execute(text(f"select pg_get_functiondef('{function}'::regproc)")).scalar_one()
        assert old in body, change
        connection.exec_driver_sql(body.replace(old, new).replace("%", "%%"))


UNSEEN = "and not pg_visible_in_snapshot(i.txid, cast(:seen as pg_snapshot))"


def sequence_cursor(m: Patch) -> None:
    """What is new is what has a higher number than the last one seen, open transactions or not."""
    higher = "and i.txid >= pg_snapshot_xmax(cast(:seen as pg_snapshot))"
    m.setattr(feeding, "FEED", feeding.FEED.replace(UNSEEN, higher))
    m.setattr(glance, "question", glance.question.__wrapped__)  # not as it was put before


def updated_at_cursor(m: Patch) -> None:
    """What is new is what was touched since the last page, by the time at which its transaction began."""
    with engine().begin() as connection:
        connection.execute(text("alter table sync_item add touched timestamptz not null default now()"))
    database("touched", "sync_stamp", "txid = pg_current_xact_id()\n", "txid = pg_current_xact_id(), touched = now()\n")
    database("touched", "sync_stamp", "txid = excluded.txid", "txid = excluded.txid, touched = now()")
    times: dict[str, str] = {}
    real = server_pull.feed

    def feed(session: Any, wanted: Any, position: Any, target: str, *more: Any) -> Any:
        now = session.execute(text("select now()::text")).scalar_one()
        since = times.get(position.seen, "-infinity")
        session.execute(text("select set_config('mutant.since', :since, true)"), {"since": since})
        times.setdefault(target, now)
        return real(session, wanted, position, target, *more)

    since = "coalesce(current_setting('mutant.since', true), '-infinity')"
    later = f"and i.touched >= {since}::timestamptz"
    began = "i.txid >= greatest(pg_snapshot_xmin(cast(:seen as pg_snapshot)), cast(:txid as xid8))"
    changed = feeding.FEED.replace(UNSEEN, later).replace(began, "i.txid >= cast(:txid as xid8)")
    m.setattr(feeding, "FEED", changed)
    m.setattr(server_pull, "feed", feed)
    m.setattr(glance, "page", lambda caller, request: None)


def late_snapshot(m: Patch) -> None:
    """The rows are read first, the moment they stand for is taken afterwards: both need not be one."""
    real = cursors.Position.done

    def done(self: Any, target: str) -> Any:
        low, high, _ = target.split(":")
        return real(self, f"{high}:{high}:" if low != high else target)

    m.setattr(cursors.Position, "done", done)


def no_receipt(m: Patch) -> None:
    """An op is done again each time it arrives."""

    m.setattr(receipts, "remember", lambda session, known, device, sent: {})
    m.setattr(receipts, "write", lambda session, kept: None)


def receipt_beside_the_effect(m: Patch) -> None:
    """The answer is kept although the op's effect is not."""
    one, several = push.settle, push.settle_all

    def lose(session: Any, op: Any) -> None:
        if op.n % 5 == 0:
            session.execute(text("delete from visit_event where id = :id"), {"id": op.body["id"]})

    def settle(session: Any, batch: Any, op: Any) -> Any:
        result, effect = one(session, batch, op)
        if result.status == "applied":
            lose(session, op)
        return result, effect

    def settle_all(session: Any, batch: Any, run: Any) -> Any:
        effects = several(session, batch, run)
        for op in run if effects else ():
            lose(session, op)
        return effects

    m.setattr(push, "settle", settle)
    m.setattr(push, "settle_all", settle_all)


def no_epoch(m: Patch) -> None:
    """Every incarnation of the database is the same."""
    m.setattr(epochs, "told", lambda row: ("same", {}))


def epoch_of_the_database_alone(m: Patch) -> None:
    """The epoch is what a restore brings back."""
    real = epochs.told
    m.setattr(epochs, "told", lambda row: real([row[0], row[-1]]))


def journal_pruned_at_the_answer(m: Patch) -> None:
    """The phone forgets an op as soon as it is answered."""
    real = outbox.Outbox.acknowledge

    def acknowledge(self: Any, n: int, status: str, result: Any) -> None:
        real(self, n, status, result)
        self.db.execute(
            "delete from op where n=? and state in ('applied','merged') and n<(select max(n) from op)", (n,)
        )

    m.setattr(outbox.Outbox, "acknowledge", acknowledge)


def replay_only_in_another_epoch(m: Patch) -> None:
    """Lost ops are sent again only when the phone remembers another epoch."""
    real = hello.align

    def align(store: Any, reply: Any) -> int:
        with pytest.MonkeyPatch.context() as here:
            if store.outbox.meta.get("epoch") in (None, reply.epoch):
                here.setattr(store.outbox, "align", lambda last_n: 0)
            return real(store, reply)

    m.setattr(run, "align", align)


def no_gap_check(m: Patch) -> None:
    """An op may jump over those before it."""
    real = push.check_numbers

    def check(device: Any, sent: Any) -> None:
        with contextlib.suppress(Gap):
            real(device, sent)

    m.setattr(push, "check_numbers", check)


def no_leaving_of_buckets(m: Patch) -> None:
    """Who loses a row is not told."""
    database("R", "sync_stamp", "i.op = 'P'\n", "i.op = 'X'\n")


def children_stay_behind(m: Patch) -> None:
    """Visits do not go with their account."""
    database(
        "children", "sync_children", "perform sync_stamp(12", "perform 1 where false; return; perform sync_stamp(12"
    )


def scope_remembered(m: Patch) -> None:
    """Rights are those of the first time somebody came."""
    real = buckets.chosen
    known: dict[Any, Any] = {}

    def chosen(scope: Any, found: Any) -> Any:
        return known.setdefault(scope.device_id, real(scope, found))

    m.setattr(buckets, "chosen", chosen)


def last_writer_wins(m: Patch) -> None:
    """An edit replaces whatever is there."""
    real = accounts.patch

    def patch(session: Any, scope: Any, row_id: Any, base: int, deltas: Any, actor: Any, own: Any) -> Any:
        return real(session, scope, row_id, 1_000_000, deltas, actor, own)

    m.setattr(accounts, "patch", patch)


def clash_of_a_person_is_swallowed(m: Patch) -> None:
    """What a phone wrote of a person is kept for nobody where somebody else had written before."""
    m.setattr(contacts, "kept", lambda session, row, merge, actor: ())


def op_changed_after_sending(m: Patch) -> None:
    """What was sent is not what is sent again."""
    real = outbox.Outbox.next_batch

    def next_batch(self: Any, limit: int, max_bytes: int) -> Any:
        for op in self.ops(["sent"]):
            body = canonical(op.body).replace('"wall"', '"wa11"')
            self.db.execute("update op set body=?, body_sha=? where n=?", (body, sha256(body), op.n))
        return real(self, limit, max_bytes)

    m.setattr(outbox.Outbox, "next_batch", next_batch)


def cursor_before_rows(m: Patch) -> None:
    """The place in the feed is kept in a transaction before that of its rows."""
    real = pull.apply_page

    def apply_page(store: Any, reply: Any) -> bool:
        with store.page():
            for group in reply.groups:
                for bucket in group.buckets:
                    store.cache.advance(bucket, group.cursor, False, clock.now().isoformat())
        return real(store, reply)

    m.setattr(pull, "apply_page", apply_page)


def overlay_dropped_at_sending(m: Patch) -> None:
    """What a rep saved is not shown until the server has it."""
    m.setattr(phone_store.Store, "showing", lambda self: [])
    m.setattr(overlay, "references", lambda body: set())


def batch_without_savepoints(m: Patch) -> None:
    """One bad op takes those before it along."""
    real = push.settle

    def settle(session: Any, batch: Any, op: Any) -> Any:
        result, effect = real(session, batch, op)
        if result.status == "rejected":
            session.rollback()
        return result, effect

    m.setattr(push, "settle", settle)


def photo_dropped_at_the_answer(m: Patch) -> None:
    """The phone removes a photo as soon as the server has it, whatever its backups have."""
    m.setattr(blobs.Blobs, "stored", blobs.Blobs.let_go)


def own_changes_are_anybodys(m: Patch) -> None:
    """What a phone wrote by an earlier op is a change like anybody's."""
    m.setattr(chains.Chain, "written", lambda self, session, row, base_rev, fields: frozenset())


MUTANTS: tuple[tuple[Callable[[Patch], None], Story], ...] = (
    (sequence_cursor, stories.a_transaction_stays_open),
    (updated_at_cursor, stories.a_transaction_stays_open),
    (late_snapshot, stories.a_transaction_stays_open),
    (no_receipt, stories.an_answer_is_lost),
    (receipt_beside_the_effect, stories.five_visits),
    (no_epoch, stories.a_restore_undoes_an_edit),
    (epoch_of_the_database_alone, stories.a_restore_undoes_an_edit),
    (journal_pruned_at_the_answer, stories.a_restore_undoes_visits),
    (replay_only_in_another_epoch, stories.a_failover_lost_a_visit),
    (no_gap_check, stories.a_failover_between_hello_and_push),
    (no_leaving_of_buckets, stories.an_account_moves),
    (children_stay_behind, stories.an_account_moves),
    (scope_remembered, stories.an_area_is_taken_away),
    (last_writer_wins, stories.two_edit_one_field),
    (clash_of_a_person_is_swallowed, stories.two_edit_a_person),
    (own_changes_are_anybodys, stories.the_street_now_and_the_town_later),
    (op_changed_after_sending, stories.an_answer_is_lost),
    (cursor_before_rows, stories.an_app_dies_at_every_place),
    (overlay_dropped_at_sending, stories.two_edit_one_field),
    (photo_dropped_at_the_answer, stories.a_restore_undoes_a_photo),
    (batch_without_savepoints, stories.a_bad_op_among_good_ones),
)


def told(fuzz: Fuzz, story: Story) -> str | None:
    """What a story violates, in a line."""
    try:
        found = fuzz.tell(story)
    except (Exception, Killed) as error:  # noqa: BLE001 a crash is a mistake found
        found = [f"{type(error).__name__}: {error}"]
    return found[0].splitlines()[0][:90] if found else None


def at_random(number: int) -> Story:
    """A schedule of its own for each number."""
    rng = random.Random(number)
    steps = [(rng.choice(RULES), rng.randrange(2**16)) for _ in range(STEPS)]
    return stories.of(steps)


def attempt(index: int) -> tuple[str, str | None, int, str | None]:
    """One mutant, in a process of its own: what its story says, and after how many random schedules one says what."""
    mutant, story = MUTANTS[index]
    with prepared(f"mutant_{index}") as fuzz, pytest.MonkeyPatch.context() as patch:
        mutant(patch)
        steered = told(fuzz, story)
        tries = min(MAX, CHANCE) if steered else MAX
        for number in range(tries):
            if found := told(fuzz, at_random(number)):
                return mutant.__name__, steered, number + 1, found
    return mutant.__name__, steered, tries, None


def unharmed(_: int) -> list[str]:
    """The stories that fail without any mistake."""
    with prepared("no_mutant") as fuzz:
        wrong = {story: told(fuzz, story) for story in dict.fromkeys(story for _, story in MUTANTS)}
    return [f"{story.__name__} fails without a mistake: {found}" for story, found in wrong.items() if found]


def main() -> int:
    only = os.environ.get("ONLY", "")
    chosen = [index for index, (mutant, _) in enumerate(MUTANTS) if only in mutant.__name__]
    survivors = 0
    with cluster(), multiprocessing.get_context("spawn").Pool(WORKERS, maxtasksperchild=1) as pool:
        if wrong := pool.apply(unharmed, (0,)):
            sys.stdout.write("\n".join([*wrong, ""]))
            return 1
        for name, steered, schedules, found in pool.imap(attempt, chosen):
            survivors += not (steered or found)
            by_story = "caught by its story" if steered else "survived its story"
            if schedules:
                by_story += f", {'by' if found else 'not within'} random schedule {schedules}"
            sys.stdout.write(f"{name:30s} {by_story}: {steered or found or 'SURVIVED'}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} mutants, {survivors} survivors\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
