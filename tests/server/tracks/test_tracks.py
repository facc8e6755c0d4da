"""What of a rep's way is kept, who sees it, and when it goes; on one Tuesday in March, by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account
from server.activities.models import Visit
from server.auth.access import scope_of
from server.auth.models import RepProfile, Role, User
from server.auth.service import set_team
from server.closures.models import RepAbsence
from server.kit import clock
from server.kit.errors import Invalid
from server.phones.models import PhoneRules
from server.tracks import hours, queries, service
from server.tracks.models import HeldWay, Track, TrackKind
from server.tracks.service import Report, TimedFix

NOON = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
"""Twelve o'clock in Vaduz."""
DAY = date(2026, 3, 10)

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def rita(session: Session, make_user: MakeUser) -> User:
    """A rep who works from nine to five, Monday to Friday, in a company that records ways since Monday morning."""
    user = make_user("rita", Role.REP, zone="Europe/Vaduz")
    profile = session.get_one(RepProfile, user.id)
    profile.shift_start, profile.shift_end = time(9), time(17)
    session.add(PhoneRules(one=True, tracks_since=NOON - timedelta(hours=26), tracks_days=30))
    session.flush()
    session.refresh(user)
    return user


def fixes(*minutes: float, metres_apart: float = 500.0) -> list[TimedFix]:
    """Readings so many minutes after noon, each somewhat further north-east."""
    step = metres_apart / 111_195
    return [
        TimedFix(NOON + timedelta(minutes=m), LonLat(9.5 + n * step, 47.1 + n * step), 8.0)
        for n, m in enumerate(minutes)
    ]


def way(*minutes: float, metres_apart: float = 500.0) -> Report:
    found = fixes(*minutes, metres_apart=metres_apart)
    return Report(uuid4(), TrackKind.WAY, found[0].at, found)


def mark(kind: TrackKind, minutes: float) -> Report:
    return Report(uuid4(), kind, NOON + timedelta(minutes=minutes))


def minutes_of(track: Track | None) -> list[float]:
    assert track is not None
    return [(datetime.fromisoformat(one["at"]) - NOON) / timedelta(minutes=1) for one in track.fixes]


def test_what_lies_outside_the_shift_or_in_the_future_is_dropped_and_stored_nowhere(
    session: Session, rita: User
) -> None:
    kept, dropped = service.take(session, rita.id, way(-181, -180, -90, 0, 1.9, 2.1))
    assert (minutes_of(kept), dropped) == ([-180, -90, 0, 1.9], 2), "the shift begins three hours before noon"
    assert service.take(session, rita.id, way(-24 * 60 - 240, -24 * 60 - 200)) == (None, 2), "before nine on Monday"
    assert len(list(session.scalars(select(Track)))) == 1


@pytest.mark.parametrize("reason", ["sunday", "absent", "off", "since", "manager"])
def test_on_days_off_and_where_nothing_is_recorded_nothing_is_kept(
    session: Session, rita: User, make_user: MakeUser, reason: str
) -> None:
    who = rita
    if reason == "sunday":
        session.get_one(RepProfile, rita.id).weekdays = [6]
    elif reason == "absent":
        session.add(RepAbsence(user_id=rita.id, first_day=DAY, last_day=DAY, kind="sick"))
    elif reason == "off":
        session.get_one(PhoneRules, True).tracks_since = None
    elif reason == "since":
        session.get_one(PhoneRules, True).tracks_since = NOON - timedelta(minutes=5)
    else:
        who = make_user("mona", Role.MANAGER)
    session.flush()
    assert service.take(session, who.id, way(-10, -6)) == (None, 2)


def test_a_pause_is_respected_whatever_the_phone_sends_and_ends_with_its_day(session: Session, rita: User) -> None:
    for said in (mark(TrackKind.PAUSE, -60), mark(TrackKind.RESUME, -30), mark(TrackKind.PAUSE, -5)):
        assert service.take(session, rita.id, said)[0] is not None
    kept, dropped = service.take(session, rita.id, way(-70, -59, -31, -29, -4))
    assert (minutes_of(kept), dropped) == ([-70, -29], 3)
    (spell, last) = service.paused(session, rita.id, NOON, ZoneInfo("Europe/Vaduz"))
    assert spell.ends_at == NOON - timedelta(minutes=30)
    assert last.ends_at == datetime(2026, 3, 10, 23, 0, tzinfo=UTC)
    (day,) = queries.days(session, scope_of(session, rita, source="web"), DAY)
    assert (day.paused_at, day.fixes) == (NOON - timedelta(minutes=5), 2)


