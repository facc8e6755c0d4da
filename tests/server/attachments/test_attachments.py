"""Photos and files of rows: who may hang, see, delete and bring back; what a page and a timeline show of them."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from server.attachments.models import AttachedFile
from server.auth.access import scope_of, system_scope
from server.auth.models import Role
from server.files import service as files
from server.files import store
from server.tickets import opening, queues
from server.tickets.models import Source
from server.timeline import queries as timeline
from server.timeline.queries import Wish
from tests.server.files.test_files import picture
from tests.server.web.conftest import browser_of, make_account, token_in

__all__ = ["browser_of", "make_account"]

PNG = "image/png"


@pytest.fixture
def rita(make_user: Any) -> Any:
    return make_user("rita", Role.REP)


def sent(client: Any, name: str = "door.png", content: bytes | None = None) -> str:
    """A file that somebody has sent."""
    answer = client.post(f"/api/v1/files?name={name}", content=content or picture())
    return str(answer.json()["id"])


def test_a_stranger_and_somebody_elses_row(client_for: Any, make_user: Any, rita: Any, make_account: Any) -> None:
    account, otto = make_account("Amann", rita), client_for(make_user("otto", Role.REP))
    body = {"entity": "account", "row_id": str(account.id), "file_ids": [str(uuid4())]}
    assert client_for(None).post("/api/v1/attachments", json=body).status_code == 401
    assert otto.post("/api/v1/attachments", json=body).status_code == 404
    assert otto.get(f"/api/v1/attachments?entity=account&row_id={account.id}").status_code == 404
    made = client_for(rita).post("/api/v1/attachments", json=body | {"file_ids": [sent(client_for(rita))]}).json()
    path = f"/api/v1/attachments/{made['items'][0]['id']}"
    for address in (path, f"{path}/content"):
        assert otto.get(address).status_code == 404
    assert otto.delete(path, headers={"If-Match": '"1"'}).status_code == 404


def test_a_file_is_hung_read_deleted_and_brought_back(
    session: Any, client_for: Any, rita: Any, make_account: Any
) -> None:
    account, client = make_account("Amann", rita), client_for(rita)
    body = {"entity": "account", "row_id": str(account.id), "file_ids": [sent(client)]}
    (one,) = client.post("/api/v1/attachments", json=body).json()["items"]
    assert (one["kind"], one["media_type"], one["waits_for"]) == ("photo", PNG, None)
    path = f"/api/v1/attachments/{one['id']}"
    content = client.get(f"{path}/content")
    assert (content.status_code, content.headers["etag"]) == (200, f'"{one["sha256"]}"')
    assert content.headers["content-disposition"].startswith("inline")
    assert client.get(f"{path}/content", headers={"If-None-Match": content.headers["etag"]}).status_code == 304
    entry = timeline.page(session, scope_of(session, rita, source="web"), account.id, Wish(frozenset({"file"})))
    assert [[file["name"] for file in row.facts["files"]] for row in entry.entries] == [["door.png"]]
    assert client.delete(path, headers={"If-Match": '"0"'}).status_code == 412
    rev = client.get(path).headers["etag"]
    assert client.delete(path, headers={"If-Match": rev}).status_code == 204
    assert client.get(path).status_code == 404
    assert client.post(f"/api/v1/bin/attachment/{one['id']}/restore").status_code in (200, 204)
    assert client.get(path).status_code == 200


def test_a_file_of_a_ticket_is_seen_by_whoever_sees_the_ticket_and_with_the_account(
    session: Any, client_for: Any, rita: Any, make_account: Any
) -> None:
    account, client = make_account("Amann", rita), client_for(rita)
    queue = queues.create(session, system_scope(), {"name": "Service", "hours": "24/7"})
    fields = {"subject": "Cold", "account_id": account.id}
    ticket = opening.open_ticket(session, opening.NewTicket(queue.id, "The oven is cold", Source.WEB, fields))
    body = {"entity": "ticket", "row_id": str(ticket.id), "file_ids": [sent(client)]}
    assert client.post("/api/v1/attachments", json=body).status_code == 201
    for entity, row_id in (("ticket", ticket.id), ("account", account.id)):
        found = client.get(f"/api/v1/attachments?entity={entity}&row_id={row_id}").json()["items"]
        assert [one["entity"] for one in found] == ["ticket"]
    ticket.account_id = None
    session.flush()
    refused = client.post("/api/v1/attachments", json=body | {"file_ids": [sent(client)]})
    assert refused.status_code in (404, 422)


def test_the_box_on_the_page_takes_files_and_says_what_is_wrong_in_german(
    session: Any, browser_of: Any, client_for: Any, make_user: Any, make_account: Any
) -> None:
    hans = make_user("hans", Role.ADMIN, language="de")
    account, page = make_account("Amann", hans), browser_of(hans)
    token = token_in(page.get(f"/accounts/{account.id}").text)
    box = f"/files/account/{account.id}"
    assert "hierher ziehen" in page.get(box).text
    kept = [
        files.keep(session, store.take(name, content), name, hans.id)
        for name, content in (("door.png", picture()), ("lies.jpg", b"<html></html>"))
    ]
    session.flush()
    shown = page.post(f"{box}/add", data={"_csrf": token, "file_ids": [str(kept[0].id)]})
    assert "data-view" in shown.text
    refused = page.post(f"{box}/add", data={"_csrf": token, "file_ids": [str(kept[1].id)]})
    assert refused.status_code == 422
    assert "„lies.jpg“ heisst wie ein Bild, ist aber text/plain." in refused.text
    one = session.scalars(select(AttachedFile)).one()
    gone = page.post(f"/files/{one.id}/delete", data={"_csrf": token})
    assert f"/files/{one.id}/restore" in gone.headers["hx-trigger"]
    assert "data-view" not in page.get(box).text
    page.post(f"/files/{one.id}/restore", data={"_csrf": token})
    assert "data-view" in page.get(box).text
