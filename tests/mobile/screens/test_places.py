"""The other places of the app: search, week, settings, the recorded way; and that all of them fit."""

from datetime import date, datetime, timedelta

import pytest

from mobile.field import holdings, hours, rights, taking, tracks
from mobile.field.agenda import monday_of
from mobile.field.checkin import Fix
from mobile.field.store import clock
from mobile.field.store.cache import DELETED
from mobile.phone import Phone as AppPhone
from mobile.texts import Words
from tests.mobile.conftest import uid
from tests.mobile.window import SIZES, recorded_all_day

pytestmark = pytest.mark.window


@pytest.mark.parametrize(("hours", "late"), [(-2, True), (2, False)])
def test_a_next_stop_whose_time_is_past_is_late(world, open_app, hours, late):
    begins = (clock.now() + timedelta(hours=hours)).isoformat()
    for n in range(1, 5):
        stop = world.server.world.rows["stop", uid(4000 + n)]["d"]
        world.server.put("stop", uid(4000 + n), stop | {"arrives_at": begins, "starts_at": begins}, 7)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    (eyebrow,) = [words for words in screen.words() if words.startswith("Next stop")]
    assert eyebrow.endswith("late") == late


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
    for words in ("Accounts", "0.0 MB", "Works without a network", "0.1.0"):
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


def test_an_account_founded_here_is_called_new_and_shows_its_address_before_the_server_knows_it(screen):
    from mobile.field import taking

    new = taking.NewAccount("Elektro Buchel", street="Landstrasse 12", postcode="9491", city="Ruggell")
    founded = taking.new_account(screen.app.ctx.files, new).row_id
    screen.app.go("account", account_id=founded)
    screen.frames()
    assert screen.shows("Landstrasse 12, 9491 Ruggell")
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("New account: Elektro Buchel")
    assert not screen.shows("Change of the account")


def test_the_account_card_tells_what_is_overdue_and_what_happened_there(screen):
    server_says = {"account_class": "A", "last_visit_on": "2020-01-01"}
    doc = screen.app.ctx.files.cache.doc("account", uid(1001))
    screen.app.ctx.files.cache.put_base("account", uid(1001), 99, doc | server_says)
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    assert screen.shows("days overdue")
    labels = [w.label for w in screen.widgets() if getattr(w, "label", None)]
    assert {"Call", "Mail", "Navigate"} <= set(labels)
    texts = screen.words()
    assert texts.index("Timeline") < texts.index("Photos"), "what happened comes after what is due"


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


def test_back_leads_where_one_came_from(screen):
    screen.app.go("accounts")
    screen.app.go("account", account_id=uid(1001))
    screen.app.go("visit", account_id=uid(1001))
    screen.frames()
    screen.tap("back")
    assert screen.shows("Log a visit")
    screen.tap("back")
    assert screen.shows("5 accounts")


