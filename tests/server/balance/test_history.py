"""Each change is kept in the history, and can be undone; a change that came too late is kept as well."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Role
from server.territories.models import Territory
from server.territories.schemas import TerritoryRead
from server.web.territories import in_tree
from tests.server.balance.conftest import CHANGES, ClientFor, MakeUser, do, drawn, named, place_of, square


def test_an_undone_change_leaves_every_corner_where_it_was(
    session: Session, client: TestClient, bakery: Account
) -> None:
    drawn(client, "North", square(9))
    before = session.scalars(select(Territory.area)).one().data
    first = do(client, {"kind": "give", "ground": square(9.5, 11), "to_id": drawn(client, "East", square(10))["id"]})
    second = do(client, {"kind": "merge", "territory_ids": [named(client, n)["id"] for n in ("East", "North")]})
    assert place_of(session, bakery) == "East"
    early = client.post(f"{CHANGES}/{first['id']}/undo")
    assert early.status_code == 409
    assert "changed again after that by Ada" in early.json()["detail"]
    for change in (second, first):
        assert client.post(f"{CHANGES}/{change['id']}/undo").status_code == 204
    assert place_of(session, bakery) == "North"
    session.expire_all()
    row = session.scalars(select(Territory).where(Territory.name == "North")).one()
    assert row.area.data == before
    assert client.post(f"{CHANGES}/{first['id']}/undo").status_code == 409


def test_a_change_on_an_older_state_is_refused_by_name_and_kept(
    client: TestClient, client_for: ClientFor, make_user: MakeUser
) -> None:
    north = drawn(client, "North", square(9))
    wish = {"kind": "reshape", "territory_id": north["id"], "rev": north["rev"]}
    do(client, wish | {"area": square(9, 9.8)})
    second = client_for(make_user("mara", Role.ADMIN))
    late = second.post(CHANGES, json={"operation": wish | {"area": square(9, 9.6)}, "why": "Rita is near"})
    assert late.status_code == 412
    assert "Ada changed “North”" in late.json()["detail"]
    kept = next(one for one in client.get(CHANGES).json()["items"] if one["state"] == "kept")
    assert (kept["why"], kept["by"]) == ("Rita is near", "Mara")
    assert named(client, "North")["area"]["coordinates"][0][0] == square(9, 9.8)["coordinates"][0]
    do(second, {"kind": "kept", "change_id": late.json()["change_id"]})
    assert named(client, "North")["area"]["coordinates"][0][0] == square(9, 9.6)["coordinates"][0]
    assert [one["state"] for one in client.get(CHANGES).json()["items"]].count("kept") == 0


def test_the_history_says_what_a_territory_was_called_and_below_what_it_lay(client: TestClient) -> None:
    region, north = drawn(client, "Land", square(8, 12)), drawn(client, "North", square(9))
    wish = {"name": "Upper", "colour": "#445566", "parent_id": region["id"]}
    do(client, {"kind": "reshape", "territory_id": north["id"]} | wish)
    line, *others = client.get(CHANGES).json()["items"]
    assert [(one["name"], one["field"], one["before"], one["after"]) for one in line["facts"]] == [
        ("Upper", "name", "North", "Upper"),
        ("Upper", "colour", north["colour"], "#445566"),
        ("Upper", "parent", None, "Land"),
    ]
    assert [one["facts"] for one in others] == [[], []]
    page = client.get("/territories", headers={"Accept": "text/html"}).text.split('class="plain-list history"')[1]
    told = page.split("</li>")[0]
    assert "Name: North → Upper" in told
    assert "Sales region above it: none → Land" in told
    assert "accounts moved" not in told


def test_an_undo_that_would_close_a_circle_of_parents_is_refused_by_name(client: TestClient) -> None:
    first, second = drawn(client, "CA", square(9)), drawn(client, "CB", square(10))

    def below(row: dict[str, Any], parent: dict[str, Any] | None) -> dict[str, Any]:
        wish = {"kind": "reshape", "territory_id": row["id"], "parent_id": parent and parent["id"]}
        return do(client, wish)

    below(second, first)
    freed = below(second, None)
    below(first, second)
    refused = client.post(f"{CHANGES}/{freed['id']}/undo")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "“CB” would lie below itself."


def test_a_version_kept_too_long_closes_no_circle_and_a_circle_that_is_there_ends(
    session: Session, client: TestClient
) -> None:
    first, second = drawn(client, "CA", square(9)), drawn(client, "CB", square(10))
    wish = {"kind": "reshape", "territory_id": second["id"], "rev": second["rev"]}
    do(client, wish | {"colour": "#111111"})
    late = client.post(CHANGES, json={"operation": wish | {"parent_id": first["id"]}})
    do(client, {"kind": "reshape", "territory_id": first["id"], "parent_id": second["id"]})
    refused = client.post(CHANGES, json={"operation": {"kind": "kept", "change_id": late.json()["change_id"]}})
    assert (refused.status_code, "would lie below itself" in refused.text) == (409, True)
    session.execute(update(Territory).where(Territory.name == "CB").values(parent_id=first["id"]))
    session.expire_all()
    third = drawn(client, "CC", square(12))
    do(client, {"kind": "reshape", "territory_id": third["id"], "parent_id": first["id"]})
    rows = [TerritoryRead(**row) for row in client.get("/api/v1/territories").json()["items"]]
    assert sorted(row.name for row, _ in in_tree(rows)) == ["CA", "CB", "CC"]
    client.delete(f"/api/v1/territories/{third['id']}")
    gone = client.post(CHANGES, json={"operation": wish | {"rev": None, "parent_id": third["id"]}})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "reshape", "area": square(9, 9.6)},
        {"kind": "split", "name": "East", "line": {"type": "LineString", "coordinates": [[9.5, 46], [9.5, 49]]}},
    ],
)
def test_what_was_drawn_on_a_territory_taken_away_meanwhile_is_kept(client: TestClient, wish: dict[str, Any]) -> None:
    north = drawn(client, "North", square(9))
    client.delete(f"/api/v1/territories/{north['id']}")
    late = client.post(CHANGES, json={"operation": wish | {"territory_id": north["id"], "rev": north["rev"]}})
    assert late.status_code == 412
    assert "Ada took “North” away" in late.json()["detail"]
    do(client, {"kind": "kept", "change_id": late.json()["change_id"]})
    assert named(client, "North")["id"] == north["id"]


def test_a_rename_is_not_undone_onto_a_name_that_is_taken(client: TestClient) -> None:
    north = drawn(client, "North", square(9))
    renamed = do(client, {"kind": "reshape", "territory_id": north["id"], "name": "South"})
    drawn(client, "North", square(10))
    refused = client.post(f"{CHANGES}/{renamed['id']}/undo")
    assert (refused.status_code, refused.json()["detail"]) == (409, "There is a territory “North” already.")
