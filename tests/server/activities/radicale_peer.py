"""A real CalDAV server on this machine."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import radicale.config
from radicale.app import Application

from server.activities.caldav.client import CAL, Client

MAKE = (
    '<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>'
    "<d:displayname>Work</d:displayname></d:prop></d:set></c:mkcalendar>"
)


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: object) -> None:
        del format, args


class Threads(ThreadingMixIn, WSGIServer):
    """One thread for each connection."""

    daemon_threads = True


@contextlib.contextmanager
def running(folder: Path, port: int = 0) -> Iterator[int]:
    """The server over a folder of its own, for as long as the block lasts; gives its port."""
    logging.getLogger("radicale").setLevel(logging.CRITICAL)
    settings = radicale.config.load()
    settings.update(
        {"storage": {"filesystem_folder": str(folder)}, "auth": {"type": "none"}, "rights": {"type": "authenticated"}},
        "test",
    )
    with make_server("127.0.0.1", port, Application(settings), Threads, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def new_calendar(port: int) -> str:
    """A calendar of Rita's; its address."""
    url = f"http://127.0.0.1:{port}/rita/work/"
    client = Client(url, "rita", "secret")
    status, _, _ = client._ask("MKCALENDAR", "/rita/work/", MAKE.encode(), {})
    client.close()
    assert status == 201, CAL
    return url
