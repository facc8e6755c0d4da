"""What a rep takes down at a customer's beside a visit's state: answers, signature, order, next step, lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mobile.field import drafts, entries
from mobile.field.capture import VisitTarget, checkin_of, edit, op_of
from mobile.field.checkin import Fix
from mobile.field.limits import CREATED
from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.ids import uuid7
from mobile.field.store.outbox import Op

MOST = CREATED["lead"]
INK_BYTES = 16_000
"""The most that a signature may weigh; a longer one is thinned."""


@dataclass(frozen=True)
class Form:
    """The answers to a visit type's form, as this phone had it."""

    visit_type_id: str
    version_id: str | None
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class Signature:
    """Who signed, and the strokes of the pen: x, y, x, y, ... from the top left of a sheet of `box` (width, height),
    at most 1000 by 400."""

    name: str
    strokes: tuple[tuple[int, ...], ...]
    box: tuple[int, int] = (1000, 400)

    def thinned(self) -> "Signature":
        """The same signature within what one op may weigh: every other point, as often as needed."""
        strokes = self.strokes
        while len(str(strokes)) > INK_BYTES:
            halves = [tuple(v for i in range(0, len(s), 4) for v in s[i : i + 2]) for s in strokes]
            strokes = tuple(s if len(s) >= 4 else s * 2 for s in halves)
        return replace(self, strokes=strokes)


@dataclass(frozen=True)
class Line:
    """One line of an order: a product, or in words what is sold; amounts are decimal text."""

    product_id: str | None
    text: str | None
    quantity: str
    unit_price: str | None


def finish(
    store: Store,
    visit: VisitTarget,
    outcome: str,
    *,
    note: str | None,
    form: Form | None,
    signature: Signature | None,
    fix: Fix | None,
) -> Op:
    """Save that a visit is done, with what was answered and who signed: one fact, one op."""
    d: Json = {
        "visit_id": visit.visit_id or uuid7(),
        "account_id": visit.account_id,
        "site_id": visit.site_id,
        "day": visit.day,
        "zone": visit.zone,
        "state": "done",
        "outcome": outcome,
        "note": note or None,
        "checkin": None if fix is None else checkin_of(fix),
    }
    if form is not None:
        answers = {key: value for key, value in form.answers.items() if value not in (None, "", [])}
        d["form"] = {"visit_type_id": form.visit_type_id, "version_id": form.version_id, "answers": answers}
    if signature is not None and signature.strokes:
        ink = signature.thinned()
        strokes = [list(stroke) for stroke in ink.strokes]
        d["signature"] = {"name": ink.name, "strokes": strokes, "box": list(ink.box)}
    return store.save(op_of("create", "visit_event", uuid7(), d=d))


def draft_order(
    store: Store,
    account_id: str,
    site_id: str | None,
    currency: str,
    lines: Sequence[Line],
    *,
    wanted_on: str | None = None,
    note: str = "",
) -> Op:
    """Save an order; it becomes a draft in the office. Refuses one without lines."""
    if not lines:
        raise ValueError("an order needs a line")
    d = {
        "account_id": account_id,
        "site_id": site_id,
        "currency": currency,
        "wanted_on": wanted_on,
        "note": note.strip() or None,
        "lines": [
            {"id": uuid7(), "product_id": line.product_id, "text": line.text, "quantity": line.quantity,
             "unit_price": line.unit_price}
            for line in lines
        ],
    }  # fmt: skip
    return store.save(op_of("create", "order", uuid7(), d=d))


def changeable(store: Store, order_id: str) -> Op | None:
    """The entry of an order that the server cannot have yet, and whose form can show all of it."""
    waiting = (
        op for op in store.outbox.ops(("queued",)) if op.e == "order" and op.row_id == order_id and not op.was_sent
    )
    return next((op for op in waiting if entries.chosen(store, op)), None)


def change_order(store: Store, op: Op) -> Json | None:
    """Take an order back into its form: the form's arguments. None, and nothing is changed, once the server may have
    it. A phone that dies in between has it in both, and the form is told that it would be there twice."""
    arguments = {"account_id": entries.account_of(store, op)}
    before = drafts.of_form(store, ("order",), arguments)
    draft_id, body = before.id if before else uuid7(), {"screen": "order", "arguments": arguments}
    body |= {"called": entries.called(store, op), "seen": {}}
    chosen = entries.chosen(store, op) | (before.body.get("chosen") or {} if before else {})
    held = body | (before.body if before else {}) | {"chosen": chosen}
    drafts.keep(store, draft_id, held | {"mends": op.op_id, "refilled": {}}, for_good=True)
    if not store.take_back([op.op_id]):
        drafts.keep(store, draft_id, before.body, for_good=True) if before else drafts.discard(store, draft_id)
        return None
    drafts.keep(store, draft_id, held, for_good=True)
    return arguments


