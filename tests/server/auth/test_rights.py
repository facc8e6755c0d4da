"""Roles that a company changes, and looking through somebody's eyes."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth import rights, sessions
from server.auth.access import scope_of
from server.auth.models import Role, User, WebSession
from server.auth.roles import EVERYTHING, Level, levels_of
from server.auth.service import change_user, set_team
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]


def test_a_stranger_and_a_rep_do_not_see_the_roles(client_for: ClientFor, make_user: MakeUser) -> None:
    assert client_for(None).get("/api/v1/roles").status_code == 401
    assert client_for(make_user("rita", Role.REP)).get("/api/v1/roles").status_code == 403


def test_a_changed_role_holds_for_everybody_who_has_it(session: Session, make_user: MakeUser) -> None:
    ada, rita = make_user("ada"), make_user("rita", Role.REP)
    rights.change_role(
        session,
        "rep",
        levels={"accounts:export": "none", "accounts:read": "own"},
        fields={"account.yearly_value": "hidden", "account.phone": "fixed"},
        actor=ada.id,
    )
    scope = scope_of(session, rita, source="web")
    assert not scope.may("accounts:export")
    assert scope.level("accounts:read") is Level.OWN
    assert not scope.sees("account", "yearly_value")
    assert scope.sees("account", "phone")
    with pytest.raises(Forbidden, match="phone"):
        scope.need_changes("account", ["name", "phone"])
    rights.remove_role(session, "rep", ada.id)
    assert dict(scope_of(session, rita, source="web").levels) == levels_of(Role.REP)


def test_what_equals_the_base_is_not_stored(session: Session, make_user: MakeUser) -> None:
    ada = make_user("ada")
    every = {name: levels_of(Role.REP).get(name, Level.NONE).name.lower() for name in EVERYTHING}
    assert rights.change_role(session, "rep", levels=every, fields={}, actor=ada.id).grants == {}


def test_a_variety_brings_its_base_along_and_another_role_ends_it(session: Session, make_user: MakeUser) -> None:
    ada, bo = make_user("ada"), make_user("bo", Role.SUPPORT)
    junior = rights.add_role(session, "Junior rep", Role.REP, ada.id)
    change_user(session, bo.id, {"access_role_id": junior.id}, ada.id)
    assert (bo.role, bo.rep_profile is not None) == ("rep", True)
    assert scope_of(session, bo, source="web").role_name == "Junior rep"
    with pytest.raises(Conflict, match="Bo"):
        rights.remove_role(session, str(junior.id), ada.id)
    change_user(session, bo.id, {"role": "support"}, ada.id)
    assert bo.access_role_id is None
    rights.remove_role(session, str(junior.id), ada.id)
    with pytest.raises(NotFound):
        rights.role_of(session, str(junior.id))


def test_a_variety_is_no_way_round_the_last_admin(session: Session, make_user: MakeUser) -> None:
    ada = make_user("ada")
    junior = rights.add_role(session, "Junior rep", Role.REP, ada.id)
    with pytest.raises(Conflict, match="last admin"):
        change_user(session, ada.id, {"access_role_id": junior.id}, ada.id)


def test_rights_that_do_not_exist_and_names_that_are_taken_are_refused(session: Session, make_user: MakeUser) -> None:
    ada = make_user("ada")
    for levels, fields in (
        ({"accounts:fly": "all"}, {}),
        ({"accounts:read": "most"}, {}),
        ({}, {"account.id": "hidden"}),
    ):
        with pytest.raises(Invalid):
            rights.change_role(session, "rep", levels=levels, fields=fields, actor=ada.id)
    with pytest.raises(Conflict):
        rights.change_role(session, "admin", levels={}, fields={}, actor=ada.id)
    rights.add_role(session, "Junior", Role.REP, ada.id)
    for name in ("junior", "Manager"):
        with pytest.raises(Conflict):
            rights.add_role(session, name, Role.REP, ada.id)


def test_a_new_admin_permission_set_is_what_tokens_are_measured_by(client_for: ClientFor, make_user: MakeUser) -> None:
    client = client_for(make_user("ada"))
    made = client.post("/api/v1/roles", json={"name": "Inside sales", "base": "rep"}).json()
    changed = client.put(f"/api/v1/roles/{made['key']}", json={"levels": {"leads:import": "own"}})
    assert changed.json()["levels"]["leads:import"] == "own"
    assert client.delete(f"/api/v1/roles/{made['key']}").status_code == 204


def browser_of(session: Session, user: User) -> WebSession:
    token = sessions.open_session(session, user, None)
    return session.get_one(WebSession, sessions.digest(token))


def test_a_manager_views_as_her_team_only_and_never_as_somebody_with_more(
    session: Session, make_user: MakeUser
) -> None:
    mara, rita, otto, ada = (
        make_user(login, role)
        for login, role in (("mara", Role.MANAGER), ("rita", Role.REP), ("otto", Role.REP), ("ada", Role.ADMIN))
    )
    team = set_team(session, "North", [mara.id, rita.id, ada.id])
    web, mine = browser_of(session, mara), rights.rights_of(session, mara)
    assert rights.look_through(session, web, mara, mine, rita.id, frozenset([team.id])) is rita
    with pytest.raises(NotFound):
        rights.look_through(session, web, mara, mine, otto.id, frozenset([team.id]))
    with pytest.raises(Forbidden, match="more than you"):
        rights.look_through(session, web, mara, mine, ada.id, frozenset([team.id]))


def test_who_views_as_somebody_sees_theirs_and_changes_nothing(
    session: Session, client_for: ClientFor, make_user: MakeUser
) -> None:
    ada, rita = make_user("ada"), make_user("rita", Role.REP)
    token = sessions.open_session(session, ada, None)
    web = session.get_one(WebSession, sessions.digest(token))
    client = client_for(None)
    client.cookies.set(sessions.COOKIE, token)
    forged = {"x-csrf-token": web.csrf}
    assert client.post(f"/users/{rita.id}/view-as", headers=forged).status_code == 303
    assert [user["login"] for user in client.get("/api/v1/users").json()["items"]] == ["rita"]
    assert "Nothing can be changed" in client.get("/accounts", headers={"accept": "text/html"}).text
    refused = client.post("/api/v1/accounts", json={"name": "Acme"}, headers=forged)
    assert (refused.status_code, "eyes of Rita" in refused.json()["detail"]) == (403, True)
    assert client.post("/users/view-as/stop", headers=forged).status_code == 303
    assert len(client.get("/api/v1/users").json()["items"]) == 2
