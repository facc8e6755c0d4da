"""Accounts that several people change and delete: what is merged, what clashes, and what comes back."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts import service
from server.auth.models import User
from server.records.merging import Delta
from server.records.queries import open_conflicts
from tests.server.accounts.test_accounts import MakeAccount, MakeScope


def test_a_change_needs_the_revision_it_was_made_on(admin_client: TestClient, make_account: MakeAccount) -> None:
    account = make_account("Müller AG")
    answer = admin_client.patch(f"/api/v1/accounts/{account.id}", json={"name": "Meier AG"})
    assert answer.status_code == 428
    assert "If-Match" in answer.json()["help"]
    assert admin_client.delete(f"/api/v1/accounts/{account.id}").status_code == 428


def test_changes_of_different_fields_are_merged(admin_client: TestClient, make_account: MakeAccount) -> None:
    path = f"/api/v1/accounts/{make_account('Müller AG', at=(9.5, 47.1)).id}"
    etag = admin_client.get(path).headers["etag"]
    assert admin_client.patch(path, json={"phone": "+423 1"}, headers={"If-Match": etag}).status_code == 200
    answer = admin_client.patch(path, json={"email": "a@b.li"}, headers={"If-Match": etag})
    assert answer.status_code == 200
    assert (answer.json()["phone"], answer.json()["email"]) == ("+423 1", "a@b.li")


def test_a_real_clash_answers_both_values_and_applies_nothing(
    admin_client: TestClient, make_account: MakeAccount
) -> None:
    path = f"/api/v1/accounts/{make_account('Müller AG', phone='1', yearly_value='10').id}"
    etag = admin_client.get(path).headers["etag"]
    admin_client.patch(path, json={"phone": "2", "yearly_value": "20"}, headers={"If-Match": etag})
    answer = admin_client.patch(path, json={"phone": "3", "note": "called"}, headers={"If-Match": etag})
    assert answer.status_code == 412
    assert answer.json()["conflicts"] == [
        {"field": "phone", "kind": "concurrent", "base": "1", "yours": "3", "stored": "2"}
    ]
    assert admin_client.get(path).json()["note"] is None
    money = admin_client.patch(path, json={"yearly_potential": "5"}, headers={"If-Match": etag})
    assert money.status_code == 412, "value, potential and currency only make sense together"
    same = admin_client.patch(path, json={"phone": "2"}, headers={"If-Match": etag})
    assert same.status_code == 200, "both wanted the same"


def test_an_edit_from_a_phone_keeps_what_it_cannot_apply(
    session: Session, scope: MakeScope, make_account: MakeAccount, ada: User
) -> None:
    account, office = make_account("Müller AG", phone="1", email="a@b.li"), scope(ada)
    base = account.rev
    service.edit(session, office, account.id, base, {"phone": "2"})
    deltas = {"phone": Delta("1", "3"), "email": Delta("a@b.li", "c@d.li")}
    outcome = service.patch(session, office, account.id, base, deltas, office.actor)
    assert outcome.applied == {"email"}
    assert [clash.field for clash in outcome.clashes] == ["phone"]
    stored = open_conflicts(session, entity="account", row_ids=[account.id])
    assert [(one.base, one.mine, one.server) for one in stored] == [("1", "3", "2")]
    assert (account.phone, account.email) == ("2", "c@d.li")


def test_an_edit_of_an_account_that_left_the_reps_territory_becomes_a_conflict(
    session: Session, scope: MakeScope, make_account: MakeAccount, rita: User
) -> None:
    account = make_account("Fern AG", at=(9.9, 47.2), note="x")
    outcome = service.patch(session, scope(rita), account.id, account.rev, {"note": Delta("x", "y")}, scope(rita).actor)
    assert [clash.kind for clash in outcome.clashes] == ["out_of_scope"]
    assert account.note == "x"


def test_tags_of_two_people_never_clash(admin_client: TestClient, make_account: MakeAccount) -> None:
    path = f"/api/v1/accounts/{make_account('Müller AG', tags=['old']).id}/tags"
    admin_client.post(path, json={"add": ["vip"]})
    answer = admin_client.post(path, json={"add": ["beer"], "remove": ["OLD"]})
    assert answer.json()["tags"] == ["vip", "beer"]


def test_deleting_an_older_revision_is_refused_and_a_deleted_account_comes_back_whole(
    admin_client: TestClient, make_account: MakeAccount
) -> None:
    account = make_account("Müller AG", number="7", city="Vaduz")
    path = f"/api/v1/accounts/{account.id}"
    etag = admin_client.get(path).headers["etag"]
    newer = admin_client.patch(path, json={"note": "x"}, headers={"If-Match": etag}).headers["etag"]
    assert admin_client.delete(path, headers={"If-Match": etag}).status_code == 412
    assert admin_client.delete(path, headers={"If-Match": newer}).status_code == 204
    assert admin_client.get(path).status_code == 404
    assert admin_client.get("/api/v1/accounts").json()["total"] == 0
    other = admin_client.post("/api/v1/accounts", json={"name": "Other", "number": "7"}).json()
    assert admin_client.post(f"{path}/restore").status_code == 409
    admin_client.patch(
        f"/api/v1/accounts/{other['id']}", json={"number": None}, headers={"If-Match": str(other["rev"])}
    )
    back = admin_client.post(f"{path}/restore").json()
    assert [site["city"] for site in back["sites"]] == ["Vaduz"]


def test_history_tells_who_changed_what(admin_client: TestClient, make_account: MakeAccount, ada: User) -> None:
    path = f"/api/v1/accounts/{make_account('Müller AG', phone='1').id}"
    admin_client.patch(path, json={"phone": "2"}, headers={"If-Match": admin_client.get(path).headers["etag"]})
    change = admin_client.get(f"{path}/history").json()["items"][0]
    assert (change["field"], change["old"], change["new"]) == ("phone", "1", "2")
    assert (change["actor"], change["source"]) == (str(ada.id), "api")


@pytest.mark.parametrize("path", ["accounts", "leads", "activities", "orders"])
def test_an_edit_of_a_revision_that_there_is_not_is_refused(
    admin_client: TestClient, make_account: MakeAccount, path: str
) -> None:
    """Such an ETag is of another database, or made up: it would write over everything."""
    account = str(make_account(name="Bakery").id)
    made = {
        "accounts": {"name": "Ostrich farm"},
        "leads": {"company": "Bakery"},
        "activities": {"kind": "task", "account_id": account, "subject": "Call"},
        "orders": {"account_id": account, "kind": "order"},
    }
    answer = admin_client.post(f"/api/v1/{path}", json=made[path])
    assert answer.status_code < 300, answer.text
    row = answer.json()
    changed = admin_client.patch(f"/api/v1/{path}/{row['id']}", json={"note": "x"}, headers={"If-Match": '"20"'})
    assert (changed.status_code, changed.json().get("rev")) == (412, row["rev"]), changed.text
    assert changed.json()["help"] == "Look at it again, then repeat it. Its present ETag goes along as If-Match."
