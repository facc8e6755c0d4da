"""Fields that somebody else changed too: what the rep is asked, what they answer, and what others decided before them.

A question is one, wherever it is answered: the answer names it, and every hello asks what became of those that wait.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from mobile.field import rights
from mobile.field.capture import op_of
from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.outbox import Op, Outbox
from mobile.field.store.overlay import value_of

KEY = "decided"
MOST = 200
OTHERS = ("server", "base", "by")
"""What of a conflict is not the rep's own."""
AGAIN = (None, "changed_meanwhile", "already_decided")
"""Refusals after which the question is as it was, or none any more."""
ANSWERED = ("queued", "sent", "deferred", "stuck", "applied", "merged")
TAKEN_BACK = "taken_back"
"""Stands beside the verdict on an answer once the office has undone what was decided: it answers nothing any more."""
THEIRS = "theirs"
"""Stands beside the refusal of an edit: the fields in which the rep took what somebody else wrote."""


@dataclass(frozen=True)
class Question:
    """A field with the rep's value and the other one; decided where somebody was quicker."""

    op: Op
    conflict: Json
    stored: object
    """What the field holds now, as far as this phone knows."""
    decided: Json | None = None
    refused: Json | None = None
    """Why the rep's last answer was refused, where that is no reason to give it once more."""

    @property
    def has_moved(self) -> bool:
        """Whether the office's value is another one by now."""
        known = (self.conflict["server"], self.conflict["mine"])
        return self.conflict.get("kind", "concurrent") == "concurrent" and self.stored not in known


def questions(store: Store) -> list[Question]:
    """What the rep has not answered nor put away: open ones, and those that somebody else has decided."""
    ops, heard = store.outbox.ops(), _heard(store.outbox)
    refused = {op.body["decides"]: op.result["error"] for op in ops if op.result and _refused(op) not in AGAIN}
    me, found = (store.cache.doc("user_public", store.outbox.meta.get("user_id") or "") or {}).get("name"), []
    for op, conflict in _asked(store.outbox, ops):
        known, why = heard.get(conflict["id"]), refused.get(conflict["id"])
        if known is not None and me is not None:
            known = known | {"is_mine": known.get("by") == me}
        if known is None and conflict.get("kind") == "edit_after_delete" and _is_here(store, op):
            conflict = conflict | {"kind": "back"}
        found.append(Question(op, conflict, _stored(store, op, conflict), known, why))
    return found


def may_restore(outbox: Outbox) -> bool:
    """Whether the rep may bring back an account that the office has deleted."""
    return not rights.is_closed(outbox, "account", "deleted_at")


def forget(store: Store) -> None:
    """Forget what others wrote into fields that are closed to the rep by now. Such a conflict is asked of the office
    alone; the rep's own value stays."""
    for op in store.outbox.ops(["conflict"]):
        told = met_by(op)
        kept = [
            one | dict.fromkeys(OTHERS) | {"left": True} if rights.is_closed(store.outbox, op.e, one["field"]) else one
            for one in told
        ]
        if op.result is not None and (kept != told or isinstance(op.result.get("row"), dict)):
            row = {"row": True} if "row" in op.result else {}
            store.outbox.acknowledge(op.n, op.state, op.result | row | {"conflicts": kept})


def settled(outbox: Outbox, ops: Iterable[Op]) -> set[str]:
    """Ops of which nothing needs the rep: put away, or all that they met is answered or decided."""
    ops, heard = list(ops), _heard(outbox)
    waiting = {op.op_id for op, conflict in _asked(outbox, ops) if conflict["id"] not in heard}
    met = {op.op_id for op in ops if op.state == "conflict" and met_by(op)}
    answers = {op.op_id for op in ops if _refused(op) not in (None, "already_decided") or _is_taken_back(op)}
    return outbox.dismissed() | (met - waiting) | answers  # the question says of them


def waiting(outbox: Outbox) -> list[str]:
    """The conflicts of which the server is asked, the newest first."""
    ops = outbox.ops()
    asked = [str(conflict["id"]) for _, conflict in _asked(outbox, ops)]
    return [*asked[::-1], *(str(op.body["decides"]) for op in _judged(outbox, ops)[::-1])][:MOST]


def still_open(outbox: Outbox) -> int:
    """How many conflicts nobody has decided, as far as this phone has heard: somebody may be quicker than the rep."""
    known = _heard(outbox)
    return sum(conflict["id"] not in known for _, conflict in _asked(outbox, outbox.ops()))


