"""A refused entry is opened again in its form, mended, and never entered twice."""

import pytest

from mobile.field import drafts, taking
from mobile.field.capture import edit, op_of
from mobile.field.store.drafts import Draft
from mobile.screens import trouble
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


def refused_person(world, screen):
    """A person that was refused, and is opened again to be mended."""
    op = taking.new_contact(world.store, uid(1001), first_name="Otto", last_name="Frick")
    world.server.reject.add(op.op_id)
    assert world.sync().results == {"rejected": 1}
    world.kill()
    screen.app.go("sync")
    screen.frames()
    screen.tap("Open")
    (draft,) = screen.app.ctx.store.outbox.drafts.all()
    assert (draft.body["first_name"], draft.body["mends"]) == ("Otto", op.op_id)
    world.server.taken = [{"op_id": op.op_id, "status": "applied"}]
    return op


def test_a_refused_entry_that_the_office_takes_is_not_entered_once_more(world, screen):
    from mobile.screens.editing import PersonForm

    refused_person(world, screen)
    (form,) = screen.widgets(PersonForm)
    assert world.sync().taken == 1
    assert world.store.outbox.drafts.all() == []
    world.kill()
    with pytest.raises(drafts.TakenMeanwhile) as refused:  # the form stands open still
        form.save()
    assert "it would be there twice" in trouble.told(screen.app.ctx.words, refused.value)
    assert [op.e for op in screen.app.ctx.store.outbox.ops()] == ["contact"]


def test_a_refused_entry_that_is_mended_and_saved_says_which_one_it_was(world, screen):
    from mobile.screens.editing import PersonForm

    op = refused_person(world, screen)
    (form,) = screen.widgets(PersonForm)
    form.fields["title"].input.text = "Dr."
    form.save()
    *_, again = screen.app.ctx.store.outbox.ops()
    assert (again.e, again.body["mends"], again.body["d"]["title"]) == ("contact", op.op_id, "Dr.")


def test_a_refused_change_of_what_stands_already_leaves_no_form(world):
    op = edit(world.store, "account", uid(1001), {"note": "Rings twice"})
    world.server.reject.add(op.op_id)
    assert world.sync().results == {"rejected": 1}
    account = world.server.world.rows["account", uid(1001)]["d"]
    world.server.put("account", uid(1001), account | {"note": "Rings twice"}, 412)
    world.sync()
    assert drafts.reopen(world.store, world.store.outbox.op(op.op_id)) == ("edit_account", {"account_id": uid(1001)})
    assert drafts.unfinished(world.store) == []


def test_an_answer_that_was_refused_opens_at_its_field_and_holds_nothing(world):
    op = world.store.save(op_of("patch", "account", uid(1001), base_rev=1, f={"note": ["", "x"]}, decides=uid(77)))
    world.server.reject.add(op.op_id)
    world.sync()
    form = {"account_id": uid(1001), "at": "note"}
    assert drafts.reopen(world.store, world.store.outbox.op(op.op_id)) == ("edit_account", form)
    assert drafts.unfinished(world.store) == []


def test_a_mended_change_names_the_refused_one_where_it_changes_the_same_field(world):
    one = edit(world.store, "account", uid(1001), {"note": "x" * 3})
    body = {"mends": one.op_id}

    def save(**changes):
        return drafts.finished(
            world.store, Draft("d", "", body), {}, lambda: edit(world.store, "account", uid(1001), changes)
        )

    ops = [world.store.at_once(lambda c=c: save(**c)) for c in ({"phone": "+423 1"}, {"note": "shorter"})]
    assert [op.body.get("mends") for op in ops] == [None, one.op_id]
    assert "mends" not in edit(world.store, "account", uid(1001), {"note": "later"}).body


def test_what_was_typed_since_into_an_entry_that_the_office_takes_is_read_and_leads_to_the_account(world, screen):
    from mobile.screens.editing import PersonForm

    refused_person(world, screen)
    screen.widgets(PersonForm)[0].fields["title"].input.text = "Dr."
    assert world.sync().taken == 1
    world.kill()
    screen.app.go("unfinished")
    screen.frames()
    screen.tap("Add a person: Otto Frick  ·  Müller GmbH")
    assert screen.shows("it would be there twice")
    assert screen.shows("Dr.")
    screen.tap("Open Müller GmbH")
    assert screen.app.trail[-1] == ("account", {"account_id": uid(1001)})
