"""Cursors of phones: forged, older than the tombstones, from the future, and when they are begun anew."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from server.kit import clock
from server.kit.database import transaction
from server.sync.jobs import tidy
from server.sync.pulling import cursors, epochs
from tests.server.sync.world import Refused, World


def test_a_forged_cursor_is_refused(world: World) -> None:
    phone = world.phone("rita")
    phone.sync()
    bucket, cursor = next(iter(phone.cursors.items()))
    assert cursor is not None
    for bad in (cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), "nonsense", "a.b", ""):
        groups = [{"cursor": bad, "buckets": [bucket]}]
        with pytest.raises(Refused) as refused:
            phone.call("/sync/v1/pull", {"epoch": phone.epoch, "groups": groups, "limit": 10})
        assert refused.value.code == "bad_request"


def test_a_cursor_older_than_the_tombstones_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = world.phone("rita")
    phone.sync()
    monkeypatch.setattr(cursors, "LIFE", timedelta(seconds=-1))
    with pytest.raises(Refused) as refused:
        phone.pull()
    assert (refused.value.status, refused.value.code) == (410, "cursor_expired")


def test_tombstones_are_forgotten_only_when_every_cursor_has_passed_them(world: World) -> None:
    account = world.account("Bakery", "west")
    world.sql("update account set deleted_at = now() where id = :id", id=account)
    gone = "select count(*) from sync_item where op <> 'P'"
    with transaction() as session:
        assert tidy(session) == 0
    # as marked half a year ago with nothing else open: another test's open transaction would hold the mark back
    world.sql("update sync_horizon set at = at - interval '181 days', txid = pg_current_xact_id()")
    late = world.account("Late", "west")
    world.sql("update account set deleted_at = now() where id = :id", id=late)
    before = world.sql(gone)[0][0]
    with transaction() as session:
        assert tidy(session) == before - 2
    assert world.sql(gone)[0][0] == 2


def test_raising_a_buckets_generation_has_it_read_again(world: World) -> None:
    world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update bucket set gen = gen + 1 where kind = 'territory'")
    with pytest.raises(Refused) as refused:
        phone.pull()
    assert (refused.value.status, refused.value.code) == (410, "bucket_gen")


def test_a_cursor_from_the_future_means_that_the_database_was_restored(world: World) -> None:
    phone = world.phone("rita")
    phone.sync()
    with transaction() as session:
        secret = session.execute(text("select secret from sync_meta")).scalar_one()
    bucket = next(iter(phone.cursors))
    ahead = cursors.Position(str(phone.epoch), {bucket: 1}, seen="4000000000:4000000000:")
    groups = [{"cursor": cursors.sign(ahead, secret, clock.now()), "buckets": [bucket]}]
    with pytest.raises(Refused) as refused:
        phone.call("/sync/v1/pull", {"epoch": phone.epoch, "groups": groups, "limit": 10})
    assert (refused.value.status, refused.value.code) == (409, "epoch_changed")


def test_stamps_of_another_cluster_are_put_right_before_anybody_reads(world: World) -> None:
    """After dump and restore the stored stamps lie in the future; without repair no phone would ever be served."""
    world.account("Bakery", "west")
    with transaction() as session:
        before = epochs.current(session)
        session.execute(text("update sync_item set txid = '9000000000'"))
    phone = world.phone("rita")
    phone.sync()
    assert phone.names() == {"Bakery"}
    assert phone.epoch != before
