"""A newer extract of a region takes over in one piece, and tells what differs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from geo.madeup import write_region
from server.atlas import commands, service
from server.geocoding import queries
from server.geocoding.models import Source
from server.kit.database import transaction
from server.kit.settings import settings
from server.regions import service as regions
from server.regions.errors import BeingBuilt
from server.regions.models import Region


@pytest.fixture
def home(empty_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WAYMARK_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def prospects() -> set[object]:
    with transaction() as session:
        return set(session.scalars(text("select id from prospect")))


def test_an_update_tells_what_differs_keeps_ids_and_survives_a_kill(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, newer = home / "old.osm.pbf", home / "newer.osm.pbf"
    write_region(old)
    write_region(newer, villages=4)
    service.add_region(old, "demo")
    before = prospects()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service.roads, "build_graph", killed)
        with pytest.raises(KeyboardInterrupt):
            service.add_region(newer, "demo")
    with transaction() as session:
        serving = queries.of_region(session, "demo")
        assert serving is not None
        assert (serving.changes.get("prospects"), len(queries.served(session))) == (None, 1)

    outcome = CliRunner().invoke(commands.regions, ["add", str(newer), "--name", "demo"], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert "Since the version before: " in outcome.output
    assert "0 sites of accounts are to be looked at again." in outcome.output
    with transaction() as session:
        source = session.scalars(select(Source)).one()
        assert source.replaces == serving.id
        assert sum(source.changes["streets"].values()) > 0
        assert sum(source.changes["prospects"].values()) > 0
    assert before & prospects()


def test_a_second_build_of_a_name_is_refused_while_one_runs_and_killed_ones_are_cleared_up(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = home / "demo-260101.osm.pbf", home / "demo-260201.osm.pbf"
    write_region(first)
    write_region(second, villages=4)
    outcomes = []
    with transaction() as session:
        regions.register(session, "demo", "ab" * 32, "killed long ago")

    def meanwhile(*_: object, **__: object) -> None:
        outcomes.append(CliRunner().invoke(commands.regions, ["add", str(second)]))
        real(*_, **__)

    real = service.roads.build_graph
    monkeypatch.setattr(service.roads, "build_graph", meanwhile)
    service.add_region(first)
    assert isinstance(outcomes[0].exception, BeingBuilt)
    monkeypatch.setattr(service.roads, "build_graph", real)
    with transaction() as session:
        assert session.scalars(select(Region.source)).all() == [first.name]
    service.add_region(second)
    with transaction() as session:
        assert session.scalars(select(Region.source)).all() == [second.name]
