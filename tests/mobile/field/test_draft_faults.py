"""Drafts and their pictures on a storage that turns bits, loses keys or holds the same twice."""

import base64
import hashlib

import pytest

from mobile.device.sealing import AesSealer
from mobile.field import drafts, reads
from mobile.field.capture import op_of
from mobile.field.store import Store
from mobile.field.store.blobs import Content
from mobile.field.store.sealing import Seals
from tests.mobile.conftest import uid

SEALS = {"sealed": Seals(AesSealer(b"k" * 32), AesSealer(b"c" * 32)), "open": Seals()}
TYPED = {"account_id": uid(1001), "planned": True, "outcome": "order", "note": "they want 40 boxes"}


@pytest.mark.parametrize("kind", SEALS)
def test_a_draft_in_which_any_bit_turned_is_set_aside_and_stops_nothing(tmp_path, kind):
    store = Store(tmp_path / "user", SEALS[kind])
    db = store.outbox.db
    drafts.keep(store, uid(3002), TYPED)
    drafts.keep(store, uid(3001), TYPED)
    for at in range(db.execute("select length(body) from draft where id=?", (uid(3001),)).fetchone()[0]):
        drafts.keep(store, uid(3001), TYPED)
        torn = bytearray(db.execute("select cast(body as blob) from draft where id=?", (uid(3001),)).fetchone()[0])
        torn[at] ^= 1 << at % 8
        kept = "cast(? as text)" if kind == "open" else "?"
        db.execute(f"update draft set body={kept} where id=?", (bytes(torn), uid(3001)))
        assert drafts.at_visit(store, uid(3001), None) is None
        assert [one.id for one in drafts.unfinished(store)] == [uid(3002)]
        (entry,) = store.outbox.aside.unsent()
        assert (entry["kind"], entry["row_id"], base64.b64decode(entry["body"])) == ("draft", uid(3001), bytes(torn))
        db.execute("delete from aside")
    store.close()


def test_a_draft_whose_key_is_lost_is_told_and_returns_with_the_key_unless_it_was_typed_anew(tmp_path):
    store = Store(tmp_path / "user", SEALS["sealed"])
    for n in (3001, 3002):
        drafts.keep(store, uid(n), TYPED)
    store.close()
    store = Store(tmp_path / "user", Seals(AesSealer(b"x" * 32), AesSealer(b"c" * 32)))
    assert drafts.unfinished(store) == []
    assert reads.sync_state(store).unreadable == 2
    store.outbox.db.execute("delete from draft")
    store.close()
    store = Store(tmp_path / "user", SEALS["sealed"])
    assert sorted(one.id for one in drafts.unfinished(store)) == [uid(3001), uid(3002)]
    assert (drafts.at_visit(store, uid(3001), None).body, len(store.outbox.aside)) == (TYPED, 0)
    assert store.outbox.ops() == []
    store.close()


def drafted(store, tmp_path, n, picture=b"picture"):
    """A photo that hangs on the draft of an unplanned visit."""
    sha, source = hashlib.sha256(picture).hexdigest(), tmp_path / "taken"
    source.write_bytes(picture)
    store.outbox.blobs.place(source, sha)
    d = {"account_id": uid(1000 + n), "owner": "visit", "owner_id": uid(90 + n), "sha256": sha, "thumbnail_sha256": sha}
    op = op_of("create", "attachment", uid(80 + n), d=d)
    drafts.add_photo(store, uid(90 + n), op, (Content(sha, len(picture), "image/jpeg", "photo"),))
    return store.outbox.blobs.path_of(sha)


def test_the_same_picture_in_two_drafts_stays_as_long_as_one_has_it(store, tmp_path):
    """Picked twice from a gallery, say."""
    path, _ = (drafted(store, tmp_path, n) for n in (1, 2))
    assert drafts.take_away(store, uid(81))
    assert path.is_file()
    drafts.discard(store, uid(92))
    assert not path.exists()


def test_a_picture_that_the_server_has_stays_while_a_draft_has_it_too(store, tmp_path):
    path = drafted(store, tmp_path, 1)
    store.outbox.blobs.let_go(path.name)
    assert path.is_file()


def test_a_picture_of_an_app_that_was_killed_beside_the_camera_does_not_lie_open_on_the_phone(synced):
    def half_taken():
        store = synced.store
        store.taking.mkdir(exist_ok=True)
        (store.taking / "1.raw").write_bytes(b"a customer's contract")
        return store

    half_taken()
    other = Store(synced.store.folder, synced.store.seals)
    assert list(synced.store.taking.iterdir()), "while the app runs its camera may be open"
    other.close()
    synced.kill()
    assert not synced.store.taking.exists()
