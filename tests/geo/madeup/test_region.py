"""The made-up region: the same each time, believable, and drivable from everywhere to everywhere."""

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import osmium
import pytest

from geo.madeup import write_region
from geo.osm.reader import ExtractReader
from geo.osm.records import AddressPoint, MapFeature, Poi

Graph = dict[int, set[int]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("madeup") / "region.osm.pbf"
    write_region(path)
    return path


def test_the_same_seed_gives_the_same_file(path: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.osm.pbf", tmp_path / "other.osm.pbf"
    write_region(again)
    write_region(other, seed=2)
    assert again.read_bytes() == path.read_bytes()
    assert other.read_bytes() != path.read_bytes()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_car_gets_from_every_street_to_every_other(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "region.osm.pbf"
    write_region(file, seed=seed)
    ahead, back = _road_graphs(file)
    nodes = set(ahead) | set(back)
    start = min(nodes)
    assert _reachable(ahead, start) == nodes
    assert _reachable(back, start) == nodes


def test_house_numbers_have_gaps_and_streets_of_one_name_lie_in_several_towns(path: Path) -> None:
    addresses = [r for r in ExtractReader(path) if isinstance(r, AddressPoint)]
    assert 1300 <= len(addresses) <= 1800
    assert len({a.city for a in addresses if a.street == "Main Street"}) == 6
    numbers = {a.number for a in addresses if a.street == "Main Street" and a.city == "Port Meridian"}
    plain = {int(n) for n in numbers if n.isdigit()}
    assert set(range(min(plain), max(plain) + 1)) - plain


def test_addresses_of_one_town_share_a_postcode(path: Path) -> None:
    postcodes = defaultdict(set)
    for record in ExtractReader(path):
        if isinstance(record, AddressPoint):
            postcodes[record.city].add(record.postcode)
    assert all(len(found) == 1 for found in postcodes.values())


def test_every_layer_of_the_base_map_and_many_prospects_are_there(path: Path) -> None:
    records = list(ExtractReader(path))
    layers = Counter(r.layer for r in records if isinstance(r, MapFeature))
    assert set(layers) == {"landuse", "water", "building", "road", "rail", "boundary", "place"}
    assert sum(isinstance(r, Poi) and r.is_prospect for r in records) > 80


def test_too_many_villages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="villages is 20"):
        write_region(tmp_path / "x.osm.pbf", villages=20)


def _road_graphs(path: Path) -> tuple[Graph, Graph]:
    ahead: Graph = defaultdict(set)
    back: Graph = defaultdict(set)
    for way in osmium.FileProcessor(path, osmium.osm.WAY):
        if "highway" in way.tags:
            refs = [node.ref for node in way.nodes]
            for a, b in pairwise(refs):
                ahead[a].add(b)
                back[b].add(a)
                if way.tags.get("oneway") != "yes":
                    ahead[b].add(a)
                    back[a].add(b)
    return ahead, back


def _reachable(graph: Graph, start: int) -> set[int]:
    seen, stack = {start}, [start]
    while stack:
        for node in graph[stack.pop()] - seen:
            seen.add(node)
            stack.append(node)
    return seen
