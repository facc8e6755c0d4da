"""Notifications: each person their own, as they wish, and no mail twice."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.kit.ids import uuid7
from server.mail import service as mail
from server.mail.models import Message
from server.notifications import jobs, queries, service
from server.notifications.kinds import About
from server.notifications.models import Channel, Notification

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def tell(session: Any, people: list[Any], kind: str = "mention", **more: Any) -> list[Notification]:
    ids = [person.id for person in people]
    about = About("note", uuid7())
    return service.notify(session, ids, kind, "{who} says hello", "/accounts", about, gaps={"who": "Otto"}, **more)


@pytest.fixture
def mail_server(session: Any) -> None:
    mail.configure(session, mail.Setup("mail.example.com", 465, "tls", "waymark@example.com"))


def at(session: Any, rows: list[Notification], moment: datetime) -> None:
    for row in rows:
        row.made_at = moment
    session.flush()


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    for path in ("", "/unread", "/wishes"):
        assert client_for(None).get(f"/api/v1/notifications{path}").status_code == 401


def test_somebody_elses_notification_does_not_exist(session: Any, make_user: Any, client_for: Any) -> None:
    rita, otto = make_user("rita"), make_user("otto")
    (row,) = tell(session, [rita])
    assert client_for(otto).get("/api/v1/notifications").json()["items"] == []
    assert client_for(otto).post(f"/api/v1/notifications/{row.id}/read").status_code == 404
    assert client_for(rita).post(f"/api/v1/notifications/{row.id}/read").status_code == 200


def test_people_are_told_as_they_wish_and_not_of_what_they_do_themselves(session: Any, make_user: Any) -> None:
    rita, otto, mona = make_user("rita"), make_user("otto"), make_user("mona")
    service.wish(session, otto.id, "mention", Channel.OFF)
    service.wish(session, rita.id, "mention", Channel.APP)
    made = tell(session, [rita, otto, mona], by=mona.id)
    assert [(one.user_id, one.channel) for one in made] == [(rita.id, "app")]


def test_read_and_all_read(session: Any, make_user: Any, client_for: Any) -> None:
    rita = make_user("rita")
    tell(session, [rita]), tell(session, [rita])
    client = client_for(rita)
    assert client.get("/api/v1/notifications/unread").json() == {"unread": 2}
    first = client.get("/api/v1/notifications?limit=1").json()
    assert first["items"][0]["text"] == "Otto says hello"
    assert len(client.get("/api/v1/notifications", params={"cursor": first["next_cursor"]}).json()["items"]) == 1
    assert client.post("/api/v1/notifications/read").status_code == 204
    assert client.get("/api/v1/notifications?unread=true").json()["items"] == []


def test_wishes_are_kept_and_odd_ones_refused(make_user: Any, client_for: Any) -> None:
    client = client_for(make_user("rita"))
    wishes = {"kinds": {"note": "off"}, "quiet_from": "20:00", "quiet_until": "06:30", "digest_at": "06:45"}
    assert client.put("/api/v1/notifications/wishes", json=wishes).json()["kinds"]["note"] == "off"
    assert client.get("/api/v1/notifications/wishes").json()["quiet_from"] == "20:00:00"
    assert client.put("/api/v1/notifications/wishes", json={"kinds": {"nothing": "off"}}).status_code == 422
    assert client.put("/api/v1/notifications/wishes", json={"quiet_from": "20:00"}).status_code == 422


def test_a_mail_at_once_tells_all_that_waits_and_is_sent_once(session: Any, make_user: Any, mail_server: None) -> None:
    rita = make_user("rita", email="rita@example.com", zone="UTC")
    at(session, tell(session, [rita]) + tell(session, [rita]), NOON)
    assert jobs.mail_to(session, rita.id, NOON) == 1
    assert jobs.mail_to(session, rita.id, NOON) == 0
    (message,) = session.scalars(select(Message)).all()
    assert message.to == ["rita@example.com"]
    assert message.body.count("Otto says hello") == 2


def test_a_worker_killed_after_queueing_sends_no_second_mail(session: Any, make_user: Any, mail_server: None) -> None:
    rita = make_user("rita", email="rita@example.com", zone="UTC")
    rows = tell(session, [rita])
    at(session, rows, NOON)
    jobs.mail_to(session, rita.id, NOON)
    rows[0].mailed_at = None  # as if the mark had not been written
    session.flush()
    jobs.mail_to(session, rita.id, NOON)
    assert len(session.scalars(select(Message)).all()) == 1


def test_quiet_hours_hold_mails_back_over_midnight(session: Any, make_user: Any, mail_server: None) -> None:
    rita = make_user("rita", email="rita@example.com", zone="UTC")
    service.set_hours(session, rita.id, quiet_from=time(20), quiet_until=time(6), digest_at=time(7))
    evening = NOON.replace(hour=23)
    at(session, tell(session, [rita]), evening)
    assert jobs.mail_to(session, rita.id, evening) == 0
    assert jobs.mail_to(session, rita.id, evening + timedelta(hours=6)) == 0
    assert jobs.mail_to(session, rita.id, evening + timedelta(hours=7, minutes=1)) == 1


def test_the_digest_comes_once_a_day_at_its_hour(session: Any, make_user: Any, mail_server: None) -> None:
    rita = make_user("rita", email="rita@example.com", zone="UTC")
    at(session, tell(session, [rita], "note") + tell(session, [rita], "note"), NOON.replace(hour=5))
    assert jobs.mail_to(session, rita.id, NOON.replace(hour=6)) == 0
    assert jobs.mail_to(session, rita.id, NOON.replace(hour=7)) == 1
    at(session, tell(session, [rita], "note"), NOON.replace(hour=8))
    assert jobs.mail_to(session, rita.id, NOON) == 0
    assert jobs.mail_to(session, rita.id, NOON + timedelta(days=1)) == 1


def test_who_has_no_address_gets_no_mail_and_is_not_asked_for_again(
    session: Any, make_user: Any, mail_server: None
) -> None:
    rita = make_user("rita")
    at(session, tell(session, [rita]), NOON)
    assert jobs.mail_to(session, rita.id, NOON) == 0
    assert queries.to_mail(session, NOON - timedelta(days=1)) == []


def test_a_kind_or_link_that_makes_no_sense_is_a_fault_of_the_caller(session: Any, make_user: Any) -> None:
    with pytest.raises(ValueError, match="no kind"):
        tell(session, [make_user("rita")], "nothing")
    with pytest.raises(ValueError, match="no path"):
        service.notify(session, [], "note", "x", "//evil.example", About("note", uuid7()))
