"""The other places of the app: accounts, week, nearby, settings, the recorded way."""

from datetime import timedelta

import pytest

from mobile.field import holdings, taking, tracks
from mobile.field.agenda import monday_of
from mobile.field.checkin import Fix
from mobile.field.store import clock
from tests.mobile.conftest import uid
from tests.mobile.window import recorded_all_day

pytestmark = pytest.mark.window


def test_rows_of_the_account_list_follow_the_appearance(screen):
    from mobile.screens.accounts import AccountList, AccountRow
    from mobile.widgets.base import colour

    screen.tap("Accounts")
    (accounts,) = screen.widgets(AccountList)
    accounts.field.input.text = "Hotel"  # the rows of the others are kept for later
    screen.frames()
    for appearance in ("dark", "light"):
        screen.app.go("settings")
        screen.frames()
        screen.app.choose("appearance", appearance)
        screen.frames()
        screen.tap("back")
        (row,) = screen.widgets(AccountRow)
        assert tuple(row.fill_colour.rgba) == colour("ground"), appearance


def test_the_week_the_neighbours_a_time_and_the_settings(screen):
    """One walk through the screens beside the day."""
    screen.tap("Week")
    screen.frames()
    name = screen.app.ctx.words.day(screen.app.ctx.today)
    store = screen.app.ctx.store
    row = {"kind": "task", "owner_id": screen.app.ctx.user_id, "state": "open", "priority": "normal"}
    sunday = monday_of(screen.app.ctx.today) - timedelta(days=1)
    late = row | {"id": uid(8100), "subject": "Ask for the list", "due_on": sunday.isoformat()}
    store.cache.put_base("activity", uid(8100), 1, late)
    screen.app.instead("week", monday=monday_of(sunday))
    screen.frames()
    assert "late  ·  Task" in screen.words()
    store.cache.remove("activity", uid(8100))
    screen.tap("back")
    screen.tap("Week")
    screen.frames()
    (heading,) = [w for w in screen.widgets() if getattr(w, "text", "") == name]
    assert 0 < heading.to_window(*heading.center)[1] < screen.window.height - 64, "today is what one sees"
    for words in ("Talk with the sales lead", "Call the printer", "Müller GmbH"):
        assert screen.shows(words), words
    screen.tap("Talk with the sales lead")
    assert screen.shows("Office")
    screen.tap("Done")
    assert not screen.shows("Office"), "it leads back to the week"
    assert screen.app.ctx.store.cache.doc("activity", uid(6402))["state"] == "done"
    screen.tap("next week")
    assert not screen.shows("Call the printer")
    screen.tap("back")
    assert screen.shows("Next stop"), "turning the pages leaves no trail"

    screen.tap("More")
    screen.tap("Nearby")
    assert screen.shows("Hotel Post")
    screen.tap("Leads")
    assert not screen.shows("Hotel Post")
    screen.tap("Hofladen Beck")
    assert screen.shows("Wants samples")

    screen.app.go("account", account_id=uid(1009))
    screen.frames()
    screen.tap("Find a time")
    chip = next(w.label for w in screen.widgets() if "(+" in str(getattr(w, "label", "")))
    screen.tap(chip)
    screen.tap("Keep this time")
    op = screen.app.ctx.store.outbox.ops()[-1]
    assert (op.body["d"]["kind"], op.body["d"]["account_id"]) == ("meeting", uid(1009))
    assert screen.shows("Log a visit"), "back at the account"
    screen.tap("Find a time")
    assert chip not in [getattr(w, "label", None) for w in screen.widgets()], "that hour is taken now"

    screen.app.go("settings")
    screen.frames()
    for words in ("Accounts", "< 0.1 MB", "Works without a network", "0.1.0"):
        assert screen.shows(words), words
    news = "This phone is given 150,000 rows at most."
    assert not screen.shows(news)
    left_out = [{"kind": "prospects", "name": "Unterland", "rows": 500}, {"kind": "territory", "name": None, "rows": 1}]
    said = {"rows": 149_800, "max_rows": 150_000, "left_out": left_out, "further": 1}
    holdings.heard(screen.app.ctx.files.outbox, said)
    screen.app.go("settings")
    screen.frames()
    for words in (
        news,
        "Firms in Unterland (rows: 500)",
        "ground of no territory (rows: 1)",
        "1 more area",
        "ask whoever",
    ):
        assert screen.shows(words), words
    holdings.heard(screen.app.ctx.files.outbox, None)