@pytest.mark.parametrize(
    ("size", "language", "appearance"),
    [("small phone", "de", "light"), ("phone", "en", "dark"), ("tablet", "de", "dark")],
)
def test_every_screen_fits_small_and_large_windows(open_app, world, size, language, appearance):
    from mobile.widgets.base import Touchable
    from mobile.widgets.controls import PushButton

    chosen = AppPhone(world.folder)
    chosen.choose("language", language)
    chosen.choose("appearance", appearance)
    screen = open_app(world.folder, syncing=False)
    screen.resize(SIZES[size])
    tracks.heard(screen.app.ctx.files.outbox, recorded_all_day())
    places = [
        ("today", {}), ("map", {}), ("accounts", {}), ("more", {}), ("sync", {}),
        ("account", {"account_id": uid(1001)}), ("edit_account", {"account_id": uid(1001)}),
        ("visit", {"visit_id": uid(3001)}), ("pin", {"site_id": uid(2001)}), ("sign", {"visit_id": uid(3001)}),
        ("order", {"account_id": uid(1001)}), ("next_step", {"account_id": uid(1001)}),
        ("lead", {"lon": 9.52, "lat": 47.14}), ("new_account", {"lon": 9.52, "lat": 47.14}),
        ("lead_card", {"lead_id": uid(6901)}), ("nearby", {}), ("week", {}),
        ("nearby", {"layer": "firm"}), ("firm", {"firm_id": uid(7001)}),
        ("entry", {"activity_id": uid(6402)}), ("entry", {"activity_id": uid(6403)}),
        ("times", {"account_id": uid(1002)}), ("settings", {}),
        ("sign_in", {"by": "code"}), ("sign_in", {}),
    ]  # fmt: skip
    for name, arguments in places:
        screen.app.go(name, **arguments)
        screen.frames(4)
        for button in screen.widgets(PushButton):
            words = button.children[0].children[0]
            assert words.width <= button.width + 1, f"{name}: {button.label!r} does not fit"
        for target in screen.widgets(Touchable):
            if getattr(target, "label", None):
                left, right = target.to_window(target.x, 0)[0], target.to_window(target.right, 0)[0]
                assert -1 <= left <= right <= SIZES[size][0] + 1, f"{name}: {target.label!r} leaves the window"
                assert target.collide_point(target.center_x, target.center_y + 23), f"{name}: {target.label!r} is small"
    screen.resize(SIZES["phone"])


def test_a_rep_edits_what_is_open_to_them_and_adds_a_person(screen):
    from mobile.field import records

    ctx = screen.app.ctx
    screen.app.go("edit_account", account_id=uid(1001))
    screen.frames()
    assert not screen.shows("Name"), "a server that says nothing takes the old fields"
    site = ctx.files.cache.doc("site", uid(2001))
    ctx.files.cache.put_base("site", uid(2001), 9, site | {"service_s": 1800})
    rights.heard(ctx.files.outbox, ["account.website"])
    screen.app.go("edit_account", account_id=uid(1001))
    screen.frames()
    assert not screen.shows("Website")
    form = next(w for w in screen.widgets() if hasattr(w, "tags"))
    form.fields["name"].input.text, form.tags.input.text = "Müller & Co", "vip, bio"
    form.site.texts["opening_hours"].input.text, form.site.lasts.input.text = "Mo-Fr 08:00-12:00", "half an hour"
    screen.tap("Save")
    assert screen.shows("“half an hour” is no length of a visit.")
    form.site.lasts.input.text = "45"
    screen.tap("Save")
    assert screen.shows("Saved on this phone."), "told where one comes back to"
    ops = ctx.files.outbox.ops()
    assert ops[-1].body["f"] == {"opening_hours": [None, "Mo-Fr 08:00-12:00"], "service_s": [1800, 2700]}
    assert [(op.kind, op.e) for op in ops] == [("patch", "account"), ("setadd", "account"), ("patch", "site")]
    assert ctx.files.cache.doc("account", uid(1001))["name"] == "Müller & Co"
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap("Add a person")
    screen.tap("Save")
    assert screen.shows("Write a first or a last name.")
    next(w for w in screen.widgets() if hasattr(w, "contact_id")).fields["last_name"].input.text = "Neu"
    screen.tap("Save")
    assert records.people_at(ctx.files, uid(1001))[-1].name == "Neu"
    screen.tap("Edit: Neu")
    assert screen.shows("Change the person")
    rights.heard(ctx.files.outbox, ["account", "contact"])
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    assert not screen.shows("Add a person")
    assert "Edit" not in [getattr(w, "label", None) for w in screen.widgets()]


