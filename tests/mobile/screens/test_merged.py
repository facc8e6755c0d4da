"""What is typed or asked of an account that the office merges meanwhile."""

import pytest

from mobile.field.capture import edit
from tests.mobile.conftest import uid
from tests.mobile.screens.conftest import edit_form

pytestmark = pytest.mark.window


def test_a_form_about_an_account_that_was_merged_meanwhile_opens_and_is_saved(world, screen):
    screen.app.go("next_step", account_id=uid(1002))
    screen.frames()
    (fields,) = [one for one in screen.widgets() if hasattr(one, "subject")]
    fields.subject.input.text = "Bring samples"
    account = world.server.world.rows["account", uid(1002)]["d"]
    world.server.put("account", uid(1002), account | {"merged_into": uid(1001)}, 412)
    assert world.sync().ok
    world.kill()
    screen.app.go("today")
    screen.frames()
    screen.tap("Next step: Bäckerei Näscher")
    screen.tap("Save")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.e, op.body["d"]["subject"]) == ("activity", "Bring samples")


def test_a_form_about_an_account_that_was_merged_away_says_into_which_and_goes_on_there(world, screen):
    cache = screen.app.ctx.store.cache
    form = edit_form(screen)
    held = form.account["phone"]
    form.fields["phone"].input.text = "+423 9"
    world.server.merged = {uid(1001): uid(1002)}
    world.server.put("account", uid(1001), None)
    other = world.server.world.rows["account", uid(1002)]["d"]
    world.server.put("account", uid(1002), other | {"phone": "+423 2"})
    assert world.sync().ok
    world.kill()
    screen.app.go("unfinished")
    screen.frames()
    screen.tap("Change of the account: Müller GmbH")
    assert screen.shows("The office has merged “Müller GmbH” into “Bäckerei Näscher”.")
    screen.tap("Open Bäckerei Näscher")
    (form,) = screen.widgets(type(form))
    assert (form.account_id, form.fields["phone"].value) == (uid(1002), "+423 9")
    assert screen.shows("Bäckerei Näscher")
    screen.tap("Save")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.row_id, op.body["base_rev"], op.body["f"]) == (uid(1002), 0, {"phone": [held, "+423 9"]})
    assert screen.app.ctx.store.outbox.drafts.all() == []
    assert cache.doc("account", uid(1001)) is None


def test_a_question_about_an_account_that_was_merged_away_is_called_by_what_it_became(world, screen):
    op = edit(world.store, "account", uid(1001), {"note": "Ring twice"})
    met = {"id": "c", "field": "note", "base": None, "mine": "Ring twice", "server": "Shut", "by": None, "at": None}
    world.store.outbox.acknowledge(
        op.n, "conflict", {"conflicts": [met | {"policy": "keep_server", "kind": "concurrent"}]}
    )
    world.server.merged = {uid(1001): uid(1002)}
    world.server.put("account", uid(1001), None)
    world.server.world.devices[world.store.outbox.meta.get("device_id")]["last_n"] = op.n
    assert world.sync().ok
    world.kill()
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Change of the account: Bäckerei Näscher")


def test_two_drafts_of_one_account_are_told_apart_and_each_row_opens_its_own(world, screen):
    store = screen.app.ctx.store
    edit_form(screen).fields["note"].input.text = "Typed at Müller's"
    screen.app.go("edit_account", account_id=uid(1002))
    screen.frames()
    (form,) = [one for one in screen.widgets() if hasattr(one, "warning")]
    form.fields["note"].input.text = "Typed at Näscher's"
    world.server.merged = {uid(1001): uid(1002)}
    world.server.put("account", uid(1001), None)
    assert world.sync().ok
    world.kill()
    screen.app.go("unfinished")
    screen.frames()
    screen.tap("Change of the account: Müller GmbH")
    screen.tap("Open Bäckerei Näscher")

    def note():
        return next(one for one in screen.widgets() if hasattr(one, "warning")).fields["note"]

    assert note().value == "Typed at Müller's", "and not what was typed at the other one"
    for nth in range(2):
        screen.app.go("unfinished")
        screen.frames()
        rows = [one.label for one in screen.widgets() if getattr(one, "label", "").startswith("Change of")]
        assert rows == ["Change of the account: Bäckerei Näscher"] * 2
        assert screen.shows("For Müller GmbH  ·  Not finished: typed at ")
        screen.tap(rows[nth], nth)
        said = note().value
        note().input.text = f"{said}!"
        screen.app.again()
        screen.frames()
        assert note().value == f"{said}!"
    assert sorted(one.body["note"] for one in store.outbox.drafts.all()) == [
        "Typed at Müller's!", "Typed at Näscher's!",
    ]  # fmt: skip
    screen.tap("Save")
    (left,) = store.outbox.drafts.all()
    (op,) = store.outbox.ops()
    assert {op.body["f"]["note"][1], left.body["note"]} == {"Typed at Müller's!", "Typed at Näscher's!"}
