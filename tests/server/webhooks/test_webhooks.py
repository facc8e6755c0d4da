"""Other programs are told once per revision, signed, again when they were away, and again when somebody asks."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Conflict, Invalid
from server.kit.settings import settings
from server.webhooks import jobs, posting, service, signing
from server.webhooks.models import Delivery
from tests.server.peers import drip

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
"""The id of no row."""
type ClientFor = Callable[[User | None], TestClient]


@dataclass
class Peer:
    """What the other program got, and what it answers."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A real web server on this machine."""
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            peer.got.append((dict(self.headers), body))
            self.send_response(peer.status)
            if peer.status == 302:
                self.send_header("Location", peer.url)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_port}/hook?of=waymark"
    yield peer
    server.shutdown()
    thread.join(20)
    server.server_close()


def told(peer: Peer, revision: str = "r1") -> tuple[UUID, str]:
    """An endpoint that is told of a revision: the delivery and the secret."""
    with transaction() as session:
        _endpoint, secret = service.add(session, "Warehouse", peer.url, ["plan_export"])
        (delivery,) = service.announce(session, "plan_export", "2026-11-24/rita", revision)
        return delivery.id, secret


def seen(key: UUID) -> Delivery:
    with transaction() as session:
        return session.get_one(Delivery, key)


def test_a_delivery_carries_type_id_and_revision_and_a_genuine_signature(empty_database: Engine, peer: Peer) -> None:
    key, secret = told(peer)
    jobs.deliver(delivery_id=str(key))
    ((headers, body),) = peer.got
    assert json.loads(body) == {"type": "plan_export", "id": "2026-11-24/rita", "revision": "r1"}
    assert headers["Waymark-Delivery"] == str(key)
    now = int(clock.now().timestamp())
    assert signing.is_genuine(secret, headers["Waymark-Signature"], body, now)
    assert not signing.is_genuine(secret, headers["Waymark-Signature"], body + b" ", now)
    assert not signing.is_genuine("whsec_other", headers["Waymark-Signature"], body, now)
    assert not signing.is_genuine(secret, headers["Waymark-Signature"], body, now + 3600)
    assert not signing.is_genuine(secret, "nonsense", body, now)
    assert (seen(key).state, seen(key).log[0]["status"]) == ("sent", 200)


def test_the_same_revision_is_told_once_and_going_back_is_news(session: Session, peer: Peer) -> None:
    service.add(session, "Warehouse", peer.url, ["plan_export"])
    counts = [len(service.announce(session, "plan_export", "x", revision)) for revision in ("a", "a", "b", "a")]
    assert counts == [1, 0, 1, 1]


def test_a_failure_is_tried_again_and_every_try_is_in_the_log(empty_database: Engine, peer: Peer) -> None:
    peer.status = 503
    key, _secret = told(peer)
    jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).trouble) == ("waiting", "The other side answers 503.")
    assert seen(key).next_at > clock.now()
    peer.status = 204
    with transaction() as session:
        session.get_one(Delivery, key).next_at = clock.now()
    jobs.deliver(delivery_id=str(key))
    assert [entry["status"] for entry in seen(key).log] == [503, 204]
    assert seen(key).state == "sent"


def test_gone_for_good_is_believed(empty_database: Engine, peer: Peer) -> None:
    peer.status = 410
    key, _secret = told(peer)
    jobs.deliver(delivery_id=str(key))
    assert seen(key).state == "failed"


def test_a_redirect_is_not_followed(empty_database: Engine, peer: Peer) -> None:
    peer.status = 302
    key, _secret = told(peer)
    jobs.deliver(delivery_id=str(key))
    assert (len(peer.got), seen(key).trouble) == (1, "The other side answers 302.")


def test_replay_sends_the_same_delivery_with_a_new_time(empty_database: Engine, peer: Peer) -> None:
    key, secret = told(peer)
    jobs.deliver(delivery_id=str(key))
    jobs.deliver(delivery_id=str(key))
    assert len(peer.got) == 1
    with transaction() as session:
        service.replay(session, key)
    jobs.deliver(delivery_id=str(key))
    (first, body), (second, again) = peer.got
    assert (first["Waymark-Delivery"], body) == (second["Waymark-Delivery"], again)
    assert signing.is_genuine(secret, second["Waymark-Signature"], again, int(clock.now().timestamp()))


def test_nobody_answering_and_forbidden_addresses_are_said(empty_database: Engine) -> None:
    for url, words in (("http://127.0.0.1:1/", "does not answer"), ("http://169.254.169.254/x", "nothing may be sent")):
        key, _secret = told(Peer(url=url))
        jobs.deliver(delivery_id=str(key))
        assert words in seen(key).trouble
        with transaction() as session:
            service.remove(session, seen(key).endpoint_id)


def test_a_peer_that_answers_letter_by_letter_is_given_up(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "LONGEST_S", 0.3)
    with drip() as port:
        key, _secret = told(Peer(url=f"http://127.0.0.1:{port}/"))
        jobs.deliver(delivery_id=str(key))
    assert (seen(key).state, seen(key).attempts) == ("waiting", 1)
    assert "no whole answer within 0.3 s" in seen(key).trouble


