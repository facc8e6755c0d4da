"""Phones that leave: what a retired one still held is looked at before it counts; a wipe is receipted."""

import base64
import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from server.auth import rights, service
from server.auth.access import scope_of
from server.auth.models import Device, DeviceState, Role, User
from server.files.jobs import forget_halves
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Conflict, NotFound
from server.kit.settings import settings
from server.sync import jobs
from server.sync.leaving import quarantine
from server.sync.protocol import wire
from server.sync.pushing import aside
from server.sync.schemas import HeldRead
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.world import World, private_key


def signed(message: bytes) -> str:
    """With the key of every phone here."""
    return base64.b64encode(private_key().sign(message, ec.ECDSA(hashes.SHA256()))).decode()


def retired(world: World, tmp_path: Any) -> FieldPhone:
    """Rita's phone with two visits and an edit that it has not sent, after she was shut out."""
    world.account("Mill", "west", phone="old")
    phone = FieldPhone(world, "rita", tmp_path / "rita", Network(world.client))
    phone.sync()
    (account,) = phone.shown("account")
    phone.event(account, "done", None, "Signed the order")
    phone.edit("account", account, phone="new")
    phone.event(str(uuid4()), "done", None, "At nobody's")
    with transaction() as session:
        service.change_user(session, world.users["rita"], {"active": False}, world.users["mona"])
    return phone


def said(one: HeldRead) -> dict[str, str]:
    """What an entry tells, but for its day."""
    return {field.field: field.value for field in one.content if field.field != "day"}


def by(world: World, login: str, device: UUID, **wish: Any) -> list[Any]:
    """Somebody's decision; returns what still waits."""
    with transaction() as session:
        scope = scope_of(session, session.get_one(User, world.users[login]), source="web")
        return quarantine.decide(session, scope, device, **wish)


def test_what_a_retired_phone_held_counts_once_somebody_takes_it_in(world: World, tmp_path: Any) -> None:
    phone = retired(world, tmp_path)
    first, second = phone.sync(), phone.sync()
    assert first is not None
    assert second is not None
    assert (first.code, first.handed_over, second.handed_over) == ("retired", 3, 3)
    assert len(phone.store.outbox.ops(["queued"])) == 3
    assert world.sql("select count(*) from visit_event") == [(0,)]
    with transaction() as session:
        mona = scope_of(session, session.get_one(User, world.users["mona"]), source="web")
        waiting = quarantine.held(session, mona)
    assert [(one.entity, one.account_name, said(one)) for one in waiting] == [
        ("visit_event", "Mill", {"state": "done", "outcome": "order", "note": "Signed the order"}),
        ("account", "Mill", {"phone": "new"}),
        ("visit_event", None, {"state": "done", "outcome": "order", "note": "At nobody's"}),
    ]
    assert len(by(world, "mona", phone.device_id, take=True, only=[waiting[0].op_id])) == 2
    assert by(world, "mona", phone.device_id, take=True) == []
    assert world.sql("select e.note, u.login from visit_event e join app_user u on u.id = e.recorded_by") == [
        ("Signed the order", "rita")
    ]
    assert world.sql("select phone from account") == [("new",)]
    assert world.sql("select state from quarantined_op order by n") == [("taken",), ("taken",), ("refused",)]
    again = phone.sync()
    assert again is not None
    assert world.sql("select count(*) from quarantined_op") == [(3,)]
    phone.close()


def test_what_is_thrown_away_has_no_effect_and_what_comes_back_into_service_is_not_done_twice(
    world: World, tmp_path: Any
) -> None:
    phone = retired(world, tmp_path)
    phone.sync()
    visit, *others = (op.op_id for op in phone.store.outbox.ops(["queued"]))
    by(world, "mona", phone.device_id, take=True, only=[UUID(visit)])
    by(world, "mona", phone.device_id, take=False, only=[UUID(other) for other in others])
    assert world.sql("select phone from account") == [("old",)]
    world.sql("update device set state = 'active'")
    world.sql("update app_user set active = true where login = 'rita'")
    phone.sync()
    phone.sync()
    assert world.sql("select count(*) from visit_event") == [(1,)]
    phone.close()


