"""Vector tiles over HTTP: checked coordinates, ETag, 304."""

import hashlib
from typing import Annotated

from fastapi import Depends, Path, Request, Response

from server.kit.errors import NotFound

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"


class Tile:
    """A tile's address, checked."""

    def __init__(
        self,
        z: Annotated[int, Path(ge=0, le=22, description="Zoom.")],
        x: Annotated[int, Path(ge=0, description="Column.")],
        y: Annotated[int, Path(ge=0, description="Row, from the north.")],
    ) -> None:
        if x >= 1 << z or y >= 1 << z:
            raise NotFound(f"There is no tile {z}/{x}/{y}: at zoom {z} columns and rows go from 0 to {(1 << z) - 1}.")
        self.z, self.x, self.y = z, x, y

    @property
    def address(self) -> dict[str, int]:
        """Parameters for the tile's SQL."""
        return {"z": self.z, "x": self.x, "y": self.y}


CheckedTile = Annotated[Tile, Depends(Tile)]


def answer(request: Request, body: bytes, *, max_age_s: int = 0) -> Response:
    """The tile, or 304 when the browser has it already. An empty tile is an empty body."""
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={max_age_s}, must-revalidate"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)