def test_private_addresses_can_be_forbidden(
    empty_database: Engine, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "private_targets", False)
    key, _secret = told(peer)
    jobs.deliver(delivery_id=str(key))
    assert (peer.got, "private network" in seen(key).trouble) == ([], True)


def test_an_endpoint_that_is_off_is_told_nothing(session: Session, peer: Peer) -> None:
    endpoint, _secret = service.add(session, "Warehouse", peer.url, ["plan_export"])
    (delivery,) = service.announce(session, "plan_export", "x", "a")
    service.switch(session, endpoint.id, active=False)
    assert service.announce(session, "plan_export", "x", "b") == []
    with pytest.raises(Conflict, match="switched off"):
        service.replay(session, delivery.id)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://x/y", "http://", "http://user:pw@x/", "javascript:alert(1)", "http://x:99999",
        "http://a b/", "http://x/hinüber", "http://x/a b", "http://x/\x01",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(session: Session, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        service.add(session, "x", url, ["plan_export"])
    assert refused.value.details["field"] == "url"


PATHS = [("get", ""), ("post", ""), ("get", "/deliveries"), ("post", f"/deliveries/{NOBODY}/replay")]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_stranger_is_refused(client_for: ClientFor, method: str, path: str) -> None:
    assert client_for(None).request(method, f"/api/v1/webhooks{path}").status_code == 401


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER, Role.MARKETING, Role.SUPPORT])
def test_only_admins_have_webhooks(
    client_for: ClientFor, make_user: Callable[..., User], role: Role, method: str, path: str
) -> None:
    body = {"name": "x", "url": "https://example.com", "types": ["plan_export"]} if method == "post" else None
    answer = client_for(make_user("rita", role)).request(method, f"/api/v1/webhooks{path}", json=body)
    assert answer.status_code == 403


def test_the_secret_is_in_the_first_answer_only(client_for: ClientFor, make_user: Callable[..., User]) -> None:
    client = client_for(make_user("ada"))
    body = {"name": "Warehouse", "url": "https://example.com/hook", "types": ["plan_export"]}
    made = client.post("/api/v1/webhooks", json=body)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert "secret" not in client.get("/api/v1/webhooks").text
    path = f"/api/v1/webhooks/{made.json()['id']}"
    assert client.patch(path, json={"active": False}).json()["active"] is False
    assert client.delete(path).status_code == 204
    assert client.get("/api/v1/webhooks").json()["items"] == []


def test_accounts_notes_visits_and_imports_are_told_of(
    session: Session, make_user: Callable[..., User], client_for: ClientFor
) -> None:
    service.add(session, "All", "https://example.com/hook", ["account", "note", "visit", "import"])
    ada = client_for(make_user("ada"))
    account = ada.post("/api/v1/accounts", json={"name": "Amann", "sites": [{"lon": 9.5, "lat": 47.1}]}).json()
    path = f"/api/v1/accounts/{account['id']}"
    changed = ada.patch(path, json={"phone": "+423 123 45 67"}, headers={"If-Match": f'"{account["rev"]}"'})
    assert changed.status_code == 200, changed.text
    note = ada.post("/api/v1/notes", json={"account_id": account["id"], "text": "Likes coffee."}).json()
    visit = ada.post("/api/v1/visits/report", json={"account_id": account["id"]}).json()
    file = {"file": ("list.csv", b"name,city\nBeck,Vaduz\n")}
    run = ada.post("/api/v1/imports", files=file).json()
    wish = {"key": run["options"]["key"], "mapping": run["mapping"]}
    for step in ("mapping", "apply", "undo"):
        answer = ada.post(f"/api/v1/imports/{run['id']}/{step}", json=wish if step == "mapping" else None)
        assert answer.status_code < 300, answer.text
    told = [(one.type, one.row_id) for one in reversed(service.deliveries(session))]
    assert told.count(("account", account["id"])) >= 2
    assert ("note", note["id"]) in told
    assert ("visit", visit["id"]) in told
    assert told.count(("import", run["id"])) == 2


def test_the_receiver_on_the_page_tells_the_genuine_from_the_forged(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, start = signing.RECEIVER.rsplit("\n", 2)[:2]
    assert len(signing.RECEIVER.splitlines()) < 12
    assert start.startswith("http.server.HTTPServer")
    names: dict[str, Any] = {}
    exec(code, names)
    server = ThreadingHTTPServer(("127.0.0.1", 0), names["Hook"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url, body = f"http://127.0.0.1:{server.server_port}/", b'{"type":"account","id":"x","revision":"1"}'
        now = int(clock.now().timestamp())
        sent = {"Waymark-Delivery": "d"}
        for secret, at, status in ((names["SECRET"], now, 204), ("other", now, 401), (names["SECRET"], now - 900, 401)):
            signed = sent | {signing.HEADER: signing.signature(secret, at, body)}
            assert posting.post(url, body, signed) == status
    finally:
        server.shutdown()
        server.server_close()
