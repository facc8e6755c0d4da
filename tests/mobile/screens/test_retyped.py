"""The office makes another kind of a field, renames it, archives it or takes it away while a phone holds a value of it:
the form opens, says what does not fit any more, and nothing that was typed is lost or sent as it is."""

from random import Random

import pytest

from mobile.field import capture, drafts, own
from mobile.field.limits import Unfit
from mobile.phone import Phone as AppPhone
from mobile.screens import trouble, unfinished, values
from mobile.texts import Words
from server.fields.models import FieldKind
from server.fields.values import Choice, Shape, accepted
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window
CHOICES = [{"value": "s", "label": "Side"}, {"value": "f", "label": "Front"}]
STORED = {
    "text": ("side", "s", "5"), "long_text": ("a\nb", "s"), "number": (5, 1.5, 0), "date": ("2026-01-02",),
    "money": ({"amount": "5.00", "currency": "EUR"},), "flag": (True, False), "choice": ("s", "f"),
    "choices": (["s"], ["f", "s"]), "url": ("https://a.li",), "mail": ("a@b.li",), "phone": ("+423 237 12 12",),
}  # fmt: skip
"""Values of each kind, as they are stored."""
GONE, ARCHIVED = "gone", "archived"
HOLDS = ("stored", "draft", "refused")
ROWS = {"account": uid(1001), "site": uid(2001), "contact": uid(6001)}
FORMS = {
    "account": ("edit_account", {"account_id": uid(1001)}), "site": ("edit_account", {"account_id": uid(1001)}),
    "contact": ("person", {"account_id": uid(1001), "contact_id": uid(6001)}),
}  # fmt: skip


def field_of(e, key, kind, **more):
    held = {"object": e, "key": key, "label": f"Label {key}", "kind": kind, "position": 1, "archived": False}
    choices = CHOICES if kind.startswith("choice") else []
    return held | {"choices": choices, "unit": None, "section": None, "help": None, "required": False} | more


class Office:
    """Defines fields of a record, and changes them."""

    def __init__(self, world, e):
        self.world, self.e, self.ids = world, e, {}
        world.server.schema, world.server.closed = 5, []

    def define(self, key, kind, **more):
        row_id = self.ids.setdefault(key, uid(6700 + len(self.ids)))
        self.world.server.put("custom_field", row_id, field_of(self.e, key, kind, **more), 412)

    def take_away(self, key):
        self.world.server.put("custom_field", self.ids[key], None)

    def store(self, custom):
        row = self.world.server.world.rows[self.e, ROWS[self.e]]["d"]
        self.world.server.put(self.e, ROWS[self.e], row | {"custom": custom}, 412)

    def sync(self):
        assert self.world.sync().ok


def refuse(store, e, changed):
    """Own fields that were saved, and that the server refused."""
    ops = own.change(store, e, ROWS[e], changed, store.cache.shown(e, ROWS[e]))
    for op in ops:
        store.outbox.acknowledge(op.n, "rejected", {"error": {"code": "invalid", "msg": "No."}})
    return ops


def form_of(screen, name, arguments):
    screen.app.go(name, **arguments)
    screen.frames()
    return next(widget for widget in screen.widgets() if hasattr(widget, "warning"))


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


def sent(screen):
    return [op.body["f"] for op in screen.app.ctx.files.outbox.ops(("queued",))]


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


def test_a_question_that_was_changed_does_not_take_what_was_chosen_before(world, open_app):
    from mobile.screens.questions import Questions

    screen = open_app(world.folder, syncing=False)
    typed = {"shelf": True, "size": "3", "day": ["s"], "who": 4}
    kinds = {"shelf": "choices", "size": "choice", "day": "text", "who": "number"}
    asked = [field_of("visit", key, kind) for key, kind in kinds.items()]
    form = Questions(screen.app.ctx, asked, typed)
    assert (typed, form.left) == ({"who": 4}, {"shelf": True, "size": "3", "day": ["s"]})


WORDS = {
    "en": ("Former customer", "morning", "45 min", "21 days", "Side", "Yes", "5.00 EUR", "2.5", "2026-03-04"),
    "de": ("Früherer Kunde", "Vormittag", "45 min", "21 Tage", "Side", "Ja", "5,00 EUR", "2,5", "4.3.2026"),
}


