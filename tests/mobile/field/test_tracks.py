"""What this phone keeps of the way, when, and what the rep sees of it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from mobile.field import tracks
from mobile.field.checkin import Fix
from mobile.field.store import Store, clock

NINE = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
FIVE = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
SAID = {"keep_days": 30, "shifts": [{"starts_at": "2026-03-10T09:00:00.000Z", "ends_at": "2026-03-10T17:00:00.000Z"}]}
METRE = 1 / 111_195


class Given:
    """The position that a test gives."""

    def __init__(self):
        self.here, self.rests = None, 0

    def fix(self):
        return self.here

    def rest(self):
        self.rests += 1


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NINE)
    store = Store(tmp_path / "user")
    tracks.heard(store.outbox, SAID)
    yield store
    store.close()


def look(trail, position, moment, metres=0.0, **more):
    position.here = Fix(9.5, 47.1 + metres * METRE, more.get("accuracy_m", 8.0), moment, more.get("mock", False))
    return trail.look(moment)


def kept(store):
    return [one.body["at"][11:16] for one in store.outbox.fixes.all()]


def test_a_reading_is_kept_when_it_is_sure_real_later_and_elsewhere(store):
    trail, position = tracks.Trail(lambda: store, position := Given()), position
    minute = timedelta(minutes=1)
    look(trail, position, NINE, 0)
    look(trail, position, NINE + 1 * minute, 49)
    look(trail, position, NINE + 2 * minute, 300, accuracy_m=101)
    look(trail, position, NINE + 3 * minute, 300, mock=True)
    look(trail, position, NINE + 4 * minute, 60, accuracy_m=61)
    look(trail, position, NINE + 5 * minute, 51)
    look(trail, position, NINE + 5.4 * minute, 500)
    look(trail, position, NINE + 5.5 * minute, 600)
    assert kept(store) == ["09:00", "09:05", "09:05"]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NINE - timedelta(seconds=1), SAID),
        (FIVE + timedelta(seconds=1), SAID),
        (NINE + timedelta(hours=1), {**SAID, "shifts": []}),
        (NINE + timedelta(hours=1), None),
    ],
    ids=["before work", "after work", "a day off", "not wanted"],
)
def test_at_no_other_time_and_without_the_companys_word_nobody_even_asks_where_the_rep_is(store, moment, said):
    class Unasked(Given):
        def fix(self):
            raise AssertionError

    tracks.heard(store.outbox, said)
    assert not tracks.Trail(lambda: store, Unasked()).look(moment)


def test_an_old_reading_from_before_work_is_not_kept(store):
    position = Given()
    position.here = Fix(9.5, 47.1, 8.0, NINE - timedelta(seconds=30))
    tracks.Trail(lambda: store, position).look(NINE + timedelta(seconds=30))
    assert kept(store) == []


def test_with_the_end_of_work_the_rest_is_sent_and_the_gps_put_away(store):
    trail, position = tracks.Trail(lambda: store, position := Given()), position
    assert not look(trail, position, FIVE - timedelta(minutes=5))
    assert look(trail, position, FIVE + timedelta(minutes=1), 500)
    assert (position.rests, kept(store)) == (1, [])
    assert not look(trail, position, FIVE + timedelta(minutes=2), 900)
    assert position.rests == 1
    (op,) = store.outbox.ops()
    assert (op.e, op.body["d"]["kind"], len(op.body["d"]["fixes"])) == ("track", "way", 1)


def test_a_piece_holds_so_many_fixes_at_most_and_no_fix_is_in_two(store, monkeypatch):
    monkeypatch.setattr(tracks, "FIXES", 3)
    trail, position = tracks.Trail(lambda: store, position := Given()), position
    ready = [look(trail, position, NINE + n * timedelta(minutes=1), n * 100) for n in range(7)]
    assert ready == [False, False, True, False, False, True, False]
    assert tracks.close_piece(store)
    assert not tracks.close_piece(store)
    fixes = [fix["at"] for op in store.outbox.ops() for fix in op.body["d"]["fixes"]]
    assert (len(store.outbox.ops()), len(fixes), len(set(fixes))) == (3, 7, 7)


def test_a_pause_holds_until_midnight_and_says_nothing_of_where(store, monkeypatch):
    trail, position = tracks.Trail(lambda: store, position := Given()), position
    look(trail, position, NINE)
    tracks.pause(store)
    assert [op.body["d"]["kind"] for op in store.outbox.ops()] == ["way", "pause"]
    assert store.outbox.ops()[1].body["d"]["fixes"] == []
    tomorrow = datetime.combine(NINE.astimezone().date() + timedelta(days=1), datetime.min.time()).astimezone()
    look(trail, position, NINE + timedelta(hours=1), 500)
    assert kept(store) == []
    assert tracks.is_paused(store.outbox, tomorrow - timedelta(seconds=1))
    assert not tracks.is_paused(store.outbox, tomorrow)
    tracks.resume(store)
    look(trail, position, NINE + timedelta(hours=2), 900)
    assert kept(store) == ["11:00"]


def test_the_reps_day_is_that_of_the_companys_zone_wherever_the_phone_is(store):
    said = {"starts_at": "2026-03-09T21:00:00.000Z", "ends_at": "2026-03-10T05:00:00.000Z"}
    tracks.heard(store.outbox, {"keep_days": 30, "zone": "Pacific/Auckland", "shifts": [said]})
    known = tracks.rules(store.outbox)
    assert known.shift_of(date(2026, 3, 10)) is not None
    assert known.shift_of(date(2026, 3, 9)) is None
    assert f"{known.shifts[0].starts_at.astimezone(known.zone):%H:%M}" == "10:00"
    tracks.pause(store)  # 22:00 in Auckland
    assert tracks.is_paused(store.outbox, datetime(2026, 3, 10, 10, 59, tzinfo=UTC))
    assert not tracks.is_paused(store.outbox, datetime(2026, 3, 10, 11, 0, tzinfo=UTC)), "midnight there"


def test_what_was_kept_survives_the_end_of_the_app_and_is_sent_once(store, monkeypatch):
    trail, position = tracks.Trail(lambda: store, position := Given()), position
    for n in range(3):
        look(trail, position, NINE + n * timedelta(minutes=1), n * 100)

    def dies(*_given, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "save", dies)
    with pytest.raises(KeyboardInterrupt):
        tracks.close_piece(store)
    store.close()
    again = Store(store.folder)
    assert len(again.outbox.fixes.all()) == 3
    assert tracks.close_piece(again)
    again.close()
    third = Store(store.folder)
    assert not tracks.close_piece(third)
    assert [len(op.body["d"]["fixes"]) for op in third.outbox.ops()] == [3]
    third.close()


def test_where_the_company_stops_what_was_not_sent_goes_and_is_never_sent(store):
    trail, position = tracks.Trail(lambda: store, position := Given()), position
    look(trail, position, NINE)
    tracks.read(store.outbox)
    assert not tracks.is_news(store.outbox)
    tracks.heard(store.outbox, None)
    assert (kept(store), store.outbox.ops(), tracks.rules(store.outbox)) == ([], [], None)
    tracks.heard(store.outbox, SAID)
    assert tracks.is_news(store.outbox), "the rep is told again"


def test_pieces_that_follow_each_other_are_one_line(store):
    trail, position = tracks.Trail(lambda: store, position := Given()), position
    for n, minute in enumerate((0, 5, 12, 40, 41)):
        look(trail, position, NINE + timedelta(minutes=minute), n * 200)
        tracks.close_piece(store)
    day = NINE.astimezone().date()
    assert [len(line) for line in tracks.lines(store, day)] == [3, 2]
    assert tracks.lines(store, day + timedelta(days=1)) == []
