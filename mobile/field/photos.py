"""Photos: saved the moment they are taken, shown from this phone while they are here, fetched when they are not."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobile.field import drafts, zones
from mobile.field.capture import op_of
from mobile.field.ports import Camera, Pictures
from mobile.field.rows import docs
from mobile.field.store import Store, clock, moments
from mobile.field.store.blobs import PHOTO, THUMBNAIL, Blob, Content
from mobile.field.store.canonical import Json
from mobile.field.store.ids import uuid7
from mobile.field.store.outbox import UNSENT

MOST_PER_VISIT = 20
PART = ".part"
SWEPT = "pictures_swept"
"""Which pictures were there when they were last swept; nothing where rows have left since."""


@dataclass(frozen=True)
class Photo:
    """A photo as a screen shows it."""

    id: str
    account_id: str
    name: str
    taken_at: str
    sha256: str
    small: Path | None
    """The small picture, when it is on this phone."""
    large: Path | None
    mark: str
    """"phone" (not all of it is on the server), "attention" (refused), or "server"."""


@dataclass(frozen=True)
class Waiting:
    """What of photos is still to be sent, in numbers, and what was refused."""

    photos: int
    size: int
    refused: tuple[Blob, ...]


class TooMany(ValueError):
    """A visit has as many photos as it can have."""


def take(
    store: Store,
    camera: Camera,
    pictures: Pictures,
    account_id: str,
    owner: str,
    owner_id: str,
    *,
    in_draft: bool = False,
) -> str | None:
    """Take a photo and keep it for good, its files before its op; None when the rep gave up.

    In a draft it waits for the visit to be saved. Returns the photo's id.
    """
    if owner == "visit" and len(of_owner(store, account_id, owner_id)) >= MOST_PER_VISIT:
        raise TooMany
    store.taking.mkdir(parents=True, exist_ok=True, mode=0o700)
    raw, large, small = (store.taking / f"{uuid7()}.{name}" for name in ("raw", "large", "small"))
    try:
        if not camera.take(raw):
            return None
        width, height = pictures.shrink(raw, large, small)
        contents = (_content(large, PHOTO), _content(small, THUMBNAIL))
        for source, content in zip((large, small), contents, strict=True):
            store.outbox.blobs.place(source, content.sha256)
        d = _described(store, contents, account_id, (owner, owner_id), (width, height))
        op = op_of("create", "attachment", uuid7(), d=d)
        if in_draft:
            drafts.add_photo(store, owner_id, op, contents)
        else:
            store.save(op, contents)
        return str(op["id"])
    finally:
        for path in (raw, large, small):
            path.unlink(missing_ok=True)


def _content(path: Path, lane: str) -> Content:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Content(digest, path.stat().st_size, "image/jpeg", lane)


def _described(
    store: Store, contents: Sequence[Content], account_id: str, owner: tuple[str, str], size: tuple[int, int]
) -> Json:
    large, small = contents
    now = moments.now(store.outbox).astimezone(zones.of(store.outbox))
    return {
        "account_id": account_id,
        "owner": owner[0],
        "owner_id": owner[1],
        "kind": "photo",
        "name": f"{now:%Y-%m-%d %H.%M.%S}.jpg",
        "mime": large.mime,
        "size": large.size,
        "sha256": large.sha256,
        "thumbnail_sha256": small.sha256,
        "width": size[0],
        "height": size[1],
        "taken_at": clock.wall(),
    }


def discard(store: Store, photo_id: str) -> None:
    """Take a photo away again; it goes to the bin in the office, where that has heard of it."""
    if drafts.take_away(store, photo_id):
        return
    store.save(op_of("delete", "attachment", photo_id, base_rev=store.cache.base("attachment", photo_id)[0]))


def at_account(store: Store, account_id: str) -> list[Photo]:
    """The photos at an account, the latest first."""
    gone = {op.row_id for op in store.outbox.ops(UNSENT) if op.kind == "delete"}
    drafted = drafts.photos_at(store, account_id)
    known = [*(doc for doc in docs(store, "attachment", account_id) if doc["id"] not in gone), *drafted]
    rows = [doc for doc in known if str(doc.get("mime")).startswith("image/")]
    rows.sort(key=lambda doc: (str(doc.get("taken_at")), doc["id"]), reverse=True)
    states = {blob.sha256: blob.state for blob in store.outbox.blobs.all("waiting", "refused")}
    states |= {doc["sha256"]: "waiting" for doc in drafted}
    return [_photo(store, doc, states) for doc in rows]


def of_owner(store: Store, account_id: str, owner_id: str) -> list[Photo]:
    """The photos of a visit, in the order in which they were taken."""
    known = [*docs(store, "attachment", account_id), *drafts.photos_at(store, account_id)]
    mine = {doc["id"] for doc in known if doc.get("owner_id") == owner_id}
    return [photo for photo in reversed(at_account(store, account_id)) if photo.id in mine]


def _photo(store: Store, doc: Json, states: dict[str, str]) -> Photo:
    state = states.get(doc["sha256"]) or states.get(str(doc.get("thumbnail_sha256")))
    mark = {"waiting": "phone", "refused": "attention"}.get(state or "", "server")
    small, large = here(store, doc.get("thumbnail_sha256")), here(store, doc["sha256"])
    return Photo(doc["id"], doc["account_id"], doc["name"], doc["taken_at"], doc["sha256"], small or large, large, mark)


def here(store: Store, sha256: str | None) -> Path | None:
    """Where a content is on this phone: among what is to be sent, or fetched before."""
    if sha256 is None:
        return None
    places = (store.outbox.blobs.path_of(sha256), fetched(store, sha256))
    return next((path for path in places if path.is_file()), None)


def fetched(store: Store, sha256: str) -> Path:
    """Where a content lies that was fetched; it can be fetched again."""
    return store.folder / "fetched" / sha256


def keep(store: Store, sha256: str, content: bytes) -> None:
    """Keep a content that can be fetched again; a killed app leaves no half of it."""
    target = fetched(store, sha256)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(PART)
    part.write_bytes(store.seals.cache.seal(content))
    part.replace(target)


def sweep(store: Store) -> int:
    """Remove fetched pictures of what this phone does not hold any more: their account left it, or they were taken
    away. What is to be sent still, or in no backup, lies elsewhere. Returns how many there were; none before every
    bucket has been read to its end. Nothing is looked into where no row has left and no picture has come."""
    folder, meta = store.folder / "fetched", store.cache.meta
    if not folder.is_dir() or not all(bucket.complete for bucket in store.cache.buckets()):
        return 0
    names = sorted(path.name for path in folder.iterdir())
    if meta.get(SWEPT) == _told(names):
        return 0
    named = {doc.get(key) for doc in docs(store, "attachment") for key in ("sha256", "thumbnail_sha256")}
    gone = [name for name in names if name.removesuffix(PART) not in named]
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    meta.set(SWEPT, _told(name for name in names if name not in gone))
    return len(gone)


def _told(names: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(names).encode()).hexdigest()


def read(store: Store, path: Path) -> bytes:
    """The picture in a file of this phone, opened."""
    is_own = path.parent == store.outbox.blobs.folder
    return (store.seals.outbox if is_own else store.seals.cache).open(path.read_bytes())


def wanted(store: Store, account_id: str) -> list[str]:
    """The small pictures at an account that are on the server and not on this phone."""
    rows = [doc for doc in docs(store, "attachment", account_id) if doc.get("is_here")]
    hashes = [doc.get("thumbnail_sha256") for doc in rows]
    return [one for one in hashes if one and here(store, one) is None]


def waiting(store: Store) -> Waiting:
    """What the list of unsent work says of photos."""
    blobs = store.outbox.blobs
    still = blobs.all("waiting")
    photos = {one.for_op for one in still}
    return Waiting(
        len(photos),
        sum(one.size - one.offset for one in still),
        (*blobs.all("refused"), *(one for one in still if one.is_parked)),
    )
