"""The app's icon and its first picture, drawn from the mark of the web pages.

python-for-android takes PNG only; `python -m mobile.icons.draw` writes them. They are kept beside this file, and a test
says when they are not current.
"""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw

HERE = Path(__file__).parent
MARK = HERE.parents[1] / "server" / "web" / "static" / "mark.svg"
UNITS = 32
"""Sides of the mark's square."""
GROUND = "#F6F7F5"
CLEAR = (0, 0, 0, 0)
FINER = 8
"""Drawn so much larger, and then made smaller, for smooth edges."""
SAFE = 0.56
"""Of an adaptive icon's side: launchers cut circles of two thirds out of it."""

type Point = tuple[float, float]


def shapes(svg: str) -> Iterator[tuple[list[Point], str]]:
    """The outlines of a picture with their colours; knows the commands that our mark uses."""
    for path in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):  # noqa: S314 our own file
        yield outline(path.get("d", "")), path.get("fill", "#000")


def outline(d: str) -> list[Point]:
    """The corners of a path; arcs as many short lines."""
    points: list[Point] = []
    for command, rest in re.findall(r"([MlLhHvVaz])([^MlLhHvVaz]*)", d):
        numbers = [float(one) for one in re.findall(r"-?\d*\.?\d+", rest)]
        x, y = points[-1] if points else (0.0, 0.0)
        match command:
            case "M" | "L":
                points.append((numbers[0], numbers[1]))
            case "l":
                for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                    x, y = x + dx, y + dy
                    points.append((x, y))
            case "h" | "H":
                points.append((numbers[0] + (x if command == "h" else 0), y))
            case "v" | "V":
                points.append((x, numbers[0] + (y if command == "v" else 0)))
            case "a":
                radius, _, _, _, sweeps, dx, dy = numbers
                points += arc((x, y), (x + dx, y + dy), radius, clockwise=bool(sweeps))
    return points


def arc(start: Point, end: Point, radius: float, *, clockwise: bool, steps: int = 24) -> list[Point]:
    """The shorter arc of a circle from one point to another, without its start."""
    (x1, y1), (x2, y2) = start, end
    half = math.dist(start, end) / 2
    radius = max(radius, half)
    off = math.sqrt(radius**2 - half**2) * (1 if clockwise else -1)
    cx = (x1 + x2) / 2 - (y2 - y1) / (2 * half) * off
    cy = (y1 + y2) / 2 + (x2 - x1) / (2 * half) * off
    first, last = math.atan2(y1 - cy, x1 - cx), math.atan2(y2 - cy, x2 - cx)
    turn = (last - first) % math.tau if clockwise else -((first - last) % math.tau)
    angles = [first + turn * step / steps for step in range(1, steps + 1)]
    return [(cx + radius * math.cos(angle), cy + radius * math.sin(angle)) for angle in angles]


def drawn(side: int, share: float, ground: str | tuple[int, int, int, int]) -> Image.Image:
    """The mark in the middle of a square, with a share of its side."""
    large = Image.new("RGBA", (side * FINER, side * FINER), ground)
    pen = ImageDraw.Draw(large)
    found = list(shapes(MARK.read_text(encoding="utf-8")))
    across = [x for points, _ in found for x, _ in points]
    down = [y for points, _ in found for _, y in points]
    scale = share * side * FINER / UNITS
    left = side * FINER / 2 - (min(across) + max(across)) / 2 * scale
    top = side * FINER / 2 - (min(down) + max(down)) / 2 * scale
    for points, colour in found:
        pen.polygon([(left + x * scale, top + y * scale) for x, y in points], fill=colour)
    return large.resize((side, side), Image.Resampling.LANCZOS)


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "icon.png": lambda: drawn(192, 0.78, GROUND),
    "icon-foreground.png": lambda: drawn(432, SAFE, CLEAR),
    "icon-background.png": lambda: Image.new("RGBA", (432, 432), GROUND),
    "presplash.png": lambda: drawn(512, 0.5, GROUND),
}
"""By the name of the file, as `buildozer.spec` asks for them."""


def main() -> None:
    """Write them all."""
    for name, draw in PICTURES.items():
        draw().save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
