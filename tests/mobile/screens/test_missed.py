"""A planned visit that is opened, missed, taken back or made after all, and the rest of its day."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mobile.field import restday
from tests.mobile.conftest import uid
from tests.mobile.window import SIZES

pytestmark = pytest.mark.window


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
