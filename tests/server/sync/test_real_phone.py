"""The phone's own engine against the real application and the real database."""

import random
from pathlib import Path

import pytest
from sqlalchemy import select

from mobile import reasons
from mobile.field import around, conflicts, entries, locking, own, reads, taking
from mobile.field.capture import edit, propose_pin
from mobile.field.checkin import Fix
from mobile.field.pins import proposed_pins
from mobile.field.store import clock
from mobile.texts import Words
from server.accounts.models import Site
from server.auth.models import User
from server.auth.service import hasher
from server.kit.database import transaction
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_edits import define
from tests.server.sync.test_merged import account as pinned
from tests.server.sync.test_merged import merged
from tests.server.sync.test_prospects import firm
from tests.server.sync.world import World


def test_the_day_of_a_rep_without_network_arrives_exactly_once(world: World, phone: FieldPhone) -> None:
    account = world.account("Bakery", "west", phone="1")
    visit = world.visit(account, "rita")
    assert phone.sync() is not None
    assert next(iter(phone.held("account").values()))[1]["name"] == "Bakery"
    for state in ("en_route", "checked_in", "done"):
        phone.event(str(account), state, str(visit), "Needs twelve")
    phone.edit("account", str(account), phone="2")
    phone.network.loss = 1.0
    report = phone.sync()
    assert report is not None
    assert not report.ok
    phone.network.loss = 0.0
    phone.network.deliver_late()
    report = phone.sync()
    assert report is not None
    assert (report.ok, dict(report.results)) == (True, {"applied": 3, "merged": 1})
    assert world.sql("select state, note from visit") == [("done", "Needs twelve")]
    assert world.sql("select count(*) from visit_event")[0][0] == 3
    assert world.sql("select phone from account")[0][0] == "2"
    again = phone.sync()
    assert again is not None
    assert (again.results, again.rows) == ({}, 0)


def test_a_conflict_comes_back_with_all_three_values_and_the_companys_lock_with_it(
    world: World, phone: FieldPhone
) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone.sync()
    world.sql("update account set phone = '9'")
    assert locking.days_alone(phone.store.outbox) == 14
    world.sql("insert into phone_rules (lock_days) values (5)")
    phone.edit("account", str(account), phone="2")
    report = phone.sync()
    assert report is not None
    assert (report.code, report.detail, dict(report.results)) == (None, None, {"conflict": 1})
    (op,) = phone.store.outbox.ops()
    assert op.result is not None
    (clash,) = op.result["conflicts"]
    assert (clash["base"], clash["mine"], clash["server"]) == ("1", "2", "9")
    assert phone.held("account")[str(account)][1]["phone"] == "9"
    assert locking.days_alone(phone.store.outbox) == 5, "the company has said so meanwhile"


def test_what_a_sync_brings_while_a_form_is_open_is_not_replaced_unseen(world: World, phone: FieldPhone) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone.sync()
    seen = phone.store.cache.shown("account", str(account))
    world.sql("update account set phone = 'of the office'")
    phone.sync()
    edit(phone.store, "account", str(account), {"phone": "of the rep"}, seen)
    phone.sync()
    assert world.sql("select phone from account") == [("of the office",)]
    assert world.sql("select mine, server from field_conflict") == [("of the rep", "of the office")]


def test_a_pin_dragged_without_network_arrives_exactly_once_and_its_answer_comes_back(
    world: World, phone: FieldPhone
) -> None:
    account = world.account("Bakery", "west")
    phone.sync()
    (site,) = (doc for _rev, doc in phone.held("site").values())
    fix = Fix(9.21, 47.2, 6.0, clock.now())
    propose_pin(phone.store, site, 9.21, 47.2, note="Gate", fix=fix)
    assert proposed_pins(phone.store, str(account))[site["id"]].state == "phone"
    report = phone.sync_late()
    assert (report.ok, dict(report.results)) == (True, {"applied": 1})
    assert world.sql("select state, grade, note from pin_proposal") == [("open", "gps_confirmed", "Gate")]
    assert proposed_pins(phone.store, str(account))[site["id"]].state == "open"
    world.sql("update pin_proposal set state = 'refused', answer = 'The old warehouse'")
    phone.sync()
    mine = proposed_pins(phone.store, str(account))[site["id"]]
    assert (mine.state, mine.answer) == ("refused", "The old warehouse")


