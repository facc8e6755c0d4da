"""People, tickets, deals, the agenda, orders, leads and the catalogue: on the phones of those who may see them, and
back from there exactly once."""

import random
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from mobile.field import capture, conflicts, records, taking
from mobile.field import rights as field_rights
from mobile.field.checkin import Fix
from mobile.field.finding import AccountIndex
from mobile.field.store import clock
from server.accounts import cadence
from server.accounts.fields import overdue_days
from server.accounts.models import Account
from server.auth import rights
from server.fields import forms
from server.kit.database import transaction
from server.kit.settings import settings
from server.products import service as products
from server.sync import doctor
from server.sync.pulling.entities import BY_NAME
from tests.server.sync.conftest import everything_at
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.world import World

BELOW = ("contact", "contact_account", "ticket", "opportunity", "activity", "order", "note", "mail", "stage_change")
HELD = (*BELOW, "lead")


def catalogue(world: World) -> tuple[UUID, UUID]:
    """Milk at 4.50 in everybody's list; the product and the list."""
    with transaction() as session:
        milk = products.create(session, {"number": "P-1", "name": "Milk", "unit": "pc"}).id
        list_id = products.create_list(session, {"name": "Retail", "currency": "EUR"}).id
        products.set_price(session, list_id, milk, "4.50")
        products.use_list(session, list_id, [products.Customer()])
    return milk, list_id


def test_records_are_where_their_account_is_and_go_with_it(world: World, phone: FieldPhone) -> None:
    account = world.account("Bakery", "west")
    made = everything_at(world, account)
    other = everything_at(world, world.account("Mill", "east"))
    phone.sync()
    for name in HELD:
        assert set(phone.held(name)) == {str(made[name])}, name
        assert str(other[name]) not in phone.held(name)
    assert phone.held("ticket")[str(made["ticket"])][1]["queue"] == "Service"
    task = phone.held("activity")[str(made["activity"])][1]
    assert (task["subject"], task["state"]) == (None, "open"), "of what is private others see that it is there"
    assert len(phone.held("note")[str(made["note"])][1]["text"]) == 2000
    mail, step = phone.held("mail")[str(made["mail"])][1], phone.held("stage_change")[str(made["stage_change"])][1]
    assert (mail["subject"], mail["sender"], len(mail["text"])) == ("Twelve more", "anna@bakery.li", 500)
    assert (step["deal"], step["from_stage"], step["to_stage"], step["state"]) == ("Branch", None, "Offer", "open")
    world.sql("update note set written_at = now() - interval '14 months' where id = :id", id=other["note"])
    world.sql("update stage set name = 'Talks'")
    world.sql("update ticket set state = 'solved' where id = :id", id=made["ticket"])
    phone.sync()
    assert phone.held("opportunity")[str(made["opportunity"])][1]["stage"] == "Talks"
    assert phone.held("stage_change")[str(made["stage_change"])][1]["to_stage"] == "Talks"
    assert phone.held("ticket") == {}, "a solved ticket leaves the phone"
    world.move(account, "east")
    phone.sync()
    assert {name: set(phone.held(name)) for name in BELOW} == {name: set() for name in BELOW}
    with transaction() as session:
        assert [one for one in doctor.examine(session) if one.count] == []


def test_a_phone_tells_the_same_days_overdue_as_the_office(world: World, phone: FieldPhone) -> None:
    rng, today = random.Random(26), clock.now().astimezone(ZoneInfo(settings().zone)).date()
    classes: tuple[str | None, ...] = ("A", "B", "C", None)
    for owner in (None, world.users["rita"], world.users["mona"]):
        with transaction() as session:
            cadence.set_interval(session, owner, rng.choice("AB"), cadence.Interval(rng.randint(5, 60), 0.2))
    for number in range(60):
        world.account(
            f"Shop {number}",
            "west",
            account_class=rng.choice(classes),
            owner_id=rng.choice((None, world.users["rita"], world.users["mona"])),
            interval_days=rng.choice((None, None, 10, 400)),
            last_visit_on=rng.choice((None, today - timedelta(days=rng.randint(0, 600)))),
            created_at=clock.now() - timedelta(days=rng.randint(0, 900)),
        )

    def office() -> dict[str, int | None]:
        with transaction() as session:
            asked = session.execute(select(Account.id, overdue_days(today)))
            return {str(account_id): days for account_id, days in asked}

    def on_the_phone() -> dict[str, int | None]:
        phone.sync()
        return {line.id: line.overdue_days for line in AccountIndex(phone.store).search()}

    assert on_the_phone() == office()
    assert len({days for days in office().values() if days is not None and days > 0}) > 10
    with transaction() as session:
        cadence.set_interval(session, None, "A", cadence.Interval(3, 0.2))
        cadence.set_interval(session, world.users["rita"], "C", cadence.Interval(2, 0.2))
        cadence.set_interval(session, world.users["mona"], "B", None)
    assert on_the_phone() == office(), "a cadence that changes goes to phones by itself"


