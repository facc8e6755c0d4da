"""The rep's way through the one protocol: it arrives once, and only its rep's phone gets it back."""

from datetime import UTC, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from mobile.field import tracks
from mobile.field.checkin import Fix
from mobile.field.store import clock as phone_clock
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.sync.doctor import examine
from server.sync.jobs import tidy
from server.tracks.service import forget
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.world import RECORDS, WORKS_ALWAYS, Json, Phone, World


def way(phone: Phone, *minutes_ago: float) -> Json:
    """A piece of the way with a fix for each of some moments."""
    times = [(clock.now() - timedelta(minutes=m)).isoformat() for m in minutes_ago]
    fixes = [{"at": at, "lon": 9.5 + n / 100, "lat": 47.1, "accuracy_m": 8.0} for n, at in enumerate(times)]
    return phone.save("create", "track", uuid4(), d={"kind": "way", "at": times[0], "fixes": fixes})


def test_a_way_sent_twice_is_one_and_only_its_reps_phone_gets_it(world: World) -> None:
    world.sql(WORKS_ALWAYS)
    world.sql(RECORDS)
    phone, manager = world.phone("rita"), world.phone("mona")
    manager.sync()
    hello = phone.hello()
    assert (hello["tracks"]["keep_days"], len(hello["tracks"]["shifts"])) == (30, 15)
    phone.sync()
    op = way(phone, 60 * 25, 20, 10)
    (result,) = phone.push()
    assert (result["status"], result["dropped"], len(result["row"]["fixes"])) == ("applied", 1, 2)
    again = phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [op]})["results"][0]
    assert (again["replay"], again["dropped"], again["row"]) == (True, 1, result["row"])
    assert world.sql("select count(*) from track")[0][0] == 1
    for one in (phone, manager, other := world.phone("otto")):
        one.sync()
    assert [one.ids("track") for one in (phone, manager, other)] == [{op["id"]}, set(), set()]
    with transaction() as session:
        assert [one.question for one in examine(session) if one.count] == []


def test_nothing_of_a_refused_or_dropped_way_stays_on_the_server(world: World) -> None:
    phone = world.phone("rita")
    assert "tracks" not in phone.hello()
    phone.sync()
    way(phone, 20, 10)
    phone.save("create", "track", uuid4(), d={"kind": "pause", "at": clock.now().isoformat(), "fixes": []})
    world.sql(RECORDS)
    way(phone, *range(301, 0, -1))
    world.sql("delete from phone_rules")
    dropped, paused, refused = phone.push()
    assert (dropped["status"], dropped["dropped"], dropped["rev"], "row" in dropped) == ("applied", 2, 0, False)
    assert (paused["status"], "dropped" in paused) == ("applied", False)
    assert (refused["status"], refused["error"]["code"]) == ("rejected", "bad_request")
    assert world.sql("select count(*) from track")[0][0] == 0
    assert world.sql("select count(*) from sync_receipt where body is not null")[0][0] == 0
    with transaction() as session:
        assert [one.question for one in examine(session) if one.count] == []


@pytest.mark.parametrize("together", [True, False])
def test_a_pause_and_its_end_that_come_late_take_out_only_what_lies_between(world: World, *, together: bool) -> None:
    world.sql(WORKS_ALWAYS)
    world.sql(RECORDS)
    late, other = world.phone("rita"), world.phone("rita")
    for phone in (late, other):
        phone.sync()
    ways = [way(other, 50, 45, 30), way(other, 25, 22), way(other, 15, 10)]
    other.sync()
    for kind, minutes in (("pause", 40), ("resume", 20)):
        at = (clock.now() - timedelta(minutes=minutes)).isoformat()
        late.save("create", "track", uuid4(), d={"kind": kind, "at": at, "fixes": []})
        if not together:
            assert [one["status"] for one in late.push()] == ["applied"]
            other.sync()
            assert ways[2]["id"] in other.ids("track") or kind == "pause"
    if together:
        assert [one["status"] for one in late.push()] == ["applied", "applied"]
    living = "select id, jsonb_array_length(fixes) from track where deleted_at is null"
    kept = {str(row_id): count for row_id, count in world.sql(living)}
    assert [kept.get(one["id"]) for one in ways] == [2, None, 2]
    for phone in (late, other):
        phone.sync()
        held = {row_id: len(doc["fixes"]) for (e, row_id), (_, doc) in phone.rows.items() if e == "track"}
        assert [held.get(one["id"]) for one in ways] == [2, None, 2]
    with transaction() as session:
        assert [one.question for one in examine(session) if one.count] == []


