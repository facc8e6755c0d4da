"""Who sees which accounts: strangers none, reps their own and their territory's, managers their team's, admins all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy.orm import Session

from server.accounts import queries, service
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.roles import Level
from server.auth.service import set_team
from server.density import reach
from server.kit.errors import NotFound
from server.sync.pulling.buckets import areas_of, reader
from server.territories import service as territories
from server.territories.models import Territory

type ClientFor = Callable[[User | None], TestClient]
type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]

PATHS = [
    "/api/v1/accounts",
    "/api/v1/accounts/fields",
    "/api/v1/accounts/export.csv",
    "/tiles/accounts/8/134/89",
]


def names(session: Session, scope: Scope) -> list[str]:
    return [row.account.name for row in queries.page(session, scope).rows]


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_is_refused(client_for: ClientFor, path: str) -> None:
    answer = client_for(None).get(path)
    assert answer.status_code == 401
    assert answer.json()["code"] == "login_required"


def test_a_rep_cannot_read_change_or_delete_an_account_outside_her_territory(
    client_for: ClientFor, make_account: MakeAccount, rita: User, otto: User
) -> None:
    account = make_account("Ostbau AG", at=(9.7, 47.2))
    client = client_for(rita)
    path = f"/api/v1/accounts/{account.id}"
    assert client.get(path).status_code == 404
    assert client.patch(path, json={"name": "Mine"}, headers={"If-Match": '"1"'}).status_code == 404
    assert client.get(f"{path}/duplicates").status_code == 404
    assert client.get(f"{path}/history").status_code == 404
    assert client.post(f"{path}/sites", json={"city": "Vaduz"}).status_code == 404
    assert client.delete(path, headers={"If-Match": '"1"'}).status_code == 403
    assert client.get("/api/v1/accounts").json()["items"] == []
    assert client_for(otto).get(path).status_code == 200


def test_a_rep_cannot_touch_a_site_outside_her_territory(
    session: Session, client_for: ClientFor, make_account: MakeAccount, rita: User
) -> None:
    account = make_account("Ostbau AG", at=(9.7, 47.2))
    site = queries.sites_of(session, [account.id])[0]
    client, path = client_for(rita), f"/api/v1/sites/{site.id}"
    assert client.get(path).status_code == 404
    assert client.put(f"{path}/pin", json={"lon": 9.1, "lat": 47.1}, headers={"If-Match": "1"}).status_code == 404
    assert client.patch(path, json={"city": "X"}, headers={"If-Match": "1"}).status_code == 404
    assert client.post(f"{path}/locate").status_code == 404
    assert client.post(f"{path}/pin/undo", json={"rev": 1}).status_code == 404
    assert client.delete(path, headers={"If-Match": "1"}).status_code == 404


def test_a_rep_sees_her_territory_what_she_owns_and_what_is_assigned_to_her(
    session: Session, scope: MakeScope, make_account: MakeAccount, rita: User, otto: User, ada: User
) -> None:
    make_account("In her territory", at=(9.2, 47.2), owner_id=otto.id)
    make_account("Owned elsewhere", at=(9.7, 47.2), owner_id=rita.id)
    assigned = make_account("Assigned elsewhere", at=(9.7, 47.3))
    service.assign(session, scope(ada), assigned.id, [rita.id])
    make_account("Not hers", at=(9.8, 47.2))
    make_account("Nowhere")
    assert names(session, scope(rita)) == ["Assigned elsewhere", "In her territory", "Owned elsewhere"]


def test_a_second_site_brings_an_account_into_another_territory_too(
    session: Session, scope: MakeScope, make_account: MakeAccount, rita: User, otto: User, ada: User
) -> None:
    account = make_account("Zwei AG", at=(9.2, 47.2))
    assert names(session, scope(otto)) == []
    service.places.create_site(session, scope(ada), account.id, {"lon": 9.7, "lat": 47.2})
    assert names(session, scope(otto)) == ["Zwei AG"]
    assert names(session, scope(rita)) == ["Zwei AG"]


def test_a_manager_sees_the_teams_accounts_and_those_of_nobody(
    session: Session,
    scope: MakeScope,
    make_user: Callable[..., User],
    make_account: MakeAccount,
    rita: User,
    otto: User,
) -> None:
    mona = make_user("mona", Role.MANAGER)
    set_team(session, "West", [mona.id, rita.id])
    make_account("Of the team", at=(9.8, 47.2), owner_id=rita.id)
    make_account("In the team's territory", at=(9.2, 47.2))
    make_account("Of nobody")
    make_account("Of the others", at=(9.8, 47.3), owner_id=otto.id)
    assert names(session, scope(mona)) == ["In the team's territory", "Of nobody", "Of the team"]


def test_ground_that_nobody_works_is_seen_by_those_who_lead_its_sales_region(
    session: Session,
    scope: MakeScope,
    make_user: Callable[..., User],
    make_account: MakeAccount,
    rita: User,
    otto: User,
    west: Territory,
    east: Territory,
) -> None:
    def area(name: str, edge: float, parent_id: UUID | None = None) -> UUID:
        shape = MultiPolygon([box(edge, 47.0, edge + 0.5, 47.5)])
        return territories.create(session, name=name, area=shape, parent_id=parent_id).id

    here, there = area("Here", 1.0), area("There", 2.0)
    territories.change(session, west.id, {"parent_id": here})
    territories.change(session, east.id, {"parent_id": there})
    idle, far = area("Idle", 8.0, here), area("Far", 7.0, there)
    alone = area("Alone", 6.0)
    for name, lon in (("West", 9.2), ("East", 9.7), ("Idle", 8.2), ("Far", 7.2), ("Alone", 6.2), ("Here", 1.2)):
        make_account(name, at=(lon, 47.2))
    mona = make_user("mona", Role.MANAGER)
    set_team(session, "West", [mona.id, rita.id])
    seen = ["Alone", "Here", "Idle", "West"]
    assert names(session, scope(mona)) == seen
    level = replace(scope(mona), levels={**scope(mona).levels, "accounts:read": Level.REGION})
    assert names(session, level) == seen
    # The same of the market, of leads and of phones.
    assert set(reach.of(session, scope(mona)).territories) == {west.id, here, idle, alone}
    held = session.scalars(areas_of(Level.TEAM), reader(scope(mona)))
    assert set(held) == {west.id, here, idle, alone}
    # Once somebody works it, it is theirs; a whole sales region that nobody works is everybody's who leads.
    territories.set_members(session, idle, [otto.id], day=date(2020, 1, 1))
    assert names(session, scope(mona)) == ["Alone", "Here", "West"]
    assert names(session, level) == seen
    territories.set_members(session, idle, [], day=date(2020, 1, 1))
    otto.active = False
    session.flush()
    assert names(session, scope(mona)) == ["Alone", "East", "Far", "Here", "Idle", "West"]
    assert set(reach.of(session, scope(mona)).territories) == {west.id, east.id, here, there, idle, far, alone}


def test_list_tile_and_export_show_the_same_accounts(
    client_for: ClientFor, make_account: MakeAccount, rita: User, otto: User
) -> None:
    for step in range(6):
        make_account(f"Account {step}", at=(9.3 + step / 10, 47.2), account_class="AB"[step % 2])
    client, wanted = client_for(rita), {"filter": "class = A"}
    listed = {row["name"] for row in client.get("/api/v1/accounts", params=wanted).json()["items"]}
    exported = client.get("/api/v1/accounts/export.geojson", params=wanted).json()["features"]
    tile = client.get("/tiles/accounts/0/0/0", params=wanted).content
    assert listed == {"Account 0", "Account 2"}
    assert {feature["properties"]["name"] for feature in exported} == listed
    assert b"Account 1" not in tile
    assert tile


def test_a_rep_cannot_give_an_account_away(
    client_for: ClientFor, make_account: MakeAccount, rita: User, otto: User
) -> None:
    account = make_account("Müller AG", at=(9.2, 47.2), owner_id=rita.id)
    answer = client_for(rita).patch(
        f"/api/v1/accounts/{account.id}", json={"owner_id": str(otto.id)}, headers={"If-Match": f'"{account.rev}"'}
    )
    assert answer.status_code == 403
    assert answer.json()["field"] == "owner_id"


def test_a_manager_hands_an_account_of_the_team_over_and_assigns_reps(
    client_for: ClientFor, make_user: Callable[..., User], make_account: MakeAccount, session: Session, rita: User
) -> None:
    mona = make_user("mona", Role.MANAGER)
    set_team(session, "West", [mona.id, rita.id])
    account = make_account("Müller AG", at=(9.2, 47.2), owner_id=rita.id)
    client, path = client_for(mona), f"/api/v1/accounts/{account.id}"
    answer = client.patch(path, json={"owner_id": str(mona.id)}, headers={"If-Match": f'"{account.rev}"'})
    assert (answer.status_code, answer.json()["owner_id"]) == (200, str(mona.id))
    assert client.put(f"{path}/reps", json={"rep_ids": [str(rita.id)]}).status_code == 200
    assert client_for(rita).put(f"{path}/reps", json={"rep_ids": []}).status_code == 403


def test_a_merged_account_leads_to_the_one_that_lives_on(
    session: Session, scope: MakeScope, make_account: MakeAccount, ada: User
) -> None:
    winner, loser, third = make_account("Müller AG"), make_account("Mueller AG"), make_account("Muller")
    loser.merged_into, third.merged_into = winner.id, loser.id
    session.flush()
    assert set(session.scalars(queries.family(winner.id))) == {winner.id, loser.id, third.id}
    assert names(session, scope(ada)) == ["Müller AG"]
    with pytest.raises(NotFound):
        service.edit(session, scope(ada), loser.id, loser.rev, {"name": "New"})


def test_territories_that_change_take_their_accounts_along(
    session: Session,
    scope: MakeScope,
    make_account: MakeAccount,
    rita: User,
    otto: User,
    west: Territory,
    east: Territory,
) -> None:
    account = make_account("Grenz AG", at=(9.6, 47.2))
    fixed = make_account("Fest AG", at=(9.6, 47.2), territory_id=east.id, territory_is_fixed=True)
    territories.change(session, west.id, {"area": MultiPolygon([box(9.0, 47.0, 9.65, 47.5)])})
    territories.change(session, east.id, {"area": MultiPolygon([box(9.65, 47.0, 10.0, 47.5)])})
    assert service.realign(session) == 2
    session.refresh(account)
    session.refresh(fixed)
    assert (account.territory_id, fixed.territory_id) == (west.id, east.id)
    assert names(session, scope(rita)) == ["Fest AG", "Grenz AG"]
