"""A ceiling on the rows that one phone holds: which buckets leave, that they come back, and that no work is lost."""

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mobile.field import holdings
from mobile.field.sync import tokens
from server.kit.database import transaction
from server.sync import jobs
from server.sync.protocol.wire import MAX_BUCKETS
from server.sync.pulling import buckets
from server.sync.pulling.buckets import Subscription, fitting
from tests.server.sync import invariants
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.stories import at
from tests.server.sync.test_digest import compare, sums
from tests.server.sync.test_prospects import firm
from tests.server.sync.world import Json, Phone, World

ROWS = st.lists(st.integers(0, 90), max_size=MAX_BUCKETS + 6)


def ceiling(world: World, rows: int) -> None:
    """What an admin says."""
    world.sql(
        "insert into phone_rules (max_rows) values (:rows) on conflict (one) do update set max_rows = :rows", rows=rows
    )


def nightly() -> None:
    with transaction() as session:
        jobs.tidy(session)


def kinds(reply: Json) -> list[str]:
    return [one["kind"] for one in reply["buckets"]]


def left_out(phone: Phone) -> list[tuple[str, str | None]]:
    """What a phone is told that it does not get."""
    return [(one["kind"], one["name"]) for one in phone.hello()["holding"]["left_out"]]


def differing(world: World, phone: FieldPhone) -> list[Json]:
    """The ranges in which a phone's rows are not those of the server, by digest, in all its buckets."""
    known = tokens.load(phone.secrets, phone.user_id)
    assert known is not None
    db = phone.store.cache.db
    asking = Phone(world.client, phone.device_id, known.access_token, epoch=phone.store.outbox.meta.get("epoch"))
    asking.members = {(row["bucket"], row["e"], row["id"]) for row in db.execute("select * from membership")}
    asking.rows = {(row["e"], row["id"]): (row["rev"], {}) for row in db.execute("select e, id, rev from row")}
    return [
        one
        for bucket in phone.store.cache.buckets()
        for one in compare(asking, bucket.id, sums=sums(asking, bucket.id))["differ"]
    ]


def test_buckets_leave_under_a_lower_ceiling_unsent_work_stays_and_all_comes_back(world: World, tmp_path: Path) -> None:
    world.grant("rita", "east")
    own = world.account("Own", "west", owner_id=world.users["rita"])
    world.account("West", "west")
    east = [world.account(f"East {n}", "east") for n in range(30)]
    visit = world.visit(east[0], "rita")
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    phone.sync()
    before = set(phone.shown("account"))
    assert len(before) == 32
    assert holdings.too_much(phone.store.outbox) is None
    phone.edit("account", str(east[1]), phone="2")
    ceiling(world, 40)
    at(phone, "/pull", before=lambda: phone.event(str(east[0]), "done", str(visit)))
    report = phone.sync()
    assert report is not None
    assert (report.ok, dict(report.results)) == (True, {"applied": 1}), "what was saved for the east is taken"
    assert report.left == 1, "the screens show it"
    here = set(phone.shown("account"))
    assert {str(own), str(east[0])} <= here, "unsent work and the plan keep their account"
    assert here.isdisjoint(map(str, east[1:])), "the others have left with their bucket"
    assert here - {str(east[0])} < before
    said = holdings.too_much(phone.store.outbox)
    assert said is not None
    assert ([(one["kind"], one["name"]) for one in said["left_out"]], said["max_rows"]) == ([("territory", "east")], 40)
    report = phone.sync()
    assert report is not None
    assert (report.ok, dict(report.results)) == (True, {"applied": 1})
    assert world.sql("select state from visit") == [("done",)]
    phone.sync()
    assert phone.shown("account") == sorted(here - {str(east[0])})
    assert differing(world, phone) == []
    ceiling(world, 150_000)
    phone.sync()
    assert set(phone.shown("account")) == before
    assert holdings.too_much(phone.store.outbox) is None
    assert differing(world, phone) == []
    assert list(invariants.diverged({"rita": phone})) == []
    phone.close()


def test_what_is_left_out_is_named_and_colleagues_areas_go_before_the_ones_that_somebody_works(world: World) -> None:
    for name, place in (("a far one", 8.0), ("a near one", 8.5)):
        world.territory(name, place)
        world.grant("rita", name)
        for n in range(4):
            world.account(f"{name} {n}", name)
    world.grant("mona", "a near one")
    firm(world, "Bakery", None)
    phone = world.phone("mona")
    phone.schema = 2
    phone.sync()
    assert left_out(phone) == []
    everything = phone.hello()["holding"]["rows"]
    ceiling(world, everything - 1)
    assert left_out(phone) == [("prospects", None)]
    ceiling(world, everything)
    assert left_out(phone) == [("prospects", None)], "there is not yet room enough for it to stay"
    ceiling(world, 150_000)
    assert left_out(phone) == []
    ceiling(world, everything - 8)
    assert left_out(phone) == [("territory", "a far one")]
    world.account("Otto's", None, owner_id=world.users["otto"])
    nightly()
    ceiling(world, 5)
    assert ("user", "Otto") in left_out(phone)
    phone.sync()
    assert phone.ids("account") == set()
    assert "company" in kinds(phone.hello())


