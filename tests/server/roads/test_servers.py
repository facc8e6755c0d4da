"""Road servers elsewhere, tried on loopback: a real `osrm-routed`, what Valhalla answered, and peers that misbehave."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from routing.roads import osrm_build
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid, NotFound
from server.regions.models import Region
from server.roads import graphs, servers, service
from server.roads.models import RoadServer
from server.roads.servers import Wish
from tests.routing.roads.conftest import EAST, ISLAND, LAKE, WEST, serve, write_village
from tests.routing.roads.valhalla_peer import RECORD, repeated
from tests.server.peers import drip


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An OSRM server with the village."""
    home = tmp_path_factory.mktemp("peer")
    running = serve(osrm_build.build(write_village(home / "v.osm.pbf"), home / "graphs"))
    yield f"http://127.0.0.1:{running.port}"
    running.process.kill()
    running.process.wait()


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(20)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def nonsense(page: bytes = b"<html>") -> Iterator[str]:
    """A server that answers everything with the same page."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(b"HTTP/1.1 502 Odd\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_nobody_is_asked_until_somebody_is_switched_on(session: Session, home: Path) -> None:
    assert servers.active(session) is None
    assert service.engine(session, [WEST]).key == "straight-1"


def test_an_osrm_server_answers_where_there_are_no_roads_of_our_own(session: Session, home: Path, peer: str) -> None:
    servers.switch_on(session, "osrm", Wish(peer))
    engine = service.engine(session, [WEST, EAST])
    matrix = engine.matrix([WEST, EAST, ISLAND])
    assert matrix.estimated.tolist() == [[False, False, True], [False, False, True], [True, True, False]]
    assert [leg.estimated for leg in engine.route([WEST, EAST, ISLAND])] == [False, True]
    assert engine.isochrone(WEST, [1])["features"][0]["properties"]["estimated"] is False


def test_own_roads_answer_first_unless_the_server_is_to_go_first(session: Session, region: Region, peer: str) -> None:
    graphs.build_graph(session, region)
    servers.switch_on(session, "osrm", Wish(peer))
    assert service.engine(session, [WEST, EAST]).key == f"osrm-mld-{region.sha12}-car"
    servers.switch_on(session, "osrm", Wish(peer, goes_first=True))
    assert service.engine(session, [WEST, EAST]).key == f"osrm {peer} driving"
    servers.switch_off(session)
    assert service.engine(session, [WEST, EAST]).key == f"osrm-mld-{region.sha12}-car"


def test_a_valhalla_server_answers(session: Session, home: Path) -> None:
    told = json.loads(RECORD.read_text())
    body = json.dumps(
        {
            "costing": "auto",
            "units": "kilometers",
            "locations": [{"lat": p.lat, "lon": p.lon} for p in (servers.SOMEWHERE, servers.NEARBY)],
            "verbose": False,
        }
    )
    told[f"/locate {body}"] = '[{"edges": []}, {"edges": []}]'
    with repeated(told) as port:
        servers.switch_on(session, "valhalla", Wish(f"http://127.0.0.1:{port}"))
        matrix = service.engine(session, [WEST, EAST]).matrix([WEST, EAST], [WEST, EAST, LAKE, ISLAND])
    assert matrix.estimated.tolist() == [[False, False, True, True]] * 2


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "http://", "http://user@host", "http://x/?a=b", "http://x:99999", "http://a b"]
)
def test_what_is_no_address_is_refused(session: Session, url: str) -> None:
    with pytest.raises(Invalid, match="is not the address of a server"):
        servers.switch_on(session, "osrm", Wish(url))


def test_senseless_limits_and_unknown_kinds_are_refused(session: Session, peer: str) -> None:
    for wish in (Wish(peer, timeout_s=0), Wish(peer, table_points=1), Wish(peer, profile="../x")):
        with pytest.raises(Invalid):
            servers.switch_on(session, "osrm", wish)
    with pytest.raises(NotFound, match="google"):
        servers.switch_on(session, "google", Wish(peer))


def test_a_server_that_fails_its_trial_is_not_switched_on(session: Session) -> None:
    with nonsense() as url, pytest.raises(Invalid, match=r"does not answer as it should: .*not JSON"):
        servers.switch_on(session, "osrm", Wish(url))
    with silent() as url, pytest.raises(Invalid, match=r"no answer within 0\.5 s"):
        servers.switch_on(session, "osrm", Wish(url, timeout_s=0.5))
    with drip() as port, pytest.raises(Invalid, match=r"no answer within 0\.5 s"):
        servers.switch_on(session, "osrm", Wish(f"http://127.0.0.1:{port}", timeout_s=0.5))
    with pytest.raises(Invalid, match="where nothing may be sent"):
        servers.switch_on(session, "osrm", Wish("http://169.254.169.254/latest"))
    with pytest.raises(Invalid, match="There is no server"):
        servers.switch_on(session, "osrm", Wish(f"http://{'a' * 300}.example"))
    assert session.scalars(select(RoadServer)).all() == []


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("osrm", b'{"code": "Ok"}'),
        ("osrm", b'{"code": "Ok", "durations": [[1]], "distances": [[1]], "sources": [], "destinations": []}'),
        ("osrm", b'{"code": "Ok", "durations": "x", "distances": null, "sources": [1], "destinations": [1]}'),
        ("osrm", b"[1]"), ("osrm", b"null"), ("valhalla", b"[1, 2]"), ("valhalla", b'{"a": 1}'), ("valhalla", b"7"),
    ],
)  # fmt: skip
def test_a_server_whose_answers_have_another_shape_is_not_switched_on(session: Session, kind: str, page: bytes) -> None:
    with nonsense(page) as url, pytest.raises(Invalid, match="does not answer as it should"):
        servers.switch_on(session, kind, Wish(url))


def test_a_server_that_falls_silent_is_estimated_noted_and_left_alone(empty_database: Engine) -> None:
    with silent() as url:
        with transaction() as session:
            session.add(
                RoadServer(kind="osrm", url=url, profile="driving", is_on=True, timeout_s=0.5, table_points=100)
            )
        with transaction() as session:
            engine = service.engine(session, [WEST, EAST])
        assert engine.matrix([WEST, EAST]).estimated.all()
        assert [leg.estimated for leg in engine.route([WEST, EAST])] == [True]
    with transaction() as session:
        row = session.get_one(RoadServer, "osrm")
        assert row.trouble == "no answer within 0.5 s"
        assert row.quiet_until is not None
        assert service.engine(session, [WEST]).key == "straight-1"
        row.quiet_until = clock.now() - timedelta(seconds=1)
        assert service.engine(session, [WEST]).key.startswith("osrm http")
