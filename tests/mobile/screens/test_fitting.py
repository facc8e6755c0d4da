"""Every screen fits small and large windows, and nothing that matters is cut."""

from datetime import timedelta

import pytest

from mobile.field import tracks
from mobile.field.agenda import monday_of
from mobile.phone import Phone as AppPhone
from mobile.texts import Words
from tests.mobile.conftest import uid
from tests.mobile.window import SIZES, recorded_all_day

pytestmark = pytest.mark.window


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
