"""Values of the company's own fields and of the app's are told in words, in both languages and not without end."""

from datetime import date, datetime

import pytest

from mobile.field import capture, hours, own
from mobile.field.limits import Unfit
from mobile.phone import Phone as AppPhone
from mobile.screens import trouble, unfinished, values
from mobile.texts import Words
from tests.mobile.conftest import uid
from tests.mobile.screens.conftest import Office, field_of, form_of, refuse, sent
from tests.mobile.screens.test_retyped import FORMS

pytestmark = pytest.mark.window
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
