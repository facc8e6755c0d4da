"""Downloading by name, against a small extract server on loopback."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from server.kit.settings import settings
from server.regions import downloading
from server.regions.commands import find_extract
from server.regions.errors import ExtractServerAway, NoSuchRegion
from tests.server.peers import drip

CONTENT = bytes(range(256)) * 4000


@dataclass
class Peer:
    """What the server offers and what it was asked."""

    url: str = ""
    etag: str = '"one"'
    break_after: int | None = None
    drip_after: int | None = None
    over: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def peer(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    state = Peer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers.get("Range", "")))
            if self.path.endswith(".json"):
                names = {"tinyland": "Tiny Land", "us/maryland": "Maryland"}
                rows = [{"id": k, "name": n, "urls": {"pbf": f"{state.url}/{k}.osm.pbf"}} for k, n in names.items()]
                return self._send(200, json.dumps({"features": [{"properties": row} for row in rows]}).encode())
            if self.headers.get("If-None-Match") == state.etag:
                return self._send(304, b"")
            if self.headers.get("If-Range") == state.etag:
                start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                return self._send(206, CONTENT[start:])
            return self._send(200, CONTENT)

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("ETag", state.etag)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.path.endswith(".pbf") and state.drip_after is not None:
                self._drip(body, state.drip_after)
            else:
                self.wfile.write(body[: state.break_after] if self.path.endswith(".pbf") else body)

        def _drip(self, body: bytes, after: int) -> None:
            """So much at once, then a byte now and then."""
            with contextlib.suppress(OSError):
                self.wfile.write(body[:after])
                while not state.over.wait(0.02):
                    self.wfile.write(body[after : (after := after + 1)])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("WAYMARK_EXTRACT_SERVER", state.url)
    settings.cache_clear()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    state.over.set()
    server.shutdown()
    server.server_close()


def test_a_region_is_found_by_key_by_name_and_by_its_last_word(peer: Peer) -> None:
    assert downloading.find("TinyLand").key == "tinyland"
    assert downloading.find("tiny land").key == "tinyland"
    assert downloading.find("maryland").key == "us/maryland"


def test_an_unknown_region_names_the_nearest(peer: Peer) -> None:
    with pytest.raises(NoSuchRegion, match="no region “tinylant”") as caught:
        downloading.find("tinylant")
    assert caught.value.help == "Did you mean tinyland?"


def test_an_extract_is_downloaded_once(peer: Peer) -> None:
    steps: list[tuple[int, int]] = []
    offer = downloading.find("tinyland")
    path = downloading.download(offer, lambda done, total: steps.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    steps.clear()
    assert downloading.download(offer, lambda done, total: steps.append((done, total))) == path
    assert steps == []


def test_a_broken_download_goes_on_where_it_stopped(peer: Peer) -> None:
    offer = downloading.find("tinyland")
    peer.break_after = 300_000
    with pytest.raises(ExtractServerAway):
        downloading.download(offer)
    peer.break_after = None
    assert downloading.download(offer).read_bytes() == CONTENT
    assert peer.asked[-1][1].startswith("bytes=")
    assert peer.asked[-1][1] != "bytes=0-"


def test_a_server_that_only_drips_is_left_and_asked_for_the_rest_later(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held the download for ever: each byte came before the silence was too long."""
    offer = downloading.find("tinyland")
    peer.drip_after = 300_000
    monkeypatch.setattr(downloading, "BLOCK_S", 0.5)
    with pytest.raises(
        ExtractServerAway, match=r"stopped after 262,144 bytes \(no whole answer within 0.5 s\)"
    ) as caught:
        downloading.download(offer)
    assert offer.url in caught.value.message
    assert "goes on where it stopped" in caught.value.help
    peer.drip_after = None
    monkeypatch.setattr(downloading, "BLOCK_S", 60.0)
    assert downloading.download(offer).read_bytes() == CONTENT
    assert peer.asked[-1][1] == "bytes=262144-"


def test_a_server_that_drips_the_head_of_its_answer_is_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "TIMEOUT_S", 0.5)
    with drip() as port:
        monkeypatch.setenv("WAYMARK_EXTRACT_SERVER", f"http://127.0.0.1:{port}")
        settings.cache_clear()
        with pytest.raises(ExtractServerAway, match=r"no whole answer within 0\.5 s"):
            downloading.find("tinyland")


def test_half_of_an_old_extract_is_not_glued_to_a_new_one(peer: Peer) -> None:
    offer = downloading.find("tinyland")
    peer.break_after = 300_000
    with pytest.raises(ExtractServerAway):
        downloading.download(offer)
    peer.break_after, peer.etag = None, '"two"'
    assert downloading.download(offer).read_bytes() == CONTENT


def test_without_a_network_the_message_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_EXTRACT_SERVER", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(ExtractServerAway, match="does not answer") as caught:
        downloading.find("tinyland")
    assert "give the file" in caught.value.help


def test_a_file_is_taken_as_it_is_and_a_name_is_downloaded(peer: Peer, extract: Path) -> None:
    assert find_extract(str(extract), lambda *_: None) == (extract, None)
    path, source = find_extract("tinyland", lambda *_: None)
    assert path.read_bytes() == CONTENT
    assert source == f"{peer.url}/tinyland.osm.pbf"
