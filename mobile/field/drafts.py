"""The rules of drafts: what is typed into a form is there again after the app was killed, until it is saved.

A draft says which form it is (`screen`, and the `arguments` that open it), how what it is about was called then
(`called`), what the form showed of the records that it changes (`seen`: revision and fields by kind), and what was
typed that differs from that, by name. That of a visit has its id, whose it is (`account_id`, `planned`), whether the
visit has `begun`, and `photos`: of a visit that the office does not know yet they wait here, as whole ops, and are sent
with it.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from mobile.field import conflicts, entries, holdings, limits, own, reads
from mobile.field.store import Store, moments
from mobile.field.store.blobs import Content
from mobile.field.store.canonical import Json
from mobile.field.store.drafts import Draft
from mobile.field.store.ids import uuid7
from mobile.field.store.outbox import Op
from mobile.field.store.overlay import CUSTOM, FINAL, value_of
from mobile.field.store.reserve import release

FRAME = (
    "screen", "arguments", "called", "was", "seen", "account_id", "planned", "begun", "step_when", "step_day", "mends",
    "changes", "refilled", "own_said", "own_site_said", "answers_said", "met",
)  # fmt: skip
"""What is no loss by itself."""
ABOUT = {
    "person": ("contact", "contact_id"), "pin": ("site", "site_id"), "firm": ("prospect", "firm_id"),
    "entry": ("activity", "activity_id"),
}  # fmt: skip
"""What a form is about where that is no account; a new person's form is about the account."""
OWN = ("own", "own_site")
"""Under these names forms hold the company's own fields: of the record, and of its site beside it."""
LEFT, SAID = "_left", "_said"
"""What these names end in where they hold what fits no field any more; and how everything was told when it was typed:
value, name of the field, words, by key. The office may have taken the field and its choices away since."""
ANSWERS_SAID = "answers_said"
"""Where a visit's form holds how its answers were told when they were given, as `forms.Told` by key."""
ABOUT_LEFT = ("screen", "arguments", "called", *(name + SAID for name in OWN))
"""What a draft keeps of itself where only that is left which fits no field."""
MISSED = "missed_ops"
"""Where the ids of what *Missed* saved are kept, by visit."""
CALLED = {("site", "name"): "site_name", ("site", "service_s"): "lasts"}
"""What a form calls otherwise than the record does."""


def at_visit(store: Store, visit_id: str | None, account_id: str | None) -> Draft | None:
    """The draft of a planned visit, or the latest of an account that hangs on no visit that is still open."""
    if visit_id is not None:
        return store.outbox.drafts.of(visit_id)
    here = (one for one in store.outbox.drafts.all() if one.body.get("account_id") == account_id is not None)
    return next((one for one in here if not one.body["planned"] or _state(store, one.id) in (None, *FINAL)), None)


def of_form(store: Store, screens: Sequence[str], arguments: Json, draft_id: str | None = None) -> Draft | None:
    """The draft of one of some forms with these arguments: the one that was chosen, else the latest."""
    known = (one for one in store.outbox.drafts.all() if draft_id in (None, one.id))
    found = (one for one in known if one.body.get("screen") in screens)
    return next((one for one in found if one.body["arguments"] == arguments), None)


def opens(draft: Draft) -> tuple[str, Json]:
    """The screen that shows a draft, and its arguments."""
    if draft.body.get("screen", "visit") == "visit":
        return "visit", {"visit_id": draft.id, "account_id": draft.body["account_id"]}
    return draft.body["screen"], draft.body["arguments"]


def unfinished(store: Store) -> list[Draft]:
    """What was begun and not saved, the latest first."""
    return [one for one in store.outbox.drafts.all() if is_typed(one)]


def stranded(store: Store, screen: str, arguments: Json) -> Draft | None:
    """What was typed of something that is not on this phone any more."""
    known = {name: value for name, value in arguments.items() if value is not None}
    chosen = known.pop("draft", None)
    mine = (one for one in unfinished(store) if chosen in (None, one.id))
    found = next((one for one in mine if opens(one) == (screen, known)), None)
    if found is None or (_is_here(store, screen, arguments) and not was_taken(store, found.body)):
        return None
    return found


def account_at(draft: Draft) -> str | None:
    """The account that a form was opened at."""
    account_id: str | None = draft.body.get("account_id") or draft.body.get("arguments", {}).get("account_id")
    return account_id


def gone_into(store: Store, draft: Draft) -> Json | None:
    """The account into which the one of a form was merged, where this phone has it."""
    account_id = account_at(draft)
    into = account_id and holdings.standing(store.outbox, account_id)
    return store.cache.doc("account", into) if into and into != account_id else None


