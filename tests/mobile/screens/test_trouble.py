"""What the rep is told when something cannot be saved or opened."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from mobile.field import conflicts, taking
from mobile.field.capture import edit
from mobile.field.home import PhoneHome
from mobile.field.limits import Fault, Unfit
from mobile.field.store.outbox import OpTooLarge
from mobile.screens import trouble
from mobile.texts import Words
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


def test_a_value_that_the_server_would_not_take_is_refused_in_words_and_stays_in_its_field(screen):
    from kivy.base import ExceptionManager
    from kivy.uix.textinput import TextInput

    from mobile.screens.editing import AccountEdit

    screen.app.go("edit_account", account_id=uid(1001))
    screen.frames()
    field = screen.widgets(TextInput)[0]
    field.text = "+41 79 555 01 01 (mobile), +41 44 555 01 01 (office, mornings only)"
    with pytest.raises(Unfit) as refused:  # not by a tap: an error within a frame leaves the touch to other tests
        screen.widgets(AccountEdit)[0].save()
    assert ExceptionManager.handle_exception(refused.value) == ExceptionManager.PASS
    screen.frames()
    assert screen.shows("Phone: at most 60 characters; these are 67.")
    assert screen.widgets(AccountEdit)[0].warning.children, "in the form, until it is saved again"
    assert field.text.startswith("+41 79")
    assert screen.app.ctx.store.outbox.ops() == []
    assert ExceptionManager.handle_exception(RuntimeError("a bug")) == ExceptionManager.RAISE


def test_all_that_does_not_fit_in_a_form_is_told_at_once_and_nothing_of_it_is_saved(screen):
    from mobile.screens.editing import AccountEdit

    screen.app.go("edit_account", account_id=uid(1001))
    screen.frames()
    (form,) = screen.widgets(AccountEdit)
    for key, text in (("note", "new baker from May"), ("email", "anna@ bakery")):
        form.fields[key].input.text = text
    form.tags.input.text = "early"
    form.site.texts["opening_hours"].input.text = "mornings only"
    with pytest.raises(Unfit) as refused:
        form.save()
    assert trouble.told(Words("en"), refused.value).splitlines() == [
        "E-mail: “anna@ bakery” is not an e-mail address. Write it like name@example.com.",
        "Opening hours: “mornings only” is not understood. Write them like Mo-Fr 08:00-12:00,13:30-18:00.",
    ]
    assert screen.app.ctx.store.outbox.ops() == []
    form.fields["email"].input.text, form.site.texts["opening_hours"].input.text = "anna@bakery.li", "Mo-Fr 05:00-11:00"
    form.save()
    assert [op.kind for op in screen.app.ctx.store.outbox.ops()] == ["patch", "setadd", "patch"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_refusal_has_its_words(language):
    words = Words(language)
    values = {"most": 1, "length": 2, "value": 1}
    for code in ("too_long", "too_many", "no_email", "no_website", "no_phone", "no_hours"):
        assert trouble.told(words, Unfit(Fault("note", code, values)))
    for error in (OpTooLarge("large"), sqlite3.OperationalError("database or disk is full")):
        assert trouble.told(words, error)
    assert trouble.told(words, KeyError("a bug")) is None


def test_the_start_says_nothing_of_a_clipboard_that_is_not_there(tmp_path):
    start = "from mobile.__main__ import quiet; quiet(); import kivy.core.clipboard"
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "KIVY_HOME": str(tmp_path), "SDL_VIDEODRIVER": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", start], env=env | {"KIVY_NO_ARGS": "1"}, capture_output=True, text=True, check=True
    )
    assert [line for line in done.stderr.splitlines() if "xclip" in line.replace("clipboard_xclip", "")] == []


def test_a_start_that_cannot_open_the_files_says_so_and_can_be_tried_again(world, open_app, monkeypatch):
    def full(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(PhoneHome, "store", full)
    screen = open_app(world.folder, syncing=False)
    assert screen.shows("nothing of it is lost")
    screen.tap("Try again")
    assert screen.shows("nothing of it is lost")
    monkeypatch.undo()
    screen.tap("Try again")
    assert screen.shows("Next stop")


def test_an_entry_that_cannot_be_read_is_told_where_the_rep_looks_at_sync(world, open_app):
    from mobile.field.capture import visit_event
    from tests.mobile.field.conftest import TARGET
    from tests.mobile.field.test_storage_faults import torn_op

    torn_op(world.store, visit_event(world.store, TARGET, "done", outcome="order").op_id)
    world.kill()
    screen = open_app(world.folder, syncing=False)
    for place in ("today", "accounts", "sync"):
        screen.app.go(place)
        screen.frames()
    assert screen.shows("1 entry cannot be read any more.")
    assert screen.shows("1 needs you")
    assert not screen.shows("All on server")
    assert not screen.shows("Everything you saved is on the server.")


def test_a_start_that_could_not_open_the_files_goes_on_by_itself(world, open_app, monkeypatch):
    def torn(*_args):
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(trouble, "AGAIN_S", 0)
    with monkeypatch.context() as closed:
        closed.setattr(PhoneHome, "store", torn)
        screen = open_app(world.folder, syncing=False)
        assert screen.shows("nothing of it is lost")
    screen.until(lambda: screen.shows("Next stop"))


def test_a_file_that_is_damaged_under_the_open_app_is_mended_and_the_rep_goes_on_where_they_were(
    world, open_app, monkeypatch
):
    from kivy.base import ExceptionManager

    from mobile.screens.steps import StepFields

    monkeypatch.setattr(trouble, "AGAIN_S", 0)
    screen = open_app(world.folder, syncing=False)
    edit(screen.app.ctx.store, "account", uid(1001), {"phone": "2"})
    screen.app.go("next_step", account_id=uid(1001))
    screen.frames()
    screen.widgets(StepFields)[0].subject.input.text = "Bring samples"
    path = screen.app.ctx.store.outbox.path
    screen.app.ctx.store.outbox.db.execute("pragma wal_checkpoint(truncate)")
    page = screen.app.ctx.store.outbox.db.execute("select rootpage from sqlite_master where name='blob'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.DatabaseError) as damage:
        db.execute("select * from blob").fetchall()
    assert ExceptionManager.handle_exception(damage.value) == ExceptionManager.PASS
    screen.until(lambda: screen.widgets(StepFields))
    assert screen.widgets(StepFields)[0].subject.value == "Bring samples"
    assert [op.e for op in screen.app.ctx.store.outbox.ops()] == ["account"]
    assert list(world.store.folder.glob("outbox.db.damaged-*"))
    world.kill()


def test_what_was_set_aside_is_read_of_once_and_can_be_exported_still(world, open_app):
    from mobile.field.capture import visit_event
    from tests.mobile.field.conftest import TARGET
    from tests.mobile.field.test_storage_faults import torn_op

    torn_op(world.store, visit_event(world.store, TARGET, "done", outcome="order").op_id)
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    screen.tap("Understood")
    assert not screen.shows("1 entry cannot be read any more.")
    assert not screen.shows("1 needs you")
    assert not screen.shows("Everything you saved is on the server.")
    outbox = screen.app.ctx.store.outbox
    assert screen.app.phone.holds_unsent()
    outbox.aside.sent(outbox.aside.unsent())
    assert not screen.app.phone.holds_unsent()
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("1 entry that cannot be read any more is kept on this phone")
    assert any(getattr(one, "label", "") == "Export unsent work" for one in screen.widgets())


def deleted(world, **changes):
    """An account that the rep changed, or was at, and that the office has deleted meanwhile."""
    if changes:
        edit(world.store, "account", uid(1001), changes)
    world.server.put("account", uid(1001), None)
    for e, row_id in [key for key, row in world.server.world.rows.items() if row["d"].get("account_id") == uid(1001)]:
        world.server.put(e, row_id, None)
    assert world.sync().ok
    assert world.store.cache.doc("account", uid(1001)) is None


@pytest.mark.parametrize("may", [True, False])
def test_an_edit_of_an_account_that_was_deleted_says_whose_and_what_can_be_done(world, open_app, may):
    world.server.closed = [] if may else ["account.deleted_at"]
    deleted(world, note="Ring twice")
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Change of the account: Müller GmbH")
    assert screen.shows("you wrote “Ring twice”, but the office has deleted it meanwhile.")
    assert screen.shows("With your value it comes back.") == may
    assert screen.shows("Only the office can bring it back") != may
    if may:
        screen.tap("Bring it back")
        (answer,) = screen.app.ctx.store.outbox.ops(["queued"])
        assert answer.body["f"]["note"][1] == "Ring twice"
        assert screen.shows("Change of the account: Müller GmbH"), "what waits is called so too"
    else:
        screen.tap("Understood")
    assert conflicts.questions(screen.app.ctx.store) == []


def test_an_edit_of_a_site_that_was_removed_says_so_and_the_rep_brings_it_back(world, open_app):
    world.server.closed = ["account.deleted_at"]
    edit(world.store, "site", uid(2001), {"street": "Gasse 3"})
    world.server.put("site", uid(2001), None)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("you wrote “Gasse 3”, but the office has removed the site meanwhile.")
    assert not screen.shows("Only the office can bring it back")
    screen.tap("Bring it back")
    (answer,) = screen.app.ctx.store.outbox.ops(["queued"])
    assert (answer.e, answer.body["f"]["street"][1]) == ("site", "Gasse 3")


def test_an_answer_that_is_refused_is_no_second_entry_and_the_question_says_why(world, open_app):
    deleted(world, note="Ring twice")
    (question,) = conflicts.questions(world.store)
    op = conflicts.answer(world.store, question, mine=True)
    world.store.outbox.acknowledge(op.n, "rejected", {"error": {"code": "not_found", "msg": "No such account."}})
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("1 needs you")
    assert screen.words().count("Change of the account: Müller GmbH") == 1
    assert screen.shows("The server refused it: No such account.")
    assert not screen.shows("Bring it back")
    screen.tap("Understood")
    assert screen.shows("All on server")


def test_a_refused_entry_at_an_account_that_has_gone_is_called_by_it_still(world, open_app):
    op = taking.new_contact(world.store, uid(1001), first_name="Otto", last_name="Frick")
    world.server.reject.add(op.op_id)
    deleted(world)
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Otto Frick  ·  Müller GmbH")


def test_what_waits_for_a_sync_says_so_and_for_a_network_only_without_one(screen):
    edit(screen.app.ctx.store, "account", uid(1001), {"phone": "mine"})
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Goes with the next sync.")
    screen.app.ctx.problem = screen.app.ctx.words("err_unreachable")
    screen.app.again()
    screen.frames()
    assert screen.shows("Waits for a network.")


def test_an_account_that_the_office_brought_back_is_not_told_as_deleted(world, open_app):
    world.server.closed = ["account.deleted_at"]
    was = world.server.world.rows["account", uid(1001)]["d"]
    deleted(world, note="Ring twice")
    world.server.put("account", uid(1001), was | {"note": "Shut on Mondays"}, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("It is back, and says “Shut on Mondays”.")
    assert (screen.shows("the office has deleted it"), screen.shows("Only the office")) == (False, False)
    screen.tap("Take mine")
    (answer,) = screen.app.ctx.store.outbox.ops(["queued"])
    assert answer.body["f"] == {"note": ["Shut on Mondays", "Ring twice"]}
