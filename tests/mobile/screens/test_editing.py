"""A rep mends an account at the door: its address, what the company asks, status, class and interval."""

import pytest

from mobile.field import capture, drafts, own, rights
from mobile.field.limits import Unfit
from mobile.phone import Phone as AppPhone
from mobile.screens import trouble
from mobile.texts import Words
from tests.mobile.conftest import uid
from tests.mobile.window import SIZES

pytestmark = pytest.mark.window
FIELD = {
    "archived": False,
    "choices": [],
    "unit": None,
    "section": None,
    "help": None,
    "position": 9,
    "required": False,
}
BEDS = {"object": "account", "key": "beds", "label": "Beds", "kind": "number", "section": "Care home"}
DOORS = {"object": "account", "key": "doors", "label": "Doors", "kind": "choices", "section": "Care home"}
CHOICES = [{"value": "s", "label": "Side"}, {"value": "f", "label": "Front"}]


@pytest.fixture
def mended(world):
    """A world whose server takes all of it, with own fields of each kind of record and an account of two sites."""
    server = world.server
    fields = (
        BEDS | {"required": True, "maximum": "2000"}, DOORS | {"choices": CHOICES},
        {"object": "account", "key": "cooled", "label": "Cooled", "kind": "flag"},
        {"object": "site", "key": "gates", "label": "Gates", "kind": "number"},
        {"object": "contact", "key": "golf", "label": "Plays golf", "kind": "flag"},
    )  # fmt: skip
    for n, field in enumerate(fields):
        server.put("custom_field", uid(6620 + n), FIELD | field, 412)
    account = server.world.rows["account", uid(1001)]["d"]
    said = {"account_class": "B", "interval_days": None, "custom": {"beds": 42, "size": "l"}}
    server.put("account", uid(1001), account | said, 412)
    site = server.world.rows["site", uid(2001)]["d"]
    place = {"street": "Landstrase 12", "postcode": "9490", "country": "LI", "service_s": 1800, "custom": {}}
    server.put("site", uid(2001), site | place, 412)
    server.put(
        "site", uid(2901), site | place | {"id": uid(2901), "name": "Depot", "is_main": False, "street": "Gasse 1"}, 412
    )
    contact = server.world.rows["contact", uid(6001)]["d"]
    server.put("contact", uid(6001), contact | {"custom": {}}, 412)
    server.schema, server.closed = 5, []
    assert world.sync().ok
    world.kill()
    return world


def form_of(screen, kind, **arguments):
    screen.app.go(kind, **arguments)
    screen.frames()
    return next(widget for widget in screen.widgets() if hasattr(widget, "warning"))


def own_field(form, key):
    return next(w for part in form.own.parts for w in part.walk() if getattr(w, "key", None) == key)


