"""Somebody new: leads, accounts, firms of open data."""

import re

import pytest

from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


def test_a_long_press_on_the_map_takes_a_new_lead_and_names_what_is_there(screen):
    from kivy.tests.common import UnitTestTouch

    from mobile.field.maps.projection import to_world
    from mobile.screens.map_view import DayMap
    from mobile.widgets.controls import Field

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    view = day_map.map
    view.view = (to_world(9.5206, 47.1403), 15.0, 0.0)
    x, y = view.lonlat_px(9.5206, 47.1403)
    assert view.px_lonlat(x, y) == pytest.approx((9.5206, 47.1403), abs=1e-6)
    touch = UnitTestTouch(x, y)
    touch.touch_down()
    screen.until(lambda: screen.shows("New lead"))
    company = screen.widgets(Field)[0]
    screen.tap("Save")
    assert screen.shows("Write the name of the company")
    company.input.text = "Muller"
    screen.frames()
    assert screen.shows("Somebody called alike, or at the same door, is known already.")
    assert screen.shows("Müller GmbH")
    assert any(re.fullmatch(r"5\d m", words) for words in screen.words()), "how far away it is"
    company.input.text = "Kiosk"
    screen.frames()
    assert not screen.shows("is known already."), "nobody is called like that, and nobody stands at the door"
    screen.tap("Save")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.e, op.body["d"]["company"]) == ("lead", "Kiosk")
    assert (op.body["d"]["lon"], op.body["d"]["lat"]) == pytest.approx((9.5206, 47.1403), abs=1e-4)


def test_a_place_held_on_a_map_of_the_whole_country_is_gone_nearer_first(screen):
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    view = day_map.map
    view.view = (view.centre, 9.0, 0.0)
    day_map.held(9.5206, 47.1403)
    assert screen.shows("Nearer now: hold the very place.")
    assert view.lonlat_px(9.5206, 47.1403) == pytest.approx(view.center), "it lies in the middle"
    east, _ = view.lonlat_px(9.5206 + 80 / 75_700, 47.1403)
    assert east - view.center_x == pytest.approx(20, abs=0.5), "a fingertip reaches 80 m"
    day_map.held(9.5206, 47.1403)
    screen.until(lambda: screen.shows("New lead"))


def test_a_new_lead_that_may_be_there_already_is_saved_only_on_the_second_tap(screen):
    from mobile.screens.leads import LeadForm

    screen.app.go("lead", lon=9.5213, lat=47.1410)
    screen.frames()
    (form,) = screen.widgets(LeadForm)
    form.fields["company"].input.text = "hofladen"
    screen.frames()
    assert screen.shows("Hofladen Beck")
    assert screen.shows("13 m")
    screen.tap("Save")
    assert screen.shows("Tap save once more")
    assert screen.app.ctx.store.outbox.ops() == []
    screen.tap("Save")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert op.body["d"]["company"] == "hofladen"


def test_a_new_account_is_here_at_once_and_a_visit_can_be_recorded_there(screen):
    from mobile.screens.leads import AccountForm

    screen.app.go("lead", lon=9.5203, lat=47.1440)
    screen.frames()
    screen.tap("New account")
    (form,) = screen.widgets(AccountForm)
    assert form.fields["city"].value == "Vaduz", "what stands around there says so"
    screen.tap("Save")
    assert screen.shows("Write the name of the account.")
    form.fields["name"].input.text = "muller"
    screen.frames()
    assert screen.shows("Müller GmbH"), "it may be there already"
    form.fields["name"].input.text, form.fields["tags"].input.text = "Alpenkiosk", "kiosk, lift"
    screen.tap("B")
    screen.tap("Save")
    screen.app.go("accounts")
    screen.frames()
    screen.tap("Alpenkiosk")
    assert not screen.shows("leaves this phone")
    screen.tap("Log a visit")
    screen.tap("order")
    screen.tap("Save visit")
    founded, visited = screen.app.ctx.store.outbox.ops()
    told = founded.body["d"]
    assert (founded.e, told["name"], told["status"], told["account_class"], told["tags"], told["city"]) == (
        "account", "Alpenkiosk", "prospect", "B", ["kiosk", "lift"], "Vaduz",
    )  # fmt: skip
    assert (visited.body["d"]["account_id"], visited.body["d"]["state"]) == (founded.row_id, "done")


