"""What else the phone knows of an account: people, tickets, deals, next steps, orders."""

from dataclasses import dataclass
from datetime import date, datetime

from mobile.field import zones
from mobile.field.rows import docs
from mobile.field.store import Store, moments
from mobile.field.store.canonical import Json

PRESSING = ("urgent", "high", "normal", "low")


@dataclass(frozen=True)
class Person:
    """Somebody at an account, and how they are reached."""

    id: str
    name: str
    title: str | None
    roles: tuple[str, ...]
    is_primary: bool
    phones: tuple[str, ...]
    mails: tuple[str, ...]
    do_not_contact: bool
    waits: bool
    """Saved on this phone and not on the server yet."""


@dataclass(frozen=True)
class Task:
    """A task, a call or a meeting that is still to be done, or an hour of somebody's day."""

    id: str
    kind: str
    subject: str | None
    """None: private, somebody is busy."""
    account_id: str | None
    account: str
    due_on: str | None
    starts_at: str | None
    ends_at: str | None
    state: str
    priority: str
    repeats: bool
    waits: bool
    """Saved on this phone and not on the server yet."""

    def is_late(self, today: date, now: datetime | None = None) -> bool:
        """Whether its day is over, or its hour; what repeats has another one."""
        if self.state != "open" or self.repeats:
            return False
        if self.starts_at is not None and now is not None:
            return datetime.fromisoformat(self.ends_at or self.starts_at) < now
        return self.due_on is not None and self.due_on < today.isoformat()

    def is_over(self, now: datetime) -> bool:
        """Whether it was a meeting whose hour is past: nobody can go there any more."""
        ends = self.ends_at or self.starts_at
        return self.kind == "meeting" and ends is not None and datetime.fromisoformat(ends) < now


def people_at(store: Store, account_id: str) -> list[Person]:
    """The people of an account, the one to ask for first; who left is left out."""
    today, found = zones.today(store.outbox).isoformat(), []
    for place in docs(store, "contact_account", account_id):
        contact = store.cache.doc("contact", place["contact_id"])
        if contact is not None and not (place.get("until") and place["until"] < today):
            found.append(_person(contact, place))
    known = {one.id for one in found}  # who was met here and is not with the server yet has no place of their own
    found += [_person(one, {}) for one in docs(store, "contact", account_id) if one["id"] not in known]
    return sorted(found, key=lambda one: (not one.is_primary, one.name))


def name_of(contact: Json) -> str:
    """What somebody is called."""
    return " ".join(str(contact[k]) for k in ("prefix", "first_name", "last_name") if contact.get(k))


def phones_of(contact: Json) -> tuple[str, ...]:
    """Somebody's phone numbers."""
    return tuple(one["value"] for one in contact.get("phones") or ())


def _person(contact: Json, place: Json) -> Person:
    return Person(
        id=contact["id"],
        name=name_of(contact),
        title=contact.get("title"),
        roles=tuple(place.get("roles") or ()),
        is_primary=bool(place.get("is_primary")),
        phones=phones_of(contact),
        mails=tuple(one["value"] for one in contact.get("mails") or ()),
        do_not_contact=bool(contact.get("do_not_contact")),
        waits="proposed_at" in contact,
    )


def tickets_at(store: Store, account_id: str) -> list[Json]:
    """The open tickets of an account, the most pressing first."""
    return sorted(
        docs(store, "ticket", account_id),
        key=lambda one: (PRESSING.index(one["priority"]), str(one.get("solve_due_at") or "~")),
    )


def deals_at(store: Store, account_id: str) -> list[Json]:
    """The open deals of an account, the one whose next step comes first first."""
    return sorted(
        docs(store, "opportunity", account_id), key=lambda one: (str(one.get("next_step_on") or "~"), one["close_on"])
    )


def orders_at(store: Store, account_id: str) -> list[Json]:
    """Orders and quotes of an account, those of this phone first, then the newest."""
    return sorted(docs(store, "order", account_id), key=lambda one: str(one.get("day") or "9999"), reverse=True)


def orders_on(store: Store, account_id: str, day: str) -> list[Json]:
    """Orders of a day at an account, and those that wait on this phone."""
    return [one for one in orders_at(store, account_id) if one.get("state") is None or one.get("day") == day]


def tasks_at(store: Store, account_id: str) -> list[Task]:
    """What is to be done at an account, what is late first."""
    tasks = [task_of(store, doc) for doc in docs(store, "activity", account_id)]
    return _still(store, tasks)


def tasks_of(store: Store, user_id: str) -> list[Task]:
    """What somebody has to do, what is late first."""
    tasks = [task_of(store, doc) for doc in docs(store, "activity") if doc.get("owner_id", user_id) == user_id]
    return _still(store, tasks)


def _still(store: Store, tasks: list[Task]) -> list[Task]:
    """What still lies before somebody: past meetings do not."""
    now = moments.now(store.outbox)
    return sorted((one for one in tasks if one.state == "open" and not one.is_over(now)), key=_when)


def _when(task: Task) -> tuple[str, str]:
    return task.starts_at or task.due_on or "~", task.subject or ""


def task_of(store: Store, doc: Json) -> Task:
    """An activity as the rep sees it."""
    account = store.cache.doc("account", doc["account_id"]) if doc.get("account_id") else None
    return Task(
        id=doc["id"],
        kind=doc["kind"],
        subject=doc.get("subject"),
        account_id=doc.get("account_id"),
        account=str((account or {}).get("name") or ""),
        due_on=doc.get("due_on"),
        starts_at=doc.get("starts_at"),
        ends_at=doc.get("ends_at"),
        state=doc.get("state") or "open",
        priority=doc.get("priority") or "normal",
        repeats=bool(doc.get("rrule")),
        waits="owner_id" not in doc,
    )
