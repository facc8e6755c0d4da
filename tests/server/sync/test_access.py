"""Who may sync, and what is refused before anything is read."""

import gzip
import json
import random
from uuid import uuid4

import anyio
import pytest
from fastapi import Request

from server.sync.calling import phones
from server.sync.protocol import wire
from server.sync.protocol.problems import BadMessage
from tests.server.sync.world import Refused, World

PATHS = ("hello", "push", "pull", "digest")


def refusal(world: World, path: str, *, token: str | None = None, **more: object) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = world.client.post(f"/sync/v1/{path}", headers=headers, **more)  # type: ignore[arg-type]
    return answer.status_code, answer.json()["code"]


def test_a_stranger_is_refused(world: World) -> None:
    assert {refusal(world, path, json={}) for path in PATHS} == {(401, "login_required")}


def test_an_api_token_is_no_phone(world: World) -> None:
    from server.auth.tokens import create_api_token
    from server.kit.database import transaction

    with transaction() as session:
        _, secret = create_api_token(session, world.users["rita"], "program", None, None)
    assert {refusal(world, path, token=secret, json={}) for path in PATHS} == {(403, "not_a_device")}


def test_a_locked_a_retired_and_a_stolen_phone_are_told_so(world: World) -> None:
    device_id, access = world.register("rita")
    for state, code in (("locked", "device_locked"), ("retired", "retired"), ("wipe_pending", "wipe")):
        world.sql("update device set state = :state where id = :id", state=state, id=device_id)
        assert {refusal(world, path, token=access, json={}) for path in PATHS} == {(403, code)}


def test_somebody_who_was_switched_off_is_refused(world: World) -> None:
    phone = world.phone("rita")
    phone.sync()
    world.sql("update app_user set active = false where login = 'rita'")
    assert refusal(world, "pull", token=phone.access, json={}) == (401, "login_required")


def test_a_message_of_the_wrong_shape_names_the_key(world: World) -> None:
    _, access = world.register("rita")
    assert refusal(world, "pull", token=access, json={"epoch": "x", "groups": []}) == (422, "bad_request")
    assert refusal(world, "hello", token=access, content=b"no json") == (422, "bad_request")
    assert refusal(world, "push", token=access, content=b"\xff\xfe") == (422, "bad_request")


def test_a_body_that_unpacks_to_far_more_than_it_is_is_refused(world: World) -> None:
    _, access = world.register("rita")
    packed = {"Content-Encoding": "gzip", "Authorization": f"Bearer {access}"}
    bomb = gzip.compress(b" " * 30_000_000)
    answer = world.client.post("/sync/v1/pull", content=bomb, headers=packed)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_big")
    answer = world.client.post("/sync/v1/pull", content=b"not gzip", headers=packed)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


def test_a_message_above_the_limit_is_refused(world: World) -> None:
    _, access = world.register("rita")
    assert refusal(world, "push", token=access, content=b"x" * (wire.MAX_PUSH_BYTES + 1)) == (413, "too_big")
    ops = [{"n": n + 1, "op_id": "018f0000-0000-7000-8000-000000000000"} for n in range(wire.MAX_OPS + 1)]
    phone = world.phone("rita")
    phone.align(phone.hello())
    with pytest.raises(Refused) as refused:
        phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": ops})
    assert refused.value.code == "too_big"


def test_a_phone_that_goes_away_within_a_message_is_nothing_to_log() -> None:
    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "POST", "path": "/sync/v1/push", "headers": []}, gone)
    with pytest.raises(BadMessage, match="broke off"):
        anyio.run(phones.body_of, request)


def test_a_phone_speaks_only_for_itself(world: World) -> None:
    phone, other = world.phone("rita"), world.phone("otto")
    with pytest.raises(Refused) as refused:
        phone.hello(device=str(other.device_id))
    assert (refused.value.status, refused.value.code) == (422, "bad_request")


def test_an_old_app_may_push_but_not_pull(world: World) -> None:
    phone = world.phone("rita")
    account = world.account("Bakery", "west")
    phone.sync()
    phone.schema = 0
    phone.event(account)
    phone.align(phone.hello())
    assert [verdict["status"] for verdict in phone.push()] == ["applied"]
    with pytest.raises(Refused) as refused:
        phone.pull()
    assert (refused.value.status, refused.value.code) == (426, "upgrade")


def test_a_compressed_message_is_read(world: World) -> None:
    phone = world.phone("rita")
    phone.align(phone.hello())
    body = gzip.compress(b'{"epoch": "%s", "groups": [], "limit": 5}' % str(phone.epoch).encode())
    headers = {"Content-Encoding": "gzip", "Authorization": f"Bearer {phone.access}"}
    answer = world.client.post("/sync/v1/pull", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


def test_ops_with_ids_of_others_change_nothing_there_and_tell_nothing_of_it(world: World) -> None:
    mine, theirs = world.account("Mine", "west"), world.account("Theirs", "east", phone="secret", tags=["secret"])
    (site,) = world.sql("select id from site where account_id = :id", id=theirs)[0]
    planned = world.visit(theirs, "otto")
    ids = [mine, theirs, site, planned, world.users["otto"], world.territories["east"], uuid4()]
    asked = (
        "select (select jsonb_build_array(phone, tags, name, owner_id, territory_id, deleted_at) from account"
        " where id = :account), (select to_jsonb(s) from site s where id = :site),"
        " (select jsonb_agg(u order by u.id) from app_user u), (select day from visit where id = :visit)"
    )
    before = world.sql(asked, account=theirs, site=site, visit=planned)
    phone, rng = world.phone("rita"), random.Random(6)
    phone.align(phone.hello())
    for _ in range(120):
        row_id, other = rng.choice(ids), rng.choice(ids)
        entity = rng.choice(
            ("account", "site", "visit", "contact", "user_public", "territory", "activity", "attachment")
        )
        match rng.choice(("patch", "setadd", "delete", "event", "pin", "photo")):
            case "patch":
                name = rng.choice(("phone", "role", "rep_id", "street", "password_hash", "state"))
                phone.save("patch", entity, row_id, base_rev=9, f={name: ["secret", "taken"]})
            case "setadd":
                phone.save("setadd", entity, row_id, field="tags", v=["taken"])
            case "delete":
                phone.save("delete", entity, row_id, base_rev=9)
            case "event":
                phone.event(row_id, visit_id=other, site_id=str(rng.choice(ids)))
            case "pin":
                pin = {"account_id": str(mine), "site_id": str(row_id), "lon": 9.1, "lat": 47.1, "note": None}
                phone.save("create", "pin_proposal", uuid4(), d=pin | {"fix": None})
            case "photo":
                photo = {"account_id": str(row_id), "entity": "visit", "row_id": str(other), "kind": "photo"}
                phone.save("create", "attachment", uuid4(), d=photo)
    verdicts = phone.push()
    assert len(verdicts) == 120
    told = json.dumps([{**one, "conflicts": [c["server"] for c in one.get("conflicts", [])]} for one in verdicts])
    assert "secret" not in told
    assert world.sql(asked, account=theirs, site=site, visit=planned) == before