def test_the_rep_is_told_of_the_recorded_way_sees_it_on_the_map_and_pauses_it(screen, monkeypatch):
    from mobile.screens.map_view import DayMap

    outbox, news = screen.app.ctx.files.outbox, "Your company records the way you drive while you work."
    screen.app.go("settings")
    assert screen.shows("does not record the way you drive")
    tracks.heard(outbox, recorded_all_day())
    monkeypatch.setattr(tracks, "EVERY_S", 0)
    for metres in (0, 60, 120):
        place = Fix(9.52 + metres / 75_000, 47.14, 12, clock.now())
        monkeypatch.setattr(screen.app.phone.position, "fix", lambda at=place: at)
        screen.app.footsteps.look()
    screen.app.go("today")
    screen.frames()
    assert screen.shows(news)
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    kinds = lambda: [kind for _points, kind in day_map.map.lines]  # noqa: E731
    assert kinds()[0] == "track"
    screen.tap("Layers")
    screen.tap("Where I drove")
    assert "track" not in kinds()
    screen.app.go("today")
    screen.frames()
    screen.tap("See what is recorded")
    assert screen.shows("Recording · places today: 3")
    screen.frames(4)
    (pause,) = (one for one in screen.widgets() if getattr(one, "label", None) == "Pause for today")
    assert 0 < pause.to_window(*pause.center)[1] < screen.window.height, "where it is told, not at the head of the page"
    screen.tap("Pause for today")
    assert screen.shows("Paused until midnight")
    screen.tap("Record again")
    assert [op.body["d"]["kind"] for op in outbox.ops()] == ["way", "pause", "resume"]
    screen.app.go("today")
    assert not screen.shows(news), "told once"
    screen.app.go("sync")
    assert screen.shows("Pause of the recording")


def test_search_finds_across_accents_and_opens_the_card(screen):
    from mobile.screens.accounts import AccountList

    screen.tap("Accounts")
    (accounts,) = screen.widgets(AccountList)
    accounts.field.input.text = "muller"
    screen.frames()
    assert screen.shows("1 account")
    screen.tap("Müller GmbH")
    assert screen.shows("Log a visit")
    assert screen.shows("Vaduz")
    accounts.find("zzz")


def test_search_finds_the_account_of_whoever_called(screen):
    from mobile.screens.accounts import AccountList

    taking.new_contact(screen.app.ctx.files, uid(1001), first_name="Eva", last_name="Heeb", phone="+423 378 46 27")
    screen.tap("Accounts")
    (accounts,) = screen.widgets(AccountList)
    accounts.field.input.text = "3784627"
    screen.frames()
    assert screen.shows("Eva Heeb, +423 378 46 27")
    screen.tap("Müller GmbH")
    assert screen.shows("Log a visit")


def test_back_leads_where_one_came_from(screen):
    screen.app.go("accounts")
    screen.app.go("account", account_id=uid(1001))
    screen.app.go("visit", account_id=uid(1001))
    screen.frames()
    screen.tap("back")
    assert screen.shows("Log a visit")
    screen.tap("back")
    assert screen.shows("5 accounts")


def test_one_entry_is_one_and_what_a_draft_holds_begins_with_a_capital(screen):
    from mobile.screens import unfinished

    taking.next_step(screen.app.ctx.files, uid(1001), "Send the list", due_on="2026-12-01")
    screen.app.go("settings")
    screen.frames()
    assert screen.shows("1 entry is not sent yet. Sync first, then sign out.")
    told = list(unfinished.read(screen.app.ctx, {"first_name": "Otto", "note": "At noon"}))
    assert told == [("First name", "Otto"), ("Note", "At noon")]
