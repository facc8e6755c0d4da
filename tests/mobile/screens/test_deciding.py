"""A decision about a conflict that is taken back before anything of it was sent."""

import pytest

from mobile.field import conflicts
from mobile.field.capture import edit
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


def clash(store, *fields):
    """Edits of an account that somebody else changed too."""
    for number, field in enumerate(fields):
        op = edit(store, "account", uid(1001), {field: f"mine {number}"})
        met = {"id": f"c{number}", "field": field, "base": None, "mine": f"mine {number}", "server": "theirs"}
        met |= {"by": None, "at": None, "kind": "concurrent", "policy": "keep_server"}
        store.outbox.acknowledge(op.n, "conflict", {"n": op.n, "status": "conflict", "conflicts": [met]})
    store.rebuild_overlay()


def asked(store):
    return [one.conflict["id"] for one in conflicts.questions(store)]


def test_a_decision_is_taken_back_with_one_tap_and_the_question_stands_again(screen):
    store = screen.app.ctx.store
    clash(store, "phone")
    before = [op.op_id for op in store.outbox.ops()]
    screen.app.go("sync")
    screen.frames()
    screen.tap("Take mine")
    assert (asked(store), len(store.outbox.ops())) == ([], 2)
    screen.tap("Undo")
    assert screen.shows("Not decided any more")
    assert (asked(store), [op.op_id for op in store.outbox.ops()]) == (["c0"], before)
    assert screen.shows("you wrote “mine 0”")


def test_one_tap_for_all_fields_of_an_account_is_taken_back_as_one(screen):
    store = screen.app.ctx.store
    clash(store, "phone", "note")
    screen.app.go("sync")
    screen.frames()
    screen.tap("Take all mine")
    assert asked(store) == []
    screen.tap("Undo")
    assert sorted(asked(store)) == ["c0", "c1"]


def test_a_decision_that_waits_is_taken_back_later_and_one_that_was_sent_is_not(screen):
    store = screen.app.ctx.store
    clash(store, "phone")
    screen.app.go("sync")
    screen.frames()
    screen.tap("Keep the office's")
    screen.app.go("today")
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Undo: decide again"), "without a network it may wait for hours"
    store.outbox.mark_sent(store.outbox.ops(("queued",)))
    screen.tap("Undo: decide again")
    assert screen.shows("It may be on the server already")
    assert asked(store) == []
    screen.app.again()
    assert not screen.shows("Undo: decide again")
