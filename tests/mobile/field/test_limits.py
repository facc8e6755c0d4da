"""What the phone refuses at once because the server would refuse it later."""

from collections.abc import Iterator

import pytest

from mobile.field import drafts, hours, limits, taking
from mobile.field.capture import VisitTarget, change_tags, edit, propose_pin, visit_event
from mobile.field.limits import Unfit
from mobile.field.store import Store
from server.accounts.opening_hours import HoursNotUnderstood, parse_hours
from server.accounts.values import ACCOUNT, SITE
from server.contacts.values import CONTACT
from server.kit.errors import Invalid
from server.records import values
from server.sync.protocol import payloads, wire
from server.sync.pushing.ops import WRITABLE
from tests.mobile.conftest import DAY, uid

TARGET = VisitTarget(uid(1), uid(2), DAY, "Europe/Vaduz")
MODELS = {
    "visit_event": wire.VisitEvent,
    "pin_proposal": payloads.NewPin,
    "order": payloads.NewOrder,
    "activity": payloads.NewActivity,
    "lead": payloads.NewLead,
    "account": payloads.NewAccount,
    "contact": payloads.NewContact,
}
RULES = {"account": ACCOUNT, "site": SITE, "contact": CONTACT}
BY_THE_APP = {"zone", "currency", "checkin.fix_at", "fix.fix_at", "starts_at", "ends_at", "phones.label", "mails.label",
              "outcome"}  # fmt: skip
"""What no rep writes."""
SHORTER = {"account": {"tags": 60}, "contact": {"phones.value": 60}}
"""Where the rule of a field takes less than a message does."""


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "user")
    yield store
    store.close()


