"""A small server on this machine that speaks as each provider does, and misbehaves when told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KNOWN = ("mill r", 39.2345678, -76.7000001)


class Peer:
    """The server, what it was asked, and what it is to answer instead."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.instead: tuple[int, dict[str, str], bytes] | None = None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                sent = parse_qs(parts.query)
                question = next((sent[name][0] for name in ("q", "text", "address") if name in sent), "")
                peer.asked.append(question)
                peer.agents.add(self.headers.get("User-Agent", ""))
                status, headers, body = peer.instead or (200, {}, json.dumps(answer(parts.path, question)).encode())
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


def answer(path: str, question: str) -> object:
    """What the real ones would say of number 7, Mill Road; nothing of anywhere else."""
    name, lat, lon = KNOWN
    is_known = name in question.lower()
    if path == "/api":
        fields = {"housenumber": "7", "street": "Mill Road", "postcode": "21228", "city": "Catonsville",
                  "countrycode": "US", "type": "house", "name": ""}  # fmt: skip
        feature = {
            "type": "Feature", "properties": fields, "geometry": {"type": "Point", "coordinates": [lon, lat]},
        }  # fmt: skip
        return {"type": "FeatureCollection", "features": [feature] if is_known else []}
    if path in OTHERS:
        return OTHERS[path](lat, lon) if is_known else EMPTY[path]
    place = {
        "lat": str(lat), "lon": str(lon), "display_name": "7, Mill Road, Catonsville",
        "address": {"house_number": "7", "road": "Mill Road", "village": "Catonsville", "postcode": "21228",
                    "country_code": "us"},
    }  # fmt: skip
    return [place] if is_known else []


def pelias(lat: float, lon: float) -> object:
    """Pelias: GeoJSON with its own names."""
    fields = {"housenumber": "7", "street": "Mill Road", "postalcode": "21228", "locality": "Catonsville",
              "country_code": "US", "accuracy": "point", "name": "7 Mill Road"}  # fmt: skip
    point = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": fields, "geometry": point}]}


def google(lat: float, lon: float) -> object:
    """Google: parts of an address with their types."""
    parts = [("7", "street_number"), ("Mill Road", "route"), ("Catonsville", "locality"), ("US", "country"),
             ("21228", "postal_code")]  # fmt: skip
    place = {
        "address_components": [{"long_name": name, "short_name": name, "types": [kind]} for name, kind in parts],
        "formatted_address": "7 Mill Road, Catonsville",
        "geometry": {"location": {"lat": lat, "lng": lon}, "location_type": "ROOFTOP"},
    }
    return {"status": "OK", "results": [place]}


def opencage(lat: float, lon: float) -> object:
    """OpenCage: components much like Nominatim's."""
    parts = {"house_number": "7", "road": "Mill Road", "village": "Catonsville", "postcode": "21228",
             "country_code": "us"}  # fmt: skip
    place = {"components": parts, "formatted": "7 Mill Road, Catonsville", "geometry": {"lat": lat, "lng": lon}}
    return {"status": {"code": 200, "message": "OK"}, "results": [place]}


OTHERS = {"/v1/search": pelias, "/maps/api/geocode/json": google, "/geocode/v1/json": opencage}
EMPTY: dict[str, object] = {
    "/v1/search": {"type": "FeatureCollection", "features": []},
    "/maps/api/geocode/json": {"status": "ZERO_RESULTS", "results": []},
    "/geocode/v1/json": {"status": {"code": 200, "message": "OK"}, "results": []},
}


@contextmanager
def running() -> Iterator[Peer]:
    """The server, stopped at the end."""
    peer = Peer()
    thread = threading.Thread(target=peer.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield peer
    peer.server.shutdown()
    peer.server.server_close()
    thread.join()
