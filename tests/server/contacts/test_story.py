"""A person's own timeline: what happened with them across accounts, as far as the reader sees those."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth.models import Role, User


@pytest.fixture
def eva(admin_client: TestClient, make_account: Any, rita: User) -> dict[str, str]:
    """A person at Rita's account and at one that Rita does not see: two calls and a note."""
    mine, other = (
        str(make_account(name, **more).id) for name, more in (("Amann", {"owner_id": rita.id}), ("Zech", {}))
    )
    person = admin_client.post("/api/v1/contacts", json={"last_name": "Marxer"}).json()["id"]
    for account in (mine, other):
        added = admin_client.post(f"/api/v1/contacts/{person}/accounts", json={"account_id": account})
        assert added.status_code == 201, added.text
    for number, account in enumerate((mine, other)):
        call = {"kind": "call", "subject": f"Call {number}", "account_id": account, "contact_id": person,
                "starts_at": f"2026-03-0{number + 1}T09:00:00Z"}  # fmt: skip
        made = admin_client.post("/api/v1/activities", json=call)
        assert made.status_code == 201, made.text
    note = {"account_id": mine, "text": "Likes red", "contact_id": person}
    assert admin_client.post("/api/v1/notes", json=note).status_code == 201
    assert admin_client.post("/api/v1/notes", json={"account_id": mine, "text": "Of nobody"}).status_code == 201
    return {"id": person, "mine": mine}


def told(client: TestClient, person: str, **asked: Any) -> list[str]:
    """The titles or texts of a person's story, page by page."""
    found: list[str] = []
    while True:
        page = client.get(f"/api/v1/contacts/{person}/timeline", params=asked).json()
        found += [one["title"] or one["body"] for one in page["items"]]
        if not page["next_cursor"]:
            return found
        asked["cursor"] = page["next_cursor"]


def test_a_persons_story_crosses_accounts_and_follows_the_reader(
    client_for: Any, admin_client: TestClient, rita: User, eva: dict[str, str], session: Session
) -> None:
    assert told(admin_client, eva["id"]) == ["Likes red", "Call 1", "Call 0"]
    assert told(admin_client, eva["id"], limit=1) == ["Likes red", "Call 1", "Call 0"]
    assert told(client_for(rita), eva["id"]) == ["Likes red", "Call 0"]
    page = admin_client.get(f"/contacts/{eva['id']}/story", headers={"accept": "text/html"}).text
    assert "Call 1" in page
    assert f"/accounts/{eva['mine']}" in page


def test_the_story_of_a_stranger_is_not_told(client_for: Any, make_user: Any, eva: dict[str, str]) -> None:
    stranger = client_for(make_user("otto", Role.REP))
    assert stranger.get(f"/api/v1/contacts/{eva['id']}/timeline").status_code == 404
