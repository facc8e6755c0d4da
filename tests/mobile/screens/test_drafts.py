"""What is typed into a form is there again after the app was killed."""

import json
import signal
import subprocess
import sys

import pytest
from PIL import Image

from mobile.field import locking, photos, reads, rights
from mobile.field.home import SignedIn
from mobile.field.store.outbox import Outbox
from tests.mobile.conftest import uid
from tests.mobile.screens.conftest import edit_form

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


def test_an_edit_from_a_draft_says_what_the_form_showed_when_it_was_opened(world, screen):
    store = screen.app.ctx.store
    rev, shown = store.cache.shown("account", uid(1001))
    edit_form(screen).fields["phone"].input.text = "+423 9"
    screen.app.go("today")
    screen.frames()
    world.server.put("account", uid(1001), shown | {"phone": "+423 5", "website": "new.example"}, 412)
    assert world.sync().ok
    world.kill()
    assert store.cache.shown("account", uid(1001))[0] > rev
    form = edit_form(screen)
    assert (form.fields["phone"].value, form.fields["website"].value) == ("+423 9", shown.get("website") or "")
    screen.tap("Save")
    (op,) = store.outbox.ops()
    assert (op.body["base_rev"], op.body["f"]) == (rev, {"phone": [shown.get("phone"), "+423 9"]})
    assert store.outbox.drafts.all() == []


def test_a_form_that_is_typed_back_to_what_it_showed_is_no_draft(screen):
    form = edit_form(screen)
    held = form.fields["phone"].input.text
    form.fields["phone"].input.text = "+423 9"
    assert len(screen.app.ctx.store.outbox.drafts.all()) == 1
    form.fields["phone"].input.text = held
    assert screen.app.ctx.store.outbox.drafts.all() == []


def test_an_edit_is_saved_whole_or_not_at_all(world, screen, monkeypatch):
    form = edit_form(screen)
    form.fields["phone"].input.text, form.tags.input.text = "+423 9", "bread"
    append = Outbox.append

    def dying(self, body, *args, **kwargs):
        if body["k"] == "setadd":
            raise KeyboardInterrupt
        return append(self, body, *args, **kwargs)

    monkeypatch.setattr(Outbox, "append", dying)
    with pytest.raises(KeyboardInterrupt):
        form.save()
    monkeypatch.undo()
    assert world.store.outbox.ops() == []
    assert len(world.store.outbox.drafts.all()) == 1
    world.kill()
    form.save()
    kinds = [op.kind for op in world.store.outbox.ops()]
    assert (kinds[:2], world.store.outbox.drafts.all()) == (["patch", "setadd"], [])
    world.kill()


def test_the_next_user_sees_nothing_of_it_and_the_first_one_finds_it_again(world, screen):
    app = screen.app
    who = app.phone.home.signed_in()
    edit_form(screen).fields["note"].input.text = "Asks for credit"
    screen.app.go("accounts", text="Müller")
    screen.app.go("nearby", layer="lead")
    app.choose("hidden_layers", "prospect")
    screen.frames()
    app.ctx.day, app.ctx.view, app.ctx.problem = app.ctx.today, ("a day", "a view"), "a problem"
    app.ctx.search = "Müller"
    app.sign_out()
    app.phone.home.remember(SignedIn(who.server, uid(77), "otto", "Otto Other", "rep"))
    app.go("signed_in")
    screen.frames()
    for place in ("today", "accounts", "more"):
        app.go(place)
        screen.frames()
        assert not screen.shows("Not finished")
        assert not screen.shows("Müller")
    ctx = app.ctx
    assert (ctx.search, ctx.day, ctx.view, ctx.problem, ctx.accounts().search("")) == ("", None, None, None, [])
    chosen = app.phone.settings()
    assert (chosen["nearby"], chosen["hidden_layers"]) == ("all ", "")
    app.sign_out()
    app.phone.home.remember(who)
    app.go("signed_in")
    screen.frames()
    assert (app.phone.settings()["nearby"], app.phone.settings()["hidden_layers"]) == ("lead ", "prospect")
    screen.tap("Change of the account: Müller GmbH")
    assert edit_form(screen).fields["note"].value == "Asks for credit"

    app.phone.close_data(ctx.store)  # days without the server
    ctx.store = None
    app.go("signed_in")
    screen.frames()
    screen.tap("Change of the account: Müller GmbH")
    assert screen.shows("What this is about is not on this phone now")
    assert screen.shows("Asks for credit")
    app.ctx.store.close()
    app.ctx.store = None
    app.phone.home.wipe(who.user_id)
    assert not app.phone.home.user_folder(who.user_id).exists()
    app.go("sign_in")