def test_a_second_late_pause_in_one_way_is_taken_as_the_first_was(world: World) -> None:
    world.sql(WORKS_ALWAYS)
    world.sql(RECORDS)
    late, other = world.phone("rita"), world.phone("rita")
    for phone in (late, other):
        phone.sync()
    one = way(other, *range(15, 0, -1))
    other.sync()
    for kind, minutes in (("pause", 14.5), ("resume", 11.5), ("pause", 6.5)):
        at = (clock.now() - timedelta(minutes=minutes)).isoformat()
        late.save("create", "track", uuid4(), d={"kind": kind, "at": at, "fixes": []})
        assert [answer["status"] for answer in late.push()] == ["applied"]
    counts = (
        "select jsonb_array_length(t.fixes), jsonb_array_length(h.fixes) from track t join held_way h on h.id = t.id"
    )
    assert [tuple(row) for row in world.sql(f"{counts} where t.id = '{one['id']}'")] == [(6, 9)]


def test_an_old_way_leaves_the_phone_after_a_week_and_the_server_when_its_days_are_over(world: World) -> None:
    world.sql(WORKS_ALWAYS)
    world.sql(RECORDS)
    phone = world.phone("rita")
    phone.sync()
    old, new = way(phone, 30, 20), way(phone, 10)
    phone.sync()
    assert phone.ids("track") == {old["id"], new["id"]}
    for days, left in ((10, {old["id"], new["id"]}), (40, {new["id"]})):
        world.sql("update track set day = current_date - cast(:days as int) where id = :id", days=days, id=old["id"])
        with transaction() as session:
            tidy(session)
            forget(session)
        phone.sync()
        assert phone.ids("track") == {new["id"]}
        assert {str(row[0]) for row in world.sql("select id from track")} == left
    with transaction() as session:
        assert [one.question for one in examine(session) if one.count] == []


def test_what_a_retired_phone_held_of_a_way_goes_with_the_others_of_its_age(world: World) -> None:
    device, _ = world.register("rita")
    aside = (
        "insert into quarantined_op (op_id, device_id, n, body_sha, body, state, received_at)"
        " values (gen_random_uuid(), :device, :n, '', cast(:body as jsonb), :state, now() - cast(:age as interval))"
    )
    cases = (("track", "waiting", "1 day"), ("track", "waiting", "31 days"), ("track", "taken", "1 day"),
             ("visit_event", "waiting", "31 days"))  # fmt: skip
    for n, (entity, state, age) in enumerate(cases):
        world.sql(aside, device=device, n=n, body=f'{{"e": "{entity}"}}', state=state, age=age)
    with transaction() as session:
        tidy(session)
    assert [row[0] for row in world.sql("select n from quarantined_op order by n")] == [0, 3]


class Drive:
    """A position that goes on by a hundred metres with each question; says whether anybody listens."""

    def __init__(self) -> None:
        self.asked, self.rests = 0, 0

    def fix(self) -> Fix:
        self.asked += 1
        return Fix(9.5 + self.asked / 750, 47.1, 8.0, phone_clock.now())

    def rest(self) -> None:
        self.rests += 1


def test_the_real_phone_records_only_while_the_company_says_so_and_its_way_arrives_exactly_once(
    world: World, phone: FieldPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sql(WORKS_ALWAYS)
    noon = clock.now().astimezone(ZoneInfo(settings().zone)).replace(hour=12, minute=0)
    monkeypatch.setattr(clock, "now", lambda: noon.astimezone(UTC))
    store, drive, began = phone.store, Drive(), clock.now() - timedelta(hours=1)
    monkeypatch.setattr(phone_clock, "now", lambda: began)
    trail = tracks.Trail(lambda: store, drive)

    def drives(minutes: int) -> None:
        for _ in range(minutes):
            moment = began + timedelta(minutes=drive.asked)
            monkeypatch.setattr(phone_clock, "now", lambda at=moment: at)
            trail.look(moment)

    phone.sync()
    drives(3)
    assert (drive.asked, tracks.rules(store.outbox)) == (0, None)
    world.sql(RECORDS)
    phone.sync()
    assert tracks.is_news(store.outbox)
    drives(20)
    assert (len(store.outbox.ops()), len(store.outbox.fixes.all())) == (1, 4), "a piece after fifteen minutes"
    day = began.astimezone().date()
    assert sum(map(len, tracks.lines(store, day))) == 20
    tracks.pause(store)
    drives(1)
    assert (drive.asked, drive.rests, tracks.is_paused(store.outbox, phone_clock.now())) == (20, 1, True)
    report = phone.sync_late()
    assert (report.ok, dict(report.results)) == (True, {"applied": 3})
    told = "select kind, jsonb_array_length(fixes) from track order by starts_at, kind desc"
    assert world.sql(told) == [("way", 16), ("way", 4), ("pause", 0)]
    assert sum(map(len, tracks.lines(store, day))) == 20, "the way is the server's now, and still here"
    tracks.resume(store)
    drives(2)
    assert len(store.outbox.fixes.all()) == 2
    world.sql("update phone_rules set tracks_since = null")
    phone.sync()
    drives(1)
    assert (store.outbox.fixes.all(), tracks.rules(store.outbox)) == ([], None)
