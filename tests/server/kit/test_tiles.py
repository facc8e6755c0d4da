"""Tile addresses are checked; what a client has is not sent again."""

import pytest
from starlette.requests import Request

from server.kit.tiles import NoSuchTile, checked_tile, fingerprint, tile_response


def _request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": pairs})


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (23, 0, 0), (1, 2, 0), (1, 0, 2), (1, -1, 0), (3, 8, 7)])
def test_a_tile_outside_the_world_is_refused(z: int, x: int, y: int) -> None:
    with pytest.raises(NoSuchTile):
        checked_tile(z, x, y)


def test_the_corners_of_the_world_are_tiles() -> None:
    assert checked_tile(0, 0, 0) == (0, 0, 0)
    assert checked_tile(3, 7, 7) == (3, 7, 7)


def test_a_tile_that_the_client_has_is_not_sent_again() -> None:
    first = tile_response(_request(), b"tile")
    again = tile_response(_request(if_none_match=f'"x", {first.headers["etag"]}'), b"tile")
    changed = tile_response(_request(if_none_match=first.headers["etag"]), b"other")
    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)
    assert again.body == b""


def test_a_fingerprint_changes_with_its_parts() -> None:
    assert fingerprint("a", 1) == fingerprint("a", 1) != fingerprint("a", 2)
