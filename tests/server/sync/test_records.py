"""People, tickets, deals, the agenda, orders, leads and the catalogue: on the phones of those who may see them, and
back from there exactly once."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from mobile.field import capture, conflicts, records, taking
from mobile.field import rights as field_rights
from mobile.field.capture import op_of
from mobile.field.checkin import Fix
from mobile.field.finding import AccountIndex
from mobile.field.store import clock
from mobile.field.store.ids import uuid7
from server.accounts import cadence
from server.accounts.duplicates import pairs
from server.accounts.fields import overdue_days
from server.accounts.models import Account
from server.auth import rights
from server.fields import forms
from server.kit.database import transaction
from server.kit.settings import settings
from server.products import service as products
from server.sync import doctor, jobs
from server.sync.pulling.entities import BY_NAME
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.world import World

BELOW = ("contact", "contact_account", "ticket", "opportunity", "activity", "order", "note", "mail", "stage_change")
HELD = (*BELOW, "lead")


@pytest.fixture
def phone(world: World, tmp_path: Path) -> Iterator[FieldPhone]:
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    yield phone
    phone.close()


def row(world: World, table: str, **values: Any) -> UUID:
    """A row with the given values."""
    row_id = uuid4()
    names = ", ".join(values)
    world.sql(
        f"insert into {table} (id, {names}) values (:id, {', '.join(':' + name for name in values)})",
        id=row_id,
        **values,
    )
    return row_id


def catalogue(world: World) -> tuple[UUID, UUID]:
    """Milk at 4.50 in everybody's list; the product and the list."""
    with transaction() as session:
        milk = products.create(session, {"number": "P-1", "name": "Milk", "unit": "pc"}).id
        list_id = products.create_list(session, {"name": "Retail", "currency": "EUR"}).id
        products.set_price(session, list_id, milk, "4.50")
        products.use_list(session, list_id, [products.Customer()])
    return milk, list_id


def everything_at(world: World, account: UUID) -> dict[str, UUID]:
    """One row of each kind at an account."""
    owner = world.users["mona"]
    contact = row(world, "contact", last_name="Näscher", phones='[{"label": "M", "value": "079"}]', note="Golf")
    queue = row(world, "ticket_queue", name="Service", form_key=f"k{account}", hours="24/7", zone="UTC", targets="{}")
    pipeline = row(world, "pipeline", name=f"New {account}")
    stage = row(world, "stage", pipeline_id=pipeline, name="Offer", position=1, probability="0.5", category="pipeline")
    deal = row(
        world, "opportunity", name="Branch", account_id=account, pipeline_id=pipeline, stage_id=stage,
        amount="12000", close_on=date(2027, 1, 31), next_step="Call",
    )  # fmt: skip
    return {
        "contact": contact,
        "contact_account": row(world, "contact_account", contact_id=contact, account_id=account),
        "ticket": row(
            world, "ticket", number=world.sql("select count(*) from ticket")[0][0] + 1, queue_id=queue,
            account_id=account, subject="Drips", source="web", opened_at=clock.now(),
        ),
        "opportunity": deal,
        "stage_change": row(
            world, "stage_change", opportunity_id=deal, account_id=account, to_stage_id=stage, by=owner, currency="EUR",
        ),
        "mail": row(
            world, "activity", kind="mail", account_id=account, owner_id=owner, subject="Twelve more", zone="UTC",
            at=clock.now(), state="done", direction="in", sender="anna@bakery.li", note="We need twelve " * 100,
        ),
        "activity": row(
            world, "activity", kind="task", account_id=account, owner_id=owner, subject="Bring it", zone="UTC",
            at=clock.now(), is_private=True,
        ),
        "order": row(
            world, "sales_order", kind="order", account_id=account, currency="EUR", day=clock.now().date(), zone="UTC",
            internal_note="Secret",
        ),
        "note": row(world, "note", account_id=account, author_id=owner, text="Deliver through the yard " * 200),
        "lead": row(
            world, "lead", company="Café",
            territory_id=world.sql("select territory_id from account where id = :id", id=account)[0][0],
        ),
    }  # fmt: skip


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


