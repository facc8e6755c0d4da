"""The office changes what a visit asks while a phone holds answers: they are told, and go into its note."""

import pytest

from mobile.field import drafts
from tests.mobile.conftest import uid
from tests.mobile.screens.conftest import CHOICES, field_of

pytestmark = pytest.mark.window


def test_a_question_that_was_changed_does_not_take_what_was_chosen_before(world, open_app):
    from mobile.screens.questions import Questions

    screen = open_app(world.folder, syncing=False)
    typed = {"shelf": True, "size": "3", "day": ["s"], "who": 4}
    kinds = {"shelf": "choices", "size": "choice", "day": "text", "who": "number"}
    asked = [field_of("visit", key, kind) for key, kind in kinds.items()]
    form = Questions(screen.app.ctx, asked, typed)
    assert (typed, form.left) == ({"who": 4}, {"shelf": True, "size": "3", "day": ["s"]})


def asks(world, *questions, **more):
    """The office's kind of visit, with these questions."""
    kind = {"name": "Range talk", "position": 1, "archived": False, "form_version_id": uid(6502)}
    world.server.put("visit_type", uid(6501), kind | {"questions": list(questions)} | more, 412)


SHELF = {"key": "shelf", "label": "Shelf", "kind": "choice", "required": False, "choices": CHOICES}
SEEN = {"key": "seen", "label": "Competitors seen", "kind": "choices", "required": False, "choices": CHOICES}
CHANGED = {
    "taken away": (SHELF,), "asked otherwise": (SHELF, SEEN | {"kind": "number", "choices": []}),
    "other choices": (SHELF, SEEN | {"choices": [{"value": "b", "label": "Back"}]}), "archived": None,
}  # fmt: skip


def answered(world, open_app, *questions):
    """A visit whose form asks them, with what was chosen in it so far."""
    asks(world, *questions)
    assert world.sync().ok
    world.kill()
    visit = {"visit_id": uid(3001), "account_id": uid(1001)}
    screen = open_app(world.folder, syncing=False)
    screen.app.go("visit", **visit)
    screen.frames()
    for label in ("order", "Range talk", "Side"):
        screen.tap(label)
    return screen, visit


@pytest.mark.parametrize("how", CHANGED)
def test_answers_that_a_visit_does_not_ask_any_more_are_shown_and_go_into_its_note(world, open_app, how):
    screen, visit = answered(world, open_app, SHELF, SEEN)
    form = next(widget for widget in screen.widgets() if hasattr(widget, "asked"))
    form.asked.form.typed["seen"] = ["s", "f"]
    form.asked._answered()
    assert not screen.shows("The office has changed"), "nothing has"
    screen.app.on_stop()
    asked = CHANGED[how]
    asks(world, *(asked or (SHELF, SEEN)), archived=asked is None)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("visit", **visit)
    screen.frames()
    assert screen.shows("The office has changed what is asked on a visit.")
    assert screen.shows("Competitors seen")
    assert screen.shows("Side, Front"), "in the words that were chosen"
    if asked is not None and len(asked) > 1:
        assert screen.shows("“Side, Front” was entered before the office changed this question.")
    screen.tap("Save visit")
    (op,) = screen.app.ctx.files.outbox.ops()
    head, *lines = op.body["d"]["note"].splitlines()
    assert head == "“Range talk”, answered before the office changed what it asks:"
    assert lines == ["Competitors seen: Side, Front", *(["Shelf: Side"] if asked is None else [])]
    form = op.body["d"].get("form")
    assert form is None if asked is None else form["answers"] == {"shelf": "s"}
    assert drafts.unfinished(screen.app.ctx.files) == []


def test_another_kind_of_visit_that_the_rep_chose_takes_nothing_into_the_note(world, open_app):
    asks(world, SHELF)
    other = {"name": "Other talk", "position": 2, "archived": False, "form_version_id": uid(6504), "questions": []}
    world.server.put("visit_type", uid(6503), other, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    for label in ("order", "Range talk", "Side", "Other talk"):
        screen.tap(label)
    assert not screen.shows("The office has changed")
    screen.tap("Save visit")
    (op,) = screen.app.ctx.files.outbox.ops()
    assert (op.body["d"]["note"], op.body["d"]["form"]["answers"]) == (None, {})


def test_a_choice_whose_question_became_a_text_is_told_by_its_label(world, open_app):
    screen, visit = answered(world, open_app, SHELF)
    screen.app.on_stop()
    asks(world, SHELF | {"kind": "text", "choices": []})
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("visit", **visit)
    screen.frames()
    screen.tap("Save visit")
    (op,) = screen.app.ctx.files.outbox.ops()
    assert op.body["d"]["form"]["answers"] == {"shelf": "Side"}
