"""The phone's photos against the real application: nothing of them is lost, whatever dies or gets lost on the way."""

import contextlib
import io
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from mobile.field import photos
from mobile.field.store import clock as phone_clock
from mobile.field.sync.transport import Reply, Request
from server.files import checking, store, uploads
from tests.server.sync.field_phone import FieldPhone, Killed, Network
from tests.server.sync.world import World


@pytest.fixture(autouse=True)
def empty_store() -> None:
    """Contents of other tests are gone."""
    for path in [*store.stored(), *store.on_the_way(), *uploads.folder().iterdir()]:
        path.unlink()


@pytest.fixture
def account(world: World) -> UUID:
    return world.account("Bakery", "west")


@pytest.fixture
def phone(world: World, account: UUID, tmp_path: Path) -> Iterator[FieldPhone]:
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    phone.sync()
    yield phone
    phone.close()


def held(phone: FieldPhone) -> dict[str, str]:
    """The contents that the phone still takes care of, and how they stand."""
    return {one.sha256: one.state for one in phone.store.outbox.blobs.all("waiting", "stored", "refused")}


def test_a_photo_is_whole_or_not_there_wherever_the_app_dies(phone: FieldPhone, account: UUID) -> None:
    lived = 0
    for place in range(1, 26):
        phone.dies_after(place)
        with contextlib.suppress(Killed):
            phone.photo(str(account))
            lived += 1
        phone.restart()
        ops = phone.store.outbox.ops()
        files = {path.name for path in phone.store.outbox.blobs.files()}
        assert set(held(phone)) <= files
        assert len(held(phone)) == 2 * len(ops)
        assert {op.body["d"]["sha256"] for op in ops} <= set(held(phone))
        assert len(photos.at_account(phone.store, str(account))) == len(ops)
    assert 0 < lived < 25


def test_photos_arrive_over_a_bad_network_and_leave_the_phone_only_for_a_backup(
    world: World, phone: FieldPhone, account: UUID
) -> None:
    visit = world.visit(account, "rita")
    phone.sync()
    phone.photo(str(account), str(visit))
    phone.photo(str(account))
    assert photos.waiting(phone.store).photos == 2
    phone.network.loss, phone.network.kills, phone.network.damage = 0.3, 0.05, 0.3
    for _ in range(40):
        phone.sync()
    phone.network.loss = phone.network.kills = phone.network.damage = 0.0
    phone.network.deliver_late()
    report = phone.sync()
    assert report is not None
    assert (report.ok, report.photo_error) == (True, None)
    assert set(held(phone).values()) == {"stored"}
    assert {path.name for path in store.stored()} == set(held(phone))
    assert world.sql("select count(*) from attachment where file_id is not null and entity = 'visit'") == [(1,)]
    phone.sync()
    assert len(held(phone)) == 4, "the server has them, its backups do not"
    store.path_of(next(iter(held(phone)))).unlink()
    for _ in range(3):
        world.sql("update sync_meta set durable_at = clock_timestamp() + interval '1 hour'")
        phone.sync()
    assert len(list(store.stored())) == 4, "what the server's disk had lost was sent again"
    assert held(phone) == {}
    assert not list(phone.store.outbox.blobs.files())
    (shown, other) = photos.at_account(phone.store, str(account))
    assert (shown.mark, shown.large, other.large) == ("server", None, None)
    assert shown.small, "a small picture that was taken here stays to be looked at"
    world.sql("update sync_meta set durable_at = null")


def test_photos_wait_for_a_wifi_but_their_small_pictures_do_not(phone: FieldPhone, account: UUID) -> None:
    phone.photo(str(account))
    phone.photos_too = False
    phone.sync()
    assert sorted(held(phone).values()) == ["stored", "waiting"]
    assert photos.waiting(phone.store).photos == 1
    phone.photos_too = True
    phone.sync()
    assert set(held(phone).values()) == {"stored"}


