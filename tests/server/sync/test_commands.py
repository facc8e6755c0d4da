"""`waymark sync`: what an operator can ask and repair."""

from sqlalchemy import text
from typer.testing import CliRunner

from server.kit.database import transaction
from server.sync.commands import sync
from tests.server.sync.world import World


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(sync, list(words))
    return result.exit_code, result.stdout


def test_a_healthy_database_is_called_healthy(world: World) -> None:
    account = world.account("Bakery", "west")
    world.visit(account, "rita")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account)
    phone.sync()
    status, output = run("doctor")
    assert status == 0, output
    assert all(line.split()[0] == "0" for line in output.splitlines())


def test_rows_that_lie_in_wrong_buckets_are_found_and_put_right(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("otto")
    phone.sync()
    with transaction() as session:
        session.execute(text("set local sync.suppress = 'on'"))
        session.execute(
            text("update account set territory_id = :area where id = :id"),
            {"area": world.territories["east"], "id": account},
        )
    status, output = run("doctor")
    assert (status, "1  account: rows in wrong buckets" in output) == (1, True)
    assert run("repair")[0] == 0
    assert run("doctor")[0] == 0
    phone.sync()
    assert phone.names() == {"Bakery"}


def test_repairing_everything_sends_everything_once_more(world: World) -> None:
    world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    held = len(phone.members)
    assert phone.pull() == 0
    assert run("repair", "--everything")[0] == 0
    assert phone.pull() == held


def test_the_epoch_can_be_shown_changed_and_kept(world: World) -> None:
    _, before = run("epoch", "show")
    _, after = run("epoch", "rotate")
    assert before != after
    assert run("epoch", "keep", before.strip()) == (0, before)
    assert run("epoch", "show") == (0, before)
    assert run("epoch", "keep", "nonsense")[0] != 0, "every phone would take it for a restore"
    assert run("epoch", "show") == (0, before)
    assert run("epoch", "keep", "-9SLERqdVPEpsVj-") == (0, "-9SLERqdVPEpsVj-\n"), "an epoch may begin with a minus"


def test_an_effect_that_has_vanished_is_found(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    phone.event(account)
    phone.push()
    world.sql("delete from visit_event")
    status, output = run("doctor")
    assert (status, "1  visit events answered as applied that are missing" in output) == (1, True)


def test_a_backup_lets_phones_forget(world: World) -> None:
    try:
        assert run("backed-up")[0] == 2, "the moment at which it began has to be said"
        assert run("backed-up", "--began", "yesterday")[0] == 2
        assert run("backed-up", "--began", "2126-11-28T02:00:00")[0] != 0, "what is sent until then is in no backup"
        assert world.sql("select durable_at from sync_meta") == [(None,)]
        status, output = run("backed-up", "--began", "2026-01-28T02:00:00+01:00")
        assert (status, output.startswith("Phones may forget")) == (0, True)
        assert run("backed-up", "--began", "2026-01-27T02:00:00+01:00")[0] == 0
        assert world.sql("select durable_at = '2026-01-28 01:00Z' from sync_meta") == [(True,)], "none is younger"
        assert run("not-backed-up", "--began", "2026-01-26T02:00:00+01:00")[0] == 0
        assert world.sql("select durable_at = '2026-01-26 01:00Z' from sync_meta") == [(True,)]
        assert run("not-backed-up")[0] == 0
        assert world.sql("select durable_at from sync_meta") == [(None,)]
    finally:
        world.sql("update sync_meta set durable_at = null, declared = '{}'")