def test_nobody_else_sends_decides_or_reads_what_a_phone_held(world: World, tmp_path: Any) -> None:
    phone = retired(world, tmp_path)
    ops = [{"n": 1, "op_id": str(uuid4()), "k": "create", "e": "visit_event", "id": str(uuid4()), "d": {}}]
    for device, message, status in (
        (phone.device_id, b"something else", 401),
        (uuid4(), quarantine.proof(phone.device_id, ops), 401),
        (world.register("otto")[0], b"", 401),
    ):
        body = {"device": str(device), "ops": ops, "signature": signed(message)}
        assert world.client.post("/sync/v1/quarantine", json=body).status_code == status
    active = world.register("otto")[0]
    body = {"device": str(active), "ops": ops, "signature": signed(quarantine.proof(active, ops))}
    assert world.client.post("/sync/v1/quarantine", json=body).json()["code"] == "not_retired"
    assert world.sql("select count(*) from quarantined_op") == [(0,)]
    phone.sync()
    world.user("stranger")
    with transaction() as session:
        stranger = scope_of(session, session.get_one(User, world.users["stranger"]), source="web")
        assert quarantine.held(session, stranger) == []
        try:
            quarantine.decide(session, stranger, phone.device_id, take=True)
        except NotFound:
            pass
        else:
            raise AssertionError("a stranger decided")
    phone.close()


def test_a_wiped_phone_says_so_and_nobody_else_can(world: World) -> None:
    device, _ = world.register("rita")
    receipt = {"device": str(device), "signature": signed(quarantine.wiped_proof(device))}
    assert world.client.post("/sync/v1/wiped", json=receipt).status_code == 409
    world.sql("update device set state = 'wipe_pending' where id = :id", id=device)
    forged = receipt | {"signature": signed(b"waymark-wiped-1\nanother")}
    assert world.client.post("/sync/v1/wiped", json=forged).status_code == 401
    assert [world.client.post("/sync/v1/wiped", json=receipt).status_code for _ in range(2)] == [204, 204]
    assert world.sql("select state from device") == [("wiped",)]
    assert world.sql("select count(*) from auth_event where kind = 'device_wiped'") == [(1,)]
    with transaction() as session, pytest.raises(Conflict):
        service.set_device_state(session, session.get_one(Device, device), DeviceState.ACTIVE, device)


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_what_is_no_json_is_refused_before_anybody_is_known(world: World, number: str) -> None:
    device, _ = world.register("rita")
    text = f'{{"device": "{device}", "signature": "x", "ops": [{{"n": 1, "op_id": "{uuid4()}", "x": {number}}}]}}'
    headers = {"Content-Type": "application/json"}
    assert world.client.post("/sync/v1/quarantine", content=text, headers=headers).status_code == 422


def test_a_damaged_outbox_is_kept_as_it_came_and_once(world: World) -> None:
    device, access = world.register("rita")
    headers = {"Authorization": f"Bearer {access}"}
    for _ in range(2):
        assert world.client.post("/sync/v1/rescue", headers=headers, content=b"\x1f\x8b torn").status_code == 204
    (kept,) = settings().folder("files", "rescued").glob(f"{device}-*")
    assert kept.read_bytes() == b"\x1f\x8b torn"
    assert world.sql("select count(*) from auth_event where kind = 'outbox_rescued'") == [(1,)]
    assert world.client.post("/sync/v1/rescue", headers=headers, content=b"").status_code == 422
    assert world.client.post("/sync/v1/rescue", content=b"x").status_code == 401
    kept.unlink()


def test_what_a_retired_phone_cannot_read_any_more_is_handed_over_as_it_is_and_once(
    world: World, tmp_path: Any
) -> None:
    phone, body = retired(world, tmp_path), b"\x00 no seal of ours"
    phone.store.outbox.db.execute("update op set body=? where e='account'", (body,))
    first, second = phone.sync(), phone.sync()
    assert first is not None
    assert second is not None
    assert (first.handed_over, first.rescued, second.rescued) == (2, 1, 0)
    (kept,) = settings().folder("files", "rescued").glob(f"{phone.device_id}-*")
    (entry,) = json.loads(gzip.decompress(kept.read_bytes()))
    assert (entry["e"], base64.b64decode(entry["body"])) == ("account", body)
    forged = {"Device": str(phone.device_id), "Signature": signed(b"something else")}
    assert world.client.post("/sync/v1/quarantine/rescue", content=b"x", headers=forged).status_code == 401
    device, _ = world.register("mona")
    ours = {"Device": str(device), "Signature": signed(quarantine.rescue_proof(device, b"x"))}
    answer = world.client.post("/sync/v1/quarantine/rescue", content=b"x", headers=ours)
    assert answer.json()["code"] == "not_retired"
    kept.unlink()
    phone.close()