def test_a_pause_that_comes_late_is_cut_out_of_the_ways_of_another_phone(session: Session, rita: User) -> None:
    before, across, within, after = (
        service.take(session, rita.id, way(*minutes))[0]
        for minutes in ((-100, -90), (-80, -60, -50, -20), (-55, -45), (-10, -5))
    )
    assert (before, across, within, after) != (None,) * 4
    gone = within.id if within else None
    service.take(session, rita.id, mark(TrackKind.PAUSE, -59))
    service.take(session, rita.id, mark(TrackKind.RESUME, -15))
    service.respect_pauses(session, rita.id, NOON - timedelta(minutes=59))
    living = select(Track).where(Track.kind == TrackKind.WAY, Track.deleted_at.is_(None))
    ways = session.scalars(living.order_by(Track.starts_at)).all()
    assert [minutes_of(one) for one in ways] == [[-100, -90], [-80, -60], [-10, -5]], "its end came with it"
    assert across is not None
    assert (across.ends_at, across.rev) == (NOON - timedelta(minutes=60), 2)
    history = "select count(*) from field_history where entity = 'track' and row_id = any(:ids)"
    assert session.execute(text(history), {"ids": [across.id, gone]}).scalar_one() == 0


def test_what_a_late_pause_takes_out_comes_back_behind_its_end_or_is_gone_a_day_later(
    session: Session, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = [service.take(session, rita.id, way(*minutes))[0] for minutes in ((-80, -50), (-40, -35), (-10, -5))]
    pause, end = mark(TrackKind.PAUSE, -60), mark(TrackKind.RESUME, -38)
    scope = scope_of(session, rita, source="web")

    def held() -> list[list[float]]:
        rows = session.scalars(select(HeldWay).order_by(HeldWay.ends_at))
        return [[(service.moment_of(fix) - NOON).total_seconds() / 60 for fix in one.fixes] for one in rows]

    for said, shown, apart in (
        (pause, [[-80], [], []], [[-50], [-40, -35], [-10, -5]]),
        (end, [[-80], [-35], [-10, -5]], [[-50], [-40]]),
    ):
        service.take(session, rita.id, said)
        service.respect_pauses(session, rita.id, said.at)
        assert [minutes_of(one) for one in ways] == shown
        assert [one is not None and one.deleted_at is None for one in ways] == [bool(one) for one in shown]
        assert sum(map(len, shown)) == len(queries.fixes(session, scope, rita.id, DAY)), "nobody sees what is held"
        assert held() == apart
    service.forget(session)
    assert held() == [[-50], [-40]]
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=1, minutes=1))
    service.forget(session)
    assert held() == []
    history = "select count(*) from field_history where entity = 'track' and row_id = any(:ids)"
    assert session.execute(text(history), {"ids": [one.id for one in ways if one]}).scalar_one() == 0


def test_a_late_pause_is_cut_out_of_a_way_that_began_the_day_before(session: Session, rita: User) -> None:
    kept, dropped = service.take(session, rita.id, way(-1260, -1230, -150, -100, -60))
    assert (len(minutes_of(kept)), dropped) == (5, 0)
    service.take(session, rita.id, mark(TrackKind.PAUSE, -120))
    service.respect_pauses(session, rita.id, NOON - timedelta(minutes=120))
    assert minutes_of(kept) == [-1260, -1230, -150]


def test_a_pause_ends_at_midnight_of_the_rep_on_the_day_of_23_hours_too(
    session: Session, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaduz = ZoneInfo("Europe/Vaduz")
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 30, 8, 0, tzinfo=UTC))
    early = Report(uuid4(), TrackKind.PAUSE, datetime(2026, 3, 29, 1, 30, tzinfo=vaduz))
    service.take(session, rita.id, early)
    (span,) = service.paused(session, rita.id, early.at, vaduz)
    assert span.ends_at.astimezone(UTC) == datetime(2026, 3, 29, 22, 0, tzinfo=UTC)
    assert (span.ends_at.astimezone(UTC) - span.starts_at.astimezone(UTC)) == timedelta(hours=21, minutes=30)


