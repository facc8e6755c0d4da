"""The last messages of a phone: what it still holds when it is retired or its rep may not send any more, and the
receipt of a wipe.

Both are signed with the device key; the tokens are worth nothing by then.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress

from mobile.field.home import PhoneHome
from mobile.field.ports import Keys, Secrets
from mobile.field.store import Store
from mobile.field.store.canonical import Json, canonical
from mobile.field.store.outbox import Outbox
from mobile.field.sync import rescue, tokens, wire
from mobile.field.sync.api import Api
from mobile.field.sync.blobs import whole
from mobile.field.sync.problems import DeviceBarred, FileRefused, NotAnnounced, Problem
from mobile.field.sync.tokens import Tokens
from mobile.field.sync.transport import Unreachable

UNHEARD = ("queued", "sent", "stuck")
MOST_OPS, MOST_BYTES = 100, 900_000


def held(store: Store) -> int:
    """How many ops of this phone wait at the server for somebody's decision; 0 before all of them were handed over."""
    ops = bodies(store.outbox)
    return len(ops) if ops and store.outbox.meta.get("handed_over") == _names(ops) else 0


def _names(ops: Sequence[Json]) -> str:
    return hashlib.sha256(canonical([op["op_id"] for op in ops]).encode("utf-8")).hexdigest()


def hand_over(store: Store, api: Api, keys: Keys, tokens: Tokens) -> int:
    """Give what the server never heard to whoever looks at it there; nothing leaves the outbox by it.

    Returns how many ops are there now. May be run again: what was given already is not sent once more.
    """
    ops = bodies(store.outbox)
    names = _names(ops)
    if ops and store.outbox.meta.get("handed_over") != names:
        for batch in batches(ops):
            signature = keys.sign(tokens.key_alias, proof(tokens.device_id, batch))
            request = wire.QuarantineRequest(device=tokens.device_id, ops=batch, signature=signature)
            api.call("POST", "/sync/v1/quarantine", wire.emit(request), signed_in=False)
        store.outbox.meta.set("handed_over", names)
    return len(ops)


def hand_over_photos(store: Store, api: Api, keys: Keys, tokens: Tokens) -> int:
    """Give the contents of photos after their ops; those that arrived count as stored, and stay here. How many went."""
    went, contents = 0, store.outbox.blobs
    for blob in contents.all("waiting"):
        content = whole(store, blob) if blob.path.is_file() else None
        if content is None:
            continue
        said = f"waymark-quarantine-photo-1\n{tokens.device_id}\n{blob.sha256}".encode()
        headers = {
            "Device": tokens.device_id,
            "Signature": keys.sign(tokens.key_alias, said),
            "Content-Type": "application/octet-stream",
        }
        try:
            api.send("POST", f"/sync/v1/quarantine/{blob.sha256}", content, headers, signed_in=False)
        except FileRefused as problem:
            contents.refuse(blob.sha256, problem.said)
        except NotAnnounced:
            continue
        else:
            contents.stored(blob.sha256)
            went += 1
    return went


def hand_over_aside(store: Store, api: Api, keys: Keys, tokens: Tokens) -> int:
    """Give the bytes of entries that cannot be read here any more, for whoever can read more of them; they stay here.
    How many went."""
    entries = store.outbox.aside.unsent()
    if entries:
        packed = rescue.of_entries(entries)
        digest = hashlib.sha256(packed).hexdigest()
        said = f"waymark-quarantine-rescue-1\n{tokens.device_id}\n{digest}".encode()
        headers = {
            "Device": tokens.device_id,
            "Signature": keys.sign(tokens.key_alias, said),
            "Content-Type": "application/octet-stream",
        }
        api.send("POST", "/sync/v1/quarantine/rescue", packed, headers, signed_in=False)
        store.outbox.aside.sent(entries)
    return len(entries)


def bodies(outbox: Outbox) -> list[Json]:
    """The ops that the server never heard, in their order; parked ones come last, under numbers of their own."""
    free = outbox.max_n()
    found: list[Json] = []
    for op in sorted(outbox.ops(UNHEARD), key=lambda op: (op.n < 0, abs(op.n))):
        free += op.n < 0
        found.append({"n": op.n if op.n > 0 else free, **op.body})
    return found


def batches(ops: Sequence[Json]) -> Iterator[list[Json]]:
    """Ops within the limits of one message."""
    batch: list[Json] = []
    size = 0
    for op in ops:
        length = len(canonical(op).encode("utf-8"))
        if batch and (len(batch) == MOST_OPS or size + length > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(op)
        size += length
    if batch:
        yield batch


def proof(device_id: str, ops: Sequence[Json]) -> bytes:
    """What is signed with ops."""
    digest = hashlib.sha256(canonical(list(ops)).encode("utf-8")).hexdigest()
    return f"waymark-quarantine-1\n{device_id}\n{digest}".encode()


def receipt(keys: Keys, tokens: Tokens) -> wire.WipedRequest:
    """What is told once everything is destroyed; made while there still is a key."""
    said = f"waymark-wiped-1\n{tokens.device_id}".encode()
    return wire.WipedRequest(device=tokens.device_id, signature=keys.sign(tokens.key_alias, said))


def destroy(api: Api, home: PhoneHome, keys: Keys, secrets: Secrets, user_id: str) -> None:
    """Destroy what the office ordered to be wiped of a user: the keys first, then the files; the server is told last,
    with what was signed before."""
    known = tokens.load(secrets, user_id)
    told = None if known is None else receipt(keys, known)
    if known is not None:
        keys.destroy(known.key_alias)
    tokens.forget(secrets, user_id)
    home.wipe(user_id)
    if told is not None:
        api.call("POST", "/sync/v1/wiped", wire.emit(told), signed_in=False)


def destroy_ordered(api: Api, home: PhoneHome, keys: Keys, secrets: Secrets) -> None:
    """The same of whoever was signed in here before, where the server says so when it is asked as their phone."""
    for folder in sorted((home.folder / "users").glob("*")):
        if _is_ordered(tokens.TokenKeeper(api, keys, secrets, folder.name)):
            with suppress(Problem, Unreachable):  # the receipt: what it tells of is done
                destroy(api, home, keys, secrets, folder.name)


def _is_ordered(keeper: tokens.TokenKeeper) -> bool:
    try:
        keeper.refresh()
    except Problem as problem:
        return isinstance(problem, DeviceBarred) and problem.code == "wipe"
    return False