def contents(world: World) -> list[tuple[bool]]:
    return [(there,) for (there,) in world.sql("select file_id is not null from attachment order by id")]


@pytest.mark.parametrize("before", [True, False])
def test_photos_of_a_retired_phone_arrive_with_it_or_when_they_are_taken_in(
    world: World, tmp_path: Any, before: bool
) -> None:
    phone = FieldPhone(world, "rita", tmp_path / "rita", Network(world.client))
    at = str(world.account("Mill", "west"))
    phone.sync()
    phone.photo(at)
    world.sql("update device set state = 'retired'")
    if before:
        with transaction() as session:
            ops = [op.body | {"n": op.n} for op in phone.store.outbox.ops(["queued"])]
            proof = signed(quarantine.proof(phone.device_id, ops))
            quarantine.hold(session, wire.QuarantineRequest(device=phone.device_id, ops=ops, signature=proof))
        assert by(world, "mona", phone.device_id, take=True) == []
    report = phone.sync()
    assert report is not None
    assert (report.code, report.handed_over, report.photos) == ("retired", 1, 2)
    if not before:
        assert contents(world) == []
        world.sql("update file_upload set touched_at = now() - interval '40 days'")
        with transaction() as session:
            jobs.tidy(session)
            forget_halves(session)
        assert by(world, "mona", phone.device_id, take=True) == []
    assert contents(world) == [(True,)]
    assert world.sql("select count(*) from file_upload") == [(0,)]
    assert len(list(phone.store.outbox.blobs.files())) == 2, "nothing leaves the phone by it"
    phone.close()


def test_nobody_else_brings_a_content_and_none_that_no_entry_names(world: World) -> None:
    (retired_one, _), (active, _), content = world.register("rita"), world.register("rita"), b"a photo"
    world.sql("update device set state = 'retired' where id = :id", id=retired_one)
    sha256 = hashlib.sha256(content).hexdigest()
    for device, key, status in (
        (active, quarantine.content_proof(active, sha256), 409),
        (retired_one, quarantine.content_proof(active, sha256), 401),
        (retired_one, quarantine.content_proof(retired_one, sha256), 404),
    ):
        headers = {"Device": str(device), "Signature": signed(key)}
        answer = world.client.post(f"/sync/v1/quarantine/{sha256}", content=content, headers=headers)
        assert answer.status_code == status, answer.text


def may_sync(world: World, **levels: str) -> None:
    with transaction() as session:
        wanted = {name.replace("_", ":"): level for name, level in levels.items()}
        rights.change_role(session, "rep", levels=wanted, fields={}, actor=world.users["mona"])


@pytest.mark.parametrize("lost", ["sync_write", "sync_read"])
def test_what_is_not_sent_when_a_role_may_not_send_any_more_is_kept_aside(
    world: World, tmp_path: Any, lost: str
) -> None:
    phone = FieldPhone(world, "rita", tmp_path / "rita", Network(world.client))
    at = world.account("Mill", "west")
    world.account("Bakery", "west")
    phone.sync()
    phone.event(str(at), "done", None, "Signed the order")
    phone.photo(str(at))
    may_sync(world, **{lost: "none"})
    world.revoke("rita", "west")
    report = phone.sync()
    assert report is not None
    assert (report.code, report.handed_over, report.photos) == ("not_allowed", 2, 2)
    if lost == "sync_write":
        assert phone.shown("account") == [str(at)], "what she may not see any more leaves, but for what is not sent"
    assert by(world, "mona", phone.device_id, take=True) == []
    assert world.sql("select note, flags from visit_event") == [("Signed the order", ["late_scope"])]
    assert contents(world) == [(True,)]
    may_sync(world)
    report = phone.sync()
    assert report is not None
    assert (report.ok, phone.store.outbox.counts()) == (True, {"applied": 2})
    assert world.sql("select count(*) from visit_event") == [(1,)]
    phone.close()