def test_an_area_that_was_left_out_does_not_come_and_go_with_every_row(world: World) -> None:
    for n in range(60):
        world.account(f"West {n}", "west")
    phone = world.phone("rita")
    phone.sync()
    rows = phone.hello()["holding"]["rows"]
    ceiling(world, rows)
    world.account("One more", "west")
    assert left_out(phone) == [], "it is counted at night"
    nightly()
    assert left_out(phone) == [("territory", "west")]
    for n in range(2):
        world.sql("update account set deleted_at = now() where name = :name", name=f"West {n}")
        nightly()
        phone.sync()
        assert (left_out(phone), phone.ids("account")) == ([("territory", "west")], set())
    world.sql("update account set deleted_at = now() where name like 'West 1%'")
    nightly()
    phone.sync()
    assert (left_out(phone), len(phone.ids("account"))) == ([], 49)


def test_a_new_phone_and_a_new_bucket_are_counted_before_anything_is_given(world: World) -> None:
    for n in range(20):
        world.account(f"West {n}", "west")
    nightly()
    for n in range(20, 40):
        world.account(f"West {n}", "west")
    ceiling(world, 60)
    phone = world.phone("rita")
    phone.sync()
    assert (left_out(phone), phone.ids("account")) == ([("territory", "west")], set())
    world.territory("new", 8.0)
    for n in range(40):
        world.account(f"New {n}", "new")
    world.grant("rita", "new")
    assert world.sql("select rows from bucket where key = :key", key=str(world.territories["new"])) == [(None,)]
    assert left_out(phone) == [("territory", "west"), ("territory", "new")]
    with transaction() as session:
        buckets.count(session)
    wrong = "select count(*) from bucket b where b.rows is distinct from (select count(*) from sync_item i"
    assert world.sql(f"{wrong} where i.bucket_id = b.id and i.op = 'P')") == [(0,)]


def test_a_new_phone_gets_nothing_by_an_old_count(world: World) -> None:
    world.grant("rita", "east")
    west = [world.account(f"West {n}", "west") for n in range(40)]
    world.account("East", "east")
    nightly()
    world.sql("update account set deleted_at = now() where id = any(:ids)", ids=west[1:])
    for n in range(100):
        world.account(f"East {n}", "east")
    ceiling(world, 80)
    phone = world.phone("rita")
    phone.sync()
    assert left_out(phone) == [("territory", "east")]
    assert len(phone.members) <= 80


def test_a_change_on_what_is_left_out_is_taken_and_answered(world: World) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    phone.edit("account", account, phone="2")
    ceiling(world, 1)
    (verdict,) = phone.sync()
    assert (verdict["status"], verdict["row"]["phone"]) == ("applied", "2")
    assert world.sql("select phone from account") == [("2",)]
    assert phone.ids("account") == set()
    phone.event(account)
    (verdict,) = phone.sync()
    assert verdict["status"] == "applied"
    assert world.sql("select flags from visit") == [(["unplanned"],)], "it is no visit outside the area"


def several(rows: list[int]) -> list[Subscription]:
    """The user's own bucket, the company's, and others."""
    others = [Subscription(id_, "territory", 1, 1, count) for id_, count in enumerate(rows, 3)]
    return [Subscription(1, "user", 0, 1, 7), *others, Subscription(2, "company", 2, 1, 5)]


@given(ROWS, st.integers(1, 400), st.sets(st.integers(1, 80)))
def test_whole_buckets_up_to_the_ceiling_and_the_same_answer_comes_again(
    rows: list[int], most: int, before: set[int]
) -> None:
    found = several(rows)
    fitted = fitting(found, most, {"left_out": sorted(before)})
    assert {1, 2} <= {one.id for one in fitted.given}
    assert fitted.rows <= max(most, 12)
    assert len(fitted.given) <= MAX_BUCKETS
    assert len(fitted.given) + len(fitted.left_out) + fitted.further == len(found)
    assert fitted.given == [one for one in found if one in fitted.given]
    assert fitting(found, most, fitted.noted()) == fitted