def test_the_second_rep_to_claim_a_firm_hears_whose_it_is_and_the_leads_page_says_what_it_was_made_of(
    world: World, tmp_path: Path
) -> None:
    world.grant("otto", "west")
    prospect_id = firm(world, "Bäckerei am Bach", "west")
    rita, otto = phones = [
        FieldPhone(world, login, tmp_path / login, Network(world.client, random.Random(n)))
        for n, login in enumerate(("rita", "otto"))
    ]
    for phone in phones:
        phone.sync()
        (known,) = around.firms(phone.store)
        assert known["id"] == prospect_id
        taking.lead_of_firm(phone.store, known, note=f"{phone.login.title()} was there")
        assert around.firms(phone.store) == []
    first, second = rita.sync(), otto.sync()
    assert first is not None
    assert second is not None
    assert (dict(first.results), dict(second.results)) == ({"applied": 1}, {"rejected": 1})
    ((lead_id, (_rev, lead)),) = rita.held("lead").items()
    assert (lead["source"], lead["note"]) == ("prospect", "Rita was there")
    (refused,) = otto.store.outbox.ops(["rejected"])
    assert refused.body["d"]["note"] == "Otto was there", "what he wrote is not lost"
    assert refused.result is not None
    told = [reasons.reason(Words(language), refused.result["error"]) for language in ("en", "de")]
    assert told[0].startswith("“Bäckerei am Bach” is a lead of Rita already.")
    assert told[1].startswith("«Bäckerei am Bach» ist schon ein Lead von Rita.")
    for phone in phones:
        phone.sync()
        assert (phone.shown("prospect"), around.firms(phone.store), phone.shown("lead")) == ([], [], [lead_id])
        phone.close()
    with transaction() as session:
        session.get_one(User, world.users["mona"]).password_hash = hasher().hash("three words make one")
    signed_in = {"login": "mona", "password": "three words make one"}
    page = {"accept": "text/html"}
    assert world.client.post("/sign-in", data=signed_in, headers=page, follow_redirects=False).status_code == 303
    shown = world.client.get(f"/leads/{lead_id}", headers=page).text
    assert "Made of a prospect on the phone" in shown
    assert "Rita was there" in shown


@pytest.mark.parametrize(("mine", "wrote", "after"), [(True, "2", "2"), (False, "2", "5"), (True, "", None)])
def test_a_question_about_an_account_that_was_merged_since_is_answered_at_what_it_became(
    world: World, phone: FieldPhone, mine: bool, wrote: str, after: str | None
) -> None:
    account = world.account("Bakery", "west", phone="1")
    phone.sync()
    world.sql("update account set phone = '9'")
    phone.edit("account", str(account), phone=wrote or None)
    phone.sync()
    winner = pinned(world, "Bakery Öhri", "west")
    world.sql("update account set phone = '5' where id = :winner", winner=winner)
    merged(winner, account)
    phone.sync()
    assert set(phone.held("account")) == {str(winner)}
    (question,) = conflicts.questions(phone.store)
    assert (question.stored, question.has_moved) == ("9", False)
    conflicts.answer(phone.store, question, mine=mine)
    report = phone.sync()
    assert report is not None
    assert (report.ok, dict(report.results)) == (True, {"applied": 1})
    assert world.sql("select phone from account where merged_into is null") == [(after,)]
    assert world.sql("select count(*) from field_conflict where state = 'open'") == [(0,)]


def with_depot(world: World, phone: FieldPhone) -> str:
    """A second site of an account; the rep writes its street, and the office removes it."""
    account = world.account("Bakery", "west")
    with transaction() as session:
        main = session.scalars(select(Site).where(Site.account_id == account)).one()
        depot = Site(account_id=account, is_main=False, name="Depot", city="Town", territory_id=main.territory_id)
        session.add(depot)
        session.flush()
        site = str(depot.id)
    phone.sync()
    phone.edit("site", site, street="Gasse 3")
    world.sql("update site set deleted_at = now() where id = :id", id=site)
    phone.sync()
    return site


