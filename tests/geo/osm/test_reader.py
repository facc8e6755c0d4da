"""Reading an extract: records from hand-made worlds and from the made-up region; damaged files are refused."""

from collections import Counter
from datetime import date
from pathlib import Path

import osmium
import pytest
from osmium.osm import Location, mutable

from geo.madeup import write_region
from geo.osm.extract import BrokenExtract, EmptyExtract, ExtractError, NotAnExtract
from geo.osm.reader import ExtractReader, Record
from geo.osm.records import AddressPoint, MapFeature, Place, Poi, StreetLine
from geo.types import LonLat

Tags = dict[str, str]


class World:
    """A few nodes, ways and relations, written as an extract."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._nodes: list[mutable.Node] = []
        self._ways: list[mutable.Way] = []
        self._relations: list[mutable.Relation] = []

    def node(self, lon: float, lat: float, **tags: str) -> int:
        number = len(self._nodes) + 1
        fixed = {key.replace("__", ":"): value for key, value in tags.items()}
        self._nodes.append(mutable.Node(id=number, location=Location(lon, lat), tags=fixed))
        return number

    def way(self, nodes: list[int], **tags: str) -> int:
        number = len(self._ways) + 1
        fixed = {key.replace("__", ":"): value for key, value in tags.items()}
        self._ways.append(mutable.Way(id=number, nodes=nodes, tags=fixed))
        return number

    def square(self, lon: float, lat: float, side: float, **tags: str) -> int:
        corners = [self.node(lon + dx * side, lat + dy * side) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
        return self.way([*corners, corners[0]], **tags)

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> int:
        number = len(self._relations) + 1
        fixed = {key.replace("__", ":"): value for key, value in tags.items()}
        self._relations.append(mutable.Relation(id=number, members=members, tags=fixed))
        return number

    def records(self) -> list[Record]:
        with osmium.SimpleWriter(str(self.path), overwrite=True) as writer:
            for node in self._nodes:
                writer.add_node(node)
            for way in self._ways:
                writer.add_way(way)
            for relation in self._relations:
                writer.add_relation(relation)
        return list(ExtractReader(self.path))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world.osm.pbf")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("extract") / "madeup.osm.pbf"
    write_region(path)
    return path


def test_a_house_is_found_on_a_node_a_building_and_a_multipolygon(world: World) -> None:
    world.node(9.5, 47.1, addr__housenumber="1", addr__street="Weg")
    world.square(9.51, 47.1, 0.001, building="yes", addr__housenumber="3", addr__street="Weg")
    outer, inner = world.square(9.52, 47.1, 0.004), world.square(9.521, 47.101, 0.002)
    world.relation(
        [("w", outer, "outer"), ("w", inner, "inner")],
        type="multipolygon",
        building="yes",
        addr__housenumber="5",
        addr__street="Weg",
    )
    addresses = [r for r in world.records() if isinstance(r, AddressPoint)]
    assert {(a.source_id, a.number) for a in addresses} == {("n1", "1"), ("w1", "3"), ("r1", "5")}
    ring_house = next(a for a in addresses if a.number == "5")
    assert not (9.521 < ring_house.point.lon < 9.523 and 47.101 < ring_house.point.lat < 47.103)


def test_an_open_way_with_a_house_number_is_not_lost(world: World) -> None:
    nodes = [world.node(9.5, 47.1), world.node(9.502, 47.1)]
    world.way(nodes, addr__housenumber="8", addr__street="Weg")
    (address,) = [r for r in world.records() if isinstance(r, AddressPoint)]
    assert address.point == pytest.approx(LonLat(9.501, 47.1))


def test_a_house_takes_its_street_from_the_relation_it_belongs_to(world: World) -> None:
    house = world.node(9.5, 47.1, addr__housenumber="1")
    world.relation([("n", house, "house")], type="associatedStreet", name="Rue du Lac")
    (address,) = [r for r in world.records() if isinstance(r, AddressPoint)]
    assert (address.street, address.is_place) == ("Rue du Lac", False)


def test_a_street_keeps_its_names_and_a_footpath_between_fields_is_still_drawn(world: World) -> None:
    nodes = [world.node(9.5, 47.1), world.node(9.502, 47.1)]
    world.way(nodes, highway="residential", name="Annankatu", name__sv="Annegatan")
    world.way(nodes, highway="track")
    records = world.records()
    (street,) = [r for r in records if isinstance(r, StreetLine)]
    assert (street.name, dict(street.names), len(street.line)) == ("Annankatu", {"name:sv": "Annegatan"}, 2)
    assert {(r.layer, r.kind) for r in records if isinstance(r, MapFeature)} == {
        ("road", "residential"),
        ("road", "track"),
    }


def test_a_complete_boundary_has_an_area_and_gives_its_country_to_places_inside(world: World) -> None:
    outer = world.square(9, 47, 1)
    tags = {"type": "boundary", "boundary": "administrative", "admin_level": "2", "ISO3166-1": "HE"}
    world.relation([("w", outer, "outer")], **tags, name="Here")
    world.node(9.5, 47.5, place="town", name="Inside")
    world.node(12.5, 47.5, place="town", name="Outside")
    places = {r.name: r for r in world.records() if isinstance(r, Place)}
    assert {name: place.country for name, place in places.items()} == {"Here": "HE", "Inside": "HE", "Outside": ""}
    assert places["Here"].kind == "country"
    assert places["Here"].area is not None


def test_an_incomplete_boundary_is_kept_only_where_its_label_is_in_the_extract(world: World) -> None:
    label = world.node(9.5, 47.5, place="city", name="Town")
    border = world.way([world.node(9, 47), world.node(10, 47)])
    tags = {"type": "boundary", "boundary": "administrative", "admin_level": "8"}
    world.relation([("w", border, "outer"), ("n", label, "admin_centre")], **tags, name="Kept")
    world.relation([("w", border, "outer"), ("w", 99, "outer")], **tags, name="Dropped")
    records = world.records()
    places = {r.name: r for r in records if isinstance(r, Place)}
    assert set(places) == {"Town", "Kept"}
    assert places["Kept"].area is None
    assert [r.kind for r in records if isinstance(r, MapFeature) and r.layer == "boundary"] == ["admin_8"]


def test_a_named_shop_is_a_prospect_with_all_its_tags(world: World) -> None:
    world.square(9.5, 47.1, 0.001, shop="bakery", name="Korn", phone="+423 1", building="yes")
    (poi,) = [r for r in world.records() if isinstance(r, Poi)]
    assert (poi.kind, poi.is_prospect, poi.tags["phone"]) == ("shop=bakery", True, "+423 1")


def test_the_made_up_region_is_read_whole(made_up: Path) -> None:
    steps: list[tuple[int, int]] = []
    reader = ExtractReader(made_up, lambda done, total: steps.append((done, total)))
    counts = Counter(type(record).__name__ for record in reader)
    assert counts["AddressPoint"] > 1200
    assert counts["Place"] == 6 + 7
    assert reader.survey.data_date == date(2026, 1, 1)
    assert reader.survey.country == "XM"
    assert reader.bbox.contains(LonLat(-6, 46))
    assert steps[-1] == (reader.survey.tagged_objects, reader.survey.tagged_objects)


def test_every_place_of_the_made_up_region_knows_its_country(made_up: Path) -> None:
    assert {record.country for record in ExtractReader(made_up) if isinstance(record, Place)} == {"XM"}


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (None, NotAnExtract, "no such file"),
        (b"", EmptyExtract, "empty"),
        (b"name;street\nKorn;Weg 1\n", NotAnExtract, "not an OpenStreetMap PBF"),
    ],
)
def test_a_file_that_is_no_extract_is_refused(
    tmp_path: Path, content: bytes | None, error: type[ExtractError], says: str
) -> None:
    path = tmp_path / "region.osm.pbf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=says) as caught:
        ExtractReader(path)
    assert "region.osm.pbf" in str(caught.value)
    assert caught.value.help


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_extract_is_refused(made_up: Path, tmp_path: Path, share: float) -> None:
    whole = made_up.read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BrokenExtract, match=r"cut\.osm\.pbf: the file is damaged or cut off"):
        list(ExtractReader(path))


def test_a_damaged_extract_is_refused(made_up: Path, tmp_path: Path) -> None:
    content = bytearray(made_up.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    path = tmp_path / "bad.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(BrokenExtract):
        list(ExtractReader(path))


def test_an_extract_without_streets_has_no_extent(world: World) -> None:
    world.node(9.5, 47.1, natural="tree")
    world.records()
    reader = ExtractReader(world.path)
    list(reader)
    with pytest.raises(EmptyExtract, match="no street and no address"):
        _ = reader.bbox
