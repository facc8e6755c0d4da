"""What the phone refuses at once because the server would refuse it later."""

from collections.abc import Iterator

import pytest

from mobile.field import limits, taking
from mobile.field.capture import VisitTarget, edit, propose_pin, visit_event
from mobile.field.limits import Unfit
from mobile.field.store import Store
from server.accounts.values import ACCOUNT, SITE
from server.kit.errors import Invalid
from server.records import values
from server.sync import payloads, wire
from server.sync.ops import WRITABLE
from tests.mobile.conftest import DAY, uid

TARGET = VisitTarget(uid(1), uid(2), DAY, "Europe/Vaduz")
MODELS = {
    "visit_event": wire.VisitEvent,
    "pin_proposal": payloads.NewPin,
    "order": payloads.NewOrder,
    "activity": payloads.NewActivity,
    "lead": payloads.NewLead,
    "account": payloads.NewAccount,
}
BY_THE_APP = {"zone", "currency", "checkin.fix_at", "fix.fix_at", "starts_at", "ends_at"}
"""What no rep writes."""


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
    assert found == limits.CREATED[e]
    for name, most in limits.ITEMS.items():
        if name in schema["properties"]:
            assert schema["properties"][name]["maxItems"] == most


@pytest.mark.parametrize(("e", "name"), [(e, name) for e, fields in limits.EDITED.items() for name in fields])
def test_the_phone_refuses_the_edits_that_the_server_refuses(e, name):
    assert name in WRITABLE[e]
    most = limits.EDITED[e][name]
    fits = {
        "email": "a" * (most - len("@example.com")) + "@example.com",
        "website": "https://example.com/".ljust(most, "x"),
        "opening_hours": None,
    }.get(name, "x" * most)
    if fits is None:
        return  # its syntax is the server's alone
    assert limits.edited(e, {name: [None, fits]})[name][1] == fits
    with pytest.raises(Unfit) as refused:
        limits.edited(e, {name: [None, fits + "x"]})
    assert (refused.value.code, refused.value.values) == ("too_long", {"most": most, "length": most + 1})
    rule = (ACCOUNT | SITE).get(name) if e in ("account", "site") else None
    if rule is not None:
        assert rule.clean(fits) == fits
        with pytest.raises(Invalid):
            rule.clean(fits + "x")


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
    ],
)
def test_what_the_server_would_not_take_is_refused_at_once_and_nothing_is_saved(store, field, save):
    with pytest.raises(Unfit) as refused:
        save(store)
    assert refused.value.field == field
    assert store.outbox.ops() == []


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
