"""Territories go out as files and come back as they were, read and written by geopandas too."""

import io
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import pytest
from fastapi.testclient import TestClient
from shapely.geometry import box

API = "/api/v1/territories"


def areas(**more: Any) -> geopandas.GeoDataFrame:
    outlines = [box(9, 47, 10, 48), box(10, 47, 11, 48)]
    return geopandas.GeoDataFrame({"name": ["Zürich", "Vaduz"]} | more, geometry=outlines, crs=4326)


def zipped(folder: Path, *, without: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.iterdir():
            if path.suffix != without:
                archive.write(path, f"areas/{path.name}")
    return packed.getvalue()


@pytest.mark.parametrize("format", ["geojson", "gpkg", "shp"])
def test_an_export_comes_back_as_it_was(client: TestClient, tmp_path: Path, format: str) -> None:
    content = areas(colour=["#0072B2", "#E69F00"]).to_json().encode()
    assert client.post(f"{API}/import", files={"file": ("areas.geojson", content)}).status_code == 201
    file = client.get(f"{API}/export?format={format}")
    assert file.status_code == 200
    path = tmp_path / ("out.zip" if format == "shp" else f"out.{format}")
    path.write_bytes(file.content)
    frame = geopandas.read_file(path).sort_values("name")
    assert frame.crs.to_epsg() == 4326
    assert frame["name"].tolist() == ["Vaduz", "Zürich"]
    assert frame.geometry.iloc[1].equals(box(9, 47, 10, 48))
    before = client.get(f"{API}?area=true").json()["items"]
    again = client.post(f"{API}/import?replace=true", files={"file": (path.name, file.content)})
    assert again.status_code == 201, again.text
    after = client.get(f"{API}?area=true").json()["items"]
    assert [(one["name"], one["colour"]) for one in after] == [(one["name"], one["colour"]) for one in before]
    assert client.post(f"{API}/import", files={"file": (path.name, file.content)}).status_code == 409


def test_a_shapefile_without_its_prj_is_named_until_its_coordinates_are(client: TestClient, tmp_path: Path) -> None:
    areas().to_crs(2056).to_file(tmp_path / "gebiete.shp", encoding="UTF-8")
    bare = zipped(tmp_path, without=".prj")
    refused = client.post(f"{API}/import/preview", files={"file": ("areas.zip", bare)})
    assert refused.status_code == 422
    assert "areas.zip does not say which coordinate system it is in: it has no .prj" in refused.json()["detail"]
    wrong = client.post(f"{API}/import/preview?epsg=999999", files={"file": ("areas.zip", bare)})
    assert "EPSG:999999" in wrong.json()["detail"]
    seen = client.post(f"{API}/import/preview?epsg=2056", files={"file": ("areas.zip", bare)})
    assert seen.status_code == 200, seen.text
    assert [part["name"] for part in seen.json()["parts"]] == ["Zürich", "Vaduz"]
    assert client.get(API).json()["items"] == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("areas.shp", b"\x00\x00\x27\x0a", "only one part of a Shapefile"),
        ("areas.zip", b"PK\x03\x04nonsense", "damaged zip"),
        ("areas.gpkg", b"SQLite format 3\x00", "is not GeoJSON, GeoPackage or a zipped Shapefile"),
        ("areas.txt", b"hello", "is not GeoJSON, GeoPackage or a zipped Shapefile"),
        ("areas.json", b'{"type": "FeatureCollection", "features": []}', "has no features"),
    ],
)
def test_what_is_no_file_of_areas_is_refused_by_name(client: TestClient, name: str, content: bytes, said: str) -> None:
    refused = client.post(f"{API}/import", files={"file": (name, content)})
    assert refused.status_code == 422, refused.text
    assert name in refused.json()["detail"]
    assert said in refused.json()["detail"]
