"""Who this phone is to the server: registration, and rotating refresh tokens bound to the device key."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from mobile.field.home import PhoneHome, SignedIn
from mobile.field.ports import Keys, Secrets
from mobile.field.store import clock
from mobile.field.store.canonical import Json
from mobile.field.sync.api import Api
from mobile.field.sync.problems import SignInNeeded

EARLY = timedelta(seconds=60)


@dataclass(frozen=True)
class Tokens:
    """What proves that this phone is registered."""

    device_id: str
    key_alias: str
    access_token: str
    refresh_token: str
    expires_at: str


def _name(user_id: str) -> str:
    return f"tokens-{user_id}"


def load(store: Secrets, user_id: str) -> Tokens | None:
    text = store.get(_name(user_id))
    return None if text is None else Tokens(**json.loads(text))


def save(store: Secrets, user_id: str, tokens: Tokens) -> None:
    store.put(_name(user_id), json.dumps(asdict(tokens)))


def forget(store: Secrets, user_id: str) -> None:
    store.delete(_name(user_id))


def _expires_at(answer: Json) -> str:
    return (clock.now() + timedelta(seconds=int(answer["expires_s"]))).isoformat(timespec="seconds")


def sign_in(
    api: Api, home: PhoneHome, keys: Keys, store: Secrets, *, server: str, login: str, password: str, device_name: str
) -> SignedIn:
    """Register this phone for a user who knows their password."""
    proof = {"login": login, "password": password}
    return _register(api, home, keys, store, server, "/api/v1/devices", proof | {"name": device_name})


def sign_in_by_code(
    api: Api, home: PhoneHome, keys: Keys, store: Secrets, *, server: str, code: str, device_name: str
) -> SignedIn:
    """Register this phone for the user for whom a code was made."""
    return _register(api, home, keys, store, server, "/api/v1/devices/by-code", {"code": code, "name": device_name})


def _register(api: Api, home: PhoneHome, keys: Keys, store: Secrets, server: str, path: str, proof: Json) -> SignedIn:
    """Register this phone; unsent work of an earlier registration continues under the new one."""
    alias, public_key = keys.create()
    message = proof | {
        "former": former(home, store),
        "platform": "android" if "ANDROID_ARGUMENT" in os.environ else "desktop",
        "public_key": public_key,
    }
    answer = api.call("POST", path, message, signed_in=False)
    user = answer["user"]
    who = SignedIn(server=server, user_id=user["id"], login=user["login"], name=user["name"], role=user["role"])
    opened = home.store(who.user_id)
    try:
        opened.outbox.adopt_device(answer["device_id"])
        opened.outbox.meta.set("user_id", who.user_id)
        opened.rebuild_overlay()
    finally:
        opened.close()
    tokens = Tokens(answer["device_id"], alias, answer["access_token"], answer["refresh_token"], _expires_at(answer))
    save(store, who.user_id, tokens)
    home.remember(who)
    return who


def former(home: PhoneHome, store: Secrets) -> list[str]:
    """The devices that this phone is or was to the server, of whomever; one that is locked stays so."""
    known = (load(store, folder.name) for folder in sorted((home.folder / "users").glob("*")))
    return [tokens.device_id for tokens in known if tokens is not None]


class TokenKeeper:
    """Step 1 of sync: a valid access token, refreshed when it is about to expire."""

    def __init__(self, api: Api, keys: Keys, store: Secrets, user_id: str) -> None:
        self._api, self._keys, self._store, self._user_id = api, keys, store, user_id
        api.refresh = self.refresh

    def ensure(self) -> Tokens:
        """Valid tokens; raises SignInNeeded when there are none."""
        tokens = self._load()
        self._api.access_token = tokens.access_token
        if clock.now() + EARLY >= datetime.fromisoformat(tokens.expires_at):
            self.refresh()
        return self._load()

    def refresh(self) -> None:
        """Rotate. When the answer is lost the old token still works, so this may simply be run again."""
        tokens = self._load()
        nonce = secrets.token_hex(16)
        proof = f"waymark-refresh-1\n{tokens.device_id}\n{tokens.refresh_token}\n{nonce}"
        answer = self._api.call(
            "POST",
            "/api/v1/auth/refresh",
            {
                "device_id": tokens.device_id,
                "refresh_token": tokens.refresh_token,
                "nonce": nonce,
                "signature": self._keys.sign(tokens.key_alias, proof.encode("utf-8")),
            },
            signed_in=False,
        )
        fresh = Tokens(
            tokens.device_id, tokens.key_alias, answer["access_token"], answer["refresh_token"], _expires_at(answer)
        )
        save(self._store, self._user_id, fresh)
        self._api.access_token = fresh.access_token

    def _load(self) -> Tokens:
        tokens = load(self._store, self._user_id)
        if tokens is None:
            raise SignInNeeded(401, "login_required", "this phone is not signed in")
        return tokens
