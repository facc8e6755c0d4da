"""What an entry of the outbox is about and says, so that nobody has to remember it."""

from decimal import Decimal
from typing import Any

from mobile.field import conflicts, holdings
from mobile.field.rows import docs
from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.outbox import Op
from mobile.field.store.overlay import target


def called(store: Store, op: Op) -> str:
    """Whom or what an op is about, for lists of unsent work: who is new by name, a next step by its subject, a person,
    then the account, unless it stands in the subject."""
    d, own = known_of(store, op), ""
    if op.e == "lead":
        own = d.get("company") or d.get("person") or ""
    elif op.e == "activity":
        own = d.get("subject") or ""
    elif op.e == "contact":
        own = " ".join(str(d[key]) for key in ("first_name", "last_name") if d.get(key))
    account = store.cache.doc("account", account_of(store, op) or "") or (d if op.e == "account" else {})
    if not account and (kept := remembered(store, op)):
        return str(kept["called"])
    name = str(account.get("name") or "")
    return "  ·  ".join(part for part in (own, name if name not in own else "") if part)


def known_of(store: Store, op: Op) -> Json:
    """What an op changes, as far as this phone knows, with what the op says of it."""
    return (store.cache.doc(*target(op.body)) or {}) | (op.body.get("d") or {})


def remembered(store: Store, op: Op) -> Json:
    """What an op was about when it was answered, or what it answers: `account_id` and `called`; empty where the phone
    knows nothing."""
    if decides := op.body.get("decides"):
        met = store.outbox.ops(["conflict"])
        op = next((one for one in met if any(c["id"] == decides for c in conflicts.met_by(one))), op)
    return dict((op.result or {}).get("about") or {})


def about(store: Store, op: Op) -> Json:
    """The same as it is now, to be kept with the answer; of an order also what its products are called (`sold`)."""
    kept = {"account_id": account_at(store, op), "called": called(store, op)}
    if op.e != "order" or op.kind != "create":
        return kept
    products = {line["product_id"] for line in op.body["d"]["lines"] if line.get("product_id")}
    return kept | {"sold": {one: name for one in sorted(products) if (name := _sold(store, op, one))}}


def _sold(store: Store, op: Op, product_id: str | None) -> str | None:
    """What a product of an order is called, or was when the order was answered; None where nobody knows."""
    product = store.cache.doc("product", product_id or "") or {}
    name: str | None = product.get("name") or remembered(store, op).get("sold", {}).get(product_id)
    return name


def account_of(store: Store, op: Op) -> str | None:
    """The account an op is about; the one into which it went, where the office merged it away."""
    account_id = account_at(store, op)
    return account_id and holdings.standing(store.outbox, account_id)


def account_at(store: Store, op: Op) -> str | None:
    """The account an op was made at."""
    d = known_of(store, op)
    found = op.row_id if op.e == "account" else d.get("account_id")
    if op.e == "contact" and not found:
        places = docs(store, "contact_account")
        found = next((one["account_id"] for one in places if one["contact_id"] == op.row_id), None)
    return found or remembered(store, op).get("account_id")


def ending(store: Store, op_id: str | None) -> tuple[bool, Op | None]:
    """Whether an entry was taken, or one that it is another try at; and the one that stands, where it is known."""
    is_over, seen = False, set[str]()
    while op_id is not None and op_id not in seen:
        seen.add(op_id)
        op = store.outbox.op(op_id)
        if op is None or op.state in ("applied", "merged", "conflict"):  # of the journal only those are let go
            return True, op
        error = (op.result or {}).get("error") or {}
        if op.state == "rejected" and error.get("code") == "taken_meanwhile":
            is_over = True
        elif is_over:  # this phone will hear of it
            return True, op
        op_id = op.body.get("mends")
    return is_over, None


def place_of(store: Store, op: Op) -> tuple[str, Json] | None:
    """The screen of what an entry made, or of what the office has had taken in its place; else of the account."""
    found, account_id = ending(store, op.op_id)[1] or op, account_of(store, op)
    is_here = store.cache.doc(found.e, found.row_id) is not None
    if found.e == "lead" and is_here:
        return "lead_card", {"lead_id": found.row_id}
    if account_id is None:
        return None
    if found.e == "order" and is_here:
        return "order", {"account_id": account_id, "order_id": found.row_id}
    if found.e == "contact" and is_here:
        return "person", {"account_id": account_id, "contact_id": found.row_id}
    return "account", {"account_id": account_id}


def is_site_alone(store: Store, op: Op) -> bool:
    """Whether an op is about a site that the office has removed from an account that is here: whoever may write the
    account brings it back."""
    if op.e != "site" or store.cache.doc("site", op.row_id) is not None:
        return False
    account_id = account_of(store, op)
    return account_id is not None and store.cache.doc("account", account_id) is not None


TOLD = ("subject", "name", "company", "person", "phone", "email", "due_on", "wanted_on", "outcome", "note")
"""What people read of an entry that they made, in this order."""


def content(store: Store, op: Op) -> list[tuple[str, Any]]:
    """What an op says, field by field, as it travels: so that nobody has to remember what was refused."""
    body, d = op.body, op.body.get("d") or {}
    if op.kind == "patch":
        said = {name: both[1] for name, both in conflicts.said(op).items()}
    elif op.kind in ("setadd", "setdel"):
        said = {body["field"]: ("+ " if op.kind == "setadd" else "− ") + ", ".join(body["v"])}
    else:
        said = {name: d.get(name) for name in TOLD}
    if d.get("lines"):
        said["lines"] = "\n".join(_line(store, op, line) for line in d["lines"])
    return [(name, value) for name, value in said.items() if op.kind == "patch" or value not in (None, "", [])]


def chosen(store: Store, op: Op) -> Json:
    """The lines of an order as its form has them: how much of which product, and what that was called. Empty where
    something stands in the order that the form does not ask."""
    d = op.body["d"]
    if d.get("note") or d.get("wanted_on") or not all(line.get("product_id") for line in d["lines"]):
        return {}
    products = {line["product_id"]: line for line in d["lines"]}
    return {one: [_much(line), _sold(store, op, one) or "–"] for one, line in products.items()}


def _much(line: Json) -> str:
    """A quantity as people write it: "6" of "6.000"."""
    return f"{Decimal(line['quantity']).normalize():f}"


def _line(store: Store, op: Op, line: Json) -> str:
    return f"{_much(line)} × {_sold(store, op, line.get('product_id')) or line.get('text') or '–'}"
