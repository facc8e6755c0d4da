"""GeoJSON and GeoPackage become the same rows as any other file, or an error that names the way out."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, box

from server.imports.errors import BadFile, ChooseLayer
from server.imports.features import AREA
from server.imports.reading import Table, open_table


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def opened(path: Path, content: str, sheet: str | None = None) -> Table:
    path = path / "list.geojson"
    path.write_text(content, "utf-8")
    return open_table(path, sheet=sheet, knows=lambda title: title == "name")


def collection(*features: dict[str, Any], **more: Any) -> str:
    return json.dumps({"type": "FeatureCollection", **more, "features": features})


def test_features_become_rows_with_their_point(tmp_path: Path) -> None:
    square = {"type": "Polygon", "coordinates": [[[9, 47], [9, 48], [10, 48], [10, 47], [9, 47]]]}
    found = opened(
        tmp_path,
        collection(
            feature(point(9.5, 47.1), name="A", open=True, size=3.0),
            feature(square, name="B", tags=["x", "y"]),
            feature(None, name="C", lat="a property"),
            feature({"type": "LineString", "coordinates": [[9, 47], [10, 48]]}, name="D"),
            feature({"type": "Point", "coordinates": ["x"]}, name="E"),
        ),
    )
    assert (found.format, found.header) == ("geojson", ["lon", "lat", "name", "open", "size", "tags", "lat (property)"])
    rows = list(found.rows)
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0].cells == ["9.5", "47.1", "A", "yes", "3", "", ""]
    assert rows[1].cells[:3] == ["9.5", "47.5", "B"]
    assert rows[1].cells[5] == "x, y"
    assert [row.note for row in rows] == [None, AREA, None, None, None], "an area says that a point inside was taken"
    assert rows[2].cells == ["", "", "C", "", "", "", "a property"]
    assert [row.problem for row in rows[3:]] == [
        "the geometry is a LineString; a point or an area is needed",
        "the geometry cannot be read",
    ]


def test_another_coordinate_system_is_turned_into_degrees(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2056"}}
    found = opened(tmp_path, collection(feature(point(2757871, 1223138), name="Vaduz"), crs=crs))
    lon, lat = map(float, next(found.rows).cells[:2])
    assert (lon, lat) == (pytest.approx(9.52, abs=0.02), pytest.approx(47.14, abs=0.02))
    with pytest.raises(BadFile, match="EPSG::999999"):
        opened(tmp_path, collection(feature(point(1, 2)), crs={"type": "name", "properties": {"name": "EPSG::999999"}}))


@pytest.mark.parametrize(("cut", "rows_left"), [(30, 20_000), (2, 20_001)])
def test_a_file_that_is_cut_off_gives_what_came_before_and_says_so(tmp_path: Path, cut: int, rows_left: int) -> None:
    whole = collection(*(feature(point(9.5, 47.1), name=f"Account {number}") for number in range(20_000)))
    rows = list(opened(tmp_path, whole[:-cut]).rows)
    assert len(rows) == rows_left
    assert [row.number for row in rows if row.problem] == [len(rows)]
    assert "cut off" in str(rows[-1].problem)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (collection(feature(point(9.5, 47.1), name="A"))[:-20], "line 1, column 44"),
        ('{"type": "FeatureCollection",\n "features": [\n  {"type": "Feature",', "line 3, column 3"),
        ('{"type": "FeatureCollection", "features": ' + "[" * 100_000, "line 1, column 44"),
        ('{"type": "FeatureCollection", "feat', "line 1, column 1"),
        ('{"type": "FeatureCollection", "features": [' + " " * 1_100_000 + "\n{", "line 2, column 1"),
    ],
    ids=["cut", "second line", "nested", "cut at its head", "beyond a chunk"],
)
def test_a_file_damaged_in_its_first_feature_is_refused_with_the_place(
    tmp_path: Path, content: str, where: str
) -> None:
    with pytest.raises(BadFile, match=f"damaged in its first feature .{where}."):
        opened(tmp_path, content)


def test_one_feature_a_line_is_read_too(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(feature(point(9, 47), name=name)) for name in "ABC")
    assert [row.cells[2] for row in opened(tmp_path, lines).rows] == ["A", "B", "C"]


@pytest.mark.parametrize("content", ['{"type": "FeatureCollection", "features": []}', '{"type": "Topology"}'])
def test_a_file_without_features_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadFile, match="no features"):
        opened(tmp_path, content)


def geopackage(path: Path, **layers: list[Any]) -> Path:
    file = path / "list.gpkg"
    for name, shapes in layers.items():
        names = [f"{name} {place}" for place in range(len(shapes))]
        frame = geopandas.GeoDataFrame({"name": names}, geometry=shapes, crs=2056)
        frame.to_file(file, layer=name, driver="GPKG")
    return file


def of_package(file: Path, sheet: str | None = None) -> Table:
    return open_table(file, sheet=sheet, knows=lambda title: title == "name")


def test_the_only_usable_layer_of_a_geopackage_is_taken(tmp_path: Path) -> None:
    home = Point(2757871, 1223138)
    area = MultiPolygon([box(2757000, 1223000, 2758000, 1224000)])
    found = of_package(geopackage(tmp_path, shops=[home, None, area], roads=[LineString([(0, 0), (1, 1)])]))
    assert (found.format, found.sheet, found.header) == ("gpkg", "shops", ["lon", "lat", "fid", "name"])
    rows = list(found.rows)
    assert [row.cells[3] for row in rows] == ["shops 0", "shops 1", "shops 2"]
    assert float(rows[0].cells[0]) == pytest.approx(9.52, abs=0.02)
    assert rows[1].cells[:2] == ["", ""]
    assert float(rows[2].cells[1]) == pytest.approx(47.15, abs=0.02)
    assert [row.note for row in rows] == [None, None, AREA]


def test_several_layers_are_named_to_choose_from(tmp_path: Path) -> None:
    file = geopackage(tmp_path, north=[Point(0, 0)], south=[Point(0, 0)])
    with pytest.raises(ChooseLayer, match="2 layers: north, south") as refused:
        of_package(file)
    assert refused.value.details["choices"] == ["north", "south"]
    assert of_package(file, "south").sheet == "south"
    with pytest.raises(BadFile, match="no layer “east”"):
        of_package(file, "east")


def test_a_geopackage_without_points_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    file = geopackage(tmp_path, roads=[LineString([(0, 0), (1, 1)])])
    with pytest.raises(BadFile, match="no layer with points or areas; there is “roads”"):
        of_package(file)
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(BadFile, match="cannot be read"):
        of_package(file)
    with sqlite3.connect(tmp_path / "other.gpkg") as database:
        database.execute("create table anything (a)")
    with pytest.raises(BadFile, match="cannot be read"):
        of_package(tmp_path / "other.gpkg")


ENDLESS = (
    "with recursive r (n) as (select 1 union all select n + 1 from r) select n as fid, null as geom, 'A' as name from r"
)


@pytest.mark.parametrize(
    ("end", "said"),
    [("", "more rows than the file can hold"), (" where n < 0", "the file is damaged here (interrupted)")],
)
def test_a_view_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, said: str) -> None:
    monkeypatch.setattr("server.imports.geopackage.SILENCES", 3)
    file = geopackage(tmp_path, shops=[Point(2757871, 1223138)])
    with sqlite3.connect(file) as database:
        for (trigger,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{trigger}"')
        database.execute("drop table shops")
        database.execute(f"create view shops as {ENDLESS}{end}")
    if not end:
        with pytest.raises(BadFile, match=said):
            list(of_package(file).rows)
    else:
        assert said in str([row.problem for row in of_package(file).rows])


def test_signs_that_nobody_sees_are_removed_and_said(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("name;city\nA\x00B;Vaduz\nevil\u202egpj.exe;Schaan\nشركة;Triesen\n".encode())
    rows = list(open_table(path, knows=lambda title: title == "name").rows)
    assert [row.cells[0] for row in rows] == ["AB", "evilgpj.exe", "شركة"]
    assert [row.note is not None for row in rows] == [True, True, False]