def test_of_many_people_at_an_account_ten_are_built_and_others_at_a_tap(world, open_app):
    for n in range(23):
        who = {"first_name": "Anna", "last_name": f"Meier {n:02}", "do_not_contact": False}
        world.server.put("contact", uid(20000 + n), who, 412)
        at = {"account_id": uid(1002), "contact_id": uid(20000 + n), "roles": [], "is_primary": False}
        world.server.put("contact_account", uid(30000 + n), at, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("account", account_id=uid(1002))
    screen.frames()

    def shown():
        return [word for word in screen.words() if word.startswith("Anna Meier")]

    assert shown() == [f"Anna Meier {n:02}" for n in range(10)]
    for left, built in ((13, 20), (3, 23)):
        screen.tap(f"Further people: {left}")
        assert shown() == [f"Anna Meier {n:02}" for n in range(built)]
    assert not screen.shows("Further people")


def test_one_entry_is_one_and_what_a_draft_holds_begins_with_a_capital(screen):
    from mobile.screens import unfinished

    taking.next_step(screen.app.ctx.files, uid(1001), "Send the list", due_on="2026-12-01")
    screen.app.go("settings")
    screen.frames()
    assert screen.shows("1 entry is not sent yet. Sync first, then sign out.")
    told = list(unfinished.read(screen.app.ctx, {"first_name": "Otto", "note": "At noon"}))
    assert told == [("First name", "Otto"), ("Note", "At noon")]


def test_a_tablet_says_of_an_empty_day_that_nothing_is_planned_and_lists_accounts_in_two_columns(screen):
    from mobile.screens.accounts import AccountRow

    screen.resize(SIZES["tablet"])
    screen.app.go("week", monday=monday_of(screen.app.ctx.today) + timedelta(days=70))
    screen.frames()
    assert screen.words().count("Nothing") == 7
    screen.app.go("accounts")
    screen.frames()
    rows = screen.widgets(AccountRow)
    assert len({round(row.x) for row in rows}) == 2
    assert all(row.width > 400 for row in rows)
    screen.resize(SIZES["phone"])
    screen.app.go("accounts")
    screen.frames()
    assert len({round(row.x) for row in screen.widgets(AccountRow)}) == 1


def test_on_a_small_phone_no_address_or_price_is_cut(world, open_app):
    from mobile.widgets.base import Text, Word
    from mobile.widgets.controls import Field, IconButton

    site = world.server.world.rows["site", uid(2001)]["d"]
    world.server.put("site", uid(2001), site | {"street": "Unterer Benderer Weg 114", "city": "Gamprin-Bendern"}, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.resize(SIZES["small phone"])
    screen.app.go("today")
    screen.frames()
    told = [one for one in screen.widgets(Text) if "Gamprin-Bendern" in one.text and "·" in one.text]
    assert told
    assert not any(one.is_shortened for one in told)
    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    screen.tap("one more Milch 1 l")
    (price,) = [one for one in screen.widgets(Text) if "4.50 CHF a piece" in one.text]
    assert (price.is_shortened, "P-1\n" in price.text) == (False, True)
    (much,) = [one for one in screen.widgets(Field) if hasattr(one, "product")]
    (less,) = [one for one in screen.widgets(IconButton) if one.label == "less of Milch 1 l"]
    assert much.input.to_window(*much.input.center)[1] == pytest.approx(less.to_window(*less.center)[1], abs=1)
    for language in ("en", "de"):
        assert Word(Words(language)("far_why_hint"), 16).width <= 360 - 2 * 16 - 2 * 16 - 2 * 12
    screen.resize(SIZES["phone"])


def test_a_site_shows_what_the_companys_own_fields_say_of_it_and_which_is_the_main_one(open_app, world):
    server = world.server
    own = {"object": "site", "kind": "text", "position": 1, "archived": False, "choices": [], "unit": None}
    server.put("custom_field", uid(6650), own | {"key": "door", "label": "Delivery entrance"}, 412)
    held = server.world.rows["site", uid(2001)]["d"]
    server.put("site", uid(2001), held | {"name": None, "custom": {"door": "round the back"}}, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    assert screen.shows("Delivery entrance")
    assert screen.shows("round the back")
    assert "Site" in screen.words()
    screen.app.on_stop()
    server.put("site", uid(2050), held | {"name": None, "is_main": False, "street": "Bahnhofstrasse 2"}, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    assert {"Main site", "Further site"} <= set(screen.words())


def test_a_stop_keeps_its_name_when_the_office_deletes_the_account(open_app, world):
    server, visit = world.server, world.server.world.rows["visit", uid(3001)]["d"]
    server.put("visit", uid(3001), visit | {"state": "done"})
    server.put("account", uid(1001), None)
    server.put("site", uid(2001), None)
    server.put("stop", uid(4001), None)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    assert screen.shows("Müller GmbH")
    assert screen.shows("done  ·  deleted by the office")
    screen.tap("Müller GmbH")
    assert screen.shows("The office has deleted this account.")
    screen.app.go("week")
    screen.frames()
    assert screen.shows("Müller GmbH")
    screen.app.on_stop()
    server.put("visit", uid(3001), None)
    assert world.sync().ok
    assert world.store.cache.doc(DELETED, uid(1001)) is None, "of a visit that is gone no name is kept"


def test_an_address_is_not_emptied_and_after_a_change_its_pin_is_told_to_be_the_old_one(screen):
    ctx = screen.app.ctx
    site = ctx.files.cache.doc("site", uid(2001))
    ctx.files.cache.meta.set("schema", "5")
    known = {"service_s": 1800, "street": "Weg 1", "postcode": "9490", "country": "LI", "grade": "rooftop"}
    ctx.files.cache.put_base("site", uid(2001), 9, site | known)
    rights.heard(ctx.files.outbox, ["account.website"])
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    assert screen.shows("the house, within 20 m")
    screen.app.go("edit_account", account_id=uid(1001))
    screen.frames()
    form = next(w for w in screen.widgets() if hasattr(w, "tags"))
    for name in ("street", "postcode", "city"):
        form.site.texts[name].input.text = ""
    form.site.lasts.input.text = "0"
    screen.tap("Save")
    assert screen.shows("“0” is no length of a visit.")
    form.site.lasts.input.text = "30"
    screen.tap("Save")
    assert screen.shows("Write its street or its town")
    assert ctx.files.outbox.ops() == []
    form.site.texts["street"].input.text = "Weg 2"
    screen.tap("Save")
    assert [op.e for op in ctx.files.outbox.ops()] == ["site"]
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    assert screen.shows("of the address before")
    assert not screen.shows("the house, within 20 m")


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_kind_of_value_is_told_in_words(screen, language):
    from mobile.screens.values import told

    screen.app.choose("language", language)
    screen.frames()
    ctx = screen.app.ctx
    words, at = ctx.words, f"{ctx.today.isoformat()}T09:30:00+00:00"
    moment = f"{words.day(ctx.today)} {words.time(datetime.fromisoformat(at), ctx.zone)}"
    for name, value, said in (
        ("preferred_time", None, words("pt_any")), ("account_class", "", words("no_class")), ("phone", None, "–"),
        ("custom.size", "l", "big"), ("status", "customer", words("st_customer")), ("status", "odd", "odd"),
        ("preferred_time", "midday", words("pt_midday")), ("state", "done", words("s_done")),
        ("state", "open", words("ts_open")), ("state", "odd", "odd"),
        ("outcome", "order", dict(ctx.outcomes())["order"]), ("outcome", "odd", "odd"),
        ("service_s", 1_800, words.duration(1_800)), ("opening_hours", "24/7", hours.told("24/7", language)),
        ("interval_days", 1, words("day_1")), ("interval_days", "30", words.count("days", "day_1", 30)),
        ("interval_days", "odd", "odd"), ("due_on", "2026-11-30", words.day(date(2026, 11, 30))),
        ("wanted_on", "2026-11-30", words.day(date(2026, 11, 30))), ("starts_at", at, moment), ("ends_at", at, moment),
        ("phones", [{"value": "1"}, "2"], "1, 2"), ("note", "At noon", "At noon"), ("is_main", True, words("yes")),
    ):  # fmt: skip
        assert told(ctx, "account", name, value) == said, name


def test_on_another_day_the_next_stop_is_opened_and_nobody_is_checked_in(screen, world):
    ctx = screen.app.ctx
    assert screen.shows("Check in")
    ctx.day = ctx.today + timedelta(days=1)
    for kind, ids in (("route", [5000]), ("visit", range(3001, 3005))):
        for n in ids:
            row = world.server.world.rows[kind, uid(n)]["d"] | {"day": ctx.day.isoformat()}
            world.server.put(kind, uid(n), row)
    assert world.sync().ok
    screen.app.again()
    screen.frames()
    assert not screen.shows("Check in")
    screen.tap("Open")
    assert screen.shows("Outcome")
    assert ctx.files.outbox.ops() == []


def test_the_way_home_stands_before_the_end_of_the_day(open_app, world):
    route = world.server.world.rows["route", uid(5000)]["d"]
    world.server.put("route", uid(5000), route | {"drive_s": 780, "distance_m": 4_300}, 7)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    told = screen.words()
    assert told.index("13 min drive · 4.3 km") < told.index("Back at Depot")


def test_a_small_phone_tells_long_names_and_where_the_work_is_whole(open_app, world):
    from mobile.widgets.bars import SyncLine, TopBar
    from mobile.widgets.base import Text

    row = world.server.world.rows["account", uid(1001)]["d"]
    world.server.put("account", uid(1001), row | {"name": "Apotheke zum Matt GmbH"}, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.resize(SIZES["small phone"])
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    named = [one for one in screen.widgets(Text) if one.text == "Apotheke zum Matt GmbH"]
    assert [one.is_shortened for one in named] == [True, False] or [one.is_shortened for one in named] == [False, True]
    screen.app.choose("language", "de")
    screen.app.go("today")
    screen.frames()
    (line,) = screen.widgets(SyncLine)
    line.say("attention", "2 brauchen Sie  ·  1 auf dem Telefon")
    screen.frames()
    (bar,) = screen.widgets(TopBar)
    said = next(one for one in line.walk() if isinstance(one, Text))
    assert not said.is_shortened
    assert line.height >= said.texture_size[1]
    assert bar.height >= line.height + 28
    screen.resize(SIZES["phone"])


def test_before_the_first_sync_has_ended_the_days_are_said_to_be_fetched(screen):
    files = screen.app.ctx.files
    synced_at = files.cache.meta.get("synced_at")
    files.cache.meta.set("synced_at", None)
    screen.app.ctx.day = screen.app.ctx.today + timedelta(days=60)
    screen.app.again()
    screen.frames()
    assert screen.shows("Your days are being fetched from the server.")
    assert not screen.shows("No visits on this day")
    screen.app.ctx.problem = "The server does not answer."
    screen.app.again()
    screen.frames()
    assert screen.shows("They come with the next sync."), "it could not be fetched"
    screen.app.ctx.problem = None
    files.cache.meta.set("synced_at", synced_at)
    screen.app.again()
    screen.frames()
    assert screen.shows("No visits on this day")


def test_a_way_with_two_lines_below_its_title_is_as_high_as_they_are(screen, monkeypatch):
    from mobile.screens import parts

    monkeypatch.setattr(
        parts, "sync_words", lambda _ctx: ("attention", "12 entries need you  ·  122 on this phone  ·  ")
    )
    screen.resize((320, 640))
    screen.tap("More")
    screen.frames()
    (row,) = [w for w in screen.widgets() if getattr(w, "label", None) == screen.app.ctx.words("sync")]
    lines = row.children[1]
    assert lines.height > 48, "two lines"
    assert row.y + 7 <= lines.y < lines.top <= row.top - 7
    screen.resize((412, 732))
