"""The rules of drafts: what is typed into a visit is there again after the app was killed, until the visit is saved.

A draft has what the form holds (`outcome`, `note`, `kind`, `answers`, `signature`, `step`, `reason`), whose visit it is
(`account_id`, `planned`), and `photos`: of a visit that the office does not know yet they wait here, as whole ops, and
are sent once the visit is saved.
"""

import contextlib
import sqlite3
import uuid

from mobile.field import taking
from mobile.field.store import Store, moments
from mobile.field.store.blobs import Content
from mobile.field.store.canonical import Json
from mobile.field.store.drafts import Draft
from mobile.field.store.overlay import FINAL
from mobile.field.store.reserve import release

TYPED = ("outcome", "note", "kind", "answers", "signature", "step", "reason", "photos")


def at_visit(store: Store, visit_id: str | None, account_id: str | None) -> Draft | None:
    """The draft of a planned visit, or the latest of an account that hangs on no visit that is still open."""
    if visit_id is not None:
        return store.outbox.drafts.of(visit_id)
    here = (one for one in store.outbox.drafts.all() if one.body["account_id"] == account_id)
    return next((one for one in here if not one.body["planned"] or _state(store, one.visit_id) in (None, *FINAL)), None)


def _state(store: Store, visit_id: str) -> str | None:
    return (store.cache.doc("visit", visit_id) or {}).get("state")


def is_typed(draft: Draft | None) -> bool:
    """Whether there is anything in it that a rep would miss."""
    return draft is not None and any(draft.body.get(name) for name in TYPED)


def keep(store: Store, visit_id: str, body: Json, *, for_good: bool = False) -> None:
    """Keep what is typed. Where there is no room it stays in the form alone, unless it has to be kept for good."""
    at = moments.now(store.outbox).isoformat(timespec="milliseconds")
    try:
        store.outbox.drafts.keep(visit_id, at, body, for_good=for_good)
    except sqlite3.OperationalError:
        if for_good:
            release(store.folder)
            store.outbox.drafts.keep(visit_id, at, body, for_good=True)


def discard(store: Store, visit_id: str) -> None:
    """Throw a draft away, with the photos that hang on nothing else."""
    draft = store.outbox.drafts.of(visit_id)
    store.outbox.drafts.let_go(visit_id)
    for photo in draft.body.get("photos", ()) if draft else ():
        _forget(store, photo)


def _forget(store: Store, photo: Json) -> None:
    sent = {blob.sha256 for blob in store.outbox.blobs.all("waiting", "stored", "refused")}
    for sha256, *_ in photo["contents"]:
        if sha256 not in sent:
            store.outbox.blobs.let_go(sha256)


# -- photos of a visit that nobody planned


def add_photo(store: Store, visit_id: str, op: Json, contents: tuple[Content, ...]) -> None:
    """Hang a photo on a draft; its files lie here already."""
    draft = store.outbox.drafts.of(visit_id)
    body = draft.body if draft else {"account_id": op["d"]["account_id"], "planned": False}
    photo = {"op": op, "contents": [[one.sha256, one.size, one.mime, one.lane] for one in contents]}
    keep(store, visit_id, body | {"photos": [*body.get("photos", ()), photo]}, for_good=True)


def photos_at(store: Store, account_id: str) -> list[Json]:
    """The rows of photos that hang on drafts at an account."""
    here = [one.body for one in store.outbox.drafts.all() if one.body["account_id"] == account_id]
    ops = [photo["op"] for body in here for photo in body.get("photos", ())]
    return [{"id": op["id"], **op["d"]} for op in ops]


def take_away(store: Store, photo_id: str) -> bool:
    """Take a photo off its draft, with its files; False where none has it."""
    for draft in store.outbox.drafts.all():
        photos = draft.body.get("photos", [])
        for photo in photos:
            if photo["op"]["id"] == photo_id:
                keep(store, draft.visit_id, draft.body | {"photos": [one for one in photos if one is not photo]})
                _forget(store, photo)
                return True
    return False


# -- saved


def hang_photos(store: Store, visit_id: str) -> Json | None:
    """The visit is saved as far as it goes: its photos are sent from now on. Returns what is left of the draft.

    Each step may be run again: an op keeps its id.
    """
    draft = store.outbox.drafts.of(visit_id)
    if draft is None:
        return None
    for photo in draft.body.get("photos", ()):
        if store.outbox.op(photo["op"]["op_id"]) is None:
            store.save(photo["op"], [Content(*one) for one in photo["contents"]])
    body = draft.body | {"photos": []}
    if draft.body.get("photos"):
        keep(store, visit_id, body, for_good=True)
    return body


def finish(store: Store, visit_id: str) -> None:
    """The visit is over and saved: its photos and the next step too, and the draft goes."""
    body = hang_photos(store, visit_id)
    if body is None:
        return
    row_id = str(uuid.uuid5(uuid.UUID(visit_id), "next step"))
    if body.get("step", "").strip() and not any(op.row_id == row_id for op in store.outbox.ops()):
        due_on, site_id = body.get("due_on"), body.get("site_id")
        taking.next_step(store, body["account_id"], body["step"], due_on=due_on, site_id=site_id, row_id=row_id)
    store.outbox.drafts.let_go(visit_id)


def settle(store: Store) -> None:
    """Go on where a killed app stopped between saving a visit and what belongs to it."""
    waiting = store.outbox.drafts.all()
    saved: dict[str, set[str]] = {}
    for op in store.outbox.ops() if waiting else ():
        if op.e == "visit_event":
            saved.setdefault(op.body["d"]["visit_id"], set()).add(op.body["d"]["state"])
    for draft in waiting:
        with contextlib.suppress(sqlite3.OperationalError):  # no room: the draft is there the next time too
            if saved.get(draft.visit_id, set()).intersection(FINAL):
                finish(store, draft.visit_id)
            elif draft.visit_id in saved:
                hang_photos(store, draft.visit_id)
