"""A made-up region in service with its address index."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geo.madeup import write_region
from server.geocoding import service
from server.kit.settings import settings
from server.regions import service as regions
from server.regions.models import Region, Stage


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("geocoding") / "little-biscay.osm.pbf"
    write_region(path)
    return path


@pytest.fixture
def home(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WAYMARK_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield tmp_path / "home"
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def region(session: Session, home: Path, extract: Path) -> Region:
    """In service; its index is built before it is published, as a real build does."""
    region = regions.register(session, "demo", "ab" * 32, extract.name)
    regions.keep_extract(region, extract)
    regions.load(session, region.id, extract)
    region.stage = Stage.PACKED  # the phone's map is not wanted here
    service.build_index(session, region.id)
    regions.publish(session, region.id)
    return region