def heard(outbox: Outbox, decided: list[Json] | None) -> int:
    """Keep what the server says is decided; what it does not name waits again, also where the rep had answered. Returns
    how many others have decided that is new."""
    before, judged = _heard(outbox), _judged(outbox, outbox.ops())
    now, own = {one["id"]: one for one in decided or ()}, {op.body["decides"] for op in judged}
    asked = set(waiting(outbox)) if judged and decided is not None else set()
    for op in judged:
        if op.body["decides"] in asked - now.keys():
            outbox.acknowledge(op.n, op.state, {**(op.result or {}), TAKEN_BACK: True})
    now = {key: one for key, one in now.items() if key not in own}
    if now != before:
        outbox.meta.set(KEY, json.dumps(now) if now else None)
    return len(now.keys() - before.keys())


def answer(store: Store, question: Question, *, mine: bool) -> Op:
    """Save the rep's decision: their own value, or the office's as it is stored now."""
    op, conflict = question.op, question.conflict
    rev, seen = store.cache.rev(op.e, op.row_id), _stored(store, op, conflict)
    theirs = conflict["server"] if conflict.get("policy") == "take_field" else seen
    fields = {conflict["field"]: [seen, conflict["mine"] if mine else theirs]}
    return store.save(op_of("patch", op.e, op.row_id, base_rev=rev, f=fields, decides=conflict["id"]))


def can_undo(op: Op) -> bool:
    """Whether an op is an answer that was never sent: `Store.take_back` makes an open question of it again."""
    return bool(op.body.get("decides")) and op.state == "queued" and not op.was_sent


def said(op: Op) -> Json:
    """What an edit changes, as old and new value by field; without the fields in which the rep took the other value."""
    given_up = (op.result or {}).get(THEIRS, ())
    return {name: both for name, both in op.body.get("f", {}).items() if name not in given_up}


def overtaken(store: Store, op: Op) -> Json:
    """The fields of a refused edit that somebody else has changed since the rep saw them, with what they hold now; of
    those that are open to the rep."""
    base = store.cache.base(op.e, op.row_id)[1]
    if op.state != "rejected" or op.body.get("decides") or base is None:
        return {}
    now = {name: value_of(base, name) for name in said(op) if not rights.is_closed(store.outbox, op.e, name)}
    return {name: value for name, value in now.items() if value not in said(op)[name]}


def take_theirs(store: Store, op: Op, name: str) -> None:
    """Leave a field of a refused edit as it is stored; an edit of which nothing is left is over."""
    given_up = [*(op.result or {}).get(THEIRS, ()), name]
    store.outbox.acknowledge(op.n, op.state, {**(op.result or {}), THEIRS: given_up})
    if said(op).keys() <= {name}:
        store.outbox.dismiss(op.op_id)


def _is_here(store: Store, op: Op) -> bool:
    """Whether what the office had deleted is here again: nobody has to bring it back any more."""
    row = store.cache.base(op.e, op.row_id)[1]
    return row is not None and not row.get("deleted_at")


def _stored(store: Store, op: Op, conflict: Json) -> object:
    """What the field holds now; of a row that is no more, as after a merge, what the office's value was."""
    base = store.cache.base(op.e, op.row_id)[1]
    return conflict["server"] if base is None else value_of(base, conflict["field"])


def met_by(op: Op) -> list[Json]:
    """The conflicts that an op met."""
    return (op.result or {}).get("conflicts") or []


def _refused(op: Op) -> str | None:
    """Why an answer was refused; None of all else."""
    is_refused = op.state == "rejected" and op.body.get("decides")
    return str((op.result or {}).get("error", {}).get("code")) if is_refused else None


def _is_taken_back(op: Op) -> bool:
    """Whether the office has undone what an answer decided, or what had been decided before it."""
    return bool(op.body.get("decides") and (op.result or {}).get(TAKEN_BACK))


def _judged(outbox: Outbox, ops: Iterable[Op]) -> list[Op]:
    """The answers that the server has heard, whose question somebody decided that way or before; but those that the rep
    has put away."""
    seen = outbox.dismissed()
    return [
        op
        for op in ops
        if op.body.get("decides") and not _is_taken_back(op) and not seen.intersection((op.op_id, op.body["decides"]))
        if op.state in ("applied", "merged") or _refused(op) == "already_decided"
    ]


def _heard(outbox: Outbox) -> dict[str, Json]:
    return outbox.meta.read(KEY, lambda text: dict(json.loads(text))) or {}


def _asked(outbox: Outbox, ops: Iterable[Op]) -> list[tuple[Op, Json]]:
    """Every conflict that the rep has neither answered nor put away; a refused answer answers nothing."""
    ops, seen = list(ops), outbox.dismissed()
    answers = [op for op in ops if op.body.get("decides")]
    answered = {
        op.body["decides"]
        for op in answers
        if (op.state in ANSWERED or _refused(op) == "already_decided") and not _is_taken_back(op)
    } | seen
    return [
        (op, conflict)
        for op in ops
        if op.state == "conflict" and op.op_id not in seen
        for conflict in met_by(op)
        if conflict["id"] not in answered and not conflict.get("left")
    ]