@pytest.mark.parametrize(
    ("note", "kept"), [(r"the path C:\u0000", r"the path C:\u0000"), ("40\x00 boxes", "40� boxes")]
)
def test_a_note_with_characters_that_the_database_does_not_take_is_taken_in(
    world: World, tmp_path: Any, note: str, kept: str
) -> None:
    phone = FieldPhone(world, "rita", tmp_path / "rita", Network(world.client))
    at = str(world.account("Mill", "west"))
    phone.sync()
    phone.event(at, "done", None, note)
    world.sql("update device set state = 'retired'")
    phone.sync()
    assert by(world, "mona", phone.device_id, take=True) == []
    assert world.sql("select note from visit_event") == [(kept,)]
    phone.close()


def came_back(world: World, phone: FieldPhone) -> None:
    """Rita works again, and has signed in on her phone."""
    world.sql("update app_user set active = true where login = 'rita'")
    phone.sign_in()
    for _ in range(3):
        phone.sync()


@pytest.mark.parametrize("why", ["retired", "inactive"])
@pytest.mark.parametrize("discarded", [False, True])
def test_a_photo_that_a_leaving_phone_handed_over_is_the_offices_once_its_visit_is_sent(
    world: World, tmp_path: Any, why: str, discarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = str(world.account("Mill", "west"))
    phone = FieldPhone(world, "rita", tmp_path / "rita", Network(world.client))
    phone.sync()
    phone.event(account, "done", None, "Signed the order")
    phone.photo(account)
    if why == "retired":
        world.sql("update device set state = 'retired'")
    else:
        with transaction() as session:
            service.change_user(session, world.users["rita"], {"active": False}, world.users["mona"])
    phone.sync()
    if discarded:
        by(world, "mona", phone.device_id, take=False)
        later = clock.now() + timedelta(days=2)
        with monkeypatch.context() as patched, transaction() as session:
            patched.setattr(clock, "now", lambda: later)
            aside.forget(session)
            assert not list(aside.folder().iterdir()), "what was thrown away does not stay for ever"
    came_back(world, phone)
    assert world.sql("select count(*) from visit_event") == [(1,)]
    assert world.sql("select count(*) from attachment where file_id is not null") == [(1,)]
    phone.close()


def test_what_waits_aside_fills_nobody_elses_photo(world: World, tmp_path: Any) -> None:
    account = str(world.account("Mill", "west"))
    rita = FieldPhone(world, "rita", tmp_path / "rita", Network(world.client))
    rita.sync()
    rita.photo(account)
    world.sql("update device set state = 'retired'")
    rita.sync()
    otto = world.phone("otto")
    otto.sync()
    (said,) = rita.store.outbox.ops()
    otto.save("create", "attachment", uuid4(), d=said.body["d"] | {"account_id": account})
    assert [one["status"] for one in otto.push()] == ["applied"]
    assert world.sql("select count(*) from attachment where file_id is not null") == [(0,)]
    rita.close()


def test_what_the_phone_sent_itself_after_all_waits_for_nobody(world: World, tmp_path: Any) -> None:
    phone = retired(world, tmp_path)
    phone.sync()
    came_back(world, phone)
    with transaction() as session:
        assert (
            quarantine.held(session, scope_of(session, session.get_one(User, world.users["mona"]), source="web")) == []
        )
    assert world.sql("select state from quarantined_op order by n") == [("taken",), ("taken",), ("refused",)]
    phone.close()


def test_what_waits_tells_no_hidden_field_and_no_account_out_of_the_readers_reach(world: World, tmp_path: Any) -> None:
    secret = world.account("Secret Ltd", None)
    phone = retired(world, tmp_path)
    phone.event(str(secret), "done", None, "At a stranger's")
    phone.sync()
    ada = world.user("ada", Role.ADMIN)
    with transaction() as session:
        levels, fields = {"accounts:read": "own"}, {"account.phone": "hidden"}
        rights.change_role(session, "manager", levels=levels, fields=fields, actor=ada)
    with transaction() as session:
        mona = scope_of(session, session.get_one(User, world.users["mona"]), source="web")
        waiting = quarantine.held(session, mona)
    assert [(one.account_name, said(one).get("note")) for one in waiting] == [
        (None, "Signed the order"), (None, None), (None, "At nobody's"), (None, "At a stranger's"),
    ]  # fmt: skip
    assert said(waiting[1]) == {}
    phone.close()
