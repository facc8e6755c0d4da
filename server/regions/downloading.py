"""Extracts by name from the usual extract server (Geofabrik's index): found, downloaded once, resumed, kept."""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from server.kit.settings import settings
from server.regions.errors import ExtractServerAway, NoSpace, NoSuchRegion, is_disk_full

INDEX = "index-v1-nogeom.json"
TIMEOUT_S = 30
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
        raise _away(offer.url, error) from error
    part.replace(target)
    return target


def _save(response: HTTPResponse, part: Path, goes_on: bool, progress: Progress | None) -> None:
    done = part.stat().st_size if goes_on else 0
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else 0
    with part.open("ab" if goes_on else "wb") as file:
        while block := response.read(1 << 18):
            file.write(block)
            done += len(block)
            if progress:
                progress(done, max(total, done))
    if total and done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _offers() -> list[Offer]:
    url = f"{settings().extract_server.rstrip('/')}/{INDEX}"
    try:
        with _open(url, {}) as response:
            features = json.load(response)["features"]
        rows = [feature["properties"] for feature in features]
        return [Offer(row["id"], row["name"], row["urls"]["pbf"]) for row in rows if "pbf" in row.get("urls", {})]
    except (URLError, HTTPException, OSError) as error:
        raise _away(url, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExtractServerAway(f"{url} is not the index of an extract server.") from error


def _open(url: str, headers: Mapping[str, str]) -> HTTPResponse:
    if not url.startswith(("https://", "http://")):
        raise URLError(f"{url} is not a web address")
    request = Request(url, headers={"User-Agent": "waymark", **headers})  # noqa: S310 - the scheme is checked above
    response: HTTPResponse = urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    return response


def _away(url: str, reason: object) -> ExtractServerAway:
    return ExtractServerAway(
        f"The extract server does not answer ({reason}): {url}",
        help="Check the network, or download an extract elsewhere and give the file: waymark region add FILE.osm.pbf",
    )