@pytest.mark.parametrize("mine", [True, False])
def test_an_edit_of_a_site_that_was_removed_is_decided_on_the_phone(
    world: World, phone: FieldPhone, mine: bool
) -> None:
    site = with_depot(world, phone)
    (question,) = conflicts.questions(phone.store)
    assert entries.is_site_alone(phone.store, question.op)
    conflicts.answer(phone.store, question, mine=mine)
    report = phone.sync()
    assert report is not None
    assert dict(report.results) == {"applied": 1}
    assert world.sql("select street, deleted_at is null from site where id = :id", id=site) == [
        ("Gasse 3" if mine else None, mine)
    ]
    assert Desk(world, "mona").conflicts() == conflicts.questions(phone.store) == []


@pytest.mark.parametrize(
    ("decision", "street"), [("take_mine", "Gasse 3"), ("custom", "Gasse 4"), ("keep_server", None)]
)
def test_the_office_decides_it_too_and_the_phone_hears_it(
    world: World, phone: FieldPhone, decision: str, street: str | None
) -> None:
    site, mona = with_depot(world, phone), Desk(world, "mona")
    (told,) = mona.conflicts()
    assert (told["kind"], told["is_deleted"], told["is_site_deleted"]) == ("edit_after_delete", True, True)
    page = world.client.get("/conflicts", headers=mona.headers).text
    assert "The site was deleted here after the phone had last read it; its account is there." in page
    assert "Bring the site back with it" in page
    assert mona.decide(told, decision, value="Gasse 4")[0] == 200
    page = world.client.get(f"/conflicts?done={told['id']}", headers=mona.headers).text
    assert ("the site of Bakery stays deleted" in page) == (street is None)
    assert ("the site of Bakery stands there again" in page) == (street is not None)
    assert world.sql("select street, deleted_at is null from site where id = :id", id=site) == [
        (street, street is not None)
    ]
    phone.sync()
    (question,) = conflicts.questions(phone.store)
    assert question.decided is not None
    assert (site in phone.held("site")) == (street is not None)


def asked(phone: FieldPhone) -> list[object]:
    """What the phone asks its rep about and nobody has decided, with what is stored, as far as it knows."""
    phone.sync()
    return [one.stored for one in conflicts.questions(phone.store) if one.decided is None]


def test_what_two_decided_at_once_is_asked_again_whenever_the_office_undoes_it(world: World, phone: FieldPhone) -> None:
    account, mona = str(world.account("Bakery", "west", phone="1")), Desk(world, "mona")
    phone.sync()
    world.sql("update account set phone = '9'")
    phone.edit("account", account, phone="2")
    assert asked(phone) == ["9"]
    conflicts.answer(phone.store, conflicts.questions(phone.store)[0], mine=True)
    (told,) = mona.conflicts()
    mona.decide(told, "keep_server")
    assert (asked(phone), asked(phone)) == ([], []), "she was quicker; the refused answer says so"
    needs = reads.sync_state(phone.store).attention
    assert [(one.result or {})["error"]["code"] for one in needs] == ["already_decided"]
    assert mona.undo(told["id"])[0] == 200
    assert asked(phone) == ["9"]
    conflicts.answer(phone.store, conflicts.questions(phone.store)[0], mine=True)
    assert (asked(phone), asked(phone)) == ([], [])
    assert world.sql("select phone from account") == [("2",)]
    assert mona.undo(told["id"])[0] == 200
    assert asked(phone) == ["9"]
    assert len(mona.conflicts()) == 1


def test_what_a_plain_edit_answered_is_told_as_it_is_stored_and_undone(world: World, phone: FieldPhone) -> None:
    define("money")
    account = str(world.account("Bakery", "west"))
    phone.sync()
    for amount, status in (("7", "conflict"), ("8", "applied")):
        seen = phone.store.cache.shown("account", account)
        own.change(phone.store, "account", account, {"custom.own": {"amount": amount}}, seen)
        if status == "conflict":
            world.sql("""update account set custom = '{"own": {"amount": "9.00", "currency": "EUR"}}'""")
        report = phone.sync()
        assert report is not None
        assert dict(report.results) == {status: 1}
        phone.sync()
    mona = Desk(world, "mona")
    (done,) = mona.conflicts("custom")
    assert done["chosen"] == {"amount": "8.00", "currency": "EUR"}
    page = world.client.get(f"/conflicts?done={done['id']}", headers=mona.headers)
    assert (page.status_code, "8.00 EUR" in page.text) == (200, True)
    assert mona.undo(done["id"])[0] == 200
    assert world.sql("select custom -> 'own' ->> 'amount' from account") == [("9.00",)]
