"""What is not sent yet, what was refused, and conflicts: each is said, opened and mended."""

from datetime import datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from PIL import Image

from mobile.device.desktop import FolderCamera
from mobile.field import conflicts, drafts, entries, photos, rights, taking, tracks, zones
from mobile.field.capture import VisitTarget, edit, op_of, propose_pin, visit_event
from mobile.widgets.base import Scroller
from tests.mobile.conftest import uid
from tests.mobile.window import recorded_all_day

pytestmark = pytest.mark.window


def test_a_conflict_is_settled_with_one_tap(screen):
    store = screen.app.ctx.store
    op = edit(store, "account", uid(1001), {"phone": "mine"})
    conflict = {"id": "c1", "field": "phone", "base": "1", "mine": "mine", "server": "theirs", "by": None, "at": None}
    store.outbox.acknowledge(
        op.n, "conflict", {"n": op.n, "status": "conflict", "conflicts": [conflict | {"policy": "x"}]}
    )
    store.rebuild_overlay()
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("you wrote “mine”, the office “theirs”")
    screen.tap("Take mine")
    assert len(store.outbox.ops()) == 2
    assert not screen.shows("you wrote")


def test_what_was_refused_is_shown_with_what_it_says_and_what_waits_to_its_end(screen):
    store = screen.app.ctx.store
    made = taking.draft_order(store, uid(1001), None, "CHF", [taking.Line(None, "Rolls", "12", "2")], note="at noon")
    error = {"code": "not_allowed", "msg": "Your role may not.", "retry": False}
    store.outbox.acknowledge(made.n, "rejected", {"n": made.n, "status": "rejected", "error": error})
    for number in range(52):
        taking.next_step(store, uid(1001), f"Call {number}", due_on="2026-12-01")
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Lines: 12 × Rolls")
    assert screen.shows("Note: at noon")
    assert not screen.shows("Call 51")
    screen.tap("2 more")
    assert screen.shows("Call 51")
    assert not screen.shows("2 more")


def _refused(store, op):
    error = {"code": "not_allowed", "msg": "Not like this.", "retry": False}
    store.outbox.acknowledge(op.n, "rejected", {"n": op.n, "status": "rejected", "error": error})
    store.rebuild_overlay()


def test_every_line_of_unsent_work_names_its_customer(screen):
    store = screen.app.ctx.store
    edit(store, "site", uid(2001), {"opening_hours": "Mo-Fr 08:00-09:00"})
    edit(store, "activity", uid(6401), {"state": "done"})
    edit(store, "contact", uid(6001), {"title": "Owner"})
    taking.next_step(store, uid(1001), "Visit at Müller GmbH", due_on="2026-12-01")
    screen.app.go("sync")
    screen.frames()
    for line in (
        "Change of the site: Müller GmbH", "Next step: Bring the catalogue  ·  Müller GmbH",
        "Person: Anna Näscher  ·  Müller GmbH", "Next step: Visit at Müller GmbH",
    ):  # fmt: skip
        assert line in screen.words(), line


def test_a_refused_edit_is_opened_with_what_was_typed_and_sent_again(screen):
    from mobile.widgets.controls import Field

    store = screen.app.ctx.store
    store.outbox.meta.set(rights.CLOSED, "[]")
    op = edit(store, "site", uid(2001), {"opening_hours": "Mo-Fr 08:00-09:00"})
    _refused(store, op)
    screen.app.go("sync")
    screen.frames()
    assert "Change of the site: Müller GmbH" in screen.words()
    screen.tap("Open")
    (hours,) = [field for field in screen.widgets(Field) if field.value == "Mo-Fr 08:00-09:00"]
    hours.input.text = "Mo-Fr 08:00-12:00"
    screen.tap("Save")
    assert [one.body["f"] for one in store.outbox.ops(("queued",))] == [{"opening_hours": [None, "Mo-Fr 08:00-12:00"]}]
    screen.frames()
    assert not screen.shows("Not like this."), "it goes on in the new one"
    assert not drafts.unfinished(store)


