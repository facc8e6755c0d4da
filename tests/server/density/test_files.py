"""Files of the market: a page that loads nothing from anywhere, a GeoPackage that says where it comes from."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pyogrio
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Site
from server.auth.access import system_scope
from server.density import firms, geopackage, offline, service, snapshot
from server.density.choosing import Chosen
from server.density.files import Format, write
from server.density.firms import Firm
from server.kit.errors import Invalid, Unavailable
from server.regions.models import Prospect, Region

NASTY = "<img onerror=alert(1)> ${7} {{ 7 }} </script> `"


@pytest.fixture
def vendored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Browser libraries small enough to be looked through."""
    folder = tmp_path / "vendor"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "layers.png").write_bytes(b"png")
    for name in ("leaflet.js", "leaflet.markercluster.js"):
        (folder / name).write_text(f"/* {name} */\n//# sourceMappingURL={name}.map")
    for name in ("leaflet.css", "MarkerCluster.css", "MarkerCluster.Default.css"):
        (folder / name).write_text(".a { background: url(images/layers.png) } .b { behavior: url(#default#VML) }")
    monkeypatch.setattr(offline, "VENDOR", folder)
    offline.library.cache_clear()
    yield
    offline.library.cache_clear()


@pytest.fixture
def market(session: Session, region: Region, customer: Callable[..., Site]) -> Session:
    customer("Plain Ltd", LonLat(-6.0, 46.0), account_class="A")
    customer(NASTY, LonLat(-6.001, 46.0))
    service.refresh(session)
    return session


def test_the_page_loads_nothing_from_outside(market: Session, vendored: None) -> None:
    page = snapshot.render(market, system_scope()).decode()
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?!data:|#)[^"'>\s]+""", page) == []
    assert re.findall(r"""url\((?!data:|#)[^)]*\)""", page) == []
    assert "http://" not in page
    assert "https://" not in page
    assert "sourceMappingURL" not in page
    assert "Content-Security-Policy" in page


def test_the_page_names_its_sources_its_classes_and_its_firms(market: Session, vendored: None) -> None:
    page = snapshot.render(market, system_scope()).decode()
    assert "Made-up data (no rights reserved, 2026-01-01)" in page
    assert "Prospects per hexagon" in page
    assert re.search(r"</i>1(–\d+)?</div>", page), "the first class"
    assert "</i>0" not in page, "a hexagon without any is in no class"
    assert "Plain Ltd" in page
    assert "penetration" in page
    assert "Port Meridian" in page


def test_names_cannot_become_markup_or_script(market: Session, vendored: None) -> None:
    page = snapshot.render(market, system_scope()).decode()
    assert "<img" not in page
    assert "${7}" not in page
    assert page.count("</script>") == page.count("<script>")


def test_many_firms_become_clusters(market: Session, vendored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "markerClusterGroup(" not in snapshot.render(market, system_scope()).decode()
    many = [Firm(str(n), f"Firm {n}", "shop=bakery", LonLat(-6 + n / 1e5, 46)) for n in range(2001)]
    monkeypatch.setattr(snapshot, "prospects", lambda *_: many)
    assert "markerClusterGroup(" in snapshot.render(market, system_scope()).decode()


def test_an_empty_market_is_still_a_page(session: Session, vendored: None) -> None:
    service.refresh(session)
    assert "0 prospects" in snapshot.render(session, system_scope()).decode()


def test_a_missing_browser_library_says_how_to_get_it(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "VENDOR", tmp_path)
    offline.library.cache_clear()
    with pytest.raises(Unavailable, match="not installed") as caught:
        offline.library("leaflet.css")
    assert "server.web.vendor" in caught.value.help


def test_a_geopackage_holds_every_layer_and_its_sources(market: Session, tmp_path: Path) -> None:
    path = tmp_path / "density.gpkg"
    geopackage.write(market, system_scope(), path)
    layers = [name for name, _ in pyogrio.list_layers(path)]
    assert layers == [*(f"cells_{level}" for level in range(3, 10)), "territories", "prospects", "customers", "about"]
    cells = pyogrio.read_dataframe(path, layer="cells_8")
    prospects = pyogrio.read_dataframe(path, layer="prospects")
    assert cells["prospects"].sum() == len(prospects)
    assert cells["customers"].sum() == len(pyogrio.read_dataframe(path, layer="customers")) == 2
    assert cells.crs == "EPSG:4326"
    about = pyogrio.read_dataframe(path, layer="about")
    assert "Made-up data" in about[about["what"] == "source"]["meaning"].iloc[0]


def test_an_empty_market_is_still_a_geopackage(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "density.gpkg"
    service.refresh(session)
    geopackage.write(session, system_scope(), path, Chosen(resolution=8))
    assert len(pyogrio.read_dataframe(path, layer="cells_8")) == 0


def test_files_hold_only_the_customers_that_one_may_see(market: Session) -> None:
    assert len(firms.customers(market, system_scope())) == 2
    assert firms.customers(market, replace(system_scope(), levels={})) == []


def test_files_of_a_kind_hold_only_firms_of_it_and_say_so(market: Session, vendored: None, tmp_path: Path) -> None:
    kind, count = market.execute(
        select(Prospect.kind, func.count()).group_by(Prospect.kind).order_by(func.count().desc())
    ).first() or ("", 0)
    chosen = Chosen(kind=kind, filter="class = A")
    paths = {format: tmp_path / f"density.{format}" for format in Format}
    for format, path in paths.items():
        write(market, system_scope(), path, format, chosen)
    found = pyogrio.read_dataframe(paths[Format.GPKG], layer="prospects")
    assert set(found["kind"]) == {kind}
    assert count - 2 <= len(found) <= count
    assert pyogrio.read_dataframe(paths[Format.GPKG], layer="cells_8")["prospects"].sum() == len(found)
    assert len(pyogrio.read_dataframe(paths[Format.GPKG], layer="customers")) == 0
    about = pyogrio.read_dataframe(paths[Format.GPKG], layer="about")
    assert [kind, "class = A"] == list(about["meaning"][:2])
    rows = list(csv.DictReader(paths[Format.CSV].open(encoding="utf-8-sig")))
    assert sum(int(row["prospects"]) for row in rows) == len(found)
    assert {"unknown_kind", "sources"} <= set(rows[0])
    hexagons = openpyxl.load_workbook(paths[Format.XLSX])["hexagons"]
    assert sum(row[3] for row in hexagons.iter_rows(min_row=2, values_only=True)) == len(found)
    assert f"({kind})" in paths[Format.HTML].read_text()
    with pytest.raises(Invalid, match="no kind"):
        write(market, system_scope(), paths[Format.CSV], Format.CSV, Chosen(kind="shop=nothing"))