def carry_over(store: Store, draft: Draft, into: Json) -> tuple[str, Json]:
    """Go on with a form at the account into which its own was merged: the screen, and its arguments. What was typed
    then stands against what its writer saw, as in edits that were saved before."""
    body = draft.body | {"called": into["name"], "was": draft.body.get("called")}
    typed, site = typed_in(body), reads.main_site(store, into["id"]) or {}
    if "account_id" in body:
        body["account_id"] = into["id"]
    arguments = body.get("arguments", {}) | {"account_id": into["id"]}
    if arguments.get("site_id") and store.cache.doc("site", arguments["site_id"]) is None:
        del arguments["site_id"]
    seen = dict(body.get("seen") or {})
    for e, now in (("account", into), ("site", site)):
        if e in seen and "site_id" not in arguments:
            old = seen[e][1]
            both = {name: old[name] if name in typed else now.get(name) for name in old if name != "custom"}
            asked = typed.get(OWN[1] if e == "site" else OWN[0], {})
            had = {key: one for key, one in (old.get("custom") or {}).items() if key in asked}
            kept = {key: one for key, one in (now.get("custom") or {}).items() if key not in asked}
            seen[e] = [0, both | ({"custom": had | kept} if "custom" in old else {})]
    keep(store, draft.id, body | {"arguments": arguments, "seen": seen}, for_good=True)
    return opens(Draft(draft.id, draft.at, body | {"arguments": arguments}))


def _is_here(store: Store, screen: str, arguments: Json) -> bool:
    e, name = ABOUT.get(screen, ("account", "account_id"))
    e, row_id = (e, arguments[name]) if arguments.get(name) else ("account", arguments.get("account_id"))
    here = row_id is None or store.cache.doc(e, row_id) is not None
    return here or (screen == "visit" and _state(store, arguments["visit_id"]) is not None)


def _state(store: Store, visit_id: str) -> str | None:
    return (store.cache.doc("visit", visit_id) or {}).get("state")


def typed_in(body: Json) -> Json:
    """What of a draft a rep would miss."""
    return {name: value for name, value in body.items() if name not in FRAME and value not in (None, [], {})}


def is_typed(draft: Draft | None) -> bool:
    """Whether there is anything in it that a rep would miss."""
    return draft is not None and bool(typed_in(draft.body))


def keep(store: Store, draft_id: str, body: Json, *, for_good: bool = False) -> None:
    """Keep what is typed. Where there is no room it stays in the form alone, unless it has to be kept for good, or is
    a part of what is saved at once."""
    is_part, body = store.outbox.db.in_transaction, limits.written(body)
    at = moments.now(store.outbox).isoformat(timespec="milliseconds")
    try:
        store.outbox.drafts.keep(draft_id, at, body, for_good=for_good)
    except sqlite3.OperationalError:
        if is_part:
            raise
        if for_good:
            release(store.folder)
            store.outbox.drafts.keep(draft_id, at, body, for_good=True)


def only_left(body: Json, left: Json) -> Json:
    """A draft of which nothing is there but what fits no field any more."""
    return {name: body[name] for name in ABOUT_LEFT if name in body} | left


def discard(store: Store, draft_id: str) -> None:
    """Throw a draft away, with the photos that hang on nothing else."""
    draft = store.outbox.drafts.of(draft_id)
    store.outbox.drafts.let_go(draft_id)
    for photo in draft.body.get("photos", ()) if draft else ():
        _forget(store, photo)


def _forget(store: Store, photo: Json) -> None:
    sent = {blob.sha256 for blob in store.outbox.blobs.all("waiting", "stored", "refused")}
    for sha256, *_ in photo["contents"]:
        if sha256 not in sent:
            store.outbox.blobs.let_go(sha256)


# -- what the server has refused


class TakenMeanwhile(ValueError):
    """What a form was to enter again was taken by the office since: nothing was saved."""


def was_taken(store: Store, body: Json) -> bool:
    """Whether a form mends a refused entry that the office has had taken since: saved, it would be there twice."""
    return bool(body.get("mends")) and not body.get("changes") and entries.ending(store, body["mends"])[0]


def finished[Made](store: Store, draft: Draft, left: Json, act: Callable[[], Made]) -> Made:
    """Save what a form says; its draft is gone with it, but for what was typed and is not asked any more (`left`).

    That stays until the rep throws it away. Where it mends a refused entry, the op that says it anew names that one, so
    that nobody in the office takes it as a second one. Raises TakenMeanwhile where somebody has.
    """
    if was_taken(store, draft.body):
        raise TakenMeanwhile(draft.body["mends"])
    store.mending = store.outbox.op(draft.body["mends"]) if draft.body.get("mends") else None
    try:
        made = act()
    finally:
        store.mending = None
    store.outbox.drafts.let_go(draft.id)
    if left:
        store.outbox.drafts.keep(draft.id, draft.at, limits.written(only_left(draft.body, left)))
    return made