def test_a_pause_holds_although_recording_begins_anew_and_two_phones_pause_once(session: Session, rita: User) -> None:
    session.get_one(PhoneRules, True).tracks_since = NOON - timedelta(minutes=5)
    for said in (mark(TrackKind.PAUSE, -60), mark(TrackKind.PAUSE, -50)):
        assert service.take(session, rita.id, said)[0] is not None
    assert service.take(session, rita.id, way(-3, -2)) == (None, 2)
    service.take(session, rita.id, mark(TrackKind.RESUME, -2.5))
    kept, dropped = service.take(session, rita.id, way(-4, -1))
    assert (minutes_of(kept), dropped) == ([-1], 1)


@pytest.mark.parametrize("kind", list(TrackKind))
def test_a_way_without_fixes_and_a_pause_with_some_are_refused(session: Session, rita: User, kind: TrackKind) -> None:
    some = () if kind == TrackKind.WAY else fixes(0)
    with pytest.raises(Invalid, match="A way has fixes"):
        service.take(session, rita.id, Report(uuid4(), kind, NOON, some))


def test_pieces_within_ten_minutes_are_one_line_and_a_straight_way_is_two_points(session: Session, rita: User) -> None:
    for piece in (way(-100, -99, -98), way(-90, -89), way(-70)):
        service.take(session, rita.id, piece)
    service.take(session, rita.id, mark(TrackKind.PAUSE, -69.5))
    service.take(session, rita.id, mark(TrackKind.RESUME, -69))
    service.take(session, rita.id, way(-68, -67))
    (day,) = queries.days(session, scope_of(session, rita, source="web"), DAY)
    assert [len(line) for line in day.lines] == [4, 2, 2], "three in a row lose the middle one; a pause parts lines"
    assert day.lines[0][0] == (9.5, 47.1)
    assert (day.starts_at, day.ends_at) == (NOON - timedelta(minutes=100), NOON - timedelta(minutes=67))


def test_a_bend_of_ten_metres_is_drawn() -> None:
    metre = 1 / 111_195
    for off, count in ((8, 2), (12, 3)):
        line = service.simplified([LonLat(9.5, 47.1), LonLat(9.51, 47.1 + off * metre), LonLat(9.52, 47.1)])
        assert len(line.coords) == count


def test_the_rep_and_who_leads_the_rep_see_it_and_nobody_else(
    session: Session, rita: User, make_user: MakeUser, client_for: ClientFor
) -> None:
    tom, mona, other, ada = (
        make_user(name, role)
        for name, role in (("tom", Role.REP), ("mona", Role.MANAGER), ("max", Role.MANAGER), ("ada", Role.ADMIN))
    )
    set_team(session, "West", [rita.id, tom.id, mona.id])
    service.take(session, rita.id, way(-20, -19))
    seen = {}
    for user in (rita, tom, mona, other, ada):
        client = client_for(user)
        answer = client.get("/api/v1/tracks", params={"day": DAY.isoformat()})
        whole = client.get(f"/api/v1/tracks/{rita.id}/{DAY}")
        seen[user.login] = (len(answer.json()["items"]), whole.status_code)
    assert seen == {"rita": (1, 200), "tom": (0, 404), "mona": (1, 200), "max": (0, 404), "ada": (1, 200)}
    for role in (Role.MARKETING, Role.SUPPORT):
        client = client_for(make_user(role.value, role))
        assert client.get("/api/v1/tracks", params={"day": DAY.isoformat()}).status_code == 403
        assert client.get(f"/api/v1/tracks/{rita.id}/{DAY}").status_code == 403
    assert client_for(None).get("/api/v1/tracks", params={"day": DAY.isoformat()}).status_code == 401
    (told,) = client_for(mona).get("/api/v1/tracks", params={"day": DAY.isoformat()}).json()["items"]
    assert (told["rep_name"], told["fixes"], told["lines"]) == ("Rita", 2, [[[9.5, 47.1], [9.5045, 47.1045]]])
    first, _ = client_for(mona).get(f"/api/v1/tracks/{rita.id}/{DAY}").json()["items"]
    assert first == {"at": "2026-03-10T10:40:00Z", "lon": 9.5, "lat": 47.1, "accuracy_m": 8.0}


