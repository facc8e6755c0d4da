"""What reaches a phone, and that nothing is missed, whoever changes what at the same time."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from server.kit import clock
from server.kit.database import transaction
from server.sync.jobs import tidy
from server.sync.protocol import wire
from server.sync.pulling import cursors, documents, entities
from server.sync.pulling.feeding import FEED
from tests.server.sync.world import World


def test_a_page_is_put_together_as_the_contract_has_it(world: World) -> None:
    world.account('Mill "A\\B" ü', "west", note="a\nb")
    phone = world.phone("rita")
    phone.align(phone.hello())
    groups = [{"cursor": None, "buckets": [bucket]} for bucket in phone.cursors]
    for limit in (1, 2000):
        said = phone.call("/sync/v1/pull", {"epoch": phone.epoch, "groups": groups, "limit": limit})
        assert wire.emit(wire.PullReply.model_validate(said)) == said


def test_a_phone_holds_its_territory_its_own_accounts_and_the_company(world: World) -> None:
    mine, _ = world.account("Bakery", "west"), world.account("Butcher", "east")
    assigned = world.account("Far away", "east", owner_id=world.users["rita"])
    world.visit(mine, "rita")
    phone = world.phone("rita")
    phone.sync()
    assert phone.names() == {"Bakery", "Far away"}
    assert {doc["account_id"] for (e, _), (_, doc) in phone.rows.items() if e == "site"} == {str(mine), str(assigned)}
    assert len(phone.ids("visit")) == 1
    assert phone.names("user_public") == {"Rita", "Otto", "Mona"}
    assert phone.names("territory") == {"west", "east"}
    assert phone.names("picklist") == {"visit_outcome", "contact_role"}


def test_every_row_that_is_sent_is_a_whole_document(world: World) -> None:
    account = world.account("Bakery", "west", account_class="A", yearly_value=12500, tags=["vip"])
    world.sql(
        "update site set pin = st_setsrid(st_makepoint(9.123456789, 47.1), 4326) where account_id = :a", a=account
    )
    visit = world.visit(account, "rita")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account, visit_id=visit, checkin={
        "lon": 9.1235, "lat": 47.1, "accuracy_m": 5, "fix_at": "2026-11-23T10:11:58+01:00", "mock": False,
    })  # fmt: skip
    phone.sync()
    for (entity, _), (_, document) in phone.rows.items():
        documents.DOCUMENTS[entity].model_validate(document)
    (site,) = (doc for (e, _), (_, doc) in phone.rows.items() if e == "site")
    assert (site["lon"], site["lat"]) == (9.1234568, 47.1)
    assert phone.rows["account", str(account)][1]["yearly_value"] == "12500"
    assert phone.rows["visit", str(visit)][1]["checkin"]["verification"] == "verified"


def test_pages_of_one_row_bring_the_same_as_one_page(world: World) -> None:
    for number in range(7):
        world.visit(world.account(f"A{number}", "west"), "rita")
    whole, paged = world.phone("rita"), world.phone("rita")
    whole.sync()
    paged.sync(limit=1)
    assert (paged.rows, paged.members) == (whole.rows, whole.members)
    assert paged.pull() == 0


def test_a_change_between_two_pages_is_not_lost(world: World) -> None:
    accounts = [world.account(f"A{number}", "west") for number in range(6)]
    phone = world.phone("rita")
    phone.align(phone.hello())
    phone.pull(limit=3, pages=2)
    world.sql("update account set name = 'New ' || name")
    world.move(accounts[0], "east")
    world.account("Late", "west")
    phone.pull(limit=3)
    assert phone.names() == {*(f"New A{number}" for number in range(1, 6)), "Late"}


def test_moving_an_account_takes_it_and_what_lies_below_to_the_other_rep(world: World) -> None:
    account = world.account("Bakery", "west")
    world.visit(account, "otto")
    rita, otto = world.phone("rita"), world.phone("otto")
    rita.sync()
    otto.sync()
    assert rita.names() == {"Bakery"}
    assert otto.names() == set()
    world.move(account, "east")
    rita.sync()
    otto.sync()
    assert (rita.names(), rita.ids("site"), rita.ids("visit")) == (set(), set(), set())
    assert (otto.names(), len(otto.ids("site")), len(otto.ids("visit"))) == ({"Bakery"}, 1, 1)


def test_an_account_with_a_site_in_two_territories_is_on_both_phones(world: World) -> None:
    account = world.account("Bakery", "west")
    world.sql(
        "insert into site (id, account_id, city, territory_id) values (:id, :account, 'Branch', :area)",
        id=uuid4(),
        account=account,
        area=world.territories["east"],
    )
    rita, otto = world.phone("rita"), world.phone("otto")
    rita.sync()
    otto.sync()
    assert rita.ids("site") == otto.ids("site")
    assert len(rita.ids("site")) == 2
    world.sql("update site set deleted_at = now() where city = 'Branch'")
    otto.sync()
    assert (otto.ids("account"), otto.ids("site")) == (set(), set())


def test_assigning_a_rep_brings_the_account_and_taking_it_back_removes_it(world: World) -> None:
    account = world.account("Bakery", "east")
    phone = world.phone("rita")
    phone.sync()
    world.sql("insert into account_rep values (:account, :user)", account=account, user=world.users["rita"])
    phone.sync()
    assert (phone.names(), len(phone.ids("site"))) == ({"Bakery"}, 1)
    world.sql("delete from account_rep")
    phone.sync()
    assert (phone.names(), len(phone.ids("site"))) == (set(), 0)


def test_a_deleted_account_goes_and_comes_back_with_its_sites(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set deleted_at = now() where id = :id", id=account)
    phone.sync()
    assert (phone.ids("account"), phone.ids("site")) == (set(), set())
    world.sql("update account set deleted_at = null where id = :id", id=account)
    phone.sync()
    assert (len(phone.ids("account")), len(phone.ids("site"))) == (1, 1)
    world.sql("delete from site where account_id = :id", id=account)
    world.sql("delete from account where id = :id", id=account)
    phone.sync()
    assert (phone.ids("account"), phone.ids("site")) == (set(), set())


def test_handing_a_territory_over_writes_no_row(world: World) -> None:
    world.account("Bakery", "west")
    rita, otto = world.phone("rita"), world.phone("otto")
    rita.sync()
    otto.sync()
    before = world.sql("select max(txid::text::bigint), count(*) from sync_item")
    world.revoke("rita", "west")
    world.grant("otto", "west")
    assert world.sql("select max(txid::text::bigint), count(*) from sync_item") == before
    rita.sync()
    otto.sync()
    assert (rita.names(), otto.names()) == (set(), {"Bakery"})


def test_a_right_that_is_taken_away_is_gone_from_the_very_next_page(world: World) -> None:
    for number in range(5):
        world.account(f"A{number}", "west")
    phone = world.phone("rita")
    phone.align(phone.hello())
    phone.pull(limit=4, pages=2)
    assert phone.names()
    world.revoke("rita", "west")
    phone.pull(limit=4, pages=1)
    assert phone.names() == set()


def test_a_phone_cannot_ask_for_buckets_that_are_not_its_own(world: World) -> None:
    world.account("Butcher", "east")
    phone = world.phone("rita")
    phone.align(phone.hello())
    (east,) = world.sql("select id from bucket where key = :key", key=str(world.territories["east"]))
    groups = [{"cursor": None, "buckets": [east[0], 999]}]
    reply = phone.call("/sync/v1/pull", {"epoch": phone.epoch, "groups": groups, "limit": 10})
    assert reply["groups"] == []
    assert east[0] not in reply["buckets_now"]


def test_a_manager_holds_what_the_team_works(world: World) -> None:
    world.account("Bakery", "west")
    world.account("Butcher", "east")
    world.account("Far away", None, owner_id=world.users["otto"])
    phone = world.phone("mona")
    phone.sync()
    assert phone.names() == {"Bakery", "Butcher", "Far away"}


def test_a_manager_holds_what_nobody_is_responsible_for_until_somebody_is(world: World) -> None:
    account = world.account("Orphan", None)
    mona, rita = world.phone("mona"), world.phone("rita")
    mona.sync()
    rita.sync()
    assert (mona.names(), rita.names()) == ({"Orphan"}, set())
    world.sql("update account set owner_id = :rita where id = :id", rita=world.users["rita"], id=account)
    world.sql("update app_user set role = 'rep' where id = :id", id=world.users["mona"])
    mona.sync()
    rita.sync()
    assert (mona.names(), rita.names()) == (set(), {"Orphan"})


def test_no_row_is_lost_under_transactions_that_stay_open(world: World, empty_database: Engine) -> None:
    """Transactions begin in one order and commit in another, with pulls in between."""
    accounts = [world.account(f"A{number}", "west") for number in range(6)]
    phone = world.phone("rita")
    phone.sync()
    open_ones: list[Connection] = []
    rename = text("update account set name = :name where id = :id")
    try:
        for number in (0, 1, 2):
            connection = empty_database.connect()
            open_ones.append(connection)
            connection.execute(rename, {"name": f"Open {number}", "id": accounts[number]})
        world.sql("update account set name = 'Quick 3' where id = :id", id=accounts[3])
        phone.pull()
        assert "Quick 3" in phone.names()
        assert not any(name.startswith("Open") for name in phone.names())
        open_ones[1].commit()
        phone.pull()
        assert {"Open 1", "A0", "A2"} <= phone.names()
        world.sql("update account set name = 'Quick 4' where id = :id", id=accounts[4])
        open_ones[2].commit()
        phone.pull(limit=1)
        open_ones[0].commit()
        phone.pull(limit=1)
        assert phone.names() == {"Open 0", "Open 1", "Open 2", "Quick 3", "Quick 4", "A5"}
        assert phone.pull() == 0
    finally:
        for connection in open_ones:
            connection.close()


def test_a_change_in_the_middle_of_a_page_comes_whole_with_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page belongs to one moment: neither half of the change is in it, and the cursor does not skip it."""
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set note = 'first' where id = :id", id=account)
    read = entities.rows

    def meanwhile(*arguments: Any) -> dict[str, entities.Row]:
        monkeypatch.setattr(entities, "rows", read)
        world.sql("update account set note = 'second' where id = :id", id=account)
        world.account("New", "west")
        return read(*arguments)

    monkeypatch.setattr(entities, "rows", meanwhile)
    assert phone.pull(pages=1) == 1
    assert phone.rows["account", str(account)][1]["note"] == "first"
    assert phone.pull() == 3
    assert (phone.rows["account", str(account)][1]["note"], phone.names()) == ("second", {"Bakery", "New"})


