"""Several extracts made into one, so that drives cross from one into the other.

Extracts that touch hold the same nodes along their border, and the ways that cross it whole; merged by number, the
roads join by themselves.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import osmium

from routing.roads.osrm_build import GraphError, Trouble


def digest_of(sha256s: Sequence[str]) -> str:
    """Names a merged extract by those it is made of, whatever their order."""
    return hashlib.sha256("\n".join(sorted(sha256s)).encode()).hexdigest()


def merge(extracts: Sequence[Path], target: Path) -> Path:
    """Write the union of some extracts; of an object that several hold, the newest version stays.

    Memory does not grow with the extracts: they are sorted by kind and number, and read side by side.

    Parameters
    ----------
    extracts : sequence of Path
        `.osm.pbf` files, sorted as extract servers sort them.
    target : Path
        Is replaced when it exists; left out when reading fails.

    Raises
    ------
    GraphError
        With `BROKEN_EXTRACT` when a file cannot be read.
    """
    unfinished = target.with_name(f".unfinished-{target.name}")
    try:
        readers = [osmium.FileProcessor(str(path)) for path in extracts]
        with osmium.SimpleWriter(str(unfinished), overwrite=True) as writer:
            for same in osmium.zip_processors(*readers):
                writer.add(max((found for found in same if found is not None), key=lambda found: found.version))  # type: ignore[union-attr]
        unfinished.replace(target)
    except RuntimeError as error:
        names = ", ".join(path.name for path in extracts)
        raise GraphError(Trouble.BROKEN_EXTRACT, f"{names} cannot be merged: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target
