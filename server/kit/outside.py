"""Connections to servers that an admin has named: looked up once, checked, and made to just that address.

An address that a page can name is a door into the network (SSRF). Only admins name them; link-local addresses (where
clouds keep their machines' keys), multicast and nothing-addresses are always refused, private ones by a setting.
"""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException

from server.kit.errors import Invalid
from server.kit.settings import settings


class NoGoodTarget(Invalid):
    """Nothing is sent there."""

    code = "no_good_target"


def checked_address(host: str, port: int) -> str:
    """The network address of a host; refuses one that does not exist and one that nothing may be sent to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoGoodTarget(f"There is no server “{host}”.", help="Check the name.", field="host") from error
    address = str(found[0][4][0])
    plain = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(plain, "ipv4_mapped", None)
    ip = mapped or plain
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        raise NoGoodTarget(f"“{host}” leads to {ip}, where nothing may be sent.", field="host")
    if not ip.is_global and not settings().private_targets:
        raise NoGoodTarget(
            f"“{host}” leads to {ip} in a private network.",
            help="WAYMARK_PRIVATE_TARGETS=true allows that.",
            field="host",
        )
    return address


def connected(host: str, port: int, timeout_s: float, *, secure: bool = False) -> socket.socket:
    """A connection to a host at the address that was checked; a secure one to a host that proves its name in time."""
    until = time.monotonic() + timeout_s
    plain = socket.create_connection((checked_address(host, port), port), timeout_s)
    if not secure:
        return plain
    context = ssl.create_default_context()
    safe = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        with within(safe, max(0.1, until - time.monotonic())):
            safe.do_handshake()
    except BaseException:
        safe.close()
        raise
    return safe


@contextlib.contextmanager
def within(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Cut a connection off after so long: a time-out counts silence only, and a peer may say a letter now and then."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    words = f"no whole answer within {seconds:g} s"
    try:
        yield
        if late.is_set():  # what was read of the answer may look like a whole one
            raise TimeoutError(words)
    except (OSError, EOFError, HTTPException) as error:
        if late.is_set():
            raise TimeoutError(words) from error
        raise
    finally:
        timer.cancel()
