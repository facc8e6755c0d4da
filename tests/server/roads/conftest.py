"""A region made of the village whose roads can be checked by hand, in a home of the test's own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from server.kit.settings import settings
from server.regions.models import Region
from server.roads import graphs
from tests.routing.roads.conftest import write_village


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home in which every road process is stopped in the end."""
    monkeypatch.setattr(settings(), "home", tmp_path)
    yield tmp_path
    graphs.stop_all()


@pytest.fixture
def region(session: Session, home: Path) -> Region:
    """A ready region without a graph."""
    return make_region(session, "Village, the", write_village(home / "village.osm.pbf").read_bytes())


def make_region(
    session: Session,
    name: str,
    extract: bytes,
    sha256: str | None = None,
    bbox: tuple[float, float, float, float] = (8.9, 46.9, 9.1, 47.2),
) -> Region:
    """A ready region with its extract, without a graph."""
    region = Region(
        name=name,
        sha256=sha256 or hashlib.sha256(extract).hexdigest(),
        version=1,
        state="ready",
        source="test",
        licence="ODbL 1.0",
        attribution=["© OpenStreetMap contributors"],
        bbox=list(bbox),
    )
    session.add(region)
    session.flush()
    region.extract.parent.mkdir(parents=True)
    region.extract.write_bytes(extract)
    return region
