"""Who gets in, and who does not."""

from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.auth.service import create_user, fits
from server.kit.errors import Conflict
from tests.server.at_once import overlapping

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]


def test_a_stranger_is_refused(client_for: ClientFor) -> None:
    answer = client_for(None).get("/api/v1/users")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "login_required"


def test_a_rep_sees_only_herself_among_the_users(client_for: ClientFor, make_user: MakeUser) -> None:
    rita, _ = make_user("rita", Role.REP), make_user("otto", Role.REP)
    client = client_for(rita)
    assert [user["login"] for user in client.get("/api/v1/users").json()["items"]] == ["rita"]
    assert client.post("/api/v1/users", json={"login": "eve", "name": "Eve", "role": "admin"}).status_code == 403


def test_a_password_is_stored_so_that_nobody_can_read_it(session: Session, make_user: MakeUser) -> None:
    ada = make_user("ada")
    assert ada.password_hash is not None
    assert ada.password_hash.startswith("$argon2id$")
    assert fits(ada, "three words make one")
    assert not fits(ada, "three words make two")


def test_a_weak_password_names_the_field_and_the_way_out(client_for: ClientFor, make_user: MakeUser) -> None:
    answer = client_for(make_user("ada")).post(
        "/api/v1/users", json={"login": "bo", "name": "Bo", "role": "rep", "password": "short"}
    )
    assert answer.status_code == 422
    assert answer.json()["field"] == "password"


def test_the_last_admin_cannot_be_switched_off(client_for: ClientFor, make_user: MakeUser) -> None:
    ada = make_user("ada")
    answer = client_for(ada).patch(f"/api/v1/users/{ada.id}", json={"active": False})
    assert answer.status_code == 409


def test_two_people_who_save_the_same_address_at_once_do_not_both_keep_it(empty_database: object) -> None:
    def invited(login: str) -> Callable[[Session], User]:
        return lambda session: create_user(session, login=login, name=login, role=Role.REP, email="Rita@example.org")

    came = overlapping(invited("rita"), invited("otto"))
    assert isinstance(came, Conflict)
    assert "Somebody else has the address" in str(came)
