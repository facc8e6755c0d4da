"""Everybody comes at once: reads wait for their turn or come again, pushes do neither."""

import anyio
import pytest

from server.kit.errors import TooManyRequests
from server.sync.calling import admission
from server.sync.protocol import wire
from server.sync.protocol.problems import Busy
from tests.server.sync.world import Refused, World

EMPTY = wire.PullRequest(epoch="e", groups=[wire.PullGroup(cursor=None, buckets=[1])], limit=10)
FILLED = wire.PullRequest(epoch="e", groups=[*EMPTY.groups, wire.PullGroup(cursor="c", buckets=[2])], limit=10)


def test_only_some_phones_are_filled_at_a_time_and_those_that_hold_something_are_not_sent_away() -> None:
    with admission.first_sync(EMPTY), admission.first_sync(EMPTY):
        with pytest.raises(Busy) as sent_away, admission.first_sync(EMPTY):
            pass
        assert 2 <= sent_away.value.details["after_s"] <= 10
        with admission.first_sync(FILLED):
            pass
    with admission.first_sync(EMPTY):
        pass


def test_a_read_waits_for_its_turn_and_is_sent_away_only_when_very_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MOST_WAITING", 2)
    answered: list[str] = []

    async def read(turns: admission.Turns, name: str, go: anyio.Event) -> None:
        try:
            async with turns.taken():
                await go.wait()
                answered.append(name)
        except Busy:
            answered.append(f"{name} away")

    async def morning() -> None:
        turns, go = admission.Turns(1), anyio.Event()
        async with anyio.create_task_group() as group:
            for name in "abcd":
                group.start_soon(read, turns, name, go)
                await anyio.wait_all_tasks_blocked()
            assert answered == ["d away"]
            go.set()

    anyio.run(morning)
    assert answered == ["d away", "a", "b", "c"]


def test_a_phone_pushes_while_no_first_sync_is_let_in(world: World) -> None:
    account = world.account("Mill", "west")
    phone = world.phone("rita")
    phone.align(phone.hello())
    phone.event(account)
    with admission.first_sync(EMPTY), admission.first_sync(EMPTY):
        assert [one["status"] for one in phone.push()] == ["applied"]
        with pytest.raises(Refused) as refused:
            phone.pull()
    assert (refused.value.status, refused.value.code) == (503, "busy")
    phone.pull()
    assert phone.names() == {"Mill"}


def test_one_phone_that_reads_without_end_is_slowed_down_and_another_is_not() -> None:
    pace = admission.Pace(per_minute=30)
    for _ in range(60):
        pace.count("rita", 100.0)
    with pytest.raises(TooManyRequests) as refused:
        pace.count("rita", 100.5)
    assert (refused.value.status, refused.value.details["after_s"]) == (429, 2)
    pace.count("otto", 100.5)
    for second in range(102, 182, 2):
        pace.count("rita", second)
    with pytest.raises(TooManyRequests):
        pace.count("rita", 180.5)


def test_quiet_phones_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MOST_PHONES", 2)
    pace = admission.Pace(per_minute=30)
    for phone in ("rita", "otto", "rita", "mona"):
        pace.count(phone, 0.0)
    assert list(pace.left) == ["rita", "mona"]


def test_a_page_that_comes_too_soon_is_refused_over_http_and_a_push_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account("Mill", "west")
    phone = world.phone("rita")
    phone.align(phone.hello())
    pace = admission.Pace(per_minute=1)
    monkeypatch.setattr(admission, "pace", lambda: pace)
    for _ in range(2):
        phone.pull()
    with pytest.raises(Refused) as refused:
        phone.pull()
    assert (refused.value.status, refused.value.code) == (429, "rate_limited")
    phone.event(account)
    assert [one["status"] for one in phone.push()] == ["applied"]
