"""The phone's memory for one signed-in user: outbox and cache, and the overlay between them."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mobile.field.store import moments, overlay, reserve, salvage
from mobile.field.store.blobs import Content
from mobile.field.store.cache import Cache
from mobile.field.store.canonical import Json
from mobile.field.store.outbox import UNSENT, Op, Outbox
from mobile.field.store.sealing import Seals
from mobile.field.store.sqlite import healthy, is_damage, remove, transaction

SHOWN = "overlay_of"
"""The highest number and how many ops were unsent when the overlay was laid last."""


def is_same_entry(refused: Json, body: Json) -> bool:
    """Whether an op says what a refused one said: it makes the same kind of thing, or changes the same field."""
    if any(refused[key] != body[key] for key in ("k", "e")):
        return False
    if body["k"] == "create":
        return all(refused["d"].get(key) == body["d"].get(key) for key in ("visit_id", "state"))
    return bool(refused["id"] == body["id"] and refused.get("f", {}).keys() & body.get("f", {}).keys())


class Store:
    """Opens both files, and mends them when nobody else has them open.

    One instance per thread; SQLite keeps the threads apart.
    """

    outbox: Outbox
    cache: Cache

    def __init__(self, folder: Path, seals: Seals | None = None) -> None:
        """Raises sqlite3.OperationalError or OSError where the disk does not let the files be opened now: no room, no
        file handle. Nothing has changed then, and the same may be tried again."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self.seals = folder, seals or Seals()
        self._behind = False
        self._together: list[Op] | None = None
        self.mending: Op | None = None
        """The refused op that is entered again by what is saved now."""
        self._presence = salvage.Presence(folder)
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        reserve.keep(folder)

    def _open(self) -> None:
        try:
            self._open_files()
        except (sqlite3.OperationalError, OSError) as error:  # no damage: once more, with what was kept back for it
            reserve.gives_way(self.folder, error)
            self._close_files()
            self._open_files()
        self._presence.share()

    def _open_files(self) -> None:
        if self._presence.alone:
            shutil.rmtree(self.taking, ignore_errors=True)  # of an app that was killed while the camera was open
            salvage.mend_outbox(self.folder / "outbox.db")
        self.outbox = Outbox(self.folder / "outbox.db", self.seals.outbox)
        if self._presence.alone:
            self.outbox.ops(UNSENT)  # what cannot be read is set aside before anything counts on it
        self.cache = self._open_cache()
        try:
            is_shown = self.is_shown()
        except sqlite3.DatabaseError as error:
            if self._presence.alone or not is_damage(error):
                raise
            return  # damaged while others have it open: it is mended at the next start
        if not (self._presence.alone and self.mend_cache()) and not is_shown:
            self.rebuild_overlay()

    @property
    def taking(self) -> Path:
        """Where pictures lie, not sealed yet, while they are taken."""
        return self.folder / "taking"

    def close(self) -> None:
        self._close_files()
        self._presence.close()

    def _close_files(self) -> None:
        for name in ("outbox", "cache"):
            if name in self.__dict__:
                getattr(self, name).close()

    def _open_cache(self) -> Cache:
        path = self.folder / "cache.db"
        if self._presence.alone and not healthy(path):
            remove(path)
        cache = self._readable_cache(path)
        if cache is None:
            remove(path)
            cache = Cache(path, self.seals.cache)
        if cache.meta.get("covered_n") is None:
            cache.meta.set("covered_n", str(self.outbox.max_acked_n()))
            cache.meta.set("epoch", self.outbox.meta.get("epoch"))
        return cache

    def _readable_cache(self, path: Path) -> Cache | None:
        """The cache; None when it is damaged, or sealed with another key."""
        try:
            cache = Cache(path, self.seals.cache)
            if cache.is_readable():
                return cache
            cache.close()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        return None

    def rebuild_cache(self) -> None:
        """Throw a damaged cache away; the next pull fills it, pending work is shown at once."""
        self.cache.close()
        remove(self.folder / "cache.db")
        self.cache = self._open_cache()
        self.rebuild_overlay()

    def mend_cache(self) -> bool:
        """Forget cached rows that cannot be read any more: the next pull brings them, pending work is shown at once."""
        if not self.cache.drop_unreadable():
            return False
        self.rebuild_overlay()
        return True

    # -- capture

    def save(self, body: Json, contents: Sequence[Content] = (), *, fixes_upto: int = 0) -> Op:
        """Save one intention of the rep and show it. Saved once the outbox has committed, shown or not."""
        if self._together is not None:
            if self.mending is not None and is_same_entry(self.mending.body, body):
                body, self.mending = {**body, "mends": self.mending.op_id}, None
            self._together.append(self.outbox.append(body, contents, fixes_upto=fixes_upto))
            return self._together[-1]
        return self.at_once(lambda: self.save(body, contents, fixes_upto=fixes_upto))

    def at_once[Made](self, act: Callable[[], Made]) -> Made:
        """All that is saved, and of drafts kept or let go, while something is done, or nothing of it: an app that is
        killed meanwhile has done none of it. It is done once more where there was no room. Returns what it returns."""
        try:
            made, ops = self._whole(act)
        except sqlite3.OperationalError as error:
            if not reserve.gives_way(self.folder, error):
                raise
            made, ops = self._whole(act)
        self.outbox.copy_after(*(op.n for op in ops))
        try:
            if ops:
                self._show(ops)
        except sqlite3.Error:  # the cache has no room, or is damaged: what is saved is saved, and shown later
            self._behind = True
        return made

    def take_back(self, op_ids: Sequence[str]) -> bool:
        """Undo what was saved; False, and nothing is changed, once the server may have some of it."""
        is_undone = self.outbox.take_back(op_ids)
        if is_undone:
            self.rebuild_overlay()
        return is_undone

    def _whole[Made](self, act: Callable[[], Made]) -> tuple[Made, list[Op]]:
        ops = self._together = []
        try:
            with transaction(self.outbox.db):
                return act(), ops
        finally:
            self._together = None

    def _show(self, ops: Sequence[Op]) -> None:
        """Lay ops over their rows; and those before them that could not be shown."""
        if self._behind:
            self.rebuild_overlay()
            self._behind = False
            return
        with transaction(self.cache.db):
            self.refresh(overlay.target(op.body) for op in ops)
            self.note_shown()

    # -- overlay

    def is_shown(self) -> bool:
        """Whether the overlay was laid since an op was last saved, queued again, taken back or answered."""
        return self.cache.meta.get(SHOWN) == self._to_show()

    def note_shown(self) -> None:
        """Remember that all that waits is shown, in the transaction that shows the last of it."""
        self.cache.meta.set(SHOWN, self._to_show())

    def _to_show(self) -> str:
        counts = self.outbox.counts()
        return f"{self.outbox.max_n()}/{sum(counts.get(state, 0) for state in UNSENT)}"

    def showing(self) -> list[Op]:
        """Ops that the server's rows do not contain yet: pending ones, and answered ones until a pull covers them."""
        covered = int(self.cache.meta.get("covered_n") or 0)
        return [op for op in self.outbox.pending(covered) if op.state in UNSENT or "row" not in (op.result or {})]

    def refresh(self, refs: Iterable[overlay.Ref]) -> None:
        """Show the given rows as base plus pending ops; forget rows of which nothing is left."""
        pending, ahead = overlay.by_target(op.body for op in self.showing()), moments.ahead(self.outbox)
        for e, row_id in refs:
            rev, base = self.cache.base(e, row_id)
            doc = overlay.lay_over(base, pending.get((e, row_id), []), ahead)
            if doc is None:
                if base is None:
                    self.cache.remove(e, row_id)
                continue
            if base is None:
                self.cache.put_base(e, row_id, rev, None)  # a row that so far lives on this phone only
            self.cache.put_doc(e, row_id, doc)

    def refresh_pending(self, refs: Iterable[overlay.Ref]) -> None:
        """Refresh those of the given rows that pending ops change."""
        pending = {overlay.target(op.body) for op in self.showing()}
        self.refresh(pending.intersection(refs))

    def rebuild_overlay(self) -> None:
        """Lay every pending op over its row again, e.g. after the app was killed between two commits."""
        with transaction(self.cache.db):
            refs = {overlay.target(op.body) for op in self.showing()} | set(self.cache.overlaid())
            self.refresh(refs)
            self.note_shown()

    def drop_orphans(self) -> None:
        """Forget rows outside every bucket, except those that unsent work refers to."""
        needed = {ref for op in self.showing() for ref in overlay.references(op.body)}
        for e, row_id in self.cache.orphans():
            if (e, row_id) not in needed:
                self.cache.remove(e, row_id)
        self.cache.forget_deleted()

    @contextmanager
    def page(self) -> Iterator[None]:
        """One transaction of the cache, for everything a page of the server changes."""
        with transaction(self.cache.db):
            yield

    def picklist(self, name: str) -> list[tuple[str, str]]:
        """Values and labels of a picklist by its name; empty before the first sync."""
        for row in self.cache.db.execute("select opened(doc) as doc from row where e='picklist'"):
            doc = json.loads(row["doc"])
            if doc.get("name") == name:
                return [(v["value"], v["label"]) for v in doc["values"]]
        return []
