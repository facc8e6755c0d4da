"""Step 4 of sync: send ops in order until none is left; one bad op stops nothing but itself."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mobile.field import drafts, entries
from mobile.field.store import Store, overlay
from mobile.field.store.canonical import Json
from mobile.field.store.outbox import Op
from mobile.field.sync import wire
from mobile.field.sync.api import Api
from mobile.field.sync.problems import Broken, Indigestible, Problem

PATIENCE = 3
REFUSED = ("rejected", "deferred")
STATUSES = ("applied", "merged", "conflict", "rejected", "deferred")
SYNC_ALLOWANCE = 64 * 1024


@dataclass
class Pushed:
    """What became of the ops of one run."""

    results: Counter[str] = field(default_factory=Counter)
    parked: int = 0


@dataclass
class Trouble:
    """A batch that the server keeps failing on; survives restarts of the app."""

    head: str = ""
    code: str = ""
    times: int = 0
    limit: int = 0

    @classmethod
    def load(cls, store: Store) -> "Trouble":
        return store.outbox.meta.read("trouble", lambda text: cls(**json.loads(text))) or cls()

    def save(self, store: Store) -> None:
        store.outbox.meta.set("trouble", json.dumps(self.__dict__) if self.times else None)


def push(store: Store, api: Api, epoch: str, limits: wire.Limits) -> Pushed:
    """Send everything that waits. Ops without an answer stay `sent` and go out again unchanged."""
    done = Pushed()
    trouble = Trouble.load(store)
    while batch := store.outbox.next_batch(
        trouble.limit or limits.ops, min(limits.push_bytes, 1_048_576) - SYNC_ALLOWANCE
    ):
        if not store.outbox.mark_sent(batch):
            continue
        request = wire.PushRequest(epoch=epoch, ops=[{"n": op.n, **op.body} for op in batch])
        try:
            reply = wire.parse(wire.PushReply, api.call("POST", "/sync/v1/push", wire.emit(request)))
        except (Broken, Indigestible) as problem:
            trouble = _divide(store, trouble, batch, problem, done)
            continue
        if trouble.times and not trouble.limit:
            trouble = Trouble()
        done.results.update(_take_verdicts(store, batch, reply))
    Trouble().save(store)
    return done


def _divide(store: Store, trouble: Trouble, batch: Sequence[Op], problem: Problem, done: Pushed) -> Trouble:
    """After three identical failures halve the batch; park the op that fails alone."""
    head = batch[0].op_id
    same = trouble.code == problem.code and (trouble.head == head or trouble.limit)
    trouble = Trouble(head, problem.code, trouble.times + 1 if same else 1, trouble.limit)
    if isinstance(problem, Broken) and not trouble.limit and trouble.times < PATIENCE:
        trouble.save(store)
        raise problem
    if len(batch) > 1:
        trouble.limit = len(batch) // 2
        trouble.save(store)
        return trouble
    store.outbox.park(batch[0].n, problem.said)
    done.parked += 1
    store.rebuild_overlay()
    Trouble().save(store)
    return Trouble()


def _take_verdicts(store: Store, batch: Sequence[Op], reply: wire.PushReply) -> list[str]:
    """Store each op's verdict; a row in the answer is what the rep sees from now on."""
    sent = {op.n: op for op in batch}
    verdicts = [(sent[r.n], r) for r in reply.results if r.n in sent]
    if not verdicts or any(r.status not in STATUSES for _op, r in verdicts):
        raise wire.BadMessage("the server answered a push without verdicts this app knows")
    rows = [(overlay.target(op.body), _row_of(op, r), r.rev) for op, r in verdicts]
    was_shown = store.is_shown()
    with store.page():
        for (e, row_id), row, rev in rows:
            if row is not None and rev is not None and rev >= store.cache.rev(e, row_id):
                store.cache.put_base(e, row_id, rev, row)
        for op, result in verdicts:
            store.outbox.acknowledge(op.n, result.status, _kept(store, op, result))
            if result.status == "applied":
                store.outbox.blobs.ask_again(op.op_id)  # what was handed over with it may not be there any more
        store.refresh(ref for ref, _row, _rev in rows)
        if was_shown:  # else what is queued again by an app that is killed then looks like what was shown before
            store.note_shown()
    return [result.status for _op, result in verdicts]


def taken_after_all(store: Store, told: Sequence[Json]) -> int:
    """Keep that the office has had refused ops taken: `op_id`, `status`, and `conflicts` where there are some. Their
    photos are offered again, and they are entered no second time. Returns how many."""
    known = [(store.outbox.op(one["op_id"]), one) for one in told if one["status"] in STATUSES]
    ops = [(op, one) for op, one in known if op is not None and op.state in REFUSED]
    with store.page():
        for op, one in ops:
            store.outbox.acknowledge(op.n, one["status"], one | _about(store, op, one["status"]))
            store.outbox.blobs.ask_again(op.op_id)
        store.refresh(overlay.target(op.body) for op, _one in ops)
    drafts.let_go_of_taken(store)
    return len(ops)


def _row_of(op: Op, result: wire.OpResult) -> Json | None:
    """The row of the answer, if it is the row this op changes."""
    row = result.row
    return row if row is not None and row.get("id") == overlay.target(op.body)[1] else None


def _about(store: Store, op: Op, status: str) -> Json:
    """What an op is about that needs the rep: the record may leave this phone."""
    return {"about": entries.about(store, op)} if status in (*REFUSED, "conflict") else {}


def _kept(store: Store, op: Op, result: wire.OpResult) -> Json:
    """The answer without the row itself: that is the cache's, and goes when it leaves the phone."""
    kept: Json = wire.emit(result) | _about(store, op, result.status)
    kept.pop("row", None)
    return kept if _row_of(op, result) is None else kept | {"row": True}
