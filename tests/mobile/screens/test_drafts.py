"""What is typed into a visit is there again after the app was killed."""

import signal
import subprocess
import sys

import pytest
from PIL import Image

from mobile.field import drafts, photos, reads
from mobile.field.capture import VisitTarget, visit_event
from mobile.field.store import Store
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


@pytest.fixture
def lens(tmp_path):
    folder = tmp_path / "lens"
    folder.mkdir()
    Image.effect_noise((800, 600), 90).convert("RGB").save(folder / "door.jpg")
    return folder


@pytest.fixture
def killed(world, lens):
    """A phone whose app was killed while a rep typed."""
    command = [sys.executable, "-m", "tests.mobile.screens.typing_rep", str(world.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as rep:
        assert any(line == "typed\n" for line in rep.stdout), "it ended by itself"
        rep.send_signal(signal.SIGKILL)
    return world


def test_a_visit_that_was_typed_is_there_after_kill_minus_nine(killed, open_app, lens):
    from mobile.screens.visit import VisitForm

    assert b"Wants an offer" not in b"".join(path.read_bytes() for path in killed.store.folder.glob("outbox.*"))
    screen = open_app(killed.folder, syncing=False)
    store = screen.app.ctx.store
    assert [op.body["d"]["state"] for op in store.outbox.ops()] == ["checked_in"], "a draft is no entry"
    assert reads.sync_state(store).unsent == 1
    screen.tap("Finish visit")
    assert screen.shows("Draft of ")
    assert screen.shows("Signed by Anna Näscher")
    (form,) = screen.widgets(VisitForm)
    assert (form.note.value, form.step.subject.value, form.outcomes.chosen) == (
        "Wants an offer", "Send the offer", "order",
    )  # fmt: skip
    screen.tap("Save visit")
    _, done, step = [op.body["d"] for op in store.outbox.ops()]
    assert (done["form"]["answers"], done["note"], done["signature"]["name"]) == (
        {"shelf": "full"}, "Wants an offer", "Anna Näscher",
    )  # fmt: skip
    assert step["subject"] == "Send the offer"
    assert [one.body["planned"] for one in store.outbox.drafts.all()] == [False], "the saved one is gone"

    screen.app.go("visit", account_id=uid(1002))
    screen.frames()
    (form,) = screen.widgets(VisitForm)
    assert form.note.value == "Nobody planned this"
    (photo,) = photos.of_owner(store, uid(1002), form.visit_id)
    assert (photo.mark, photo.small is not None) == ("phone", True)
    assert not store.outbox.blobs.all("waiting"), "its photo belongs to the draft"
    screen.tap("order")
    screen.tap("Save visit")
    done, taken = [op.body for op in store.outbox.ops()][-2:]
    assert (taken["d"]["owner"], taken["d"]["owner_id"]) == ("visit", done["d"]["visit_id"])
    assert taken["id"] == photo.id
    assert len(store.outbox.blobs.all("waiting")) == 2
    assert store.outbox.drafts.all() == []


def test_a_draft_is_discarded_with_its_photos(open_app, world, lens):
    from mobile.device.desktop import FolderCamera
    from mobile.screens.visit import VisitForm

    screen = open_app(world.folder, syncing=False, camera=FolderCamera(lens))
    screen.app.go("visit", account_id=uid(1002))
    screen.frames()
    screen.tap("Take a photo")
    screen.tap("follow_up")
    screen.app.go("today")
    screen.app.go("visit", account_id=uid(1002))
    screen.frames()
    screen.tap("Discard")
    screen.tap("Discard it for good")
    (form,) = screen.widgets(VisitForm)
    assert not screen.shows("Draft of")
    assert (form.outcomes.chosen, screen.app.ctx.store.outbox.drafts.all()) == (None, [])
    assert list(screen.app.ctx.store.outbox.blobs.files()) == []
    assert screen.app.ctx.store.outbox.ops() == []


@pytest.mark.parametrize("op", ["done", "attachment", "activity"])
def test_an_app_that_is_killed_while_it_saves_goes_on_with_what_belongs_to_the_visit(world, op, monkeypatch):
    """After the op of each kind the process is gone."""
    store = world.store
    target = VisitTarget(uid(1002), uid(2002), "2026-11-28", "UTC", uid(9001))
    photo = {"op_id": uid(9002), "k": "create", "e": "attachment", "id": uid(9003),
             "at": {"wall": "2026-11-28T10:00:00.000+00:00", "mono": 1, "boot": "b"},
             "d": {"account_id": uid(1002), "owner": "visit", "owner_id": uid(9001), "sha256": "a" * 64,
                   "mime": "image/jpeg", "taken_at": "2026-11-28T10:00:00.000+00:00", "name": "1.jpg"}}  # fmt: skip
    drafts.keep(store, uid(9001), {"account_id": uid(1002), "planned": False, "step": "Call", "due_on": "2026-12-01"})
    drafts.add_photo(store, uid(9001), photo, ())
    save, last = Store.save, {"done": "visit_event"}.get(op, op)

    def dying(self, body, *args, **kwargs):
        kept = save(self, body, *args, **kwargs)
        if body["e"] == last:
            raise KeyboardInterrupt
        return kept

    monkeypatch.setattr(Store, "save", dying)

    def save_visit():
        visit_event(store, target, "done", outcome="order")
        drafts.finish(store, uid(9001))

    with pytest.raises(KeyboardInterrupt):
        save_visit()
    monkeypatch.undo()
    world.kill()
    for _ in range(2):
        drafts.settle(world.store)
    assert [one.e for one in world.store.outbox.ops()] == ["visit_event", "attachment", "activity"]
    assert world.store.outbox.drafts.all() == []
    world.kill()
