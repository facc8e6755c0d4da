"""A made-up region, read once per run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geo.madeup import write_region
from server.kit.settings import settings
from server.regions import service
from server.regions.models import Region


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("regions") / "little-biscay-latest.osm.pbf"
    write_region(path)
    return path


@pytest.fixture(scope="session")
def newer_extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("newer") / "little-biscay-260301.osm.pbf"
    write_region(path, villages=4)
    return path


@pytest.fixture
def home(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, for files; the database stays."""
    monkeypatch.setenv("WAYMARK_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield tmp_path / "home"
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def build(session: Session, home: Path) -> Callable[..., Region]:
    """Bring an extract all the way into service, in the test's transaction."""

    def make(path: Path, name: str = "demo", sha256: str = "ab" * 32) -> Region:
        region = service.register(session, name, sha256, path.name)
        service.keep_extract(region, path)
        service.load(session, region.id, path)
        service.pack(session, region.id)
        service.publish(session, region.id)
        return region

    return make


@pytest.fixture
def region(build: Callable[..., Region], extract: Path) -> Region:
    return build(extract)


@pytest.fixture
def region_id(region: Region) -> UUID:
    return region.id