def test_a_refused_photo_is_kept_and_shown_and_one_that_was_taken_back_goes_to_the_bin(
    world: World, phone: FieldPhone, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.photo(str(account))
    (waiting,) = (one for one in phone.store.outbox.blobs.all("waiting") if one.lane == "photo")
    phone.photo(str(account))
    monkeypatch.setattr(checking, "check", refusing(waiting.size))
    phone.sync()
    assert [one.error["msg"] for one in photos.waiting(phone.store).refused if one.error] == ["No picture."]
    assert waiting.path.is_file()
    first = photos.at_account(phone.store, str(account))[-1]
    assert first.mark == "attention"
    photos.discard(phone.store, first.id)
    assert len(photos.at_account(phone.store, str(account))) == 1
    phone.sync()
    assert world.sql("select count(*) from attachment where deleted_at is not null") == [(1,)]


def refusing(size: int) -> Callable[..., None]:
    """A check that does not like files of a size."""

    def check(path: Path, name: str, *, photo: bool = False) -> None:
        if path.stat().st_size == size:
            raise checking.NotAPicture("No picture.")

    return check


def failing_on(phone: FieldPhone, hashes: set[str]) -> None:
    """The server fails on some contents."""
    real = phone.network.open

    @contextlib.contextmanager
    def opened(request: Request) -> Iterator[Reply]:
        if hashes & set(request.path.split("/")):
            yield Reply(500, {}, io.BytesIO(b'{"code":"internal","detail":"It broke."}'))
            return
        with real(request) as reply:
            yield reply

    phone.network.open = opened  # type: ignore[method-assign]


def test_a_photo_on_which_the_server_fails_holds_up_no_other_and_is_tried_once_a_day(
    phone: FieldPhone, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        phone.photo(str(account))
    bad = {phone.store.outbox.blobs.all("waiting")[0].sha256}
    failing_on(phone, bad)
    report = phone.sync()
    assert report is not None
    assert (report.ok, report.photos, report.photo_error) == (True, 5, "It broke.")
    assert {sha256 for sha256, state in held(phone).items() if state == "waiting"} == bad
    assert photos.waiting(phone.store).refused == ()
    for _ in range(3):
        report = phone.sync()
    assert report is not None
    assert report.photo_error is None, "it is not tried any more today"
    (told,) = photos.waiting(phone.store).refused
    assert told.error == {"code": "internal", "msg": "It broke."}
    bad.clear()
    phone.sync()
    assert len(photos.waiting(phone.store).refused) == 1
    tomorrow = phone_clock.now() + timedelta(days=1)
    monkeypatch.setattr(phone_clock, "now", lambda: tomorrow)
    phone.sync()
    assert set(held(phone).values()) == {"stored"}


def test_photos_that_the_server_fails_on_together_do_not_cost_one_call_each(phone: FieldPhone, account: UUID) -> None:
    for _ in range(3):
        phone.photo(str(account))
    failing_on(phone, set(held(phone)))
    phone.sync()
    assert sorted(one.failures for one in phone.store.outbox.blobs.all("waiting")) == [0, 0, 0, 1, 1, 1]


def test_photos_delivered_under_an_earlier_device_id_are_let_go_too(
    world: World, phone: FieldPhone, account: UUID
) -> None:
    phone.photo(str(account))
    phone.sync()
    phone.sign_in()
    phone.sync()
    world.sql("update sync_meta set durable_at = clock_timestamp() + interval '1 hour'")
    phone.sync()
    assert held(phone) == {}
    world.sql("update sync_meta set durable_at = null")


def test_a_photo_of_an_older_copy_that_was_let_go_is_not_called_lost(
    world: World, phone: FieldPhone, account: UUID
) -> None:
    phone.photo(str(account))
    phone.store.outbox.back_up()
    phone.sync()
    world.sql("update sync_meta set durable_at = clock_timestamp() + interval '1 hour'")
    phone.sync()
    world.sql("update sync_meta set durable_at = null")
    assert not list(phone.store.outbox.blobs.files())
    folder = phone.store.folder
    phone.store.close()
    (folder / "outbox.db").write_bytes(b"damaged" * 999)
    phone.restart()
    for _ in range(2):
        phone.sync()
    assert held(phone) == {}


@pytest.mark.parametrize("how", ["moved", "revoked", "deleted"])
def test_pictures_leave_the_phone_with_their_account_but_no_unsent_one_and_none_without_a_backup(
    world: World, phone: FieldPhone, account: UUID, how: str
) -> None:
    other = world.account("Mill", "west")
    world.sql("update account set owner_id = :rita where id = :other", rita=world.users["rita"], other=other)
    phone.sync()
    for at in (account, other):
        phone.photo(str(at))
    phone.sync()
    world.sql("update sync_meta set durable_at = clock_timestamp() + interval '1 hour'")
    phone.sync(), phone.sync()
    assert held(phone) == {}, "all of it is in a backup"
    large = {at: photos.at_account(phone.store, str(at))[0].sha256 for at in (account, other)}
    for sha256 in large.values():
        photos.keep(phone.store, sha256, b"looked at")
    fetched = phone.store.folder / "fetched"
    half = fetched / f"{large[account]}.part"
    half.write_bytes(b"of an app that was killed")
    world.sql("update sync_meta set durable_at = null")
    phone.photo(str(account))
    phone.sync()
    without_backup = set(held(phone))
    assert len(list(fetched.iterdir())) == 5
    phone.photo(str(account))
    if how == "moved":
        world.move(account, "east")
    elif how == "revoked":
        world.revoke("rita", "west")
    else:
        world.sql("update account set deleted_at = now() where id = :account", account=account)
    phone.network.pulls_left = 0
    phone.sync()
    assert len(list(fetched.iterdir())) == 5, "nothing is known of it yet"
    phone.network.pulls_left = None
    phone.photos_too = False
    phone.sync()
    names = {path.name for path in fetched.iterdir()}
    assert large[account] not in names
    assert names == {large[other], *(one.name for one in [photos.at_account(phone.store, str(other))[0].small] if one)}
    files = {path.name for path in phone.store.outbox.blobs.files()}
    assert without_backup <= files
    assert len(files) == 4
