"""A person whom a phone and the office changed: a question like an account's, for both to decide."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mobile.field import conflicts
from server.auth.access import system_scope
from server.contacts import joining, service
from server.kit import clock
from server.kit.database import transaction
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_edits import define
from tests.server.sync.test_field_rights import keep
from tests.server.sync.world import World


@pytest.fixture
def person(world: World) -> UUID:
    """Somebody at an account of Rita's."""
    return world.person(world.account("Clinic", "west"), first_name="Sabine", title="Nurse")


@pytest.fixture
def phone(world: World, person: UUID, tmp_path: Any) -> Any:
    """Rita's, who has synced."""
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client))
    phone.sync()
    yield phone
    phone.close()


def title(world: World) -> str:
    return str(world.sql("select title from contact order by id limit 1")[0][0])


def clash(world: World, phone: FieldPhone, person: UUID) -> dict[str, Any]:
    """Rita writes Head, the office Buyer."""
    phone.edit("contact", str(person), title="Head")
    world.sql("update contact set title = 'Buyer'")
    phone.sync()
    (told,) = Desk(world, "mona").conflicts()
    return told


@pytest.mark.parametrize(
    ("decision", "stands"), [("take_mine", "Head"), ("keep_server", "Buyer"), ("custom", "Director")]
)
def test_the_office_decides_and_the_phone_hears_it(
    world: World, phone: FieldPhone, person: UUID, decision: str, stands: str
) -> None:
    told, mona = clash(world, phone, person), Desk(world, "mona")
    assert (told["entity"], told["contact_id"], told["contact_name"]) == ("contact", str(person), "Sabine Näscher")
    assert (told["account_id"], told["account_name"]) == (None, None)
    assert (told["base"], told["mine"], told["server"], told["current"]) == ("Nurse", "Head", "Buyer", "Buyer")
    (question,) = conflicts.questions(phone.store)
    assert (question.op.e, question.stored, question.decided) == ("contact", "Buyer", None)
    assert mona.decide(told, decision, value="Director", rev=told["rev"])[0] == 200
    assert title(world) == stands
    phone.sync()
    (question,) = conflicts.questions(phone.store)
    assert question.decided is not None
    assert question.decided["value"] == stands
    assert mona.undo(told["id"])[0] == 200
    assert title(world) == "Buyer"
    phone.sync()
    assert [one.decided for one in conflicts.questions(phone.store)] == [None]


@pytest.mark.parametrize(("mine", "stands"), [(True, "Head"), (False, "Buyer")])
def test_the_rep_decides_with_one_tap(world: World, phone: FieldPhone, person: UUID, mine: bool, stands: str) -> None:
    clash(world, phone, person)
    conflicts.answer(phone.store, conflicts.questions(phone.store)[0], mine=mine)
    phone.sync()
    assert (title(world), conflicts.questions(phone.store), Desk(world, "mona").conflicts()) == (stands, [], [])


def test_who_is_second_hears_what_was_decided(world: World, phone: FieldPhone, person: UUID) -> None:
    told = clash(world, phone, person)
    conflicts.answer(phone.store, conflicts.questions(phone.store)[0], mine=True)
    assert Desk(world, "mona").decide(told, "keep_server")[0] == 200
    phone.sync()
    (late,) = [op for op in phone.store.outbox.ops() if op.body.get("decides")]
    assert (late.result or {})["error"]["code"] == "already_decided"
    assert (late.result or {})["error"]["reasons"][0]["values"]["json"] == '"Buyer"'
    assert title(world) == "Buyer"


