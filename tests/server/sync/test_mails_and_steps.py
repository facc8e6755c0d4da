"""Mails and steps of deals on the phones: whose they are, how long they stay, and what an older app gets."""

from sqlalchemy import text

from server.auth import rights
from server.kit.database import transaction
from server.sync import doctor, jobs
from tests.server.sync.conftest import everything_at
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.world import World


def test_mails_and_steps_follow_the_office_and_leave_after_thirteen_months(world: World, phone: FieldPhone) -> None:
    made = everything_at(world, world.account("Bakery", "west"))
    phone.sync()
    world.sql("update opportunity set name = 'Second branch'")
    world.sql("update activity set subject = 'Twenty more' where kind = 'mail'")
    phone.sync()
    assert phone.held("stage_change")[str(made["stage_change"])][1]["deal"] == "Second branch"
    assert phone.held("mail")[str(made["mail"])][1]["subject"] == "Twenty more"
    world.sql("update opportunity set deleted_at = now()")
    phone.sync()
    assert phone.held("stage_change") == {}
    world.sql("update opportunity set deleted_at = null")
    phone.sync()
    assert set(phone.held("stage_change")) == {str(made["stage_change"])}
    with transaction() as session:
        session.execute(text("set local session_replication_role = replica"))  # time goes by without a change
        session.execute(text("update activity set at = now() - interval '14 months' where kind = 'mail'"))
        session.execute(text("update stage_change set at = now() - interval '14 months'"))
        session.execute(text("update note set written_at = now() - interval '14 months'"))
    with transaction() as session:
        jobs.tidy(session)
    phone.sync()
    assert [phone.held(name) for name in ("mail", "stage_change", "note")] == [{}, {}, {}]
    with transaction() as session:
        assert [one for one in doctor.examine(session) if one.count] == []


def test_a_private_mail_is_its_peoples_alone_and_steps_take_the_right_to_deals(world: World, phone: FieldPhone) -> None:
    made = everything_at(world, world.account("Bakery", "west"))
    mona = world.phone("mona")
    mona.schema = 4
    phone.sync(), mona.sync()
    assert mona.ids("mail") == {str(made["mail"])}
    world.sql("update activity set is_private = true where kind = 'mail'")
    phone.sync(), mona.sync()
    assert (phone.held("mail"), mona.ids("mail")) == ({}, {str(made["mail"])})
    assert mona.rows["mail", str(made["mail"])][1]["subject"] == "Twelve more", "it is hers"
    world.sql("update activity set owner_id = :me where kind = 'mail'", me=world.users["rita"])
    phone.sync(), mona.sync()
    assert phone.held("mail")[str(made["mail"])][1]["sender"] == "anna@bakery.li"
    told = [doc for (name, _), (_, doc) in mona.rows.items() if name == "mail"]
    assert all((one["subject"], one["sender"], one["text"]) == (None, None, None) for one in told)
    actor = world.user("ada_of_rights")
    with transaction() as session:
        rights.change_role(session, "rep", levels={"opportunities:read": "own"}, fields={}, actor=actor)
    for _ in range(2):
        phone.sync()
    assert phone.held("stage_change") == {}, "deals of others are not hers any more"


def test_an_older_app_gets_neither_mails_nor_steps_until_it_is_a_newer_one(world: World, phone: FieldPhone) -> None:
    made = everything_at(world, world.account("Bakery", "west"))
    phone.schema = 3
    phone.sync()
    world.sql("update activity set subject = 'Twenty more'")
    world.sql("update opportunity set name = 'Second branch'")
    phone.sync(), phone.sync()
    assert set(phone.held("note")) == {str(made["note"])}
    told = phone.store.cache.db.execute("select count(*) from row where e in ('mail', 'stage_change')").fetchone()
    assert tuple(told) == (0,)
    phone.schema = 4
    phone.sync()
    assert phone.held("mail")[str(made["mail"])][1]["subject"] == "Twenty more"
    assert set(phone.held("stage_change")) == {str(made["stage_change"])}
