"""What an update brought, in words."""

from collections.abc import Mapping
from typing import Any

KINDS = {
    "streets": ("street", "streets"),
    "numbers": ("house number", "house numbers"),
    "places": ("place", "places"),
    "pois": ("named business", "named businesses"),
    "prospects": ("prospect", "prospects"),
}
_HOW = {"added": "new", "changed": "changed", "removed": "gone"}


def in_words(changes: Mapping[str, Any]) -> str:
    """`2 streets new, 1 changed; 14 house numbers gone`; says when nothing differs."""
    parts = []
    for kind, (one, many) in KINDS.items():
        counts = [(how, changes.get(kind, {}).get(change, 0)) for change, how in _HOW.items()]
        found = [(how, count) for how, count in counts if count]
        if found:
            how, count = found[0]
            rest = "".join(f", {n:,} {other}" for other, n in found[1:])
            parts.append(f"{count:,} {one if count == 1 else many} {how}{rest}")
    return "; ".join(parts) or "nothing differs"
