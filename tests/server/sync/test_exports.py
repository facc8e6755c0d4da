"""Unsent work as a sealed file: brought in by hand it counts once, whatever the phone does later; only we read it."""

import base64
import gzip
import io
import json
import random
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from mobile.device.sealing import envelope
from mobile.field.store.canonical import Json
from mobile.field.sync import export, tokens
from server.auth import service
from server.auth.access import scope_of, system_scope
from server.auth.models import Role, User
from server.files import store
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import NotFound
from server.kit.settings import settings
from server.sync import hello
from server.sync.leaving import exports, quarantine, refused
from server.sync.leaving.envelopes import NotAnExport
from server.sync.pushing import aside
from server.sync.schemas import ExportRead
from tests.server.sync.field_phone import FieldPhone, Network, OneKey
from tests.server.sync.test_commands import run
from tests.server.sync.world import World


@pytest.fixture(autouse=True)
def empty_store() -> None:
    """Contents of other tests are gone."""
    for path in [*store.stored(), *store.on_the_way(), *aside.folder().iterdir()]:
        path.unlink()


@pytest.fixture
def phone(world: World, tmp_path: Path) -> Iterator[FieldPhone]:
    """Rita's, with a visit and its photo, an edit, and a visit at nobody's that it could not send."""
    account = str(world.account("Mill", "west", phone="old"))
    planned = str(world.visit(UUID(account), "rita"))
    phone = FieldPhone(world, "rita", tmp_path / "rita", Network(world.client, random.Random(1)))
    phone.sync()
    phone.event(account, "done", planned, "Signed the order")
    phone.photo(account, planned)
    phone.edit("account", account, phone="new")
    phone.event(str(uuid4()), "done", None, "At nobody's")
    yield phone
    phone.close()


def exported(phone: FieldPhone, folder: Path) -> Path:
    """The file that the app writes."""
    known = tokens.load(phone.secrets, phone.user_id)
    return export.write(phone.store.outbox, folder, "What this is.", OneKey(), known, envelope).path


def taken(world: World, file: Path | bytes, login: str | None = None) -> ExportRead:
    """Somebody takes a file in; nobody in particular, as a command does, unless a name is given."""
    content = file if isinstance(file, bytes) else file.read_bytes()
    with transaction() as session:
        person = session.get_one(User, world.users[login]) if login else None
        scope = scope_of(session, person, source="web") if person else system_scope()
        return exports.take_in(session, scope, io.BytesIO(content))


def counted(world: World) -> dict[str, Any]:
    """What is on the server of the phone's work."""
    return {
        "events": world.sql("select state, note from visit_event order by note"),
        "phone": world.sql("select phone from account order by phone"),
        "photos": world.sql("select count(*) from attachment where file_id is not null"),
        "files": len(list(store.stored())),
    }


ALL = {"events": [("done", "Signed the order")], "phone": [("new",)], "photos": [(1,)], "files": 2}


