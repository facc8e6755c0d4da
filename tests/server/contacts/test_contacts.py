"""Contacts: at several accounts with roles, seen with the account, edited together, found again."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from server.auth.models import User
from server.contacts import duplicates, queries, service
from server.contacts.models import Contact
from server.contacts.service import LinkedAlready, NewPlace
from server.fields import service as fields
from server.kit.errors import Invalid
from server.records.editing import ChangedMeanwhile

NOBODY = UUID("01990000-0000-7000-8000-000000000000")


@pytest.fixture
def make_contact(session: Session, scope: Any, ada: User) -> Any:
    """Create contacts: `make_contact("Eva", "Marxer", at=account, mails=["eva@example.li"])`."""

    def make(first: str, last: str, at: Any = None, **more: Any) -> Contact:
        link = {name: more.pop(name) for name in ("roles", "is_primary") if name in more}
        places = [NewPlace(at.id, link)] if at else []
        return service.create(session, scope(ada), {"first_name": first, "last_name": last, **more}, places)

    return make


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    for method, path in [
        ("get", "/api/v1/contacts"),
        ("post", "/api/v1/contacts"),
        ("get", f"/api/v1/contacts/{NOBODY}"),
        ("patch", f"/api/v1/contacts/{NOBODY}"),
        ("delete", f"/api/v1/contacts/{NOBODY}"),
        ("get", "/api/v1/contacts/export.csv"),
        ("post", "/api/v1/contacts/vcards"),
        ("post", f"/api/v1/contacts/{NOBODY}/consents"),
        ("post", f"/api/v1/contacts/{NOBODY}/merge"),
        ("put", "/api/v1/suppressions"),
    ]:
        assert getattr(client_for(None), method)(path).status_code == 401, path


def test_a_contact_of_somebody_elses_account_does_not_exist(
    client_for: Any, rita: User, otto: User, make_account: Any, make_contact: Any
) -> None:
    contact = make_contact("Eva", "Marxer", at=make_account("Foreign", at=(9.7, 47.1)))
    rep = client_for(rita)
    path = f"/api/v1/contacts/{contact.id}"
    assert rep.get(path).status_code == 404
    assert rep.patch(path, json={"title": "x"}, headers={"If-Match": '"1"'}).status_code == 404
    assert rep.delete(path, headers={"If-Match": '"9"'}).status_code == 404
    assert rep.get(f"{path}/vcard").status_code == 404
    assert rep.post(f"{path}/consents", json={"channel": "mail", "state": "given"}).status_code == 404
    assert rep.get("/api/v1/contacts").json()["items"] == []
    assert rep.get("/api/v1/contacts/export.csv").text.count("\n") == 1
    assert [one["name"] for one in client_for(otto).get("/api/v1/contacts").json()["items"]] == ["Eva Marxer"]


def test_a_person_is_at_several_accounts_with_roles(admin_client: TestClient, make_account: Any) -> None:
    first, second = make_account("Amann"), make_account("Beck")
    body = {
        "first_name": "Eva",
        "last_name": "Marxer",
        "phones": [{"label": "work", "value": "+423 237 12 12"}],
        "mails": [{"value": "Eva.Marxer@Example.li"}],
        "accounts": [{"account_id": str(first.id), "roles": ["buyer"], "is_primary": True}],
    }
    made = admin_client.post("/api/v1/contacts", json=body)
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    assert made.json()["phone_numbers"] == ["+4232371212"]
    assert admin_client.post(f"{path}/accounts", json={"account_id": str(second.id)}).status_code == 201
    again = admin_client.post(f"{path}/accounts", json={"account_id": str(second.id)})
    assert (again.status_code, again.json()["code"]) == (409, "linked_already")
    places = admin_client.get(path).json()["accounts"]
    assert [(one["account_name"], one["roles"]) for one in places] == [("Amann", ["buyer"]), ("Beck", [])]
    assert admin_client.delete(f"{path}/accounts/{places[1]['id']}").status_code == 204
    assert len(admin_client.get(path).json()["accounts"]) == 1


def test_an_account_has_one_person_to_ask_first(
    session: Session, scope: Any, ada: User, make_account: Any, make_contact: Any
) -> None:
    account = make_account("Amann")
    make_contact("Eva", "Marxer", at=account, is_primary=True)
    make_contact("Udo", "Beck", at=account, is_primary=True)
    people = queries.of_account(session, scope(ada), account.id)
    assert [(one.last_name, link.is_primary) for one, link in people] == [("Beck", True), ("Marxer", False)]


def test_two_people_edit_different_fields_and_both_win(
    session: Session, scope: Any, ada: User, make_contact: Any
) -> None:
    contact = make_contact("Eva", "Marxer")
    seen = contact.rev
    service.edit(session, scope(ada), contact.id, seen, {"phones": ["+423 237 12 12"]})
    service.edit(session, scope(ada), contact.id, seen, {"mails": ["eva@example.li"]})
    assert (contact.phone_numbers, contact.mail_addresses) == (["+4232371212"], ["eva@example.li"])
    with pytest.raises(ChangedMeanwhile, match="mails"):
        service.edit(session, scope(ada), contact.id, seen, {"mails": ["other@example.li"]})


def test_wrong_values_name_their_field(admin_client: TestClient) -> None:
    for body, field in (
        ({"title": "Boss"}, "last_name"),
        ({"last_name": "A", "mails": [{"value": "nonsense"}]}, "mails"),
        ({"last_name": "A", "phones": [{"value": "ask"}]}, "phones"),
        ({"last_name": "A", "custom": {"no": 1}}, "custom.no"),
    ):
        answer = admin_client.post("/api/v1/contacts", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


def test_contacts_are_found_by_name_mail_phone_firm_and_filter(
    session: Session, scope: Any, ada: User, make_account: Any, make_contact: Any
) -> None:
    fields.add(session, "contact", {"label": "Badge", "kind": "text", "searchable": True})
    account = make_account("Gärtnerei Amann", account_class="A")
    more = {"mails": ["eva@example.li"], "phones": ["+423 237 12 12"], "languages": "de, fr", "custom.badge": "Q77"}
    make_contact("Eva", "Märxer", at=account, roles=["buyer"], **more)
    make_contact("Udo", "Beck")
    find = lambda **how: [row.contact.last_name for row in queries.page(session, scope(ada), **how).rows]  # noqa: E731
    for words in ("marxer", "eva@example", "2371212", "gartnerei", "q77"):
        assert find(search=words) == ["Märxer"], words
    for filter in ("role = buyer", "language = fr", "account_class = A", 'mail ~ "example"', "custom.badge = Q77"):
        assert find(filter=filter) == ["Märxer"], filter
    assert find(sort="-name") == ["Märxer", "Beck"]


def test_a_list_goes_on_where_the_page_ended(session: Session, scope: Any, ada: User, make_contact: Any) -> None:
    for name in ("Amann", "Beck", "Caduff"):
        make_contact("Eva", name)
    first = queries.page(session, scope(ada), limit=2)
    rest = queries.page(session, scope(ada), limit=2, cursor=first.next_cursor)
    assert [row.contact.last_name for row in (*first.rows, *rest.rows)] == ["Amann", "Beck", "Caduff"]
    assert (first.total, rest.next_cursor) == (3, None)


def test_a_deleted_contact_comes_back_with_its_places(
    session: Session, scope: Any, ada: User, make_account: Any, make_contact: Any
) -> None:
    account = make_account("Amann")
    contact = make_contact("Eva", "Marxer", at=account)
    service.delete(session, scope(ada), contact.id, contact.rev)
    assert queries.of_account(session, scope(ada), account.id) == []
    service.restore(session, scope(ada), contact.id)
    assert len(queries.of_account(session, scope(ada), account.id)) == 1


def test_an_export_defuses_formulas(admin_client: TestClient, make_contact: Any, tmp_path: Any) -> None:
    make_contact("=1+1", "Marxer", note="@SUM(A1)")
    answer = admin_client.get("/api/v1/contacts/export.csv")
    assert "'=1+1" in answer.text
    assert "'@SUM" in answer.text
    (tmp_path / "c.xlsx").write_bytes(admin_client.get("/api/v1/contacts/export.xlsx").content)
    sheet = load_workbook(tmp_path / "c.xlsx")["Contacts"]
    titles, row = ([cell.value for cell in line] for line in sheet.iter_rows(max_row=2))
    assert dict(zip(titles, row, strict=True))["first_name"] == "'=1+1"


def test_people_who_may_be_one_are_told_with_reasons(
    session: Session, scope: Any, ada: User, make_account: Any, make_contact: Any
) -> None:
    account = make_account("Amann")
    contact = make_contact("Eva", "Marxer", at=account, mails=["eva@example.li"])
    make_contact("Eva", "Marxr", at=account)
    make_contact("E.", "M.", mails=["EVA@example.li"])
    make_contact("Udo", "Beck", at=account)
    found = {one.contact.last_name: one.reasons for one in duplicates.alike(session, scope(ada), contact)}
    assert found == {"Marxr": ("similar name at the same account",), "M.": ("same mail address",)}


def test_a_second_place_and_a_site_of_another_account_are_refused(
    session: Session, scope: Any, ada: User, make_account: Any, make_contact: Any
) -> None:
    account, other = make_account("Amann"), make_account("Beck", at=(9.2, 47.1))
    contact = make_contact("Eva", "Marxer", at=account)
    with pytest.raises(LinkedAlready):
        service.link(session, scope(ada), contact.id, account.id, {})
    [(_, link)] = queries.of_account(session, scope(ada), account.id)
    with pytest.raises(Invalid, match="site"):
        service.edit_link(session, scope(ada), link.id, link.rev, {"site_id": other.sites[0].id})
