"""The map under a route comes from the served region's own tables."""

import hashlib
from datetime import date

import pytest
from shapely.geometry import shape
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.plans.exporting import background
from server.regions.models import Region

HERE = [LonLat(9.5, 47.1), LonLat(9.55, 47.15)]


@pytest.fixture
def region(session: Session) -> Region:
    region = Region(
        name="valley",
        sha256=hashlib.sha256(b"x").hexdigest(),
        version=1,
        state="ready",
        source="test",
        licence="ODbL 1.0",
        attribution=["© OpenStreetMap contributors"],
        data_date=date(2026, 3, 4),
        bbox=[9.0, 47.0, 10.0, 48.0],
    )
    session.add(region)
    session.flush()
    return region


def draw(session: Session, region: Region, layer: str, kind: str, wkt: str, zoom: int = 8, name: str = "") -> None:
    session.execute(
        text(
            "insert into basemap_feature (region_id, layer, kind, name, min_zoom, geom)"
            " values (:region, :layer, :kind, :name, :zoom, ST_Transform(ST_GeomFromText(:wkt, 4326), 3857))"
        ),
        {"region": region.id, "layer": layer, "kind": kind, "name": name, "zoom": zoom, "wkt": wkt},
    )


def test_roads_and_places_near_the_route_are_drawn_and_clipped(session: Session, region: Region) -> None:
    draw(session, region, "road", "primary", "LINESTRING(9.0 47.12, 9.9 47.12)")
    draw(session, region, "place", "town", "POINT(9.52 47.14)", name="Vaduz")
    features = {feature.layer: feature for feature in background.around(session, HERE)}
    lons = [lon for lon, _lat in features["road"].geometry["coordinates"]]
    assert 9.4 < min(lons) < 9.5
    assert 9.55 < max(lons) < 9.7
    assert features["place"].name == "Vaduz"
    assert features["place"].geometry == {"type": "Point", "coordinates": [9.52, 47.14]}


def test_far_things_and_buildings_are_left_out(session: Session, region: Region) -> None:
    draw(session, region, "road", "primary", "LINESTRING(9.9 47.9, 9.95 47.9)")
    draw(session, region, "building", "building", "POLYGON((9.5 47.1, 9.51 47.1, 9.51 47.11, 9.5 47.1))")
    assert background.around(session, HERE) == ()


def test_small_things_are_left_out_where_there_is_no_room_for_them(
    session: Session, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(session, region, "road", "primary", "LINESTRING(9.5 47.12, 9.55 47.12)")
    draw(session, region, "road", "path", "LINESTRING(9.5 47.1, 9.55 47.1)", zoom=14)
    assert len(background.around(session, HERE)) == 2
    monkeypatch.setattr(background, "_MOST_FEATURES", 1)
    assert [feature.kind for feature in background.around(session, HERE)] == ["primary"]


def test_a_single_point_gives_a_neighbourhood(session: Session, region: Region) -> None:
    draw(session, region, "road", "path", "LINESTRING(9.5 47.1, 9.501 47.1)", zoom=14)
    assert len(background.around(session, HERE[:1])) == 1


def test_without_a_region_there_is_no_background_and_no_source(session: Session) -> None:
    assert background.around(session, HERE) == ()
    assert background.sources(session, HERE) == ()


def test_the_source_is_named_with_licence_and_date(session: Session, region: Region) -> None:
    assert background.sources(session, HERE) == ("© OpenStreetMap contributors, ODbL 1.0 (valley, 2026-03-04)",)


def test_a_thin_strip_of_forest_does_not_flood_the_map(session: Session, region: Region) -> None:
    """Simplified first, the strip crossed itself on the map's edge, and clipping made it as large as the map."""
    strip = (
        "POLYGON((9.50895 47.228917, 9.509169 47.229181, 9.509412 47.229486, 9.509665 47.229798, 9.50992 47.230099,"
        " 9.510196 47.230408, 9.510456 47.230744, 9.510653 47.230905, 9.510581 47.230914, 9.510414 47.230795,"
        " 9.510222 47.230558, 9.509981 47.230277, 9.509683 47.22997, 9.509384 47.229615, 9.509116 47.22924,"
        " 9.508957 47.229088, 9.50895 47.228917))"
    )
    draw(session, region, "landuse", "forest", strip)
    for step in range(30):
        around = [LonLat(9.5, 47.115), LonLat(9.5, 47.2135 + 0.0001 * step)]
        shapes = [shape(feature.geometry) for feature in background.around(session, around)]
        assert all(part.area < 1e-5 for part in shapes)
