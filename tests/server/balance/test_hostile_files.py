"""A file of areas is read as what it is and nothing else, in bounded time and space; the rest is refused by name."""

import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas
import pytest
from fastapi.testclient import TestClient
from shapely import force_3d
from shapely.geometry import box

from server.auth.models import User
from server.balance import layers

type ClientFor = Callable[[User | None], TestClient]
PREVIEW = "/api/v1/territories/import/preview"

VRT = """<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>CSV:{path}</SrcDataSource>
<GeometryType>wkbPolygon</GeometryType><LayerSRS>EPSG:4326</LayerSRS><Field name="name" src="secret"/>
<GeometryField encoding="WKT" field="wkt"/></OGRVRTLayer></OGRVRTDataSource>"""


@pytest.fixture
def client(client_for: ClientFor, make_user: Callable[..., User]) -> TestClient:
    return client_for(make_user())


def sent(client: TestClient, content: bytes, name: str = "areas.geojson") -> dict[str, Any]:
    answer = client.post(PREVIEW, files={"file": (name, content)})
    assert answer.status_code in (200, 422), answer.text
    found: dict[str, Any] = answer.json() | {"status": answer.status_code}
    return found


def collection(geometry: object, **properties: Any) -> bytes:
    feature = {"type": "Feature", "properties": {"name": "North"} | properties, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def shapefile(folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    frame = geopandas.GeoDataFrame({"name": ["North"]}, geometry=[box(9, 47, 10, 48)], crs=4326)
    frame.to_file(folder / "areas.shp")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def zipped(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize("wrap", ["plain", "comment", "shp", "gpkg"])
def test_what_another_file_on_the_server_holds_is_never_read(client: TestClient, tmp_path: Path, wrap: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text('secret,wkt\nhunter2,"POLYGON((9 47,10 47,10 48,9 47))"\n')
    vrt = VRT.format(path=secret).encode()
    if wrap == "shp":
        answer = sent(client, zipped(shapefile(tmp_path / "parts") | {"areas.shp": vrt}), "areas.zip")
    else:
        before = {"comment": b'{"type": "Feature"}\n', "gpkg": b"SQLite format 3"}.get(wrap, b"")
        answer = sent(client, before + vrt, f"areas.{wrap}")
    assert answer["status"] == 422
    assert "hunter2" not in str(answer)


def test_a_view_that_computes_without_end_is_not_run(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    geopandas.GeoDataFrame({"name": ["North"]}, geometry=[box(9, 47, 10, 48)], crs=4326).to_file(path)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i as fid, i as name, i as geom"
    with closing(sqlite3.connect(path)) as database, database:
        (column,) = database.execute("select column_name from gpkg_geometry_columns").fetchone()
        database.execute("create table other as select * from gpkg_contents")
        database.execute("drop table gpkg_contents")
        database.execute(f"create view gpkg_contents as {endless}, i as table_name, i as data_type from n")
    assert column == "geom"
    assert "is not GeoJSON, GeoPackage" in sent(client, path.read_bytes(), "areas.gpkg")["detail"]


def test_a_geometry_in_a_geometry_without_end_is_refused(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    geopandas.GeoDataFrame({"name": ["North"]}, geometry=[box(9, 47, 10, 48)], crs=4326).to_file(path)
    deep = b"GP\x00\x01" + struct.pack("<i", 4326) + struct.pack("<BII", 1, 6, 1) * 1_000_000
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{trigger}"')
        database.execute("update areas set geom = ?", (deep,))
    assert sent(client, path.read_bytes(), "areas.gpkg")["detail"].endswith("the geometry cannot be read.")


@pytest.mark.parametrize("format", ["geojson", "gpkg", "zip"])
def test_heights_are_left_out(client: TestClient, tmp_path: Path, format: str) -> None:
    frame = geopandas.GeoDataFrame({"name": ["North"]}, geometry=[force_3d(box(9, 47, 10, 48), 400)], crs=4326)
    path = tmp_path / f"areas.{'shp' if format == 'zip' else format}"
    frame.to_file(path)
    content = zipped({one.name: one.read_bytes() for one in tmp_path.iterdir()}) if format == "zip" else b""
    answer = client.post(
        "/api/v1/territories/import", files={"file": (path.name[:6] + format, content or path.read_bytes())}
    )
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (None, "there is no geometry"),
        ({"type": "Polygon", "coordinates": [[[9, 47], [10, float("nan")], [10, 48], [9, 47]]]}, "lies nowhere"),
        ({"type": "Polygon", "coordinates": "here"}, "the geometry cannot be read"),
        ({"type": "Polygon", "coordinates": []}, "is empty"),
    ],
)
def test_a_feature_without_an_outline_is_named(client: TestClient, geometry: object, said: str) -> None:
    answer = sent(client, collection(geometry))
    assert answer["status"] == 422
    assert said in answer["detail"]


@pytest.mark.parametrize("corner", ["NaN", "Infinity", "1e999"])
def test_a_drawn_corner_that_lies_nowhere_is_refused(client: TestClient, corner: str) -> None:
    area = f'{{"type": "Polygon", "coordinates": [[[9, 47], [10, 47], [10, {corner}], [9, 47]]]}}'
    body = f'{{"preview": true, "operation": {{"kind": "create", "name": "North", "area": {area}}}}}'
    answer = client.post(
        "/api/v1/territory-changes", content=body.encode(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert "lies nowhere" in answer.json()["detail"]


def broken(content: bytes, how: str) -> bytes:
    """A zip whose first member is locked, or is packed in a way that nobody knows, or is damaged."""
    spoiled = bytearray(content)
    central = content.index(b"PK\x01\x02")
    if how == "locked":
        spoiled[6] |= 1
        spoiled[central + 8] |= 1
    elif how == "method":
        spoiled[8] = spoiled[central + 10] = 99
    else:
        name = int.from_bytes(content[26:28], "little")
        spoiled[30 + name : 30 + name + 12] = b"\xff" * 12
    return bytes(spoiled)


@pytest.mark.parametrize(
    ("how", "method", "said"),
    [
        ("locked", zipfile.ZIP_DEFLATED, "locked with a password"),
        ("method", zipfile.ZIP_DEFLATED, "damaged zip"),
        ("data", zipfile.ZIP_DEFLATED, "damaged zip"),
        ("data", zipfile.ZIP_LZMA, "damaged zip"),
        ("data", zipfile.ZIP_BZIP2, "damaged zip"),
    ],
)
def test_a_zip_that_cannot_be_opened_is_named(
    client: TestClient, tmp_path: Path, how: str, method: int, said: str
) -> None:
    parts = shapefile(tmp_path / "parts")
    content = zipped({"areas.shp": parts.pop("areas.shp")} | parts, method)
    answer = sent(client, broken(content, how), "areas.zip")
    assert answer["status"] == 422
    assert said in answer["detail"]


def test_a_zip_is_unpacked_only_as_far_as_allowed(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "MAX_UNPACKED", 1_000_000)
    parts = shapefile(tmp_path / "parts")
    other = zipped(parts | {"photos.tif": bytes(3_000_000)})
    assert sent(client, other, "areas.zip")["status"] == 200
    bomb = zipped(parts | {"areas.dbf": bytes(3_000_000)})
    assert "unpacks to more than 1 MB" in sent(client, bomb, "areas.zip")["detail"]
    monkeypatch.setattr(layers, "MAX_AREAS", 0)
    assert "holds more than 0 areas" in sent(client, zipped(parts), "areas.zip")["detail"]


def test_a_geopackage_with_two_layers_says_which_one_is_read(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    for name in ("south", "north"):
        frame = geopandas.GeoDataFrame({"name": [name]}, geometry=[box(9, 47, 10, 48)], crs=4326)
        frame.to_crs(2056).to_file(path, layer=name)
    answer = sent(client, path.read_bytes(), "areas.gpkg")
    assert answer["notes"] == ["areas.gpkg holds 2 layers with areas (north, south); “north” was read."]
    assert [part["name"] for part in answer["parts"]] == ["north"]


def tree(*pairs: tuple[str, str | None]) -> bytes:
    frame = geopandas.GeoDataFrame(
        {"name": [name for name, _ in pairs], "parent": [parent for _, parent in pairs]},
        geometry=[box(9, 47, 10, 48)] * len(pairs),
        crs=4326,
    )
    return str(frame.to_json()).encode()


def test_a_tree_comes_in_whatever_its_order_and_a_circle_is_refused_by_name(client: TestClient) -> None:
    file = {"file": ("areas.geojson", tree(("C", "B"), ("B", "A"), ("A", None), ("D", "C")))}
    assert client.post("/api/v1/territories/import", files=file).status_code == 201
    rows = {one["name"]: one for one in client.get("/api/v1/territories").json()["items"]}
    assert [rows[name]["parent_id"] for name in "DCBA"] == [*(rows[name]["id"] for name in "CBA"), None]
    circle = {"file": ("areas.geojson", tree(("X", "Z"), ("Y", "X"), ("Z", "Y")))}
    refused = client.post(PREVIEW, files=circle)
    assert refused.status_code == 409
    assert all(f"“{name}”" in refused.json()["detail"] for name in "XYZ")
