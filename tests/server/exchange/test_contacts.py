"""Contacts from a file: at their account, nothing of them lost, undone whole."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.auth.service import set_team
from server.contacts.models import Contact, ContactAccount
from server.kit.ids import uuid7
from tests.server.exchange.conftest import Files, counts

FILE = """Vorname;Nachname;E-Mail;Telefon;Kundennr;Rolle;Hobby
Eva;Beck;Eva@Beck.li;+423 237 12 12;K-1;Einkauf;Ski
Jon;Zech;jon(at)zech;;K-1;;
;;nobody@x.li;;K-1;;
Lena;Ott;lena@ott.li;;K-9;;
"""


def test_people_come_in_at_their_account_and_go_again(session: Session, files: Files, make_account: Any) -> None:
    account = make_account("Beck AG", number="K-1")
    files.client.post("/api/v1/fields", json={"object": "contact", "label": "Hobby", "kind": "text"})
    run = files.check("contacts", FILE)
    assert counts(run) == {"create": 2, "error": 2, "warnings": 1}
    said = files.problems(run)
    assert "not an e-mail address; left out" in said[3]
    assert "both are missing" in said[4]
    assert said[5].startswith("Account: there is no account “K-9” within your reach.")
    assert session.scalar(select(Contact)) is None
    first = files.apply("contacts", FILE)
    eva = session.scalars(select(Contact).where(Contact.first_name == "Eva")).one()
    place = session.scalars(select(ContactAccount).where(ContactAccount.contact_id == eva.id)).one()
    assert (eva.mails, eva.phone_numbers) == ([{"label": "", "value": "Eva@Beck.li"}], ["+4232371212"])
    assert (eva.custom, place.account_id, place.roles) == ({"hobby": "Ski"}, account.id, ["Einkauf"])
    again = files.check("contacts", FILE)
    assert counts(again) == {"unchanged": 2, "error": 2, "warnings": 1}
    assert files.undo(first) == {"removed": 2, "restored": 0, "kept": 0}
    session.expire_all()
    assert eva.deleted_at is not None
    assert place.deleted_at is not None


def test_a_later_list_adds_and_changes_what_people_did_not_write(
    session: Session, files: Files, make_account: Any
) -> None:
    make_account("Beck AG", number="K-1")
    make_account("Zech", number="K-2")
    made = files.client.post(
        "/api/v1/contacts",
        json={"last_name": "Beck", "title": "Owner", "mails": [{"label": "Work", "value": "eva@beck.li"}]},
    ).json()
    list_ = "email,last name,function,email2,account\neva@beck.li,Beck,Boss,eva@home.li,Zech\n"
    run = files.apply("contacts", list_, keep=["title"])
    assert counts(run) == {"update": 1}
    eva = session.get_one(Contact, made["id"])
    session.refresh(eva)
    assert eva.title == "Owner", "a person wrote it"
    assert eva.mails == [{"label": "Work", "value": "eva@beck.li"}, {"label": "", "value": "eva@home.li"}]
    assert counts(files.check("contacts", list_, keep=["title"])) == {"unchanged": 1}
    assert files.undo(run) == {"removed": 0, "restored": 1, "kept": 0}
    session.refresh(eva)
    assert eva.mails == [{"label": "Work", "value": "eva@beck.li"}]
    exported = files.client.get("/api/v1/contacts/export.csv").text
    assert exported.lstrip("\ufeff").startswith("waymark_id,")
    assert counts(files.check("contacts", exported)) == {"unchanged": 1}


def test_people_whose_row_names_no_account_get_the_chosen_one(
    session: Session, files_of: Any, rita: User, make_user: Any, make_account: Any
) -> None:
    mona = make_user("mona", Role.MANAGER)
    set_team(session, "Field", [mona.id, rita.id])
    files = files_of(mona)
    chosen, named = make_account("Beck AG", at=(9.2, 47.2)), make_account("Zech", at=(9.2, 47.2), number="K-2")
    list_ = "first name,last name,account\nEva,Ott,\nJon,Zech,K-2\nLena,Nigg,K-9\n"
    run = files.apply("contacts", list_, account=str(chosen.id))
    assert counts(run) == {"create": 2, "error": 1}
    placed = select(Contact.first_name, ContactAccount.account_id).join(
        ContactAccount, ContactAccount.contact_id == Contact.id
    )
    at = {name: account for name, account in session.execute(placed)}
    assert at == {"Eva": chosen.id, "Jon": named.id}
    said = files.problems(files.check("contacts", list_.replace("Eva", "Ina"), account=str(uuid7())))
    assert "not within your reach" in said[2]
    assert set(said) == {2, 4}
