"""Tokens of phones: bound to the phone's key, good again when an answer is lost, ended when somebody copied them."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth import tokens
from server.kit.errors import Invalid
from tests.server.sync.world import World, private_key

NONCE = "0" * 32


def exchanged(world: World, device: UUID, refresh: str, key: ec.EllipticCurvePrivateKey | None = None) -> Any:
    """The answer to a refresh token, signed with the phone's key or another."""
    signature = (key or private_key()).sign(tokens.refresh_message(device, refresh, NONCE), ec.ECDSA(hashes.SHA256()))
    said = {"device_id": str(device), "refresh_token": refresh, "nonce": NONCE}
    return world.client.post(
        "/api/v1/auth/refresh", json=said | {"signature": base64.b64encode(signature).decode()}
    ).json()


def code(world: World, access: str) -> str | None:
    """Why an access token is refused; None when it is not."""
    answer = world.client.get("/api/v1/me", headers={"Authorization": f"Bearer {access}"})
    found: str | None = answer.json().get("code")
    return found


def test_a_pair_is_exchanged_and_the_old_one_ends_with_the_first_use_of_the_new(world: World) -> None:
    device, access, refresh = world.registered("rita")
    fresh = exchanged(world, device, refresh)
    assert code(world, access) is None, "the answer may not have arrived yet"
    assert code(world, fresh["access_token"]) is None
    assert code(world, access) == "login_required"


def test_a_lost_answer_costs_nothing_and_what_was_lost_is_worthless(world: World) -> None:
    device, _, refresh = world.registered("rita")
    lost, arrived = (exchanged(world, device, refresh) for _ in range(2))
    assert code(world, arrived["access_token"]) is None
    assert code(world, lost["access_token"]) == "login_required"
    assert exchanged(world, device, arrived["refresh_token"])["expires_s"] > 0


def test_a_token_that_is_used_after_its_successor_ends_the_whole_family(world: World) -> None:
    device, _, refresh = world.registered("rita")
    fresh = exchanged(world, device, refresh)
    assert code(world, fresh["access_token"]) is None
    assert exchanged(world, device, refresh)["code"] == "token_reused"
    assert code(world, fresh["access_token"]) == "login_required"
    assert exchanged(world, device, fresh["refresh_token"])["code"] == "token_reused"
    assert world.sql("select count(*) > 0 from auth_event where kind = 'token_reused'") == [(True,)]


def test_a_stolen_token_without_the_key_is_worth_nothing_and_harms_nobody(world: World) -> None:
    device, access, refresh = world.registered("rita")
    another, _, _ = world.registered("otto")
    thief = ec.generate_private_key(ec.SECP256R1())
    assert exchanged(world, device, refresh, thief)["code"] == "login_required"
    assert exchanged(world, another, refresh)["code"] == "login_required"
    assert code(world, access) is None
    assert "access_token" in exchanged(world, device, refresh)


def test_a_family_ends_after_ninety_days_however_often_it_was_renewed(world: World) -> None:
    device, _, refresh = world.registered("rita")
    world.sql("update device_token set family_expires_at = now() + interval '10 days'")
    fresh = exchanged(world, device, refresh)
    (left,) = world.sql("select refresh_expires_at - now() from device_token order by refresh_expires_at")[0]
    assert left < timedelta(days=10)
    world.sql("update device_token set refresh_expires_at = now() - interval '1 minute'")
    assert exchanged(world, device, fresh["refresh_token"])["code"] == "login_required"


@pytest.mark.parametrize(
    ("state", "refused"), [("locked", "device_locked"), ("retired", "retired"), ("wipe_pending", "wipe")]
)
def test_a_phone_out_of_service_is_told_so_at_every_door(world: World, state: str, refused: str) -> None:
    device, access, refresh = world.registered("rita")
    world.sql("update device set state = :state", state=state)
    assert exchanged(world, device, refresh)["code"] == refused
    assert code(world, access) == refused


@pytest.mark.parametrize("key", ["", "AAAA", "another curve"])
def test_a_phone_registers_with_a_p_256_key_and_no_other(key: str) -> None:
    if key == "another curve":
        other = ec.generate_private_key(ec.SECP384R1()).public_key()
        key = base64.b64encode(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    with pytest.raises(Invalid, match="public_key"):
        tokens.public_key(key)