def test_what_a_dead_phone_had_saved_arrives_by_its_file_once_and_as_its_reps(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    file = exported(phone, tmp_path / "out")
    shutil.rmtree(phone.folder)
    first, second = taken(world, file, "mona"), taken(world, file)
    assert (first.user_name, first.ops, first.taken, first.known, first.photos) == ("Rita", 4, 3, 0, 2)
    assert [(one.entity, one.reason != "") for one in first.refused] == [("visit_event", True)]
    assert (second.taken, second.known, second.refused, second.waiting) == (0, 4, [], 0)
    assert counted(world) == ALL
    assert world.sql("select u.login from visit_event e join app_user u on u.id = e.recorded_by") == [("rita",)]
    assert run("doctor")[0] == 0


def test_what_a_phone_cannot_read_any_more_goes_along_as_it_is_and_is_kept_once(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    folder, body = settings().folder("files", "rescued"), b"\x00 no seal of ours"
    phone.store.outbox.db.execute("update op set body=? where e='account'", (body,))
    file = exported(phone, tmp_path / "out")
    told = taken(world, file)
    assert (told.ops, told.taken, told.unreadable) == (3, 2, 1)
    assert taken(world, file).unreadable == 1
    (kept,) = folder.glob(f"{phone.device_id}-*")
    (entry,) = json.loads(gzip.decompress(kept.read_bytes()))
    assert (entry["e"], base64.b64decode(entry["body"])) == ("account", body)
    kept.unlink()
    assert "1  entries that the phone cannot read any more" in run("take-in", str(file))[1]
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in whole.namelist():
            other.writestr(name, whole.read(name)[:-1] if name == "aside.sealed" else whole.read(name))
    with pytest.raises(NotAnExport):
        taken(world, (tmp_path / "other.zip").read_bytes())


def test_a_phone_that_comes_back_and_sends_the_same_does_nothing_twice(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    file = exported(phone, tmp_path / "out")
    taken(world, file)
    (account,) = phone.shown("account")
    phone.event(account, "done", None, "After the file")
    report = phone.sync()
    assert report is not None
    assert (report.ok, dict(report.results)) == (True, {"applied": 3, "merged": 1, "rejected": 1})
    assert counted(world) == ALL | {"events": [("done", "After the file"), ("done", "Signed the order")]}
    assert not phone.store.outbox.blobs.all("waiting", "refused")
    assert taken(world, file).taken == 0
    phone.event(account, "done", None, "Later")
    assert dict(phone.sync().results) == {"applied": 1}  # type: ignore[union-attr]


def test_what_a_file_brought_counts_for_backups_once_the_phone_has_sent_it_too(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    taken(world, exported(phone, tmp_path / "out"))
    world.sql("update sync_meta set durable_at = clock_timestamp() + interval '1 minute'")
    assert durable(world, phone) == 0, "it might number others anew"
    phone.sync()
    assert durable(world, phone) == 4, "the backup holds it all"
    assert run("doctor")[0] == 0


def test_a_backup_that_lacks_an_earlier_op_does_not_reach_what_a_file_brought(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    taken(world, exported(phone, tmp_path / "out"))
    first = phone.store.outbox.ops()[0].op_id
    world.sql("delete from sync_receipt where op_id = :first", first=first)  # it was in none when the server came back
    world.sql("update sync_meta set durable_at = clock_timestamp() + interval '30 seconds'")
    phone.sync()
    assert [n for (n,) in world.sql("select n from sync_receipt order by n")] == [1, 2, 3, 4]
    assert durable(world, phone) == 0


def durable(world: World, phone: FieldPhone) -> int:
    """Up to which of its ops the phone may forget, by the server."""
    with transaction() as session:
        told = hello.durable_upto(session, phone.device_id)
    assert told is not None
    return told.n


def test_what_arrived_before_the_file_is_not_done_again(world: World, phone: FieldPhone, tmp_path: Path) -> None:
    file = exported(phone, tmp_path / "out")
    phone.sync()
    told = taken(world, file)
    assert (told.taken, told.known, told.refused) == (0, 4, [])
    assert counted(world) == ALL


def test_photos_whose_entry_went_before_come_by_the_file_too(world: World, phone: FieldPhone, tmp_path: Path) -> None:
    phone.photos_too = False
    phone.sync()
    told = taken(world, exported(phone, tmp_path / "out"))
    assert (told.ops, told.photos) == (0, 1)
    assert counted(world) == ALL


def test_of_a_phone_out_of_service_everything_waits_for_a_decision_photos_too(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    file = exported(phone, tmp_path / "out")
    with transaction() as session:
        service.change_user(session, world.users["rita"], {"active": False}, world.users["mona"])
    told = taken(world, file, "mona")
    assert (told.taken, told.waiting, told.photos_waiting) == (0, 4, 2)
    assert counted(world)["events"] == []
    with transaction() as session:
        assert aside.forget(session) == 0
        mona = scope_of(session, session.get_one(User, world.users["mona"]), source="web")
        assert quarantine.decide(session, mona, phone.device_id, take=True) == []
    assert counted(world) == ALL


def test_contents_that_nothing_waits_for_are_forgotten_after_a_day(
    world: World, phone: FieldPhone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(world, exported(phone, tmp_path / "out"))
    with transaction() as session:
        assert aside.forget(session) == 0, "a file may be taken in at this very moment"
        late = clock.now() + timedelta(days=1, hours=1)
        monkeypatch.setattr(clock, "now", lambda: late)
        assert aside.forget(session) == 2
    assert counted(world) == ALL


def changed(file: Path, name: str, content: bytes | None) -> bytes:
    """The file with another part, or without it."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
            elif content is not None:
                new.writestr(one, content)
    return made.getvalue()


def test_a_damaged_or_cut_file_is_refused_and_nothing_of_it_counts(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    file = exported(phone, tmp_path / "out")
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as zipped:
        photo = next(one for one in zipped.namelist() if one.startswith("photos/"))
        ops = bytearray(zipped.read("ops.sealed"))
    ops[40] ^= 1
    flipped = bytearray(whole)
    flipped[whole.index(b"photos/") + 400] ^= 1
    for content in (
        b"", b"no zip", whole[:-30], whole[: len(whole) // 2], bytes(flipped), changed(file, photo, None),
        changed(file, "ops.sealed", bytes(ops)), changed(file, "ops.sealed", None), changed(file, "key.json", b"{}"),
        changed(file, photo, zipfile.ZipFile(file).read("ops.sealed")),
    ):  # fmt: skip
        with pytest.raises(NotAnExport):
            taken(world, content)
    assert counted(world) == {"events": [], "phone": [("old",)], "photos": [(0,)], "files": 0}


def test_another_companys_file_is_named_as_such(world: World, phone: FieldPhone, tmp_path: Path) -> None:
    file = exported(phone, tmp_path / "out")
    world.sql("update sync_meta set secret = sha256(secret)")
    with pytest.raises(NotAnExport, match="another company"):
        taken(world, file)


def test_a_file_that_another_key_signed_or_another_phone_is_named_in_is_refused(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    class Forger(OneKey):
        def sign(self, alias: str, message: bytes) -> str:
            return super().sign(alias, message + b"!")

    known = tokens.load(phone.secrets, phone.user_id)
    file = export.write(phone.store.outbox, tmp_path / "out", "", Forger(), known, envelope).path
    with pytest.raises(NotAnExport, match="not made by the phone"):
        taken(world, file)


def test_only_who_looks_after_the_rep_takes_the_file_in(world: World, phone: FieldPhone, tmp_path: Path) -> None:
    file = exported(phone, tmp_path / "out")
    world.user("stranger", Role.MANAGER)
    with pytest.raises(NotFound):
        taken(world, file, "stranger")
    assert world.client.post("/api/v1/phone-exports", files={"file": file.read_bytes()}).status_code == 401
    _, access = world.register("otto")
    headers = {"Authorization": f"Bearer {access}"}
    answer = world.client.post("/api/v1/phone-exports", files={"file": file.read_bytes()}, headers=headers)
    assert answer.status_code == 403
    assert counted(world)["events"] == []


def test_nobody_reads_what_is_in_the_file(phone: FieldPhone, tmp_path: Path) -> None:
    whole = exported(phone, tmp_path / "out").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        assert file.read("README.txt") == b"What this is."
        assert sorted(one.partition("/")[0] for one in file.namelist()) == [
            "README.txt", "key.json", "ops.sealed", "photos", "photos",
        ]  # fmt: skip
    assert b"Signed the order" not in whole
    assert b"visit_event" not in whole


def test_parked_entries_come_too_and_the_phones_numbers_stay_its_own(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    phone.store.outbox.park(1, {"code": "internal"})
    file = exported(phone, tmp_path / "out")
    assert taken(world, file).taken == 3
    (account,) = phone.shown("account")
    phone.event(account, "done", None, "After the file")
    report = phone.sync()
    assert report is not None
    assert report.ok, report.detail
    phone.store.outbox.retry_parked()
    assert phone.sync().ok  # type: ignore[union-attr]
    assert counted(world) == ALL | {"events": [("done", "After the file"), ("done", "Signed the order")]}


def test_the_command_takes_a_file_in_and_says_what_became_of_it(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    status, said = run("take-in", str(exported(phone, tmp_path / "out")))
    assert status == 0, said
    assert "Rita" in said
    assert "       3  entries taken in now" in said
    assert "refused  visit_event" in said
    assert counted(world) == ALL


def test_without_the_servers_key_or_without_anything_unsent_no_file_is_written(
    world: World, phone: FieldPhone, tmp_path: Path
) -> None:
    known: Any = tokens.load(phone.secrets, phone.user_id)
    ready: list[Json] = [{"key": phone.store.outbox.meta.get(export.KEY)}]
    phone.store.outbox.meta.set(export.KEY, None)
    with pytest.raises(export.NoKey):
        exported(phone, tmp_path / "out")
    phone.store.outbox.meta.set(export.KEY, ready[0]["key"])
    phone.sync()
    with pytest.raises(export.NothingUnsent):
        export.write(phone.store.outbox, tmp_path / "out", "", OneKey(), known, envelope)
    assert list((tmp_path / "out").glob("*")) == []


def test_a_photo_of_an_entry_that_was_refused_comes_when_it_is_taken_later(
    world: World, phone: FieldPhone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.sync()
    later = uuid4()
    phone.photo(str(later))
    assert [one.entity for one in taken(world, exported(phone, tmp_path / "out"), "mona").refused] == ["attachment"]
    shutil.rmtree(phone.folder)
    world.sql("insert into account (id, name) values (:id, 'Late')", id=later)
    days = clock.now() + timedelta(days=3)
    with monkeypatch.context() as patched, transaction() as session:
        patched.setattr(clock, "now", lambda: days)
        aside.forget(session)
    with transaction() as session:
        mona = scope_of(session, session.get_one(User, world.users["mona"]), source="web")
        one = next(one for one in refused.listed(session, mona, phone.device_id).items if one.entity == "attachment")
        assert refused.decide(session, mona, phone.device_id, one.n, take=True).status == "applied"
    assert counted(world) == ALL | {"phone": [("new",), (None,)], "photos": [(2,)], "files": 4}


def test_a_large_file_may_come_twice(
    world: World, phone: FieldPhone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = exported(phone, tmp_path / "out")
    monkeypatch.setattr(quarantine, "MOST", 4)
    assert (taken(world, file).known, taken(world, file).known) == (0, 4)


@pytest.mark.parametrize("part", ["key.json", "ops.sealed"])
def test_a_crafted_file_is_refused_in_words(world: World, phone: FieldPhone, part: str) -> None:
    sealed = envelope(phone.store.outbox.meta.get("export_key") or "", "waymark-unsent-1")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("key.json", json.dumps(sealed.head) + (" " * 100_000 if part == "key.json" else ""))
        parts.writestr("ops.sealed", sealed.seal("ops.sealed", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"))
    with pytest.raises(NotAnExport):
        taken(world, made.getvalue())
