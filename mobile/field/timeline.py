"""What happened at an account, as far as this phone knows: visits, calls, meetings, tasks, mails, notes, tickets,
steps of deals, orders."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mobile.field import zones
from mobile.field.rows import docs
from mobile.field.store import Store, clock
from mobile.field.store.canonical import Json

MOST = 100
"""So many entries at most; the rows themselves go back thirteen months, what is older is read in the office."""


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happened at an account."""

    kind: str
    """visit, call, meeting, task, mail, note, ticket, stage, order, quote or credit."""
    id: str
    day: str
    at: datetime | None
    """None: some time of that day."""
    state: str
    """Empty for a note, `in` or `out` for a mail, `new`, `won` or `lost` where a deal began or came to its end."""
    title: str | None
    """A subject, a number or what a deal is called; None for visits and notes."""
    outcome: str | None
    note: str | None
    who: str | None
    flags: tuple[str, ...]
    amount: tuple[str, str] | None
    """Gross and currency of an order."""
    mark: str


def timeline(
    store: Store, account_id: str, names: dict[str, str], marks: dict[tuple[str, str], str]
) -> list[TimelineEntry]:
    """What happened at an account, the latest first; `names` of people by their ids."""
    zone, found = zones.of(store.outbox), []
    for kind, doc, moment, fields in _told(store, account_id):
        at = datetime.fromisoformat(moment) if moment and "T" in moment else None
        where = clock.zone(doc["zone"]) if kind == "visit" and doc.get("zone") else zone
        day = str(doc.get("day") or (at.astimezone(where).date().isoformat() if at else moment or ""))
        sender, colleague = fields.pop("sender", None), names.get(str(fields.pop("who", None)))
        mark = marks.get((str(fields.pop("e", kind)), doc["id"]), "")
        blank: Json = dict.fromkeys(("title", "outcome", "note", "amount")) | {"state": "", "flags": ()}
        told = blank | fields | {"who": sender or colleague}
        found.append(TimelineEntry(kind=kind, id=doc["id"], day=day, at=at, mark=mark, **told))
    return sorted(found, key=_place, reverse=True)[:MOST]


def _place(entry: TimelineEntry) -> tuple[str, float, str]:
    """By day and time; what has no time of its own ends its day."""
    return entry.day, entry.at.timestamp() if entry.at else float("inf"), entry.id


def _told(store: Store, account_id: str) -> Iterator[tuple[str, Json, str | None, Json]]:
    """Each thing with its kind, its moment (a time, or a day) and what is told of it."""
    for doc in docs(store, "visit", account_id):
        moment = doc.get("done_at") or doc.get("checked_in_at") or doc.get("planned_start_at")
        fields = {"state": str(doc["state"]), "outcome": doc.get("outcome"), "note": doc.get("note")}
        yield "visit", doc, moment, fields | {"who": doc.get("rep_id"), "flags": tuple(doc.get("flags") or ())}
    for doc in docs(store, "activity", account_id):
        if doc.get("subject") is None or (doc.get("state") or "open") == "open":
            continue  # what is private is not told, and what is to be done stands among the next steps
        fields = {"title": doc["subject"], "outcome": doc.get("outcome"), "note": doc.get("note")}
        fields |= {"state": str(doc["state"]), "who": doc.get("owner_id"), "e": "activity"}
        yield doc["kind"], doc, doc.get("starts_at") or doc.get("done_at") or doc.get("due_on"), fields
    for doc in docs(store, "note", account_id):
        yield "note", doc, doc["written_at"], {"note": doc["text"], "who": doc.get("author_id")}
    for doc in docs(store, "mail", account_id):
        if doc["subject"] is None:  # somebody's private one
            continue
        fields = {"title": doc["subject"], "note": doc["text"], "state": doc["direction"] or "", "who": doc["owner_id"]}
        yield "mail", doc, doc["at"], fields | {"sender": doc["sender"] if doc["direction"] == "in" else None}
    for doc in docs(store, "stage_change", account_id):
        went = " → ".join(one for one in (doc["from_stage"], doc["to_stage"]) if one)
        state = ("" if doc["from_stage"] else "new") if doc["state"] == "open" else doc["state"]
        yield "stage", doc, doc["at"], {"title": doc["deal"], "note": went, "state": state, "who": doc["by"]}
    for doc in docs(store, "ticket", account_id):
        title = f"#{doc['number']} {doc['subject']}"
        yield (
            "ticket",
            doc,
            doc.get("opened_at"),
            {"title": title, "state": doc["state"], "who": doc.get("assignee_id")},
        )
    for doc in docs(store, "order", account_id):
        if doc.get("state") is None:  # taken down here and not sent yet: it stands among the orders
            continue
        fields = {"title": doc.get("number"), "state": doc["state"], "amount": (doc["gross"], doc["currency"])}
        fields |= {"who": doc.get("owner_id"), "note": doc.get("note"), "e": "order"}
        yield doc.get("kind") or "order", doc, doc["day"], fields