def test_a_new_account_by_its_address_waits_for_its_place(screen):
    from mobile.screens.leads import AccountForm

    screen.app.go("accounts")
    screen.frames()
    screen.tap("New account")
    (form,) = screen.widgets(AccountForm)
    form.fields["name"].input.text = "Alpenkiosk"
    screen.tap("Save")
    assert screen.shows("Write its street or its town")
    form.fields["street"].input.text, form.fields["city"].input.text = "Im Malbun 3", "Malbun"
    screen.tap("Save")
    screen.frames()
    assert screen.shows("not yet placed")
    screen.tap("Alpenkiosk")
    assert screen.shows("Not yet placed")
    assert not screen.shows("Navigate")
    (founded,) = screen.app.ctx.store.outbox.ops()
    told = founded.body["d"]
    assert (told["street"], told["city"], told["lon"], told["lat"]) == ("Im Malbun 3", "Malbun", None, None)


def test_a_firm_of_open_data_near_the_rep_becomes_a_lead_without_a_network(screen):
    from mobile.screens.map_view import DayMap

    screen.app.go("nearby")
    screen.frames()
    assert screen.shows("Bakery  ·  Vaduz")
    screen.tap("Firms")
    assert not screen.shows("Müller GmbH")
    screen.tap("Car repair")
    assert (screen.shows("Garage Nord"), screen.shows("Bäckerei am Bach")) == (True, False)
    screen.tap("Show the map")
    (day_map,) = screen.widgets(DayMap)
    assert [pin.key for pin in day_map.map.pins if pin.is_ring] == [f"account:{uid(7002)}"], "of that kind only"
    screen.app.go("nearby")
    screen.frames()
    assert (screen.shows("Garage Nord"), screen.shows("Bäckerei am Bach")) == (True, False), "as it was chosen"
    screen.tap("All kinds")
    assert screen.shows("Data of firms: © OpenStreetMap contributors, ODbL 1.0")
    screen.tap("Bäckerei am Bach")
    for words in ("Bakery", "Bachgasse 3, 9490 Vaduz", "Mo–Sa 06:00–18:00", "Data of firms"):
        assert screen.shows(words)
    screen.tap("Make it a lead")
    (op,) = screen.app.ctx.files.outbox.ops()
    assert (op.e, op.body["d"]["company"], op.body["d"]["prospect_id"]) == ("lead", "Bäckerei am Bach", uid(7001))
    assert not screen.shows("Bäckerei am Bach"), "it is a lead now"
    screen.tap("Leads")
    screen.tap("Bäckerei am Bach")
    assert screen.shows("the office has not seen it yet")
    assert screen.shows("Bachgasse 3, 9490 Vaduz"), "where it is"
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("New lead: Bäckerei am Bach")
    screen.app.go("firm", firm_id=uid(7001))
    assert screen.shows("it is a lead or a customer now")
    screen.tap("back")
    screen.app.go("map")
    screen.frames()
    (day_map,) = screen.widgets(DayMap)
    rings = [pin.key for pin in day_map.map.pins if pin.is_ring]
    assert rings == [f"account:{uid(7002)}"]


def test_a_new_lead_says_where_in_words_and_no_longer_asks_for_a_name_once_it_is_there(screen):
    from mobile.screens.leads import LeadForm

    screen.app.go("lead", lon=9.5206, lat=47.1403)
    screen.frames()
    assert any("Where you held the map: " in words and " m from " in words for words in screen.words())
    assert not screen.shows("47.14030")
    screen.tap("Save")
    assert screen.shows("Write the name of the company or of the person.")
    screen.widgets(LeadForm)[0].fields["person"].input.text = "Rita"
    screen.frames()
    assert not screen.shows("Write the name of the company or of the person.")


def test_on_a_small_phone_save_stays_in_sight_while_somebody_new_is_written_down(screen):
    from mobile.widgets.controls import PushButton
    from tests.mobile.window import SIZES

    screen.resize(SIZES["small phone"])
    here = {"lon": 9.5203, "lat": 47.1440}
    kinds = ("lead", here), ("new_account", here), ("new_account", {}), ("next_step", {"account_id": uid(1001)})
    for kind, arguments in kinds:
        screen.app.go(kind, **arguments)
        screen.frames()
        (save,) = [one for one in screen.widgets(PushButton) if one.label == "Save"]
        assert 0 < save.to_window(*save.center)[1] < 90, kind
        screen.tap("Save")
        assert screen.shows("Write the") or screen.shows("Say in a few words"), "and what is missing is said beside it"
