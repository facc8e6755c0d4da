"""Road servers elsewhere: an OSRM or a Valhalla that somebody else runs. Switched off until an admin names one.

What is sent are the places of stops, never names. A server that does not answer is left alone for a minute; meanwhile
drives are straight-line estimates and say so.
"""

import http.client
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlsplit

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads.combined import OrEstimated
from routing.roads.osrm_http import OsrmHttp
from routing.roads.types import RoadEngine, RoadsUnavailable
from routing.roads.valhalla_http import ValhallaHttp
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid, NotFound
from server.kit.outside import NoGoodTarget, connected, within
from server.roads.models import RoadServer

log = logging.getLogger("waymark.roads")

QUIET = timedelta(seconds=60)
"""A server that did not answer is not asked for so long."""
LONGEST_ANSWER = 256 * 1024 * 1024
SOMEWHERE, NEARBY = LonLat(9.52, 47.14), LonLat(9.53, 47.15)
"""What a trial asks about; that no road is there is an answer too."""


@dataclass(frozen=True)
class Kind:
    """A kind of road server."""

    key: str
    name: str
    profile: str
    """What it calls a car."""
    table_points: int
    """Points in one table that it takes when nobody has changed its settings."""


KINDS: Mapping[str, Kind] = {
    kind.key: kind for kind in (Kind("osrm", "OSRM", "driving", 100), Kind("valhalla", "Valhalla", "auto", 100))
}
"""By key, in the order in which they are shown."""


@dataclass(frozen=True)
class Wish:
    """How an admin wants a server to be used."""

    url: str
    profile: str = ""
    goes_first: bool = False
    timeout_s: float = 10.0
    table_points: int = 0


def kind_of(key: str) -> Kind:
    """A kind by its key; refuses an unknown one."""
    if key not in KINDS:
        raise NotFound(f"There is no kind of road server “{key}”.", help=f"Known: {', '.join(KINDS)}.")
    return KINDS[key]


def active(session: Session) -> RoadServer | None:
    """The server that is switched on, if one is."""
    return session.scalars(select(RoadServer).where(RoadServer.is_on)).first()


def setup_of(session: Session, key: str) -> RoadServer | None:
    """How a server was set up, switched on or not."""
    return session.get(RoadServer, key)


def switch_on(session: Session, key: str, wish: Wish) -> RoadServer:
    """Ask a server from now on. Refuses one that does not answer a trial, and limits that make no sense."""
    kind = kind_of(key)
    checked_address(wish.url)
    if not 0.5 <= wish.timeout_s <= 120:
        raise Invalid("The time to wait is between 0.5 and 120 seconds.", field="timeout_s")
    points = wish.table_points or kind.table_points
    if not 2 <= points <= 20_000:
        raise Invalid("A table has between 2 and 20,000 points.", field="table_points")
    profile = wish.profile.strip() or kind.profile
    if not profile.replace("_", "").replace("-", "").isalnum() or len(profile) > 40:
        raise Invalid(f"“{profile[:40]}” is not the name of a profile.", field="profile")
    values = {"url": wish.url.strip().rstrip("/"), "profile": profile, "goes_first": wish.goes_first}
    values |= {"timeout_s": wish.timeout_s, "table_points": points, "trouble": "", "quiet_until": None}
    try:
        client(RoadServer(kind=key, **values)).matrix([SOMEWHERE, NEARBY])
    except RoadsUnavailable as error:
        raise Invalid(
            f"{kind.name} at {values['url']} does not answer as it should: {error}.",
            help="Check the address and the profile, and that the server runs.",
            field="url",
        ) from error
    switch_off(session)
    statement = insert(RoadServer).values(kind=key, is_on=True, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["kind"], set_={**values, "is_on": True}))
    session.expire_all()
    return session.get_one(RoadServer, key)


def switch_off(session: Session) -> None:
    """Ask nobody elsewhere any more."""
    session.execute(update(RoadServer).where(RoadServer.is_on).values(is_on=False))
    session.expire_all()


def engine(server: RoadServer) -> RoadEngine | None:
    """The engine of a server, with estimates where it fails; None while it is left alone."""
    if server.quiet_until is not None and server.quiet_until > clock.now():
        return None
    kind = server.kind

    def note(error: RoadsUnavailable) -> None:
        log.warning("the road server elsewhere does not answer: %s", error)
        with transaction() as session:
            values = {"trouble": str(error)[:500], "quiet_until": clock.now() + QUIET}
            session.execute(update(RoadServer).where(RoadServer.kind == kind).values(**values))

    return OrEstimated(client(server), note)


def client(server: RoadServer) -> RoadEngine:
    """The client of a server."""
    way = Way(server.url, server.timeout_s)
    key = f"{server.kind} {server.url} {server.profile}"
    if server.kind == "osrm":
        most = server.table_points
        return OsrmHttp(key, way.get, server.profile, most_points=most, most_stops=min(100, most), by_address=True)
    return ValhallaHttp(key, way.post, server.profile, most_cells=max(1, (server.table_points // 2) ** 2))


@dataclass(frozen=True)
class Way:
    """The way to a server over HTTP; once it was silent, the rest of a piece of work does not wait for it again."""

    url: str
    timeout_s: float
    silent: list[str] = field(default_factory=list, compare=False)

    def get(self, path: str, _body: bytes) -> bytes:
        """Ask with everything in the address."""
        return self._send("GET", path, None)

    def post(self, path: str, body: bytes) -> bytes:
        """Ask with a JSON body."""
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: bytes | None) -> bytes:
        if self.silent:
            raise RoadsUnavailable(self.silent[0])
        parts = urlsplit(self.url)
        host, is_secure = parts.hostname or "", parts.scheme == "https"
        connection = http.client.HTTPConnection(host, parts.port or (443 if is_secure else 80))
        headers = {"User-Agent": "Waymark", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.sock = connected(host, connection.port, self.timeout_s, secure=is_secure)
            with within(connection.sock, self.timeout_s):
                connection.request(method, quote(parts.path + path, safe="/?&=;,.:-_"), body, headers)
                found = connection.getresponse().read(LONGEST_ANSWER)
        except NoGoodTarget as error:
            self.silent.append(f"{error.message} {error.help}".strip().removesuffix("."))
            raise RoadsUnavailable(self.silent[0]) from error
        except (OSError, http.client.HTTPException) as error:
            what = f"no answer within {self.timeout_s:g} s" if isinstance(error, TimeoutError) else str(error)
            self.silent.append(what or type(error).__name__)
            raise RoadsUnavailable(self.silent[0]) from error
        finally:
            connection.close()
        return found


def checked_address(url: str) -> None:
    """Refuses what is no address of a server."""
    try:
        parts = urlsplit(url.strip())
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    is_plain = url.strip().isascii() and url.strip().isprintable() and " " not in url.strip()
    if not is_good or not is_plain or parts.query or parts.fragment or "@" in parts.netloc:
        raise Invalid(
            f"“{url[:80]}” is not the address of a server.",
            help="For example http://roads.example.com:5000.",
            field="url",
        )