def test_mails_and_steps_follow_the_office_and_leave_after_thirteen_months(world: World, phone: FieldPhone) -> None:
    made = everything_at(world, world.account("Bakery", "west"))
    phone.sync()
    world.sql("update opportunity set name = 'Second branch'")
    world.sql("update activity set subject = 'Twenty more' where kind = 'mail'")
    phone.sync()
    assert phone.held("stage_change")[str(made["stage_change"])][1]["deal"] == "Second branch"
    assert phone.held("mail")[str(made["mail"])][1]["subject"] == "Twenty more"
    world.sql("update opportunity set deleted_at = now()")
    phone.sync()
    assert phone.held("stage_change") == {}
    world.sql("update opportunity set deleted_at = null")
    phone.sync()
    assert set(phone.held("stage_change")) == {str(made["stage_change"])}
    with transaction() as session:
        session.execute(text("set local session_replication_role = replica"))  # time goes by without a change
        session.execute(text("update activity set at = now() - interval '14 months' where kind = 'mail'"))
        session.execute(text("update stage_change set at = now() - interval '14 months'"))
        session.execute(text("update note set written_at = now() - interval '14 months'"))
    with transaction() as session:
        jobs.tidy(session)
    phone.sync()
    assert [phone.held(name) for name in ("mail", "stage_change", "note")] == [{}, {}, {}]
    with transaction() as session:
        assert [one for one in doctor.examine(session) if one.count] == []


def test_a_private_mail_is_its_peoples_alone_and_steps_take_the_right_to_deals(world: World, phone: FieldPhone) -> None:
    made = everything_at(world, world.account("Bakery", "west"))
    mona = world.phone("mona")
    mona.schema = 4
    phone.sync(), mona.sync()
    assert mona.ids("mail") == {str(made["mail"])}
    world.sql("update activity set is_private = true where kind = 'mail'")
    phone.sync(), mona.sync()
    assert (phone.held("mail"), mona.ids("mail")) == ({}, {str(made["mail"])})
    assert mona.rows["mail", str(made["mail"])][1]["subject"] == "Twelve more", "it is hers"
    world.sql("update activity set owner_id = :me where kind = 'mail'", me=world.users["rita"])
    phone.sync(), mona.sync()
    assert phone.held("mail")[str(made["mail"])][1]["sender"] == "anna@bakery.li"
    told = [doc for (name, _), (_, doc) in mona.rows.items() if name == "mail"]
    assert all((one["subject"], one["sender"], one["text"]) == (None, None, None) for one in told)
    actor = world.user("ada_of_rights")
    with transaction() as session:
        rights.change_role(session, "rep", levels={"opportunities:read": "own"}, fields={}, actor=actor)
    for _ in range(2):
        phone.sync()
    assert phone.held("stage_change") == {}, "deals of others are not hers any more"


def test_an_older_app_gets_neither_mails_nor_steps_until_it_is_a_newer_one(world: World, phone: FieldPhone) -> None:
    made = everything_at(world, world.account("Bakery", "west"))
    phone.schema = 3
    phone.sync()
    world.sql("update activity set subject = 'Twenty more'")
    world.sql("update opportunity set name = 'Second branch'")
    phone.sync(), phone.sync()
    assert set(phone.held("note")) == {str(made["note"])}
    told = phone.store.cache.db.execute("select count(*) from row where e in ('mail', 'stage_change')").fetchone()
    assert tuple(told) == (0,)
    phone.schema = 4
    phone.sync()
    assert phone.held("mail")[str(made["mail"])][1]["subject"] == "Twenty more"
    assert set(phone.held("stage_change")) == {str(made["stage_change"])}


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
    phone.network.loss = 1.0
    phone.sync()
    phone.network.loss = 0.0
    phone.network.deliver_late()
    report = phone.sync()
    assert report is not None
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


