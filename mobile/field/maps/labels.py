"""Where labels go: the important first, none over another. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """A name wanting a place."""

    text: str
    x: float
    y: float
    width: float
    height: float
    rank: int
    """0 is the most important."""


def place(labels: Iterable[Label], width: float, height: float, *, gap: float = 6, at_most: int = 60) -> list[Label]:
    """Choose labels that lie in the view and do not touch each other; one per name."""
    chosen: list[Label] = []
    names: set[str] = set()
    for label in sorted(labels, key=lambda lb: (lb.rank, lb.text, lb.x, lb.y)):
        if len(chosen) == at_most:
            break
        if label.text in names or not _inside(label, width, height):
            continue
        if all(_apart(label, other, gap) for other in chosen):
            chosen.append(label)
            names.add(label.text)
    return chosen


def _inside(label: Label, width: float, height: float) -> bool:
    half = label.width / 2
    return half <= label.x <= width - half and label.height / 2 <= label.y <= height - label.height / 2


def _apart(one: Label, other: Label, gap: float) -> bool:
    return (
        abs(one.x - other.x) >= (one.width + other.width) / 2 + gap
        or abs(one.y - other.y) >= (one.height + other.height) / 2 + gap
    )