REFUSED = {
    "visit": lambda s: visit_event(s, VisitTarget(uid(1001), uid(2001), "2026-11-23", "UTC", uid(3001)), "done",
                                   outcome="order", note="typed once"),
    "account": lambda s: edit(s, "account", uid(1001), {"note": "typed once", "email": None}),
    "person": lambda s: taking.new_contact(s, uid(1001), first_name="Zita", last_name="", title="typed once"),
    "changed person": lambda s: edit(s, "contact", uid(6001), {"title": "typed once", "phones": []}),
    "new account": lambda s: taking.new_account(s, taking.NewAccount("Kiosk", city="Triesen", note="typed once")),
    "lead": lambda s: taking.new_lead(s, 9.5, 47.1, company="Kiosk", note="typed once"),
    "firm": lambda s: taking.lead_of_firm(s, s.cache.doc("prospect", uid(7001)), "typed once"),
    "step": lambda s: taking.next_step(s, uid(1001), "typed once", due_on="2026-12-01"),
    "pin": lambda s: propose_pin(s, s.cache.doc("site", uid(2001)), 9.53, 47.15, note="typed once"),
}  # fmt: skip


@pytest.mark.parametrize("entry", REFUSED)
def test_what_was_refused_opens_the_form_that_it_came_from(screen, entry):
    from mobile.widgets.controls import Field

    store = screen.app.ctx.store
    store.outbox.meta.set(rights.CLOSED, "[]")
    _refused(store, REFUSED[entry](store))
    screen.app.ctx.index = None
    screen.app.go("sync")
    screen.frames()
    screen.tap("Open")
    assert "typed once" in [field.value for field in screen.widgets(Field)]
    screen.tap("back")
    assert not screen.shows("Not like this."), "what was typed waits in the draft now"
    assert len(drafts.unfinished(store)) == 1


def _order(store, *lines):
    return taking.draft_order(
        store, uid(1001), None, "CHF", [taking.Line(one, None, much, "4.5") for one, much in lines]
    )


def test_a_refused_order_that_its_form_cannot_show_opens_the_account(screen):
    store = screen.app.ctx.store
    _refused(store, taking.draft_order(store, uid(1001), None, "CHF", [taking.Line(None, "Rolls", "12", "2")]))
    screen.app.go("sync")
    screen.frames()
    screen.tap("Open")
    assert screen.shows("Log a visit")
    screen.tap("back")
    assert screen.shows("Lines: 12 × Rolls"), "it can still be read"


def test_a_refused_order_opens_its_form_with_its_lines_and_is_mended_there(screen):
    store = screen.app.ctx.store
    product = store.cache.doc("product", uid(6802))
    refused = _order(store, (uid(6801), "3"), (uid(6802), "6.000"))
    with store.page():  # which is why it was refused
        store.cache.put_base("product", uid(6802), 9, product | {"is_active": False})
    _refused(store, refused)
    screen.app.go("sync")
    screen.frames()
    screen.tap("Open")
    assert screen.shows("Not to be had here any more: Käse × 6")
    assert screen.shows("1 line · 13.50 CHF before tax")
    screen.tap("one more Milch 1 l")
    screen.tap("Save the order")
    (made,) = store.outbox.ops(("queued",))
    assert [(line["product_id"], Decimal(line["quantity"])) for line in made.body["d"]["lines"]] == [(uid(6801), 4)]
    screen.frames()
    assert not screen.shows("Not like this."), "it goes on in the new one"
    assert not drafts.unfinished(store)


def test_a_refused_order_names_a_product_that_is_in_no_catalogue_any_more(screen):
    store = screen.app.ctx.store
    op = _order(store, (uid(6801), "3"), (uid(6802), "6.000"))
    result = {"error": {"code": "invalid", "msg": "Not like this."}, "about": entries.about(store, op)}
    store.outbox.acknowledge(op.n, "rejected", result)
    with store.page():
        store.cache.remove("product", uid(6802))
    store.rebuild_overlay()
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("6 × Käse")
    screen.tap("Open")
    assert screen.shows("Not to be had here any more: Käse × 6")


def test_a_saved_order_is_read_and_taken_back_into_its_form_until_it_is_sent(screen):
    store = screen.app.ctx.store
    saved = _order(store, (uid(6801), "3"))
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap("Order  ·  1 line")
    assert (screen.shows("Milch 1 l"), screen.shows("3 × 4.50 CHF"), screen.shows("13.50 CHF")) == (True,) * 3
    screen.tap("Change this order")
    assert not store.outbox.ops(), "nothing of it is sent until it is saved anew"
    assert [one.body["chosen"] for one in drafts.unfinished(store)] == [{uid(6801): ["3", "Milch 1 l"]}]
    screen.tap("one more Milch 1 l")
    screen.tap("Save the order")
    (again,) = store.outbox.ops()
    assert Decimal(again.body["d"]["lines"][0]["quantity"]) == 4
    assert again.op_id != saved.op_id
    store.outbox.mark_sent([again])
    screen.app.go("order", account_id=uid(1001), order_id=again.row_id)
    screen.frames()
    assert screen.shows("4 × 4.50 CHF")
    assert not screen.shows("Change this order"), "the server may have it"


