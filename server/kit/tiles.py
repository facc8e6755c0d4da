"""Vector tiles over HTTP: a checked address in, bytes with a fingerprint out. Rooms bring the one SQL statement."""

import hashlib
from typing import Annotated, NamedTuple

from fastapi import Depends, Request, Response

from server.kit.errors import BadRequest

MAX_ZOOM = 22
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"


class NoSuchTile(BadRequest):
    """A tile address outside the world."""

    code = "no_such_tile"


class Tile(NamedTuple):
    """A checked tile address: Web Mercator, XYZ, y from the north."""

    z: int
    x: int
    y: int


def checked_tile(z: int, x: int, y: int) -> Tile:
    """Check a tile address; a zoom z has 2^z columns and rows."""
    if not 0 <= z <= MAX_ZOOM:
        raise NoSuchTile(f"There is no zoom {z}; zooms go from 0 to {MAX_ZOOM}.")
    if not (0 <= x < 1 << z and 0 <= y < 1 << z):
        raise NoSuchTile(f"There is no tile {x}/{y} at zoom {z}; x and y go from 0 to {(1 << z) - 1}.")
    return Tile(z, x, y)


TileAddress = Annotated[Tile, Depends(checked_tile)]
"""A handler's tile, from the path parameters z, x and y: `def handler(tile: TileAddress)`."""


def fingerprint(*parts: object) -> str:
    """An entity tag of whatever decides a tile's content."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    return f'W/"{digest[:24]}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the client says that it already has this content."""
    known = {item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")}
    return "*" in known or etag.removeprefix("W/") in known


def tile_response(request: Request, body: bytes, etag: str | None = None, *, fresh_s: int = 0) -> Response:
    """Answer with a tile, or 304 when the client has it.

    Parameters
    ----------
    etag
        From `fingerprint`; by default the hash of the body.
    fresh_s
        Seconds for which the browser need not ask again. The answer is private to the person in any case.
    """
    etag = etag or f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={fresh_s}" if fresh_s else "private, no-cache"}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)
