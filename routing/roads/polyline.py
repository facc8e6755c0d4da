"""The encoded polyline format with six decimals, as OSRM and Valhalla speak it."""

from collections.abc import Iterable

from geo.types import LonLat

_SCALE = 1_000_000


def encode(points: Iterable[LonLat]) -> str:
    """Points as an encoded polyline (Google's polyline algorithm, precision 6, latitude first)."""
    text: list[str] = []
    previous = (0, 0)
    for lon, lat in points:
        current = (round(lat * _SCALE), round(lon * _SCALE))
        for now, before in zip(current, previous, strict=True):
            delta = now - before
            bits = ~(delta << 1) if delta < 0 else delta << 1
            while bits >= 0x20:
                text.append(chr((bits & 0x1F | 0x20) + 63))
                bits >>= 5
            text.append(chr(bits + 63))
        previous = current
    return "".join(text)


def decode(text: str) -> list[LonLat]:
    """Points of an encoded polyline.

    Raises
    ------
    ValueError
        When the text ends in the middle of a point or holds a foreign character.
    """
    numbers: list[int] = []
    bits = shift = 0
    for character in text:
        chunk = ord(character) - 63
        if not 0 <= chunk < 64:
            raise ValueError(f"{character!r} does not belong in an encoded polyline")
        bits |= (chunk & 0x1F) << shift
        shift += 5
        if chunk < 0x20:
            numbers.append(~(bits >> 1) if bits & 1 else bits >> 1)
            bits = shift = 0
    if shift or len(numbers) % 2:
        raise ValueError("the encoded polyline ends in the middle of a point")
    points: list[LonLat] = []
    lat = lon = 0
    for d_lat, d_lon in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lon = lat + d_lat, lon + d_lon
        points.append(LonLat(lon / _SCALE, lat / _SCALE))
    return points


def joined(lines: Iterable[str]) -> str:
    """Several polylines that follow each other as one, repeated points dropped."""
    points: list[LonLat] = []
    for line in lines:
        for point in decode(line):
            if not points or points[-1] != point:
                points.append(point)
    return encode(points)