def test_an_order_that_was_sent_meanwhile_is_not_taken_back(screen):
    store = screen.app.ctx.store
    saved = _order(store, (uid(6801), "3"))
    screen.app.go("order", account_id=uid(1001), order_id=saved.row_id)
    screen.frames()
    store.outbox.mark_sent([saved])
    screen.tap("Change this order")
    assert screen.shows("It may be on the server already.")
    assert [op.op_id for op in store.outbox.ops()] == [saved.op_id]
    assert not drafts.unfinished(store)


def test_what_leads_nowhere_has_no_way_to_be_opened(screen):
    store = screen.app.ctx.store
    tracks.heard(store.outbox, recorded_all_day())
    tracks.pause(store)
    _refused(store, store.outbox.ops()[-1])
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Understood")
    assert not screen.shows("Open")


def test_nothing_is_said_to_be_on_the_server_that_is_not(open_app, world, tmp_path):
    """A photo whose content waits, or an entry that was refused: neither goes with "everything is on the server"."""
    (tmp_path / "lens").mkdir()
    Image.new("RGB", (300, 200), "red").save(tmp_path / "lens" / "door.jpg")
    screen = open_app(world.folder, syncing=False, camera=FolderCamera(tmp_path / "lens"))
    from mobile.screens import gallery

    store, everything = screen.app.ctx.store, "Everything you saved is on the server."

    def look():
        screen.app.go("sync")
        screen.frames()
        return screen.words()

    assert everything in look()
    zones.heard(store.outbox, "Pacific/Tongatapu")
    gallery.take(screen.app.ctx, uid(1001), "account", uid(1001))
    (op,) = store.outbox.ops()
    called = datetime.strptime(f"{op.body['d']['name']} +1300", "%Y-%m-%d %H.%M.%S.jpg %z")
    taken = datetime.fromisoformat(op.body["d"]["taken_at"])
    (photo,) = photos.at_account(store, uid(1001))
    screen.app.go("photo", photo_id=photo.id, account_id=uid(1001))
    screen.frames()
    assert screen.shows("Müller GmbH")
    assert not screen.shows(".jpg"), "a file name says nothing"
    assert abs(called - taken) < timedelta(minutes=1), "named in the rep's zone, not in that of the machine"
    store.outbox.acknowledge(op.n, "applied", {"n": op.n, "status": "applied"})
    words = look()
    assert (everything in words, "1 on phone" in words, words[words.index("On phone") - 1]) == (False, True, "1")
    for blob in store.outbox.blobs.all("waiting"):
        store.outbox.blobs.stored(blob.sha256)
    assert everything in look()
    made = taking.next_step(store, uid(1001), "Send the list", due_on="2026-12-01")
    error = {"code": "not_allowed", "msg": "Your role may not.", "retry": False}
    store.outbox.acknowledge(made.n, "rejected", {"n": made.n, "status": "rejected", "error": error})
    assert everything not in look()


def _asked(store, row_id=None, **changes):
    """Fields that the office changed too."""
    for name, value in changes.items():
        op = edit(store, "account", row_id or uid(1001), {name: value})
        met = {"id": f"c-{name}", "field": name, "base": "1", "mine": value, "server": "theirs", "by": None, "at": None}
        told = {"n": op.n, "status": "conflict", "conflicts": [met | {"policy": "x", "kind": "concurrent"}]}
        store.outbox.acknowledge(op.n, "conflict", told)
    store.rebuild_overlay()


@pytest.mark.parametrize("mine", [True, False])
def test_all_questions_of_an_account_are_answered_with_one_tap(screen, mine):
    store = screen.app.ctx.store
    _asked(store, phone="5", note="2", email="a@b.example")
    _asked(store, uid(1002), website="https://b.example")
    screen.app.go("sync")
    screen.frames()
    assert screen.words().count("Müller GmbH: 3 fields that somebody else changed too") == 1
    assert not screen.shows("Bäckerei Näscher: 1")
    screen.tap("Take all mine" if mine else "Keep all theirs")
    answers = {op.body["decides"] for op in store.outbox.ops(("queued",))}
    assert answers == {"c-phone", "c-note", "c-email"}
    assert [q.conflict["id"] for q in conflicts.questions(store)] == ["c-website"]
    (phone,) = [op.body["f"]["phone"] for op in store.outbox.ops(("queued",)) if "phone" in op.body["f"]]
    assert (phone[1] == "5") is mine


def test_the_line_of_unsent_work_says_how_much_waits_beside_what_needs_the_rep(screen):
    store = screen.app.ctx.store
    _asked(store, phone="5")
    edit(store, "account", uid(1002), {"note": "2"})
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("1 needs you  ·  1 on phone")


