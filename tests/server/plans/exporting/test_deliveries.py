"""Exports reach those who want them: by mail, in a folder, by SFTP; each revision once, failures in words."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from routing.export.tour import Span
from routing.export.types import ExportFile
from server.auth.models import Role, Team, TeamMember, User
from server.auth.service import create_user
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Conflict, Invalid
from server.mail import jobs as mail_jobs
from server.mail import service as mail
from server.mail.models import Message
from server.plans.exporting import deliveries, delivery_jobs, folders, places, sftp, targets
from server.plans.exporting.target_models import ExportDelivery, Target
from server.plans.exporting.target_schemas import DeliveryRead, TargetWrite
from server.webhooks import service as webhooks
from tests.server.mail.conftest import Peer, peer
from tests.server.plans.exporting.conftest import DAY, MakeUser
from tests.server.plans.exporting.sftp_peer import SftpPeer

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
"""The id of no row."""
__all__ = ["peer"]

type ClientFor = Callable[[User | None], TestClient]


def stored(login: str = "rita", content: bytes = b"BEGIN:VCALENDAR", span: Span | None = None) -> folders.Export:
    """An export as the writers leave it."""
    span = span or Span.of(DAY)
    names = [f"{span}-{login}.{ending}" for ending in ("ics", "pdf", "html")]
    manifest = {
        "format": "waymark-export/2", "company": "Alpenblick", "rep": login.title(), "login": login, "span": str(span),
        "summary": "1 stop", "version": "12345678", "left_out": 2, "attribution": ["© OpenStreetMap contributors"],
        "days": [{"day": str(day)} for day in span], "files": [{"name": name} for name in names],
        "content": content.decode(),
    }  # fmt: skip
    files = [ExportFile(name, "x/y", content) for name in names]
    folders.store(span, login, [*files, ExportFile("manifest.json", "application/json", json.dumps(manifest).encode())])
    return folders.export_of(span, login)


def wish(kind: Any = "folder", **more: Any) -> TargetWrite:
    return TargetWrite(**{"name": "Office", "kind": kind, **more})


@pytest.fixture
def rita_id(empty_database: Engine) -> UUID:
    """A rep who is really stored."""
    with transaction() as session:
        rita = create_user(
            session, login="rita", name="Rita", role=Role.REP, password="three words make one", email="rita@example.com"
        )
        return rita.id


@pytest.fixture
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not Waymark's."""
    return tmp_path_factory.mktemp("drive")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpPeer]:
    """A real SFTP server."""
    (tmp_path / "there").mkdir()
    server = SftpPeer(tmp_path / "there")
    yield server
    server.stop()


def queued(rep_id: UUID, export: folders.Export) -> list[UUID]:
    with transaction() as session:
        return [one.id for one in deliveries.queue(session, export, rep_id)]


def seen(key: UUID) -> DeliveryRead:
    with transaction() as session:
        return DeliveryRead.of(session.get_one(ExportDelivery, key))


def added(wanted: TargetWrite) -> UUID:
    with transaction() as session:
        return targets.add(session, wanted).id


def test_a_folder_gets_the_chosen_formats_and_the_manifest(rita_id: UUID, drive: Path) -> None:
    added(wish(folder=str(drive), formats=["ics"]))
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert seen(key).state == "sent"
    there = drive / "2026-11-24/rita"
    assert sorted(path.name for path in there.iterdir()) == ["2026-11-24-rita.ics", "manifest.json"]


def test_the_same_manifest_is_sent_once_unless_somebody_asks(rita_id: UUID, drive: Path) -> None:
    added(wish(folder=str(drive)))
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert queued(rita_id, stored()) == []
    (other,) = queued(rita_id, stored(content=b"changed"))
    delivery_jobs.deliver(delivery_id=str(other))
    assert len(queued(rita_id, stored())) == 1, "what it was before is news again"
    file = drive / "2026-11-24/rita/2026-11-24-rita.ics"
    file.unlink()
    with transaction() as session:
        deliveries.send_again(session, other)
    delivery_jobs.deliver(delivery_id=str(other))
    assert file.exists()


def test_what_still_waits_for_its_hour_is_brought_up_to_date_instead_of_sent_twice(
    rita_id: UUID, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 23, 17, 30, tzinfo=UTC))
    added(wish(folder=str(drive), hour=20))
    (key,) = queued(rita_id, stored())
    (same,) = queued(rita_id, stored(content=b"later"))
    assert (key, seen(key).next_at) == (same, datetime(2026, 11, 23, 19, 0, tzinfo=UTC))
    delivery_jobs.deliver(delivery_id=str(key))
    assert seen(key).state == "waiting"
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 23, 19, 0, 30, tzinfo=UTC))
    delivery_jobs.deliver(delivery_id=str(key))
    assert (drive / "2026-11-24/rita/2026-11-24-rita.ics").read_bytes() == b"later"


