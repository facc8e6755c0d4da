"""Contents of photos: announced by an op, sent in pieces, never lost half way, read by whoever sees what has them."""

import base64
import hashlib
import io
import random
import struct
import zlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from server.attachments.jobs import show_small
from server.files import store, uploads
from server.files.jobs import forget_halves
from server.kit.database import transaction
from tests.server.sync.world import Phone, World


def picture(seed: int = 1, size: tuple[int, int] = (320, 240)) -> bytes:
    """A JPEG that looks like no other."""
    buffer = io.BytesIO()
    noise = random.Random(seed).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, noise).save(buffer, "JPEG", quality=60)
    return buffer.getvalue()


def bomb() -> bytes:
    """A few bytes that say they are a picture of 65,000 by 65,000."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0")
    parts = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (head, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture(autouse=True)
def empty_store() -> None:
    """Contents of other tests are gone."""
    for path in [*store.stored(), *store.on_the_way(), *uploads.folder().iterdir()]:
        path.unlink()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def announce(phone: Phone, account: UUID, content: bytes, **more: Any) -> dict[str, Any]:
    """An op that says of a photo."""
    d = {
        "account_id": str(account), "owner": "account", "owner_id": str(account), "kind": "photo",
        "name": "door.jpg", "mime": "image/jpeg", "size": len(content), "sha256": sha(content),
        "thumbnail_sha256": None, "width": 320, "height": 240, "taken_at": "2026-11-26T10:12:29.000+01:00",
    }  # fmt: skip
    return phone.save("create", "attachment", uuid4(), d=d | more)


def ask(phone: Phone, method: str, of: bytes, **more: Any) -> Any:
    """A request about a content."""
    headers = {"Authorization": f"Bearer {phone.access}"} | more.pop("headers", {})
    return phone.client.request(method, f"/att/v1/{sha(of)}", headers=headers, **more)


def declare(phone: Phone, content: bytes) -> Any:
    return ask(phone, "POST", content, json={"size": len(content)})


def send(phone: Phone, content: bytes, start: int, end: int, damage: bytes = b"") -> Any:
    """A piece of a content."""
    piece = content[start:end]
    checksum = "sha256 " + base64.b64encode(hashlib.sha256(piece).digest()).decode()
    headers = {"Upload-Offset": str(start), "Upload-Checksum": checksum}
    return ask(phone, "PATCH", content, content=damage or piece, headers=headers)


@pytest.fixture
def account(world: World) -> UUID:
    return world.account("Bakery", "west")


def test_a_photo_arrives_in_pieces_and_is_seen_by_whoever_sees_the_account(world: World, account: UUID) -> None:
    rita, otto, content = world.phone("rita"), world.phone("otto"), picture()
    assert world.client.post(f"/att/v1/{sha(content)}", json={"size": 1}).status_code == 401
    assert declare(rita, content).json()["code"] == "not_announced"
    visit = announce(rita, account, content, owner="visit", owner_id=str(uuid4()))
    assert [one["status"] for one in rita.sync()] == ["applied"]
    assert rita.rows["attachment", visit["id"]][1]["is_here"] is False
    assert declare(rita, content).json() == {"durable": False, "offset": 0, "state": "partial"}
    assert send(rita, content, 0, 1000).headers["Upload-Offset"] == "1000"
    late = send(rita, content, 0, 1000)
    assert (late.status_code, late.json()["code"], late.json()["offset"]) == (409, "wrong_offset", 1000)
    damaged = send(rita, content, 1000, 2000, damage=b"x" * 1000)
    assert (damaged.status_code, damaged.headers["Upload-Offset"]) == (460, "1000")
    assert ask(rita, "HEAD", content).headers["Upload-Offset"] == "1000"
    assert declare(otto, content).json()["code"] == "not_announced"
    assert ask(rita, "GET", content).status_code == 404
    assert send(rita, content, 1000, len(content)).json()["state"] == "stored"
    assert ask(rita, "HEAD", content).headers["Upload-Offset"] == str(len(content))
    assert declare(rita, content).json() == {"durable": False, "offset": len(content), "state": "stored"}
    assert list(uploads.folder().iterdir()) == []
    answer = ask(rita, "GET", content, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (206, content[:10])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert ask(rita, "GET", content, headers={"If-None-Match": f'"{sha(content)}"'}).status_code == 304
    assert ask(otto, "GET", content).status_code == 404
    show_small(visit["id"])
    rita.sync()
    row = rita.rows["attachment", visit["id"]][1]
    assert row["is_here"]
    assert store.has(row["thumbnail_sha256"])
    otto.sync()
    assert otto.ids("attachment") == set()
    world.move(account, "east")
    rita.sync(), otto.sync()
    assert (rita.ids("attachment"), otto.ids("attachment")) == (set(), {visit["id"]})
    assert (ask(rita, "GET", content).status_code, ask(otto, "GET", content).status_code) == (404, 200)


def test_knowing_a_hash_is_not_having_the_content(world: World, account: UUID) -> None:
    rita, otto, content = world.phone("rita"), world.phone("otto"), picture()
    announce(rita, account, content), announce(rita, account, content)
    announce(otto, world.account("Mill", "east"), content)
    rita.sync(), otto.sync()
    declare(rita, content), send(rita, content, 0, len(content))
    assert world.sql("select count(*) from attachment where file_id is not null")[0][0] == 2
    assert declare(otto, content).json()["state"] == "partial"
    announce(rita, account, content, name="again.jpg")
    rita.sync()
    assert declare(rita, content).json()["state"] == "stored"
    assert send(otto, content, 0, len(content)).json()["state"] == "stored"
    assert len(list(store.stored())) == 1


@pytest.mark.parametrize("as_small_picture", [False, True])
def test_announcing_a_hash_does_not_open_the_content(world: World, account: UUID, as_small_picture: bool) -> None:
    otto, rita, content = world.phone("otto"), world.phone("rita"), picture()
    announce(otto, world.account("East", "east"), content)
    otto.sync()
    declare(otto, content)
    assert send(otto, content, 0, len(content)).json()["state"] == "stored"
    more = {"sha256": "c" * 64, "thumbnail_sha256": sha(content)} if as_small_picture else {}
    announce(rita, account, content, **more)
    rita.sync()
    assert declare(rita, content).json()["state"] == "partial"
    assert ask(rita, "GET", content).status_code == 404


def test_a_server_killed_between_a_piece_and_its_count_goes_on_where_it_counted(
    world: World, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    rita, content = world.phone("rita"), picture()
    announce(rita, account, content)
    rita.sync()
    declare(rita, content), send(rita, content, 0, 1000)
    with monkeypatch.context() as patch:
        patch.setattr(uploads.clock, "now", lambda: 1 / 0)
        assert send(rita, content, 1000, 3000).status_code == 500
    assert declare(rita, content).json()["offset"] == 1000
    assert send(rita, content, 1000, 1500).json()["offset"] == 1500
    pieces = next(uploads.folder().iterdir())
    pieces.write_bytes(pieces.read_bytes()[:-1] + b"!")  # the disk itself was wrong
    assert (rotten := send(rita, content, 1500, len(content))).status_code == 460
    assert rotten.json()["offset"] == 0
    assert send(rita, content, 0, len(content)).json()["state"] == "stored"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><script>alert(1)</script>", "is called a picture, but is text/plain"),
        (bomb(), "million pixels"),
    ],
    ids=["a page", "a bomb"],
)
def test_what_is_no_harmless_picture_is_refused_with_the_reason(
    world: World, account: UUID, content: bytes, words: str
) -> None:
    rita = world.phone("rita")
    announce(rita, account, content)
    rita.sync()
    declare(rita, content)
    for answer in (send(rita, content, 0, len(content)), declare(rita, content)):
        assert (answer.status_code, answer.json()["code"]) == (422, "file_refused")
        assert words in answer.json()["detail"]
    assert list(store.stored()) == list(uploads.folder().iterdir()) == []
    assert declare(rita, content + b"more").json()["code"] == "not_announced"
    announce(rita, account, content + b"12345", size=16_000_000)
    assert rita.sync()[0]["status"] == "rejected"


def test_a_content_is_durable_once_a_backup_taken_after_it_was_verified(world: World, account: UUID) -> None:
    rita, content = world.phone("rita"), picture()
    announce(rita, account, content)
    rita.sync()
    declare(rita, content), send(rita, content, 0, len(content))
    for ago, durable in (("1 hour", False), ("-1 hour", True)):
        world.sql(f"update sync_meta set durable_at = now() - interval '{ago}'")
        assert declare(rita, content).json()["durable"] is durable
    store.path_of(sha(content)).unlink()
    assert declare(rita, content).json() == {"durable": False, "offset": 0, "state": "partial"}
    assert send(rita, content, 0, len(content)).json()["state"] == "stored"
    world.sql("update sync_meta set durable_at = null")


def test_half_files_of_long_ago_are_forgotten_and_a_visit_has_twenty_at_most(world: World, account: UUID) -> None:
    rita, visit = world.phone("rita"), str(uuid4())
    content = picture()
    for number in range(21):
        announce(rita, account, content, owner="visit", owner_id=visit, name=f"{number}.jpg")
    verdicts = rita.sync()
    assert [one["status"] for one in verdicts] == ["applied"] * 20 + ["rejected"]
    assert "room for 20 files" in verdicts[-1]["error"]["msg"]
    rita.save("delete", "attachment", rita.journal[0]["id"], base_rev=0)
    assert [one["status"] for one in rita.sync()] == ["applied"]
    assert len(rita.ids("attachment")) == 19
    declare(rita, content), send(rita, content, 0, 100)
    world.sql("update file_upload set touched_at = now() - interval '40 days'")
    with transaction() as session:
        forget_halves(session)
    assert world.sql("select count(*) from file_upload") == [(0,)]