def test_a_right_that_is_taken_takes_the_rows_and_a_hidden_field_its_values(world: World, phone: FieldPhone) -> None:
    made = everything_at(world, world.account("Bakery", "west"))
    phone.sync()
    actor = world.user("ada_of_rights")
    with transaction() as session:
        levels = {"tickets:read": "none", "opportunities:read": "own"}
        hidden = {"contact.phones": "hidden", "contact.note": "hidden"}
        rights.change_role(session, "rep", levels=levels, fields=hidden, actor=actor)
    for _ in range(2):
        phone.sync()
    contact = phone.held("contact")[str(made["contact"])][1]
    assert (contact["last_name"], contact["phones"], contact["note"]) == ("Näscher", None, None)
    assert (phone.held("ticket"), phone.held("opportunity")) == ({}, {}), "deals of others are not hers any more"
    world.sql("update opportunity set owner_id = :me", me=world.users["rita"])
    phone.sync()
    assert set(phone.held("opportunity")) == {str(made["opportunity"])}
    world.sql("delete from access_role")
    for _ in range(2):
        phone.sync()
    assert set(phone.held("ticket")) == {str(made["ticket"])}
    assert phone.held("contact")[str(made["contact"])][1]["phones"] == [{"label": "M", "value": "079"}]


def test_a_visit_with_form_signature_order_and_next_step_arrives_exactly_once(world: World, phone: FieldPhone) -> None:
    account, (milk, list_id) = world.account("Bakery", "west"), catalogue(world)
    with transaction() as session:
        kind = forms.set_type(session, {"name": "Shelf"}).id
        asked = [{"key": "facings", "label": "Facings", "kind": "number", "required": True}]
        first = forms.set_questions(session, kind, asked).id
    phone.sync()
    assert phone.held("product")[str(milk)][1]["prices"][0]["unit_price"] == "4.5000"
    assert phone.held("visit_type")[str(kind)][1]["form_version_id"] == str(first)
    with transaction() as session:
        forms.set_questions(session, kind, [*asked, {"label": "New", "required": True}])
        products.set_price(session, list_id, milk, "4.80")
    target = capture.VisitTarget(str(account), None, clock.now().date().isoformat(), "Europe/Vaduz")
    form = taking.Form(str(kind), str(first), {"facings": 4})
    ink = taking.Signature("Anna", ((0, 0, 10, 10),))
    taking.finish(phone.store, target, "order", note="Twelve", form=form, signature=ink, fix=None)
    taking.draft_order(
        phone.store, str(account), None, "EUR",
        [taking.Line(str(milk), None, "12", "4.50"), taking.Line(None, "Before 7", "1", "9.00")],
    )  # fmt: skip
    taking.next_step(phone.store, str(account), "Bring samples", due_on="2026-12-04")
    taking.new_lead(phone.store, 9.2, 47.2, company="Café am Markt")
    report = phone.sync_late()
    assert dict(report.results) == {"applied": 4}, [op.result for op in phone.store.outbox.ops()]
    assert world.sql("select state, answers, flags from visit") == [("done", {"facings": 4}, ["unplanned"])]
    assert world.sql("select signature ->> 'name' from visit_event") == [("Anna",)]
    ((state, net, told),) = world.sql("select state, net, internal_note from sales_order")
    assert (state, net) == ("draft", Decimal("66.6"))
    assert told == "“Milk”: 4.5 EUR on the phone, 4.8 by the lists"
    assert world.sql("select count(*) from order_line") == [(2,)]
    assert world.sql("select subject, state from activity") == [("Bring samples", "open")]
    assert world.sql("select company, source from lead") == [("Café am Markt", "map")]
    visit = next(iter(phone.held("visit").values()))[1]
    assert (visit["answers"], visit["signed_by"]) == ({"facings": 4}, "Anna")
    assert len(next(iter(phone.held("order").values()))[1]["lines"]) == 2
    again = phone.sync()
    assert again is not None
    assert (again.results, again.rows) == ({}, 0)
    ((task, _),) = ((row_id, 0) for row_id in phone.held("activity"))
    capture.edit(phone.store, "activity", task, {"subject": "Bring two samples", "due_on": "2027-01-08"})
    report = phone.sync()
    assert report is not None
    assert dict(report.results) == {"applied": 1}
    assert world.sql("select subject, due_on::text from activity") == [("Bring two samples", "2027-01-08")]
    capture.edit(phone.store, "activity", task, {"state": "done"})
    world.sql("update activity set note = 'Twelve of them'")
    report = phone.sync()
    assert report is not None
    assert dict(report.results) == {"merged": 1}
    assert world.sql("select state, note from activity") == [("done", "Twelve of them")]


def test_answers_that_do_not_fit_never_cost_the_visit(world: World, phone: FieldPhone) -> None:
    account = world.account("Bakery", "west")
    phone.sync()
    target = capture.VisitTarget(str(account), None, clock.now().date().isoformat(), "Europe/Vaduz")
    form = taking.Form(str(uuid4()), None, {"facings": 4})
    fix = Fix(9.2, 47.2, 10, clock.now())
    taking.finish(phone.store, target, "order", note="Twelve", form=form, signature=None, fix=fix)
    report = phone.sync()
    assert report is not None
    assert dict(report.results) == {"applied": 1}
    assert world.sql("select note, flags from visit") == [("Twelve\nfacings: 4", ["unfit_answers", "unplanned"])]


