"""Codes that let a phone in once: for whom, how often, how long, and what is said otherwise."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from server.auth.models import Role
from server.auth.service import change_user
from server.auth.tokens import create_api_token
from server.kit.database import transaction
from tests.server.sync.world import World, public_key

CODES = "/api/v1/device-codes"


def signed(world: World, login: str, permissions: list[str] | None = None) -> dict[str, str]:
    """The headers of a program that acts for somebody."""
    with transaction() as session:
        _, secret = create_api_token(session, world.users[login], "test", permissions, None)
    return {"Authorization": f"Bearer {secret}"}


def made(world: World, by: str, of: str | None = None) -> Any:
    """The answer to who wants a code, for themselves or somebody else."""
    body = {"user_id": str(world.users[of])} if of else {}
    return world.client.post(CODES, json=body, headers=signed(world, by)).json()


def tried(world: World, code: str) -> Any:
    """What a phone is told that comes with a code."""
    body = {"code": code, "name": "Rita's phone", "platform": "android", "public_key": public_key()}
    return world.client.post("/api/v1/devices/by-code", json=body).json()


def test_a_code_lets_one_phone_in_as_a_password_would(world: World) -> None:
    told = made(world, "mona", of="rita")
    assert "link" in told, told
    asked = parse_qs(urlsplit(told["link"]).query)
    assert (urlsplit(told["link"]).scheme, asked["code"], asked["server"]) == (
        "waymark", [told["code"]], ["http://testserver"],
    )  # fmt: skip
    waiting = world.client.get(CODES, headers=signed(world, "mona")).json()["items"]
    assert [(one["user_id"], "code" in one) for one in waiting] == [(str(world.users["rita"]), False)]
    assert world.sql("select count(*) from device_code where code_hash = sha256(:c)", c=told["code"].encode()) == [(0,)]
    phone = tried(world, told["code"].lower().replace("-", " "))
    assert phone["user"]["login"] == "rita"
    me = world.client.get("/api/v1/me", headers={"Authorization": f"Bearer {phone['access_token']}"}).json()
    assert me["id"] == str(world.users["rita"])
    again = tried(world, told["code"])
    assert (again["code"], again["help"]) == ("code_used", "Make a new one; each works once.")
    assert world.client.get(CODES, headers=signed(world, "mona")).json()["items"] == []
    events = "select kind, actor = :m from auth_event where kind like '%code%' order by id"
    assert world.sql(events, m=world.users["mona"]) == [
        ("code_made", True), ("signed_in_by_code", None),
    ]  # fmt: skip


def test_what_is_too_old_taken_back_replaced_or_not_ours_says_what_to_do(world: World) -> None:
    first, second = made(world, "rita"), made(world, "rita")
    assert tried(world, first["code"])["code"] == "code_expired", "a new code ends the one before"
    taken_back = world.client.delete(f"{CODES}/{second['id']}", headers=signed(world, "rita"))
    assert (taken_back.status_code, tried(world, second["code"])["code"]) == (204, "code_expired")
    third = made(world, "rita")
    world.sql("update device_code set expires_at = now() - interval '1 second' where revoked_at is null")
    old = tried(world, third["code"])
    assert (old["code"], old["help"]) == ("code_expired", "Make a new one; each works for ten minutes.")
    foreign = tried(world, "ABCDE-FGHJK")
    assert foreign["code"] == "code_unknown"
    assert "server's address" in foreign["help"]
    good = made(world, "rita")
    world.sql("update app_user set active = false where login = 'rita'")
    assert tried(world, good["code"])["code"] == "login_required"
    assert world.sql("select count(*) from device") == [(0,)]


def test_a_code_ends_with_what_it_was_made_on(world: World) -> None:
    admin = world.user("ada", Role.ADMIN)

    def changed(login: str, **change: Any) -> None:
        with transaction() as session:
            change_user(session, world.users[login], change, admin)

    own = made(world, "rita")["code"]
    changed("rita", password="another good password")
    assert tried(world, own)["code"] == "code_expired"
    lent = made(world, "mona", of="rita")["code"]
    for active in (False, True):
        changed("mona", active=active)
        assert tried(world, lent)["code"] == "code_expired"
    lent = made(world, "mona", of="rita")["code"]
    changed("rita", role=Role.ADMIN.value)
    assert tried(world, lent)["code"] == "code_expired"
    changed("rita", role=Role.REP.value)
    lent = made(world, "mona", of="rita")["code"]
    world.sql("update app_user set role = 'admin' where login = 'rita'")
    assert tried(world, lent)["code"] == "code_expired", "asked once more when it is used"


def test_nobody_makes_codes_for_strangers_or_for_whoever_may_do_more(world: World) -> None:
    world.user("ada", Role.ADMIN)
    world.team("leaders", ["mona", "ada"])
    assert made(world, "rita", of="otto")["code"] == "not_found"
    assert made(world, "mona", of="ada")["code"] == "not_allowed"
    assert "code" in made(world, "ada", of="mona")
    few = signed(world, "rita", ["devices:read"])
    assert world.client.post(CODES, json={}, headers=few).json()["code"] == "not_allowed", "the key would grow"
    _, access, _ = world.registered("rita")
    phone = world.client.post(CODES, json={}, headers={"Authorization": f"Bearer {access}"})
    assert phone.json()["code"] == "not_allowed"
    hers = made(world, "rita")
    assert world.client.delete(f"{CODES}/{hers['id']}", headers=signed(world, "otto")).status_code == 404
    assert world.client.post(CODES, json={}).status_code == 401


def test_whoever_guesses_codes_is_sent_away_and_a_right_one_does_not_help_then(world: World) -> None:
    told = made(world, "rita")
    assert {tried(world, f"ABCDE-{n:05}")["code"] for n in range(10)} == {"code_unknown"}
    answer = tried(world, told["code"])
    assert (answer["code"], answer["after_s"]) == ("rate_limited", 900)
    world.sql("update auth_event set at = at - interval '16 minutes' where kind = 'code_failed'")
    assert UUID(tried(world, told["code"])["device_id"])