def test_old_ways_are_deleted_with_everything_that_says_that_they_were(session: Session, rita: User) -> None:
    kept, _ = service.take(session, rita.id, way(-20, -19))
    old, _ = service.take(session, rita.id, way(-30, -29))
    assert kept is not None
    assert old is not None
    session.execute(text("update track set day = :day where id = :id"), {"day": date(2026, 2, 7), "id": old.id})
    assert service.forget(session) == 1
    assert list(session.scalars(select(Track.id))) == [kept.id]
    history = "select count(*) from field_history where entity = 'track' and row_id = :id"
    assert session.execute(text(history), {"id": old.id}).scalar_one() == 0
    assert (service.forget(session), service.forget(session)) == (0, 0)


def test_a_shift_is_told_for_each_working_day_and_follows_the_change_of_the_clocks(
    session: Session, rita: User
) -> None:
    spans = hours.shifts(session, rita.id, date(2026, 3, 27), date(2026, 3, 30))
    assert [(one.starts_at.astimezone(UTC).hour, one.ends_at.astimezone(UTC).hour) for one in spans] == [
        (8, 16),
        (7, 15),
    ]
    assert hours.shifts(session, rita.id, DAY, DAY - timedelta(days=1)) == []


def test_rules_say_whether_ways_are_recorded_and_since_when(
    session: Session, make_user: MakeUser, client_for: ClientFor
) -> None:
    ada = client_for(make_user("ada"))
    rules = {"lock_days": 14, "records_tracks": False, "tracks_days": 30, "max_rows": 150_000}
    assert ada.get("/api/v1/phones/rules").json() == rules
    wanted = rules | {"records_tracks": True, "tracks_days": 90}
    assert ada.put("/api/v1/phones/rules", json=wanted).json() == wanted
    since = session.get_one(PhoneRules, True).tracks_since
    assert since == NOON
    assert ada.put("/api/v1/phones/rules", json={"lock_days": 7}).json() == wanted | {"lock_days": 7}
    for days in (0, 366):
        refused = ada.put("/api/v1/phones/rules", json=wanted | {"tracks_days": days})
        assert (refused.status_code, refused.json()["field"]) == (422, "tracks_days")
    off = ada.put("/api/v1/phones/rules", json={"lock_days": 7, "records_tracks": False}).json()
    assert off["records_tracks"] is False


def test_strangers_are_no_reps(session: Session, make_user: MakeUser, client_for: ClientFor) -> None:
    ada = client_for(make_user("ada"))
    assert ada.get(f"/api/v1/tracks/{UUID(int=1)}/{DAY}").status_code == 404
    assert ada.get("/api/v1/tracks").status_code == 422


def test_the_map_draws_the_way_for_who_may_see_it_and_today_says_that_it_is_paused(
    session: Session, rita: User, make_user: MakeUser, client_for: ClientFor
) -> None:
    mona, mia = make_user("mona", Role.MANAGER), make_user("mia", Role.MARKETING)
    set_team(session, "West", [rita.id, mona.id])
    account = Account(name="Bakery", owner_id=rita.id)
    session.add(account)
    session.flush()
    for day in (DAY, DAY - timedelta(days=1)):
        session.add(Visit(account_id=account.id, rep_id=rita.id, zone="Europe/Vaduz", day=day))
    service.take(session, rita.id, way(-20, -19))
    service.take(session, rita.id, mark(TrackKind.PAUSE, -18))
    drawn = {}
    for user in (rita, mona, mia):
        client = client_for(user)
        today = client.get("/home/today").text
        assert "Rita" in today
        drawn[user.login] = [one["lines"] for one in client.get(f"/home/day?day={DAY}").json()["tracks"]]
        assert ("way paused at 11:42" in today) == (user is not mia)
        assert ("[[9.5, 47.1], [9.5045, 47.1045]]" in today) == (user is not mia)
    assert drawn == {"rita": [[[[9.5, 47.1], [9.5045, 47.1045]]]], "mona": drawn["rita"], "mia": []}