def test_an_order_is_of_the_moment_in_which_it_was_taken_down(
    world: World, phone: FieldPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, (milk, _) = world.account("Bakery", "west"), catalogue(world)
    phone.sync()
    now, mono_ms = clock.now().astimezone(), clock.mono_ms()
    with monkeypatch.context() as earlier:
        earlier.setattr(clock, "wall", lambda: (now - timedelta(minutes=20)).isoformat(timespec="milliseconds"))
        earlier.setattr(clock, "mono_ms", lambda: mono_ms - 1_200_000)
        taking.draft_order(phone.store, str(account), None, "EUR", [taking.Line(str(milk), None, "12", None)])
    phone.sync()
    ((is_old,),) = world.sql("select now() - created_at > interval '19 minutes' from sales_order")
    assert is_old, "the timeline tells when it was taken down, not when it arrived"


@pytest.mark.parametrize(("ago", "day"), [(timedelta(days=3), -3), (timedelta(days=3000), 0), (-timedelta(days=9), 0)])
def test_an_order_that_is_sent_later_has_the_day_on_which_it_was_taken_down(
    world: World, phone: FieldPhone, monkeypatch: pytest.MonkeyPatch, ago: timedelta, day: int
) -> None:
    account, (milk, _) = world.account("Bakery", "west"), catalogue(world)
    phone.sync()
    then = clock.now().astimezone() - ago
    with monkeypatch.context() as earlier:
        earlier.setattr(clock, "wall", lambda: then.isoformat(timespec="milliseconds"))
        earlier.setattr(clock, "boot_id", lambda: "before the phone was started again")
        taking.draft_order(phone.store, str(account), None, "EUR", [taking.Line(str(milk), None, "12", None)])
    phone.sync()
    zone = ZoneInfo(settings().zone)
    taken = then.astimezone(zone).date() if day else clock.now().astimezone(zone).date()
    assert world.sql("select day from sales_order") == [(taken,)]


def test_every_entity_has_the_code_under_which_the_feed_knows_it(world: World) -> None:
    found = world.sql(
        "select split_part(encode(tgargs, 'escape'), '\\000', 1)::int, split_part(encode(tgargs, 'escape'), '\\000', 2)"
        " from pg_trigger where tgname = 'sync_insert' and tgnargs >= 2"
    )
    assert {name: BY_NAME[name].code for _, name in found} == {name: code for code, name in found}


def test_a_rep_changes_an_account_and_its_people_within_their_rights(world: World, phone: FieldPhone) -> None:
    account = world.account("Bakery", "west")
    phone.sync()
    met = taking.new_contact(phone.store, str(account), first_name="Rita", last_name="Öhri", phone="+423 222 22 23")
    (shown,) = records.people_at(phone.store, str(account))
    assert (shown.name, shown.phones, shown.waits) == ("Rita Öhri", ("+423 222 22 23",), True)
    values = {"first_name": "Rita", "last_name": "Öhri", "title": "Buyer"}
    taking.change_contact(phone.store, met.row_id, values, "+423 222 22 23", "")
    capture.edit(phone.store, "account", str(account), {"name": "Bakery & Son", "preferred_time": "morning"})
    report = phone.sync_late()
    assert set(report.results) <= {"applied", "merged"}, [op.result for op in phone.store.outbox.ops()]
    assert world.sql("select name, preferred_time from account") == [("Bakery & Son", "morning")]
    told = "select c.title, c.phone_numbers, l.account_id from contact c join contact_account l on l.contact_id = c.id"
    assert world.sql(told) == [("Buyer", ["+4232222223"], account)]
    (shown,) = records.people_at(phone.store, str(account))
    assert (shown.title, shown.waits) == ("Buyer", False)
    world.sql("update contact set title = 'Boss'")
    taking.change_contact(phone.store, met.row_id, values | {"title": "Chef"}, "+423 222 22 23", "")
    phone.sync()
    (asked,) = conflicts.questions(phone.store)
    assert (asked.op.e, asked.stored, world.sql("select title from contact")) == ("contact", "Boss", [("Boss",)])
    conflicts.answer(phone.store, asked, mine=True)
    phone.sync()
    assert world.sql("select title from contact") == [("Chef",)]
    assert world.sql("select state, chosen from field_conflict") == [("took_mine", "Chef")]
    assert conflicts.questions(phone.store) == []
    actor = world.user("ada_of_rights")
    with transaction() as session:
        levels, fields = {"contacts:write": "none"}, {"account.phone": "hidden", "account.note": "fixed"}
        rights.change_role(session, "rep", levels=levels, fields=fields, actor=actor)
    phone.sync()
    outbox, ask = phone.store.outbox, field_rights.may_change
    assert [ask(outbox, "account", one) for one in ("name", "email", "phone", "note")] == [True, True, False, False]
    assert not ask(outbox, "contact")
