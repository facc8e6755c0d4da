"""How an extract becomes a region: all or nothing, once, and the newer one takes over."""

from collections.abc import Callable
from pathlib import Path

import osmium
import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from server.kit.database import transaction
from server.kit.errors import Invalid
from server.regions import building, queries, service
from server.regions.errors import BadExtract, BeingBuilt, NoSuchRegion, Overtaken
from server.regions.models import BasemapFeature, Prospect, Region, RegionAddress, RegionPlace, Stage, State


def _count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_region_takes_its_name_from_its_file() -> None:
    assert service.name_of(Path("liechtenstein-latest.osm.pbf")) == "liechtenstein"
    assert service.name_of(Path("malta-240101.osm.pbf")) == "malta"
    assert service.name_of(Path("my town.pbf")) == "my town"


def test_everything_of_the_extract_is_in_the_tables(session: Session, region: Region) -> None:
    assert region.state == State.READY
    assert _count(session, RegionAddress) == region.counts["region_address"] > 1200
    assert _count(session, Prospect) > 80
    assert _count(session, BasemapFeature) > 1000
    assert region.country == "XM"
    assert region.bbox is not None
    assert region.attribution == ["Made-up data"]


def test_real_data_credits_openstreetmap_and_made_up_data_does_not(
    session: Session, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "real.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        tags = {"addr:housenumber": "1", "addr:street": "Weg"}
        writer.add_node(osmium.osm.mutable.Node(id=1, location=(9.5, 47.1), tags=tags))
    region = service.register(session, "real", "ab" * 32, path.name)
    service.load(session, region.id, path)
    assert (region.licence, region.attribution) == ("ODbL 1.0", ["© OpenStreetMap contributors"])


def test_municipalities_are_ready_made_areas(session: Session, region: Region) -> None:
    names = [place.name for place in session.scalars(queries.admin_areas(8))]
    assert len(names) == 6
    assert "Port Meridian" in names


def test_map_features_lie_where_the_addresses_are(session: Session, region: Region) -> None:
    shape = func.ST_Extent(func.ST_Transform(BasemapFeature.geom, 4326))
    inside = select(func.ST_Contains(func.ST_SetSRID(func.ST_Expand(shape, 0.01), 4326), func.ST_Point(-6, 46, 4326)))
    assert session.scalar(inside.where(BasemapFeature.layer == "road"))


def test_the_same_extract_is_one_region_and_loads_nothing_twice(
    session: Session, region: Region, extract: Path
) -> None:
    before = _count(session, RegionAddress)
    again = service.register(session, "demo", region.sha256, "elsewhere.osm.pbf")
    service.load(session, again.id, extract)
    service.pack(session, again.id)
    assert service.publish(session, again.id) == []
    assert (again.id, again.version) == (region.id, 1)
    assert _count(session, RegionAddress) == before


def test_a_newer_extract_takes_over_only_when_published(
    session: Session, region: Region, newer_extract: Path, home: Path
) -> None:
    old_id, old_pack = region.id, region.map_pack
    newer = service.register(session, "demo", "cd" * 32, newer_extract.name)
    service.load(session, newer.id, newer_extract)
    service.pack(session, newer.id)
    assert [r.id for r in queries.served(session)] == [old_id]
    gone = service.publish(session, newer.id)
    assert [r.id for r in queries.served(session)] == [newer.id]
    assert newer.version == 2
    assert session.scalars(select(RegionPlace.region_id).distinct()).all() == [newer.id]
    service.clear_files(session, gone)
    assert not old_pack.exists()
    assert newer.map_pack.exists()


def test_two_extracts_of_one_name_built_at_once_leave_each_other_alone_and_the_later_one_stays(
    session: Session, home: Path, extract: Path, newer_extract: Path
) -> None:
    older = service.register(session, "demo", "ab" * 32, extract.name)
    newer = service.register(session, "demo", "cd" * 32, newer_extract.name)
    older.stage = newer.stage = Stage.PACKED
    session.flush()
    assert service.publish(session, newer.id) == []
    with pytest.raises(Overtaken, match="260301"):
        service.publish(session, older.id)
    assert (older.state, newer.state) == (State.BUILDING, State.READY)
    again = service.register(session, "demo", "ab" * 32, extract.name)
    assert (again.id, again.version) == (older.id, 3), "whoever adds it again wants it"
    assert service.publish(session, older.id) == [newer]
    left = service.register(session, "demo", "ef" * 32, extract.name)
    assert service.drop_unfinished(session, "demo") == [left]
    assert session.scalars(select(Region.id)).all() == [older.id]


def test_prospects_keep_their_ids_in_a_newer_extract(
    session: Session, region: Region, build: Callable[..., Region], extract: Path
) -> None:
    before = set(session.scalars(select(Prospect.id)))
    build(extract, sha256="ef" * 32)
    assert set(session.scalars(select(Prospect.id))) == before


def test_a_region_that_is_not_built_cannot_be_published(session: Session, home: Path) -> None:
    region = service.register(session, "demo", "ab" * 32, "x.osm.pbf")
    with pytest.raises(Invalid, match="not built yet"):
        service.publish(session, region.id)


def test_two_regions_may_share_the_files_of_one_extract(
    session: Session, region: Region, build: Callable[..., Region], extract: Path
) -> None:
    build(extract, name="other")
    service.clear_files(session, service.remove(session, "other"))
    assert region.map_pack.exists()
    service.clear_files(session, service.remove(session, "demo"))
    assert not region.map_pack.exists()
    assert not region.extract.exists()


def test_removing_a_region_leaves_no_row_behind(session: Session, region: Region) -> None:
    service.remove(session, "demo")
    assert [_count(session, table) for table in (Region, RegionAddress, Prospect, BasemapFeature)] == [0, 0, 0, 0]
    with pytest.raises(NoSuchRegion, match="no region “demo”"):
        service.remove(session, "demo")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_region_needs_a_name(session: Session, name: str) -> None:
    with pytest.raises(Invalid, match="1 to 80 characters"):
        service.register(session, name, "ab" * 32, "x")


def test_a_build_goes_on_after_its_last_finished_stage(
    empty_database: Engine, home: Path, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(service, "pack", killed)
        with pytest.raises(KeyboardInterrupt):
            building.add(extract)
    with transaction() as session:
        (region,) = queries.all_regions(session)
        assert (region.state, region.stage) == (State.BUILDING, Stage.LOADED)
    steps: list[str] = []
    region_id, ready = building.add(extract, steps=lambda step, done, total: steps.append(step))
    building.publish(region_id)
    assert not ready
    assert "reading" not in steps
    assert building.add(extract) == (region_id, True)


def test_prospects_lie_hexagon_by_hexagon_so_that_those_around_a_place_share_their_pages(
    empty_database: Engine, home: Path, extract: Path
) -> None:
    with transaction() as session:
        region = service.register(session, "demo", "ab" * 32, extract.name)
        service.load(session, region.id, extract)
        cells = session.scalars(text("select cell from prospect order by ctid")).all()
    assert len(set(cells)) > 5
    assert cells == sorted(cells)
    assert region.counts["prospect"] == len(cells)


def test_a_broken_extract_leaves_nothing_behind(empty_database: Engine, home: Path, extract: Path) -> None:
    cut = home.parent / "cut.osm.pbf"
    cut.write_bytes(extract.read_bytes()[:-3000])
    with pytest.raises(BadExtract, match=r"cut\.osm\.pbf: the file is damaged or cut off") as caught:
        building.add(cut)
    assert caught.value.help
    with transaction() as session:
        assert [_count(session, table) for table in (Region, RegionAddress)] == [0, 0]
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_two_processes_do_not_build_one_region(empty_database: Engine, home: Path, extract: Path) -> None:
    with transaction() as session:
        region = service.register(session, "demo", "ab" * 32, extract.name)
    with transaction() as first:
        service.load(first, region.id, extract)
        with pytest.raises(BeingBuilt), transaction() as second:
            service.load(second, region.id, extract)
