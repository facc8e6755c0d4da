"""Today and a visit: what happened there, answers, photos."""

import io

import pytest
from PIL import Image

from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


def test_today_lists_the_stops_and_the_next_one_is_large(screen):
    assert screen.shows("Next stop")
    assert screen.shows("4 stops")
    assert screen.shows("Bäckerei Näscher")


def test_a_visit_takes_three_taps_and_is_shown_at_once(screen):
    screen.tap("Check in")
    screen.tap("Check in")
    assert screen.shows("from the pin: verified")
    screen.tap("order")
    screen.tap("Save visit")
    assert screen.shows("Saved on this phone.")
    assert [op.body["d"]["state"] for op in screen.app.ctx.store.outbox.ops()] == ["checked_in", "done"]
    assert screen.shows("2 on phone")
    assert screen.shows("done")


def test_a_visit_takes_down_answers_a_signature_an_order_and_what_comes_next(screen):
    from mobile.screens.visit import VisitForm
    from mobile.widgets.ink import InkPad

    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    screen.tap("Shelf visit")
    screen.tap("Save visit")
    assert screen.shows("Not answered: Shelf")
    screen.tap("empty")
    assert screen.shows("Why is it empty?"), "the question hangs on the answer"
    screen.tap("full")
    assert not screen.shows("Why is it empty?")
    screen.tap("Take an order")
    screen.tap("one more Milch 1 l")
    screen.tap("one more Milch 1 l")
    screen.tap("one more Käse")
    assert screen.shows("2 lines · 66.00 CHF before tax")
    screen.tap("Save the order")
    assert screen.shows("The order is saved on this phone.")
    screen.tap("Have it signed")
    screen.tap("Done")
    assert screen.shows("Write the name, and sign in the box.")
    (pad,) = screen.widgets(InkPad)
    screen.drag((pad.x + 20, pad.y + 20), (pad.x + 120, pad.y + 60))
    pad.parent.name.input.text = "Anna Näscher"
    screen.tap("Done")
    (form,) = screen.widgets(VisitForm)
    assert screen.shows("Signed by Anna Näscher"), "what was typed before is still there"
    form.step.subject.input.text = "Bring samples"
    screen.tap("Save visit")
    ordered, done, step = [op.body for op in screen.app.ctx.store.outbox.ops()]
    assert [(line["quantity"], line["unit_price"]) for line in ordered["d"]["lines"]] == [
        ("2.000", "4.50"),
        ("6.000", "9.50"),
    ]
    assert done["d"]["form"] == {"visit_type_id": uid(6501), "version_id": uid(6502), "answers": {"shelf": "full"}}
    assert (done["d"]["signature"]["name"], len(done["d"]["signature"]["strokes"])) == ("Anna Näscher", 1)
    assert step["d"]["subject"] == "Bring samples"
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    for words in ("Dr. Anna Näscher", "Does not want to be contacted", "Cooling drips", "Second branch",
                  "Bring samples", "saved here, becomes a draft", "2019-04-01"):  # fmt: skip
        assert screen.shows(words), words
    screen.tap("Done")
    assert screen.shows("Task  ·  Bring the catalogue  ·  done"), "a tap says that it is done: it has happened now"


def test_photos_are_taken_in_a_visit_seen_at_the_account_and_said_to_wait(open_app, world, tmp_path):

    from mobile.device.desktop import FolderCamera

    exif = Image.Exif()
    exif[0x0132], exif[0x010F] = "2026:11:26 10:12:29", "A camera that tells where it was"
    (tmp_path / "lens").mkdir()
    Image.effect_noise((3000, 2000), 90).convert("RGB").save(
        tmp_path / "lens" / "door.jpg", exif=exif, xmp=b"<x:xmpmeta>47.1 north</x:xmpmeta>", comment=b"47.1 north"
    )
    screen = open_app(world.folder, syncing=False, camera=FolderCamera(tmp_path / "lens"))
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Take a photo")
    screen.tap("Take a photo")
    store = screen.app.ctx.store
    ops = store.outbox.ops()
    assert [(op.e, op.body["d"]["owner_id"]) for op in ops] == [("attachment", uid(3001))] * 2
    large, small = ops[0].body["d"]["sha256"], ops[0].body["d"]["thumbnail_sha256"]
    blobs = store.outbox.blobs
    assert len(blobs.read(large)) <= 300_000
    assert len(blobs.read(small)) <= 20_000
    with Image.open(io.BytesIO(blobs.read(large))) as kept:
        assert max(kept.size) <= 1600
        assert dict(kept.getexif()) == {0x0132: "2026:11:26 10:12:29"}
    assert b"47.1 north" not in blobs.read(large) + blobs.read(small)
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap(ops[0].body["d"]["name"])
    assert screen.shows("not on the server yet")
    screen.tap("Delete this photo")
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Photos not yet sent: ")
    assert screen.shows("a visit never waits for its photo")


def test_without_an_outcome_the_form_says_what_is_missing(screen):
    screen.tap("Check in")
    screen.tap("Save visit")
    assert screen.shows("Choose an outcome first.")
    assert screen.app.ctx.store.outbox.ops() == []