def test_a_rep_gets_the_files_by_mail_once_and_the_state_is_that_of_the_mail(rita_id: UUID, peer: Peer) -> None:
    with transaction() as session:
        mail.configure(session, mail.Setup("127.0.0.1", peer.port, "none", "plans@example.com"))
    added(wish("mail", formats=["ics", "pdf"], copies=["boss@example.com"]))
    (key,) = queued(rita_id, stored())
    for _twice in range(2):
        delivery_jobs.deliver(delivery_id=str(key))
    with transaction() as session:
        (message,) = session.scalars(select(Message.id)).all()
    assert seen(key).state == "waiting"
    mail_jobs.send(message_id=str(message))
    assert (seen(key).state, peer.recipients) == ("sent", [["rita@example.com", "boss@example.com"]])
    (got,) = peer.got
    assert got["Subject"] == "Alpenblick: plan for 2026-11-24"
    assert "2 visits did not fit." in got.get_body().get_content()  # type: ignore[union-attr]
    assert [part.get_content_type() for part in got.iter_attachments()] == ["text/calendar", "application/pdf"]
    with transaction() as session:
        deliveries.send_again(session, key)
    delivery_jobs.deliver(delivery_id=str(key))
    with transaction() as session:
        assert len(session.scalars(select(Message.id)).all()) == 2


def test_a_rep_without_an_address_is_said(rita_id: UUID) -> None:
    with transaction() as session:
        session.get_one(User, rita_id).email = None
    added(wish("mail"))
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).trouble) == ("failed", "Rita has no e-mail address; enter it under Users.")


def test_without_a_mail_server_it_waits_and_says_so(rita_id: UUID) -> None:
    added(wish("mail"))
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).attempts) == ("waiting", 1)
    assert "No mail server is set up" in seen(key).trouble


def sftp_wish(server: SftpPeer, **more: Any) -> TargetWrite:
    values = {"host": "127.0.0.1", "port": server.port, "username": "plans", "secret": server.password}
    return wish("sftp", folder="plans/daily", formats=["ics", "pdf"], **{**values, **more})


def trusted(server: SftpPeer) -> UUID:
    target = added(sftp_wish(server))
    with transaction() as session:
        offered = targets.offered_key(session, target).config["offered_key"]
        targets.trust(session, target, places.fingerprint(offered))
    return target


def test_files_reach_another_machine_whose_key_was_compared(rita_id: UUID, server: SftpPeer) -> None:
    trusted(server)
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).trouble) == ("sent", "")
    there = server.folder / "plans/daily/2026-11-24/rita"
    assert sorted(path.name for path in there.iterdir()) == [
        "2026-11-24-rita.ics", "2026-11-24-rita.pdf", "manifest.json"
    ]  # fmt: skip
    (again,) = queued(rita_id, stored(content=b"other"))
    delivery_jobs.deliver(delivery_id=str(again))
    assert (there / "2026-11-24-rita.ics").read_bytes() == b"other"


def test_a_key_that_nobody_trusted_or_that_changed_gets_nothing(rita_id: UUID, server: SftpPeer) -> None:
    target = added(sftp_wish(server))
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert "Nobody has trusted the key" in seen(key).trouble
    with transaction() as session:
        offered = places.fingerprint(targets.offered_key(session, target).config["offered_key"])
        with pytest.raises(Conflict):
            targets.trust(session, target, "ssh-ed25519 SHA256:other")
        targets.trust(session, target, offered)
    server.set_up_anew()
    with transaction() as session:
        deliveries.send_again(session, key)
    delivery_jobs.deliver(delivery_id=str(key))
    assert "presents another key" in seen(key).trouble
    assert offered in seen(key).trouble
    assert list(server.folder.iterdir()) == []


def test_a_server_that_falls_silent_after_sign_in_is_given_up(
    rita_id: UUID, server: SftpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(server)
    server.is_silent = True
    monkeypatch.setattr(sftp, "TIMEOUT_S", 1)
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).attempts) == ("waiting", 1)
    assert "does not answer as an SFTP server" in seen(key).trouble


def test_a_wrong_password_and_a_silent_server_are_said(rita_id: UUID, server: SftpPeer) -> None:
    trusted(server)
    server.password = "changed"
    (key,) = queued(rita_id, stored())
    delivery_jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).trouble) == ("failed", "127.0.0.1 does not let plans in.")
    with transaction() as session:
        target = session.scalars(select(Target)).one()
        target.config = {**target.config, "port": 1}
    with transaction() as session:
        deliveries.send_again(session, key)
    delivery_jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, "does not answer as an SFTP server" in seen(key).trouble) == ("waiting", True)


def test_a_secret_is_sealed_and_does_not_move_to_another_server(rita_id: UUID, server: SftpPeer) -> None:
    key = trusted(server)
    with transaction() as session:
        target = session.get_one(Target, key)
        assert server.password not in (target.secret or "")
        with pytest.raises(Invalid, match="password or private key is missing"):
            targets.change(session, key, sftp_wish(server, host="localhost", secret=None))
        session.rollback()