def test_each_entry_of_one_form_names_its_fields_and_leads_to_what_it_is_about(screen):
    from mobile.screens.order import OrderPad

    store = screen.app.ctx.store
    edit(store, "account", uid(1001), {"phone": "5", "note": "2"})
    edit(store, "account", uid(1001), {"custom.size": "m"})
    _order(store, (uid(6801), "3"))
    screen.app.go("sync")
    screen.frames()
    assert ("Note, Phone" in screen.words(), "Size" in screen.words()) == (True, True)
    screen.tap("Change of the account: Müller GmbH")
    assert screen.app.trail[-1] == ("account", {"account_id": uid(1001)})
    screen.tap("back")
    screen.tap("Order: Müller GmbH")
    assert (screen.shows("3 × 4.50 CHF"), screen.widgets(OrderPad)) == (True, [])


def test_who_decided_elsewhere_is_told_so_and_not_by_their_own_name(screen):
    store = screen.app.ctx.store
    _asked(store, phone="5")
    me = store.cache.doc("user_public", screen.app.ctx.user_id)["name"]
    decided = {"id": "c-phone", "state": "custom", "value": "3", "at": None}
    for who, said in ((me, "as you decided elsewhere"), ("Mara Manager", "Mara Manager chose another value")):
        conflicts.heard(store.outbox, [decided | {"by": who}])
        screen.app.go("sync")
        screen.frames()
        assert screen.shows(said), who
        assert not screen.shows(f"{me} chose")


def test_small_photos_are_told_by_their_size(open_app, world, tmp_path):
    (tmp_path / "lens").mkdir()
    Image.effect_noise((900, 700), 90).convert("RGB").save(tmp_path / "lens" / "door.jpg")
    screen = open_app(world.folder, syncing=False, camera=FolderCamera(tmp_path / "lens"))
    from mobile.screens import gallery

    gallery.take(screen.app.ctx, uid(1001), "account", uid(1001))
    size = photos.waiting(screen.app.ctx.store).size
    assert size < 950_000
    screen.app.go("sync")
    screen.frames()
    assert screen.shows(f"Photos not yet sent: 1 ({max(0.1, size / 1e6):.1f} MB)")


@pytest.mark.parametrize(
    ("e", "row", "name", "held", "words"),
    [
        ("account", 1001, "status", "former", "is “Former customer”."),
        ("site", 2001, "opening_hours", "Tu-Sa 10:00-18:00", "is “Tu–Sa 10:00–18:00”."),
    ],
)
@pytest.mark.parametrize("has_json", [True, False])
def test_what_somebody_decided_before_is_told_in_the_words_of_the_phone(screen, e, row, name, held, words, has_json):
    store = screen.app.ctx.store
    op = edit(store, e, uid(row), {name: "suspect" if e == "account" else "Mo-Fr 07:00-13:00"})
    told = {"who": "Mara", "field": name, "value": held} | (
        {"name": name, "json": f'"{held}"'} if has_json else {}  # servers of before
    )
    error = {"code": "already_decided", "msg": "No.", "reasons": [{"code": "decided_before", "values": told}]}
    store.outbox.acknowledge(op.n, "rejected", {"n": op.n, "status": "rejected", "error": error})
    screen.app.go("sync")
    screen.frames()
    assert screen.shows(words), screen.words()


@pytest.mark.parametrize(
    ("e", "row", "name", "place"),
    [
        ("account", 1001, "phone", ("edit_account", {"at": "phone"})),
        ("account", 1001, "note", ("edit_account", {"at": "note"})),
        ("contact", 6001, "title", ("person", {"contact_id": uid(6001), "at": "title"})),
        ("account", 1001, "deleted_at", ("account", {})),
    ],
)
def test_what_somebody_decided_before_opens_at_its_field(screen, e, row, name, place):
    store = screen.app.ctx.store
    op = store.save(op_of("patch", e, uid(row), base_rev=1, f={name: [None, "7"]}, decides="c-1"))
    error = {"code": "already_decided", "msg": "No."}
    store.outbox.acknowledge(op.n, "rejected", {"n": op.n, "status": "rejected", "error": error})
    shown = []
    with patch.object(Scroller, "show_soon", lambda _page, child: shown.append(child.name)):
        screen.app.go("sync")
        screen.frames()
        screen.tap("Open")
    assert screen.app.trail[-1] == (place[0], {"account_id": uid(1001), **place[1]})
    assert shown == [one for key, one in place[1].items() if key == "at"]
