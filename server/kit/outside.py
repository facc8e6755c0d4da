"""Connections to servers that an admin has named: looked up once, checked, and made to just that address.

An address that a page can name is a door into the network (SSRF). Only admins name them; link-local addresses (where
clouds keep their machines' keys), multicast and nothing-addresses are always refused, private ones by a setting.
"""

import ipaddress
import socket

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
    if (ip.is_private or ip.is_loopback) and not settings().private_targets:
        raise NoGoodTarget(
            f"“{host}” leads to {ip} in a private network.",
            help="WAYMARK_PRIVATE_TARGETS=true allows that.",
            field="host",
        )
    return address


def connected(host: str, port: int, timeout_s: float) -> socket.socket:
    """A connection to a host at the address that was checked."""
    return socket.create_connection((checked_address(host, port), port), timeout_s)
