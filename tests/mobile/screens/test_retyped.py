"""The office makes another kind of a field, renames it, archives it or takes it away while a phone holds a value of it:
the form opens, says what does not fit any more, and nothing that was typed is lost or sent as it is."""

from random import Random

import pytest

from mobile.field import drafts, own
from mobile.field.limits import Unfit
from mobile.phone import Phone as AppPhone
from server.fields.models import FieldKind
from server.fields.values import Choice, Shape, accepted
from tests.mobile.conftest import uid
from tests.mobile.screens.conftest import CHOICES, Office, form_of, refuse, sent

pytestmark = pytest.mark.window
STORED = {
    "text": ("side", "s", "5"), "long_text": ("a\nb", "s"), "number": (5, 1.5, 0), "date": ("2026-01-02",),
    "money": ({"amount": "5.00", "currency": "EUR"},), "flag": (True, False), "choice": ("s", "f"),
    "choices": (["s"], ["f", "s"]), "url": ("https://a.li",), "mail": ("a@b.li",), "phone": ("+423 237 12 12",),
}  # fmt: skip
"""Values of each kind, as they are stored."""
GONE, ARCHIVED = "gone", "archived"
HOLDS = ("stored", "draft", "refused")
FORMS = {
    "account": ("edit_account", {"account_id": uid(1001)}), "site": ("edit_account", {"account_id": uid(1001)}),
    "contact": ("person", {"account_id": uid(1001), "contact_id": uid(6001)}),
}  # fmt: skip


def fields_in(form, e):
    return form.own if e != "site" else form.site.own


def begin(screen, e, typed):
    """Type into own fields, and leave the form as it is."""
    name, arguments = FORMS[e]
    part = fields_in(form_of(screen, name, arguments), e)
    part.given |= typed
    part._answered()
    screen.app.go("today")
    screen.frames()


def to_copy(screen):
    from mobile.widgets.controls import Field

    return [field.input.text for field in screen.widgets(Field) if field.input.readonly]


def saved(form, e):
    """Save as a rep does who takes back what is refused; returns what was refused, by key."""
    part, refused = fields_in(form, e), set()
    try:
        form.save()
    except Unfit as unfit:
        refused = {one.field.removeprefix(own.CUSTOM) for one in unfit.faults}
        part.given |= {key: part.shown[key] for key in refused}
        form.save()
    return refused


@pytest.mark.parametrize("seed", range(3))
def test_each_kind_made_each_other_opens_and_saves_and_loses_nothing(world, open_app, seed):
    """Between the three seeds each pair is met with a draft, a refused entry and a stored value."""
    dice = Random(seed)
    e = ("account", "site", "contact")[seed]
    office, pairs, held = Office(world, e), {}, {one: {} for one in HOLDS}
    for n, (was, now) in enumerate((a, b) for a in STORED for b in (*FieldKind, GONE, ARCHIVED)):
        key = f"k{n}"
        pairs[key] = str(now)
        office.define(key, was)
        held[HOLDS[(n + seed) % 3]][key] = (was, dice.choice(STORED[was]))
    values_of = {how: {key: value for key, (_, value) in several.items()} for how, several in held.items()}
    office.store(values_of["stored"])
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    fields = {one["key"]: one for one in own.fields_of(screen.app.ctx.files, e)}
    typed = {key: own.shown(fields[key], value) for key, value in values_of["draft"].items()}
    begin(screen, e, typed)
    screen.app.on_stop()
    for key, now in pairs.items():
        if now == GONE:
            office.take_away(key)
        else:
            kind = held[HOLDS[(int(key[1:]) + seed) % 3]][key][0] if now == ARCHIVED else now
            office.define(key, kind, archived=now == ARCHIVED)
    office.sync()
    refused_ops = refuse(world.store, e, {own.CUSTOM + key: one for key, one in values_of["refused"].items()})
    world.kill()
    screen = open_app(world.folder, syncing=False)
    files = screen.app.ctx.files
    screen.app.go("account", account_id=uid(1001))
    screen.app.go("sync")
    screen.frames()
    assert not screen.shows("custom.")
    for op in refused_ops:
        drafts.reopen(files, files.outbox.op(op.op_id))
    form = form_of(screen, *FORMS[e])
    wrong = saved(form, e)
    now_sent = {name.removeprefix(own.CUSTOM): both[1] for f in sent(screen) for name, both in f.items()}
    for key, value in now_sent.items():
        assert pairs[key] not in (GONE, ARCHIVED), "nothing is sent of a field that is not asked"
        options = [Choice(one["value"], one["label"], False) for one in CHOICES]
        accepted(Shape(FieldKind(pairs[key]), key, options), value)  # raises for what the server would refuse
    left = [one.body for one in drafts.unfinished(files)]
    kept = {key for body in left for name in drafts.OWN for key, _ in body.get(name + drafts.LEFT, ())}
    for key in (*values_of["draft"], *values_of["refused"]):
        assert (key in now_sent) + (key in wrong) + (key in kept) == 1, (key, pairs[key], held)
    form_of(screen, *FORMS[e])
    assert len(to_copy(screen)) == len(kept), "each can be read and copied"
    assert wrong | set(kept), "some do not fit"


