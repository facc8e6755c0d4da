"""The card of an account and its forms: what is told there, and what a rep may change."""

import pytest

from mobile.field import rights
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


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