def test_only_the_wanted_reps_teams_and_spans_are_sent(session: Session, make_user: MakeUser, drive: Path) -> None:
    rita, otto = make_user("rita", Role.REP), make_user("otto", Role.REP)
    team = Team(name="North")
    session.add(team)
    session.flush()
    session.add(TeamMember(team_id=team.id, user_id=otto.id))
    for name, more in {
        "all": {}, "rita": {"rep_ids": [rita.id]}, "north": {"team_ids": [team.id]}, "weeks": {"covers": "week"},
        "off": {"active": False},
    }.items():  # fmt: skip
        targets.add(session, wish(**{"name": name, "folder": str(drive), "covers": "day", **more}))

    def names(span: Span, rep: User) -> set[str]:
        return {target.name for target in targets.wanting(session, span, rep.id)}

    assert names(Span.of(DAY), rita) == {"all", "rita"}
    assert names(Span.of(DAY), otto) == {"all", "north"}
    assert names(Span.of(DAY, 5), rita) == {"weeks"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"), ({"formats": []}, "formats"), ({"formats": ["exe"]}, "formats"),
        ({"folder": "relative"}, "folder"), ({"folder": "/no/such/folder"}, "folder"),
        ({"folder": "/tmp/../etc"}, "folder"), ({"folder": "/" + "a" * 900}, "folder"),
        ({"kind": "mail", "to_rep": False}, "copies"), ({"kind": "mail", "copies": ["nobody"]}, "copies"),
        ({"kind": "sftp", "host": ""}, "host"), ({"kind": "sftp", "host": "169.254.169.254"}, "host"),
        ({"kind": "sftp", "host": "127.0.0.1", "username": ""}, "username"),
        ({"kind": "sftp", "host": "127.0.0.1", "username": "x"}, "secret"),
        ({"kind": "sftp", "host": "127.0.0.1", "username": "x", "secret": "-----BEGIN nonsense"}, "secret"),
        ({"rep_ids": [uuid4()]}, "rep_ids"), ({"team_ids": [uuid4()]}, "team_ids"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_target_is_refused_by_field(session: Session, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        targets.add(session, wish(**{"folder": "/srv", **change}))
    assert refused.value.details["field"] == field


def test_our_own_folder_is_no_target(session: Session, home: Path) -> None:
    (home / "database").mkdir()
    with pytest.raises(Invalid, match="belongs to Waymark itself"):
        targets.add(session, wish(folder=str(home / "database")))


def test_webhooks_are_told_of_every_revision_once(session: Session, make_user: MakeUser) -> None:
    rita = make_user("rita", Role.REP)
    webhooks.add(session, "Warehouse", "https://example.com/hook", ["plan_export"])
    for content in (b"a", b"a", b"bb"):
        deliveries.queue(session, stored(content=content), rita.id)
    told = webhooks.deliveries(session)
    assert [one.row_id for one in told] == ["2026-11-24/rita"] * 2


def test_a_machine_without_the_files_says_when_nothing_is_planned_any_more(rita_id: UUID, drive: Path) -> None:
    added(wish(folder=str(drive)))
    (key,) = queued(rita_id, stored())
    folders.remove_others(Span.of(DAY), set())
    delivery_jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).trouble) == ("failed", "Nothing is planned on these days any more.")


PATHS = [
    ("get", ""), ("post", ""), ("put", f"/{NOBODY}"), ("delete", f"/{NOBODY}"), ("post", f"/{NOBODY}/host-key"),
    ("get", "/deliveries"), ("post", f"/deliveries/{NOBODY}/again"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_stranger_is_refused(client_for: ClientFor, method: str, path: str) -> None:
    assert client_for(None).request(method, f"/api/v1/export-targets{path}").status_code == 401


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_manager_has_no_targets(client_for: ClientFor, make_user: MakeUser, method: str, path: str) -> None:
    body = wish().model_dump(mode="json") if method in ("post", "put") else None
    answer = client_for(make_user("maria", Role.MANAGER)).request(method, f"/api/v1/export-targets{path}", json=body)
    assert answer.status_code == 403


def test_an_admin_sees_targets_without_their_secrets(
    client_for: ClientFor, make_user: MakeUser, tmp_path: Path
) -> None:
    client = client_for(make_user("ada"))
    body = wish("sftp", host="127.0.0.1", port=2222, username="plans", secret="open sesame").model_dump(mode="json")
    made = client.post("/api/v1/export-targets", json=body)
    assert made.status_code == 201, made.text
    assert "sesame" not in made.text + client.get("/api/v1/export-targets").text
    path = f"/api/v1/export-targets/{made.json()['id']}"
    assert client.put(path, json={**body, "secret": None, "name": "Elsewhere"}).json()["name"] == "Elsewhere"
    assert client.delete(path).status_code == 204
    assert client.get("/api/v1/export-targets").json()["items"] == []
