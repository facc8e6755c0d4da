"""The map without a screen."""

import math
import random
import sqlite3

import pytest

from mobile.field.maps.clusters import Spot, clusters
from mobile.field.maps.labels import Label, place
from mobile.field.maps.pack import BadPack, MapPack, open_packs
from mobile.field.maps.polyline import decode
from mobile.field.maps.projection import metres_to_world, to_lonlat, to_world, zoom_for
from tests.mobile.make_pack import ATTRIBUTION, BBOX, make_pack, tile_of


@pytest.fixture
def pack(tmp_path):
    pack = MapPack(make_pack(tmp_path / "a.wmap"))
    yield pack
    pack.close()


def test_a_pack_says_what_it_is_and_gives_its_tiles(pack):
    assert (pack.name, pack.attribution, pack.zooms, pack.bbox) == ("Testland", ATTRIBUTION, (8, 10, 12, 14), BBOX)
    x, y = (int(v) for v in tile_of(9.52, 47.14, 14))
    assert [f.layer for f in pack.tile(14, x, y)][:2] == ["landuse", "water"]
    assert pack.tile(14, 0, 0) == []


def test_a_view_is_drawn_from_the_nearest_stored_zoom(pack):
    assert [pack.zoom_for(z) for z in (5, 8.2, 11.1, 11.7, 14, 18)] == [8, 8, 10, 12, 14, 14]


def test_a_file_that_is_no_pack_is_named(tmp_path):
    junk = tmp_path / "junk.wmap"
    junk.write_bytes(b"not a database, certainly" * 50)
    with pytest.raises(BadPack, match=r"junk\.wmap"):
        MapPack(junk)
    with pytest.raises(BadPack, match="waymark-map/9"):
        MapPack(make_pack(tmp_path / "new.wmap", format="waymark-map/9"))


def test_unreadable_packs_do_not_hide_the_others(tmp_path):
    make_pack(tmp_path / "good.wmap")
    (tmp_path / "bad.wmap").write_bytes(b"x" * 2000)
    assert [p.path.name for p in open_packs(tmp_path)] == ["good.wmap"]


def test_a_damaged_tile_is_an_empty_tile(pack):
    path = pack.path
    db = sqlite3.connect(path)
    db.execute("update tile set data=x'00ff' where z=14")
    db.commit()
    x, y = (int(v) for v in tile_of(9.52, 47.14, 14))
    assert MapPack(path).tile(14, x, y) == []


def test_projection_there_and_back():
    dice = random.Random(1)
    for _ in range(200):
        lon, lat = dice.uniform(-180, 180), dice.uniform(-85, 85)
        back = to_lonlat(*to_world(lon, lat))
        assert back == pytest.approx((lon, lat), abs=1e-9)
    assert to_world(0, 0) == pytest.approx((0.5, 0.5))
    assert metres_to_world(40_075_016.686, 0) == pytest.approx(1)


def test_all_points_fit_into_the_view():
    points = [to_world(9.5, 47.1), to_world(9.6, 47.2)]
    scale = 256 * 2 ** zoom_for(points, 300, 500)
    assert (points[1][0] - points[0][0]) * scale <= 300.001
    assert abs(points[1][1] - points[0][1]) * scale <= 500.001


def test_a_polyline_with_six_decimals_is_decoded():
    # 38.5,-120.2  40.7,-120.95  43.252,-126.453 at precision 5 is the textbook example
    assert decode("_p~iF~ps|U_ulLnnqC_mqNvxq`@", 5) == [(-120.2, 38.5), (-120.95, 40.7), (-126.453, 43.252)]
    assert decode("") == []


def test_labels_never_touch_and_the_important_come_first():
    dice = random.Random(3)
    labels = [
        Label(f"n{i}", dice.uniform(0, 400), dice.uniform(0, 700), dice.uniform(20, 90), 14, dice.randrange(9))
        for i in range(300)
    ]
    chosen = place(labels, 400, 700)
    for i, one in enumerate(chosen):
        for other in chosen[:i]:
            assert abs(one.x - other.x) >= (one.width + other.width) / 2 or abs(one.y - other.y) >= 14
    assert [lb.rank for lb in chosen] == sorted(lb.rank for lb in chosen)
    assert place([Label("a", 50, 50, 20, 10, 1), Label("a", 300, 300, 20, 10, 1)], 400, 400)[1:] == []


def test_pins_that_lie_together_are_counted_once_and_part_when_one_zooms_in():
    dice = random.Random(4)
    spots = [Spot(str(n), 0.5 + dice.random() / 4000, 0.3 + dice.random() / 4000, "bad") for n in range(300)]
    for zoom in (8, 11, 14, 16.5):
        found = clusters(spots, zoom)
        assert sorted(key for one in found for key in one.keys) == sorted(spot.key for spot in spots)
    assert [len(clusters(spots, zoom)) for zoom in (8, 16.5)] == [1, 300]
    assert clusters(spots, 12) == clusters(spots, 12.9), "nothing regroups between whole zooms"


def test_a_cluster_lies_in_the_middle_and_knows_its_colours():
    (one,) = clusters([Spot("a", 0.5, 0.3, "bad"), Spot("b", 0.5002, 0.3, "good"), Spot("c", 0.5, 0.3, "good")], 8)
    assert (one.x, one.y) == pytest.approx((0.5 + 0.0002 / 3, 0.3))
    assert one.inks == (("good", 2), ("bad", 1))


def test_bubbles_lie_neither_on_each_other_nor_on_numbered_stops():
    """They covered stops of the day, and one another."""
    dice = random.Random(8)
    spots = [Spot(str(n), 0.5 + dice.gauss(0, 1) / 900, 0.3 + dice.gauss(0, 1) / 900, "bad") for n in range(400)]
    stops = [(0.5 + dice.gauss(0, 1) / 1500, 0.3 + dice.gauss(0, 1) / 1500) for _ in range(4)]
    for zoom in range(8, 16):
        px = 256 * 2**zoom
        found = clusters(spots, zoom, stops)
        assert sorted(key for one in found for key in one.keys) == sorted(spot.key for spot in spots)
        bubbles = [(one.x * px, one.y * px) for one in found if len(one.keys) > 1]
        for n, one in enumerate(bubbles):
            assert all(math.dist(one, other) >= 46 for other in bubbles[:n]), "two radii of the largest, and a halo"
        clear = sum(math.dist(one, (x * px, y * px)) >= 36 for one in bubbles for x, y in stops)
        assert clear >= 0.97 * len(bubbles) * len(stops), "where there is room around a stop"
