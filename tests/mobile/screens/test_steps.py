"""Next steps: every one is reached, and can be on any day."""

from datetime import date, timedelta

import pytest

from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


def test_every_next_step_is_reached_moved_and_said_in_other_words(screen):
    from mobile.screens.steps import TaskEdit

    store, me = screen.app.ctx.store, screen.app.ctx.user_id
    task = {"kind": "task", "owner_id": me, "state": "open", "priority": "normal", "account_id": uid(1001)}
    with store.page():
        for n in range(24):
            row = task | {"id": uid(8000 + n), "subject": f"Step {n:02}", "due_on": f"2098-01-{n + 1:02}"}
            store.cache.put_base("activity", row["id"], 1, row)
    screen.tap("More")
    assert not screen.shows("Step 23")
    (more,) = [w.label for w in screen.widgets() if str(getattr(w, "label", "")).endswith(" more")]
    screen.tap(more)
    screen.tap("Step 23")
    (form,) = screen.widgets(TaskEdit)
    form.subject.input.text = ""
    screen.tap("Save")
    assert screen.shows("Say in a few words")
    form.subject.input.text, form.note.input.text = "Step 24", "with samples"
    screen.tap("month after")
    screen.tap(screen.app.ctx.words.day(date(2098, 2, 7)))
    screen.app.go("today")
    screen.frames()
    screen.tap("Next step: Step 23")
    assert screen.shows("Feb 2098"), "it was kept as it was typed"
    screen.tap("Save")
    assert screen.shows("Saved on this phone.")
    (op,) = store.outbox.ops()
    changed = {
        "subject": ["Step 23", "Step 24"],
        "note": [None, "with samples"],
        "due_on": ["2098-01-24", "2098-02-07"],
    }
    assert (op.e, op.body["f"]) == ("activity", changed)
    assert store.outbox.drafts.all() == []
    screen.app.go("entry", activity_id=uid(8001))
    screen.frames()
    screen.widgets(TaskEdit)[0].note.input.text = "Rang twice"
    screen.tap("Done")
    assert store.outbox.ops()[-1].body["f"] == {"note": [None, "Rang twice"], "state": ["open", "done"]}, "all of it"
    screen.app.go("entry", activity_id=uid(8002))
    screen.frames()
    screen.widgets(TaskEdit)[0].note.input.text = "Rang once"
    store.cache.put_base("activity", uid(8002), 2, store.cache.doc("activity", uid(8002)) | {"state": "done"})
    screen.app.go("entry", activity_id=uid(8002))
    screen.frames()
    assert screen.shows("It cannot be changed any more.")
    assert screen.shows("Rang once")
    screen.tap("Discard")
    screen.tap("Discard it for good")
    assert store.outbox.drafts.all() == []


def test_a_new_next_step_can_be_on_any_day(screen):
    from mobile.widgets.controls import Field

    ctx = screen.app.ctx
    screen.app.go("next_step", account_id=uid(1001))
    screen.frames()
    screen.widgets(Field)[0].input.text = "Bring samples"
    screen.tap("Another day")
    month = (ctx.today + timedelta(days=7)).replace(day=1)  # a week from now is what is offered first
    for _ in range(14):
        screen.tap("month after")
        month = (month + timedelta(days=31)).replace(day=1)
    screen.tap(ctx.words.day(month.replace(day=9)))
    screen.tap("Save")
    (op,) = ctx.store.outbox.ops()
    assert op.body["d"]["due_on"] == month.replace(day=9).isoformat()
