"""The phone without a screen, as a process of its own, against a server that comes and goes."""

import base64
import json
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mobile.field.sync.transport import Request
from tests.mobile.conftest import DAY, fill, uid
from tests.mobile.field.fake_server import FakeServer


class Listener:
    """The test double behind a real port of this machine, which can go away and come back."""

    def __init__(self, fake):
        self.fake, self.port, self.http = fake, 0, None

    def start(self):
        fake = self.fake

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = fake.answer(Request(self.command, self.path, self.headers, body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, *_args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def listener():
    fake = FakeServer()
    fill(fake, accounts=4)
    listener = Listener(fake)
    listener.start()
    yield listener
    listener.stop()


def phone(home, *args, expect=0):
    command = [sys.executable, "-m", "mobile.headless", "--home", str(home), *args]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == expect, ran.stdout + ran.stderr
    (line,) = ran.stdout.splitlines()
    return json.loads(line)


def test_visits_logged_with_the_server_down_arrive_exactly_once_when_it_is_back(tmp_path, listener):
    home = tmp_path / "phone"
    address = f"http://127.0.0.1:{listener.port}"
    signed = phone(home, "--server", address, "--login", "mara", "--password", "secret", "sign-in")
    assert signed["user_id"] == listener.fake.user_id
    assert phone(home, "sync")["rows"] > 10
    listener.stop()

    logged = phone(home, "log-visits", "3", "--day", DAY, "--seed", "1")
    assert [v["visit_id"] for v in logged["visits"]] == [uid(3001), uid(3002), uid(3003)]
    assert {v["verification"] for v in logged["visits"]} == {"verified"}
    assert (logged["unsent"], logged["states"]) == (3, {"queued": 3})
    down = phone(home, "sync", expect=1)
    assert (down["ok"], down["code"], down["unsent"]) == (False, "unreachable", 3)
    assert [s["state"] for s in phone(home, "today", "--day", DAY)["stops"]] == ["done", "done", "done", "planned"]

    listener.start()
    synced = phone(home, "sync")
    assert (synced["results"], synced["unsent"]) == ({"applied": 3}, 0)
    status = phone(home, "status")
    assert [op["state"] for op in status["ops"]] == ["applied"] * 3
    assert len(listener.fake.world.events) == 3
    assert phone(home, "sync")["results"] == {}


def test_a_wrong_password_is_said_in_one_line(tmp_path, listener):
    address = f"http://127.0.0.1:{listener.port}"
    answer = phone(tmp_path, "--server", address, "--login", "mara", "--password", "x", "sign-in", expect=1)
    assert answer["code"] == "login_required"


def test_without_a_sign_in_every_command_says_what_to_do(tmp_path):
    answer = phone(tmp_path, "status", expect=1)
    assert "sign-in" in answer["detail"]


def test_unsent_work_is_written_into_a_sealed_file_without_a_network(tmp_path, listener):
    listener.fake.export_key = base64.b64encode(bytes(range(32))).decode()
    home, address = tmp_path / "phone", f"http://127.0.0.1:{listener.port}"
    phone(home, "--server", address, "--login", "mara", "--password", "secret", "sign-in")
    phone(home, "sync")
    assert phone(home, "export", str(tmp_path / "out"), expect=1)["code"] == "nothing_unsent"
    listener.stop()
    phone(home, "log-visits", "1", "--day", DAY)
    told = phone(home, "export", str(tmp_path / "out"))
    listener.start()
    assert (told["ops"], told["photos"], told["lost"]) == (1, 0, 0)
    with zipfile.ZipFile(told["file"]) as file:
        assert file.namelist() == ["README.txt", "key.json", "ops.sealed"]
        assert address in file.read("README.txt").decode()
