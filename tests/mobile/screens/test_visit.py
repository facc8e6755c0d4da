"""Today and a visit: what happened there, answers, photos."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from mobile.field import restday
from mobile.field.checkin import Fix
from mobile.field.rows import docs
from mobile.field.store import clock
from tests.mobile.conftest import uid
from tests.mobile.window import SIZES

pytestmark = pytest.mark.window


def test_today_lists_the_stops_and_the_next_one_is_large(screen):
    assert screen.shows("Next stop")
    assert screen.shows("4 stops")
    assert screen.shows("Bäckerei Näscher")


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


def in_sight(screen, widget):
    from mobile.screens.visit import VisitForm

    page = next(w.page if isinstance(w, VisitForm) else w.list for w in screen.widgets() if hasattr(w, "typed"))
    low, high = page.to_window(0, page.y)[1], page.to_window(0, page.top)[1]
    return low < widget.to_window(*widget.center)[1] < high


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


def test_a_refused_quantity_is_scrolled_to_and_products_stand_under_their_category(screen):
    from mobile.widgets.controls import Field, PushButton

    store = screen.app.ctx.store
    milk = next(doc for doc in docs(store, "product") if doc["name"] == "Milch 1 l")
    with store.page():
        for n in range(24):
            row = milk | {"id": uid(9500 + n), "name": f"Zwieback {n:02}", "number": f"Z{n}", "category": "Rusks"}
            store.cache.put_base("product", row["id"], 1, row)
    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    words = screen.words()
    assert words.index("Dairy") < words.index("Milch 1 l") < words.index("Rusks") < words.index("Zwieback 00")
    screen.tap("one more Zwieback 23")
    screen.widgets(Field)[1].input.text = "abc"
    (pad,) = [one for one in screen.widgets() if hasattr(one, "catalogue")]
    pad.list.scroll_y = 1
    screen.frames()
    screen.tap("Save the order")
    assert in_sight(screen, pad.rows[uid(9523)])
    pad.field.input.text = "Käse"
    screen.frames()
    screen.tap("Save the order")
    assert in_sight(screen, pad.rows[uid(9523)]), "what was looked for hid it"
    assert screen.words().index("In this order") < screen.words().index("Zwieback 23") < screen.words().index("Dairy")
    screen.resize(SIZES["tablet"])
    (save,) = [one for one in screen.widgets(PushButton) if one.label == "Save the order"]
    assert save.width <= 760, "as wide as the list"
    assert pad.field.width <= 760
    screen.resize(SIZES["phone"])


def test_how_much_is_ordered_can_be_typed(screen):
    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    (pad,) = [one for one in screen.widgets() if hasattr(one, "catalogue")]
    assert pad.total.height == pad.warning.height == 0, "an empty order leaves no white band above its button"
    quantity = lambda: {w.product.name: w.input for w in screen.widgets() if hasattr(w, "product")}  # noqa: E731
    screen.tap("one more Milch 1 l")
    quantity()["Milch 1 l"].text = "60"
    assert screen.shows("1 line · 246.00 CHF before tax"), "the price of sixty, before anything is tapped"
    screen.tap("one more Käse")
    quantity()["Käse"].text = "7"
    screen.tap("Save the order")
    assert screen.shows("Käse is sold by 6, at least 6: it is 12 now.")
    assert pad.list.scroll_y == 1, "the rows stay where they are when a line appears below them"
    assert quantity()["Käse"].text == "12"
    quantity()["Käse"].text = "many"
    screen.tap("Save the order")
    assert screen.shows("“many” is no quantity of Käse.")
    quantity()["Käse"].text = ""
    screen.tap("Save the order")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert [(line["quantity"], line["unit_price"]) for line in op.body["d"]["lines"]] == [("60", "4.10")]


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


class Standing:
    """A phone whose rep walks about."""

    def __init__(self, lon=9.5205, accuracy_m=12.0):
        self.lon, self.accuracy_m = lon, accuracy_m

    def fix(self):
        return Fix(self.lon, 47.14, self.accuracy_m, clock.now())

    def rest(self):
        """Nothing runs here."""


def test_a_visit_that_was_checked_in_says_so_after_a_restart_too(open_app, world):
    where = Standing()
    screen = open_app(world.folder, syncing=False, position=where)
    screen.tap("Check in")
    screen.app.on_stop()
    screen = open_app(world.folder, syncing=False, position=where)
    screen.tap("Finish visit")
    assert screen.shows("38 m from the pin: verified")
    assert not screen.shows("Check in again")
    where.lon = 9.60
    screen.tap("order")
    screen.tap("Save visit")
    came, left = (op.body["d"]["checkin"] for op in screen.app.ctx.store.outbox.ops())
    assert (came["lon"], left["lon"]) == (9.5205, 9.6), "the end of the visit has a reading of its own"


def test_a_check_in_where_no_pin_is_known_says_that_its_place_is_kept(open_app, world):
    for e, row_id in (("site", uid(2001)),):
        world.server.put(e, row_id, world.server.world.rows[e, row_id]["d"] | {"lon": None, "lat": None}, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False, position=Standing(9.53))
    screen.tap("Check in")
    assert screen.shows("Your place is kept. The site had no pin to compare it with")
    assert not screen.shows("No position available")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.body["d"]["checkin"]["lon"], op.body["d"]["checkin"]["unpinned"]) == (9.53, True)


@pytest.mark.parametrize("way", ["Save visit", "Missed"])
def test_a_visit_without_a_check_in_keeps_no_place(screen, way):
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    screen.tap(way)
    (op,) = screen.app.ctx.store.outbox.ops()
    assert op.body["d"]["checkin"] is None


def test_a_poor_check_in_is_repeated_and_one_far_off_asks_why(open_app, world):
    where = Standing(accuracy_m=900)
    screen = open_app(world.folder, syncing=False, position=where)
    screen.tap("Check in")
    assert screen.shows("too coarse to verify")
    where.lon, where.accuracy_m = 9.53, 10
    screen.tap("Check in again")
    assert screen.shows("outside 150 m")
    screen.tap("order")
    screen.tap("Save visit")
    assert screen.shows("Say why you are not at the pin")
    (form,) = [one for one in screen.widgets() if hasattr(one, "reason")]
    form.reason.input.text = "Met at the building site"
    assert not screen.shows("Say why you are not at the pin")
    screen.tap("Save visit")
    told = [(op.body["d"]["state"], op.body["d"]["note"]) for op in screen.app.ctx.store.outbox.ops()]
    assert told == [
        ("checked_in", None), ("checked_in", None), ("checked_in", "Met at the building site"), ("done", None),
    ]  # fmt: skip
    screen.tap("Check in")
    (form,) = [one for one in screen.widgets() if hasattr(one, "reason")]
    form.reason.input.text = "The road is closed"
    screen.tap("Missed")
    told = [(op.body["d"]["state"], op.body["d"]["note"]) for op in screen.app.ctx.store.outbox.ops()[4:]]
    assert told == [("checked_in", None), ("checked_in", "The road is closed"), ("missed", None)]


def _is_planned(screen, visit_id):
    from mobile.screens.visit import VisitForm

    (form,) = screen.widgets(VisitForm)
    return (form.visit_id, form.typed.body["planned"]) == (visit_id, True)


def _states(screen):
    ops = screen.app.ctx.files.outbox.ops()
    return [op.body["d"].get("state") or op.e for op in ops if op.e in ("visit_event", "activity")]


def test_log_a_visit_opens_todays_planned_one_and_a_further_one_once_that_is_done(screen):
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap("Log a visit")
    assert _is_planned(screen, uid(3001))
    screen.tap("order")
    screen.tap("Save visit")
    screen.tap("Log a visit")
    assert not _is_planned(screen, uid(3001))
    assert screen.shows("Unplanned")


def test_a_missed_visit_is_undone_and_what_was_typed_is_there_again(screen):
    from mobile.screens.visit import VisitForm

    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    (form,) = screen.widgets(VisitForm)
    form.note.input.text = "Nobody opened"
    form.step.subject.input.text = "Call first"
    screen.tap("Missed")
    assert _states(screen) == ["missed", "activity"]
    assert screen.shows("Marked missed: Müller GmbH")
    screen.tap("Undo")
    assert _states(screen) == []
    assert _is_planned(screen, uid(3001))
    (form,) = screen.widgets(VisitForm)
    assert (form.note.value, form.step.subject.value) == ("Nobody opened", "Call first")
    assert screen.app.ctx.files.cache.doc("visit", uid(3001))["state"] == "planned"
    screen.app.back()
    screen.frames()
    assert not screen.shows("The rest of the day"), "the way back leads to the day"
    assert screen.shows("Next stop")


@pytest.mark.parametrize("way", ["today", "account", "visit"])
def test_a_missed_visit_is_undone_from_its_stop_after_the_app_was_closed_too(screen, way):
    from mobile.screens.visit import VisitForm

    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    (form,) = screen.widgets(VisitForm)
    form.note.input.text = "Nobody opened"
    screen.tap("Missed")
    screen.app.stage.clear_widgets()
    screen.app.ctx.forget()
    screen.app.go("today")
    if way != "today":
        screen.app.go(way, account_id=uid(1001), **({"visit_id": uid(3001)} if way == "visit" else {}))
    screen.frames()
    screen.tap("Undo" if way == "today" else "Undo: not missed")
    assert _states(screen) == []
    (form,) = screen.widgets(VisitForm)
    assert form.note.value == "Nobody opened"


def test_a_day_that_is_over_is_said_and_no_order_is_offered(screen, monkeypatch):
    day = screen.app.ctx.today
    rest = restday.ahead_of(screen.app.ctx.files, screen.app.ctx.user_id, day)
    over = replace(rest, is_over=True, closes_at=rest.midnight + timedelta(hours=17))
    monkeypatch.setattr(restday, "ahead_of", lambda *_args: over)
    screen.app.go("replan", day=day)
    screen.frames()
    assert screen.shows("The day has been over since 17:00: nobody is left to plan. The way home takes")
    assert not screen.shows("Take this order")
    screen.app.go("today")
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Missed")
    assert not screen.shows("The rest of the day")
    assert screen.shows("Marked missed: Müller GmbH")


def test_an_order_of_nobody_is_not_offered_and_minutes_are_said(screen, monkeypatch):
    from kivy.uix.label import Label

    from mobile.screens import replan as page

    ctx, day = screen.app.ctx, screen.app.ctx.today
    rest = restday.ahead_of(ctx.files, ctx.user_id, day)
    nobody = restday.propose(replace(rest, ahead=replace(rest.ahead, close_s=rest.ahead.open_s)), spent=lambda: 1.0)
    told = [w.text for part in page._page(ctx, nobody) for w in part.walk() if isinstance(w, Label)]
    assert any(text.startswith("Nobody fits into the day any more") for text in told)
    assert "Take this order" not in told
    stop = next(iter(rest.shown.values()))
    before = rest.midnight + timedelta(hours=14, minutes=40)
    for minutes, said in ((-2, "2 min earlier"), (3, "3 min later"), (0, "unchanged")):
        change = restday.Change(stop, before, before + timedelta(minutes=minutes))
        told = [w.text for w in page._line(ctx, change, before, before.tzinfo).walk() if isinstance(w, Label)]
        assert any(text.startswith(said) for text in told), told


def test_a_missed_visit_that_was_sent_can_still_be_made(screen, world):
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Missed")
    outbox = screen.app.ctx.files.outbox
    assert outbox.mark_sent(outbox.ops())
    screen.tap("Undo")
    assert screen.shows("It may be on the server already.")
    assert screen.shows("This visit is marked missed.")
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap("Visited after all")
    assert _is_planned(screen, uid(3001))
    screen.tap("Save visit")
    assert screen.shows("Choose an outcome first."), "that nobody was there is not the outcome any more"
    screen.tap("order")
    screen.tap("Save visit")
    assert _states(screen) == ["missed", "done"]
    assert not screen.shows("Visited after all")


def test_from_a_visit_one_comes_to_its_account(screen):
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("To the account")
    assert screen.shows("Cooling drips")


@pytest.mark.parametrize("accuracy_m", [0.0, -1.0, 1e9, float("inf"), float("nan")])
def test_a_receiver_that_tells_no_accuracy_lets_one_check_in(open_app, world, accuracy_m):
    screen = open_app(world.folder, syncing=False, position=Standing(9.5205, accuracy_m))
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Check in")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert op.body["d"]["checkin"]["accuracy_m"] == (0.0 if accuracy_m == 0 else 100_000.0)
    screen.tap("order")
    screen.tap("Save visit")
    assert len(screen.app.ctx.store.outbox.ops()) == 2


def test_a_day_is_told_done_only_where_all_of_it_is_and_the_break_stands_between_the_stops(world, open_app):
    rows, today = world.server.world.rows, clock.now().date().isoformat()
    route = {"break_starts_at": f"{today}T12:00:00Z", "break_s": 2700}
    world.server.put("route", uid(5000), rows["route", uid(5000)]["d"] | route, 7)
    for n, hour in ((1, 9), (2, 11), (3, 13), (4, 15)):
        times = {"arrives_at": f"{today}T{hour:02}:00:00Z", "starts_at": f"{today}T{hour:02}:00:00Z"}
        world.server.put("stop", uid(4000 + n), rows["stop", uid(4000 + n)]["d"] | times, 7)
        state = {"state": "missed" if n == 2 else "done"}
        world.server.put("visit", uid(3000 + n), rows["visit", uid(3000 + n)]["d"] | state, 7)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    assert screen.shows("No visit of this day lies ahead: 3 done, 1 missed.")
    lines = [one for one in screen.words() if one in ("11:00", "13:00", "Break until 12:45")]
    assert lines == ["11:00", "Break until 12:45", "13:00"]
    screen.app.on_stop()
    world.server.put("visit", uid(3002), rows["visit", uid(3002)]["d"] | {"state": "done"}, 7)
    assert world.sync().ok
    world.kill()
    assert open_app(world.folder, syncing=False).shows("All visits of this day are done.")


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_last_open_stop_has_its_undo_at_once_below_a_name_that_can_be_read(screen, monkeypatch, language):
    from kivy.metrics import dp

    from mobile.widgets.base import Text
    from mobile.widgets.controls import PushButton

    screen.app.choose("language", language)
    screen.resize(SIZES["small phone"])
    words = screen.app.ctx.words
    monkeypatch.setattr(restday, "ahead_of", lambda *_args: None)  # nobody else is left
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap(words("missed"))
    undo = [w for w in screen.app.stage.screen.walk() if isinstance(w, PushButton) and w.label == words("undo")]
    assert len(undo) == 1, "on the row itself, beside the one that floats"
    name = next(w for w in undo[0].parent.walk() if isinstance(w, Text) and w.text == "Müller GmbH")
    assert name.width >= dp(180)
    assert name.height < dp(32), "one line"
    screen.resize(SIZES["phone"])


def test_an_order_that_has_arrived_says_so_in_the_visit_and_what_is_typed_stays(screen, monkeypatch):
    from mobile.field import records
    from mobile.field.sync.run import Report
    from mobile.screens.visit import VisitForm

    order = {"id": uid(7001), "account_id": uid(1001), "lines": [{}], "day": "2026-11-26", "currency": "CHF"}
    monkeypatch.setattr(records, "orders_on", lambda *_: [order | {"state": None}])
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    assert screen.shows("saved here, becomes a draft in the office")
    (form,) = screen.widgets(VisitForm)
    form.note.input.text = "Twelve more"
    monkeypatch.setattr(records, "orders_on", lambda *_: [order | {"state": "draft", "gross": "24.65"}])
    screen.app.worker = object()
    screen.app._synced(Report(ok=True, results={"applied": 1}))
    screen.frames()
    screen.app.worker = None
    assert not screen.shows("saved here")
    assert screen.shows("24.65 CHF")
    assert screen.widgets(VisitForm) == [form]
    assert form.note.input.text == "Twelve more"
