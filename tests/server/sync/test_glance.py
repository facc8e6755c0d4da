"""A phone that has read before is answered by a question or two, and by nothing else than a whole pull would say."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from server.kit.database import engine
from server.kit.questions import Asking, Question
from server.sync.calling.phones import LAST
from server.sync.pulling import glance
from tests.server.sync.world import Json, Phone, Refused, World


@contextmanager
def asked() -> Iterator[list[str]]:
    """The statements and questions that are put to the database."""
    heard: list[str] = []
    real = Asking.ask

    def hear(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        heard.append(statement)

    def ask(asking: Asking, question: Question, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        heard.append(question.sql.decode())
        return real(asking, question, values)

    event.listen(engine(), "before_cursor_execute", hear)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Asking, "ask", ask)
            yield heard
    finally:
        event.remove(engine(), "before_cursor_execute", hear)


def grouped(phone: Phone) -> Json:
    """A pull of everything, the buckets of one cursor in one group, as phones ask."""
    groups: dict[str | None, list[int]] = {}
    for bucket, cursor in sorted(phone.cursors.items()):
        groups.setdefault(cursor, []).append(bucket)
    told = [{"cursor": cursor, "buckets": ids} for cursor, ids in groups.items()]
    return {"epoch": phone.epoch, "groups": told, "limit": 2000}


def said(phone: Phone, message: Json) -> Any:
    """What a pull says but for its cursors, or the code of its refusal."""
    try:
        reply = phone.call("/sync/v1/pull", message)
    except Refused as refused:
        return refused.code
    return reply | {"groups": [group | {"cursor": None} for group in reply["groups"]]}


@pytest.fixture
def phone(world: World) -> Phone:
    """Rita's, which holds everything and has heard so once."""
    world.visit(world.account("Bakery", "west"), "rita")
    phone = world.phone("rita")
    phone.sync()
    phone.call("/sync/v1/pull", grouped(phone))
    return phone


def test_buckets_that_have_come_to_the_same_moment_go_on_as_one(world: World, phone: Phone) -> None:
    assert len(phone.cursors) == 3
    assert len(grouped(phone)["groups"]) == 1
    world.territory("north", 9.0)
    world.grant("rita", "north")
    phone.align(phone.hello())
    assert len(grouped(phone)["groups"]) == 2
    phone.apply(phone.call("/sync/v1/pull", grouped(phone)))
    assert len(grouped(phone)["groups"]) == 1
    assert len(phone.cursors) == 4


def test_a_phone_that_holds_everything_is_answered_by_one_question(phone: Phone) -> None:
    message = grouped(phone)
    with asked() as short:
        reply = said(phone, message)
    LAST.clear()
    with asked() as long:
        assert said(phone, message) == reply
    assert (reply["more"], [group["rows"] for group in reply["groups"]]) == (False, [[]])
    assert len(short) == 1 < len(long)


