"""Extracts by name from the usual extract server (Geofabrik's index): found, downloaded once, resumed, kept."""

import difflib
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPSHandler, Request, build_opener

from server.kit.outside import within
from server.kit.settings import settings
from server.regions.errors import ExtractServerAway, NoSpace, NoSuchRegion, is_disk_full

INDEX = "index-v1-nogeom.json"
TIMEOUT_S = 30.0
"""So long the server may be silent, and take for the head of an answer."""
BLOCK, BLOCK_S = 1 << 17, 60.0
"""Bytes of an extract, and the seconds within which they must have come: about 2 kB a second."""
INDEX_S = 300.0
"""Seconds within which the whole index must have come."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Offer:
    """An extract that the server offers."""

    key: str
    """Its name in addresses: `liechtenstein`, `us/maryland`."""
    name: str
    """For people."""
    url: str


def find(name: str) -> Offer:
    """Find an extract by its key or its name; refuses an unknown one and names the nearest."""
    offers = _offers()
    wanted = name.strip().casefold()
    for offer in offers:
        if wanted in (offer.key.casefold(), offer.name.casefold(), offer.key.rpartition("/")[2].casefold()):
            return offer
    near = difflib.get_close_matches(wanted, [offer.key for offer in offers], n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"See the names on {settings().extract_server}."
    raise NoSuchRegion(f"The extract server offers no region “{name}”.", help=hint)


def download(offer: Offer, progress: Progress | None = None) -> Path:
    """Download an extract into the home; one that is there and unchanged is not loaded again, half of one goes on."""
    folder = settings().folder("regions", "downloads")
    target = folder / f"{offer.key.replace('/', '-')}.osm.pbf"
    part, tag = target.with_suffix(".part"), target.with_suffix(".etag")
    known = tag.read_text() if tag.exists() else ""
    headers: dict[str, str] = {}
    if known and target.exists():
        headers["If-None-Match"] = known
    elif known and part.exists():
        headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": known}
    try:
        with _open(offer.url, headers) as response:
            goes_on = response.status == 206
            if not goes_on:
                target.unlink(missing_ok=True)
            tag.write_text(response.headers.get("ETag", ""))
            _save(response, part, goes_on, progress)
    except HTTPError as error:
        if error.code != 304:
            raise _away(offer.url, f"status {error.code}") from error
        return target
    except (URLError, HTTPException, OSError) as error:
        if isinstance(error, OSError) and is_disk_full(error):
            raise NoSpace("The disk is full; the download stopped.", help=f"Make room under {folder}.") from error
        raise _stopped(offer.url, error, part) from error
    part.replace(target)
    return target


class _Response(HTTPResponse):
    """An answer whose head must come in time, and that knows its connection."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.line = sock

    def begin(self) -> None:
        with within(self.line, TIMEOUT_S):
            super().begin()


class _Plain(HTTPConnection):
    response_class = _Response


class _Secure(HTTPSConnection):
    response_class = _Response


class _ByPlain(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Plain, req)


class _BySecure(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Secure, req)


def _save(response: _Response, part: Path, goes_on: bool, progress: Progress | None) -> None:
    done = part.stat().st_size if goes_on else 0
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else 0
    with part.open("ab" if goes_on else "wb") as file:
        while block := _next(response):
            file.write(block)
            done += len(block)
            if progress:
                progress(done, max(total, done))
    if total and done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _next(response: _Response) -> bytes:
    with within(response.line, BLOCK_S):
        return response.read(BLOCK)


def _offers() -> list[Offer]:
    url = f"{settings().extract_server.rstrip('/')}/{INDEX}"
    try:
        with _open(url, {}) as response, within(response.line, INDEX_S):
            features = json.load(response)["features"]
        rows = [feature["properties"] for feature in features]
        return [Offer(row["id"], row["name"], row["urls"]["pbf"]) for row in rows if "pbf" in row.get("urls", {})]
    except (URLError, HTTPException, OSError) as error:
        raise _away(url, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExtractServerAway(f"{url} is not the index of an extract server.") from error


def _open(url: str, headers: Mapping[str, str]) -> _Response:
    if not url.startswith(("https://", "http://")):
        raise URLError(f"{url} is not a web address")
    request = Request(url, headers={"User-Agent": "waymark", **headers})  # noqa: S310 - the scheme is checked above
    response: _Response = build_opener(_ByPlain, _BySecure).open(request, timeout=TIMEOUT_S)
    return response


def _stopped(url: str, reason: object, part: Path) -> ExtractServerAway:
    there = part.stat().st_size if part.exists() else 0
    if not there:
        return _away(url, reason)
    return ExtractServerAway(
        f"The download stopped after {there:,} bytes ({reason}): {url}",
        help="Run the same command again: it goes on where it stopped. Or download it elsewhere and give the file: "
        "waymark region add FILE.osm.pbf",
    )


def _away(url: str, reason: object) -> ExtractServerAway:
    return ExtractServerAway(
        f"The extract server does not answer ({reason}): {url}",
        help="Check the network, or download an extract elsewhere and give the file: waymark region add FILE.osm.pbf",
    )