def lengths(schema: dict, defs: dict, path: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """The paths of all texts of a message that have a greatest length."""
    if "$ref" in schema:
        yield from lengths(defs[schema["$ref"].rpartition("/")[2]], defs, path)
    if schema.get("type") == "string" and "maxLength" in schema:
        yield ".".join(path), schema["maxLength"]
    for one in schema.get("anyOf", []):
        yield from lengths(one, defs, path)
    if "items" in schema:
        yield from lengths(schema["items"], defs, path)
    for name, one in schema.get("properties", {}).items():
        yield from lengths(one, defs, (*path, name))


@pytest.mark.parametrize("e", MODELS)
def test_the_phone_has_the_limits_of_the_server(e):
    schema = MODELS[e].model_json_schema()
    found = {path: most for path, most in lengths(schema, schema.get("$defs", {})) if path not in BY_THE_APP}
    assert found | SHORTER.get(e, {}) == limits.CREATED[e]
    for name, most in limits.ITEMS.items():
        if name in schema["properties"]:
            assert schema["properties"][name]["maxItems"] == most


@pytest.mark.parametrize(("e", "path"), [(e, path) for e, fields in limits.EDITED.items() for path in fields])
def test_the_phone_refuses_the_edits_that_the_server_refuses(e, path):
    name, _, several = path.partition(".")
    assert name in WRITABLE[e] or (e, name) == ("account", "tags")
    most = limits.EDITED[e][path]
    fits = {
        "email": "a" * (most - len("@example.com")) + "@example.com",
        "website": "https://example.com/".ljust(most, "x"),
        "mails": "a" * (most - len("@example.com")) + "@example.com",
        "phones": "1" * most,
        "opening_hours": "24/7" + " " * (most - len("24/7")),
    }.get(name, "x" * most)
    wrap = {"value": lambda text: [{"label": "", "value": text}], "": str}["" if name == "tags" else several]
    wrap = (lambda text: [text]) if name == "tags" else wrap
    assert limits.edited(e, {name: [None, wrap(fits)]})[name][1] == wrap(fits)
    with pytest.raises(Unfit) as refused:
        limits.edited(e, {name: [None, wrap(fits + "x")]})
    (fault,) = refused.value.faults
    assert (fault.field, fault.code, fault.values["most"], fault.values["length"]) == (name, "too_long", most, most + 1)
    rule = RULES.get(e, {}).get(name)
    if rule is not None and name != "opening_hours":
        assert rule.clean(wrap(fits)) == wrap(fits)
        with pytest.raises(Invalid):
            rule.clean(wrap(fits + "x"))


HOURS = ("Mo-Fr 08:00-12:00,13:30-18:00; Sa 09:00-12:00; PH off", "24/7", "mo,we 14:00-17:00; Tu closed", "22:00-02:00",
         "Mo-Fr 08:00-12:00, Sa 09:00-12:00", 'Mo 08:00-12:00 "ring"', "", "Mo bis Fr 8-12", "Mo", "08:00-08:00",
         "Mo 8-12", "Mo 25:00-26:00", "Mo 08:00-49:00", "Mo 08:61-09:00", "open", "Mo Fr 08:00-12:00",
         "Mo- 08:00-12:00",          "Mo-Fr 8:00-12:00; by appointment")  # fmt: skip


@pytest.mark.parametrize("text", HOURS)
def test_opening_hours_are_understood_on_the_phone_where_the_server_does(text):
    try:
        parse_hours(text)
        understood = True
    except HoursNotUnderstood:
        understood = False
    assert hours.is_understood(text) == understood


@pytest.mark.parametrize(
    ("text", "en", "de"),
    [
        ("Tu-Sa 09:00-18:00", "Tu–Sa 09:00–18:00", "Di–Sa 09:00–18:00"),
        ("mo-fr 08:00-12:00,13:30-18:00;sa off", "Mo–Fr 08:00–12:00, 13:30–18:00; Sa closed",
         "Mo–Fr 08:00–12:00, 13:30–18:00; Sa geschlossen"),
        ("24/7", "24/7", "24/7"),
        ("ask Mo-ni", "ask Mo-ni", "ask Mo-ni"),
        ('Mo 08:00-12:00 "by Mo-ni"', 'Mo 08:00-12:00 "by Mo-ni"', 'Mo 08:00-12:00 "by Mo-ni"'),
    ],
)  # fmt: skip
def test_opening_hours_are_told_in_the_words_of_a_language(text, en, de):
    assert (hours.told(text, "en"), hours.told(text, "de")) == (en, de)


def test_addresses_are_written_as_the_server_wants_them():
    assert {name: one.pattern for name, one in limits.PATTERNS.items()} == {
        "email": values.EMAIL.pattern,
        "website": values.WEBSITE.pattern,
    }
    for good in ("anna@bakery.li", "mailto:anna@bakery.li", " anna@bakery.li ", "", None):
        limits.edited("account", {"email": [None, good]})
    for good in ("bakery.li", "https://bakery.li/a?b", None):
        limits.edited("account", {"website": [None, good]})
    with pytest.raises(Unfit, match="no_email"):
        limits.edited("account", {"email": [None, "anna@ bakery"]})
    with pytest.raises(Unfit, match="no_website"):
        limits.edited("account", {"website": [None, "bakery"]})


@pytest.mark.parametrize(
    ("field", "save"),
    [
        ("note", lambda store: visit_event(store, TARGET, "done", note="x" * 20_001)),
        ("phone", lambda store: taking.new_account(store, taking.NewAccount("A", 9.1, 47.1, phone="1" * 61))),
        ("note", lambda store: taking.new_account(store, taking.NewAccount("A", 9.1, 47.1, note="x" * 5001))),
        ("tags", lambda store: taking.new_account(store, taking.NewAccount("A", 9.1, 47.1, tags=("x",) * 21))),
        ("company", lambda store: taking.new_lead(store, 9.1, 47.1, company="B" * 201)),
        ("note", lambda store: propose_pin(store, {"id": uid(2), "account_id": uid(1)}, 9.1, 47.1, note="x" * 2001)),
        ("email", lambda store: edit(store, "account", uid(1), {"phone": "1", "email": "anna@ bakery"})),
        ("name", lambda store: edit(store, "account", uid(1), {"name": "n" * 301})),
        ("opening_hours", lambda store: edit(store, "site", uid(2), {"opening_hours": "Mo bis Fr 8-12"})),
        ("tags", lambda store: change_tags(store, uid(1), add=["t" * 61])),
        ("first_name", lambda store: taking.new_contact(store, uid(1), first_name="A" * 121, last_name="")),
        ("title", lambda store: taking.new_contact(store, uid(1), first_name="A", last_name="", title="t" * 161)),
        ("phones", lambda store: taking.new_contact(store, uid(1), first_name="A", last_name="", phone="1" * 61)),
        ("phones", lambda store: taking.new_contact(store, uid(1), first_name="A", last_name="", phone="call me")),
        ("mails", lambda store: taking.new_contact(store, uid(1), first_name="A", last_name="", mail="anna@ bakery")),
        ("mails", lambda store: taking.change_contact(store, uid(3), {"first_name": "A"}, "", "anna@ bakery")),
    ],
)
def test_what_the_server_would_not_take_is_refused_at_once_and_nothing_is_saved(store, field, save):
    with pytest.raises(Unfit) as refused:
        save(store)
    assert [one.field for one in refused.value.faults] == [field]
    assert store.outbox.ops() == []


def test_every_field_that_does_not_fit_is_told_at_once(store):
    with pytest.raises(Unfit) as refused:
        limits.all_or_none(
            lambda: edit(store, "account", uid(1), {"email": "anna@ bakery", "note": "fits", "name": "n" * 301}),
            lambda: change_tags(store, uid(1), add=["fits", "", " "]),
            lambda: edit(store, "site", uid(2), {"opening_hours": "mornings"}),
        )
    assert {one.field: one.code for one in refused.value.faults} == {
        "email": "no_email", "name": "too_long", "opening_hours": "no_hours",
    }  # fmt: skip


def test_notes_are_saved_whole(store):
    lead = taking.new_lead(store, 9.1, 47.1, company="B", note="n" * 5000)
    account = taking.new_account(store, taking.NewAccount("A", 9.1, 47.1, note="n" * 5000))
    pin = propose_pin(store, {"id": uid(2), "account_id": uid(1)}, 9.1, 47.1, note="n" * 2000)
    assert [len(op.body["d"]["note"]) for op in (lead, account, pin)] == [5000, 5000, 2000]


def test_a_next_step_too_long_for_a_subject_stands_in_the_note(store):
    d = taking.next_step(store, uid(1), "x" * 301, note="and more").body["d"]
    assert (d["subject"], d["note"]) == ("x" * 300, "x" * 301 + "\nand more")


def test_a_firm_of_open_data_becomes_a_lead_whatever_stands_there(store):
    firm = {
        "id": uid(5),
        "name": "B" * 300,
        "phone": "+423 1; +423 2 and more of them, so that all is too long",
        "lon": 9.1,
    }
    op = taking.lead_of_firm(store, firm | {"lat": 47.1})
    assert (len(op.body["d"]["company"]), op.body["d"]["phone"]) == (200, "+423 1")


def test_half_a_character_that_a_keyboard_left_behind_does_not_keep_a_note_from_being_saved(store):
    assert visit_event(store, TARGET, "done", note="a\ud83d b").body["d"]["note"] == "a? b"
    drafts.keep(store, uid(3), {"account_id": uid(1), "planned": True, "note": "a\ud83d b"})
    assert drafts.at_visit(store, uid(3), None).body["note"] == "a? b"
