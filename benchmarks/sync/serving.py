"""`waymark serve` with two workers."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def serving(workers: int = 2) -> Iterator[tuple[int, int]]:
    """The server in processes of its own; its port and the first one's id."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "server.cli", "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(command)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionError:
                time.sleep(0.2)
            else:
                break
        else:
            raise SystemExit("The server did not start.")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)