def test_numbers_are_decided_as_a_whole_and_own_fields_too(world: World, phone: FieldPhone, person: UUID) -> None:
    define("text", "topics", "contact", label="Newsletter topics")
    number = [{"label": "", "value": "+423 111 11 11"}]
    phone.edit("contact", str(person), phones=number)
    phone.edit("contact", str(person), **{"custom.topics": "Recipes"})
    world.sql("""update contact set phones = '[{"label": "", "value": "+423 999 99 99"}]'""")
    world.sql("""update contact set custom = '{"topics": "Prices"}'""")
    phone.sync()
    mona = Desk(world, "mona")
    waiting = {one["field"]: one for one in mona.conflicts()}
    assert waiting.keys() == {"phones", "custom.topics"}
    assert waiting["phones"]["mine"] == number
    for one in waiting.values():
        assert mona.decide(one, "take_mine")[0] == 200
    assert world.sql("select phones, phone_numbers, custom from contact") == [
        (number, ["+4231111111"], {"topics": "Recipes"})
    ]


def test_what_was_written_of_a_deleted_person_brings_them_back(world: World, phone: FieldPhone, person: UUID) -> None:
    phone.edit("contact", str(person), title="Head")
    with transaction() as session:
        service.delete(session, system_scope(), person, 1)
    phone.sync()
    mona = Desk(world, "mona")
    (told,) = mona.conflicts()
    assert (told["kind"], told["is_deleted"], told["is_site_deleted"]) == ("edit_after_delete", True, False)
    conflicts.answer(phone.store, conflicts.questions(phone.store)[0], mine=True)
    phone.sync()
    back = "select title from contact c join contact_account p on p.contact_id = c.id"
    assert world.sql(f"{back} where c.deleted_at is null and p.deleted_at is null") == [("Head",)]
    assert mona.undo(told["id"])[0] == 409


def test_out_of_reach_nothing_is_told_and_who_reaches_it_decides(world: World, phone: FieldPhone, person: UUID) -> None:
    phone.edit("contact", str(person), title="Head")
    world.sql("update contact set title = 'secret'")
    for (account,) in world.sql("select id from account"):
        world.move(account, "east")
    phone.sync()
    rita, otto = Desk(world, "rita"), Desk(world, "otto")
    (hers,) = rita.conflicts()
    assert (hers["kind"], hers["mine"], hers["contact_name"]) == ("out_of_scope", "Head", None)
    assert "secret" not in str([hers, [op.result for op in phone.store.outbox.ops()]])
    assert rita.decide(hers, "take_mine")[0] == 404
    (his,) = otto.conflicts()
    assert (his["server"], his["contact_name"]) == ("secret", "Sabine Näscher")
    assert otto.decide(his, "take_mine")[0] == 200
    assert title(world) == "Head"


def test_a_person_who_was_merged_is_the_one_they_became(world: World, phone: FieldPhone, person: UUID) -> None:
    told = clash(world, phone, person)
    (account,) = [row[0] for row in world.sql("select id from account")]
    other = world.person(account, "Näscher-Ritter")
    phone.edit("contact", str(person), last_name="Frick")
    with transaction() as session:
        joining.merge(session, system_scope(), other, person, {})
    phone.sync()
    mona = Desk(world, "mona")
    waiting = {one["field"]: one for one in mona.conflicts()}
    assert {one["contact_id"] for one in waiting.values()} == {str(other)}
    assert waiting.keys() == {"title", "last_name"}
    assert mona.decide(told, "take_mine", rev=waiting["title"]["rev"])[0] == 200
    assert world.sql("select title from contact where id = :id", id=other) == [("Head",)]


def test_a_hidden_field_of_a_person_is_nobodys_to_see(world: World, phone: FieldPhone, person: UUID) -> None:
    phone.edit("contact", str(person), phones=[{"label": "", "value": "+423 111 11 11"}])
    world.sql("""update contact set phones = '[{"label": "", "value": "+423 999 99 99"}]'""")
    phone.sync()
    rita = Desk(world, "rita")
    assert [one["field"] for one in rita.conflicts()] == ["phones"]
    keep(world, "contact.phones")
    assert rita.conflicts() == []


def test_with_a_person_their_questions_go_for_good(world: World, phone: FieldPhone, person: UUID) -> None:
    clash(world, phone, person)
    with transaction() as session:
        world.sql("update contact set deleted_at = now() - interval '1 year'")
        assert service.purge(session, clock.now() - timedelta(days=1)) == 1
    assert world.sql("select count(*) from field_conflict") == [(0,)]