def next_step(
    store: Store,
    account_id: str | None,
    subject: str,
    *,
    due_on: str | None = None,
    kind: str = "task",
    site_id: str | None = None,
    note: str = "",
    starts_at: str | None = None,
    ends_at: str | None = None,
) -> Op:
    """Save what comes next: a task, a call or a meeting of the rep's own.

    What is too long for a subject stands in the note as a whole: the visit that it follows is saved already.
    """
    written, most = " ".join(subject.split()), CREATED["activity"]["subject"]
    if len(written) > most:
        note = f"{written}\n{note}"
    d = {
        "kind": kind,
        "account_id": account_id,
        "site_id": site_id,
        "contact_id": None,
        "subject": written[:most],
        "note": note.strip() or None,
        "due_on": due_on,
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    return store.save(op_of("create", "activity", uuid7(), d=d))


@dataclass(frozen=True)
class NewAccount:
    """An account as a rep founds it in the field; its pin is where the rep stands, or held the map.

    Without a pin (`lon` and `lat` both None) the server looks its address up.
    """

    name: str
    lon: float | None = None
    lat: float | None = None
    status: str = "prospect"
    account_class: str | None = None
    tags: tuple[str, ...] = ()
    phone: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    note: str = ""


def new_account(store: Store, new: NewAccount) -> Op:
    """Save a new account; it is on this phone at once, and visits can be recorded there. Refuses one without a name
    and one with neither a pin nor an address."""
    if not new.name.strip():
        raise ValueError("an account needs a name")
    if new.lon is None and not (new.street.strip() or new.postcode.strip() or new.city.strip()):
        raise ValueError("an account without a pin needs an address")
    d = {
        "name": new.name.strip(),
        "status": new.status,
        "account_class": new.account_class,
        "tags": list(new.tags),
        "phone": new.phone.strip() or None,
        "note": new.note.strip() or None,
        "street": new.street.strip() or None,
        "postcode": new.postcode.strip() or None,
        "city": new.city.strip() or None,
        "lon": None if new.lon is None else round(new.lon, 6),
        "lat": None if new.lat is None else round(new.lat, 6),
    }
    return store.save(op_of("create", "account", uuid7(), d=d))


def new_contact(
    store: Store, account_id: str, *, first_name: str, last_name: str, title: str = "", phone: str = "", mail: str = ""
) -> Op:
    """Save a person met at an account; they are on its card at once. Refuses one without a name."""
    if not first_name.strip() and not last_name.strip():
        raise ValueError("a person needs a name")
    d = {
        "account_id": account_id,
        "first_name": first_name.strip() or None,
        "last_name": last_name.strip() or None,
        "title": title.strip() or None,
        "phones": [{"value": phone.strip()}] if phone.strip() else [],
        "mails": [{"value": mail.strip()}] if mail.strip() else [],
    }
    return store.save(op_of("create", "contact", uuid7(), d=d))


def change_contact(
    store: Store, contact_id: str, values: Json, phone: str, mail: str, seen: tuple[int, Json] | None = None
) -> Op | None:
    """Save what changed of a person as it was `seen`: names and function in `values`, and the first number and address,
    which stand before the others; None when nothing did. Refuses one without a name."""
    if not values.get("first_name") and not values.get("last_name"):
        raise ValueError("a person needs a name")
    seen = seen or store.cache.shown("contact", contact_id)
    held = seen[1]
    changes: Json = {key: value or None for key, value in values.items()}
    for key, first in (("phones", phone.strip()), ("mails", mail.strip())):
        several = held.get(key) or []
        if first != (several[0]["value"] if several else ""):
            changes[key] = ([{**(several[0] if several else {}), "value": first}] if first else []) + several[1:]
    return edit(store, "contact", contact_id, changes, seen)


def lead_of_firm(store: Store, firm: Json, note: str = "") -> Op:
    """Save that a prospect of open data is a lead from now on; nobody sees it as a prospect on this phone any more."""
    d = {
        "company": str(firm["name"])[: MOST["company"]],
        "person": None,
        "phone": (firm.get("phone") or "").partition(";")[0].strip()[: MOST["phone"]] or None,
        "email": None,
        "note": note.strip() or None,
        "lon": firm["lon"],
        "lat": firm["lat"],
        "prospect_id": firm["id"],
    }
    return store.save(op_of("create", "lead", uuid7(), d=d))


def new_lead(
    store: Store, lon: float, lat: float, *, company: str = "", person: str = "", phone: str = "", note: str = ""
) -> Op:
    """Save somebody who may become a customer, where the rep met them. Refuses one that nobody could name."""
    if not company.strip() and not person.strip():
        raise ValueError("a lead needs the name of a company or of a person")
    d = {
        "company": company.strip() or None,
        "person": person.strip() or None,
        "phone": phone.strip() or None,
        "email": None,
        "note": note.strip() or None,
        "lon": round(lon, 6),
        "lat": round(lat, 6),
    }
    return store.save(op_of("create", "lead", uuid7(), d=d))
