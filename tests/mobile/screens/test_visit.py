"""A visit: what happened there, answers, photos, a signature."""

import io

import pytest
from PIL import Image

from tests.mobile.conftest import uid
from tests.mobile.screens.conftest import in_sight
from tests.mobile.window import SIZES

pytestmark = pytest.mark.window


def test_a_visit_takes_three_taps_and_is_shown_at_once(screen):
    screen.tap("Check in")
    assert screen.shows("from the pin: verified"), "one tap checks in and opens the form"
    screen.tap("order")
    screen.tap("Save visit")
    assert screen.shows("Saved on this phone.")
    assert [op.body["d"]["state"] for op in screen.app.ctx.store.outbox.ops()] == ["checked_in", "done"]
    assert screen.shows("2 on phone")
    assert screen.shows("done")


def test_two_fingers_on_save_save_once(screen):
    from kivy.tests.common import UnitTestTouch

    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    save = next(widget for widget in screen.widgets() if getattr(widget, "label", None) == "Save visit")
    x, y = save.to_window(*save.center)
    one, other = UnitTestTouch(x - 10, y), UnitTestTouch(x + 10, y)
    for move in (one.touch_down, other.touch_down, one.touch_up, other.touch_up):
        move()
    screen.frames()
    assert [op.body["d"]["state"] for op in screen.app.ctx.store.outbox.ops()] == ["done"]


def test_a_visit_takes_down_answers_a_signature_an_order_and_what_comes_next(screen):
    from mobile.screens.visit import VisitForm
    from mobile.widgets.bars import Toast
    from mobile.widgets.ink import InkPad

    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    screen.tap("Shelf visit")
    screen.tap("Save visit")
    assert screen.shows("Not answered: Shelf")
    screen.tap("empty")
    assert screen.shows("Why is it empty?"), "the question hangs on the answer"
    assert screen.shows("Not answered: Why is it empty?"), "what is missing now, not what was missing"
    screen.tap("full")
    assert not screen.shows("Not answered"), "nothing is said to be missing once it is answered"
    assert not screen.shows("Why is it empty?")
    screen.tap("Take an order")
    screen.tap("one more Milch 1 l")
    screen.tap("one more Milch 1 l")
    screen.tap("one more Käse")
    assert screen.shows("2 lines · 66.00 CHF before tax")
    screen.tap("Save the order")
    assert screen.shows("The order is saved on this phone.")
    (toast,) = screen.widgets(Toast)
    words, icon = toast.children[0].children
    assert words.center_y == pytest.approx(icon.center_y, abs=1), "the icon stands beside the words"
    assert screen.shows("Order  ·  2 lines"), "the visit says that an order was taken"
    screen.tap("Have it signed")
    screen.tap("Done")
    assert screen.shows("Write the name, and sign in the box.")
    (pad,) = screen.widgets(InkPad)
    screen.drag((pad.x + 20, pad.y + 20), (pad.x + 120, pad.y + 60))
    pad.parent.name.input.text = "Anna Näscher"
    screen.tap("Done")
    (form,) = screen.widgets(VisitForm)
    assert screen.shows("Signed by Anna Näscher"), "what was typed before is still there"
    sheet = (pad.width, pad.height)
    form.step.subject.input.text = "Bring samples"
    screen.tap("Save visit")
    ordered, done, step = [op.body for op in screen.app.ctx.store.outbox.ops()]
    assert [(line["quantity"], line["unit_price"]) for line in ordered["d"]["lines"]] == [
        ("2.000", "4.50"),
        ("6.000", "9.50"),
    ]
    assert done["d"]["form"] == {"visit_type_id": uid(6501), "version_id": uid(6502), "answers": {"shelf": "full"}}
    assert (done["d"]["signature"]["name"], len(done["d"]["signature"]["strokes"])) == ("Anna Näscher", 1)
    (width, high), (stroke,) = done["d"]["signature"]["box"], done["d"]["signature"]["strokes"]
    assert width / high == pytest.approx(sheet[0] / sheet[1], abs=0.02), "the picture has the shape of the pad"
    assert max(width, high * 2.5) <= 1000, "and fits into what older servers draw"
    left, first, right, last = (one / high for one in (stroke[0], stroke[1], stroke[-2], stroke[-1]))
    assert (right - left, first - last) == pytest.approx((100 / sheet[1], 40 / sheet[1]), abs=0.02), "y from the top"
    assert step["d"]["subject"] == "Bring samples"
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    for words in ("Dr. Anna Näscher", "Does not want to be contacted", "Cooling drips", "Second branch",
                  "Bring samples", "saved here, becomes a draft", "2019-04-01"):  # fmt: skip
        assert screen.shows(words), words
    screen.tap("Done")
    assert screen.shows("Task  ·  Bring the catalogue  ·  done"), "a tap says that it is done: it has happened now"
    assert screen.shows("Done: Bring the catalogue")
    screen.tap("Undo")
    assert not screen.shows("Task  ·  Bring the catalogue  ·  done")
    assert screen.shows("Bring the catalogue")


