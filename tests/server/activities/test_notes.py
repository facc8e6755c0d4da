"""Notes: who may see them, mentions, two people editing, files, the way back."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from server.accounts import service as accounts
from server.activities.notes import mentions, queries, service
from server.activities.notes.service import NewNote
from server.kit.errors import NotFound, PreconditionFailed
from server.notifications import service as notifications
from server.notifications.kinds import About
from server.notifications.models import Notification
from server.records.models import FieldHistory

NOBODY = UUID("01990000-0000-7000-8000-000000000000")


@pytest.fixture
def account(people: Any, make_account: Any) -> Any:
    return make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)


def told(session: Any, kind: str) -> set[UUID]:
    return set(session.scalars(select(Notification.user_id).where(Notification.kind == kind)))


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    stranger = client_for(None)
    assert stranger.get(f"/api/v1/accounts/{NOBODY}/notes").status_code == 401
    assert stranger.post("/api/v1/notes", json={}).status_code == 401
    for method, path in [
        ("get", ""), ("patch", ""), ("delete", ""), ("post", "/restore"), ("get", f"/files/{NOBODY}"),
    ]:  # fmt: skip
        assert getattr(stranger, method)(f"/api/v1/notes/{NOBODY}{path}").status_code == 401


def test_a_note_at_somebody_elses_account_does_not_exist(
    session: Any, people: Any, scope: Any, clients: Any, account: Any
) -> None:
    note = service.write(session, scope(people["rita"]), NewNote(account.id, "Wants the new oven"))
    nora = clients["nora"]
    body = {"account_id": str(account.id), "text": "x"}
    assert nora.post("/api/v1/notes", json=body).status_code == 404
    assert nora.get(f"/api/v1/accounts/{account.id}/notes").status_code == 404
    assert nora.get(f"/api/v1/accounts/{account.id}/mentionable").status_code == 404
    assert nora.get(f"/api/v1/notes/{note.id}").status_code == 404
    etag = {"If-Match": '"1"'}
    assert nora.patch(f"/api/v1/notes/{note.id}", json={"text": "y"}, headers=etag).status_code == 404
    assert nora.delete(f"/api/v1/notes/{note.id}", headers=etag).status_code == 404


def test_a_note_is_written_once_edited_with_history_and_deleted(
    session: Any, people: Any, clients: Any, account: Any
) -> None:
    rita = clients["rita"]
    body = {"id": "01990000-0000-7000-8000-00000000000a", "account_id": str(account.id), "text": " Oven "}
    assert rita.post("/api/v1/notes", json=body).json()["text"] == "Oven"
    made = rita.post("/api/v1/notes", json=body)
    assert len(rita.get(f"/api/v1/accounts/{account.id}/notes").json()["items"]) == 1
    path, etag = f"/api/v1/notes/{made.json()['id']}", {"If-Match": made.headers["etag"]}
    changed = rita.patch(path, json={"text": "New oven", "is_pinned": True}, headers=etag)
    assert (changed.json()["text"], changed.json()["is_pinned"], changed.json()["rev"]) == ("New oven", True, 2)
    old = session.scalars(select(FieldHistory.old).where(FieldHistory.entity == "note", FieldHistory.field == "text"))
    assert old.all() == ["Oven"]
    assert rita.delete(path, headers=etag).status_code == 412
    assert rita.delete(path, headers={"If-Match": changed.headers["etag"]}).status_code == 204
    assert rita.get(path).status_code == 404
    assert rita.post(f"{path}/restore").json()["text"] == "New oven"


def test_two_people_change_different_fields_and_both_win(session: Any, people: Any, scope: Any, account: Any) -> None:
    rita, mona = scope(people["rita"]), scope(people["mona"])
    note = service.write(session, rita, NewNote(account.id, "Oven"))
    service.edit(session, mona, note.id, 1, {"is_pinned": True})
    changed = service.edit(session, rita, note.id, 1, {"text": "New oven"})
    assert (changed.text, changed.is_pinned) == ("New oven", True)


def test_two_browsers_change_the_same_words_and_nothing_is_lost(
    session: Any, people: Any, scope: Any, account: Any
) -> None:
    rita = scope(people["rita"])
    note = service.write(session, rita, NewNote(account.id, "Oven"))
    service.edit(session, rita, note.id, 1, {"text": "New oven"})
    with pytest.raises(PreconditionFailed) as refused:
        service.edit(session, rita, note.id, 1, {"text": "Old oven"})
    (clash,) = refused.value.details["conflicts"]
    assert (clash["base"], clash["yours"], clash["stored"]) == ("Oven", "Old oven", "New oven")


def test_only_who_wrote_it_changes_the_words(session: Any, people: Any, clients: Any, scope: Any, account: Any) -> None:
    note = service.write(session, scope(people["rita"]), NewNote(account.id, "Oven"))
    path, etag = f"/api/v1/notes/{note.id}", {"If-Match": '"1"'}
    assert clients["mona"].patch(path, json={"text": "Fridge"}, headers=etag).status_code == 403
    assert clients["mona"].patch(path, json={"is_shareable": True}, headers=etag).status_code == 200


def test_whom_a_note_mentions_is_told_and_followers_are_told_once(
    session: Any, people: Any, scope: Any, account: Any
) -> None:
    notifications.follow(session, people["otto"].id, About("account", account.id))
    accounts.assign(session, scope(people["mona"]), account.id, [people["otto"].id])
    service.write(session, scope(people["mona"]), NewNote(account.id, "@rita: they want the new oven. mail@otto.com"))
    assert told(session, "mention") == {people["rita"].id}
    assert told(session, "note") == {people["otto"].id}


def test_a_mention_of_somebody_who_may_not_see_says_so_before_saving(
    session: Any, people: Any, clients: Any, account: Any
) -> None:
    refused = clients["rita"].post("/api/v1/notes", json={"account_id": str(account.id), "text": "@nora look"})
    assert (refused.status_code, refused.json()["code"]) == (422, "mention_may_not_see")
    assert refused.json()["people"] == ["Nora"]
    assert clients["rita"].get(f"/api/v1/accounts/{account.id}/notes").json()["items"] == []


def test_mentions_are_offered_only_of_people_who_may_see(session: Any, people: Any, account: Any) -> None:
    assert [one.login for one in mentions.offered(session, account.id, "")] == ["mona", "rita"]
    assert [one.login for one in mentions.offered(session, account.id, "Ri")] == ["rita"]
    assert mentions.offered(session, account.id, "nor") == []


def test_who_follows_but_may_not_see_any_more_is_not_told(session: Any, people: Any, scope: Any, account: Any) -> None:
    notifications.follow(session, people["nora"].id, About("account", account.id))
    notifications.follow(session, people["rita"].id, About("account", account.id), wanted=False)
    service.write(session, scope(people["mona"]), NewNote(account.id, "Oven"))
    assert told(session, "note") == set()


def test_followers_are_told_of_important_edits_only(session: Any, people: Any, scope: Any, account: Any) -> None:
    mona = scope(people["mona"])
    accounts.edit(session, mona, account.id, account.rev, {"website": "https://amann.example"})
    assert told(session, "edit") == set()
    accounts.edit(session, mona, account.id, account.rev, {"status": "customer"})
    assert told(session, "edit") == {people["rita"].id}


@pytest.mark.parametrize("text", ["", "   ", "x" * 20_001])
def test_a_note_without_words_or_with_too_many_is_refused(clients: Any, account: Any, text: str) -> None:
    refused = clients["rita"].post("/api/v1/notes", json={"account_id": str(account.id), "text": text})
    assert (refused.status_code, refused.json()["field"]) == (422, "text")


def test_a_place_of_another_account_is_refused(session: Any, clients: Any, account: Any, make_account: Any) -> None:
    other = make_account("Beck", (9.52, 47.1))
    site = session.scalar(select(accounts.Site.id).where(accounts.Site.account_id == other.id))
    body = {"account_id": str(account.id), "text": "x", "site_id": str(site)}
    assert clients["rita"].post("/api/v1/notes", json=body).json()["field"] == "site_id"


def test_a_file_of_a_note_is_served_to_those_who_see_the_note(clients: Any, account: Any) -> None:
    rita = clients["rita"]
    file = rita.post("/api/v1/files?name=offer.pdf", content=b"%PDF-1.7 offer").json()
    body = {"account_id": str(account.id), "text": "The offer", "file_ids": [file["id"]]}
    note = rita.post("/api/v1/notes", json=body).json()
    path = f"/api/v1/notes/{note['id']}/files/{file['id']}"
    got = clients["mona"].get(path)
    assert got.content == b"%PDF-1.7 offer"
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''offer.pdf"
    assert clients["nora"].get(path).status_code == 404
    assert rita.get(f"/api/v1/notes/{note['id']}/files/{NOBODY}").status_code == 404


def test_a_deleted_note_is_brought_back_by_those_who_may(session: Any, people: Any, scope: Any, account: Any) -> None:
    note = service.write(session, scope(people["mona"]), NewNote(account.id, "Oven"))
    service.delete(session, scope(people["mona"]), note.id, 1)
    with pytest.raises(NotFound):
        service.restore(session, scope(people["rita"]), note.id)
    assert service.restore(session, scope(people["mona"]), note.id).deleted_at is None
    assert queries.find(session, scope(people["rita"]), note.id).author == "Mona"
