"""Peers on this machine that misbehave."""

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def drip(greeting: bytes = b"HTTP/1.1 200 OK\r\nX-Slow: ") -> Iterator[int]:
    """A server that says something and then never stops saying a letter now and then; gives its port."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.sendall(greeting)
                        while not over.wait(0.05):
                            connection.sendall(b"x")

        thread = threading.Thread(target=talk)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
