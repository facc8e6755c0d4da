"""Valhalla on loopback: the real server, or a peer that repeats what the real server answered about the village.

`WAYMARK_VALHALLA=folder/with/valhalla_service` runs the real one (the wheel `pyvalhalla` holds it) and writes down
anew what it answers; without it the written answers are served over HTTP.
"""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

RECORD = Path(__file__).with_name("valhalla_answers.json")


@contextmanager
def served(village: Path, folders: pytest.TempPathFactory) -> Iterator[Callable[[str, bytes], bytes]]:
    """The way to a Valhalla server about the village."""
    binaries = os.environ.get("WAYMARK_VALHALLA")
    if binaries is None:
        with repeated(json.loads(RECORD.read_text())) as port:
            yield lambda path, body: post(port, path, body)
        return
    told: dict[str, str] = {}

    def asked(path: str, body: bytes) -> bytes:
        answer = post(port, path, body)
        told[f"{path} {body.decode()}"] = answer.decode()
        return answer

    with real(Path(binaries), village, folders.mktemp("valhalla")) as port:
        yield asked
    RECORD.write_text(json.dumps(told, indent=0, sort_keys=True) + "\n")


def post(port: int, path: str, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def repeated(told: dict[str, str]) -> Iterator[int]:
    class Peer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = f"{self.path} {self.rfile.read(int(self.headers['Content-Length'])).decode()}"
            answer = told.get(question, '{"error": "never asked before: ' + self.path + '", "error_code": 0}').encode()
            self.send_response(400 if b'"error"' in answer else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def real(binaries: Path, village: Path, home: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = binaries.parent / "valhalla_build_config.py"
    made = subprocess.run(
        [sys.executable, script, "--mjolnir-tile-dir", home / "tiles"], capture_output=True, text=True, check=True
    )
    config = json.loads(made.stdout)
    config["httpd"]["service"] |= {"listen": f"tcp://127.0.0.1:{port}"} | {
        name: f"ipc://{home}/{name}" for name in ("loopback", "interrupt")
    }
    for stage in ("loki", "thor", "odin", "meili"):
        config[stage]["service"]["proxy"] = f"ipc://{home}/{stage}"
    settings = home / "valhalla.json"
    settings.write_text(json.dumps(config))
    subprocess.run([binaries / "valhalla_build_tiles", "-c", settings, village], capture_output=True, check=True)
    process = subprocess.Popen([binaries / "valhalla_service", settings, "1"], stdout=subprocess.DEVNULL)
    try:
        while not answers(port):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                raise RuntimeError("valhalla_service has ended")
        yield port
    finally:
        process.kill()
        process.wait()