@pytest.mark.parametrize("language", ["en", "de"])
def test_refused_entries_questions_and_stranded_forms_are_told_in_words(world, open_app, language):
    AppPhone(world.folder).choose("language", language)
    office, store = Office(world, "account"), world.store
    kinds = {"doors": "choices", "cold": "flag", "worth": "money", "part": "number", "since": "date"}
    for key, kind in kinds.items():
        office.define(key, kind, label={"doors": "Search"}.get(key, key.title()))
    office.sync()
    plain = {"status": "former", "preferred_time": "morning", "interval_days": 21}
    stored = {"doors": ["s"], "cold": True, "worth": {"amount": "5.00", "currency": "EUR"}, "part": 2.5}
    ops = [
        capture.edit(store, "account", uid(1001), plain), capture.edit(store, "site", uid(2001), {"service_s": 2700}),
        *refuse(store, "account", {own.CUSTOM + key: one for key, one in (stored | {"since": "2026-03-04"}).items()}),
    ]  # fmt: skip
    for op in ops:
        store.outbox.acknowledge(op.n, "rejected", {"error": {"code": "invalid", "msg": "No."}})
    world.kill()
    screen = open_app(world.folder, syncing=False)
    ctx = screen.app.ctx

    def all_words():
        screen.app.go("sync")
        screen.frames()
        said = "\n".join(screen.words())
        assert not [one for one in WORDS[language] if one not in said], said
        raw = ("custom.", "{'", "True", "former\n", "2700", "“s”", "['s']", "None")
        assert not [one for one in raw if one in said], said
        return said

    assert "Search: Side" in all_words(), "as the company calls it, though the app has a word of that name"
    for n, op in enumerate(ctx.files.outbox.ops()):
        met = [
            {"id": f"c{n}{name}", "field": name, "base": None, "mine": both[1], "server": both[0], "by": None}
            | {"at": None, "policy": "keep_server", "kind": "concurrent"} for name, both in op.body["f"].items()
        ]  # fmt: skip
        ctx.files.outbox.acknowledge(op.n, "conflict", {"conflicts": met})
    all_words()
    heard = {
        one["id"]: {"id": one["id"], "state": "custom", "value": one["mine"], "by": "Mona", "at": None}
        for op in ctx.files.outbox.ops() for one in op.result["conflicts"]
    }  # fmt: skip
    from mobile.field import conflicts

    conflicts.heard(ctx.files.outbox, list(heard.values()))
    assert "Mona" in all_words()
    typed = {key: own.shown(field_of("account", key, kinds[key]), one) for key, one in stored.items()}
    body = {
        "screen": "edit_account",
        "own": typed | {"cold": False},
        "own_left": [["gone", {"amount": "5.00"}]],
        **plain,
    }
    told = {label: said for label, said in unfinished.read(ctx, body)}
    yes_no = Words(language)("no")
    assert (told["Search"], told["Cold"]) == ("Side", yes_no)
    assert told[Words(language)("gone_field")] == WORDS[language][6].removesuffix(" EUR")
    assert {WORDS[language][0], WORDS[language][1], WORDS[language][3]} <= set(told.values())
    assert values.told(ctx, "account", "custom.cold", False) == yes_no


def test_a_label_holds_no_more_than_some_hundred_characters(world, open_app):
    office, text = Office(world, "account"), "x" * 20_000
    for key, kind in (("beds", "number"), ("worth", "money"), ("story", "long_text")):
        office.define(key, kind, label=key.title())
    office.sync()
    refuse(world.store, "account", {"custom.story": text})
    (op,) = own.change(world.store, "account", uid(1001), {"custom.story": text}, (0, {}))
    clash = {"id": "c", "field": "custom.story", "base": None, "mine": text, "server": text, "by": None, "at": None}
    met = clash | {"policy": "keep_server", "kind": "concurrent"}
    world.store.outbox.acknowledge(op.n, "conflict", {"conflicts": [met]})
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert max(map(len, screen.words())) < 1200
    form = form_of(screen, *FORMS["account"])
    for number in ("1e999999", "-1e999999", "1" * 4000):
        form.own.given |= {"beds": number, "worth": f"{number} EUR"}
        with pytest.raises(Unfit) as refused:
            form.save()
        for language in ("en", "de"):
            assert len(trouble.told(Words(language), refused.value)) < 400
    form.own.given |= {"beds": "1e-999999", "worth": "1e-999999"}
    form.save()
    assert sent(screen) == [{"custom.beds": [None, 0.0], "custom.worth": [None, {"amount": "0.000000000000"}]}]


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


@pytest.mark.parametrize("how", CHANGED)
def test_answers_that_a_visit_does_not_ask_any_more_are_shown_and_go_into_its_note(world, open_app, how):
    asks(world, SHELF, SEEN)
    assert world.sync().ok
    world.kill()
    visit = {"visit_id": uid(3001), "account_id": uid(1001)}
    screen = open_app(world.folder, syncing=False)
    screen.app.go("visit", **visit)
    screen.frames()
    for label in ("order", "Range talk", "Side"):
        screen.tap(label)
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


def test_a_choice_that_the_office_took_away_is_no_code_and_no_way_to_take_it_is_offered(world, open_app):
    office, store = Office(world, "account"), world.store
    office.define("sorts", "choices")
    office.sync()
    names = ("custom.sorts", "phone")
    conflict = {"base": None, "by": None, "at": None, "policy": "keep_server", "kind": "concurrent"}
    asked = [
        conflict | {"id": f"c-{name}", "field": name, "mine": mine, "server": server}
        for name, mine, server in zip(names, (["s", "b1"], "5"), (["s"], "6"), strict=True)
    ]
    op = capture.edit(store, "account", uid(1001), {"phone": "5"})
    store.outbox.acknowledge(op.n, "conflict", {"conflicts": asked})
    store.rebuild_overlay()
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("you wrote “Side, b1 (no choice any more)”, the office “Side”")
    assert screen.shows("Yours cannot be taken: the field does not offer this any more.")
    assert [getattr(one, "label", None) for one in screen.widgets()].count("Take mine") == 1, "of the other field"
    screen.tap("Take all mine")
    assert [one.body["decides"] for one in screen.app.ctx.files.outbox.ops(("queued",))] == ["c-phone"]


def test_a_choice_whose_question_became_a_text_is_told_by_its_label(world, open_app):
    asks(world, SHELF)
    assert world.sync().ok
    world.kill()
    visit = {"visit_id": uid(3001), "account_id": uid(1001)}
    screen = open_app(world.folder, syncing=False)
    screen.app.go("visit", **visit)
    screen.frames()
    for label in ("order", "Range talk", "Side"):
        screen.tap(label)
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