def test_a_visit_entered_while_its_account_moves_goes_with_it(world: World, empty_database: Engine) -> None:
    """Neither of the two transactions sees the other; the lock on the account puts them in a row."""
    account = world.account("Bakery", "west")
    insert = text(
        "insert into visit (id, account_id, rep_id, day, zone)"
        " values (:id, :account, :rep, current_date, 'Europe/Vaduz')"
    )
    with empty_database.connect() as mover, empty_database.connect() as visitor:
        area = {"area": world.territories["east"], "id": account}
        mover.execute(text("update site set territory_id = :area where account_id = :id"), area)
        visitor.execute(text("set lock_timeout = '50ms'"))
        with pytest.raises(Exception, match="lock timeout"):
            visitor.execute(insert, {"id": uuid4(), "account": account, "rep": world.users["otto"]})
        visitor.rollback()
        mover.execute(text("update account set territory_id = :area where id = :id"), area)
        mover.commit()
        visitor.execute(insert, {"id": uuid4(), "account": account, "rep": world.users["otto"]})
        visitor.commit()
    rita, otto = world.phone("rita"), world.phone("otto")
    rita.sync()
    otto.sync()
    assert (len(rita.ids("visit")), len(otto.ids("visit"))) == (0, 1)


def test_suppressed_work_reaches_no_phone(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    with transaction() as session:
        session.execute(text("set local sync.suppress = 'on'"))
        session.execute(text("update account set note = 'silent' where id = :id"), {"id": account})
    assert phone.pull() == 0


def test_an_update_that_changes_nothing_reaches_no_phone(world: World) -> None:
    world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set name = name")
    assert phone.pull() == 0


def test_visits_older_than_thirteen_months_leave_the_phones(world: World) -> None:
    account = world.account("Bakery", "west")
    world.visit(account, "rita", clock.now().date() - timedelta(days=500))
    world.visit(account, "rita", clock.now().date() - timedelta(days=100))
    phone = world.phone("rita")
    phone.sync()
    assert len(phone.ids("visit")) == 1
    with transaction() as session:
        session.execute(text("set local sync.suppress = 'on'"))
        session.execute(text("update visit set day = current_date - 500"))
    with transaction() as session:
        tidy(session)
    phone.sync()
    assert len(phone.ids("visit")) == 0


def test_a_pull_reads_in_proportion_to_the_changes_not_to_the_tables(world: World) -> None:
    with transaction() as session:
        session.execute(
            text(
                "insert into account (id, name, territory_id) select gen_random_uuid(), 'A' || n, :area"
                " from generate_series(1, 3000) n"
            ),
            {"area": world.territories["west"]},
        )
    world.sql("analyze sync_item")
    with transaction() as session:  # a snapshot as it is when nobody in the cluster holds a transaction open
        seen = session.execute(
            text("select x || ':' || x || ':' from pg_snapshot_xmax(pg_current_snapshot()) x")
        ).scalar_one()
    world.sql("update account set note = 'changed' where name = 'A7'")
    (west,) = world.sql("select id from bucket where key = :key", key=str(world.territories["west"]))[0]
    with transaction() as session:
        target = session.execute(text("select pg_current_snapshot()::text")).scalar_one()
        values = {"buckets": [west], "seen": seen, "target": target, "tombstones": True, "limit": 2000}
        values["unknown"] = []
        after = dict(zip(("txid", "e", "id", "bucket"), cursors.FIRST, strict=True))
        explained = text("explain (analyze, buffers, format json) " + FEED)
        (plan,) = session.execute(explained, values | after).scalar_one()
    assert plan["Plan"]["Actual Rows"] == 1
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 40


PLAN = """
with p as (
    insert into plan (id, state, rep_ids, first_day, days, engine, seed, steps, requested_by)
    values (gen_random_uuid(), 'ready', array[:rep], current_date, 1, 'test', 1, 1, :rep) returning id),
r as (
    insert into route (id, plan_id, rep_id, day, zone, start_anchor, end_anchor, leaves_at, returns_at, drive_s,
                       distance_m, estimated, polylines, legs)
    select gen_random_uuid(), p.id, :rep, current_date, 'Europe/Vaduz', :place, :place, now(), now(), 60, 900, false,
           array['abc', 'def'], '[]' from p returning id)
insert into stop (id, route_id, account_id, site_id, position, arrives_at, starts_at, ends_at, drive_s, distance_m,
                  estimated, why, prize_s, overdue_days)
select gen_random_uuid(), r.id, :account, s.id, 1, now(), now(), now(), 60, 900, false, 'Due', 1, 0
from r, site s where s.account_id = :account
"""


def test_a_route_reaches_its_reps_phone_when_it_is_published_and_leaves_when_it_is_replaced_or_old(
    world: World,
) -> None:
    account = world.account("Bakery", "west")
    place = '{"name": "Home", "lon": 9.1, "lat": 47.1}'
    world.sql(PLAN, rep=world.users["rita"], account=account, place=place)
    rita, otto = world.phone("rita"), world.phone("otto")
    rita.sync()
    assert (rita.ids("route"), rita.ids("stop")) == (set(), set())
    world.sql("update route set published_at = now()")
    rita.sync()
    otto.sync()
    assert (len(rita.ids("route")), len(rita.ids("stop")), otto.ids("route")) == (1, 1, set())
    for (entity, _), (_, document) in rita.rows.items():
        documents.DOCUMENTS[entity].model_validate(document)
    world.sql("update route set published_at = null")
    rita.sync()
    assert (rita.ids("route"), rita.ids("stop")) == (set(), set())
    world.sql("update route set published_at = now()")
    with transaction() as session:
        session.execute(text("set local sync.suppress = 'on'"))
        session.execute(text("update route set day = current_date - 40"))
    with transaction() as session:
        tidy(session)
    rita.sync()
    assert (rita.ids("route"), rita.ids("stop")) == (set(), set())