def test_an_account_founded_in_the_field_arrives_once_with_pin_territory_and_visit(
    world: World, phone: FieldPhone
) -> None:
    world.account("Kiosk Alpina", "west", phone="+423 263 11 22", phone_e164="+4232631122")
    world.sql("update site set city = 'Malbun', pin = st_setsrid(st_point(9.2, 47.2), 4326)")
    phone.sync()
    new = taking.NewAccount(
        "Kiosk Alpina", 9.2, 47.2, "customer", "B", ("Kiosk",), "+423 263 11 22", city="Malbun", note="By the lift"
    )
    founded = taking.new_account(phone.store, new).row_id
    (shown,) = (one for one in AccountIndex(phone.store).search("malbun") if one.id == founded)
    assert (shown.name, shown.city, shown.lon, shown.leaving) == ("Kiosk Alpina", "Malbun", 9.2, False)
    target = capture.VisitTarget(founded, None, clock.now().date().isoformat(), "Europe/Vaduz")
    capture.visit_event(phone.store, target, "done", outcome="order", note="Samples")
    capture.edit(phone.store, "account", founded, {"note": "Behind the lift"})
    phone.network.loss = 1.0
    phone.sync()
    phone.network.loss = 0.0
    phone.network.deliver_late()
    report = phone.sync()
    assert report is not None
    assert sum(report.results.values()) == 3, [op.result for op in phone.store.outbox.ops()]
    assert set(report.results) <= {"applied", "merged"}
    told = "select name, status, account_class, tags, note, owner_id = :me, territory_id from account where id = :id"
    assert world.sql(told, me=world.users["rita"], id=UUID(founded)) == [
        ("Kiosk Alpina", "customer", "B", ["Kiosk"], "Behind the lift", True, world.territories["west"])
    ]
    (site,) = (doc for _rev, doc in phone.held("site").values() if doc["account_id"] == founded)
    assert (site["lon"], site["city"], site["is_main"]) == (9.2, "Malbun", True)
    assert world.sql("select note, state, account_id from visit") == [("Samples", "done", UUID(founded))]
    with transaction() as session:
        pairs.search(session)
    assert world.sql("select count(*) from account_pair") == [(1,)], "somebody decides about the two, nobody lost one"


def test_who_may_not_found_accounts_is_told_so_and_keeps_the_words(world: World, phone: FieldPhone) -> None:
    phone.sync()
    actor = world.user("ada_of_rights")
    with transaction() as session:
        rights.change_role(session, "rep", levels={"accounts:write": "none"}, fields={}, actor=actor)
    op = taking.new_account(phone.store, taking.NewAccount("Kiosk", 9.2, 47.2))
    phone.sync()
    (refused,) = [one for one in phone.store.outbox.ops() if one.op_id == op.op_id]
    assert (refused.state, (refused.result or {})["error"]["code"]) == ("rejected", "not_allowed")
    assert world.sql("select body -> 'd' ->> 'name' from sync_receipt where status = 'rejected'") == [("Kiosk",)]
    assert world.sql("select count(*) from account") == [(0,)]


def test_an_account_founded_by_its_address_is_geocoded_as_any_other(world: World, phone: FieldPhone) -> None:
    phone.sync()
    op = taking.new_account(phone.store, taking.NewAccount("Kiosk", street="Im Malbun 3", city="Malbun"))
    (line,) = AccountIndex(phone.store).search("kiosk")
    assert (line.lon, line.is_unplaced) == (None, True)
    phone.sync()
    told = "select pin_state, street, city, pin is null from site where account_id = :id"
    assert world.sql(told, id=UUID(op.row_id)) == [("pending", "Im Malbun 3", "Malbun", True)]
    asked = "select count(*) from procrastinate_jobs where args ->> 'account_id' = :id"
    assert world.sql(asked, id=op.row_id) == [(1,)]
    world.sql("update site set pin = st_setsrid(st_point(9.2, 47.2), 4326), pin_state = 'placed', grade = 'rooftop'")
    phone.sync()
    (line,) = AccountIndex(phone.store).search("kiosk")
    assert (line.lon, line.lat, line.is_unplaced) == (9.2, 47.2, False)


