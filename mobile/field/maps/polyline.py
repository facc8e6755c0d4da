"""Encoded polylines with six decimals, as road engines write them."""


def decode(text: str, precision: int = 6) -> list[tuple[float, float]]:
    """The points of a line as (lon, lat); a broken end is left out."""
    values: list[int] = []
    shift = result = 0
    for character in text:
        byte = ord(character) - 63
        result |= (byte & 0x1F) << shift
        shift += 5
        if byte < 0x20:
            values.append(~(result >> 1) if result & 1 else result >> 1)
            shift = result = 0
    factor = 10**precision
    points: list[tuple[float, float]] = []
    lat = lon = 0
    for i in range(0, len(values) - 1, 2):
        lat, lon = lat + values[i], lon + values[i + 1]
        points.append((lon / factor, lat / factor))
    return points
