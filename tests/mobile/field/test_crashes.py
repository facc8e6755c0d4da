"""Killed at any step, or used by two threads at once: nothing is lost, nothing is doubled."""

import threading

import pytest

from mobile.field.capture import edit
from mobile.field.store import Store
from mobile.field.store.cache import Cache
from mobile.field.store.outbox import Outbox
from tests.mobile.conftest import Phone, fill, uid
from tests.mobile.field.test_sync import base_equals_server, done

STEPS = [
    (Outbox, "append"), (Outbox, "mark_sent"), (Outbox, "acknowledge"), (Outbox, "align"), (Store, "refresh"),
    (Store, "drop_orphans"), (Cache, "put_base"), (Cache, "join"), (Cache, "advance"), (Cache, "subscribe"),
    (Cache, "put_doc"),
]  # fmt: skip


class Killed(BaseException):
    """The process is gone."""


def kill_at(monkeypatch, owner, name, call, *, after):
    """End the process at the n-th call of a step, before or after it has done its work."""
    real, calls = getattr(owner, name), [0]

    def step(*args, **kwargs):
        calls[0] += 1
        if calls[0] == call and not after:
            raise Killed
        result = real(*args, **kwargs)
        if calls[0] == call:
            raise Killed
        return result

    monkeypatch.setattr(owner, name, step)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("call", [1, 2, 5])
def test_a_rep_killed_at_any_step_loses_nothing(tmp_path, server, monkeypatch, owner, name, call, after):
    phone = Phone(tmp_path / "p", server)
    phone.sign_in()
    saved = []

    def day():
        assert phone.sync().ok
        for i in (1, 2):
            saved.append(done(phone, i).row_id)
            edit(phone.store, "account", uid(1000 + i), {"email": f"e{i}@x.li"})
            phone.sync()

    with monkeypatch.context() as patch:
        kill_at(patch, owner, name, call, after=after)
        try:
            day()
        except Killed:
            phone.kill()
    before = {op.row_id for op in phone.store.outbox.ops() if op.e == "visit_event"}
    assert set(saved) <= before, "what was said to be saved is still there"
    assert phone.sync().ok
    assert phone.sync().ok
    assert sorted(server.world.events) == sorted(before)
    assert set(phone.store.outbox.counts()) <= {"applied", "merged"}
    assert base_equals_server(phone)
    assert phone.store.cache.overlaid() == []
    phone.kill()


def test_the_screen_saves_while_the_sync_thread_works(tmp_path, server):
    fill(server, accounts=4)
    phone = Phone(tmp_path / "p", server)
    phone.sign_in()
    assert phone.sync().ok
    stop, reports = threading.Event(), []

    def sync_all_the_time():
        other = Phone(tmp_path / "p", server)
        while not stop.is_set():
            reports.append(other.sync())
        other.kill()

    thread = threading.Thread(target=sync_all_the_time)
    thread.start()
    try:
        for i in range(60):
            done(phone, 1 + i % 4)
    finally:
        stop.set()
        thread.join()
    assert phone.sync().ok
    assert {r.code for r in reports} == {None}
    assert len(server.world.events) == len(set(server.world.events)) == 60
    assert base_equals_server(phone)
    assert [op.n for op in phone.store.outbox.ops()] == list(range(1, 61))
    phone.kill()