def test_the_form_speaks_the_language_of_who_reads_it_and_a_companys_own_words_stay(screen):
    store = screen.app.ctx.store
    values = [{"value": "order", "label": "Order"}, {"value": "trial", "label": "Trial agreed"}]
    questions = [
        {"key": "in_stock", "label": "Is everything in stock?", "kind": "flag", "required": True},
        {"key": "facings", "label": "Facings", "kind": "number", "unit": "pieces"},
        {"key": "seen", "label": "Competitors seen", "kind": "choices", "choices": [{"value": 1, "label": "Displays"}]},
        {"key": "ours", "label": "Who paid?", "kind": "text"},
    ]
    kind = {"name": "Shelf check", "position": 1, "archived": False, "questions": questions}
    with store.page():
        store.cache.put_base("picklist", uid(9), 9, {"id": uid(9), "name": "visit_outcome", "values": values})
        store.cache.put_base("visit_type", uid(6501), 9, kind | {"id": uid(6501)})
    screen.app.phone.choose("language", "de")
    screen.app._apply_settings()
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Regalkontrolle")
    screen.tap("Auftrag")
    for words in ("Trial agreed", "Ist alles vorrätig?", "Facings (Stück)", "Aufsteller", "Who paid?"):
        assert screen.shows(words), words
    screen.tap("Speichern")
    assert screen.shows("Nicht beantwortet: Ist alles vorrätig?")
    screen.app.phone.choose("language", "en")
    screen.app._apply_settings()
    screen.app.again()
    screen.frames()
    assert screen.shows("Is everything in stock?")


def test_a_missing_answer_is_scrolled_to_and_marked_where_it_is_asked(screen):
    from mobile.screens.questions import Questions
    from mobile.screens.visit import VisitForm
    from mobile.widgets.base import colour

    screen.resize(SIZES["small phone"])
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    (form,) = screen.widgets(VisitForm)
    form.page.scroll_y = 0
    screen.tap("Save visit")
    assert in_sight(screen, form.outcomes)
    screen.tap("order")
    screen.tap("Shelf visit")
    form.page.scroll_y = 0
    screen.frames()
    screen.tap("Save visit")
    (asked,) = screen.widgets(Questions)
    assert screen.shows("Not answered: Shelf")
    assert in_sight(screen, asked.labels["shelf"])
    assert tuple(asked.labels["shelf"].color) == tuple(colour("bad"))
    assert tuple(asked.labels["facings"].color) == tuple(colour("quiet"))
    screen.tap("full")
    assert tuple(asked.labels["shelf"].color) == tuple(colour("quiet")), "it is there now"


def test_back_from_the_signature_the_form_stands_where_it_was(screen):
    from mobile.screens.visit import VisitForm
    from mobile.widgets.ink import InkPad

    screen.resize(SIZES["small phone"])
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Have it signed")
    screen.tap("Done")
    assert screen.shows("Write the name, and sign in the box.")
    (pad,) = screen.widgets(InkPad)
    pad.parent.name.input.text = "Anna Näscher"
    assert screen.shows("Write the name, and sign in the box."), "half of it is there"
    screen.drag((pad.x + 20, pad.y + 20), (pad.x + 120, pad.y + 60))
    assert not screen.shows("Write the name, and sign in the box.")
    screen.tap("Done")
    (form,) = screen.widgets(VisitForm)
    assert form.page.scroll_y < 0.5
    (sign,) = [w for w in screen.widgets() if getattr(w, "label", None) == "Have it signed"]
    assert in_sight(screen, sign)
    screen.tap("back")
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    (form,) = screen.widgets(VisitForm)
    assert form.page.scroll_y == 1, "opened anew, it begins at its top"


def test_a_signature_keeps_its_shape_in_a_pad_of_another_one(screen):
    from mobile.widgets.ink import InkPad

    pad = InkPad(((0, 0, 200, 100),), (200, 100), pos=(50, 30), size=(300, 300))
    assert pad._px((0, 0, 200, 100)) == [50, 255, 350, 105], "from the top left to the bottom right of the sheet"
    touch = type("Touch", (), {"x": 350, "y": 105})
    assert pad._point(touch) == [200, 100]
    pad.clear()
    assert pad.box == (400, 400)


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
    tile = next(w for w in screen.widgets() if getattr(w, "label", None) == ops[0].body["d"]["name"])
    assert tile.children[0].center_x == pytest.approx(tile.center_x, abs=1), "the mark stands below the middle"
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
    assert [op.body["d"]["state"] for op in screen.app.ctx.store.outbox.ops()] == ["checked_in"]


def test_from_a_visit_one_comes_to_its_account(screen):
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("To the account")
    assert screen.shows("Cooling drips")
