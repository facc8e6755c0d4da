"""The database is put back to an earlier state: what phones had sent comes back, what they hold becomes right again."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from server.kit.database import transaction
from server.sync.pulling import epochs
from tests.server.sync.backups import Backups
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.world import Refused, World


@pytest.fixture
def backups(empty_database: Engine) -> Iterator[Backups]:
    backups = Backups(empty_database.url)
    yield backups
    backups.forget()


def epoch() -> str:
    with transaction() as session:
        return epochs.current(session)


def events(world: World) -> int:
    return int(world.sql("select count(*) from visit_event")[0][0])


def test_a_restored_database_is_another_epoch_without_anybody_saying_so(world: World, backups: Backups) -> None:
    before = epoch()
    backups.take()
    assert epoch() == before
    backups.restore(backups.taken[0])
    assert epoch() != before


def test_visits_that_were_acknowledged_after_the_backup_are_sent_again(world: World, backups: Backups) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account)
    phone.sync()
    backups.take()
    for _ in range(3):
        phone.event(account)
    phone.edit("account", account, phone="2")
    phone.sync()
    assert events(world) == 4
    backups.restore(backups.taken[0])
    assert (events(world), world.sql("select phone from account")) == (1, [("1",)])
    with pytest.raises(Refused) as refused:
        phone.pull()
    assert refused.value.code == "epoch_changed"
    assert {verdict["status"] for verdict in phone.sync()} <= {"applied", "merged"}
    assert (events(world), world.sql("select phone from account")) == (4, [("2",)])


def test_a_new_op_cannot_jump_over_those_that_the_restore_lost(world: World, backups: Backups) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    backups.take()
    phone.event(account)
    phone.sync()
    backups.restore(backups.taken[0])
    last = phone.event(account)
    with pytest.raises(Refused) as refused:
        phone.call("/sync/v1/push", {"epoch": epoch(), "ops": [last]})
    assert (refused.value.code, refused.value.body["expected"]) == ("gap", 1)


def test_an_edit_made_on_a_lost_revision_does_not_overwrite_what_came_after_the_restore(
    world: World, backups: Backups
) -> None:
    """Revisions start again after a restore: a high base revision proves nothing any more."""
    account = world.account("Bakery", "west", phone="1")
    backups.take()
    for value in ("2", "3", "4"):
        world.sql("update account set phone = :value", value=value)
    phone = world.phone("rita")
    phone.sync()
    backups.restore(backups.taken[0])
    device, access = world.register("rita")
    phone.device_id, phone.access = device, access
    phone.edit("account", account, phone="5")
    world.sql("update account set phone = '9'")
    (verdict,) = phone.sync()
    assert verdict["status"] == "conflict"
    assert verdict["conflicts"][0]["server"] == "9"
    assert world.sql("select phone from account") == [("9",)]


def test_rows_that_the_restore_took_back_are_taken_back_on_the_phone(world: World, backups: Backups) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    backups.take()
    world.sql("update account set name = 'Renamed'")
    world.account("New", "west")
    phone.sync()
    assert phone.names() == {"Renamed", "New"}
    backups.restore(backups.taken[0])
    phone.sync()
    assert phone.names() == {"Bakery"}
    assert phone.ids("account") == {str(account)}


def test_the_real_phone_loses_nothing_in_a_restore(world: World, backups: Backups, tmp_path: Path) -> None:
    account = str(world.account("Bakery", "west", phone="1"))
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    try:
        phone.sync()
        backups.take()
        for number in range(5):
            phone.event(account, "done", note=f"visit {number}")
        phone.edit("account", account, phone="2")
        phone.sync()
        backups.restore(backups.taken[0])
        assert events(world) == 0
        report = phone.sync()
        assert report is not None
        assert (report.ok, report.requeued, events(world)) == (True, 6, 5)
        assert phone.held("account")[account][1]["phone"] == "2"
        quiet = phone.sync()
        assert quiet is not None
        assert (quiet.requeued, quiet.rows, events(world)) == (0, 0, 5)
    finally:
        phone.close()


def test_a_planned_move_that_lost_nothing_may_keep_its_epoch(world: World, backups: Backups) -> None:
    before = epoch()
    backups.take()
    backups.restore(backups.taken[0])
    with transaction() as session:
        epochs.keep(session, before)
    assert epoch() == before
    backups.take()
    backups.restore(backups.taken[1])
    assert epoch() != before


def test_a_journal_is_kept_until_a_backup_holds_it(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account)
    phone.sync()
    assert phone.hello()["durable_upto"] is None
    with transaction() as session:
        session.execute(text("update sync_meta set durable_at = clock_timestamp() + interval '0 seconds'"))
    try:
        assert phone.hello()["durable_upto"] == {"n": 0}, "a push that was open when it began may not be in it"
        world.sql("update sync_meta set durable_at = clock_timestamp() + interval '30 seconds'")
        phone.event(account)
        phone.sync()
        assert phone.hello()["durable_upto"] == {"n": 1}
    finally:
        world.sql("update sync_meta set durable_at = null")