@pytest.mark.parametrize("place", [{"lon": 9.2, "lat": None}, {"lon": None, "lat": 47.2}, {"lon": None, "lat": None}])
def test_an_account_with_half_a_place_or_none_is_refused(
    world: World, phone: FieldPhone, place: dict[str, float | None]
) -> None:
    phone.sync()
    made = dict.fromkeys(("account_class", "phone", "note", "street", "postcode", "city"))
    d = {**made, "name": "Kiosk", "status": "prospect", "tags": [], **place}
    phone.store.save(op_of("create", "account", uuid7(), d=d))
    phone.sync()
    (op,) = phone.store.outbox.ops()
    assert (op.state, (op.result or {})["error"]["code"]) == ("rejected", "invalid")


def test_what_nobody_can_see_or_drive_to_is_refused_with_a_reason(world: World, phone: FieldPhone) -> None:
    world.account("Bakery", "west")
    phone.sync()
    taking.new_account(phone.store, taking.NewAccount("\u200b", 9.2, 47.2))
    taking.new_account(phone.store, taking.NewAccount("Pole", 9.2, 89.9))
    taking.new_account(phone.store, taking.NewAccount("Zero", 0.0, 0.0))
    taking.new_lead(phone.store, 9.2, -89.9, company="South")
    taking.new_lead(phone.store, 9.2, 47.2, company="\u200b\u2060")
    phone.sync()
    said = [(op.state, (op.result or {})["error"]["msg"]) for op in phone.store.outbox.ops()]
    assert [state for state, _ in said] == ["rejected"] * 5
    for (_, reason), why in zip(said, ("missing", "pole", "Africa", "pole", ""), strict=True):
        assert why in reason, reason
    assert world.sql("select name from account") == [("Bakery",)]
    assert world.sql("select count(*) from lead") == [(0,)]


@pytest.mark.parametrize("theirs", ["of somebody else", "deleted", "another name"])
def test_an_account_with_an_id_that_is_taken_is_refused_and_tells_nothing(
    world: World, phone: FieldPhone, theirs: str
) -> None:
    phone.sync()
    op = taking.new_account(phone.store, taking.NewAccount("Kiosk", 9.2, 47.2))
    name, area = ("Kiosk", "east" if theirs == "of somebody else" else "west")
    taken = world.account("Other" if theirs == "another name" else name, area, id=UUID(op.row_id))
    if theirs == "deleted":
        world.sql("update account set deleted_at = now() where id = :id", id=taken)
    phone.sync()
    (refused,) = [one for one in phone.store.outbox.ops() if one.op_id == op.op_id]
    assert refused.state == "rejected"
    assert (refused.result or {}).get("rev") is None
    assert (refused.result or {})["error"]["code"] == "conflict"


def test_a_rep_changes_an_account_and_its_people_within_their_rights(world: World, phone: FieldPhone) -> None:
    account = world.account("Bakery", "west")
    phone.sync()
    met = taking.new_contact(phone.store, str(account), first_name="Rita", last_name="Öhri", phone="+423 222 22 23")
    (shown,) = records.people_at(phone.store, str(account))
    assert (shown.name, shown.phones, shown.waits) == ("Rita Öhri", ("+423 222 22 23",), True)
    values = {"first_name": "Rita", "last_name": "Öhri", "title": "Buyer"}
    taking.change_contact(phone.store, met.row_id, values, "+423 222 22 23", "")
    capture.edit(phone.store, "account", str(account), {"name": "Bakery & Son", "preferred_time": "morning"})
    phone.network.loss = 1.0
    phone.sync()
    phone.network.loss = 0.0
    phone.network.deliver_late()
    report = phone.sync()
    assert report is not None
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