def let_go_of_taken(store: Store) -> None:
    """The forms in which refused entries went on that the office has had taken are over, unless more was typed there
    since."""
    for draft in store.outbox.drafts.all():
        if was_taken(store, draft.body) and typed_in(draft.body) == typed_in(draft.body["refilled"]):
            discard(store, draft.id)


def can_reopen(store: Store, op: Op) -> bool:
    """Whether there is a form or an account to which a refused entry leads."""
    is_new_lead = (op.e, op.kind) == ("lead", "create") and not entries.ending(store, op.op_id)[0]
    return is_new_lead or entries.place_of(store, op) is not None


def reopen(store: Store, op: Op) -> tuple[str, Json]:
    """The screen where a refused entry can be mended, and its arguments: the form that it came from with what was typed
    there, as a draft in which the entry goes on; else the account. Where the office has had it taken, or decided what
    it answers, there is nothing to mend: what stands is shown."""
    account_id = entries.account_of(store, op)
    is_over = op.body.get("decides") or (op.kind == "create" and entries.ending(store, op.op_id)[0])
    if op.body.get("decides") and "deleted_at" not in op.body["f"] and store.cache.doc(op.e, op.row_id) is not None:
        screen, arguments, _ = _form_of(store, op, account_id)
        (name,) = op.body["f"]
        here = {key: value for key, value in arguments.items() if value is not None}
        return screen, here | {"at": CALLED.get((op.e, name), name)}
    if is_over and (stands := entries.place_of(store, op)) is not None:
        return stands
    if op.e == "visit_event":
        d, known = op.body["d"], store.cache.doc("visit", op.body["d"]["visit_id"])
        form = d.get("form") or {}
        typed = {"outcome": d.get("outcome"), "note": d.get("note"), "kind": form.get("visit_type_id")}
        visit = {"screen": "visit", "account_id": account_id, "planned": bool(known)}
        _refill(store, op, d["visit_id"], visit, typed | {"answers": form.get("answers")})
        return "visit", {"visit_id": d["visit_id"], "account_id": account_id}
    screen, arguments, typed = _form_of(store, op, account_id)
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if typed:
        draft = of_form(store, (screen,), arguments)
        body = {"screen": screen, "arguments": arguments, "called": entries.called(store, op)}
        _refill(store, op, draft.id if draft else uuid7(), body, typed)
    return screen, arguments


def _refill(store: Store, op: Op, draft_id: str, body: Json, typed: Json) -> None:
    """What was typed since goes before what was refused."""
    held = store.outbox.drafts.of(draft_id)
    said = {name: value for name, value in typed.items() if value is not None}
    since = held.body if held else {}
    both = {name: said[name] | since[name] for name in (*OWN, "chosen") if name in said and name in since}
    mends = {"mends": op.op_id, "refilled": said, "changes": op.kind != "create"}
    mends["met"] = list(conflicts.overtaken(store, op))
    keep(store, draft_id, body | said | since | both | mends, for_good=True)
    store.outbox.dismiss(op.op_id)


def _form_of(store: Store, op: Op, account_id: str | None) -> tuple[str, Json, Json]:
    """The form, its arguments and its fields; the account's card where it is none that can be filled."""
    d = op.body.get("d") or {}
    here, place = {"account_id": account_id}, {"lon": d.get("lon"), "lat": d.get("lat")}
    held, wanted = store.cache.base(op.e, op.row_id)[1], conflicts.said(op)
    differs = {name: new for name, (_, new) in wanted.items() if held is None or value_of(held, name) != new}
    edited = _typed(store, op.e, differs)
    if op.e == "contact":
        said = {**d, **edited}
        reached = {key: _first(said[key]) for key in ("phones", "mails") if key in said}
        plain = {key: said[key] for key in ("first_name", "last_name", "title") if key in said}
        asked = {name: said[name] for name in OWN if name in said}
        return "person", here | ({} if d else {"contact_id": op.row_id}), plain | reached | asked
    if op.e in ("account", "site") and not d:
        main = reads.main_site(store, account_id) if op.e == "site" and account_id else None
        which = {} if main is None or main["id"] == op.row_id else {"site_id": op.row_id}
        return "edit_account", here | which, edited
    if op.e == "account":
        keys = ("name", "street", "postcode", "city", "phone", "status", "account_class", "note")
        return "new_account", place, {key: d.get(key) for key in keys} | {"tags": ", ".join(d.get("tags") or ())}
    if op.e == "lead" and d.get("prospect_id"):
        return "firm", {"firm_id": d["prospect_id"]}, {"note": d.get("note") or ""}
    if op.e == "lead":
        return "lead", place, {"name": d.get("company")} | {key: d.get(key) for key in ("person", "phone", "note")}
    if op.e == "pin_proposal":
        return "pin", {"site_id": d["site_id"]}, {"note": d.get("note"), "at": [d["lon"], d["lat"]]}
    if op.e == "activity" and d.get("kind") == "task":
        return "next_step", here, {"step": d["subject"]}
    if op.e == "order" and (chosen := entries.chosen(store, op)):
        return "order", here, {"chosen": chosen}
    return "account", here, {}


