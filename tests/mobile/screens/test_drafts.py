"""What is typed into a visit is there again after the app was killed."""

import json
import signal
import subprocess
import sys

import pytest
from PIL import Image

from mobile.field import photos, reads
from mobile.field.store.outbox import Outbox
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


@pytest.fixture
def lens(tmp_path):
    folder = tmp_path / "lens"
    folder.mkdir()
    Image.effect_noise((800, 600), 90).convert("RGB").save(folder / "door.jpg")
    return folder


def killed(world, what):
    """An app that is killed while a rep types; returns what the rep said of it."""
    command = [sys.executable, "-m", "tests.mobile.screens.typing_rep", str(world.folder), what]
    said = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as rep:
        for line in rep.stdout:
            if line == "typed\n":
                rep.send_signal(signal.SIGKILL)
                return said
            said += [json.loads(line)] if line.startswith("[") else []
    raise AssertionError("it ended by itself")


def test_a_visit_that_was_typed_is_there_after_kill_minus_nine(world, open_app, lens):
    from mobile.screens.visit import VisitForm

    killed(world, "visits")
    assert b"Wants an offer" not in b"".join(path.read_bytes() for path in world.store.folder.glob("outbox.*"))
    world.kill()
    screen = open_app(world.folder, syncing=False)
    store = screen.app.ctx.store
    assert [op.body["d"]["state"] for op in store.outbox.ops()] == ["checked_in"], "a draft is no entry"
    assert reads.sync_state(store).unsent == 1
    screen.tap("Finish visit")
    assert screen.shows("Not finished: typed at ")
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
    assert not screen.shows("Not finished")
    assert (form.outcomes.chosen, screen.app.ctx.store.outbox.drafts.all()) == (None, [])
    assert list(screen.app.ctx.store.outbox.blobs.files()) == []
    assert screen.app.ctx.store.outbox.ops() == []


@pytest.mark.parametrize("last", ["visit_event", "attachment", "activity"])
def test_an_app_that_is_killed_while_it_saves_a_visit_has_saved_nothing_and_lost_nothing(
    open_app, world, lens, last, monkeypatch
):
    """After the op of each kind the process is gone."""
    from mobile.device.desktop import FolderCamera
    from mobile.screens.visit import VisitForm

    screen = open_app(world.folder, syncing=False, camera=FolderCamera(lens))
    screen.app.go("visit", account_id=uid(1002))
    screen.frames()
    screen.tap("Take a photo")
    screen.tap("order")
    (form,) = screen.widgets(VisitForm)
    form.step.subject.input.text = "Call"
    append = Outbox.append

    def dying(self, body, *args, **kwargs):
        append(self, body, *args, **kwargs)
        if body["e"] == last:
            raise KeyboardInterrupt

    monkeypatch.setattr(Outbox, "append", dying)
    with pytest.raises(KeyboardInterrupt):
        form.save()
    monkeypatch.undo()
    (draft,) = world.store.outbox.drafts.all()
    assert (draft.body["step"], world.store.outbox.ops(), world.store.cache.doc("visit", draft.id)) == (
        "Call",
        [],
        None,
    )
    world.kill()
    form.save()
    assert [one.e for one in world.store.outbox.ops()] == ["visit_event", "attachment", "activity"]
    assert world.store.outbox.drafts.all() == []
    world.kill()


def test_no_form_loses_what_is_typed_and_all_are_told_and_opened_after_a_kill(world, open_app):
    from tests.mobile.screens.typing_rep import FORMS, _fields

    said = dict(killed(world, "forms"))
    kept = b"".join(path.read_bytes() for path in world.store.folder.glob("outbox.*"))
    assert not any(word in kept for word in (b"Kiosk", b"Zita", b"Triesen", b"yard", "Näscher".encode()))
    world.kill()
    screen = open_app(world.folder, syncing=False)
    store = screen.app.ctx.store
    assert (store.outbox.ops(), reads.sync_state(store).unsent, screen.app.phone.holds_unsent()) == ([], 0, False)
    screen.tap(f"{len(FORMS)} forms are not finished")
    for name, form, _arguments, _rep in reversed(FORMS):
        screen.tap(name)
        assert screen.app.trail[-1][0] == form
        assert screen.shows("Not finished: typed at "), name
        assert list(_fields(screen)) == said[name], name
        screen.tap("back")
    screen.app.go("more")
    screen.frames()
    screen.tap(f"{len(FORMS)} forms are not finished")
    for name, *_ in FORMS[:-1]:
        screen.tap(name)
        screen.tap("Discard")
        screen.tap("Discard it for good")
        assert not screen.shows("Not finished: typed at "), name
        screen.app.go("unfinished")
        screen.frames()
    screen.app.go("today")
    screen.frames()
    screen.tap(FORMS[-1][0])
    assert screen.shows("Not finished: typed at ")