@pytest.mark.parametrize("how", [GONE, ARCHIVED])
def test_what_was_typed_into_a_field_that_is_gone_stays_until_it_is_thrown_away(world, open_app, how):
    office = Office(world, "account")
    office.define("gate", "text", label="Gate")
    office.define("cold", "flag", label="Cold")
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    begin(screen, "account", {"gate": "Delivery by the back door", "cold": False})
    screen.app.on_stop()
    office.define("gate", "text", label="Gate", archived=True)
    if how == GONE:
        office.take_away("gate")
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    form = form_of(screen, *FORMS["account"])
    assert screen.shows("The office has changed what it asks here.")
    assert "Gate" in screen.words(), "as it was called when it was typed"
    form.save()
    assert sent(screen) == [{"custom.cold": [None, False]}], "the rest is sent"
    form = form_of(screen, *FORMS["account"])
    assert (to_copy(screen), form.own.given["cold"]) == (["Delivery by the back door"], False)
    screen.tap("Discard")
    screen.tap("Discard it for good")
    assert (to_copy(screen), drafts.unfinished(screen.app.ctx.files)) == ([], [])


def test_a_refused_edit_of_a_field_that_is_gone_is_readable_and_nothing_says_that_all_is_there(world, open_app):
    office = Office(world, "account")
    office.define("gate", "text")
    office.sync()
    office.take_away("gate")
    office.sync()
    lost = {"custom.gate": "By the back door", "custom.lost": {"amount": "5", "currency": "EUR"}}
    refuse(world.store, "account", lost)
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("A field that is no longer there: By the back door")
    assert screen.shows("A field that is no longer there: 5 EUR")
    screen.tap("Open")
    assert sorted(to_copy(screen)) == ["5 EUR", "By the back door"]
    screen.app.go("sync")
    screen.frames()
    assert not screen.shows("Everything you saved is on the server.")
    assert screen.shows("Not finished: typed at")


def test_what_is_typed_and_fits_again_is_in_its_field_again(world, open_app):
    office = Office(world, "account")
    office.define("doors", "choices")
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    begin(screen, "account", {"doors": ["s", "f"]})
    screen.app.on_stop()
    office.define("doors", "number", label="Doors")
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    form_of(screen, *FORMS["account"])
    assert to_copy(screen) == ["Side, Front"], "in the words that were chosen"
    begin(screen, "account", {"doors": "2"})
    screen.app.on_stop()
    office.define("doors", "choices")
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    form = form_of(screen, *FORMS["account"])
    assert (form.own.given["doors"], to_copy(screen)) == (["s", "f"], ["2"])
    assert form.own.left == [["doors", "2"]]


def test_a_right_that_was_taken_leaves_what_was_typed_readable(world, open_app):
    office = Office(world, "account")
    office.define("gate", "text")
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    begin(screen, "account", {"gate": "By the back door"})
    screen.app.on_stop()
    world.server.closed = ["account.custom"]
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    form_of(screen, *FORMS["account"]).save()
    form_of(screen, *FORMS["account"])
    assert to_copy(screen) == ["By the back door"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_stored_of_another_kind_is_said_and_stays_until_something_is_entered(world, open_app, language):
    AppPhone(world.folder).choose("language", language)
    office = Office(world, "account")
    office.define("cold", "text", label="Cold")
    office.define("where", "choice", label="Where")
    office.store({"cold": True, "where": "somewhere"})
    office.sync()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    form = form_of(screen, *FORMS["account"])
    assert screen.shows({"en": "“Yes” stays stored", "de": "«Ja» bleibt gespeichert"}[language])
    assert screen.shows({"en": "“somewhere” stays stored", "de": "«somewhere» bleibt gespeichert"}[language])
    form.save()
    assert sent(screen) == []
    form = form_of(screen, *FORMS["account"])
    screen.tap("Front")
    form.save()
    assert sent(screen) == [{"custom.where": ["somewhere", "f"]}]