def _typed(store: Store, e: str, values: Json) -> Json:
    """Changed values as the form that they came from has them."""
    typed, asked = Json(), Json()
    for name, value in values.items():
        if name.startswith(CUSTOM):
            asked[name.removeprefix(CUSTOM)] = own.typed(own.named(store, e, name), value)
        elif name == "service_s" and value is not None:
            typed["lasts"] = str(round(value / 60))
        else:
            is_text = value is not None and not isinstance(value, list)
            typed[CALLED.get((e, name), name)] = str(value) if is_text else value or ""
    return typed | ({OWN[1] if e == "site" else OWN[0]: asked} if asked else {})


def _first(several: Sequence[Any]) -> str:
    return str(several[0]["value"]) if several else ""


# -- what is undone as long as nothing of it was sent


def keep_undo(store: Store, visit_id: str, op_ids: Sequence[str]) -> None:
    """Remember what *Missed* saved of a visit: the event, why it was far off, the next step."""
    still = can_undo(store)
    kept = {one: ids for one, ids in _undos(store).items() if one in still}
    store.outbox.meta.set(MISSED, json.dumps(kept | {visit_id: list(op_ids)}))


def can_undo(store: Store) -> set[str]:
    """The missed visits of which nothing that was saved was ever sent, and nothing builds on it."""
    if not (kept := _undos(store)):
        return set()
    ops = store.outbox.ops()
    rows = {op.op_id: op.row_id for op in ops}
    unsent = {op.op_id for op in ops if op.state == "queued" and not op.was_sent}
    return {
        visit_id
        for visit_id, ids in kept.items()
        if ids
        and unsent.issuperset(ids)
        and not any(op.op_id not in ids and op.row_id in {rows[one] for one in ids} for op in ops)
        and _state(store, visit_id) in (None, "missed")
    }


def undo_missed(store: Store, visit_id: str) -> Json | None:
    """A visit is not missed after all: nothing of that is sent. Returns what was typed with it; None, and nothing is
    changed, once the server may have some of it."""
    ids = _undos(store).get(visit_id, [])
    ops = [op for op in store.outbox.ops() if op.op_id in ids]
    if visit_id not in can_undo(store) or not store.take_back(ids):
        return None
    said = [op.body["d"] for op in ops]
    by_state = {d.get("state"): d.get("note") for d in said}
    step = next((d.get("subject") for d in said if "subject" in d), None)
    typed = {"note": by_state.get("missed"), "reason": by_state.get("checked_in"), "step": step}
    return {name: value for name, value in typed.items() if value}


def _undos(store: Store) -> dict[str, list[str]]:
    return store.outbox.meta.read(MISSED, lambda text: dict(json.loads(text))) or {}


# -- photos of a visit that nobody planned


def add_photo(store: Store, visit_id: str, op: Json, contents: tuple[Content, ...]) -> None:
    """Hang a photo on a draft; its files lie here already."""
    draft = store.outbox.drafts.of(visit_id)
    body = draft.body if draft else {"account_id": op["d"]["account_id"], "planned": False}
    photo = {"op": op, "contents": [[one.sha256, one.size, one.mime, one.lane] for one in contents]}
    keep(store, visit_id, body | {"photos": [*body.get("photos", ()), photo]}, for_good=True)


def photos_at(store: Store, account_id: str) -> list[Json]:
    """The rows of photos that hang on drafts at an account."""
    here = [one.body for one in store.outbox.drafts.all() if one.body.get("account_id") == account_id]
    ops = [photo["op"] for body in here for photo in body.get("photos", ())]
    return [{"id": op["id"], **op["d"]} for op in ops]


def take_away(store: Store, photo_id: str) -> bool:
    """Take a photo off its draft, with its files; False where none has it."""
    for draft in store.outbox.drafts.all():
        photos = draft.body.get("photos", [])
        for photo in photos:
            if photo["op"]["id"] == photo_id:
                keep(store, draft.id, draft.body | {"photos": [one for one in photos if one is not photo]})
                _forget(store, photo)
                return True
    return False


def send_photos(store: Store, photos: Sequence[Json]) -> None:
    """The visit is saved as far as it goes, and with it its photos."""
    for photo in photos:
        if store.outbox.op(photo["op"]["op_id"]) is None:
            store.save(photo["op"], [Content(*one) for one in photo["contents"]])