def test_what_was_typed_of_something_that_left_is_read_and_saved_once_it_is_back(world, screen):
    from tests.mobile.screens.typing_rep import FORMS

    screen.app.ctx.store.outbox.meta.set(rights.CLOSED, "[]")
    for _name, form, arguments, rep in FORMS:
        screen.app.go(form, **arguments)
        screen.frames()
        rep(screen)
    cache = screen.app.ctx.store.cache
    gone = [("account", 1001), ("account", 1002), ("site", 2001), ("contact", 6001), ("prospect", 7001)]
    gone += [("activity", 6403)]
    kept = [(e, uid(n), *cache.base(e, uid(n))) for e, n in gone]
    for e, n in gone:
        cache.remove(e, uid(n))
    said = {"Order": "Milch 1 l × 1, Käse × 6", "Next step": "Bring samples", "Change": "Ring twice", "Add": "Zita",
            "Change the": "Näscher-Frei", "Proposed": "Behind the yard", "Make": "Bread?",
            "Visit": "Nobody", "Next step: Call": "in Chur"}  # fmt: skip
    screen.app.go("unfinished")
    screen.frames()
    for name, form, *_ in FORMS:
        screen.tap(name)
        is_free = form in ("lead", "new_account")
        assert screen.shows("is not on this phone now") != is_free, name
        for word in () if is_free else [text for key, text in said.items() if name.startswith(key)][-1:]:
            for part in word.split(", "):
                assert screen.shows(part), (name, screen.words())
        screen.tap("back")
    for e, row_id, rev, base in kept:
        cache.put_base(e, row_id, rev, base)
    screen.tap("Order: Müller GmbH")
    screen.tap("Save the order")  # one quantity is none
    screen.tap("less of Milch 1 l")
    screen.tap("Save the order")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert [line["quantity"] for line in op.body["d"]["lines"]] == ["6"]


def test_products_that_are_not_sold_any_more_are_named_and_stay_in_the_draft(screen):
    from mobile.screens.order import OrderPad

    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    screen.tap("one more Milch 1 l")
    screen.tap("one more Käse")
    store = screen.app.ctx.store
    rev, base = store.cache.base("product", uid(6802))
    store.cache.put_base("product", uid(6802), rev, base | {"is_active": False})
    screen.app.again()
    screen.frames()
    assert screen.shows("Not to be had here any more: Käse × 6")
    (pad,) = screen.widgets(OrderPad)
    pad.type(pad.found[0], "0.5")  # less than is sold, which is said when it is saved
    store.cache.put_base("product", uid(6802), rev, base)
    screen.app.again()
    screen.frames()
    (pad,) = screen.widgets(OrderPad)
    assert {key: str(much) for key, much in pad.chosen.items()} == {uid(6801): "0.5", uid(6802): "6"}
    assert pad.gone == {}


def test_a_signature_that_is_not_taken_over_yet_is_there_again_and_is_none_of_the_visit(screen):
    from mobile.screens.signing import Signing
    from mobile.widgets.ink import InkPad

    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Have it signed")
    (pad,) = screen.widgets(InkPad)
    screen.drag((pad.x + 20, pad.y + 20), (pad.x + 120, pad.y + 60))
    screen.widgets(Signing)[0].name.input.text = "Anna"
    drawn = pad.strokes
    screen.app.again()
    screen.frames()
    assert (screen.widgets(Signing)[0].name.value, screen.widgets(InkPad)[0].strokes) == ("Anna", drawn)
    screen.tap("back")
    assert not screen.shows("Signed by")
    screen.tap("Have it signed")
    screen.tap("Done")
    assert screen.shows("Signed by Anna")
    (draft,) = screen.app.ctx.store.outbox.drafts.all()
    assert ("ink" in draft.body, draft.body["signature"]["strokes"]) == (False, drawn)


def test_photos_of_a_visit_that_nobody_planned_go_with_its_check_in_and_it_is_found_again(open_app, world, lens):
    from mobile.device.desktop import FolderCamera
    from mobile.screens.visit import VisitForm

    screen = open_app(world.folder, syncing=False, camera=FolderCamera(lens))
    screen.app.go("visit", account_id=uid(1002))
    screen.frames()
    screen.tap("Take a photo")
    screen.tap("Check in")
    store = screen.app.ctx.store
    (form,) = screen.widgets(VisitForm)
    assert [op.e for op in store.outbox.ops()] == ["visit_event", "attachment"]
    assert not screen.app.trail[-1][1].get("visit_id")
    screen.app.go("today")
    screen.frames()
    assert not screen.shows("Not finished"), "nothing is typed that is not saved"
    screen.app.go("visit", account_id=uid(1002))
    screen.frames()
    assert screen.widgets(VisitForm)[0].visit_id == form.visit_id
    screen.tap("order")
    screen.tap("Save visit")
    assert [op.e for op in store.outbox.ops()] == ["visit_event", "attachment", "visit_event"]
    assert store.outbox.drafts.all() == []


def test_the_pin_after_idle_shows_nothing_of_a_form_and_takes_nothing_from_it(screen):
    from mobile.screens.steps import StepFields

    screen.app.go("next_step", account_id=uid(1001))
    screen.frames()
    screen.widgets(StepFields)[0].subject.input.text = "Bring samples"
    locking.set_pin(screen.app.phone.secrets, screen.app.ctx.user_id, "4711")
    screen.app.guard.asks = True
    screen.app.again()
    screen.frames()
    assert not screen.shows("Not finished")
    for key in "4711":
        screen.tap(key)
    screen.tap("Unlock")
    assert screen.widgets(StepFields)[0].subject.value == "Bring samples"
    assert screen.shows("Not finished: typed at ")