def test_what_a_rep_sees_at_the_door_is_saved_field_by_field(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    form = form_of(screen, "edit_account", account_id=uid(1001))
    form.site.texts["street"].input.text = "Landstrasse 14"
    own_field(form, "beds").input.text = "44"
    form.interval.input.text = "21"
    for label in ("Former customer", "C", "Side"):
        screen.tap(label)
    screen.tap("Save")
    said = [(op.e, op.body["f"]) for op in screen.app.ctx.files.outbox.ops()]
    assert said == [
        ("account", {"status": ["customer", "former"], "account_class": ["B", "C"], "interval_days": [None, 21]}),
        ("account", {"custom.beds": [42, 44], "custom.doors": [None, ["s"]]}),
        ("site", {"street": ["Landstrase 12", "Landstrasse 14"]}),
    ]  # fmt: skip
    doc = screen.app.ctx.files.cache.doc("account", uid(1001))
    assert doc["custom"] == {"beds": 44, "size": "l", "doors": ["s"]}
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    for words in ("Former customer", "44", "Side", "Landstrasse 14"):
        assert screen.shows(words), words


def test_a_form_that_was_opened_and_saved_as_it_was_sends_nothing(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    form_of(screen, "edit_account", account_id=uid(1001)).save()
    assert screen.app.ctx.files.outbox.ops() == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_does_not_fit_is_said_at_once_and_stands_out_and_nothing_is_saved(mended, open_app, language):
    from mobile.widgets.base import colour

    AppPhone(mended.folder).choose("language", language)
    screen = open_app(mended.folder, syncing=False)
    form = form_of(screen, "edit_account", account_id=uid(1001))
    own_field(form, "beds").input.text = "2001"
    own_field(form, "opened").input.text = "some day"
    form.site.texts["street"].input.text = "x" * 301
    with pytest.raises(Unfit) as refused:
        form.save()
    beds, day, street = {
        "en": ("Beds: 2001 is too much. At most 2,000.", "Opened: “some day” is not a date.", "Street: at most 300"),
        "de": ("Betten: 2001 ist zu viel. Höchstens 2.000.", "«some day» ist kein Datum.", "Strasse: höchstens 300"),
    }[language]
    told = trouble.told(Words(language), refused.value)
    assert all(words in told for words in (beds, day, street)), told
    labels = {key: label for part in form.own.parts for key, label in part.labels.items()}
    marked = {key for key, label in labels.items() if tuple(label.color) == tuple(colour("bad"))}
    assert (marked, screen.app.ctx.files.outbox.ops()) == ({"beds", "opened"}, [])
    form.interval.input.text = "0"
    form.save()
    assert any("“0”" in words or "«0»" in words for words in screen.words())


def test_what_is_typed_is_there_again_after_the_app_has_ended(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    form = form_of(screen, "edit_account", account_id=uid(1001))
    own_field(form, "beds").input.text = "4x"
    form.site.texts["city"].input.text = "Triesen"
    screen.tap("Yes")
    screen.app.on_stop()
    screen.window.remove_widget(screen.app.stage)
    screen = open_app(mended.folder, syncing=False)
    form = form_of(screen, "edit_account", account_id=uid(1001))
    assert screen.shows("Not finished: typed at ")
    assert (own_field(form, "beds").value, form.site.texts["city"].value, form.own.given["cooled"]) == (
        "4x", "Triesen", True,
    )  # fmt: skip
    screen.tap("–", 1)  # the first is that of another field
    own_field(form, "beds").input.text = "42"
    form.site.texts["city"].input.text = "Vaduz"
    screen.app.go("unfinished")
    screen.frames()
    assert screen.shows("No form is left unfinished."), "what is as it was shown is no draft"


def test_another_site_is_changed_from_its_card_and_a_person_has_own_fields_too(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap("Change the address")
    form = next(widget for widget in screen.widgets() if hasattr(widget, "warning"))
    form.fields.texts["street"].input.text, form.fields.texts["name"].input.text = "Gasse 3", "Depot Nord"
    screen.app.go("unfinished")
    screen.frames()
    assert screen.shows("Change of the site: Müller GmbH")
    form_of(screen, "edit_account", account_id=uid(1001), site_id=uid(2901)).save()
    person = form_of(screen, "person", account_id=uid(1001), contact_id=uid(6001))
    screen.tap("Yes")
    person.save()
    said = [(op.e, op.row_id, op.body["f"]) for op in screen.app.ctx.files.outbox.ops()]
    assert said == [
        ("site", uid(2901), {"street": ["Gasse 1", "Gasse 3"], "name": ["Depot", "Depot Nord"]}),
        ("contact", uid(6001), {"custom.golf": [None, True]}),
    ]


def test_an_older_server_is_offered_none_of_it_and_a_closed_class_is_not_asked(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    ctx = screen.app.ctx
    rights.heard(ctx.files.outbox, ["account.account_class"])
    form = form_of(screen, "edit_account", account_id=uid(1001))
    assert set(form.chips) == {"status", "preferred_time"} & {*form.account}
    ctx.files.cache.meta.set("schema", "4")
    form = form_of(screen, "edit_account", account_id=uid(1001))
    assert (form.interval, form.own, form.site.own, set(form.site.texts)) == (None, None, None, {"opening_hours"})
    assert "status" not in form.chips


def test_a_question_about_an_own_field_is_told_as_the_company_calls_it(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    files = screen.app.ctx.files
    seen = files.cache.shown("account", uid(1001))
    changed = {"custom.doors": ["s", "f"]}
    first, second = (own.change(files, "account", uid(1001), changed, seen)[0] for _ in range(2))
    clash = {"id": "c", "field": "custom.doors", "base": None, "mine": ["s", "f"], "server": None, "by": "Mona"}
    met = clash | {"at": "2026-11-26T09:40:00.000Z", "policy": "keep_server", "kind": "concurrent"}
    files.outbox.acknowledge(first.n, "conflict", {"conflicts": [met]})
    files.outbox.acknowledge(second.n, "rejected", {"error": {"code": "invalid", "msg": "No."}})
    screen.app.go("sync")
    screen.frames()
    assert any("Doors" in words and "Side, Front" in words for words in screen.words())
    assert screen.shows("The office's value: Mona, ")
    assert screen.shows("Doors: Side, Front"), "what was refused is readable"
    assert not screen.shows("custom.")


@pytest.mark.parametrize("size", SIZES)
def test_the_form_fits_every_window(mended, open_app, size):
    from mobile.widgets.base import Touchable

    screen = open_app(mended.folder, syncing=False)
    screen.resize(SIZES[size])
    for arguments in ({}, {"site_id": uid(2901)}):
        form_of(screen, "edit_account", account_id=uid(1001), **arguments)
        for target in screen.widgets(Touchable):
            left, right = target.to_window(target.x, 0)[0], target.to_window(target.right, 0)[0]
            assert -1 <= left <= right <= SIZES[size][0] + 1, target.label
            assert target.collide_point(target.center_x, target.center_y + 23), f"{target.label!r} is small"
    screen.resize(SIZES["phone"])


def _in_sight(screen, form, widget):
    low, high = form.to_window(0, form.y)[1], form.to_window(0, form.top)[1]
    return low <= widget.to_window(*widget.center)[1] <= high


def test_on_a_small_phone_save_stays_in_sight_and_what_does_not_fit_is_scrolled_to(mended, open_app):
    from kivy.base import ExceptionManager

    from mobile.widgets.controls import PushButton

    screen = open_app(mended.folder, syncing=False)
    screen.resize(SIZES["small phone"])
    for kind, arguments in (
        ("person", {"contact_id": uid(6001)}), ("edit_account", {"site_id": uid(2901)}), ("edit_account", {}),
    ):  # fmt: skip
        form = form_of(screen, kind, account_id=uid(1001), **arguments)
        (save,) = [one for one in screen.widgets(PushButton) if one.label == "Save"]
        assert save not in form.walk(restrict=True)
        assert 0 < save.to_window(*save.center)[1] < 90, kind
    assert form.column.height > 2 * form.height, "there is a way to scroll"
    email = form.fields["email"]
    email.input.text, form.scroll_y = "nobody", 0
    screen.frames()
    assert not _in_sight(screen, form, email)
    with pytest.raises(Unfit) as refused:
        form.save()
    assert ExceptionManager.handle_exception(refused.value) == ExceptionManager.PASS
    screen.frames()
    assert (email.is_wrong, form.fields["phone"].is_wrong) == (True, False)
    assert _in_sight(screen, form, email)
    email.input.text = "nobody@example.com"
    assert not email.is_wrong
    form.site.lasts.input.text, form.scroll_y = "long", 1
    screen.tap("Save")
    assert form.site.lasts.is_wrong
    assert _in_sight(screen, form, form.site.lasts)
    own_field(form, "beds").input.text, form.site.lasts.input.text, form.scroll_y = "9999", "30", 1
    with pytest.raises(Unfit) as refused:
        form.save()
    ExceptionManager.handle_exception(refused.value)
    screen.frames()
    assert _in_sight(screen, form, own_field(form, "beds")), "one of the company's own"
    screen.resize(SIZES["phone"])


def test_forms_say_whose_they_are_and_no_two_cards_or_units_are_called_alike(mended, open_app):
    for n, kind in ((6630, "account"), (6631, "site")):
        field = {"object": kind, "key": "points", "label": "Loyalty points", "kind": "number", "unit": "points"}
        mended.server.put("custom_field", uid(n), FIELD | field | {"section": "Retail"}, 412)
    assert mended.sync().ok
    mended.kill()
    screen = open_app(mended.folder, syncing=False)
    form_of(screen, "edit_account", account_id=uid(1001))
    assert ("Retail" in screen.words(), "Retail  ·  site" in screen.words()) == (True, True)
    assert screen.words().count("Loyalty points") == 2, "and not: Loyalty points (points)"
    for kind, arguments in (("person", {"contact_id": uid(6001)}), ("edit_account", {"site_id": uid(2901)})):
        form_of(screen, kind, account_id=uid(1001), **arguments)
        assert "Müller GmbH" in screen.words(), kind


def test_what_both_changed_of_a_person_is_shown_with_both_values_and_nothing_is_replaced_unseen(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    files, person = screen.app.ctx.files, uid(6001)
    seen = files.cache.shown("contact", person)
    mine = {"title": "Owner", "last_name": "Frick", "phones": [{"value": "+423 555 09 09"}]}
    plain = capture.edit(files, "contact", person, mine, seen)
    (golf,) = own.change(files, "contact", person, {"custom.golf": True}, seen)
    theirs = {"title": "Manager", "phones": [{"value": "+423 555 02 02"}], "custom": {"golf": False}}
    files.cache.put_base("contact", person, 900, seen[1] | theirs)
    for op in (plain, golf):
        files.outbox.acknowledge(op.n, "rejected", {"error": {"code": "changed_meanwhile", "msg": "No."}})
    files.rebuild_overlay()
    screen.app.go("sync")
    screen.frames()
    for said in (
        "Plays golf: you wrote “Yes”, the office “No”.", "Function: you wrote “Owner”, the office “Manager”.",
        "Last name: Frick", "Phone: you wrote “+423 555 09 09”, the office “+423 555 02 02”.",
    ):  # fmt: skip
        assert said in screen.words(), said
    screen.tap("Keep the office's: Plays golf")
    assert not screen.shows("Plays golf"), "nothing of the rep's is left in it"
    screen.tap("Keep the office's: Function")
    assert not screen.shows("Owner")
    screen.tap("Open")
    form = next(widget for widget in screen.widgets() if hasattr(widget, "warning"))
    assert {key: field.value for key, field in form.fields.items() if key in mine} == {
        "title": "Manager", "last_name": "Frick", "phones": "+423 555 09 09",
    }  # fmt: skip
    assert screen.shows("Phone: you wrote “+423 555 09 09”, the office “+423 555 02 02”.")
    screen.tap("Keep the office's: Phone")
    form = next(widget for widget in screen.widgets() if hasattr(widget, "warning"))
    assert (form.fields["phones"].value, form.fields["last_name"].value) == ("+423 555 02 02", "Frick")
    form.save()
    (op,) = files.outbox.ops(("queued",))
    assert (op.body["base_rev"], op.body["f"]) == (900, {"last_name": ["Näscher", "Frick"]})


def test_a_refused_change_that_the_rep_gives_up_in_its_form_is_over(mended, open_app):
    screen = open_app(mended.folder, syncing=False)
    files, person = screen.app.ctx.files, uid(6001)
    seen = files.cache.shown("contact", person)
    (golf,) = own.change(files, "contact", person, {"custom.golf": True}, seen)
    files.cache.put_base("contact", person, 900, seen[1] | {"custom": {"golf": False}})
    files.outbox.acknowledge(golf.n, "rejected", {"error": {"code": "changed_meanwhile", "msg": "No."}})
    files.rebuild_overlay()
    screen.app.go("sync")
    screen.frames()
    screen.tap("Open")
    assert screen.shows("Plays golf: you wrote “Yes”, the office “No”.")
    screen.tap("Keep the office's: Plays golf")
    form = next(widget for widget in screen.widgets() if hasattr(widget, "warning"))
    assert (form.own.given["golf"], drafts.unfinished(files)) == (False, [])
    form.save()
    assert files.outbox.ops(("queued",)) == []