HAPPENINGS = {
    "a row changed": "update account set note = 'New'",
    "a row is gone": "update account set deleted_at = now()",
    "a territory was given": "insert into territory_member (id, territory_id, user_id, valid_from)"
    " select gen_random_uuid(), t.id, u.id, current_date - 9 from territory t, app_user u"
    " where t.name = 'east' and u.login = 'rita'",
    "a territory was taken": "update territory_member set valid_to = current_date - 2",
    "another role": "update app_user set role = 'manager' where login = 'rita'",
    "less than the role": "insert into access_role (id, name, base, is_ours, grants, fields)"
    " values (gen_random_uuid(), 'Rep', 'rep', true, '{}', '{\"account.phone\": \"hidden\"}')",
    "no sync any more": "insert into access_role (id, name, base, is_ours, grants, fields)"
    " values (gen_random_uuid(), 'Rep', 'rep', true, '{\"sync:read\": \"none\"}', '{}')",
    "another zone": "update app_user set zone = 'Pacific/Auckland'",
    "to be read again": "update bucket set gen = gen + 1 where kind = 'company'",
    "a ceiling": "insert into phone_rules (max_rows) values (1)",
    "an app too old": "update device set schema_version = 0",
    "a token revoked": "update device_token set revoked_at = now()",
    "a token too old": "update device_token set access_expires_at = now() - interval '1 minute'",
    "a phone locked": "update device set state = 'locked'",
    "a phone gone": "delete from device",
    "somebody switched off": "update app_user set active = false",
    "another secret": "update sync_meta set secret = '\\x00'",
    "another epoch": "update sync_meta set db_uuid = gen_random_uuid()",
}


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_whatever_happened_the_short_way_says_what_the_long_one_says(
    world: World, phone: Phone, happening: str
) -> None:
    message = grouped(phone)
    unchanged = said(phone, message)
    assert phone.device_id in {known.scope.device_id for known in LAST.values()}
    world.sql(HAPPENINGS[happening].replace(":", "\\:"))
    short = said(phone, message)
    LAST.clear()
    assert said(phone, message) == short
    assert short != unchanged


def test_a_page_with_something_new_takes_a_question_for_its_rows_more(world: World, phone: Phone) -> None:
    world.sql("update account set note = 'New'")
    message = grouped(phone)
    with asked() as heard:
        reply = said(phone, message)
    assert [[row["d"]["note"] for row in group["rows"]] for group in reply["groups"]] == [["New"]]
    assert len(heard) == 2
    LAST.clear()
    assert said(phone, message) == reply


def test_where_much_is_new_the_long_way_makes_the_page(
    world: World, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.visit(world.account("Mill", "west"), "rita")
    message = grouped(phone)
    short = said(phone, message)
    monkeypatch.setattr(glance, "MOST", 2)
    with asked() as heard:
        assert said(phone, message) == short
    assert len(heard) > 3


def told_again(phone: Phone, message: Json, reply: Any) -> None:
    """The same is said, by the short way again."""
    with asked() as heard:
        assert said(phone, message) == reply
    assert len(heard) == 1


def test_questions_that_a_connection_has_forgotten_are_prepared_anew(phone: Phone) -> None:
    message = grouped(phone)
    reply = said(phone, message)
    held = engine().raw_connection()
    for name in held.info["questions"].values():
        held.cursor().execute(f"deallocate {name.decode()}")
    held.commit()
    held.close()
    told_again(phone, message, reply)


def test_questions_survive_that_the_driver_lets_go_of_all_that_is_prepared(phone: Phone) -> None:
    message = grouped(phone)
    reply = said(phone, message)
    held = engine().raw_connection()
    for _ in range(9):  # it prepares what is asked often, and forgets that behind a rollback
        held.cursor().execute("select 1")
    held.rollback()
    assert held.cursor().execute("select count(*) from pg_prepared_statements").fetchone() == (0,)  # type: ignore[attr-defined]
    held.close()
    told_again(phone, message, reply)


def test_questions_survive_a_migration(world: World, phone: Phone) -> None:
    message = grouped(phone)
    reply = said(phone, message)
    world.sql("alter table device alter state type text")
    try:
        told_again(phone, message, reply)
    finally:
        world.sql("alter table device alter state type varchar")


@pytest.mark.parametrize("more", ["of another rep", "unknown", "negative"])
def test_a_phone_hears_of_no_bucket_but_its_own_whatever_it_names(world: World, phone: Phone, more: str) -> None:
    other = world.phone("otto")
    other.sync()
    world.visit(world.account("Secret of the east", "east"), "otto")
    named = {"of another rep": sorted(set(other.cursors) - set(phone.cursors)), "unknown": [999_999], "negative": [-1]}
    message = grouped(phone)
    message["groups"][0]["buckets"] += named[more]
    short = said(phone, message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glance, "page", lambda *_: None)
        assert said(phone, message) == short
    assert "Secret" not in str(short)
